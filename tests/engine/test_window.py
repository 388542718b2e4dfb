"""The window around the heart."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.learning.window import Window, around_heart, whole_slices
from engine.recipe import ImageRecipe
from engine.structures import Structure

PATCHES = ImageRecipe(spacing_mm=1.5, fit="patch", size=(112, 112))


def heart(shape: tuple[int, int, int], y: int, x: int, side: int = 20) -> np.ndarray:
    labels = np.zeros(shape, np.uint8)
    labels[:, y : y + side, x : x + side] = Structure.LV
    return labels


@given(
    y=st.integers(-30, 60),
    x=st.integers(-30, 60),
    height=st.integers(1, 80),
    width=st.integers(1, 80),
    colour=st.booleans(),
)
def test_what_is_cut_out_is_pasted_back(
    y: int, x: int, height: int, width: int, colour: bool
) -> None:
    image = np.arange(1, 2 * 40 * 50 + 1).reshape(2, 40, 50)
    window = Window(y, x, height, width)
    cut = window.cut(image[..., None].repeat(3, axis=3) if colour else image)
    again = np.zeros_like(image)
    window.paste(cut[..., 0] if colour else cut, again)
    rows = np.arange(40)[:, None]
    columns = np.arange(50)[None]
    inside = (rows >= y) & (rows < y + height) & (columns >= x) & (columns < x + width)

    assert cut.shape[1:3] == (height, width)
    assert np.array_equal(again, image * inside)
    assert np.count_nonzero(cut[..., 0] if colour else cut) == 2 * inside.sum()


@pytest.mark.parametrize("mm", [0.7, 1.0, 1.37, 1.5, 2.0])
def test_a_window_is_as_large_as_a_patch_and_centred_on_the_heart(mm: float) -> None:
    side = round(30 / mm)
    labels = heart((3, 300, 300), 100, 150, side)
    window = around_heart(labels, (8.0, mm, mm), PATCHES, stride=16)

    assert window is not None
    assert 112 * 1.5 - mm < window.height * mm <= 112 * 1.5
    assert round(window.height * mm / 1.5) <= 112
    assert abs(window.y + window.height / 2 - (100 + side / 2)) <= 1
    assert abs(window.x + window.width / 2 - (150 + side / 2)) <= 1


def test_a_large_heart_gets_a_large_window() -> None:
    window = around_heart(heart((1, 300, 300), 50, 50, 120), (8.0, 1.5, 1.5), PATCHES, stride=16)

    assert window is not None
    assert window.height == window.width == 160  # 120 pixels, 25 mm on each side, whole strides


def test_a_window_moves_along_with_padding() -> None:
    labels = heart((2, 60, 60), 20, 30)
    padded = np.pad(labels, ((0, 0), (13, 5), (7, 40)))
    one, other = (around_heart(x, (8.0, 1.4, 1.4), PATCHES, stride=16) for x in (labels, padded))

    assert one is not None
    assert other == Window(one.y + 13, one.x + 7, one.height, one.width)


def test_no_heart_has_no_window() -> None:
    assert around_heart(np.zeros((3, 9, 9), np.uint8), (8.0, 1, 1), PATCHES, stride=16) is None


@pytest.mark.parametrize(
    ("y", "x", "all_held"),
    [(30, 30, True), (20, 30, False), (30, 20, False), (50, 30, False), (30, 50, False)],
)
def test_labels_at_the_border_of_a_window_may_go_on_beyond_it(
    y: int, x: int, all_held: bool
) -> None:
    window = Window(20, 20, 50, 50)

    assert window.holds_all(heart((1, 100, 100), y, x)) == all_held


def test_labels_at_the_border_of_the_image_end_there() -> None:
    labels = heart((1, 60, 60), 0, 40)

    assert whole_slices(labels.shape).holds_all(labels)
    assert Window(-20, 0, 80, 100).holds_all(labels)
