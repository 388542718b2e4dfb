"""Tiny hearts of known answer for tests: cylinders, whose volume is pi r^2 h."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import pi
from pathlib import Path

import numpy as np

from engine.cine import Cine
from engine.geometry import Geometry
from engine.labelmap import LabelMap
from engine.structures import Structure
from engine.study import Origin, Patient, Provenance, Stack, StoredLabels, Study


@dataclass(frozen=True)
class CylinderHeart:
    """An LV cylinder in a myocardial ring with an RV cylinder beside it, on a 4 x 6 x 64 x 64 grid.

    The cylinders fill slices `first` to `last` (included) and change radius from phase to phase.
    """

    lv_radii_mm: tuple[float, ...] = (25.0, 22.0, 18.0, 21.0)
    rv_radii_mm: tuple[float, ...] = (20.0, 18.0, 15.0, 17.0)
    epicardium_mm: float = 32.0
    pixel_mm: float = 2.0
    slice_mm: float = 9.0
    slice_count: int = 6
    first: int = 1
    last: int = 4
    size: int = 64

    @property
    def length_mm(self) -> float:
        return (self.last - self.first + 1) * self.slice_mm

    def lv_ml(self, phase: int) -> float:
        return pi * self.lv_radii_mm[phase] ** 2 * self.length_mm / 1000

    def rv_ml(self, phase: int) -> float:
        return pi * self.rv_radii_mm[phase] ** 2 * self.length_mm / 1000

    def myocardium_ml(self, phase: int) -> float:
        return pi * self.epicardium_mm**2 * self.length_mm / 1000 - self.lv_ml(phase)

    @property
    def ejection_fraction(self) -> float:
        return 1 - min(self.lv_radii_mm) ** 2 / max(self.lv_radii_mm) ** 2

    @property
    def geometry(self) -> Geometry:
        affine = np.diag([self.pixel_mm, self.pixel_mm, self.slice_mm, 1.0])
        return Geometry.from_affine(affine, (self.slice_count, self.size, self.size))

    def labels(self, phases: Sequence[int] | None = None) -> LabelMap:
        """The map of all phases, or with only some of them labelled."""
        count = len(self.lv_radii_mm)
        voxels = np.zeros((count, self.slice_count, self.size, self.size), np.uint8)
        rows, columns = np.indices((self.size, self.size))
        middle = (self.size - 1) / 2
        lv_mm = np.hypot(columns - middle - 9, rows - middle) * self.pixel_mm
        rv_mm = np.hypot(columns - middle + 18, rows - middle) * self.pixel_mm
        for phase in range(count) if phases is None else phases:
            plane = np.zeros((self.size, self.size), np.uint8)
            plane[rv_mm < self.rv_radii_mm[phase]] = Structure.RV
            plane[lv_mm < self.epicardium_mm] = Structure.MYOCARDIUM
            plane[lv_mm < self.lv_radii_mm[phase]] = Structure.LV
            voxels[phase, self.first : self.last + 1] = plane
        return LabelMap(voxels, self.geometry)

    def cine(self) -> Cine:
        """Grey values that follow the labels: blood bright, muscle dark."""
        values = np.array([20, 180, 70, 220], np.int16)
        random = np.random.default_rng(0)
        voxels = values[self.labels().voxels]
        voxels = voxels + random.normal(0, 5, voxels.shape).astype(np.int16)
        times = tuple(40.0 * phase for phase in range(len(self.lv_radii_mm)))
        return Cine("cylinders", voxels.clip(0), self.geometry, phase_times_ms=times)

    def study(self, folder: Path = Path("/nowhere/cylinders")) -> Study:
        """A study with the cylinders' stack and reference labels."""
        stack = Stack(self.cine())
        stored = StoredLabels("cylinders", 0, self.labels(), Provenance(Origin.REFERENCE))
        patient = Patient(
            identifier="cylinders", height_cm=180.0, weight_kg=80.0, heart_rate_bpm=60.0
        )
        return Study(folder, patient, (stack,), labels=(stored,))
