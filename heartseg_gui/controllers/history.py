"""What undo and redo have changed: brought into view, and said."""

from collections.abc import Set as AbstractSet

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand

from heartseg_gui.documents.commands import (
    ChangeReview,
    PaintStroke,
    ReplaceLabels,
    SetKeyPhases,
)
from heartseg_gui.documents.study_document import SlicePlace, StudyDocument
from heartseg_gui.documents.view_state import ViewState

_PHASES_NAMED = 4


class History(QObject):
    """Follows the undo and redo actions, which have done their work when it hears of them.

    Signals:
        shown: The slice that changed is the one on the screen now.
        told: A sentence for the status bar.
    """

    shown = Signal()
    told = Signal(str)

    def __init__(
        self, document: StudyDocument, view: ViewState, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._view = view

    def show_undone(self) -> None:
        """Show and say what was just taken back."""
        stack = self._document.undo_stack
        if stack.index() < stack.count():
            self._show("Undone", stack.command(stack.index()))

    def show_redone(self) -> None:
        """Show and say what was just done again."""
        stack = self._document.undo_stack
        if stack.index() > 0:
            self._show("Redone", stack.command(stack.index() - 1))

    def _show(self, verb: str, command: QUndoCommand) -> None:
        where = ""
        if isinstance(command, PaintStroke | ReplaceLabels):
            places = command.places()
            self._go_to_nearest(places)
            where = _describe(places)
        elif isinstance(command, SetKeyPhases) and command.phase is not None:
            self._go_to(command.phase, self._view.slice_index)
        elif isinstance(command, ChangeReview) and command.place is not None:
            self._go_to(*command.place)
        self.shown.emit()
        self.told.emit(f"{verb}: {command.text()}{where}.")

    def _go_to_nearest(self, places: AbstractSet[SlicePlace]) -> None:
        """Stay where something changed, else go where it is nearest in time, then in space."""
        phase, slice_index = self._view.phase, self._view.slice_index
        if places:
            self._go_to(*min(places, key=lambda p: (abs(p[0] - phase), abs(p[1] - slice_index))))

    def _go_to(self, phase: int, slice_index: int) -> None:
        self._view.set_playing(False)
        self._view.set_phase(phase)
        self._view.set_slice(slice_index)


def _describe(places: AbstractSet[SlicePlace]) -> str:
    """Where it was, e.g. ` in slice 4, phase 1`; empty where nothing changed."""
    phases = sorted({phase + 1 for phase, _ in places})
    if not phases:
        return ""
    if len(phases) > _PHASES_NAMED:
        return f" in {len(phases)} phases"
    in_phases = f"phase{'s' if len(phases) > 1 else ''} {', '.join(map(str, phases))}"
    slices = {slice_index + 1 for _, slice_index in places}
    return f" in slice {slices.pop()}, {in_phases}" if len(slices) == 1 else f" in {in_phases}"
