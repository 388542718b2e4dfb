"""Surfaces of one phase, of a whole beat, and of what a stroke changed."""

import time

import numpy as np
from numpy.typing import NDArray

from engine.geometry import Geometry
from engine.labelmap import LabelMap
from engine.mesh.beat import nearest_first
from engine.mesh.colouring import thickness_mm
from engine.mesh.shaping import surface, surfaces
from engine.mesh.soundness import soundness
from engine.progress import run_to_end
from engine.structures import HEART_STRUCTURES, Structure
from tests.bench.measuring import Measurement, summarise

_SHAPES = {"256x256x12": (12, 256, 256), "512x512x12": (12, 512, 512)}
_FIELD_MM = 360.0
_PHASES = 30
_TIMES = 15
_CHECKS = 5
_BEATS = 3


def measure() -> list[Measurement]:
    """Every shape; the targets are those of the smaller one."""
    found = []
    for name, shape in _SHAPES.items():
        wanted = name == "256x256x12"
        labels = _beating(shape)
        found.append(_measure_phases(name, labels, 80.0 if wanted else None))
        found += _measure_beats(name, labels, 3.0 if wanted else None)
    return [*found, *_measure_checks(_beating(_SHAPES["256x256x12"]))]


def _measure_phases(name: str, labels: LabelMap, target_ms: float | None) -> Measurement:
    samples = []
    for number in range(_TIMES + 1):
        phase = number % _PHASES
        began = time.perf_counter()
        run_to_end(surfaces(labels.voxels[phase], labels.geometry, HEART_STRUCTURES))
        samples.append(1000 * (time.perf_counter() - began))
    return summarise(f"3 surfaces of a phase, {name}", "ms", samples[1:], target_median=target_ms)


def _measure_beats(name: str, labels: LabelMap, target_s: float | None) -> list[Measurement]:
    whole, first = [], []
    for _ in range(_BEATS):
        began = time.perf_counter()
        for number, phase in enumerate(nearest_first(_PHASES, 4)):
            run_to_end(surfaces(labels.voxels[phase], labels.geometry, HEART_STRUCTURES))
            if not number:
                first.append(time.perf_counter() - began)
        whole.append(time.perf_counter() - began)
    return [
        summarise(f"{_PHASES} phases x 3, {name}", "s", whole, target_median=target_s),
        summarise(f"until the first of them, {name}", "s", first, target_median=1.0),
    ]


def _measure_checks(labels: LabelMap) -> list[Measurement]:
    """What is computed from surfaces."""
    wall, cavity = (
        surface(labels.voxels[0], labels.geometry, structure)
        for structure in (Structure.MYOCARDIUM, Structure.LV)
    )
    assert wall is not None
    assert cavity is not None
    thick, sound = [], []
    for _ in range(_CHECKS):
        began = time.perf_counter()
        thickness_mm(wall, cavity)
        thick.append(1000 * (time.perf_counter() - began))
        began = time.perf_counter()
        soundness(wall, 1.0)
        sound.append(1000 * (time.perf_counter() - began))
    return [
        summarise("wall thickness of a surface", "ms", thick),
        summarise("soundness of a surface", "ms", sound),
    ]


def _beating(shape: tuple[int, int, int]) -> LabelMap:
    """A heart of usual size that contracts and relaxes."""
    geometry = Geometry.from_affine(
        np.diag([_FIELD_MM / shape[2], _FIELD_MM / shape[1], 10.0, 1.0]), shape
    )
    squeezed = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_PHASES) / _PHASES)
    return LabelMap(np.stack([_heart(geometry, float(each)) for each in squeezed]), geometry)


def _heart(geometry: Geometry, squeezed: float) -> NDArray[np.uint8]:
    z, y, x = np.ogrid[tuple(slice(n) for n in geometry.shape)]
    _, row_mm, column_mm = geometry.spacing_mm
    taper = np.sqrt(np.clip(1 - ((z - 1) / 9.5) ** 2, 0, 1)) * (z >= 1)
    away_mm = np.hypot(
        (y - 0.5 * geometry.shape[1]) * row_mm, (x - 0.55 * geometry.shape[2]) * column_mm
    )
    beside_mm = np.hypot(
        (y - 0.5 * geometry.shape[1]) * row_mm, (x - 0.47 * geometry.shape[2]) * column_mm
    )
    labels = np.zeros(geometry.shape, np.uint8)
    labels[beside_mm < (40 - 8 * squeezed) * taper] = Structure.RV
    labels[away_mm < (36 - 2 * squeezed) * taper] = Structure.MYOCARDIUM
    labels[away_mm < (26 - 9 * squeezed) * taper * (z < 9)] = Structure.LV
    return labels
