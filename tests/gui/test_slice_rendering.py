"""From voxels to pixels."""

from itertools import pairwise

import numpy as np
import pytest

from engine.geometry import Geometry
from engine.structures import Structure
from heartseg_gui.documents.display_state import DisplayState
from heartseg_gui.slice_rendering import (
    GreyTable,
    SlicePlane,
    edge_letters,
    outline_paths,
    outline_runs,
    overlay_table,
)
from heartseg_gui.views.slices.slice_picture import Doubling


@pytest.mark.parametrize("dtype", [np.int16, np.uint16, np.uint8, np.int8, np.int32, np.float32])
def test_window_maps_low_to_black_and_high_to_white(dtype: type) -> None:
    """The same for every kind of number, by table or not."""
    voxels = np.array([[20, 40, 60, 80, 100]], dtype)
    grey = np.zeros((1, 5), np.uint8)

    GreyTable(60, 40, np.dtype(dtype)).draw(voxels, grey)

    assert grey.tolist() == [[0, 0, 127, 255, 255]]


def test_negative_values_are_in_order() -> None:
    """Signed integers are looked up by their bits; their order must survive."""
    voxels = np.array([[-1000, -1, 0, 1000]], np.int16)
    grey = np.zeros((1, 4), np.uint8)

    GreyTable(0, 2000, voxels.dtype).draw(voxels, grey)

    assert grey.tolist() == [[0, 127, 127, 255]]


def test_values_that_are_no_numbers_are_black() -> None:
    """Float images of some programs hold NaN outside the body."""
    grey = np.ones((1, 2), np.uint8)

    GreyTable(0.5, 1, np.dtype(np.float32)).draw(np.array([[np.nan, 1]], np.float32), grey)

    assert grey.tolist() == [[0, 255]]


@pytest.mark.parametrize(
    ("diagonal", "flips"),
    [((-1, -1), (False, False)), ((1, 1), (True, True)), ((-1, 1), (True, False))],
)
def test_patients_left_is_on_the_right(diagonal: tuple[int, int], flips: tuple[bool, bool]) -> None:
    """Whatever the order of the file, the letters at the edges are the radiologist's."""
    x, y = diagonal
    geometry = Geometry.from_affine(np.diag([2.0 * x, 3.0 * y, 8.0, 1.0]), (4, 20, 30))
    plane = SlicePlane.of(geometry)

    assert (plane.flip_y, plane.flip_x) == flips
    assert edge_letters(geometry, plane) == ("R", "L", "A", "P")
    marked = np.zeros((20, 30), np.uint8)
    marked[3, 7] = 1
    ((row, column),) = np.argwhere(plane.turn(marked))
    assert plane.to_voxel((column + 0.5) * 2.0, (row + 0.75) * 3.0) == pytest.approx(
        (2.75 if flips[0] else 3.25, 7)
    )


def test_turned_boxes_hold_the_turned_voxels() -> None:
    """The box and the picture are turned alike."""
    plane = SlicePlane(20, 30, 1.0, 1.0, flip_y=True, flip_x=True)
    labels = np.zeros((20, 30), np.uint8)
    labels[2:5, 7:11] = 1

    top, bottom, left, right = plane.turn_box((2, 5, 7, 11))

    turned = plane.turn(labels)
    assert turned[top:bottom, left:right].all()
    assert np.count_nonzero(turned) == (bottom - top) * (right - left)


def test_oblique_planes_have_two_letters() -> None:
    """A short axis lies between the patient's axes."""
    slope = np.sqrt(0.5)
    affine = np.array(
        [[-slope, 0, slope, 0], [-slope, 0, -slope, 0], [0, -1, 0, 0], [0, 0, 0, 1]], np.float64
    )
    geometry = Geometry.from_affine(affine, (4, 20, 30))

    left, right, top, bottom = edge_letters(geometry, SlicePlane.of(geometry))

    assert set(right) == {"L", "P"}
    assert set(left) == {"R", "A"}
    assert (top, bottom) == ("H", "F")


def test_doubling_keeps_voxels_and_puts_means_between() -> None:
    """The samples at the voxels' centres are the voxels."""
    rng = np.random.default_rng(0)
    grey = rng.integers(0, 256, size=(9, 7), dtype=np.uint8)

    large = Doubling(9, 7).of(grey)

    assert large.shape == (17, 13)
    np.testing.assert_array_equal(large[::2, ::2], grey)
    means = (grey[:, :-1].astype(int) + grey[:, 1:]) // 2
    np.testing.assert_array_equal(large[::2, 1::2], means)


def test_overlay_colours_are_premultiplied() -> None:
    """No channel exceeds alpha; hidden structures and the background are clear."""
    display = DisplayState()
    display.set_opacity(0.5)
    display.set_shown(Structure.RV, False)

    table = overlay_table(display)

    assert table[Structure.BACKGROUND] == table[Structure.RV] == 0
    alpha, red, green, blue = np.uint32(table[Structure.LV]).byteswap().tobytes()
    assert alpha == 128
    assert max(red, green, blue) <= alpha
    assert red == round(display.colour_of(Structure.LV)[0] * 0.5)


def test_outline_of_one_voxel_is_its_square() -> None:
    """Four runs between voxels."""
    mask = np.zeros((5, 6), np.bool_)
    mask[2, 3] = True

    lying, upright = outline_runs(mask)

    assert lying.tolist() == [[2, 3, 4], [3, 3, 4]]
    assert upright.tolist() == [[3, 2, 3], [4, 2, 3]]


def test_runs_are_joined_and_the_edge_of_the_image_is_border() -> None:
    """A block in the corner of the image."""
    mask = np.zeros((5, 6), np.bool_)
    mask[:2, :3] = True

    lying, upright = outline_runs(mask)

    assert lying.tolist() == [[0, 0, 3], [2, 0, 3]]
    assert upright.tolist() == [[0, 0, 2], [3, 0, 2]]


def test_paths_walk_every_border_once() -> None:
    """Also where three structures meet, and where voxels touch at a corner."""
    labels = np.zeros((8, 8), np.uint8)
    labels[1:4, 1:4] = 1
    labels[1:4, 4:6] = 2
    labels[4, 6] = 3
    lying, upright = outline_runs(labels)
    length = int((lying[:, 2] - lying[:, 1]).sum() + (upright[:, 2] - upright[:, 1]).sum())

    paths = outline_paths(labels)

    walked = sum(abs(a[0] - b[0]) + abs(a[1] - b[1]) for path in paths for a, b in pairwise(path))
    assert walked == length
    assert len(paths) <= 3
