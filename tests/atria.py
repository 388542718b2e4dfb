"""A left atrium of known answer for tests: an ellipsoid on a fine grid, in the layouts in use."""

import json
from dataclasses import dataclass
from math import pi
from pathlib import Path

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from engine.cine import Cine
from engine.geometry import Geometry
from engine.labelmap import LabelMap
from engine.structures import Structure
from engine.study import Origin, Patient, Provenance, Stack, StoredLabels, Study

SHAPE = (16, 40, 48)
"""Slices, rows, columns."""
SPACING_MM = 1.25


@dataclass(frozen=True)
class EllipsoidAtrium:
    """A bright ellipsoid on voxels of 1.25 mm; its size follows `sizes` over the phases."""

    radii_mm: tuple[float, float, float] = (8.0, 15.0, 20.0)  # z, y, x
    sizes: tuple[float, ...] = (1.0,)

    @property
    def geometry(self) -> Geometry:
        return Geometry.from_affine(np.diag([SPACING_MM] * 3 + [1.0]), SHAPE)

    def volume_ml(self, phase: int = 0) -> float:
        """4/3 pi abc."""
        return float(4 / 3 * pi * np.prod(self.radii_mm) * self.sizes[phase] ** 3 / 1000)

    def mask(self) -> NDArray[np.bool_]:
        """(t, z, y, x)."""
        middle = (np.array(SHAPE) - 1) / 2
        offsets = (np.indices(SHAPE).transpose(1, 2, 3, 0) - middle) * SPACING_MM
        return np.stack(
            [
                ((offsets / (np.array(self.radii_mm) * size)) ** 2).sum(axis=-1) <= 1
                for size in self.sizes
            ]
        )

    def voxels(self) -> NDArray[np.uint8]:
        """`Structure` numbers, (t, z, y, x)."""
        return (self.mask() * Structure.LEFT_ATRIUM).astype(np.uint8)

    def labels(self) -> LabelMap:
        return LabelMap(self.voxels(), self.geometry)

    def cine(self) -> Cine:
        noise = np.random.default_rng(1).integers(0, 40, (len(self.sizes), *SHAPE))
        return Cine("atrium", (self.mask() * 400 + noise).astype(np.int16), self.geometry)

    def study(self, folder: Path, *, labelled: bool = True) -> Study:
        stored = StoredLabels(
            "label.nii.gz", 0, self.labels(), Provenance(Origin.REFERENCE, source="label.nii.gz")
        )
        stack = Stack(self.cine())
        return Study(folder, Patient("LA1"), (stack,), labels=(stored,) if labelled else ())


def write_volume(path: Path, voxels: NDArray[np.generic]) -> Path:
    """Write (z, y, x) as NIfTI with the atrium's voxels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    affine = np.diag([SPACING_MM] * 3 + [1.0])
    nib.save(nib.Nifti1Image(voxels.transpose(2, 1, 0), affine), path)
    return path


def write_pair(image: Path, label: Path, *, value: int = 1) -> None:
    """Write image and mask of an atrium, the mask with one value."""
    atrium = EllipsoidAtrium()
    write_volume(image, atrium.cine().voxels[0])
    write_volume(label, (atrium.mask()[0] * value).astype(np.uint8))


def write_decathlon(folder: Path, count: int = 1, *, reverse: bool = False) -> Path:
    """Write `imagesTr`, `labelsTr` and `dataset.json` as Task02_Heart has them.

    Args:
        folder: New.
        count: Of patients.
        reverse: Name -> number, as nnU-Net writes it.
    """
    for number in range(3, 3 + count):
        name = f"case_{number:03d}.nii.gz"
        write_pair(folder / "imagesTr" / name, folder / "labelsTr" / name)
    names = {"0": "background", "1": "left atrium"}
    labels = {name: int(n) for n, name in names.items()} if reverse else names
    (folder / "dataset.json").write_text(json.dumps({"labels": labels}), encoding="utf-8")
    return folder
