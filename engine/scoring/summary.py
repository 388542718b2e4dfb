"""Statistics of scores over the volumes and slices of a test set."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.scoring.basal import BasalCriterion, kept_slices, most_basal
from engine.scoring.structure_scores import StructureScores

Volumes = Sequence[Mapping[str, StructureScores]]

_OF_VOLUMES = (
    "dice",
    "iou",
    "precision",
    "recall",
    "specificity",
    "hausdorff_mm",
    "hausdorff95_mm",
    "mean_surface_distance_mm",
)


def statistics(values: Iterable[float | None], *, excluded: int = 0) -> dict[str, Any]:
    """Mean, SD (divisor n - 1), median and number of the values that are known.

    Args:
        values: None where there is none; those are counted as excluded.
        excluded: Values that are missing besides.

    Returns:
        `{"mean", "sd", "median", "count", "excluded"}`; None where there are too few values.
    """
    given = list(values)
    known = [value for value in given if value is not None]
    return {
        "mean": float(np.mean(known)) if known else None,
        "sd": float(np.std(known, ddof=1)) if len(known) > 1 else None,
        "median": float(np.median(known)) if known else None,
        "count": len(known),
        "excluded": excluded + len(given) - len(known),
    }


def summarise_structures(volumes: Volumes, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Statistics of every score of every class over volumes.

    Returns:
        By class: statistics of each score over volumes, those of `hausdorff_2d_mm` over all
        slices, and how many volumes have the class on one side only, or on none: `both_empty`
        (Dice 1, distance 0), `predicted_empty` and `reference_empty` (Dice 0, no distance).
    """
    summary: dict[str, dict[str, Any]] = {}
    for name in names:
        scores = [structures[name] for structures in volumes]
        rows = [score.as_json() for score in scores]
        summary[name] = {key: statistics(row[key] for row in rows) for key in _OF_VOLUMES}
        summary[name]["hausdorff_2d_mm"] = statistics(
            [value for score in scores for value in score.planes.known_mm],
            excluded=sum(score.planes.excluded for score in scores),
        )
        for side in ("both", "predicted", "reference"):
            summary[name][f"{side}_empty"] = sum(score.empty == side for score in scores)
    return summary


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceSlices:
    """What the basal criteria say about the reference of one volume.

    Attributes:
        kept: By criterion, which slices count, (z,).
        basal: By criterion, the basal slice; None where no slice with LV counts.
    """

    kept: Mapping[BasalCriterion, NDArray[np.bool_]] = field(repr=False)
    basal: Mapping[BasalCriterion, int | None]

    @classmethod
    def of(cls, reference: NDArray[np.uint8], *, gap: int = 0) -> "ReferenceSlices":
        """Judge the slices of a reference, (z, y, x), `Structure` numbers."""
        kept = {
            criterion: kept_slices(reference, criterion, gap=gap) for criterion in BasalCriterion
        }
        return cls(kept, {name: most_basal(reference, some) for name, some in kept.items()})


def summarise_basal(
    volumes: Volumes, references: Sequence[ReferenceSlices], names: Sequence[str]
) -> dict[str, Any]:
    """Scores of single slices under each basal criterion, on all that count and at the base.

    Args:
        volumes: Scores by class of each volume.
        references: The criteria's view of each, in the same order.
        names: The classes.

    Returns:
        By criterion: `slices_kept`, `slices_left_out`, `volumes_without_base`, and under
        `all_slices` and `basal_slice` by class the statistics of `dice` (slices where either
        side has the class), `recall` (where the reference has it) and `hausdorff_2d_mm`.
    """
    summary = {}
    for criterion in BasalCriterion:
        kept = [reference.kept[criterion] for reference in references]
        bases = [reference.basal[criterion] for reference in references]
        at_base = [
            np.arange(len(some)) == (-1 if base is None else base)
            for some, base in zip(kept, bases, strict=True)
        ]
        summary[criterion.value] = {
            "slices_kept": int(sum(some.sum() for some in kept)),
            "slices_left_out": int(sum((~some).sum() for some in kept)),
            "volumes_without_base": sum(base is None for base in bases),
            "all_slices": {name: _slice_statistics(volumes, kept, name) for name in names},
            "basal_slice": {name: _slice_statistics(volumes, at_base, name) for name in names},
        }
    return summary


def _slice_statistics(
    volumes: Volumes, chosen: Sequence[NDArray[np.bool_]], name: str
) -> dict[str, Any]:
    """Statistics of one class over the chosen slices of each volume, (z,) each."""
    dices: list[float] = []
    recalls: list[float] = []
    far_mm: list[float | None] = []
    for structures, some in zip(volumes, chosen, strict=True):
        score = structures[name]
        for number in np.flatnonzero(some):
            shared, predicted, reference = (
                int(counts[number]) for counts in (score.shared, score.predicted, score.reference)
            )
            if predicted + reference == 0:
                continue
            dices.append(2 * shared / (predicted + reference))
            if reference:
                recalls.append(shared / reference)
            far_mm.append(score.planes.hausdorff_mm[number])
    return {
        "dice": statistics(dices),
        "recall": statistics(recalls),
        "hausdorff_2d_mm": statistics(far_mm),
    }
