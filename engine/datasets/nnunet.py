"""Data sets in the folders of nnU-Net and of the Medical Segmentation Decathlon.

Both have `imagesTr`, `labelsTr` and a `dataset.json` that names the labels. nnU-Net (Isensee et
al. 2021) puts every channel into a file of its own, `case_0000`.
"""

import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.datasets.labelled import LabelledPatient, LabelledVolume
from engine.datasets.nifti_cases import Case, patient_and_phase
from engine.errors import CannotSaveError, ModelError
from engine.geometry import Geometry
from engine.io.label_values import DATASET_FILE, label_names
from engine.io.nifti import is_nifti
from engine.io.nifti_folder import stem_of
from engine.progress import Progress, Steps
from engine.tasks import TASKS

_IGNORE = "ignore"  # nnU-Net's name for pixels that are not labelled
_OWN = "heartseg"  # where we keep what nnU-Net has no place for; it passes over it
_STORED = (np.uint8, np.int16, np.uint16, np.int32, np.float32)


@dataclass(frozen=True, slots=True)
class NnunetSet:
    """What a folder holds.

    Attributes:
        cases: The files of each labelled volume.
        names: Name of a label -> its number, without the ignored one.
        unknown: Number of the ignored label, if there is one.
    """

    cases: tuple[Case, ...]
    names: Mapping[str, int]
    unknown: int | None = None


def is_nnunet(folder: Path) -> bool:
    """Whether a folder has the layout."""
    return (folder / DATASET_FILE).is_file() and (folder / "labelsTr").is_dir()


def find_nnunet(folder: Path) -> NnunetSet:
    """Find the labelled volumes of a folder and the names of their labels.

    Raises:
        ModelError: `dataset.json` is damaged, labels overlap, or images are missing.
    """
    described = _read_json(folder / DATASET_FILE)
    ending = described.get("file_ending", ".nii.gz")
    if ending not in (".nii.gz", ".nii"):
        raise ModelError(
            f"The images in {folder} are {ending} files.",
            hint="Only NIfTI is read in this layout; convert them, or give the original folders.",
        )
    names = _label_names(described.get("labels"), folder / DATASET_FILE)
    own = described.get(_OWN, {}).get("cases", {})
    labels = sorted(
        path
        for path in (folder / "labelsTr").iterdir()
        if is_nifti(path) and not path.name.startswith(".")
    )
    cases = tuple(_find_case(folder, label, own.get(stem_of(label), {})) for label in labels)
    unknown = names.pop(_IGNORE, None)
    return NnunetSet(cases, names, unknown)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{path} cannot be read: {error}.",
            hint="It should be the dataset.json of nnU-Net or the Decathlon.",
        ) from error
    if not isinstance(content, dict):
        raise ModelError(f"{path} holds no table.", hint="It should be nnU-Net's dataset.json.")
    return content


def _label_names(labels: Any, path: Path) -> dict[str, int]:
    """Name -> number, see `label_names`."""
    try:
        return label_names(labels)
    except ValueError as error:
        raise ModelError(
            f"The labels in {path} are not single numbers with names.",
            hint="Data sets with overlapping regions cannot be read; give each class one number.",
        ) from error


def _find_case(folder: Path, label: Path, own: Mapping[str, Any]) -> Case:
    name = stem_of(label)
    ending = label.name[len(name) :]
    images = sorted((folder / "imagesTr").glob(f"{_escaped(name)}_[0-9][0-9][0-9][0-9]{ending}"))
    if not images:
        images = [folder / "imagesTr" / label.name]
    if not images[0].is_file():
        raise ModelError(
            f"There is no image for the label file {label}.",
            hint=f"It should be {images[0]}, or end in _0000{ending}.",
        )
    patient, phase = patient_and_phase(name)
    return Case(
        own.get("name", name),
        own.get("patient", patient),
        tuple(images),
        label,
        own.get("phase", phase),
        own.get("group", ""),
        own.get("adjacent", True),
    )


def _escaped(name: str) -> str:
    return re.sub(r"([\[\]*?])", r"[\1]", name)


def write_nnunet(
    patients: Sequence[LabelledPatient], folder: Path, *, title: str = "HeartSeg"
) -> Steps[Path]:
    """Write patients as a raw nnU-Net data set, which `find_nnunet` reads back unchanged.

    Pixels that may be several classes become nnU-Net's `ignore`, which says less.

    Args:
        patients: Of one task.
        folder: New or empty, e.g. `nnUNet_raw/Dataset101_Heart`.
        title: Name in `dataset.json`.

    Raises:
        CannotSaveError: The folder holds something already, or cannot be written.
        ModelError: There are no patients, or they are of different tasks.
    """
    if len({patient.task for patient in patients}) != 1:
        raise ModelError(
            "A data set holds patients of one task, one or more.",
            hint="Write the patients of every task into a folder of their own.",
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CannotSaveError(
            f"{folder} exists and is not empty.",
            hint="Name a new folder; nothing is ever overwritten.",
        )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".nnunet-") as made:
            part = Path(made) / folder.name
            yield from _write_all(patients, part, title)
            if folder.exists():
                folder.rmdir()
            part.replace(folder)
    except OSError as error:
        raise CannotSaveError(
            f"The data set could not be written to {folder}: {error.strerror or error}.",
            hint="Choose a folder you may write to, with room on its disk.",
        ) from error
    return folder


def _write_all(patients: Sequence[LabelledPatient], folder: Path, title: str) -> Steps[None]:
    for name in ("imagesTr", "labelsTr"):
        (folder / name).mkdir(parents=True)
    task = TASKS[patients[0].task]
    described: dict[str, dict[str, object]] = {}
    complete = True
    for number, patient in enumerate(patients):
        yield Progress(number, len(patients), f"Writing {patient.name}")
        for volume in patient.volumes:
            case = _free_name(volume.name, described)
            described[case] = {
                "name": volume.name,
                "patient": patient.name,
                "phase": volume.phase,
                "group": patient.group,
                "adjacent": volume.adjacent,
            }
            complete &= volume.complete
            _write_volume(volume, folder, case, unknown=len(task.classes))
    labels = {name: number for number, name in enumerate(task.classes)}
    if not complete:
        labels[_IGNORE] = len(task.classes)
    channels = ["MRI"] if task.colours == 1 else ["R", "G", "B"]
    content = {
        "name": title,
        "channel_names": {str(number): name for number, name in enumerate(channels)},
        "labels": labels,
        "numTraining": len(described),
        "file_ending": ".nii.gz",
        _OWN: {"task": task.name, "cases": described},
    }
    (folder / DATASET_FILE).write_text(json.dumps(content, indent=1), encoding="utf-8")


def _free_name(name: str, taken: Mapping[str, object]) -> str:
    """The name of a case: letters, digits, hyphens and lines, and unlike every other."""
    safe = re.sub(r"[^A-Za-z0-9.-]+", "_", name).strip("_.") or "case"
    number, free = 2, safe
    while free in taken:
        number, free = number + 1, f"{safe}-{number}"
    return free


def _write_volume(volume: LabelledVolume, folder: Path, case: str, *, unknown: int) -> None:
    from engine.io.nifti_image import write_volume

    z_mm, y_mm, x_mm = volume.spacing_mm
    z, y, x = volume.possible.shape
    geometry = Geometry.from_affine(np.diag([x_mm, y_mm, z_mm, 1.0]), (z, y, x))
    image = _storable(volume.image)
    planes = [image] if image.ndim == 3 else list(np.moveaxis(image, 3, 0))
    for channel, plane in enumerate(planes):
        write_volume(folder / "imagesTr" / f"{case}_{channel:04d}.nii.gz", plane, geometry)
    labels = np.full(volume.possible.shape, unknown, np.uint8)
    for number in range(unknown):
        labels[volume.possible == 1 << number] = number
    write_volume(folder / "labelsTr" / f"{case}.nii.gz", labels, geometry)


def _storable(image: NDArray[np.generic]) -> NDArray[np.generic]:
    """The image in a type that every reader of NIfTI knows."""
    return image if image.dtype in _STORED else image.astype(np.float32)
