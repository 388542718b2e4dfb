"""Which slices at the base count: two published criteria, or the reader's choice.

The criteria themselves are in `engine.datasets.basal`, since slices are left out of training by
them as well. Here they decide about volumes.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from engine.datasets.basal import FULL_COVERAGE, HALF_COVERAGE, is_enclosed, myocardial_coverage
from engine.labelmap import LabelMap, SlicePlace
from engine.scoring.basal import larger_end_first
from engine.structures import Structure

Counted = NDArray[np.bool_]
"""Which slices count, (t, z)."""


class BasalRule(StrEnum):
    """Which slices at the base belong to the left ventricle."""

    READER = "reader"
    """As drawn, except those that a reader left out."""

    HALF = "half"
    """Those whose cavity has myocardium around at least 50 % of its border."""

    FULL = "full"
    """Those whose cavity is wholly enclosed by myocardium."""


@dataclass(frozen=True, slots=True)
class SliceBase:
    """How far the myocardium encloses the LV cavity on one slice.

    Attributes:
        phase: 0-based.
        slice_index: 0-based.
        coverage: Share of the cavity's border that is myocardium, 0 to 1; None where the phase
            has no myocardium at all: it was not drawn, which says nothing about the base.
        is_enclosed: Whether no way leads out of the cavity but through myocardium.
    """

    phase: int
    slice_index: int
    coverage: float | None
    is_enclosed: bool

    def meets(self, rule: BasalRule) -> bool:
        """Whether the slice counts under a rule; under the reader's it always may."""
        if self.coverage is None or rule is BasalRule.READER:
            return True
        if rule is BasalRule.HALF:
            return self.coverage >= HALF_COVERAGE
        return self.coverage >= FULL_COVERAGE and self.is_enclosed


def measure_base(
    labels: LabelMap, phase: int, slice_index: int, *, muscle_drawn: bool = True
) -> SliceBase | None:
    """The enclosure of the LV cavity on one slice; None where no LV is drawn.

    Args:
        labels: Of the study.
        phase: 0-based.
        slice_index: 0-based.
        muscle_drawn: Whether the phase has myocardium on any slice.
    """
    plane = _cut_out(labels.voxels[phase, slice_index])
    lv, muscle = plane == Structure.LV, plane == Structure.MYOCARDIUM
    if not muscle_drawn and lv.any():
        return SliceBase(phase, slice_index, None, is_enclosed=False)
    covered = myocardial_coverage(lv, muscle)
    if covered is None:
        return None
    return SliceBase(phase, slice_index, covered, is_enclosed(lv, muscle))


def measure_bases(
    labels: LabelMap, counts: NDArray[np.integer], phases: Sequence[int]
) -> dict[SlicePlace, SliceBase]:
    """`measure_base` of every slice with an LV in some phases.

    Args:
        labels: Of the study.
        counts: Their voxels, (t, z, structure), see `VoxelTally.counts`.
        phases: Which are asked about.
    """
    found = (
        measure_base(labels, phase, z, muscle_drawn=has_muscle(counts, phase))
        for phase in phases
        for z in np.flatnonzero(counts[phase, :, Structure.LV]).tolist()
    )
    return {(each.phase, each.slice_index): each for each in found if each is not None}


def has_muscle(counts: NDArray[np.integer], phase: int) -> bool:
    """Whether any myocardium is drawn in a phase; `counts` as in `measure_bases`."""
    return bool(counts[phase, :, Structure.MYOCARDIUM].any())


def _cut_out(plane: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The labelled part of a slice, (y, x): most of a large picture is background."""
    rows, columns = np.flatnonzero(plane.any(axis=1)), np.flatnonzero(plane.any(axis=0))
    if rows.size == 0:
        return plane[:0, :0]
    return plane[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def base_is_first(lv_counts: NDArray[np.integer]) -> bool:
    """Whether the base lies towards slice 0, judged on the phase with the largest LV.

    Args:
        lv_counts: Voxels of the LV, (t, z).
    """
    return larger_end_first(lv_counts[int(lv_counts.sum(axis=1).argmax())])


def counted_slices(
    lv_counts: NDArray[np.integer],
    rule: BasalRule,
    bases: dict[SlicePlace, SliceBase],
    excluded: Collection[SlicePlace] = (),
) -> Counted:
    """Which slices count for the LV and its myocardium.

    Under a criterion, slices are left out from the base on until the first that meets it: an open
    ring further down is a fault of the labels, not the base of the heart. Slices without an LV
    stay as they are drawn, so that an apical cap of muscle counts for the mass.

    Args:
        lv_counts: Voxels of the LV on each slice, (t, z).
        rule: Which one.
        bases: The enclosure of the slices of all phases that are measured; the reader's rule
            needs none.
        excluded: (phase, slice) that the reader left out; the other rules do not ask.

    Returns:
        (t, z).
    """
    counted = np.ones(lv_counts.shape, bool)
    if rule is BasalRule.READER:
        for place in excluded:
            counted[place] = False
        return counted
    step = 1 if base_is_first(lv_counts) else -1
    for phase in range(len(lv_counts)):
        for z in np.flatnonzero(lv_counts[phase])[::step].tolist():
            base = bases.get((phase, z))
            if base is None or base.meets(rule):
                break
            counted[phase, z] = False
    return counted


def basal_slices(lv_counts: NDArray[np.integer], phase: int, count: int = 3) -> list[int]:
    """The most basal slices with an LV in a phase, the base first, 0-based."""
    drawn = np.flatnonzero(lv_counts[phase]).tolist()
    return (drawn if base_is_first(lv_counts) else drawn[::-1])[:count]
