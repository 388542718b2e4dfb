"""Which unread studies would teach the model most."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from engine.progress import Progress

if TYPE_CHECKING:  # the engine's loop is imported when it is first needed
    from engine.loop.selection import Selection

MOST = 200
"""Studies in a list."""
_USUAL = 10


class ReadingList(QObject):
    """Where studies are looked for, how many are wanted, and what was found.

    Signals:
        wish_changed: Other folders, or another number.
        found_changed: Another list, or another study was opened.
        running_changed: Looking has begun, ended, or come further.
    """

    wish_changed = Signal()
    found_changed = Signal()
    running_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._folders: tuple[Path, ...] = ()
        self._count = _USUAL
        self._found: Selection | None = None
        self._model = ""
        self._opened: frozenset[Path] = frozenset()
        self._running = False
        self._progress: Progress | None = None

    @property
    def folders(self) -> tuple[Path, ...]:
        """Where unread studies are looked for."""
        return self._folders

    @property
    def count(self) -> int:
        """How many studies are wanted."""
        return self._count

    @property
    def found(self) -> "Selection | None":
        """What to read next; None before anybody has looked."""
        return self._found

    @property
    def model(self) -> str:
        """The model that was asked."""
        return self._model

    @property
    def opened(self) -> frozenset[Path]:
        """Studies of the list that were opened since."""
        return self._opened

    @property
    def running(self) -> bool:
        """Whether studies are being looked at."""
        return self._running

    @property
    def progress(self) -> Progress | None:
        """How far that has come."""
        return self._progress

    def set_wish(self, folders: tuple[Path, ...], count: int) -> None:
        """Look elsewhere, or for another number of studies."""
        count = min(MOST, max(1, count))
        if (folders, count) != (self._folders, self._count):
            self._folders, self._count = folders, count
            self.wish_changed.emit()

    def set_found(self, found: "Selection | None", model: str = "") -> None:
        """Take another list."""
        self._found, self._model, self._opened = found, model, frozenset()
        self.found_changed.emit()

    def note_opened(self, study: Path) -> None:
        """A study of the list was opened."""
        if study not in self._opened:
            self._opened |= {study}
            self.found_changed.emit()

    def set_running(self, running: bool) -> None:
        """Looking begins or ends."""
        self._running, self._progress = running, None
        self.running_changed.emit()

    def set_progress(self, progress: Progress) -> None:
        """Looking has come further."""
        self._progress = progress
        self.running_changed.emit()
