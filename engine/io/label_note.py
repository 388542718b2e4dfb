"""The note beside a label file: who made the labels, on which image, and how the file must look.

`labels.json` belongs to `labels.nii.gz` as long as it names that file's SHA-256.
"""

import hashlib
import json
import re
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import UnreadableStudyError
from engine.io.provenance_json import provenance_as_json, provenance_from_json
from engine.io.reading_faults import hint_against
from engine.review.states import Review
from engine.study import Provenance, Stack

PhasesByHand = tuple[int | None, int | None]
"""End-diastole and end-systole as far as a person chose them (0-based)."""

_SCHEMA = 1
_PROGRAM = "HeartSeg"
_FILES_NAMED = 4
_VALUES = {"0": "background", "1": "RV", "2": "myocardium", "3": "LV", "4": "left atrium"}


@dataclass(frozen=True, slots=True)
class StoreNote:
    """The content of a `labels.json`.

    Attributes:
        sha256: Of the label file.
        stack: Name of the stack.
        shape: Its number of voxels (t, z, y, x).
        files: Names of its first image files.
        provenance: Who made the labels.
        phases_by_hand: End-diastole and end-systole as a person chose them (0-based), or None.
        review: What readers decided about the labels.
    """

    sha256: str
    stack: str
    shape: tuple[int, ...]
    files: tuple[str, ...]
    provenance: Provenance = field(default_factory=Provenance)
    phases_by_hand: PhasesByHand = (None, None)
    review: Review = field(default_factory=Review)

    def belongs_to(self, stack: Stack) -> bool:
        """Whether the labels were made on this stack."""
        return (
            self.stack == stack.cine.name
            and self.shape == stack.cine.shape
            and set(self.files) <= {file.name for file in stack.files}
        )


def note_path(labels: Path) -> Path:
    """The `.json` that belongs to a label file."""
    return labels.with_name(re.sub(r"\.nii(\.gz)?$", "", labels.name) + ".json")


def waiting_note_path(labels: Path) -> Path:
    """Where a note waits until the labels are in place."""
    return note_path(labels).with_name(f".new-{note_path(labels).name}")


def read_note(labels: Path) -> StoreNote:
    """The note beside a label file.

    Raises:
        UnreadableStudyError: There is none, or it is damaged.
    """
    return _parse(note_path(labels))


def notes_beside(labels: Path) -> list[StoreNote]:
    """The notes of ours beside a file, whether or not the file is as they say."""
    notes = []
    for path in (note_path(labels), waiting_note_path(labels)):
        with suppress(UnreadableStudyError):
            notes.append(_parse(path))
    return notes


def has_note(labels: Path) -> bool:
    """Whether a note of ours lies beside a file, whatever the file looks like by now."""
    return bool(notes_beside(labels))


def is_note(path: Path) -> bool:
    """Whether a file is a note of ours."""
    try:
        _parse(path)
    except UnreadableStudyError:
        return False
    return True


def matching_note(labels: Path) -> StoreNote | None:
    """The note whose checksum the label file has, None if it has another.

    Raises:
        UnreadableStudyError: There is no note, or it is damaged.
    """
    checksum = sha256_of(labels)
    waiting = waiting_note_path(labels)
    if waiting.is_file():  # saving was cut off between the two files
        note = _parse(waiting)
        if note.sha256 == checksum:
            return note
    note = read_note(labels)
    return note if note.sha256 == checksum else None


def trusted_note(labels: Path) -> StoreNote | None:
    """The note of a label file, None if there is none or the file is not as it says."""
    try:
        return matching_note(labels)
    except UnreadableStudyError:
        return None


def sha256_of(path: Path) -> str:
    """Checksum of a file.

    Raises:
        UnreadableStudyError: It cannot be read.
    """
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise UnreadableStudyError(
            f"{path.name} cannot be read: {error.strerror or error}.",
            hint=hint_against(error, "Check the disk, or copy the file again."),
        ) from error


def make_note(
    checksum: str,
    stack: Stack,
    provenance: Provenance,
    phases_by_hand: PhasesByHand,
    review: Review,
) -> bytes:
    """The text of a note.

    Args:
        checksum: SHA-256 of the label file.
        stack: What the labels were made on.
        provenance: Who made them.
        phases_by_hand: End-diastole and end-systole as a person chose them (0-based), or None.
        review: What readers decided about the labels.
    """
    note = {
        "program": _PROGRAM,
        "schema": _SCHEMA,
        "sha256": checksum,
        "stack": {
            "name": stack.cine.name,
            "shape_tzyx": list(stack.cine.shape),
            "files": [file.name for file in stack.files[:_FILES_NAMED]],
        },
        "provenance": provenance_as_json(provenance),
        "phases_by_hand": dict(zip(("ed", "es"), phases_by_hand, strict=True)),
        "review": review.as_json(),
        "values": _VALUES,
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
    except PermissionError as error:
        raise UnreadableStudyError(
            f"{path.name} cannot be read, which says who made the labels.",
            hint=hint_against(error, ""),
        ) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UnreadableStudyError(
            f"{path.name} is damaged.",
            hint="Open the label file by itself as labels, or move both files away.",
        ) from error


def _note_from(note: dict[str, Any]) -> StoreNote:
    if note["program"] != _PROGRAM or int(note["schema"]) > _SCHEMA:
        raise ValueError("a note of another program or a later version")
    stack, provenance = note["stack"], provenance_from_json(note["provenance"])
    shape = tuple(int(size) for size in np.asarray(stack["shape_tzyx"]))
    by_hand = note.get("phases_by_hand", {})  # earlier versions kept none
    return StoreNote(
        str(note["sha256"]),
        str(stack["name"]),
        shape,
        tuple(str(name) for name in stack["files"]),
        provenance,
        (_phase(by_hand.get("ed"), shape[0]), _phase(by_hand.get("es"), shape[0])),
        _review(note.get("review", {}), shape),  # earlier versions kept none
    )


def _review(content: Any, shape: tuple[int, ...]) -> Review:
    """What readers decided.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: It is damaged, or names slices that the
            stack has not.
    """
    review = Review.from_json(content)
    for phase, slice_index in review.approved | review.propagated | review.left_out:
        if phase >= shape[0] or slice_index >= shape[1]:
            raise ValueError(f"there is no slice {slice_index} of phase {phase}")
    if not all(pair.fits(shape) for pair in review.points):
        raise ValueError("points beside the stack")
    return review


def _phase(number: Any, count: int) -> int | None:
    """A phase of a note, 0-based.

    Raises:
        ValueError: The stack has no such phase.
    """
    if number is None:
        return None
    if not 0 <= int(number) < count:
        raise ValueError(f"there is no phase {number}")
    return int(number)
