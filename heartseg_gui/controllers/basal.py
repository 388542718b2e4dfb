"""Deciding which slices at the base count, as steps of undo."""

from PySide6.QtCore import QObject, Signal

from engine.clinical.basal import BasalRule
from engine.labelmap import SlicePlace
from engine.structures import Structure
from heartseg_gui.documents.basal_state import BasalState
from heartseg_gui.documents.commands import ChangeReview
from heartseg_gui.documents.review_state import utc_now
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.documents.view_state import ViewState
from heartseg_gui.settings import Settings


class BasalDeciding(QObject):
    """Leaves slices out and counts them in again.

    Signals:
        told: A sentence for the status bar.
    """

    told = Signal(str)

    def __init__(
        self,
        document: StudyDocument,
        view: ViewState,
        state: BasalState,
        settings: Settings,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._view = document, view
        self._state, self._settings = state, settings

    def toggle_here(self) -> None:
        """Leave the slice on the screen out, or count it in again."""
        self.toggle(self._view.phase, self._view.slice_index)

    def toggle(self, phase: int, slice_index: int) -> None:
        """Leave a slice out, or count it in again; both 0-based.

        A criterion decides by itself: it gives way to the reader's choice, which starts with what
        the criterion had left out at end diastole and end systole.
        """
        labels, place = self._document.stack_labels, (phase, slice_index)
        if labels is None or not (labels.voxels[place] == Structure.LV).any():
            self.told.emit(f"{_name(place)} has no LV, so there is nothing to leave out.")
            return
        left_out = set(self._document.review.value.left_out)
        if self._state.rules.conventions.basal is not BasalRule.READER:
            left_out = self._left_out_by_rule()
            self._state.rules.choose("basal", str(BasalRule.READER))
        counts = place in left_out
        left_out ^= {place}
        self._decide(frozenset(left_out), place, counts=counts)

    def choose_rule(self, rule: str) -> None:
        """Follow another basal rule (a value of `BasalRule`)."""
        self._state.rules.choose("basal", rule)

    def _left_out_by_rule(self) -> set[SlicePlace]:
        overview = self._state.overview
        return {
            (each.base.phase, each.base.slice_index)
            for each in (*overview.ed, *overview.es)
            if not each.counted
        }

    def _decide(self, left_out: frozenset[SlicePlace], place: SlicePlace, *, counts: bool) -> None:
        review, reader, at = self._document.review.value, self._settings.reader, utc_now()
        decided = review.leave_out(left_out, reader=reader, at=at)
        text = f"Count {_name(place).lower()} in" if counts else f"Leave {_name(place).lower()} out"
        command = ChangeReview(self._document, decided, text=text, place=place)
        self._document.undo_stack.push(command)
        self._document.end_step()
        self.told.emit(f"{_name(place)} {'counts' if counts else 'does not count'} now.")


def _name(place: SlicePlace) -> str:
    return f"Slice {place[1] + 1}, phase {place[0] + 1}"
