"""Keeps the label maps that HeartSeg itself makes, beside the images but never in their place.

A map is two files: `labels.nii.gz`, which every program can read, and the note `labels.json`.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from engine.errors import (
    CannotSaveError,
    GridMismatchError,
    HeartSegError,
    UnreadableStudyError,
    UnusableLabelsError,
)
from engine.io.atomic_file import write_atomically
from engine.io.geometry_guard import check_label_grid, has_blocking
from engine.io.label_fit import distinct, origin_of
from engine.io.label_note import (
    PhasesByHand,
    StoreNote,
    has_note,
    is_note,
    make_note,
    matching_note,
    note_path,
    notes_beside,
    sha256_of,
    trusted_note,
    waiting_note_path,
)
from engine.io.label_values import meaning_of
from engine.io.nifti import is_nifti, is_written_here, read_labels, writing_labels
from engine.io.reading_faults import hint_against, reason_of
from engine.labelmap import LabelMap
from engine.progress import Progress, Steps
from engine.review.states import Review
from engine.study import Origin, Problem, Provenance, Stack, StoredLabels, Study

STORE_FOLDER = "heartseg"
"""Name of the folder beside the images; never read as images."""


def save_labels(
    study: Study,
    stack: int,
    labels: LabelMap,
    provenance: Provenance,
    *,
    path: Path | None = None,
    phases_by_hand: PhasesByHand = (None, None),
    review: Review | None = None,
) -> Steps[StoredLabels]:
    """Write a label map, all of it or nothing.

    Args:
        study: The study, as it was read.
        stack: Index of the stack that the labels lie on, among `Study.views`.
        labels: The map.
        provenance: Who made it.
        path: Where to, `.nii` or `.nii.gz`; None for the folder `heartseg` beside the images.
        phases_by_hand: End-diastole and end-systole as a person chose them; kept in the note.
        review: What readers decided; kept in the note.

    Returns:
        The labels as they are now stored.

    Raises:
        CannotSaveError: The place cannot be written to, or holds a file that is not ours.
        GridMismatchError: The labels do not lie on the stack.
    """
    target = study.views[stack]
    path = path or default_place(study, stack)
    yield Progress(0, 3, f"Saving {path.name}")
    if labels.shape != target.cine.shape or not labels.geometry.matches(target.cine.geometry):
        raise GridMismatchError(
            f"The labels do not lie on the image {target.cine.name}.",
            hint="Open the image they were made on and save from there.",
        )
    refuse_foreign(path, study)
    copy = labels.copy()  # what is written must not change meanwhile
    yield Progress(1, 3, f"Saving {path.name}")
    # A first name, so that after a power cut the note and the labels can still be told to match.
    waiting = path.with_name(f".new-{path.name}")
    try:
        yield from writing_labels(waiting, copy)
        yield Progress(2, 3, f"Saving {path.name}")
        decided = review or Review()
        note = make_note(sha256_of(waiting), target, provenance, phases_by_hand, decided)
        write_atomically(waiting_note_path(path), note)
        _move(waiting, path)
        _move(waiting_note_path(path), note_path(path))
    finally:
        for left in (waiting, waiting_note_path(path)):
            with suppress(OSError):
                left.unlink(missing_ok=True)
    files = (path, note_path(path))
    return StoredLabels(path.name, stack, copy, provenance, files, *phases_by_hand, decided)


def default_place(study: Study, stack: int) -> Path:
    """Where the labels of a stack are kept: a file in the folder `heartseg` of the study.

    A name that is taken by the labels of another stack is left alone. A second reading, where it
    is what the study shows, has a place of its own.
    """
    shown = next((s for s in study.labels_of(stack) if _is_own(s)), None)
    if shown is not None and shown.review.is_second_reading and shown.files:
        return shown.files[0]
    folder = _store_of(study.folder)
    target = study.views[stack]
    alone = study.folder.is_file()
    stem = f"{_plain(study.folder.name)}_labels" if alone else "labels"
    names = [stem, f"{stem}_{_plain(target.cine.name)}"]
    names += [f"{names[1]}_{number}" for number in range(2, 100)]
    for name in names[1:] if stack > 0 and not alone else names:
        path = folder / f"{name}.nii.gz"
        if not path.exists() or _holds_labels_of(target, path):
            return path
    return folder / f"{names[0]}.nii.gz"


def _is_own(stored: StoredLabels) -> bool:
    return stored.provenance.origin is not Origin.REFERENCE


def load_labels(path: Path, stack: Stack, *, index: int = 0) -> Steps[StoredLabels]:
    """Read a label file for a stack, whoever made it.

    Args:
        path: (x, y, z, t) NIfTI, or (x, y, z) where the stack has one phase.
        stack: The stack it must lie on.
        index: The index of that stack in its study.

    Returns:
        The labels; with their provenance, and the phases chosen by hand, where a note that
        matches lies beside the file.

    Raises:
        UnreadableStudyError: The file cannot be read.
        GridMismatchError: It has another grid or other phases than the stack.
        UnusableLabelsError: Its values are no structures.
    """
    path = path.absolute()  # reports name it, wherever the program was started
    _refuse_no_file(path)
    image = yield from read_labels(path, stack.cine.geometry)
    for problem in check_label_grid(image.geometry, stack.cine.geometry, where=path.name):
        raise GridMismatchError(f"{path.name}: {problem.what}", hint=problem.hint)
    if image.voxels.shape[0] != stack.cine.phase_count:
        raise GridMismatchError(
            f"{path.name} has {image.voxels.shape[0]} phases, the image {stack.cine.phase_count}.",
            hint="Give labels for all phases (x, y, z, t); unlabelled phases may be 0.",
        )
    meaning = meaning_of(path, distinct(image.voxels), where=path.name)
    if has_blocking(meaning.problems):
        problem = meaning.problems[0]
        raise UnusableLabelsError(f"{path.name}: {problem.what}", hint=problem.hint)
    labels = LabelMap(meaning.structures(image.voxels), stack.cine.geometry)
    return _with_note(path, index, labels)


def _refuse_no_file(path: Path) -> None:
    try:
        readable = path.is_file() and is_nifti(path)
    except OSError as error:  # a folder above it that may not be looked into
        raise UnreadableStudyError(
            f"{path} cannot be read: {reason_of(error)}.",
            hint=hint_against(error, "Check the path; the disk may not be connected."),
        ) from error
    if not readable:
        raise UnreadableStudyError(
            f"{path} is no label file.", hint="Give a NIfTI file (.nii or .nii.gz)."
        )


def _with_note(path: Path, index: int, labels: LabelMap) -> StoredLabels:
    """Labels with what a note beside their file says, if it matches."""
    note = trusted_note(path)
    if note is None:
        provenance = Provenance(origin_of(path), source=str(path))
        return StoredLabels(path.name, index, labels, provenance, (path,))
    files = (path, note_path(path)) if note_path(path).is_file() else (path,)
    fits = note.shape == labels.shape
    by_hand, review = (note.phases_by_hand, note.review) if fits else ((None, None), Review())
    return StoredLabels(path.name, index, labels, note.provenance, files, *by_hand, review)


def read_store(
    study_path: Path, stacks: Sequence[Stack], elsewhere: Sequence[Path] = ()
) -> Steps[tuple[list[StoredLabels], list[Problem]]]:
    """The labels that HeartSeg has saved for a study.

    A file that is damaged or fits no stack becomes a blocking problem: to open the study as if
    nothing had been saved would be worse.

    Args:
        study_path: The study's folder or file.
        stacks: Its stacks.
        elsewhere: Label files with a note of ours that lie among the images.
    """
    found: list[StoredLabels] = []
    kept, problems = _files_in(_store_of(study_path))
    for path in (*kept, *elsewhere):
        try:
            if study_path.is_file() and _is_of_others(study_path, path):
                continue
            note = _unchanged_note(path)
            index = _index_of(note, stacks)
            if index is None and path not in kept:
                problems.append(_of_others(path, note))
                continue
            found.append((yield from _load_own(path, note, stacks, index)))
        except HeartSegError as error:
            problems.append(Problem(error.what, str(path), error.hint, blocking=True))
    return found, problems


def _files_in(store: Path) -> tuple[list[Path], list[Problem]]:
    """The label files of a store, and what keeps us from looking into it."""
    try:
        if not store.is_dir():
            return [], []
        files = [file for file in store.iterdir() if is_nifti(file) and file.is_file()]
    except OSError as error:
        what = f"The folder {store.name} of saved labels cannot be read: {reason_of(error)}."
        hint = hint_against(error, "Check the disk, or move that folder away.")
        return [], [Problem(what, str(store), hint, blocking=True)]
    return sorted(file for file in files if not file.name.startswith(".")), []


def _is_of_others(image: Path, labels: Path) -> bool:
    """Whether labels were saved for other images in the same folder."""
    notes = notes_beside(labels)
    return bool(notes) and not any(image.name in note.files for note in notes)


def _unchanged_note(path: Path) -> StoreNote:
    note = matching_note(path)
    if note is None:
        raise UnusableLabelsError(
            f"{path.name} is not as HeartSeg saved it: changed or damaged since.",
            hint="Open it by itself as labels to use it as it is, or move it away.",
        )
    return note


def _index_of(note: StoreNote, stacks: Sequence[Stack]) -> int | None:
    return next((index for index, stack in enumerate(stacks) if note.belongs_to(stack)), None)


def _of_others(path: Path, note: StoreNote) -> Problem:
    return Problem(
        f"{path.name} holds labels of {note.stack}, which is not in this study.",
        str(path),
        "It is not used. Open the study they were made on, or move them there.",
    )


def _load_own(
    path: Path, note: StoreNote, stacks: Sequence[Stack], index: int | None
) -> Steps[StoredLabels]:
    if index is None:
        raise GridMismatchError(
            f"Labels were saved for {note.stack}, which is not in this study any more.",
            hint="Put the images back, or move the labels away.",
        )
    return (yield from load_labels(path, stacks[index], index=index))


def _store_of(study_path: Path) -> Path:
    return (study_path.parent if study_path.is_file() else study_path) / STORE_FOLDER


def refuse_foreign(path: Path, study: Study, *, exporting: bool = False) -> None:
    """Refuse to write labels over anything but labels that HeartSeg wrote itself.

    Args:
        path: Where labels are to be written.
        study: The open study, whose images are never written to.
        exporting: Only the label file is written, without a note. What was exported before may
            then be replaced; labels that were saved with a note may not, or they would no longer
            match it.

    Raises:
        CannotSaveError: The name is none for labels, or the place holds an image of the study
            or a file that is not ours.
    """
    if not is_nifti(path):
        raise CannotSaveError(
            f"{path.name} is no name for labels.", hint="End it in .nii.gz (or .nii)."
        )
    try:
        _refuse_image_of(study, path)
        if exporting:
            _refuse_unlike_export(path)
        else:
            _refuse_unlike_store(path)
    except OSError as error:
        raise CannotSaveError(
            f"{path} cannot be looked at: {reason_of(error)}.",
            hint="Choose a folder that you may write to.",
        ) from error


def _refuse_image_of(study: Study, path: Path) -> None:
    if not path.exists():
        return
    images = {file for stack in (*study.stacks, *study.other_views) for file in stack.files}
    if any(file.exists() and file.samefile(path) for file in images):
        raise CannotSaveError(
            f"{path.name} is an image of the study.", hint="Choose another name for the labels."
        )


def _refuse_unlike_export(path: Path) -> None:
    if has_note(path):
        raise CannotSaveError(
            f"{path.name} is the place of labels saved together with {note_path(path).name}.",
            hint="Use Save as to replace both, or export to another name.",
        )
    if path.exists() and not is_written_here(path):
        raise _foreign(path)


def _refuse_unlike_store(path: Path) -> None:
    if path.exists() and trusted_note(path) is None:
        raise _foreign(path)
    note = note_path(path)
    if note.exists() and not is_note(note):
        raise _foreign(note)
    stem = re.sub(r"\.gz$", "", path.name, flags=re.IGNORECASE)
    for twin in (path.with_name(stem), path.with_name(f"{stem}.gz")):
        if twin.name != path.name and twin.exists():
            raise CannotSaveError(
                f"{note.name} would belong to {path.name} and to {twin.name}.",
                hint="Choose another name for the labels.",
            )


def _foreign(path: Path) -> CannotSaveError:
    return CannotSaveError(
        f"{path.name} was not written by HeartSeg, or was changed since.",
        hint="Choose another name, or move that file away.",
    )


def _holds_labels_of(stack: Stack, path: Path) -> bool:
    """Whether a label file is ours, unchanged, and of this stack."""
    note = trusted_note(path)
    return note is not None and note.belongs_to(stack)


def _move(source: Path, target: Path) -> None:
    try:
        source.replace(target)
    except OSError as error:
        raise CannotSaveError(
            f"{target.name} could not be written: {error.strerror or error}.",
            hint=f"Check that {target.parent} can be written to, or save elsewhere.",
        ) from error


def _plain(name: str) -> str:
    """A name without characters that file systems dislike."""
    stem = re.sub(r"\.(nii|gz|dcm|tiff?|png|jpe?g)$", "", name, flags=re.IGNORECASE)
    stem = re.sub(r"\.nii$", "", stem, flags=re.IGNORECASE)
    return re.sub(r"[^\w-]+", "_", stem).strip("_")[:60] or "image"
