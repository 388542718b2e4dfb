"""Class weights from counted pixels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine.datasets.class_weights import (
    WEIGHTINGS,
    ClassCounts,
    count_classes,
    inverse_frequency,
    make_class_weights,
    median_count,
    median_frequency,
)
from engine.datasets.labelled import bits_of
from engine.errors import ModelError, UnusableLabelsError


def counts_of(*pixels: int) -> ClassCounts:
    """All classes in one image."""
    return ClassCounts(np.array(pixels), np.full(len(pixels), sum(pixels)))


TWO_IMAGES = (
    np.array([[0, 0, 0, 0], [0, 0, 1, 1]]),  # classes 0 and 1
    np.array([[0, 0, 2, 2], [2, 2, 1, 2], [0, 0, 0, 0]]),  # all three
)


def test_pixels_are_counted_by_class_and_by_the_images_that_show_it() -> None:
    counts = count_classes(TWO_IMAGES, classes=3)

    assert counts.pixels.tolist() == [12, 3, 5]
    assert counts.pixels_where_present.tolist() == [20, 20, 12]


@given(st.lists(arrays(np.uint8, (3, 4), elements=st.integers(0, 3)), max_size=4))
def test_bits_of_certain_labels_count_as_the_labels(images: list[np.ndarray]) -> None:
    by_label = count_classes(images, classes=4)
    by_bits = count_classes(map(bits_of, images), classes=4, as_bits=True)

    assert by_bits.pixels.tolist() == by_label.pixels.tolist()
    assert by_bits.pixels_where_present.tolist() == by_label.pixels_where_present.tolist()
    assert by_label.pixels.sum() == 12 * len(images)


def test_an_open_pixel_counts_for_no_class() -> None:
    counts = count_classes([np.array([1, 1, 3, 8], np.uint8)], classes=4, as_bits=True)

    assert counts.pixels.tolist() == [2, 0, 0, 1]
    assert counts.pixels_where_present.tolist() == [3, 0, 0, 3]


@pytest.mark.parametrize(
    ("values", "as_bits"), [([0, 4], False), ([-1, 0], False), ([0, 1], True), ([16, 1], True)]
)
def test_a_value_that_is_no_class_is_refused(values: list[int], as_bits: bool) -> None:
    with pytest.raises(UnusableLabelsError, match="with 4 classes"):
        count_classes([np.array(values)], classes=4, as_bits=as_bits)


def test_an_empty_image_counts_nothing() -> None:
    for as_bits in (False, True):
        counts = count_classes([np.zeros((0, 3), np.uint8)], classes=2, as_bits=as_bits)
        assert counts.pixels.tolist() == [0, 0]


def test_r4_2_median_count_gives_the_published_weights() -> None:
    """R4-2."""
    weights = median_count(counts_of(11_681_028, 196_526, 146_988, 197_922))

    assert weights == pytest.approx((0.0169, 1.0036, 1.3418, 0.9965), abs=5e-5)


def test_r4_2_median_frequency_looks_only_at_images_that_show_the_class() -> None:
    """R4-2, in Eigen and Fergus' form: frequencies 12/20, 3/20 and 5/12, median 5/12."""
    weights = median_frequency(count_classes(TWO_IMAGES, classes=3))

    assert weights == pytest.approx((25 / 36, 25 / 9, 1))


def test_r4_2_both_forms_agree_where_every_image_shows_every_class() -> None:
    """R4-2."""
    counts = counts_of(11_681_028, 196_526, 146_988, 197_922)

    assert median_frequency(counts) == pytest.approx(median_count(counts))


@given(st.lists(st.integers(1, 10**7), min_size=2, max_size=6))
def test_inverse_frequencies_weigh_every_class_alike_and_keep_the_scale(pixels: list[int]) -> None:
    weights = inverse_frequency(counts_of(*pixels))

    assert weights * pixels == pytest.approx(sum(pixels) / len(pixels))
    assert (weights * pixels).sum() / sum(pixels) == pytest.approx(1)


def test_r0_3_inverse_frequencies_of_two_classes_give_the_positive_weight() -> None:
    """R0-3. The foreground's weight by the background's is (1 - pi) / pi."""
    background, foreground = inverse_frequency(counts_of(9954, 46))

    assert foreground / background == pytest.approx((1 - 0.0046) / 0.0046)


@pytest.mark.parametrize("name", WEIGHTINGS)
def test_a_class_that_never_occurs_is_an_error_not_a_weight(name: str) -> None:
    with pytest.raises(ModelError, match="shows class 1, 3"):
        make_class_weights(name, classes=4, count=lambda: counts_of(90, 0, 10, 0))


def test_a_recipe_names_its_weights_or_gives_them() -> None:
    def counted() -> ClassCounts:
        return counts_of(80, 20)

    def never() -> ClassCounts:
        pytest.fail("the images need not be counted")

    assert make_class_weights("none", classes=2, count=never) is None
    given_weights = make_class_weights((0.5, 2), classes=2, count=never)
    assert given_weights is not None
    assert given_weights.tolist() == [0.5, 2.0]
    named = make_class_weights("inverse_frequency", classes=2, count=counted)
    assert named == pytest.approx((0.625, 2.5))


@pytest.mark.parametrize("wanted", [(1.0,), (1.0, -1.0), (1.0, float("nan")), "median"])
def test_wrong_weights_are_refused(wanted: str | tuple[float, ...]) -> None:
    with pytest.raises(ModelError, match="class weights"):
        make_class_weights(wanted, classes=2, count=lambda: counts_of(1, 1))
