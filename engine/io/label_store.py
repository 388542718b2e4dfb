"""Keeps the label maps that HeartSeg itself makes, beside the images but never in their place.

A map is two files: `labels.nii.gz`, which every program can read, and `labels.json`, which says
who made it, what it belongs to and how the first file must look (its SHA-256).
"""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import (
    CannotSaveError,
    GridMismatchError,
    HeartSegError,
    UnreadableStudyError,
    UnusableLabelsError,
)
from engine.io.atomic_file import write_atomically
from engine.io.geometry_guard import check_label_grid, check_label_values, has_blocking
from engine.io.label_fit import as_structures, distinct, origin_of
from engine.io.nifti import is_nifti, read_labels, writing_labels
from engine.labelmap import LabelMap
from engine.progress import Progress, Steps
from engine.study import Origin, Problem, Provenance, Stack, StoredLabels, Study

STORE_FOLDER = "heartseg"
"""Name of the folder beside the images; never read as images."""

_SCHEMA = 1
_PROGRAM = "HeartSeg"
_FILES_NAMED = 4


@dataclass(frozen=True, slots=True)
class StoreNote:
    """The content of a `labels.json`.

    Attributes:
        sha256: Of the label file.
        stack: Name of the stack.
        shape: Its number of voxels (t, z, y, x).
        files: Names of its first image files.
        provenance: Who made the labels.
    """

    sha256: str
    stack: str
    shape: tuple[int, ...]
    files: tuple[str, ...]
    provenance: Provenance = field(default_factory=Provenance)

    def belongs_to(self, stack: Stack) -> bool:
        """Whether the labels were made on this stack."""
        return (
            self.stack == stack.cine.name
            and self.shape == stack.cine.shape
            and set(self.files) <= {file.name for file in stack.files}
        )


def save_labels(
    study: Study,
    stack: int,
    labels: LabelMap,
    provenance: Provenance,
    *,
    path: Path | None = None,
) -> Steps[StoredLabels]:
    """Write a label map, all of it or nothing.

    Args:
        study: The study, as it was read.
        stack: Index of the stack that the labels lie on.
        labels: The map.
        provenance: Who made it.
        path: Where to, `.nii` or `.nii.gz`; None for the folder `heartseg` beside the images.

    Returns:
        The labels as they are now stored.

    Raises:
        CannotSaveError: The place cannot be written to, or holds a file that is not ours.
        GridMismatchError: The labels do not lie on the stack.
    """
    target = study.stacks[stack]
    path = path or default_place(study, stack)
    yield Progress(0, 3, f"Saving {path.name}")
    if labels.shape != target.cine.shape or not labels.geometry.matches(target.cine.geometry):
        raise GridMismatchError(
            f"The labels do not lie on the image {target.cine.name}.",
            hint="Open the image they were made on and save from there.",
        )
    _refuse_foreign(path, study)
    copy = labels.copy()  # what is written must not change meanwhile
    yield Progress(1, 3, f"Saving {path.name}")
    # A first name, so that after a power cut the note and the labels can still be told to match.
    waiting = path.with_name(f".new-{path.name}")
    try:
        yield from writing_labels(waiting, copy)
        yield Progress(2, 3, f"Saving {path.name}")
        note = _note_text(_sha256(waiting), target, provenance)
        write_atomically(_next_note(path), note)
        _move(waiting, path)
        _move(_next_note(path), note_path(path))
    finally:
        for left in (waiting, _next_note(path)):
            if left.exists():
                left.unlink()
    return StoredLabels(path.name, stack, copy, provenance, (path, note_path(path)))


def default_place(study: Study, stack: int) -> Path:
    """Where the labels of a stack are kept: a file in the folder `heartseg` of the study.

    A name that is taken by the labels of another stack is left alone.
    """
    alone = study.folder.is_file()
    folder = (study.folder.parent if alone else study.folder) / STORE_FOLDER
    target = study.stacks[stack]
    stem = f"{_plain(study.folder.name)}_labels" if alone else "labels"
    names = [stem, f"{stem}_{_plain(target.cine.name)}"]
    names += [f"{names[1]}_{number}" for number in range(2, 100)]
    for name in names[1:] if stack > 0 and not alone else names:
        path = folder / f"{name}.nii.gz"
        if not path.exists() or _holds_labels_of(target, path):
            return path
    return folder / f"{names[0]}.nii.gz"


def note_path(labels: Path) -> Path:
    """The `.json` that belongs to a label file."""
    return labels.with_name(re.sub(r"\.nii(\.gz)?$", "", labels.name) + ".json")


def read_note(labels: Path) -> StoreNote:
    """The note beside a label file.

    Raises:
        UnreadableStudyError: There is none, or it is damaged.
    """
    return _parse(note_path(labels))


def load_labels(path: Path, stack: Stack, *, index: int = 0) -> Steps[StoredLabels]:
    """Read a label file for a stack, whoever made it.

    Args:
        path: (x, y, z, t) NIfTI, or (x, y, z) where the stack has one phase.
        stack: The stack it must lie on.
        index: The index of that stack in its study.

    Raises:
        UnreadableStudyError: The file cannot be read.
        GridMismatchError: It has another grid or other phases than the stack.
        UnusableLabelsError: Its values are no structures.
    """
    if not path.is_file() or not is_nifti(path):
        raise UnreadableStudyError(
            f"{path} is no label file.", hint="Give a NIfTI file (.nii or .nii.gz)."
        )
    image = yield from read_labels(path, stack.cine.geometry)
    for problem in check_label_grid(image.geometry, stack.cine.geometry, where=path.name):
        raise GridMismatchError(f"{path.name}: {problem.what}", hint=problem.hint)
    if image.voxels.shape[0] != stack.cine.phase_count:
        raise GridMismatchError(
            f"{path.name} has {image.voxels.shape[0]} phases, the image {stack.cine.phase_count}.",
            hint="Give labels for all phases (x, y, z, t); unlabelled phases may be 0.",
        )
    found = check_label_values(distinct(image.voxels), where=path.name)
    if has_blocking(found):
        raise UnusableLabelsError(f"{path.name}: {found[0].what}", hint=found[0].hint)
    provenance = _trusted_provenance(path) or Provenance(origin_of(path), source=str(path))
    labels = LabelMap(as_structures(image.voxels), stack.cine.geometry)
    files = (path, note_path(path)) if note_path(path).is_file() else (path,)
    return StoredLabels(path.name, index, labels, provenance, files)


def _trusted_provenance(path: Path) -> Provenance | None:
    """Who made the labels, if the file is as the note says."""
    try:
        note = _matching_note(path)
    except UnreadableStudyError:
        return None
    return None if note is None else note.provenance


def read_store(
    study_path: Path, stacks: Sequence[Stack]
) -> Steps[tuple[list[StoredLabels], list[Problem]]]:
    """The labels that HeartSeg has saved for a study.

    A file that is damaged or fits no stack becomes a blocking problem: to open the study as if
    nothing had been saved would be worse.

    Args:
        study_path: The study's folder or file.
        stacks: Its stacks.
    """
    alone = study_path.is_file()
    folder = (study_path.parent if alone else study_path) / STORE_FOLDER
    found: list[StoredLabels] = []
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.nii*")) if folder.is_dir() else []:
        if not is_nifti(path) or path.name.startswith("."):
            continue
        try:
            note = _matching_note(path)
            if note is None:
                raise UnusableLabelsError(
                    f"{path.name} is not as HeartSeg saved it: changed or damaged since.",
                    hint="Open it by itself as labels to use it as it is, or move it away.",
                )
            if alone and study_path.name not in note.files:
                continue  # of another image in the same folder
            index = _index_of(note, stacks)
            found.append((yield from load_labels(path, stacks[index], index=index)))
        except HeartSegError as error:
            problems.append(Problem(error.what, str(path), error.hint, blocking=True))
    return found, problems


def _index_of(note: StoreNote, stacks: Sequence[Stack]) -> int:
    for index, stack in enumerate(stacks):
        if note.belongs_to(stack):
            return index
    raise GridMismatchError(
        f"Labels were saved for {note.stack}, which is not in this study any more.",
        hint="Put the images back, or move the labels away.",
    )


def _refuse_foreign(path: Path, study: Study) -> None:
    if not is_nifti(path):
        raise CannotSaveError(
            f"{path.name} is no name for labels.", hint="End it in .nii.gz (or .nii)."
        )
    originals = {
        file.resolve() for stack in (*study.stacks, *study.other_views) for file in stack.files
    }
    if path.resolve() in originals:
        raise CannotSaveError(
            f"{path.name} is an image of the study.", hint="Choose another name for the labels."
        )
    if path.exists() and not _is_ours(path):
        raise CannotSaveError(
            f"{path.name} was not written by HeartSeg, or was changed since.",
            hint="Choose another name, or move that file away.",
        )


def _holds_labels_of(stack: Stack, path: Path) -> bool:
    """Whether a label file is ours, unchanged, and of this stack."""
    try:
        note = _matching_note(path)
    except UnreadableStudyError:
        return False
    return note is not None and note.belongs_to(stack)


def _is_ours(path: Path) -> bool:
    try:
        return _matching_note(path) is not None
    except UnreadableStudyError:
        return False


def _matching_note(path: Path) -> StoreNote | None:
    """The note whose checksum the label file has, None if it has another.

    Raises:
        UnreadableStudyError: There is no note, or it is damaged.
    """
    checksum = _sha256(path)
    waiting = _next_note(path)
    if waiting.is_file():  # saving was cut off between the two files
        note = _parse(waiting)
        if note.sha256 == checksum:
            return note
    note = read_note(path)
    return note if note.sha256 == checksum else None


def _next_note(labels: Path) -> Path:
    return note_path(labels).with_name(f".new-{note_path(labels).name}")


def _move(source: Path, target: Path) -> None:
    try:
        source.replace(target)
    except OSError as error:
        raise CannotSaveError(
            f"{target.name} could not be written: {error.strerror or error}.",
            hint=f"Check that {target.parent} can be written to, or save elsewhere.",
        ) from error


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise UnreadableStudyError(
            f"{path.name} cannot be read: {error.strerror or error}.",
            hint="Check the rights of the file.",
        ) from error


def _note_text(checksum: str, stack: Stack, provenance: Provenance) -> bytes:
    note = {
        "program": _PROGRAM,
        "schema": _SCHEMA,
        "sha256": checksum,
        "stack": {
            "name": stack.cine.name,
            "shape_tzyx": list(stack.cine.shape),
            "files": [file.name for file in stack.files[:_FILES_NAMED]],
        },
        "provenance": {
            "origin": provenance.origin.value,
            "model": provenance.model,
            "model_hash": provenance.model_hash,
            "corrected_by": provenance.corrected_by,
            "corrected_slices": [list(map(int, pair)) for pair in provenance.corrected_slices],
            "source": provenance.source,
        },
        "values": {"0": "background", "1": "RV", "2": "myocardium", "3": "LV"},
    }
    return (json.dumps(note, indent=2, ensure_ascii=False) + "\n").encode()


def _parse(path: Path) -> StoreNote:
    try:
        note = json.loads(path.read_text(encoding="utf-8"))
        return _note_from(note)
    except FileNotFoundError as error:
        raise UnreadableStudyError(
            f"{path.name} is missing, which says who made the labels.",
            hint="Open the label file by itself as labels, or move it away.",
        ) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnreadableStudyError(
            f"{path.name} is damaged.",
            hint="Open the label file by itself as labels, or move both files away.",
        ) from error


def _note_from(note: dict[str, Any]) -> StoreNote:
    if note["program"] != _PROGRAM or int(note["schema"]) > _SCHEMA:
        raise ValueError("a note of another program or a later version")
    made, stack = note["provenance"], note["stack"]
    provenance = Provenance(
        origin=Origin(made["origin"]),
        model=str(made["model"]),
        model_hash=str(made["model_hash"]),
        corrected_by=str(made["corrected_by"]),
        corrected_slices=tuple((int(t), int(z)) for t, z in made["corrected_slices"]),
        source=str(made["source"]),
    )
    shape = tuple(int(size) for size in np.asarray(stack["shape_tzyx"]))
    files = tuple(str(name) for name in stack["files"])
    return StoreNote(str(note["sha256"]), str(stack["name"]), shape, files, provenance)


def _plain(name: str) -> str:
    """A name without characters that file systems dislike."""
    stem = re.sub(r"\.(nii|gz|dcm|tiff?|png|jpe?g)$", "", name, flags=re.IGNORECASE)
    stem = re.sub(r"\.nii$", "", stem, flags=re.IGNORECASE)
    return re.sub(r"[^\w-]+", "_", stem).strip("_")[:60] or "image"
