"""The converted slices of the Sunnybrook Cardiac Data (Radau et al. 2009)."""

import csv
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.datasets.labelled import LabelledPatient, LabelledVolume
from engine.errors import ModelError
from engine.structures import Structure

_SPACING_MM = (10.0, 1.37, 1.37)
"""Usual spacing (z, y, x); the converted slices have lost their own."""


def read_sunnybrook(path: Path) -> list[LabelledPatient]:
    """Read the converted Sunnybrook slices: image, label, patient, index.

    The RV is never labelled there, and the myocardium only where an expert drew the epicardium:
    what is unknown is kept as unknown, see `engine.learning.losses`. Where a `manifest.csv`
    beside the file names phase and slice of each image, a patient has a volume for each phase,
    ED the one with the larger cavity; else all are one volume without neighbours.

    Args:
        path: `slices.npz`; read without unpickling.

    Raises:
        ModelError: The file is damaged or holds other arrays.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            images, labels, names = arrays["image"], arrays["label"], arrays["patient"]
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise ModelError(
            f"{path} cannot be read: {error}.",
            hint="It should be an npz file with the arrays image, label and patient.",
        ) from error
    known = _read_places(path.with_name("manifest.csv"), [str(name) for name in names])
    chosen: dict[str, list[int]] = defaultdict(list)
    for number, name in enumerate(names):
        chosen[str(name)].append(number)
    patients = []
    for name, numbers in chosen.items():
        group = "SCD-" + name.removeprefix("SC-").rsplit("-", 1)[0]  # HF-I, HF-NI, HYP or N
        stacks = _stacks(numbers, known, labels) if known else [("", numbers)]
        volumes = tuple(
            LabelledVolume(
                f"{name} {phase}".strip(),
                images[stack],
                np.stack([_bits(labels[number]) for number in stack]),
                _SPACING_MM,
                phase,
                adjacent=bool(known),
            )
            for phase, stack in stacks
        )
        patients.append(LabelledPatient(name, group, volumes))
    return patients


def _read_places(path: Path, names: Sequence[str]) -> list[tuple[int, int]]:
    """Phase and slice of each image; none where the manifest is missing or of other images."""
    if not path.is_file():
        return []
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        if [row["patient"] for row in rows] != list(names):
            return []
        return [(int(row["phase"]), int(row["slice"])) for row in rows]
    except (OSError, KeyError, ValueError, TypeError):
        return []


def _stacks(
    numbers: Sequence[int], places: Sequence[tuple[int, int]], labels: NDArray[np.integer]
) -> list[tuple[str, list[int]]]:
    """The images of one patient by phase, slices rising; ED first.

    More or fewer phases than two have no names. Slices between which one is missing are taken
    for neighbours all the same, which happens in none of the published patients.
    """
    phases: dict[int, list[int]] = defaultdict(list)
    for number in sorted(numbers, key=lambda number: places[number][1]):
        phases[places[number][0]].append(number)
    stacks = sorted(
        phases.values(), key=lambda stack: -np.count_nonzero(labels[stack] == Structure.LV)
    )
    named = ("ED", "ES") if len(stacks) == 2 else ("",) * len(stacks)
    return list(zip(named, stacks, strict=True))


_RV_REACH_MM = 90.0
"""No RV lies farther from the LV cavity: also a dilated one is no wider."""


def _bits(label: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Bits of one slice (y, x): outside the drawn contours the RV is possible, if near enough."""
    from scipy.ndimage import distance_transform_edt

    has_wall = bool((label == Structure.MYOCARDIUM).any())
    outside = (1 << Structure.BACKGROUND) | (1 << Structure.RV)
    if not has_wall:
        outside |= 1 << Structure.MYOCARDIUM
    bits = np.full(label.shape, outside, np.uint8)
    for structure in (Structure.MYOCARDIUM, Structure.LV):
        bits[label == structure] = 1 << structure
    cavity = label == Structure.LV
    if cavity.any():
        far = distance_transform_edt(~cavity, sampling=_SPACING_MM[1:]) > _RV_REACH_MM
        bits[far] = 1 << Structure.BACKGROUND
    return bits
