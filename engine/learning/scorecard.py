"""Scores of a model on the patients its training held out."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.datasets.labelled import LabelledPatient, LabelledVolume
from engine.datasets.selection import usable_slices
from engine.io.atomic_file import write_atomically
from engine.learning.checkpoint import Model
from engine.learning.patient_reading import PatientReader
from engine.learning.reading import reader_of
from engine.learning.runtime import choose_device
from engine.progress import Steps
from engine.scoring.cohort import Case, score_cohort
from engine.scoring.overlap import dice
from engine.structures import Structure

if TYPE_CHECKING:
    import torch


def score_held_out(
    model: Model, patients: Sequence[LabelledPatient], *, device: str = "auto"
) -> Steps[dict[str, Any]]:
    """Score a model on patients it was not trained on; yields after every volume.

    Every volume of the recipe's phases is labelled whole and compared on the grid it was acquired
    on, on the slices that the recipe's `data` lets take part. Volumes that are not fully labelled
    give Dice, volumes and ejection fraction of the LV cavity alone.

    Returns:
        `{"patients": [...], "summary": {...}, "cohort": {...}}`, JSON-ready. Patients have
        their scores by phase and class, and the measured and the reference ejection fraction;
        the summary is that of `summarise_scores`, the cohort that of `score_cohort`.
    """
    recipe = model.recipe
    predicted = _Predicted(model, patients, choose_device(device))
    cohort = yield from score_cohort(
        predicted, classes=recipe.task.classes, limits_factor=recipe.scoring.limits_factor
    )
    rows = _patient_rows(cohort["as_predicted"], patients, predicted.cavities)
    return {"patients": rows, "summary": summarise_scores(rows), "cohort": cohort}


class _Predicted:
    """The fully labelled volumes of some patients, each predicted when its turn comes."""

    def __init__(
        self, model: Model, patients: Sequence[LabelledPatient], device: "torch.device"
    ) -> None:
        self._reader = PatientReader(reader_of(model.network, model.recipe, device))
        self._volumes = [
            (patient, volume, slices)
            for patient in patients
            for volume in patient.volumes
            if (slices := usable_slices(volume, model.recipe.data))
        ]
        self.cavities: dict[str, dict[str, dict[str, float]]] = {}

    def __len__(self) -> int:
        return len(self._volumes)

    def __iter__(self) -> Iterator[Case]:
        for patient, volume, slices in self._volumes:
            reading = self._reader.read(patient, volume, scores=True)
            probabilities, labels = reading.scores, reading.labels
            assert probabilities is not None
            if not volume.complete:
                of_patient = self.cavities.setdefault(patient.name, {})
                phase = volume.phase or f"volume {len(of_patient) + 1}"
                of_patient[phase] = _compare_cavity(labels[slices], volume, slices)
                continue
            yield Case(
                patient.name,
                patient.group,
                volume.phase,
                labels[slices],
                volume.labels()[slices],
                volume.spacing_mm,
                probabilities[:, slices],
            )


def _patient_rows(
    block: Mapping[str, Any],
    patients: Sequence[LabelledPatient],
    cavities: Mapping[str, Mapping[str, Mapping[str, float]]],
) -> list[dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {
        p.name: {"patient": p.name, "group": p.group, "phases": {}} for p in patients
    }
    for volume in block["volumes"]:
        phases = rows[volume["patient"]]["phases"]
        name = volume["phase"] or f"volume {len(phases) + 1}"
        phases[name] = volume["scores"]
    for measured in block["patients"]:
        for quantity in ("lv_ef_percent", "rv_ef_percent"):
            both = measured.get("quantities") or {"predicted": {}, "reference": {}}
            pair = [both[side].get(quantity) for side in ("predicted", "reference")]
            if None not in pair:
                rows[measured["patient"]][quantity] = pair
    for name, phases in cavities.items():
        rows[name]["cavity"] = phases
        rows[name]["lv_dice"] = float(np.mean([phase["dice"] for phase in phases.values()]))
        if pair := _cavity_ef(phases):
            rows[name]["cavity_ef_percent"] = pair
    return list(rows.values())


def _compare_cavity(
    labels: NDArray[np.uint8], volume: LabelledVolume, slices: Sequence[int]
) -> dict[str, float]:
    """Dice and volumes of the LV cavity [ml], where nothing else is fully labelled."""
    found = labels == Structure.LV
    cavity = volume.possible[slices] == 1 << Structure.LV
    voxel_ml = float(np.prod(volume.spacing_mm)) / 1000
    return {
        "dice": dice(found, cavity),
        "volume_ml": int(np.count_nonzero(found)) * voxel_ml,
        "reference_ml": int(np.count_nonzero(cavity)) * voxel_ml,
    }


def _cavity_ef(phases: Mapping[str, Mapping[str, float]]) -> list[float]:
    """Measured and reference LV ejection fraction [%]; empty without two phases and a cavity."""
    if not {"ED", "ES"} <= set(phases):
        return []
    ends = [(phases["ED"][side], phases["ES"][side]) for side in ("volume_ml", "reference_ml")]
    if min(ed for ed, _ in ends) <= 0:
        return []
    return [100 * (ed - es) / ed for ed, es in ends]


def summarise_scores(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Means over volumes: Dice by phase and class, bias and SD of the EF error [points].

    EF errors are prediction minus reference. Volumes without a phase are put together.
    """
    cells: dict[str, list[float]] = {}
    for row in rows:
        for phase, scores in row["phases"].items():
            start = "" if phase.startswith("volume ") else f"{phase} "
            for structure, score in scores.items():
                cells.setdefault(f"{start}{structure}", []).append(score["dice"])
    full = [value for values in cells.values() for value in values]
    partial = [row["lv_dice"] for row in rows if "lv_dice" in row]
    if partial:
        cells["Sunnybrook lv"] = partial
    summary: dict[str, Any] = {"dice": {name: float(np.mean(v)) for name, v in cells.items()}}
    summary["mean_foreground_dice"] = float(np.mean(full)) if full else None
    for name in ("lv", "rv", "cavity"):
        pairs = [row[f"{name}_ef_percent"] for row in rows if f"{name}_ef_percent" in row]
        if len(pairs) >= 2:
            errors = np.subtract(*np.transpose(pairs))
            summary[f"{name}_ef_error"] = {
                "patients": len(pairs),
                "bias_points": float(errors.mean()),
                "sd_points": float(errors.std(ddof=1)),
                "mean_absolute_points": float(np.abs(errors).mean()),
            }
    return summary


def write_scores(scores: Mapping[str, Any], folder: Path) -> Path:
    """Write `scores.json` into a model folder, replacing it at once."""
    path = folder / "scores.json"
    write_atomically(path, json.dumps(scores, indent=1, allow_nan=False).encode())
    return path
