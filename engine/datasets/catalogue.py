"""Where labelled patients come from, and the translation of each data set's own numbers."""

import logging
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.datasets.labelled import LabelledPatient, LabelledVolume, bits_of
from engine.errors import HeartSegError, ModelError
from engine.io.study_folder import read_study
from engine.progress import Progress, Steps
from engine.structures import Structure
from engine.study import Origin, Study

_SUNNYBROOK_SPACING_MM = (10.0, 1.37, 1.37)
"""Usual spacing of the Sunnybrook data (z, y, x); the converted slices have lost their own."""

_SLICES = "slices.npz"

_log = logging.getLogger(__name__)

LABELS_OF: dict[str, dict[int, Structure]] = {
    "acdc": {n: Structure(n) for n in range(4)},
    "mnms": {
        0: Structure.BACKGROUND,
        1: Structure.LV,
        2: Structure.MYOCARDIUM,
        3: Structure.RV,
    },
    "ukbb": {
        0: Structure.BACKGROUND,
        1: Structure.LV,
        2: Structure.MYOCARDIUM,
        4: Structure.RV,
    },
}
"""Number in a data set -> structure. M&Ms and the UK Biobank code count the LV as 1."""


def read_labelled(folder: Path) -> Steps[list[LabelledPatient]]:
    """Read every labelled patient of a folder.

    Takes a patient folder that `read_study` understands, a folder of such folders (also below a
    folder `training`, as ACDC has it), and the converted Sunnybrook slices (`slices.npz`). What
    cannot be read is left out and named in the log.

    Raises:
        ModelError: Nothing labelled was found.
    """
    patients: list[LabelledPatient] = []
    places = _places(folder)
    for number, place in enumerate(places):
        yield Progress(number, len(places), f"Reading {place.name}")
        if place.name == _SLICES:
            patients.extend(read_sunnybrook(place))
            continue
        try:
            study = yield from read_study(place)
        except HeartSegError as error:
            _log.warning("%s is left out: %s", place.name, error.what)
            continue
        patients.extend(_take_labelled(study, place.name))
    if not patients:
        raise ModelError(
            f"No labelled patients were found in {folder}.",
            hint="Give a folder of patient folders with label files beside the images.",
        )
    return patients


def _places(folder: Path) -> list[Path]:
    """Patient folders and `slices.npz` files, in a fixed order."""
    if (folder / _SLICES).is_file():
        return [folder / _SLICES]
    if (folder / "training").is_dir():
        folder = folder / "training"
    below = sorted(path for path in folder.iterdir() if path.is_dir())
    files = any(path.is_file() and not path.name.startswith(".") for path in folder.iterdir())
    return [folder] if files or not below else below


def _take_labelled(study: Study, name: str) -> Iterator[LabelledPatient]:
    """The reference labels of a study as one patient; nothing where there are none."""
    volumes = []
    for stored in study.labels:
        if stored.provenance.origin is not Origin.REFERENCE:
            continue
        stack = study.stacks[stored.stack]
        for phase in stored.labels.labelled_phases():
            key = {stack.ed_phase: "ED", stack.es_phase: "ES"}.get(phase, "")
            volumes.append(
                LabelledVolume(
                    f"{name} {key or f'phase {phase + 1}'}",
                    stack.cine.voxels[phase],
                    bits_of(stored.labels.voxels[phase]),
                    stack.cine.geometry.spacing_mm,
                    key,
                )
            )
    if volumes:
        yield LabelledPatient(name, study.patient.group, tuple(volumes))


def read_sunnybrook(path: Path) -> list[LabelledPatient]:
    """Read the converted Sunnybrook slices: image, label, patient, index.

    The RV is never labelled there, and the myocardium only where an expert drew the epicardium:
    what is unknown is kept as unknown, see `engine.learning.losses`.

    Args:
        path: `slices.npz`; read without unpickling.
    """
    with np.load(path, allow_pickle=False) as arrays:
        images, labels, names = arrays["image"], arrays["label"], arrays["patient"]
    places: dict[str, list[int]] = defaultdict(list)
    for place, name in enumerate(names):
        places[str(name)].append(place)
    patients = []
    for name, chosen in places.items():
        group = "SCD-" + name.removeprefix("SC-").rsplit("-", 1)[0]  # HF-I, HF-NI, HYP or N
        possible = np.stack([_sunnybrook_bits(labels[place]) for place in chosen])
        volume = LabelledVolume(name, images[chosen], possible, _SUNNYBROOK_SPACING_MM)
        patients.append(LabelledPatient(name, group, (volume,)))
    return patients


def _sunnybrook_bits(label: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Bits of one slice (y, x): outside the drawn contours the RV is always possible."""
    has_wall = bool((label == Structure.MYOCARDIUM).any())
    outside = (1 << Structure.BACKGROUND) | (1 << Structure.RV)
    if not has_wall:
        outside |= 1 << Structure.MYOCARDIUM
    bits = np.full(label.shape, outside, np.uint8)
    for structure in (Structure.MYOCARDIUM, Structure.LV):
        bits[label == structure] = 1 << structure
    return bits
