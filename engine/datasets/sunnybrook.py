"""The converted slices of the Sunnybrook Cardiac Data (Radau et al. 2009)."""

from collections import defaultdict
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
    what is unknown is kept as unknown, see `engine.learning.losses`. Slices of ED and ES follow
    each other, so that none has its neighbour beside it.

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
    places: dict[str, list[int]] = defaultdict(list)
    for place, name in enumerate(names):
        places[str(name)].append(place)
    patients = []
    for name, chosen in places.items():
        group = "SCD-" + name.removeprefix("SC-").rsplit("-", 1)[0]  # HF-I, HF-NI, HYP or N
        possible = np.stack([_bits(labels[place]) for place in chosen])
        volume = LabelledVolume(name, images[chosen], possible, _SPACING_MM, adjacent=False)
        patients.append(LabelledPatient(name, group, (volume,)))
    return patients


def _bits(label: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Bits of one slice (y, x): outside the drawn contours the RV is always possible."""
    has_wall = bool((label == Structure.MYOCARDIUM).any())
    outside = (1 << Structure.BACKGROUND) | (1 << Structure.RV)
    if not has_wall:
        outside |= 1 << Structure.MYOCARDIUM
    bits = np.full(label.shape, outside, np.uint8)
    for structure in (Structure.MYOCARDIUM, Structure.LV):
        bits[label == structure] = 1 << structure
    return bits
