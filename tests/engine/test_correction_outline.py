"""Outlines and cuts of one slice."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from engine.correction.outline import cut, lasso_mask, polygon_mask, polygon_part, thinned
from engine.structures import Structure

SHAPE = (24, 30)
POLYGONS = hnp.arrays(
    np.float64,
    st.tuples(st.integers(3, 9), st.just(2)),
    elements=st.floats(-8, 36, allow_nan=False, width=32),
)


def square(top: float, left: float, bottom: float, right: float) -> np.ndarray:
    return np.array([[top, left], [top, right], [bottom, right], [bottom, left]], float)


def test_a_square_holds_the_centres_inside_it() -> None:
    expected = np.zeros(SHAPE, bool)
    expected[3:8, 5:11] = True
    np.testing.assert_array_equal(polygon_mask(square(2.5, 4.5, 7.5, 10.5), SHAPE), expected)


@given(POLYGONS)
@example(np.array([[-1.0, -1.0], [-1.0, -1.0], [-1.0, -1.0], [1.40129846e-45, 0.0]]))
@settings(max_examples=60, deadline=None)
def test_a_centre_is_inside_where_a_ray_crosses_the_border_an_odd_number_of_times(
    points: np.ndarray,
) -> None:
    np.testing.assert_array_equal(polygon_mask(points, SHAPE), by_rays(points))


def by_rays(points: np.ndarray) -> np.ndarray:
    """Voxel by voxel: sides that a ray to the left meets."""
    points = points.astype(np.float64)
    found = np.zeros(SHAPE, bool)
    for y, x in np.ndindex(*SHAPE):
        for side in zip(points, np.roll(points, -1, axis=0), strict=True):
            (y0, x0), (y1, x1) = sorted(map(tuple, side))  # the same to the last bit both ways
            if y0 <= y < y1:
                found[y, x] ^= x0 + (y - y0) * (x1 - x0) / (y1 - y0) < x
    return found


@given(st.floats(3, 20), st.floats(3, 20), st.floats(-0.7, 0.7))
@example(3.0, 3.0, 2.220446049250313e-16)
@settings(max_examples=50, deadline=None)
def test_polygons_that_share_a_side_neither_overlap_nor_leave_a_gap(
    y: float, x: float, slope: float
) -> None:
    left = np.array([[-2, -2], [-2, x - slope * y], [30, x + slope * (30 - y)], [30, -2]])
    right = np.array([[-2, x - slope * y], [-2, 40], [30, 40], [30, x + slope * (30 - y)]])
    both = polygon_mask(left, SHAPE).astype(int) + polygon_mask(right, SHAPE)
    np.testing.assert_array_equal(both, 1)


@pytest.mark.parametrize("points", [[], [(3, 3)], [(3, 3), (9, 9)], [(90, 90), (99, 90), (99, 99)]])
def test_nothing_lies_in_less_than_a_triangle_or_off_the_slice(points: list) -> None:
    assert not polygon_mask(np.array(points, float), SHAPE).any()


def test_the_bounding_box_is_all_that_is_computed() -> None:
    part = polygon_part(square(2.5, 4.5, 7.5, 10.5), (4000, 4000))
    assert part.inside.size < 100
    assert part.whole((4000, 4000)).sum() == 30


def test_a_lasso_that_crosses_itself_leaves_no_hole() -> None:
    twice = np.vstack([square(2.5, 2.5, 15.5, 15.5), square(5.5, 5.5, 10.5, 10.5)])
    assert lasso_mask(twice, SHAPE)[8, 8]
    assert not polygon_mask(twice, SHAPE)[8, 8]


def test_thinning_keeps_both_ends() -> None:
    line = np.stack([np.linspace(0, 3, 61), np.zeros(61)], axis=1)
    thin = thinned(line)
    np.testing.assert_allclose(thin[[0, -1]], line[[0, -1]])
    assert len(thin) <= 8
    assert thinned(np.empty((0, 2))).shape == (0, 2)


def bar() -> np.ndarray:
    plane = np.zeros(SHAPE, np.uint8)
    plane[8:14, 4:26] = Structure.RV
    return plane


def test_a_cut_takes_the_smaller_part_away() -> None:
    after = cut(bar(), np.array([[5.0, 17.5], [17.0, 17.5]]))
    expected = bar()
    expected[:, 18:] = Structure.BACKGROUND
    np.testing.assert_array_equal(after, expected)


def test_a_cut_can_keep_the_part_that_was_pointed_at() -> None:
    after = cut(bar(), np.array([[5.0, 17.5], [17.0, 17.5]]), keep=(10.0, 24.0))
    expected = bar()
    expected[:, :18] = Structure.BACKGROUND
    np.testing.assert_array_equal(after, expected)


def test_a_slanted_cut_through_centres_leaks_nowhere() -> None:
    line = np.array([[7.0, 11.0], [14.0, 18.0]])
    after = cut(bar(), line)
    rows, columns = np.nonzero(bar())
    kept = after[rows, columns] > 0
    side = columns - rows > 4
    # Voxels on the line itself go with one side, the same for all of them.
    off_line = columns - rows != 4
    assert np.unique(kept[off_line & side]).size == 1
    assert np.unique(kept[off_line & ~side]).size == 1
    assert 0 < kept.sum() < kept.size


def test_a_cut_that_ends_inside_changes_nothing() -> None:
    np.testing.assert_array_equal(cut(bar(), np.array([[5.0, 17.5], [10.0, 17.5]])), bar())


def test_a_cut_spares_other_structures_and_other_pieces() -> None:
    plane = bar()
    plane[18:22, 4:26] = Structure.LV
    after = cut(plane, np.array([[5.0, 17.5], [23.0, 17.5]]), structure=Structure.RV)
    np.testing.assert_array_equal(after[18:22], plane[18:22])
    assert not after[8:14, 18:].any()


def test_a_cut_can_hand_over_to_another_structure() -> None:
    after = cut(
        bar(),
        np.array([[5.0, 17.5], [17.0, 17.5]]),
        structure=Structure.RV,
        becomes=Structure.MYOCARDIUM,
    )
    assert (after[8:14, 18:26] == Structure.MYOCARDIUM).all()


@pytest.mark.parametrize("line", [np.empty((0, 2)), np.array([[3.0, 3.0]]), np.full((3, 2), 9.0)])
def test_a_line_without_length_cuts_nothing(line: np.ndarray) -> None:
    np.testing.assert_array_equal(cut(bar(), line), bar())
