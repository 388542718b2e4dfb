"""Approving: slices, phases, the study; going to what is left; setting findings aside."""

from PySide6.QtCore import QObject, Signal

from engine.clinical.findings import Finding
from engine.labelmap import SlicePlace
from engine.review.states import Review, SliceState
from heartseg_gui.documents.commands import ChangeReview
from heartseg_gui.documents.review_prompts import ReviewPrompts
from heartseg_gui.documents.review_state import utc_now
from heartseg_gui.documents.slice_states import SliceStates
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.documents.view_state import ViewState
from heartseg_gui.settings import Settings


class Reviewing(QObject):
    """Turns a reader's decisions into steps of undo.

    Signals:
        told: A sentence for the status bar.
        shown: Another slice was brought into view.
        worst_wanted: The next slice is to be that of the queue.
    """

    told = Signal(str)
    shown = Signal()
    worst_wanted = Signal()

    def __init__(
        self,
        document: StudyDocument,
        view: ViewState,
        states: SliceStates,
        settings: Settings,
        prompts: ReviewPrompts,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._view = view
        self._states = states
        self._settings = settings
        self._prompts = prompts
        self._by_worst = False
        document.stack_changed.connect(self._name_reader)
        settings.reader_changed.connect(self._name_reader)

    @property
    def here(self) -> SlicePlace:
        """The slice on the screen, or the one that is marked in the montage."""
        return self._view.phase, self._view.slice_index

    def approve_slice(self) -> None:
        """Call this slice right, and go on to the next that is not approved."""
        if not self._may_review() or not self._labelled_here():
            return
        here = self.here
        if self._states.at(here) is SliceState.APPROVED:
            self.told.emit(f"{_name(here)} is approved already.")
        else:
            review = self._document.review.value.approve_slices([here])
            self._push(review, f"Approve {_name(here).lower()}", here)
        self._go_on(here)

    def approve_phase(self) -> None:
        """Call every slice of this phase right."""
        if not self._may_review() or not self._labelled_here():
            return
        phase = self._view.phase
        left = self._states.left_in(phase)
        if not left:
            self.told.emit(f"Every slice of phase {phase + 1} is approved already.")
            return
        places = [(phase, number) for number in left]
        review = self._document.review.value.approve_slices(places)
        self._push(review, f"Approve phase {phase + 1}", None)
        self.told.emit(f"Phase {phase + 1} is approved, {self._say_left()}.")

    def doubt_slice(self) -> None:
        """Take the approval of this slice back."""
        here = self.here
        if not self._may_review():
            return
        if self._states.at(here) is not SliceState.APPROVED:
            self.told.emit(f"{_name(here)} is not approved.")
            return
        review = self._document.review.value
        left = review.doubt_slices([here], reader=self._settings.reader, at=utc_now())
        self._push(left, f"Doubt {_name(here).lower()}", here)
        self.told.emit(f"{_name(here)} is not approved any more.")

    def approve_study(self) -> None:
        """Approve the study, with name and note."""
        study = self._document.study
        if study is None or not self._may_review():
            return
        left = self._states.left()
        answer = self._prompts.ask_approval(study.name, self._settings.reader, len(left))
        if answer is None or not answer.reader.strip():
            return
        self._settings.set_reader(answer.reader)
        review = self._document.review.value.approve(
            left, reader=answer.reader, at=utc_now(), note=answer.note.strip()
        )
        self._push(review, "Approve the study", None)
        more = " Save it, and open the folder again to compare it with the first reading."
        second = more if review.is_second_reading else ""
        self.told.emit(f"{study.name} is approved by {answer.reader.strip()}.{second}")

    def reopen_study(self) -> None:
        """Take the approval of the study back, for a reason."""
        study = self._document.study
        if study is None or not self._document.review.value.is_approved:
            self.told.emit("The study is not approved.")
            return
        reason = self._prompts.ask_reason(
            "Open the study again", "What is wrong? The report's history keeps the reason."
        )
        if reason:
            review = self._document.review.value.reopen(
                reason, reader=self._settings.reader, at=utc_now()
            )
            self._push(review, "Open the study again", None)
            self.told.emit(f"{study.name} is open again.")

    def ignore(self, finding: Finding) -> None:
        """Set a finding aside, for a reason that the report prints."""
        reason = self._prompts.ask_reason(
            "Set this finding aside", f"{finding.what}\n\nWhy is it right? The report says so."
        )
        if reason:
            review = self._document.review.value.ignore(finding.key, reason, self._settings.reader)
            self._push(review, "Set a finding aside", None)

    def heed(self, finding: Finding) -> None:
        """Show a finding again that was set aside."""
        review = self._document.review.value.heed(finding.key)
        self._push(review, "Heed a finding again", None)

    def follow_queue(self) -> None:
        """The reader goes by the queue: after an approval the next worst slice comes."""
        self._by_worst = True

    def next_left(self) -> None:
        """Go to the next slice that is not approved."""
        self._go_to_left(1)

    def previous_left(self) -> None:
        """Go to the slice before that is not approved."""
        self._go_to_left(-1)

    def go_to(self, phase: int | None, slice_index: int | None) -> None:
        """Bring a slice into view; where one of the two is None it stays as it is."""
        self._view.set_playing(False)
        if phase is not None:
            self._view.set_phase(phase)
        if slice_index is not None:
            self._view.set_slice(slice_index)
        self.shown.emit()

    def _go_to_left(self, by: int) -> None:
        self._by_worst = False
        if self._document.labels is None:
            return
        place = self._states.next_left(self.here, by)
        if place is None:
            left = self._states.left()
            self.told.emit("This is the last one." if left else "Every slice is approved.")
            return
        self.go_to(*place)

    def _go_on(self, here: SlicePlace) -> None:
        place = self._states.next_left(here, 1)
        if self._by_worst and self._states.left():
            self.worst_wanted.emit()
        elif place is not None:
            self.go_to(*place)
        self.told.emit(f"{_name(here)} is approved, {self._say_left()}.")

    def _say_left(self) -> str:
        left = len(self._states.left())
        return f"{left} left" if left else "nothing is left; the study can be approved"

    def _may_review(self) -> bool:
        if self._document.labels is None:
            self.told.emit("There is nothing to approve here; choose a short-axis stack.")
            return False
        if not self._states.phases():
            self.told.emit("There are no labels to approve yet. Predict or draw them.")
            return False
        return True

    def _labelled_here(self) -> bool:
        phase = self._view.phase
        if phase not in self._states.phases():
            self.told.emit(f"Phase {phase + 1} has no labels; there is nothing to approve in it.")
            return False
        return True

    def _push(self, review: Review, text: str, place: SlicePlace | None) -> None:
        if review != self._document.review.value:
            command = ChangeReview(self._document, review, text=text, place=place)
            self._document.undo_stack.push(command)
            self._document.end_step()

    def _name_reader(self) -> None:
        self._document.review.reader = self._settings.reader


def _name(place: SlicePlace) -> str:
    return f"Slice {place[1] + 1}, phase {place[0] + 1}"
