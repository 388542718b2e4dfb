"""Every score of a model over a test set, ready for a file."""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import GridMismatchError, UnmeasurableError
from engine.progress import Progress, Steps
from engine.scoring.agreement import agreement
from engine.scoring.cleaning import largest_components
from engine.scoring.confusion import Confusion, pool
from engine.scoring.evaluation import HEART_CLASSES, quantities_of_volumes
from engine.scoring.overlap import soft_dice
from engine.scoring.structure_scores import StructureScores, score_structures
from engine.scoring.summary import ReferenceSlices, summarise_basal, summarise_structures

Spacing = tuple[float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One volume of a test set with its reference.

    Attributes:
        name: The patient's. ED and ES of one patient share it.
        group: Pathology, or empty.
        phase: "ED", "ES", or anything else, or empty.
        predicted: Class numbers, (z, y, x); a picture is (1, y, x).
        reference: The same.
        spacing_mm: (z, y, x) of the grid as it was scanned.
        probabilities: Of each class, (k, z, y, x), or None where only labels are known.
    """

    name: str
    group: str
    phase: str
    predicted: NDArray[np.uint8] = field(repr=False)
    reference: NDArray[np.uint8] = field(repr=False)
    spacing_mm: Spacing
    probabilities: NDArray[np.floating] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class _Scored:
    """What is kept of a case once its arrays are gone."""

    name: str
    group: str
    phase: str
    confusion: Confusion
    structures: Mapping[str, StructureScores]


@dataclass(slots=True)
class _Tally:
    """Everything gathered on the way through the cases."""

    plain: list[_Scored] = field(default_factory=list)
    cleaned: list[_Scored] = field(default_factory=list)
    soft: dict[str, list[NDArray[np.float64]]] = field(default_factory=dict)
    basal: list[ReferenceSlices] = field(default_factory=list)


def score_cohort(
    cases: Iterable[Case],
    *,
    classes: Sequence[str],
    limits_factor: float = 1.96,
    smooth: float = 1.0,
    gap: int = 0,
) -> Steps[dict[str, Any]]:
    """Score a test set: pooled, per volume and patient, per class and phase.

    Cases are looked at one by one and may come from a generator.

    Args:
        cases: The volumes.
        classes: Names by class number, the background first. Ejection fractions, volumes, mass
            and basal slices are added for `HEART_CLASSES` alone.
        limits_factor: SDs from the bias to a limit of agreement, 1.96 or 2.
        smooth: Of the soft Dice, see `overlap.soft_dice`.
        gap: Of the basal criteria, see `basal.myocardial_coverage`.

    Returns:
        `{"classes", "volumes", "sign", "as_predicted": B, "largest_component": B}`, where
        B is, with or without the clean-up of `largest_components`,
        `{"pooled", "pooled_by_phase"}` (see `Confusion.as_json`), `"dice"` (the three kinds of
        `overlap` by class), `"by_phase"` (statistics over volumes; "all" is every phase),
        `"volumes"` (scores of each), `"patients"` (mean Dice and measured quantities),
        `"agreement"` (of each quantity, prediction minus reference) and `"basal"`.
        JSON-ready; a value that does not exist is None, never NaN.

    Raises:
        GridMismatchError: Arrays of a case do not fit each other.
        UnusableLabelsError: A label is not the number of a class.
    """
    total = len(cases) if isinstance(cases, Sized) else 0
    tally = _Tally()
    for number, case in enumerate(cases):
        yield Progress(number, total, f"Scoring {case.name} {case.phase}".rstrip())
        _add(case, tally, classes, smooth, gap)
    heart = tuple(classes) == HEART_CLASSES
    basal = tally.basal if heart else None
    plain = _block(tally.plain, classes, limits_factor, basal)
    for name, values in tally.soft.items():
        plain["dice"][name]["dice_soft_mean"] = float(np.concatenate(values).mean())
    return {
        "classes": list(classes),
        "volumes": len(tally.plain),
        "sign": "prediction minus reference",
        "as_predicted": plain,
        "largest_component": _block(tally.cleaned, classes, limits_factor, basal),
    }


def _add(case: Case, tally: _Tally, classes: Sequence[str], smooth: float, gap: int) -> None:
    plain = _score(case, case.predicted, classes)
    tally.plain.append(plain)
    tally.cleaned.append(_score_cleaned(case, plain, classes))
    for name, values in _soft_dice(case, classes, smooth):
        tally.soft.setdefault(name, []).append(values)
    if tuple(classes) == HEART_CLASSES:
        tally.basal.append(ReferenceSlices.of(case.reference, gap=gap))


def _score_cleaned(case: Case, plain: _Scored, classes: Sequence[str]) -> _Scored:
    """The scores after the clean-up, which takes voxels away: an equal number means no change."""
    cleaned = largest_components(case.predicted)
    left = np.bincount(cleaned[cleaned > 0], minlength=len(classes))
    same = {
        name: plain.structures[name]
        for number, name in enumerate(classes[1:], start=1)
        if left[number] == plain.structures[name].predicted.sum()
    }
    return plain if len(same) == len(classes) - 1 else _score(case, cleaned, classes, same)


def _score(
    case: Case,
    predicted: NDArray[np.uint8],
    classes: Sequence[str],
    known: Mapping[str, StructureScores] | None = None,
) -> _Scored:
    structures = score_structures(
        predicted, case.reference, classes=classes, spacing_mm=case.spacing_mm, known=known
    )
    confusion = Confusion.from_labels(predicted, case.reference, classes=len(classes))
    return _Scored(case.name, case.group, case.phase, confusion, structures)


def _soft_dice(
    case: Case, classes: Sequence[str], smooth: float
) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """By class, the soft Dice of every slice, (z,)."""
    if case.probabilities is None:
        return
    wanted = (len(classes), *case.reference.shape)
    if case.probabilities.shape != wanted:
        raise GridMismatchError(
            f"The probabilities of {case.name} are {case.probabilities.shape}, not {wanted} "
            "(class, z, y, x).",
            hint="Give one probability per class and voxel, the background included.",
        )
    for number, name in enumerate(classes[1:], start=1):
        truth = case.reference == number
        yield name, soft_dice(case.probabilities[number], truth, smooth=smooth)


def _block(
    scored: Sequence[_Scored],
    classes: Sequence[str],
    limits_factor: float,
    basal: Sequence[ReferenceSlices] | None,
) -> dict[str, Any]:
    phases = sorted({case.phase for case in scored if case.phase})
    chosen = {"all": list(scored)} | {
        phase: [case for case in scored if case.phase == phase] for phase in phases
    }
    pooled = {
        phase: pool((case.confusion for case in some), classes=len(classes))
        for phase, some in chosen.items()
    }
    by_phase = {
        phase: summarise_structures([case.structures for case in some], classes[1:])
        for phase, some in chosen.items()
    }
    block: dict[str, Any] = {
        "pooled": pooled["all"].as_json(classes),
        "pooled_by_phase": {phase: pooled[phase].as_json(classes) for phase in phases},
        "dice": {
            name: {
                "dice_pooled_hard": scores.dice,
                "dice_soft_mean": None,
                "dice_per_volume": by_phase["all"][name]["dice"]["mean"],
            }
            for name, scores in zip(classes[1:], pooled["all"].per_class()[1:], strict=True)
        },
        "by_phase": by_phase,
        "volumes": [_volume_row(case) for case in scored],
        "patients": _patient_rows(scored, measured=basal is not None),
    }
    if basal is not None:
        block["agreement"] = _agreement(block["patients"], limits_factor)
        block["basal"] = summarise_basal([c.structures for c in scored], basal, classes[1:])
    return block


def _volume_row(case: _Scored) -> dict[str, Any]:
    return {
        "patient": case.name,
        "group": case.group,
        "phase": case.phase,
        "scores": {name: score.as_json() for name, score in case.structures.items()},
    }


def _patient_rows(scored: Sequence[_Scored], *, measured: bool) -> list[dict[str, Any]]:
    """By patient: mean Dice over structures and volumes, and what was measured on either side."""
    rows = []
    for name in dict.fromkeys(case.name for case in scored):
        volumes = [case for case in scored if case.name == name]
        values = [score.dice for case in volumes for score in case.structures.values()]
        row: dict[str, Any] = {
            "patient": name,
            "group": volumes[0].group,
            "mean_dice": float(np.mean(values)),
        }
        if measured:
            row["quantities"] = _measure(volumes)
        rows.append(row)
    return rows


def _measure(volumes: Sequence[_Scored]) -> dict[str, dict[str, float | None]] | None:
    """What a patient's ED and ES measure on either side; None where one of them is missing."""
    found = [case for case in volumes if case.phase in ("ED", "ES")]
    by_phase = {case.phase: case for case in found}
    if len(by_phase) < len(found):
        raise UnmeasurableError(
            f"{volumes[0].name} has more than one volume at ED or at ES.",
            hint="Give each patient a name of its own, and each phase once.",
        )
    if len(by_phase) < 2:
        return None
    return {
        side: quantities_of_volumes(
            *(
                {
                    name: float(getattr(scores, side).sum()) * scores.voxel_ml
                    for name, scores in by_phase[phase].structures.items()
                }
                for phase in ("ED", "ES")
            )
        )
        for side in ("predicted", "reference")
    }


def _agreement(patients: Sequence[Mapping[str, Any]], limits_factor: float) -> dict[str, Any]:
    measured = [row["quantities"] for row in patients if row["quantities"]]
    if not measured:
        return {}
    return {
        name: agreement(
            [both["predicted"][name] for both in measured],
            [both["reference"][name] for both in measured],
            limits_factor=limits_factor,
        ).as_json()
        for name in measured[0]["reference"]
    }
