"""Tiny patients that a tiny network learns in seconds: discs for cavities, a ring for the wall."""

from pathlib import Path

import nibabel as nib
import numpy as np

from engine.datasets.labelled import LabelledPatient, LabelledVolume, bits_of
from engine.recipe import Recipe, change_recipe
from engine.structures import Structure

SPACING_MM = (10.0, 1.5, 1.5)
_GREY = np.array([40, 200, 90, 220])  # of background, RV, myocardium, LV


def draw_discs(scale: float, *, radius: float, seed: int, slices: int = 3) -> np.ndarray:
    """Labels (z, 48, 48): a bright disc (LV) in a dark ring (myocardium) beside a blob (RV)."""
    y, x = np.mgrid[:48, :48]
    from_middle = np.hypot(y - 24, x - 24)
    labels = np.zeros((slices, 48, 48), np.uint8)
    labels[:, np.hypot(y - 24, x - 8) < 7] = Structure.RV
    labels[:, from_middle < radius + 5] = Structure.MYOCARDIUM
    labels[:, from_middle < radius * scale] = Structure.LV
    return labels


def disc_patient(
    name: str, *, radius: float = 8.0, seed: int = 0, possible: int | None = None
) -> LabelledPatient:
    """A patient of two phases with three slices each.

    Args:
        name: Its name.
        radius: Of the cavity at ED [pixels].
        seed: Of the noise.
        possible: Bits that replace the background's, where not all is known.
    """
    random = np.random.default_rng(seed)
    volumes = []
    for phase, scale in (("ED", 1.0), ("ES", 0.7)):
        labels = draw_discs(scale, radius=radius, seed=seed)
        grey = (_GREY[labels] + random.normal(0, 4, labels.shape)).astype(np.float32)
        bits = bits_of(labels)
        if possible is not None:
            bits[bits == 1] = possible
        volumes.append(LabelledVolume(f"{name} {phase}", grey, bits, SPACING_MM, phase))
    return LabelledPatient(name, "DISC", tuple(volumes))


def disc_patients(count: int) -> list[LabelledPatient]:
    """Patients p0, p1, ... of different size."""
    return [disc_patient(f"p{n}", radius=6 + n % 4, seed=n) for n in range(count)]


def tiny_recipe(**changes: object) -> Recipe:
    """A recipe for discs; fields are changed by name, `__` for the dot: `training__epochs=3`."""
    recipe = change_recipe(
        Recipe(title="tiny"),
        {
            "network.options": {"widths": (4, 8)},
            "image.size": (32, 32),
            "image.spacing_mm": 1.5,
            "split.folds": 4,
            "training.epochs": 2,
            "training.batch": 4,
        },
    )
    return change_recipe(recipe, {name.replace("__", "."): v for name, v in changes.items()})


def write_disc_patients(folder: Path, count: int) -> Path:
    """Write `disc_patients` as NIfTI files in the layout of ACDC, for the command line."""
    z_mm, y_mm, x_mm = SPACING_MM
    for patient in disc_patients(count):
        place = folder / patient.name
        place.mkdir(parents=True)
        (place / "Info.cfg").write_text("ED: 1\nES: 2\nGroup: DISC\nNbFrame: 2\n")
        for number, volume in enumerate(patient.volumes, start=1):
            start = f"{patient.name}_frame{number:02d}"
            for name, voxels in (
                (f"{start}.nii.gz", volume.image.astype(np.int16)),
                (f"{start}_gt.nii.gz", volume.labels()),
            ):
                image = nib.Nifti1Image(voxels.transpose(2, 1, 0), np.diag([x_mm, y_mm, z_mm, 1]))
                nib.save(image, place / name)
    return folder
