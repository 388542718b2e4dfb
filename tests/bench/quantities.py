"""All quantities of a long and large cine, and what a stroke costs that must be followed."""

import time

import numpy as np

from engine.cine import Cine
from engine.clinical.basal import BasalRule
from engine.clinical.conventions import Conventions
from engine.clinical.measuring import ReaderChoices, bases_for, measure_volumes
from engine.clinical.quantities import measure_quantities
from engine.clinical.tally import VoxelTally
from engine.geometry import Geometry
from engine.labelmap import LabelMap, slice_start
from engine.structures import Structure
from engine.study import Patient, Stack
from tests.bench.measuring import Measurement, summarise

PHASES, SLICES, SIZE = 30, 12, 512
TIMES = 5
STROKES = 200
PIXEL_MM = 0.7


def measure() -> list[Measurement]:
    """Everything once; then a stroke, by the reader's rule and by a criterion."""
    labels, stack = _beating_heart()
    lines = []
    for rule in (BasalRule.READER, BasalRule.HALF):
        choices = ReaderChoices(conventions=Conventions(basal=rule))
        samples = []
        for _ in range(TIMES):
            began = time.perf_counter()
            found = measure_quantities(stack, labels, Patient(), choices)
            samples.append(time.perf_counter() - began)
        assert len(found.wall.segments) == 16
        assert found.lv_rates.ejection is not None
        name = f"all quantities {PHASES}x{SLICES}x{SIZE}x{SIZE}, rule {rule}"
        lines.append(summarise(name, "s", samples, target_median=1.0))
    return [*lines, _measure_strokes(labels, stack)]


def _measure_strokes(labels: LabelMap, stack: Stack) -> Measurement:
    """A brush mark of 13 pixels: count it, and measure both volumes and mass anew."""
    tally, choices = VoxelTally(labels), ReaderChoices()
    bases = bases_for(labels, tally.counts, BasalRule.READER)
    random = np.random.default_rng(0)
    mark = np.concatenate([np.arange(13) + SIZE * row for row in range(13)])
    samples = []
    for _ in range(STROKES):
        phase, z = int(random.integers(PHASES)), int(random.integers(2, SLICES - 2))
        corner = SIZE * int(random.integers(200, 300)) + int(random.integers(200, 300))
        patch = labels.patch_at(slice_start(labels.shape, phase, z) + corner + mark, Structure.LV)
        labels.apply(patch)
        began = time.perf_counter()
        tally.take(patch)
        measure_volumes(tally.counts, stack, choices, bases)
        samples.append(1000 * (time.perf_counter() - began))
    return summarise("live update after a stroke", "ms", samples, target_median=5.0)


def _beating_heart() -> tuple[LabelMap, Stack]:
    """Rings that taper to the apex and beat, beside an RV that clings to them."""
    rows, columns = np.indices((SIZE, SIZE)) - SIZE / 2
    away = np.hypot(rows, columns) * PIXEL_MM
    beside = np.abs(np.degrees(np.arctan2(rows, -columns))) < 60
    voxels = np.zeros((PHASES, SLICES, SIZE, SIZE), np.uint8)
    for phase in range(PHASES):
        small = 1 - 0.35 * np.sin(np.pi * phase / PHASES)
        for z in range(1, SLICES - 1):
            inner = 26 * small * (1 - 0.06 * z)
            outer = inner + 9 / small
            plane = voxels[phase, z]
            plane[(away < outer + 18 * small) & beside] = Structure.RV
            plane[away < outer] = Structure.MYOCARDIUM
            plane[away < inner] = Structure.LV
    geometry = Geometry.from_affine(np.diag([PIXEL_MM, PIXEL_MM, 10.0, 1.0]), voxels.shape[1:])
    grey = np.broadcast_to(np.int16(0), voxels.shape)
    times = tuple(30.0 * phase for phase in range(PHASES))
    return LabelMap(voxels, geometry), Stack(Cine("bench", grey, geometry, phase_times_ms=times))
