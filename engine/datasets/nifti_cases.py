"""NIfTI images with label files, as labelled volumes; the numbers are translated by the caller."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.datasets.labelled import LabelledPatient, LabelledVolume, everything
from engine.errors import GridMismatchError, ModelError
from engine.io.geometry_guard import check_label_grid
from engine.io.nifti import NOT_NUMBERS, NiftiImage, read_labels, read_nifti
from engine.io.nifti_folder import pair_files
from engine.progress import Steps
from engine.study import Problem

_PHASE = re.compile(r"^(?P<patient>.+?)_(?P<phase>ED|ES|frame\d+)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Case:
    """The files of one volume.

    Attributes:
        name: Patient and phase.
        patient: Whose it is.
        images: One file, or one for each colour.
        label: The label file.
        phase: `ED`, `ES` or empty.
        group: Of the patient.
        adjacent: Whether slices that follow each other are neighbours.
    """

    name: str
    patient: str
    images: tuple[Path, ...]
    label: Path
    phase: str = ""
    group: str = ""
    adjacent: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class RawVolume:
    """One volume with the numbers of its source.

    Attributes:
        case: Its files.
        image: (z, y, x) or (z, y, x, 3).
        numbers: (z, y, x), as in the label file.
        spacing_mm: (z, y, x) [mm].
    """

    case: Case
    image: NDArray[np.generic] = field(repr=False)
    numbers: NDArray[np.generic] = field(repr=False)
    spacing_mm: tuple[float, float, float]


def patient_and_phase(name: str) -> tuple[str, str]:
    """Patient and phase by a name such as `patient001_ED` or `patient001_frame01`."""
    match = _PHASE.match(name)
    if match is None:
        return name, ""
    phase = match["phase"].upper()
    return match["patient"], phase if phase in ("ED", "ES") else ""


def find_pairs(files: Sequence[Path]) -> list[Case]:
    """Cases by the names of files in one folder, such as `x.nii.gz` with `x_gt.nii.gz`."""
    cases = []
    for pair in pair_files(files)[0]:
        if pair.labels:
            patient, phase = patient_and_phase(pair.name)
            cases.append(Case(pair.name, patient, (pair.image,), pair.labels[0], phase))
    return cases


def find_folders(folders: Sequence[Path]) -> list[Case]:
    """Cases by folders that each hold one image and its label, named by the folder."""
    cases = []
    for folder in folders:
        files = sorted(path for path in folder.iterdir() if path.is_file())
        for pair in pair_files(files)[0]:
            if pair.labels:
                cases.append(Case(folder.name, folder.name, (pair.image,), pair.labels[0]))
    return cases


def read_case(case: Case) -> Steps[RawVolume]:
    """Read the files of one volume.

    Raises:
        ModelError: There is more than one phase in a file, or voxels are not numbers.
        GridMismatchError: Labels or colours do not lie where the image lies.
        UnreadableStudyError: A file is damaged.
    """
    channels: list[NiftiImage] = []
    for file in case.images:
        channels.append((yield from read_nifti(file)))
    first = channels[0]
    label = yield from read_labels(case.label, first.geometry)
    for image in channels:
        refuse_not_numbers(image.problems, image.file.parent)
    for image in (*channels, label):
        if image.voxels.shape[0] != 1:
            raise ModelError(
                f"{image.file} holds {image.voxels.shape[0]} phases or channels, where one is "
                "expected.",
                hint="Put every phase into a file of its own, and every colour into files "
                "called _0000, _0001 and _0002.",
            )
        for problem in check_label_grid(image.geometry, first.geometry, where=str(image.file)):
            raise GridMismatchError(f"{image.file.name}: {problem.what}", hint=problem.hint)
    if first.colour is not None:
        voxels: NDArray[np.generic] = first.colour[0]
    elif len(channels) == 1:
        voxels = first.voxels[0]
    else:
        voxels = np.stack([image.voxels[0] for image in channels], axis=-1)
    return RawVolume(case, voxels, label.voxels[0], first.geometry.spacing_mm)


def refuse_not_numbers(problems: Sequence[Problem], folder: Path) -> None:
    """Refuse images with NaN, which was read as 0.

    Args:
        problems: What `read_nifti` said of the images.
        folder: Where their files lie.

    Raises:
        ModelError: There is any.
    """
    for problem in problems:
        if NOT_NUMBERS in problem.what:
            raise ModelError(
                f"{folder / problem.where} holds voxels that {NOT_NUMBERS}.",
                hint="Check the program that wrote it, or take the file away.",
            )


def translate(
    raw: RawVolume, numbers: Mapping[int, int], *, task: str, unknown: int | None = None
) -> LabelledVolume:
    """Turn the numbers of a data set into bits of our classes.

    Args:
        raw: What was read.
        numbers: Number in the file -> class of the task.
        task: See `engine.tasks`.
        unknown: Number that stands for "not labelled", if there is one.

    Raises:
        ModelError: The file holds other numbers.
    """
    found = np.unique(raw.numbers)
    foreign = [n for n in found.tolist() if n not in numbers and n != unknown]
    if foreign:
        listed = ", ".join(f"{number:g}" for number in foreign[:6])
        known = ", ".join(str(number) for number in sorted(numbers))
        raise ModelError(
            f"{raw.case.label} holds labels that are not known there: {listed}.",
            hint=f"The labels of this data set are {known}; number them so, or name them in a "
            "dataset.json, as nnU-Net has it.",
        )
    possible = np.empty(raw.numbers.shape, np.uint8)
    for number in found.tolist():
        bits = everything(task) if number not in numbers else 1 << numbers[number]
        possible[raw.numbers == number] = bits
    case = raw.case
    return LabelledVolume(
        case.name, raw.image, possible, raw.spacing_mm, case.phase, adjacent=case.adjacent
    )


def as_patients(
    volumes: Sequence[tuple[Case, LabelledVolume]], *, task: str
) -> list[LabelledPatient]:
    """Put the volumes of each patient together."""
    belonging: dict[str, list[tuple[Case, LabelledVolume]]] = defaultdict(list)
    for case, volume in volumes:
        belonging[case.patient].append((case, volume))
    return [
        LabelledPatient(name, own[0][0].group, tuple(volume for _, volume in own), task)
        for name, own in belonging.items()
    ]
