"""Parts of a slice that a reader would correct, on shapes with known answers."""

import numpy as np
import pytest

from engine.scoring.corrections import parts_to_correct
from engine.structures import Structure

SPACING_MM = (1.0, 1.0)


def square(size: int, *, at: int = 20) -> np.ndarray:
    """A slice (60, 60) with a square of LV."""
    plane = np.zeros((60, 60), np.uint8)
    plane[at : at + size, at : at + size] = Structure.LV
    return plane


def test_what_is_right_needs_nothing() -> None:
    marked, count = parts_to_correct(square(10), square(10), SPACING_MM)
    assert (count, marked.any()) == (0, False)


@pytest.mark.parametrize(("band", "count"), [(1, 0), (2, 0), (3, 0), (4, 0), (5, 1), (8, 1)])
def test_a_band_as_thin_as_readers_differ_is_left_alone(band: int, count: int) -> None:
    """A band of n voxels of 1 mm has a voxel ceil(n / 2) mm deep: more than 2 mm from 5 on."""
    reference, found = square(10), square(10)
    found[20:30, 30 : 30 + band] = Structure.LV

    marked, parts = parts_to_correct(found, reference, SPACING_MM)
    assert parts == count
    assert np.count_nonzero(marked) == (10 * band if count else 0)


def test_millimetres_count_not_voxels() -> None:
    reference, found = square(10), square(10)
    found[20:30, 30:33] = Structure.LV

    assert parts_to_correct(found, reference, (1.0, 1.0))[1] == 0
    assert parts_to_correct(found, reference, (1.5, 1.5))[1] == 1


def test_each_part_counts_once_whatever_it_was_taken_for() -> None:
    reference = square(10)
    found = square(10)
    found[:8, :8] = Structure.RV
    found[50:, 50:] = Structure.MYOCARDIUM
    found[20:30, 20:30] = Structure.MYOCARDIUM

    marked, count = parts_to_correct(found, reference, SPACING_MM)
    assert count == 3
    np.testing.assert_array_equal(marked, found != reference)


def test_a_part_at_the_border_of_the_picture_is_as_thick_as_elsewhere() -> None:
    found = np.zeros((60, 60), np.uint8)
    found[:4, 10:40] = Structure.RV

    assert parts_to_correct(found, np.zeros_like(found), SPACING_MM)[1] == 0
    found[:5, 10:40] = Structure.RV
    assert parts_to_correct(found, np.zeros_like(found), SPACING_MM)[1] == 1
