"""Where journals lie, and what becomes of those that cannot be used."""

import hashlib
import os
import re
from enum import Enum
from pathlib import Path
from typing import Protocol

import platformdirs

from engine.io.journal.opening import shown_labels
from engine.study import Study

ENDING = ".journal"


class Claim(Enum):
    """What came of asking for a journal."""

    OURS = "ours"
    OTHERS = "others"  # another window writes it
    FORBIDDEN = "forbidden"  # nothing may be written in its folder


class Lock(Protocol):
    """Keeps a journal from being written by two at a time."""

    def take(self, journal: Path) -> Claim:
        """Ask for a journal in a folder that is there; again for the same one is no harm.

        A journal that was taken before and is another one is given back.
        """

    def release(self) -> None:
        """Give it back."""


def journal_places(study: Study, stack: int) -> tuple[Path, Path]:
    """Where the journal of a stack lies: beside its labels, else in the user's own folder.

    Args:
        study: The study, with the labels that are shown before others of the stack.
        stack: Index of the stack.
    """
    labels = labels_place(study, stack)
    stem = re.sub(r"\.nii(\.gz)?$", "", labels.name)
    name = f"{_mark_of(study.folder)}_{stem}{ENDING}"
    return labels.with_name(f"{stem}{ENDING}"), own_folder() / name


def labels_place(study: Study, stack: int) -> Path:
    """The file of the labels that a stack is opened with, or where they will be saved."""
    from engine.io.label_store import default_place  # brings the NIfTI library

    usual = default_place(study, stack)
    shown = shown_labels(study.labels_of(stack))
    files = shown.files if shown is not None else ()
    return files[0] if files and files[0].parent == usual.parent else usual


def own_folder() -> Path:
    """Where journals lie of studies whose folders cannot be written to.

    `HEARTSEG_JOURNALS` names another one.
    """
    named = os.environ.get("HEARTSEG_JOURNALS", "")
    if named:
        return Path(named)
    return Path(platformdirs.user_data_dir("heartseg", appauthor=False)) / "journals"


def journals_of(folder: Path) -> list[Path]:
    """Every journal of a study's folder or file, those that were set aside included."""
    from engine.io.label_store import STORE_FOLDER

    store = (folder.parent if folder.is_file() else folder) / STORE_FOLDER
    beside = sorted(store.glob(f"*{ENDING}")) if store.is_dir() else []
    mark = re.escape(_mark_of(folder))
    own = own_folder()
    elsewhere = own.iterdir() if own.is_dir() else ()
    return beside + sorted(
        path for path in elsewhere if re.match(mark, path.name) and path.suffix == ENDING
    )


def free_name_aside(journal: Path) -> Path:
    """A name beside a journal that nothing has yet."""
    number = 1
    while True:
        path = journal.with_name(f"{journal.stem}-set-aside-{number}{ENDING}")
        if not path.exists():
            return path
        number += 1


def set_aside(journal: Path) -> Path:
    """Give a journal another name, so that a new one can be begun; returns that name.

    Raises:
        OSError: It cannot be moved.
    """
    path = free_name_aside(journal)
    journal.rename(path)
    return path


def _mark_of(folder: Path) -> str:
    """The folder's name, and what tells it from others of that name."""
    plain = re.sub(r"[^\w-]+", "_", folder.name).strip("_")[:60] or "study"
    digest = hashlib.blake2b(str(folder.absolute()).encode(), digest_size=4).hexdigest()
    return f"{plain}_{digest}"
