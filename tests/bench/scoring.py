"""Scoring the ED and ES volumes of 80 patients with every metric, surface distances included."""

import time

import numpy as np
from numpy.typing import NDArray

from engine.progress import run_to_end
from engine.scoring.cohort import Case, score_cohort
from engine.scoring.evaluation import HEART_CLASSES
from tests.bench.measuring import Measurement, summarise

VOLUMES = 160
TIMES = 3
_SHAPE, _SPACING_MM = (10, 256, 216), (10.0, 1.5, 1.5)  # as most of ACDC
_KINDS = 8  # hearts that are drawn; drawing all would take longer than scoring them
_SPECKLES = 5  # far off, so that there is something to clean up and every score is taken twice


def measure() -> list[Measurement]:
    """The whole test set, several times."""
    kinds = [_pair(number) for number in range(_KINDS)]
    samples = []
    for _ in range(TIMES):
        began = time.perf_counter()
        run_to_end(score_cohort(_cases(kinds), classes=HEART_CLASSES))
        samples.append(time.perf_counter() - began)
    name = f"score {VOLUMES} volumes, every metric"
    return [summarise(name, "s", samples, target_median=20.0)]


def _cases(kinds: list[tuple[NDArray[np.uint8], NDArray[np.uint8]]]) -> list[Case]:
    cases = []
    for number in range(VOLUMES):
        predicted, reference = kinds[number % len(kinds)]
        phase = ("ED", "ES")[number % 2]
        cases.append(Case(f"p{number // 2}", "G", phase, predicted, reference, _SPACING_MM))
    return cases


def _pair(seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A heart as a network labels it, ragged and with speckles, and its reference."""
    random = np.random.default_rng(seed)
    size = 1.0 if seed % 2 == 0 else 0.8  # ED and ES
    predicted, reference = _heart(random, size, 1.5), _heart(random, size, 0.0)
    slices, height, width = _SHAPE
    for _ in range(_SPECKLES):
        z, y, x = random.integers((0, 0, 0), (slices, height - 3, width - 3))
        predicted[z, y : y + 3, x : x + 3] = random.integers(1, 4)
    return predicted, reference


def _heart(random: np.random.Generator, size: float, unrest: float) -> NDArray[np.uint8]:
    """Rings beside a blob that taper to the apex; `unrest` moves their outlines [pixels]."""
    y, x = np.mgrid[: _SHAPE[1], : _SHAPE[2]]
    labels = np.zeros(_SHAPE, np.uint8)
    for z in range(1, _SHAPE[0] - 1):
        taper = size * (1 - 0.06 * z)
        down, across, turn = random.normal(0, unrest, 3)
        around = np.arctan2(y - 128, x - 120)
        from_middle = np.hypot(y - 128 - down, x - 120 - across)
        from_middle = from_middle + 2 * unrest * np.sin(9 * around + turn)
        labels[z][np.hypot((y - 125) / 1.4, x - 75 - across) < 38 * taper] = 1
        labels[z][from_middle < 42 * taper] = 2
        labels[z][from_middle < 30 * taper] = 3
    return labels
