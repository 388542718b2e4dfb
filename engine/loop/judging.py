"""What a model is worth on the locked patients: Dice, millilitres, ejection fractions, the base."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.datasets.labelled import LabelledPatient, LabelledVolume
from engine.errors import ModelError
from engine.progress import Progress, Steps
from engine.scoring.agreement import Agreement, agreement
from engine.scoring.basal import base_comes_first
from engine.scoring.corrections import parts_to_correct
from engine.scoring.evaluation import ejection_fraction
from engine.scoring.overlap import dice
from engine.structures import HEART_STRUCTURES, Structure

if TYPE_CHECKING:
    from engine.learning.checkpoint import Model

BASAL_SLICES = 2
"""Slices at the base of the reference LV that are scored apart."""
_VENTRICLES = (Structure.LV, Structure.RV)


@dataclass(frozen=True, slots=True)
class JudgedPatient:
    """How a model did on one patient.

    Attributes:
        name: The patient.
        dice: Mean over the phases, by structure.
        error_ml: Absolute error of the volume, mean over the phases, by structure [ml].
        ef_percent: Predicted and reference ejection fraction, by ventricle [%]; without what
            cannot be computed.
        basal_dice: Mean over structures and the basal slices; None without an LV.
        slices: Slices on which there is or should be something.
        to_correct: Parts of these slices that a reader would correct, see
            `engine.scoring.corrections`.
    """

    name: str
    dice: Mapping[Structure, float]
    error_ml: Mapping[Structure, float]
    ef_percent: Mapping[Structure, tuple[float, float]]
    basal_dice: float | None
    slices: int
    to_correct: int


@dataclass(frozen=True, slots=True)
class Judgement:
    """How a model did on the locked patients.

    Attributes:
        model: Its name.
        weights: SHA-256 of its weights.
        patients: In the order of the locked patients.
    """

    model: str
    weights: str
    patients: tuple[JudgedPatient, ...] = field(repr=False)

    def of_patients(self, name: str) -> list[float | None]:
        """A measure of each patient, see `PER_PATIENT`; None where a patient has none."""
        return [_PER_PATIENT[name](patient) for patient in self.patients]

    def mean(self, name: str) -> float | None:
        """Mean of a measure over the patients that have it."""
        known = [value for value in self.of_patients(name) if value is not None]
        return float(np.mean(known)) if known else None

    def ef_error(self, ventricle: Structure) -> Agreement | None:
        """Agreement of the ejection fractions [points]; None for fewer than two patients."""
        pairs = [p.ef_percent[ventricle] for p in self.patients if ventricle in p.ef_percent]
        if len(pairs) < 2:
            return None
        return agreement([found for found, _ in pairs], [true for _, true in pairs])

    @property
    def corrections_per_100(self) -> float | None:
        """Corrections that a reader would make on 100 slices with heart; None without slices."""
        slices = sum(patient.slices for patient in self.patients)
        return 100 * sum(p.to_correct for p in self.patients) / slices if slices else None

    def as_json(self) -> dict[str, Any]:
        """What a history keeps: the figures of the set, and of each patient."""
        figures: dict[str, Any] = {name: self.mean(name) for name in PER_PATIENT}
        for ventricle in _VENTRICLES:
            error = self.ef_error(ventricle)
            if error is not None:
                figures[f"{ventricle.name.lower()}_ef"] = {
                    "bias_points": error.bias,
                    "sd_points": error.sd,
                    "low_points": error.lower_limit,
                    "high_points": error.upper_limit,
                }
        return {
            "model": self.model,
            "weights": self.weights,
            "patients": len(self.patients),
            "corrections_per_100_slices": self.corrections_per_100,
            **figures,
            "each": {
                p.name: {name: _PER_PATIENT[name](p) for name in PER_PATIENT} for p in self.patients
            },
        }


def _dice_of(structure: Structure) -> Any:
    return lambda patient: patient.dice.get(structure)


def _error_of(structure: Structure) -> Any:
    return lambda patient: patient.error_ml.get(structure)


_PER_PATIENT: Mapping[str, Any] = {
    **{f"dice_{s.name.lower()}": _dice_of(s) for s in HEART_STRUCTURES},
    **{f"error_ml_{s.name.lower()}": _error_of(s) for s in HEART_STRUCTURES},
    "basal_dice": lambda patient: patient.basal_dice,
}
PER_PATIENT = tuple(_PER_PATIENT)
"""Measures of each patient: Dice and volume error of every structure, and Dice at the base."""


def judge(
    model: "Model", patients: Sequence[LabelledPatient], *, device: str = "auto"
) -> Steps[Judgement]:
    """Label the locked patients with a model and compare.

    Args:
        model: For the short axis.
        patients: Fully labelled; volumes that are not are left out.
        device: auto, cpu or cuda.

    Raises:
        ModelError: The model is for something else, or nobody is fully labelled.
    """
    from engine.learning.patient_reading import PatientReader
    from engine.learning.reading import reader_of
    from engine.learning.runtime import choose_device

    if model.recipe.task.name != "short_axis":
        raise ModelError(
            f"{model.entry.name} finds other things: {model.recipe.task.title.lower()}.",
            hint="Only models of the short axis are judged by volumes and ejection fractions.",
        )
    reader = PatientReader(reader_of(model.network, model.recipe, choose_device(device)))
    judged = []
    for number, patient in enumerate(patients):
        pairs = []
        for volume in patient.volumes:
            if volume.complete:
                doing = f"Judging {model.entry.name} on {patient.name} {volume.phase}"
                yield Progress(number, len(patients), doing)
                pairs.append((volume, reader.read(patient, volume).labels))
        if pairs:
            judged.append(judge_patient(patient.name, pairs))
    if not judged:
        raise ModelError(
            "Nobody of the locked patients is fully labelled.",
            hint="Lock patients away whose LV, RV and myocardium are all labelled.",
        )
    return Judgement(model.entry.name, model.hash, tuple(judged))


def judge_patient(
    name: str, pairs: Sequence[tuple[LabelledVolume, NDArray[np.uint8]]]
) -> JudgedPatient:
    """Compare the labels of a patient's volumes with the reference.

    Args:
        name: The patient.
        pairs: Fully labelled volumes, each with what was predicted, (z, y, x).
    """
    overlaps: dict[Structure, list[float]] = {each: [] for each in HEART_STRUCTURES}
    errors: dict[Structure, list[float]] = {each: [] for each in HEART_STRUCTURES}
    basal: list[float] = []
    slices = to_correct = 0
    for volume, found in pairs:
        reference, voxel_ml = volume.labels(), float(np.prod(volume.spacing_mm)) / 1000
        for each in HEART_STRUCTURES:
            mine, theirs = found == each, reference == each
            overlaps[each].append(dice(mine, theirs))
            counts = int(np.count_nonzero(mine)), int(np.count_nonzero(theirs))
            errors[each].append(abs(counts[0] - counts[1]) * voxel_ml)
        basal += [_slice_dice(found[z], reference[z]) for z in basal_slices(reference)]
        drawn = [z for z in range(len(found)) if found[z].any() or reference[z].any()]
        slices += len(drawn)
        to_correct += sum(
            parts_to_correct(found[z], reference[z], volume.spacing_mm[1:])[1] for z in drawn
        )
    return JudgedPatient(
        name,
        {each: float(np.mean(values)) for each, values in overlaps.items()},
        {each: float(np.mean(values)) for each, values in errors.items()},
        _fractions(pairs),
        float(np.mean(basal)) if basal else None,
        slices,
        to_correct,
    )


def basal_slices(reference: NDArray[np.uint8]) -> list[int]:
    """The `BASAL_SLICES` slices at the base of the LV of a labelled phase (z, y, x)."""
    with_lv = np.flatnonzero((reference == Structure.LV).any(axis=(1, 2))).tolist()
    order = with_lv if base_comes_first(reference) else with_lv[::-1]
    return order[:BASAL_SLICES]


def _slice_dice(found: NDArray[np.uint8], reference: NDArray[np.uint8]) -> float:
    """Mean Dice over the structures that one of the two shows."""
    values = [
        dice(found == each, reference == each)
        for each in HEART_STRUCTURES
        if (found == each).any() or (reference == each).any()
    ]
    return float(np.mean(values))


def _fractions(
    pairs: Sequence[tuple[LabelledVolume, NDArray[np.uint8]]],
) -> dict[Structure, tuple[float, float]]:
    phases = {volume.phase: (found, volume.labels()) for volume, found in pairs}
    if not {"ED", "ES"} <= set(phases):
        return {}
    fractions = {}
    for ventricle in _VENTRICLES:
        both = [
            ejection_fraction(phases["ED"][side], phases["ES"][side], ventricle) for side in (0, 1)
        ]
        if both[0] is not None and both[1] is not None:
            fractions[ventricle] = (100 * both[0], 100 * both[1])
    return fractions
