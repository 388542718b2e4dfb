"""Folders that come into being whole, or not at all."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import CannotSaveError


@contextmanager
def making_folder(folder: Path) -> Iterator[Path]:
    """A folder to write into that takes the name `folder` when the block ends well.

    Raises:
        CannotSaveError: There is something already, or it cannot be written; nothing is left.
    """
    refuse_filled(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".making-") as made:
            part = Path(made) / folder.name
            part.mkdir()
            yield part
            if folder.exists():
                folder.rmdir()  # empty, or this fails and nothing is lost
            part.replace(folder)
    except OSError as error:
        raise CannotSaveError(
            f"{folder} could not be written: {error.strerror or error}.",
            hint="Choose a folder you may write to, with room on its disk.",
        ) from error


def refuse_filled(folder: Path) -> None:
    """Refuse a folder that holds something.

    Raises:
        CannotSaveError: It does, or it is no folder.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CannotSaveError(
            f"{folder} exists and is not empty.",
            hint="Name a new folder; nothing is ever overwritten.",
        )
