"""What a correction changed: two label maps of one image against one reference."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.labelmap import LabelMap
from engine.scoring.basal import BasalCriterion, basal_slice
from engine.scoring.evaluation import classes_compared, compare_labels, require_one_grid
from engine.scoring.overlap import dice


@dataclass(frozen=True, slots=True)
class ChangedSlice:
    """A slice that a correction touched.

    Attributes:
        phase: 0-based.
        slice: 0-based.
        voxels: How many of its voxels have another label now.
    """

    phase: int
    slice: int
    voxels: int


def changed_slices(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> tuple[ChangedSlice, ...]:
    """The slices in which two label arrays (t, z, y, x) differ, phase by phase."""
    assert before.shape == after.shape
    changed = np.count_nonzero(before != after, axis=(2, 3))  # (t, z)
    return tuple(
        ChangedSlice(int(phase), int(number), int(changed[phase, number]))
        for phase, number in np.argwhere(changed)
    )


def compare_correction(before: LabelMap, after: LabelMap, reference: LabelMap) -> dict[str, Any]:
    """Score a prediction and its correction against one reference.

    A correction need not improve every score; what it does is told as it is.

    Args:
        before: The prediction.
        after: The same after correction.
        reference: What both are held against.

    Returns:
        `{"phases": {"0": {"lv": {"before": {...}, "after": {...}, "difference": {...}}, ...}},
        "mean_dice": {"before", "after", "difference"}, "changed_slices": [{"phase", "slice",
        "voxels"}]}`; differences are after minus before, None where a side has no value. Phases
        and slices count from 0.

    Raises:
        GridMismatchError: The three do not lie on the same grid.
    """
    require_one_grid(before, reference)
    require_one_grid(after, reference)
    classes = classes_compared(before, after, reference)
    first, second = (
        compare_labels(labels, reference, classes=classes) for labels in (before, after)
    )
    phases = {
        phase: {
            name: _side_by_side(scores, second["phases"][phase][name])
            for name, scores in structures.items()
        }
        for phase, structures in first["phases"].items()
    }
    return {
        "phases": phases,
        "mean_dice": {
            "before": first["mean_dice"],
            "after": second["mean_dice"],
            "difference": _minus(second["mean_dice"], first["mean_dice"]),
        },
        "changed_slices": [asdict(part) for part in changed_slices(before.voxels, after.voxels)],
    }


def _side_by_side(
    before: Mapping[str, float | None], after: Mapping[str, float | None]
) -> dict[str, dict[str, float | None]]:
    difference = {name: _minus(after[name], value) for name, value in before.items()}
    return {"before": dict(before), "after": dict(after), "difference": difference}


def _minus(after: float | None, before: float | None) -> float | None:
    return None if after is None or before is None else after - before


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedCorrection:
    """A prediction in which bad slices were replaced by the reference. No one corrected it.

    Attributes:
        labels: (z, y, x), class numbers.
        slices: The slices replaced, 0-based.
        note: Says that the correction is simulated, and how; goes with every result.
    """

    labels: NDArray[np.uint8] = field(repr=False)
    slices: tuple[int, ...]
    note: str


def simulate_correction(
    predicted: NDArray[np.uint8],
    reference: NDArray[np.uint8],
    *,
    below: float,
    basal: BasalCriterion | None = None,
) -> SimulatedCorrection:
    """Stand in for a physician: replace slices whose Dice is low by the reference.

    Args:
        predicted: One phase, (z, y, x), class numbers.
        reference: The same shape.
        below: Slices are replaced whose mean Dice is smaller. The mean is over the classes
            that either side shows on the slice, the background left out.
        basal: Only the basal slice under this criterion; None looks at every slice.
    """
    assert predicted.shape == reference.shape
    looked_at: Sequence[int] = range(len(reference))
    where = "any slice"
    if basal is not None:
        number = basal_slice(reference, basal)
        looked_at = [] if number is None else [number]
        where = f"the basal slice (criterion: {basal.value})"
    replaced = []
    labels = predicted.copy()
    for number in looked_at:
        score = _mean_slice_dice(predicted[number], reference[number])
        if score is not None and score < below:
            labels[number] = reference[number]
            replaced.append(number)
    note = (
        "Simulated correction: the reference replaces the prediction on "
        f"{where} with a mean Dice below {below:g}. No physician was involved."
    )
    return SimulatedCorrection(labels, tuple(replaced), note)


def _mean_slice_dice(predicted: NDArray[np.uint8], reference: NDArray[np.uint8]) -> float | None:
    drawn = np.union1d(predicted, reference)
    values = [dice(predicted == number, reference == number) for number in drawn if number]
    return float(np.mean(values)) if values else None
