"""Patient folders in the layout of the ACDC challenge (2017).

`Info.cfg` names the end-diastolic and end-systolic frame, counted from 1; `x_4d` holds the whole
cine, `x_frameNN` single phases of it, `x_frameNN_gt` their labels.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from engine.cine import Cine
from engine.errors import UnreadableStudyError
from engine.io.finding import Finding
from engine.io.label_fit import fit_labels
from engine.io.nifti import NiftiImage, read_nifti
from engine.io.nifti_folder import stack_of, stem_of
from engine.progress import Steps
from engine.study import Patient, Problem, Stack

_FRAME = re.compile(r"^(?P<patient>.+)_frame(?P<frame>\d+)(?P<labels>_gt)?$", re.IGNORECASE)
_CINE = re.compile(r"^(?P<patient>.+)_4d$", re.IGNORECASE)


@dataclass(slots=True)
class AcdcFiles:
    """The files of one patient."""

    patient: str
    cine: Path | None = None
    frames: dict[int, Path] = field(default_factory=dict)
    labels: dict[int, Path] = field(default_factory=dict)


def is_cine_file(file: Path) -> bool:
    """Whether the name is that of a whole cine, `x_4d`."""
    return _CINE.match(stem_of(file)) is not None


def sort_out(files: Sequence[Path]) -> tuple[list[AcdcFiles], list[Path]]:
    """The patients whose files follow the layout, and the files that do not."""
    patients: dict[tuple[Path, str], AcdcFiles] = {}
    others: dict[tuple[Path, str], list[Path]] = defaultdict(list)
    for file in files:
        frame, cine = _FRAME.match(stem_of(file)), _CINE.match(stem_of(file))
        match = frame or cine
        if match is None:
            others[file.parent, ""].append(file)
            continue
        name = match["patient"]
        patient = patients.setdefault((file.parent, name), AcdcFiles(name))
        if cine:
            patient.cine = file
        elif frame and frame["labels"]:
            patient.labels[int(frame["frame"])] = file
        elif frame:
            patient.frames[int(frame["frame"])] = file
    for key, patient in list(patients.items()):
        if patient.cine is None and not patient.frames:  # labels alone are read as they are
            others[key].extend(patient.labels.values())
            del patients[key]
    return list(patients.values()), [file for group in others.values() for file in group]


def read_info(path: Path) -> dict[str, str]:
    """The `key: value` lines of an Info.cfg, keys in lower case; empty if unreadable."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    return {key.strip().lower(): value.strip() for key, value in pairs}


def read_acdc(files: AcdcFiles, info: dict[str, str]) -> Steps[Finding]:
    """Read one patient: the cine, its labels and the facts of `Info.cfg`."""
    if files.cine is not None:
        image = yield from read_nifti(files.cine)
        phases = {number: number - 1 for number in range(1, image.voxels.shape[0] + 1)}
        stack = stack_of(image, files.patient)
    else:
        stack, phases = yield from _stack_of_frames(files)
    where = str(stack.files[0].parent)
    told = [*_info_problems(info, where), *_phase_problems(files, phases, info, where)]
    stack = replace(
        stack,
        ed_phase=_phase(info, "ed", phases),
        es_phase=_phase(info, "es", phases),
        problems=(*stack.problems, *told),
    )
    labelled = [
        (path, phases[number]) for number, path in sorted(files.labels.items()) if number in phases
    ]
    fitted = yield from fit_labels(stack, 0, labelled)
    return Finding(_patient(files.patient, info), (stack,), (), fitted.labels, fitted.problems)


def _stack_of_frames(files: AcdcFiles) -> Steps[tuple[Stack, dict[int, int]]]:
    """A cine of the single frames that are there, in order of their numbers."""
    images: list[NiftiImage] = []
    for _, path in sorted(files.frames.items()):
        images.append((yield from read_nifti(path)))
    first = images[0]
    for image in images[1:]:
        if image.voxels.shape != first.voxels.shape or not image.geometry.matches(first.geometry):
            raise UnreadableStudyError(
                f"{image.file.name} does not lie on the grid of {first.file.name}.",
                hint="Both belong to one cine; export the frames again from the same source.",
            )
    numbers = sorted(files.frames)
    cine = Cine(
        files.patient,
        np.concatenate([image.voxels for image in images]),
        first.geometry,
        phase_names=tuple(f"frame {number}" for number in numbers),
    )
    problems = dict.fromkeys(problem for image in images for problem in image.problems)
    paths = tuple(image.file for image in images)
    sized = all(image.size_known for image in images)
    stack = Stack(cine, paths, problems=tuple(problems), size_known=sized)
    return stack, {number: phase for phase, number in enumerate(numbers)}


def _info_problems(info: dict[str, str], where: str) -> list[Problem]:
    """Numbers of frames that are none; frames count from 1."""
    return [
        Problem(
            f"Info.cfg gives {title} as {info[key]!r}, which is no number of a frame.",
            where,
            "It is not used. Correct Info.cfg, or choose the phase by hand.",
        )
        for key, title in (("ed", "ED"), ("es", "ES"), ("nbframe", "NbFrame"))
        if info.get(key) and _frame(info, key) is None
    ]


def _phase(info: dict[str, str], key: str, phases: dict[int, int]) -> int | None:
    number = _frame(info, key)
    return None if number is None else phases.get(number)


def _phase_problems(
    files: AcdcFiles, phases: dict[int, int], info: dict[str, str], where: str
) -> list[Problem]:
    problems = []
    for key, title in (("ed", "end-diastole"), ("es", "end-systole")):
        number = _frame(info, key)
        if number is not None and number not in phases:
            problems.append(
                Problem(
                    f"Info.cfg puts {title} at frame {number}, which is not there.",
                    where,
                    "Choose the phase by hand, or add the missing frame.",
                )
            )
    wanted = _frame(info, "nbframe")
    if files.cine is not None and wanted is not None and wanted != len(phases):
        problems.append(
            Problem(
                f"Info.cfg speaks of {wanted} frames, the cine has {len(phases)}.",
                where,
                "Check that the cine and Info.cfg belong together.",
            )
        )
    for number in sorted(set(files.labels) - set(phases)):
        problems.append(
            Problem(
                f"{files.labels[number].name} labels a frame that is not there.",
                where,
                "Add the image of that frame; the labels are not used.",
            )
        )
    return problems


def _patient(name: str, info: dict[str, str]) -> Patient:
    return Patient(
        identifier=name,
        height_cm=_number(info, "height"),
        weight_kg=_number(info, "weight"),
        group=info.get("group", ""),
    )


def _frame(info: dict[str, str], key: str) -> int | None:
    """A number of a frame, or of frames: whole and from 1 on."""
    number = _number(info, key)
    return int(number) if number is not None and number == int(number) else None


def _number(info: dict[str, str], key: str) -> float | None:
    try:
        value = float(info[key])
    except (KeyError, ValueError):
        return None
    return value if 0 < value < 1e6 else None
