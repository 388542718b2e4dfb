"""Sees to it that saving replaces nothing that this window does not know."""

from pathlib import Path

from engine.errors import CannotSaveError, UnreadableStudyError
from engine.io.journal.notices import in_use
from engine.io.journal.places import labels_place
from engine.io.label_note import read_note
from engine.progress import Progress, Steps
from engine.study import Study
from heartseg_gui.documents.snapshot import Snapshot

_ELSEWHERE = "Save under another name (File, Save as), or"


class SaveGuard:
    """Knows the labels in their files as this window has read or written them."""

    def __init__(self) -> None:
        self._known: dict[Path, str] = {}  # SHA-256 of the labels

    def open(self, study: Study, index: int) -> None:
        """A stack of a study was opened."""
        from engine.io.label_store import default_place

        places = (default_place(study, index), labels_place(study, index))
        self._known = {place: _checksum(place) for place in places}

    def take_saved(self, place: Path) -> None:
        """This window has written labels."""
        self._known[place] = _checksum(place)

    def forget(self) -> None:
        """Nothing is open any more."""
        self._known = {}

    def look(self, snapshot: Snapshot, path: Path | None, *, taken: bool) -> Steps[None]:
        """Look at the place where labels are to be stored.

        Args:
            snapshot: The labels.
            path: Where to; None for the usual place.
            taken: Whether another window has the study open for editing.

        Raises:
            CannotSaveError: Another window has saved there, or has the study open for editing.
        """
        known = dict(self._known)
        yield Progress(0, 0, "Looking at what is there")
        from engine.io.label_store import default_place

        target = path or default_place(snapshot.study, snapshot.stack_index)
        if target not in known:
            return
        if _checksum(target) != known[target]:
            raise CannotSaveError(
                f"{target.name} was changed by another window or program since it was opened.",
                hint=f"{_ELSEWHERE} open the study again.",
            )
        if taken:
            raise CannotSaveError(
                in_use(snapshot.study.folder.name).what,
                hint=f"{_ELSEWHERE} close the other window.",
            )


def _checksum(labels: Path) -> str:
    """SHA-256 of labels as their note says; empty where there are none."""
    try:
        return read_note(labels).sha256
    except UnreadableStudyError:
        return ""
