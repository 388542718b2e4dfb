"""What happened to the labels and is not written down yet."""

from itertools import count

from PySide6.QtCore import QObject, Signal

from engine.io.journal.entries import Entry, Kind


class StepLog(QObject):
    """Commands add to it, and whoever writes things down empties it.

    Attributes:
        refilling: Whether steps of an earlier start of the program are being put back, so that
            commands change no voxel and nothing is to be written down.

    Signals:
        began: Something happened after everything before it was taken.
        ended: A step is complete: the mouse button was released, or there is nothing to release.
    """

    began = Signal()
    ended = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.refilling = False
        self._kept = False
        self._entries: list[Entry] = []
        self._strokes = count(1)
        self._last_stroke = -1

    def new_stroke(self) -> int:
        """A number for a stroke that no other has; its pieces become one step of undo."""
        return next(self._strokes)

    def is_new(self, stroke: int) -> bool:
        """Whether no step has had this number of a stroke; it counts as used from now on."""
        new = stroke > self._last_stroke
        self._last_stroke = max(stroke, self._last_stroke)
        return new

    def keep(self) -> None:
        """Remember what happens from now on; without a journal nobody would ever take it."""
        self._kept = True

    def add(self, entry: Entry) -> None:
        """Remember what happened; for commands only."""
        if not self._kept or self.refilling:
            return
        self._entries.append(entry)
        if len(self._entries) == 1:
            self.began.emit()
        if entry.kind in (Kind.UNDO, Kind.REDO):
            self.ended.emit()

    def take(self) -> list[Entry]:
        """What happened since the last call."""
        taken, self._entries = self._entries, []
        return taken

    def mark_joined(self, entry: Entry) -> None:
        """The last entry turned out to be a piece of the step before it; for commands only."""
        entry.joined = True
