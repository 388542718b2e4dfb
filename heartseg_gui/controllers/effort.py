"""Time and strokes of the reader, counted on this computer and kept with the labels."""

import time
from collections.abc import Callable
from weakref import WeakSet

from PySide6.QtCore import QObject
from PySide6.QtGui import QUndoCommand

from heartseg_gui.documents.commands import PaintStroke
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.documents.view_state import ViewState
from heartseg_gui.settings import Settings

IDLE_S = 30.0
"""A rest longer than this is no work on the study [s]."""


class Effort(QObject):
    """Adds up the time between things that the reader does, and counts the steps that are strokes.

    There is no clock that ticks: each thing done adds the time since the one before, unless the
    reader has rested in between.
    """

    def __init__(
        self,
        document: StudyDocument,
        view: ViewState,
        settings: Settings,
        *,
        clock: Callable[[], float] = time.monotonic,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._settings = settings
        self._clock = clock
        self._counted: WeakSet[QUndoCommand] = WeakSet()
        self._last_s: float | None = None
        self._counts = settings.counts_effort
        settings.effort_changed.connect(self._take_setting)
        document.stack_changed.connect(self._begin)
        document.undo_stack.indexChanged.connect(self._pass_over)
        document.steps.ended.connect(self._count)
        for fact in (view.slice_changed, view.phase_changed, view.montage_changed):
            fact.connect(self.note)

    def note(self) -> None:
        """The reader does something."""
        if not self._counts or self._document.labels is None:
            return
        now_s = self._clock()
        if self._last_s is not None and 0 < now_s - self._last_s <= IDLE_S:
            self._document.review.spend(seconds=now_s - self._last_s)
        self._last_s = now_s

    def _begin(self) -> None:
        """Another study: what came before is not its time."""
        self._last_s = None
        self._counted.clear()

    def _pass_over(self) -> None:
        """Steps of an earlier start of the program were counted then."""
        if self._document.steps.refilling:
            undo = self._document.undo_stack
            self._counted.update(filter(None, map(undo.command, range(undo.count()))))

    def _count(self) -> None:
        """A step is complete, or was taken back or done again; only a new one is a stroke."""
        self.note()
        undo = self._document.undo_stack
        command = undo.command(undo.index() - 1) if undo.index() else None
        if not isinstance(command, PaintStroke) or command in self._counted:
            return
        if command.is_of_earlier_start:
            return
        self._counted.add(command)
        if self._counts:
            self._document.review.spend(strokes=1)

    def _take_setting(self) -> None:
        self._counts, self._last_s = self._settings.counts_effort, None
