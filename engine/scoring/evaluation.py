"""Scores of predicted label maps against reference ones."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import GridMismatchError
from engine.labelmap import LabelMap
from engine.scoring.distance import hausdorff95_mm, hausdorff_mm, surface_distances_mm
from engine.scoring.overlap import dice
from engine.structures import HEART_STRUCTURES, Structure


def compare_labels(predicted: LabelMap, reference: LabelMap) -> dict[str, Any]:
    """Compare two label maps on every phase that the reference labels.

    Returns:
        `{"phases": {"0": {"lv": {"dice", "hausdorff_mm", "hausdorff95_mm", "volume_ml",
        "reference_ml"}, ...}}, "mean_dice": ...}`. Distances are None where one mask is empty.

    Raises:
        GridMismatchError: The two do not lie on the same grid.
    """
    if predicted.shape != reference.shape or not predicted.geometry.matches(reference.geometry):
        raise GridMismatchError(
            f"The prediction is {predicted.shape} voxels (t, z, y, x) and the reference "
            f"{reference.shape}, or they lie at different places in the patient.",
            hint="Compare label maps of one image only.",
        )
    phases = {
        str(phase): compare_phase(
            predicted.voxels[phase],
            reference.voxels[phase],
            spacing_mm=reference.geometry.spacing_mm,
        )
        for phase in reference.labelled_phases()
    }
    return {"phases": phases, "mean_dice": mean_dice(phases)}


def compare_phase(
    predicted: NDArray[np.uint8],
    reference: NDArray[np.uint8],
    *,
    spacing_mm: tuple[float, float, float],
) -> dict[str, dict[str, float | None]]:
    """Compare one phase, (z, y, x), structure by structure."""
    voxel_ml = float(np.prod(spacing_mm)) / 1000
    scores = {}
    for structure in HEART_STRUCTURES:
        first, second = predicted == structure, reference == structure
        distances = surface_distances_mm(first, second, spacing_mm=spacing_mm)
        scores[structure.name.lower()] = {
            "dice": dice(first, second),
            "hausdorff_mm": None if distances is None else hausdorff_mm(distances),
            "hausdorff95_mm": None if distances is None else hausdorff95_mm(distances),
            "volume_ml": float(first.sum()) * voxel_ml,
            "reference_ml": float(second.sum()) * voxel_ml,
        }
    return scores


def mean_dice(phases: Mapping[str, Mapping[str, Mapping[str, float | None]]]) -> float | None:
    """Mean Dice over phases and the heart's structures; None without phases."""
    values = [
        float(score["dice"] or 0.0) for scores in phases.values() for score in scores.values()
    ]
    return float(np.mean(values)) if values else None


def ejection_fraction(
    end_diastole: NDArray[np.uint8], end_systole: NDArray[np.uint8], structure: Structure
) -> float | None:
    """(EDV - ESV) / EDV of two phases on one grid, 0 to 1; None without a cavity at ED."""
    diastole = int((end_diastole == structure).sum())
    if diastole == 0:
        return None
    return (diastole - int((end_systole == structure).sum())) / diastole
