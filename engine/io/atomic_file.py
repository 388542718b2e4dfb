"""Files that are either the old or the new one, never half of it."""

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from engine.errors import CannotSaveError

_ABANDONED_S = 3600.0
"""A part that grew no more for so long is nobody's any more [s]."""


@contextmanager
def part_beside(path: Path) -> Iterator[Path]:
    """A path for a temporary file that takes the place of `path` when the block ends well.

    For writers that open their file themselves; others take `replacing`.

    Raises:
        OSError: Something could not be written; what was at `path` before is untouched.
    """
    part = path.with_name(f".{path.name}.{uuid4().hex[:8]}.part")
    _remove_left_over(path)
    try:
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file beside `path` that replaces it when the block ends well.

    Raises:
        CannotSaveError: The folder is read-only, the disk is full, or the like; what was at
            `path` before is untouched.
    """
    try:
        with part_beside(path) as part, part.open("xb") as file:
            yield file
    except OSError as error:
        raise CannotSaveError(
            f"{path.name} could not be written: {error.strerror or error}.",
            hint=f"Check that {path.parent} can be written to and the disk has room, "
            "or save to another folder.",
        ) from error


def _remove_left_over(path: Path) -> None:
    """Remove what a killed program left of this file; what may still be written to is kept."""
    pattern = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{8}}\.part")
    with suppress(OSError):  # no such folder yet, or none that may be listed
        for left in path.parent.iterdir():
            if pattern.fullmatch(left.name) and time.time() - left.stat().st_mtime > _ABANDONED_S:
                left.unlink()


def write_atomically(path: Path, content: bytes) -> None:
    """Write `content` to `path`, all of it or nothing; makes the folder if need be.

    Raises:
        CannotSaveError: It cannot be written.
    """
    make_folder(path.parent)
    with replacing(path) as file:
        file.write(content)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it.

    Raises:
        CannotSaveError: It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotSaveError(
            f"The folder {folder} could not be made: {error.strerror or error}.",
            hint="Choose a folder that can be written to.",
        ) from error
