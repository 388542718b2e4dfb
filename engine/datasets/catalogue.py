"""Where labelled patients come from, and the translation of each data set's own numbers."""

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.datasets.generated import is_phantom_folder, read_phantom_folder
from engine.datasets.labelled import LabelledPatient, LabelledVolume, bits_of, class_table
from engine.datasets.nifti_cases import (
    Case,
    RawVolume,
    as_patients,
    find_folders,
    find_pairs,
    read_case,
    refuse_not_numbers,
    translate,
)
from engine.datasets.nnunet import find_nnunet, is_nnunet
from engine.datasets.pictures import is_clinicdb, is_lgg_patient, read_clinicdb, read_lgg
from engine.datasets.sunnybrook import read_sunnybrook
from engine.errors import GridMismatchError, HeartSegError, ModelError, UnreadableStudyError
from engine.io.geometry_guard import FOREIGN_VALUES
from engine.io.label_values import DATASET_FILE, LABELS_OF, task_of_names
from engine.io.nifti import is_nifti
from engine.io.study_folder import read_study
from engine.labelmap import structures_in
from engine.progress import Progress, Steps
from engine.spelling import nearest
from engine.structures import Structure
from engine.study import Origin, StoredLabels, Study
from engine.tasks import TASKS

_SLICES = "slices.npz"
_MNMS_LABELS = re.compile(r"_sa(_e[ds])?_gt\.nii(\.gz)?$", re.IGNORECASE)

_log = logging.getLogger(__name__)


def read_labelled(
    folder: Path, *, task: str | None = None, numbering: str | None = None
) -> Steps[list[LabelledPatient]]:
    """Read every labelled patient of a folder.

    Takes a patient folder that `read_study` understands, a folder of such folders (also below a
    folder `training`, as ACDC has it), phantoms that `heartseg phantom` wrote, NIfTI files with
    label files beside them, folders that hold one image and one label each (as the left atria
    of the 2018 challenge), nnU-Net and Decathlon folders, the converted Sunnybrook slices
    (`slices.npz`), LGG brain slices (`kaggle_3m`) and CVC-ClinicDB (`PNG`). Files and patients
    that cannot be read are left out and named in the log; labels with an unknown meaning end the
    reading.

    Args:
        folder: Where they lie.
        task: What the labels mean, where the folder does not tell; see `engine.tasks`.
        numbering: A name from `LABELS_OF`, where the folder does not tell.

    Raises:
        ModelError: Nothing labelled was found, or labels have numbers that are not known.
    """
    patients = yield from _read_layout(folder, task, numbering)
    if not patients:
        raise ModelError(
            f"No labelled patients were found in {folder}.",
            hint="Give a folder of patient folders with label files beside the images.",
        )
    return patients


def _read_layout(
    folder: Path, task: str | None, numbering: str | None
) -> Steps[list[LabelledPatient]]:
    if (folder / _SLICES).is_file():
        return read_sunnybrook(folder / _SLICES)
    if is_nnunet(folder):
        return (yield from _read_nnunet(folder))
    for place in (folder, folder / "PNG"):
        if is_clinicdb(place):
            return (yield from read_clinicdb(place))
    root = folder / "kaggle_3m" if (folder / "kaggle_3m").is_dir() else folder
    slides = [path for path in (root, *_folders_in(root)) if is_lgg_patient(path)]
    if slides:
        return (yield from _read_each(slides))
    cases = _find_cases(folder)
    if cases:
        return (yield from _read_cases(cases, task, numbering))
    return (yield from _read_patient_folders(folder, numbering))


def _folders_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir())


def _read_each(folders: Sequence[Path]) -> Steps[list[LabelledPatient]]:
    patients = []
    for number, place in enumerate(folders):
        yield Progress(number, len(folders), f"Reading {place.name}")
        patients.append((yield from read_lgg(place)))
    return patients


def _read_nnunet(folder: Path) -> Steps[list[LabelledPatient]]:
    found = find_nnunet(folder)
    task, numbers = classes_by_name(found.names, where=folder / DATASET_FILE)
    raws = yield from _read_raw(found.cases)
    volumes = [
        (raw.case, translate(raw, numbers, task=task, unknown=found.unknown)) for raw in raws
    ]
    return as_patients(volumes, task=task)


def classes_by_name(names: Mapping[str, int], *, where: Path) -> tuple[str, dict[int, int]]:
    """The task that has classes of these names, and number -> class.

    Args:
        names: Name of a label -> its number in the files.
        where: The file that gives the names.

    Raises:
        ModelError: No task has them all.
    """
    found = task_of_names(names)
    if found is not None:
        return found
    tasks = "; ".join(f"{task.name}: {', '.join(task.classes)}" for task in TASKS.values())
    raise ModelError(
        f"{where} names labels that fit no task: {', '.join(names)}.",
        hint=f"Rename them there. Tasks and their classes are {tasks}.",
    )


def _find_cases(folder: Path) -> list[Case]:
    """NIfTI images with their label files: in one folder for many, or in a folder for each."""
    if (folder / "imagesTr").is_dir() and (folder / "labelsTr").is_dir():
        parts = [folder / "imagesTr", folder / "labelsTr"]
        return find_pairs([file for part in parts for file in _nifti_files(part)])
    cases = find_pairs(_nifti_files(folder))
    if len({case.patient for case in cases}) > 1:
        return cases
    below = _folders_in(folder)
    if not _nifti_files(folder) and below and all(map(_holds_one_image, below)):
        return find_folders(below)
    return find_folders([folder]) if _holds_one_image(folder) else []


def _nifti_files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if is_nifti(p) and not p.name.startswith("."))


def _holds_one_image(folder: Path) -> bool:
    """Whether the NIfTI files of a folder are `image` and `label`."""
    return {path.name.split(".")[0].lower() for path in _nifti_files(folder)} == {"image", "label"}


def _read_raw(cases: Sequence[Case]) -> Steps[list[RawVolume]]:
    raws = []
    for number, case in enumerate(cases):
        yield Progress(number, len(cases), f"Reading {case.name}")
        try:
            raws.append((yield from read_case(case)))
        except (GridMismatchError, UnreadableStudyError) as error:
            _log.warning("%s is left out: %s", case.name, error.what)
    return raws


def _read_cases(
    cases: Sequence[Case], task: str | None, numbering: str | None
) -> Steps[list[LabelledPatient]]:
    """Read NIfTI cases; without a word on it, labels 0 and 1 alone are the left atrium."""
    raws = yield from _read_raw(cases)
    if numbering is None:
        single = all(_is_single(raw.numbers) for raw in raws)
        if task not in (None, "short_axis") or (task is None and single):
            numbering = "left_atrium"
        else:
            numbering = "mnms" if _are_mnms([raw.case.label for raw in raws]) else "acdc"
    numbers = _numbers_of(numbering)
    if task is None:
        task = "left_atrium" if numbering == "left_atrium" else "short_axis"
    volumes = [(raw.case, translate(raw, numbers, task=task)) for raw in raws]
    return as_patients(volumes, task=task)


def _is_single(numbers: NDArray[np.generic]) -> bool:
    return bool(np.isin(numbers, (0, 1, 255)).all())


def _are_mnms(labels: Sequence[Path]) -> bool:
    return bool(labels) and all(_MNMS_LABELS.search(path.name) for path in labels)


def _numbers_of(numbering: str) -> dict[int, int]:
    if numbering not in LABELS_OF:
        raise ModelError(
            f"There is no numbering {numbering!r}{nearest(numbering, LABELS_OF)}.",
            hint=f"Known are: {', '.join(LABELS_OF)}.",
        )
    return LABELS_OF[numbering]


def _read_patient_folders(folder: Path, numbering: str | None) -> Steps[list[LabelledPatient]]:
    patients: list[LabelledPatient] = []
    left_out: list[str] = []
    places = _places(folder)
    for number, place in enumerate(places):
        yield Progress(number, len(places), f"Reading {place.name}")
        if is_phantom_folder(place):
            patients.append((yield from read_phantom_folder(place)))
            continue
        try:
            study = yield from read_study(place)
        except HeartSegError as error:
            left_out.append(f"{place.name} is left out: {error.what}")
            continue
        _look_at_problems(study)
        patients.extend(_take_labelled(study, place.name, numbering))
    if left_out and not patients:
        raise ModelError(
            f"No labelled patients were found in {folder}: {left_out[0]}",
            hint="Give a folder of patient folders with label files beside the images.",
        )
    for said in left_out:
        _log.warning(said)
    return patients


def _look_at_problems(study: Study) -> None:
    """Log what is wrong with a study.

    Raises:
        ModelError: Labels have numbers whose meaning is not known.
    """
    for problem in study.problems:
        if FOREIGN_VALUES in problem.what:
            raise ModelError(f"{problem.where}: {problem.what}", hint=problem.hint)
        if problem.blocking:
            _log.warning("%s: %s", problem.where, problem.what)


def _places(folder: Path) -> list[Path]:
    """Patient folders, in a fixed order."""
    if (folder / "training").is_dir():
        folder = folder / "training"
    below = _folders_in(folder)
    files = any(path.is_file() and not path.name.startswith(".") for path in folder.iterdir())
    return [folder] if files or not below else below


def _take_labelled(study: Study, name: str, numbering: str | None) -> Iterator[LabelledPatient]:
    """The reference labels of a study as one patient; nothing where there are none."""
    volumes = []
    wanted = [each for each in study.labels if each.provenance.origin is Origin.REFERENCE]
    task = _task_of(wanted)
    for stored in wanted:
        table = _table_of(stored, numbering, task)
        stack = study.stacks[stored.stack]
        refuse_not_numbers(stack.problems, study.folder)
        for phase in stored.labels.labelled_phases():
            key = {stack.ed_phase: "ED", stack.es_phase: "ES"}.get(phase, "")
            volumes.append(
                LabelledVolume(
                    f"{name} {key or f'phase {phase + 1}'}",
                    stack.cine.voxels[phase],
                    bits_of(table[stored.labels.voxels[phase]]),
                    stack.cine.geometry.spacing_mm,
                    key,
                )
            )
    if volumes:
        yield LabelledPatient(name, study.patient.group, tuple(volumes), task)


def _task_of(labels: Sequence[StoredLabels]) -> str:
    """The left atrium where nothing else is labelled; beside ventricles it is background."""
    alone = [frozenset(structures_in(each.labels.voxels)) for each in labels]
    return "left_atrium" if set().union(*alone) == {Structure.LEFT_ATRIUM} else "short_axis"


def _table_of(stored: StoredLabels, numbering: str | None, task: str) -> NDArray[np.uint8]:
    """Class of each number 0 to 255 that a label map, read as structures, can hold."""
    if task == "left_atrium":
        return class_table(task)
    if numbering is None:
        numbering = "mnms" if _are_mnms(stored.files) else "acdc"
    table = np.zeros(256, np.uint8)
    for number, label in _numbers_of(numbering).items():
        table[number] = label
    return table
