"""Two readings of one study side by side: prediction, readers, reference, in any pair."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from engine.labelmap import LabelMap
from engine.scoring.distance import SliceDistances, score_surfaces, slice_distances
from engine.scoring.evaluation import classes_compared, require_one_grid
from engine.structures import Structure
from engine.study import Origin, StoredLabels


class Difference(IntEnum):
    """What two readings say about a voxel: the codes of a difference map."""

    SAME = 0
    ONLY_FIRST = 1  # a structure in the first, background in the second
    ONLY_SECOND = 2
    OTHER = 3  # a structure in both, but not the same


@dataclass(frozen=True, slots=True)
class SliceDifference:
    """One structure on one slice, or in one phase, in two readings.

    Attributes:
        phase: 0-based.
        slice_index: 0-based; None for a whole phase.
        structure: Which.
        dice: 2|A and B| / (|A| + |B|); 1 where both are empty.
        hausdorff_mm: Largest distance of the outlines in the plane [mm], in a phase that of the
            surfaces in space; None where a reading has none of the structure.
        first_ml: Volume in the first reading, area times the distance of slice centres [ml].
        second_ml: The same in the second.
    """

    phase: int
    slice_index: int | None
    structure: Structure
    dice: float
    hausdorff_mm: float | None
    first_ml: float
    second_ml: float

    @property
    def difference_ml(self) -> float:
        """Second minus first [ml]."""
        return self.second_ml - self.first_ml


@dataclass(frozen=True, slots=True)
class ReadingComparison:
    """How two readings differ.

    Attributes:
        phases: The phases that were compared, 0-based: those that both label, else all that one
            of them labels.
        slices: By phase, slice and structure, where either has the structure.
        totals: By phase and structure.
    """

    phases: tuple[int, ...]
    slices: tuple[SliceDifference, ...]
    totals: tuple[SliceDifference, ...]

    def worst_first(self) -> list[SliceDifference]:
        """The slices with the largest difference in ml first; equal ones by their Dice."""
        return sorted(self.slices, key=lambda row: (-abs(row.difference_ml), row.dice))


def name_reading(stored: StoredLabels) -> str:
    """What to call stored labels in a comparison: who made them."""
    made = stored.provenance
    if made.origin is Origin.REFERENCE:
        return "Reference"
    if made.origin is Origin.PREDICTED:
        return f"Prediction ({made.model})" if made.model else "Prediction"
    approved = stored.review.approval
    reader = made.corrected_by or ("" if approved is None else approved.reader)
    if stored.review.is_second_reading:
        reader = f"{reader}, second reading" if reader else "Second reading"
    return reader or stored.name


def compare_readings(
    first: LabelMap, second: LabelMap, *, phases: Sequence[int] | None = None
) -> ReadingComparison:
    """Compare two label maps of one cine, slice by slice and structure by structure.

    Args:
        first: One reading.
        second: The other.
        phases: Which are compared, 0-based; None for those that both label, or if there are none,
            all that either does.

    Raises:
        GridMismatchError: They do not lie on the same grid.
    """
    require_one_grid(first, second)
    ours, theirs = set(first.labelled_phases()), set(second.labelled_phases())
    chosen = sorted(ours & theirs or ours | theirs) if phases is None else list(phases)
    structures = classes_compared(first, second)[1:]
    slices: list[SliceDifference] = []
    totals: list[SliceDifference] = []
    for phase in chosen:
        for structure in structures:
            masks = (first.voxels[phase] == structure, second.voxels[phase] == structure)
            slices += _compare_slices(phase, structure, masks, first)
            totals.append(_compare_whole(phase, structure, masks, first))
    slices.sort(key=lambda row: (row.phase, row.slice_index or 0, row.structure))
    return ReadingComparison(tuple(chosen), tuple(slices), tuple(totals))


_Masks = tuple[NDArray[np.bool_], NDArray[np.bool_]]


def _compare_slices(
    phase: int, structure: Structure, masks: _Masks, labels: LabelMap
) -> list[SliceDifference]:
    voxel_ml = labels.geometry.voxel_ml
    first, second, both = (
        np.count_nonzero(mask, axis=(1, 2)) for mask in (*masks, masks[0] & masks[1])
    )
    planes: SliceDistances = slice_distances(*masks, spacing_mm=labels.geometry.spacing_mm)
    return [
        SliceDifference(
            phase,
            z,
            structure,
            2 * float(both[z]) / float(first[z] + second[z]),
            planes.hausdorff_mm[z],
            float(first[z]) * voxel_ml,
            float(second[z]) * voxel_ml,
        )
        for z in np.flatnonzero(first + second).tolist()
    ]


def _compare_whole(
    phase: int, structure: Structure, masks: _Masks, labels: LabelMap
) -> SliceDifference:
    sizes = [float(np.count_nonzero(mask)) for mask in masks]
    shared = float(np.count_nonzero(masks[0] & masks[1]))
    surfaces = score_surfaces(*masks, spacing_mm=labels.geometry.spacing_mm)
    return SliceDifference(
        phase,
        None,
        structure,
        2 * shared / sum(sizes) if sum(sizes) else 1.0,
        None if surfaces is None else surfaces.hausdorff_mm,
        *(size * labels.geometry.voxel_ml for size in sizes),
    )


def difference_map(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Where two readings differ: `Difference` codes, uint8 of the same shape as both.

    Args:
        first: `Structure` numbers, any shape.
        second: The same shape.
    """
    assert first.shape == second.shape
    codes = np.full(first.shape, Difference.SAME, np.uint8)
    differ = first != second
    codes[differ] = Difference.OTHER
    codes[differ & (second == Structure.BACKGROUND)] = Difference.ONLY_FIRST
    codes[differ & (first == Structure.BACKGROUND)] = Difference.ONLY_SECOND
    return codes
