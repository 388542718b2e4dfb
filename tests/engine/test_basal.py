"""How much myocardium surrounds the cavity, on synthetic slices of known coverage."""

import numpy as np
import pytest
from scipy.ndimage import binary_dilation

from engine.scoring.basal import (
    BasalCriterion,
    basal_slice,
    base_comes_first,
    is_enclosed,
    kept_slices,
    meets,
    myocardial_coverage,
)
from engine.structures import Structure

SIZE = 80


def slice_with(
    radius: float,
    *,
    covered: float = 1.0,
    phase: float = 0.0,
    stretch: float = 1.0,
) -> tuple[np.ndarray, np.ndarray]:
    """An elliptic cavity whose myocardium fills a sector: `covered` of the full angle."""
    rows, columns = np.indices((SIZE, SIZE)) - (SIZE - 1) / 2 - 0.37
    distance = np.hypot(rows, columns / stretch)
    angle = (np.arctan2(rows, columns / stretch) - phase) % (2 * np.pi)
    cavity = distance <= radius
    wall = (distance > radius) & (distance <= radius + 5)
    return cavity, wall & (angle < 2 * np.pi * covered)


def mean_coverage(radius: float, covered: float, *, stretch: float = 1.0) -> float:
    values = [
        myocardial_coverage(
            *slice_with(radius, covered=covered, phase=2 * np.pi * step / 13, stretch=stretch)
        )
        for step in range(13)
    ]
    return float(np.mean([value for value in values if value is not None]))


@pytest.mark.parametrize("radius", [3, 6, 14, 25])
@pytest.mark.parametrize("covered", [0.25, 0.5, 0.75, 1.0])
def test_r3_5_a_sector_covers_its_share_at_every_size(radius: int, covered: float) -> None:
    assert mean_coverage(radius, covered) == pytest.approx(covered, abs=0.006)


def test_r3_5_an_ellipse_is_covered_by_its_arc() -> None:
    assert mean_coverage(14, 0.5, stretch=1.5) == pytest.approx(0.5, abs=0.006)
    assert mean_coverage(14, 0.75, stretch=1.5) == pytest.approx(0.751, abs=0.01)


@pytest.mark.parametrize(("width", "coverage"), [(1, 0.9875), (4, 0.95)])
def test_r3_5_a_slit_opens_the_wall_and_lowers_the_coverage(width: int, coverage: float) -> None:
    """The cavity's ring has about 80 pixels here, so that each pixel of slit costs 1/80."""
    cavity, wall = slice_with(12.0)
    middle = SIZE // 2
    wall[:middle, middle : middle + width] = False
    found = myocardial_coverage(cavity, wall)

    assert found == pytest.approx(coverage, abs=0.004)
    assert not is_enclosed(cavity, wall)
    assert not meets(BasalCriterion.FULL, cavity, wall)
    assert meets(BasalCriterion.HALF, cavity, wall)


def test_r3_5_a_papillary_muscle_in_the_cavity_does_not_count() -> None:
    cavity, wall = slice_with(14.0)
    middle = SIZE // 2
    cavity[middle : middle + 3, middle : middle + 3] = False
    background_hole = myocardial_coverage(cavity, wall)
    wall[middle : middle + 3, middle : middle + 3] = True
    muscle_hole = myocardial_coverage(cavity, wall)

    assert background_hole == muscle_hole == 1.0
    assert is_enclosed(cavity, wall)


def test_r3_5_a_gap_between_contours_is_bridged_only_when_asked() -> None:
    cavity, wall = slice_with(14.0)
    _, half_wall = slice_with(14.0, covered=0.5)
    drawn_apart = ~binary_dilation(cavity, np.ones((3, 3)))  # leaves out the pixels that touch
    wall, half_wall = wall & drawn_apart, half_wall & drawn_apart

    assert myocardial_coverage(cavity, wall) == 0.0
    assert myocardial_coverage(cavity, wall, gap=1) == 1.0
    assert myocardial_coverage(cavity, half_wall, gap=1) == pytest.approx(0.518, abs=0.02)


def test_r3_5_widening_the_myocardium_overestimates_small_cavities() -> None:
    """By about 0.11 at 3 pixels radius and 0.03 at 14, so that it is off for label maps."""

    def excess(radius: float) -> float:
        values = []
        for step in range(13):
            masks = slice_with(radius, covered=0.5, phase=2 * np.pi * step / 13)
            wide, plain = (myocardial_coverage(*masks, gap=gap) for gap in (1, 0))
            assert wide is not None
            assert plain is not None
            values.append(wide - plain)
        return float(np.mean(values))

    assert excess(3) == pytest.approx(0.11, abs=0.03)
    assert excess(14) == pytest.approx(0.03, abs=0.015)


def test_r3_5_without_lv_the_criterion_says_nothing_and_keeps_the_slice() -> None:
    cavity, wall = slice_with(10.0)

    assert myocardial_coverage(cavity & False, wall) is None
    assert all(meets(criterion, cavity & False, wall) for criterion in BasalCriterion)


def test_a_cavity_at_the_edge_of_the_image_is_open_there() -> None:
    cavity, wall = np.zeros((10, 10), bool), np.zeros((10, 10), bool)
    cavity[:4, 3:6] = True
    wall[:5, 2:7] = True
    wall &= ~cavity
    found = myocardial_coverage(cavity, wall)

    assert found is not None
    assert found < 1
    assert not is_enclosed(cavity, wall)


def heart(coverages: list[float], radii: list[float]) -> np.ndarray:
    """(z, y, x) labels; a radius of 0 leaves a slice without LV."""
    labels = np.zeros((len(radii), SIZE, SIZE), np.uint8)
    for plane, covered, radius in zip(labels, coverages, radii, strict=True):
        if radius:
            cavity, wall = slice_with(radius, covered=covered)
            plane[wall], plane[cavity] = Structure.MYOCARDIUM, Structure.LV
    return labels


def test_r3_5_the_two_criteria_keep_different_slices() -> None:
    labels = heart([1, 0.3, 0.7, 1, 1, 1], [0, 20, 19, 17, 12, 6])

    assert kept_slices(labels, BasalCriterion.HALF).tolist() == [
        True,
        False,
        True,
        True,
        True,
        True,
    ]
    assert kept_slices(labels, BasalCriterion.FULL).tolist() == [
        *[True, False, False, True, True, True]
    ]
    assert basal_slice(labels, BasalCriterion.HALF) == 2
    assert basal_slice(labels, BasalCriterion.FULL) == 3


def test_r3_5_the_base_is_found_at_either_end_of_the_stack() -> None:
    """The LV may lie at one end of the stack; only the slices that show it are compared."""
    labels = heart([1, 1, 1, 0.7, 1, 1, 1, 1, 1], [0, 0, 0, 20, 18, 14, 11, 8, 6])

    assert base_comes_first(labels)
    assert not base_comes_first(labels[::-1])
    assert basal_slice(labels, BasalCriterion.HALF) == 3
    assert basal_slice(labels[::-1], BasalCriterion.HALF) == 5
    assert basal_slice(labels[::-1], BasalCriterion.FULL) == 4


def test_where_no_slice_counts_there_is_no_basal_slice() -> None:
    assert basal_slice(heart([0.2, 0.2], [10, 8]), BasalCriterion.HALF) is None
    assert basal_slice(np.zeros((3, 8, 8), np.uint8), BasalCriterion.FULL) is None
