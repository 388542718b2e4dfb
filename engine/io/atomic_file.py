"""Files that are either the old or the new one, never half of it."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

from engine.errors import CannotSaveError


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file beside `path` that replaces it when the block ends well.

    Raises:
        CannotSaveError: The folder is read-only, the disk is full, or the like; what was at
            `path` before is untouched.
    """
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            yield cast(BinaryIO, file)
            file.flush()
            os.fsync(file.fileno())
        _allow_as_usual(temporary)
        Path(temporary).replace(path)
    except OSError as error:
        raise CannotSaveError(
            f"{path.name} could not be written: {error.strerror or error}.",
            hint=f"Check that {path.parent} can be written to and the disk has room, "
            "or save to another folder.",
        ) from error
    finally:
        with suppress(OSError):
            if temporary:
                Path(temporary).unlink()


def _allow_as_usual(path: str) -> None:
    """Give the file the rights of a new file; a temporary one is readable by its owner only."""
    if os.name == "posix":
        mask = os.umask(0)
        os.umask(mask)
        Path(path).chmod(0o666 & ~mask)


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
