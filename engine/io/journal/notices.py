"""What the reader must hear about the journal, in plain words."""

import errno
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from engine.io.reading_faults import reason_of


class Matter(Enum):
    """What a notice is about."""

    TROUBLE = "trouble"  # the journal cannot be written at the moment
    MENDED = "mended"
    ELSEWHERE = "elsewhere"  # it lies in the user's own folder
    IN_USE = "in use"  # another window has it
    SET_ASIDE = "set aside"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to tell.

    Attributes:
        matter: What it is about.
        what: What happened.
        hint: What to do about it.
    """

    matter: Matter
    what: str
    hint: str = ""

    @property
    def text(self) -> str:
        """Both sentences."""
        return f"{self.what} {self.hint}".strip()


_KEPT = "Edits are kept in memory and tried again every few seconds."
_HINTS = {
    errno.ENOSPC: "Make room on the disk, or save the labels elsewhere.",
    errno.EDQUOT: "Make room in your quota, or save the labels elsewhere.",
    errno.EFBIG: "Make room on the disk, or save the labels elsewhere.",
    errno.ENOENT: "Connect the drive again, or save the labels elsewhere.",
    errno.EIO: "Check the drive and its cable, or save the labels elsewhere.",
}


def trouble(study: str, error: OSError) -> Notice:
    """The journal cannot be written: a full disk, a removed drive."""
    hint = _HINTS.get(error.errno or 0, "Check the disk, or save the labels elsewhere.")
    what = f"The journal of {study} cannot be written: {reason_of(error)}."
    return Notice(Matter.TROUBLE, what, f"{_KEPT} {hint}")


def mended(study: str) -> Notice:
    """The journal is written again."""
    what = f"The journal of {study} is written again; no edit is missing in it."
    return Notice(Matter.MENDED, what)


def elsewhere(study: str, journal: Path) -> Notice:
    """The study's folder is read-only."""
    what = f"The folder of {study} cannot be written to; edits are kept in {journal}."
    return Notice(Matter.ELSEWHERE, what)


def in_use(study: str) -> Notice:
    """Another window writes the journal."""
    return Notice(
        Matter.IN_USE,
        f"Another window has {study} open for editing; edits made here are not kept in a journal.",
        "Close one of the two, or save what you draw here under another name.",
    )


def changed_since(study: str) -> Notice:
    """Another window has written a journal, and is closed again."""
    return Notice(
        Matter.IN_USE,
        f"Another window has edited {study} since it was opened here; edits made here are not "
        "kept in a journal.",
        "Open the study again, or save what you draw here under another name.",
    )


def was_set_aside(study: str, why: str, now: Path | None) -> Notice:
    """A journal is not used."""
    where = "it stays where it is" if now is None else f"it is kept as {now.name}"
    what = f"The journal of {study} is not used: {why}."
    return Notice(Matter.SET_ASIDE, what, f"A new one is begun; {where}.")
