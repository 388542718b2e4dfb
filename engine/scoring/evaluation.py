"""Scores of predicted label maps against reference ones."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import GridMismatchError
from engine.labelmap import LabelMap, structures_in
from engine.scoring.confusion import Confusion, pool
from engine.scoring.structure_scores import score_structures
from engine.structures import (
    MYOCARDIUM_G_PER_ML,
    SHORT_AXIS_CLASSES,
    Structure,
    classes_of,
)

HEART_CLASSES = tuple(structure.name.lower() for structure in SHORT_AXIS_CLASSES)
"""The classes of a short-axis label map by number, as files name them."""


def classes_compared(*maps: LabelMap) -> tuple[Structure, ...]:
    """The classes that count where label maps are compared, see `classes_of`."""
    return classes_of({each for labels in maps for each in structures_in(labels.voxels)})


def class_names(classes: Iterable[Structure]) -> tuple[str, ...]:
    """What files call classes: rv, myocardium, lv, left_atrium."""
    return tuple(each.name.lower() for each in classes)


def compare_labels(
    predicted: LabelMap, reference: LabelMap, *, classes: Sequence[Structure] | None = None
) -> dict[str, Any]:
    """Compare two label maps phase by phase, see `compared_phases`.

    Args:
        predicted: One map.
        reference: What it is held against.
        classes: Which are compared, the background first; else those of `classes_compared`.

    Returns:
        `{"phases": {"0": {"lv": {"dice", "hausdorff_mm", "hausdorff95_mm", "volume_ml",
        "reference_ml", ...}, ...}}, "not_predicted": [...], "mean_dice": ...}`. See
        `compare_phase`.

    Raises:
        GridMismatchError: The two do not lie on the same grid.
    """
    require_one_grid(predicted, reference)
    compared = compared_phases(predicted, reference)
    counted = classes or classes_compared(predicted, reference)
    phases = {
        str(phase): compare_phase(
            predicted.voxels[phase],
            reference.voxels[phase],
            spacing_mm=reference.geometry.spacing_mm,
            classes=counted,
        )
        for phase in compared
    }
    left_out = [phase for phase in reference.labelled_phases() if phase not in compared]
    return {"phases": phases, "not_predicted": left_out, "mean_dice": mean_dice(phases)}


def compared_phases(predicted: LabelMap, reference: LabelMap) -> list[int]:
    """The phases on which two label maps of one cine are compared, rising.

    A prediction of ED and ES says nothing about the phases between, so only phases that both
    label count. Where they share none, the prediction has missed them: then all that the
    reference labels count.
    """
    wanted = reference.labelled_phases()
    ours = set(predicted.labelled_phases())
    return [phase for phase in wanted if phase in ours] or wanted


def require_one_grid(predicted: LabelMap, reference: LabelMap) -> None:
    """Check that two label maps lie on the same voxels of the same patient.

    Raises:
        GridMismatchError: They do not.
    """
    if predicted.shape != reference.shape or not predicted.geometry.matches(reference.geometry):
        raise GridMismatchError(
            f"The prediction is {predicted.shape} voxels (t, z, y, x) and the reference "
            f"{reference.shape}, or they lie at different places in the patient.",
            hint="Compare label maps of one image only.",
        )


def confusion_of(predicted: LabelMap, reference: LabelMap) -> Confusion:
    """The pooled confusion of two label maps over `compared_phases`, of every `Structure`."""
    return pool(
        (
            Confusion.from_labels(
                predicted.voxels[phase], reference.voxels[phase], classes=len(Structure)
            )
            for phase in compared_phases(predicted, reference)
        ),
        classes=len(Structure),
    )


def compare_phase(
    predicted: NDArray[np.uint8],
    reference: NDArray[np.uint8],
    *,
    spacing_mm: tuple[float, float, float],
    classes: Sequence[Structure] = SHORT_AXIS_CLASSES,
) -> dict[str, dict[str, float | None]]:
    """Compare one phase, (z, y, x), structure by structure.

    Args:
        predicted: `Structure` numbers.
        reference: The same.
        spacing_mm: (z, y, x); z is the distance between slice centres.
        classes: Which are compared, the background first.

    Returns:
        By structure, see `StructureScores.as_json`. Distances are None where a mask is empty,
        be it one or both.
    """
    scores = score_structures(
        _numbered(predicted, classes),
        _numbered(reference, classes),
        classes=class_names(classes),
        spacing_mm=spacing_mm,
    )
    return {name: score.as_json(both_empty_mm=None) for name, score in scores.items()}


def _numbered(labels: NDArray[np.uint8], classes: Sequence[Structure]) -> NDArray[np.uint8]:
    """Labels by the place of each structure among the classes."""
    if tuple(classes) == tuple(range(len(classes))):
        return labels
    table = np.zeros(256, np.uint8)
    table[list(classes)] = np.arange(len(classes))
    return np.asarray(table[labels])


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


def quantities(
    labels_ed: NDArray[np.uint8],
    labels_es: NDArray[np.uint8],
    spacing_mm: tuple[float, float, float],
) -> dict[str, float | None]:
    """What the papers measure in a pair of phases, by slice summation.

    Args:
        labels_ed: End diastole, (z, y, x), `Structure` numbers.
        labels_es: End systole, on the same grid.
        spacing_mm: (z, y, x); z is the distance between slice centres.

    Returns:
        `lv_edv_ml`, `lv_esv_ml`, `lv_ef_percent`, the same for `rv`, and `mass_ed_g` and
        `mass_es_g` of the myocardium, 1.05 g/ml. A structure that is not drawn has volume 0; the
        ejection fraction is None without a cavity at end diastole.
    """
    voxel_ml = float(np.prod(spacing_mm)) / 1000
    at_ed_ml, at_es_ml = (
        {
            name: float(voxels) * voxel_ml
            for name, voxels in zip(
                HEART_CLASSES,
                np.bincount(labels.reshape(-1), minlength=len(Structure))[: len(HEART_CLASSES)],
                strict=True,
            )
        }
        for labels in (labels_ed, labels_es)
    )
    return quantities_of_volumes(at_ed_ml, at_es_ml)


def quantities_of_volumes(
    at_ed_ml: Mapping[str, float], at_es_ml: Mapping[str, float]
) -> dict[str, float | None]:
    """`quantities` from the volumes of `rv`, `myocardium` and `lv` in both phases [ml]."""
    values: dict[str, float | None] = {}
    for name in ("lv", "rv"):
        edv_ml, esv_ml = at_ed_ml[name], at_es_ml[name]
        values[f"{name}_edv_ml"] = edv_ml
        values[f"{name}_esv_ml"] = esv_ml
        values[f"{name}_ef_percent"] = 100 * (edv_ml - esv_ml) / edv_ml if edv_ml else None
    values["mass_ed_g"] = at_ed_ml["myocardium"] * MYOCARDIUM_G_PER_ML
    values["mass_es_g"] = at_es_ml["myocardium"] * MYOCARDIUM_G_PER_ML
    return values
