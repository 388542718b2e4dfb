"""Scores of a model on the patients its training held out, and the table for its card."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.cine import Cine
from engine.datasets.labelled import LabelledPatient, LabelledVolume
from engine.geometry import Geometry
from engine.io.atomic_file import write_atomically
from engine.learning.checkpoint import Model
from engine.learning.inference import predict
from engine.progress import Progress, Steps
from engine.scoring.evaluation import compare_phase, ejection_fraction
from engine.scoring.overlap import dice
from engine.structures import Structure


def score_held_out(
    model: Model, patients: Sequence[LabelledPatient], *, device: str = "auto"
) -> Steps[dict[str, Any]]:
    """Score a model on patients it was not trained on.

    Fully labelled volumes give Dice per structure and phase and the error of the ejection
    fraction; volumes without RV labels give the Dice of the LV cavity.

    Returns:
        `{"patients": [...], "summary": {...}}`, JSON-ready; EF errors in percentage points,
        prediction minus reference.
    """
    rows = []
    for number, patient in enumerate(patients):
        yield Progress(number, len(patients), f"Scoring {patient.name}")
        rows.append((yield from _score_patient(model, patient, device)))
    return {"patients": rows, "summary": summarise_scores(rows)}


def _score_patient(model: Model, patient: LabelledPatient, device: str) -> Steps[dict[str, Any]]:
    row: dict[str, Any] = {"patient": patient.name, "group": patient.group, "phases": {}}
    labelled: dict[str, tuple[Any, Any]] = {}
    for volume in patient.volumes:
        prediction = yield from predict(model, _as_cine(volume), phases=(0,), device=device)
        predicted = prediction.voxels[0]
        if volume.complete:
            reference = volume.labels()
            labelled[volume.phase] = (predicted, reference)
            row["phases"][volume.phase or volume.name] = compare_phase(
                predicted, reference, spacing_mm=volume.spacing_mm
            )
        else:
            cavity = volume.possible == 1 << Structure.LV
            row["lv_dice"] = dice(predicted == Structure.LV, cavity)
    if {"ED", "ES"} <= labelled.keys():
        for structure in (Structure.LV, Structure.RV):
            ours, theirs = (
                ejection_fraction(labelled["ED"][side], labelled["ES"][side], structure)
                for side in (0, 1)
            )
            if ours is not None and theirs is not None:
                row[f"{structure.name.lower()}_ef_percent"] = [100 * ours, 100 * theirs]
    return row


def _as_cine(volume: LabelledVolume) -> Cine:
    z_mm, y_mm, x_mm = volume.spacing_mm
    depth, height, width = volume.image.shape
    geometry = Geometry.from_affine(np.diag([x_mm, y_mm, z_mm, 1.0]), (depth, height, width))
    return Cine(volume.name, volume.image[None].copy(), geometry)


def summarise_scores(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Means over patients: Dice by phase and structure, bias and SD of the EF error [points]."""
    cells: dict[str, list[float]] = {}
    for row in rows:
        for phase, scores in row["phases"].items():
            for structure, score in scores.items():
                cells.setdefault(f"{phase} {structure}", []).append(score["dice"])
        if "lv_dice" in row:
            cells.setdefault("Sunnybrook lv", []).append(row["lv_dice"])
    summary: dict[str, Any] = {"dice": {name: float(np.mean(v)) for name, v in cells.items()}}
    full = [v for name, values in cells.items() if not name.startswith("Sunny") for v in values]
    summary["mean_foreground_dice"] = float(np.mean(full)) if full else None
    for ventricle in ("lv", "rv"):
        pairs = [row[f"{ventricle}_ef_percent"] for row in rows if f"{ventricle}_ef_percent" in row]
        if len(pairs) >= 2:
            errors = np.subtract(*np.transpose(pairs))
            summary[f"{ventricle}_ef_error"] = {
                "patients": len(pairs),
                "bias_points": float(errors.mean()),
                "sd_points": float(errors.std(ddof=1)),
                "mean_absolute_points": float(np.abs(errors).mean()),
            }
    return summary


def write_scores(scores: dict[str, Any], folder: Path) -> Path:
    """Write `scores.json` into a model folder, replacing it at once."""
    path = folder / "scores.json"
    write_atomically(path, json.dumps(scores, indent=1, allow_nan=False).encode())
    return path
