"""Carrying a slice on to others: proposed, looked at, accepted or rejected one by one."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from engine.cine import Cine
from engine.io.journal.entries import Source
from engine.labelmap import LabelMap, SlicePlace
from engine.progress import Progress, Steps
from heartseg_gui.controllers.edits import Edits, Plane, where
from heartseg_gui.documents.sketch import Sketch
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.documents.view_state import ViewState
from heartseg_gui.jobs import Job, JobQueue

if TYPE_CHECKING:
    from engine.correction.propagation import Proposal


@dataclass(frozen=True, slots=True, eq=False)
class Errand:
    """What is to be carried where.

    Attributes:
        cine: The images.
        labels: A copy of the labels.
        place: The slice that is carried on.
        targets: Where to.
        before: The slice before it was corrected, (y, x); None where nobody has corrected it.
    """

    cine: Cine
    labels: LabelMap
    place: SlicePlace
    targets: tuple[SlicePlace, ...]
    before: Plane | None = None


CarrySteps = Callable[[Errand], "Steps[list[Proposal]]"]
"""Steps to proposals for the targets."""


def carry_steps(errand: Errand) -> "Steps[list[Proposal]]":
    """Move the labels with the image; what registers images is imported on the pool thread."""
    from engine.correction.propagation import Proposal, carry, propagate

    cine, voxels, place = errand.cine, errand.labels.voxels, errand.place
    around = (0, place[1])
    if errand.targets == (around,) and place[0] == cine.phase_count - 1:
        yield Progress(0, 1, "Carrying over")  # the heartbeat is round: one step, not all the rest
        carried = carry(
            cine.voxels[place],
            cine.voxels[around],
            voxels[place],
            target_plane=voxels[around],
            source_before=errand.before,
        )
        return [Proposal(*around, carried.plane, carried.agreement)]
    return (yield from propagate(cine, errand.labels, place, errand.targets, before=errand.before))


class Propagation(QObject):
    """Proposes slices and takes those that the reader accepts, one step of undo each.

    Signals:
        failed: Why it did not work.
        shown: A proposal is on the screen and waits for keys.
    """

    failed = Signal(Exception)
    shown = Signal()

    def __init__(
        self,
        document: StudyDocument,
        view: ViewState,
        edits: Edits,
        sketch: Sketch,
        jobs: JobQueue,
        *,
        carry: CarrySteps = carry_steps,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._view = view
        self._edits = edits
        self._sketch = sketch
        self._jobs = jobs
        self._carry = carry
        self._job: Job | None = None
        document.stack_changed.connect(self._forget)

    def to_next_phase(self) -> None:
        """Propose the slice on the screen for the phase after."""
        phase, slice_index = self._here
        self._start([((phase + 1) % self._view.phase_count, slice_index)])

    def to_later_phases(self) -> None:
        """Propose the slice on the screen for every later phase, once round the heartbeat."""
        phase, slice_index = self._here
        count = self._view.phase_count
        self._start([((phase + by) % count, slice_index) for by in range(1, count)])

    def to_slice_above(self) -> None:
        """Propose the slice on the screen for the one before."""
        self._start([(self._view.phase, self._view.slice_index - 1)])

    def to_slice_below(self) -> None:
        """Propose the slice on the screen for the one after."""
        self._start([(self._view.phase, self._view.slice_index + 1)])

    def accept(self) -> None:
        """Take what is proposed for the slice on the screen, and go to the next proposal."""
        proposal = self._sketch.proposal_at(self._here)
        if proposal is None:
            self._go_on()
            return
        place = proposal.place
        self._edits.push_plane(place, proposal.plane, "Carry over", source=Source.PROPAGATED)
        self._drop(place)
        self._edits.say(f"Accepted {where(place)}{self._left}.")
        self._go_on()

    def accept_all(self) -> None:
        """Take every proposal, a step each."""
        while self._sketch.proposals:
            self._go_to(self._sketch.proposals[0].place)
            self.accept()

    def reject(self) -> None:
        """Drop what is proposed for the slice on the screen, and go to the next proposal."""
        place = self._here
        if self._sketch.proposal_at(place) is not None:
            self._drop(place)
            self._edits.say(f"Rejected {where(place)}{self._left}.")
        self._go_on()

    def reject_all(self) -> None:
        """Drop every proposal."""
        self._forget()
        self._edits.say("Rejected all proposals.")

    @property
    def _here(self) -> SlicePlace:
        return self._view.phase, self._view.slice_index

    @property
    def _left(self) -> str:
        count = len(self._sketch.proposals)
        return f"; {count} left" if count else "; that was the last"

    def _start(self, targets: list[SlicePlace]) -> None:
        cine, labels = self._document.cine, self._edits.labels_or_say()
        if cine is None or labels is None or self._job is not None:
            return
        targets = [target for target in targets if 0 <= target[1] < self._view.slice_count]
        targets = [target for target in targets if target != self._here]
        if not targets:
            self._edits.say("There is no slice to carry this one to.")
            return
        if not self._edits.plane(self._here).any():
            self._edits.say("This slice has no labels to carry on.")
            return
        self._forget()
        place = self._here
        before = self._edits.uncorrected(place)
        steps = self._carry(Errand(cine, labels.copy(), place, tuple(targets), before))
        self._job = self._jobs.add("Carry over", steps)
        self._job.succeeded.connect(partial(self._take, labels))
        self._job.failed.connect(self.failed)
        self._job.ended.connect(self._end)

    def _take(self, labels: LabelMap, proposals: "list[Proposal]") -> None:
        if labels is not self._edits.labels:
            return
        self._sketch.propose(tuple(proposals))
        self._go_on()

    def _go_on(self) -> None:
        """Show the first proposal that waits."""
        if not self._sketch.proposals:
            return
        first = self._sketch.proposals[0]
        self._view.set_playing(False)
        self._go_to(first.place)
        self.shown.emit()

    def _go_to(self, place: SlicePlace) -> None:
        self._view.set_phase(place[0])
        self._view.set_slice(place[1])

    def _drop(self, place: SlicePlace) -> None:
        others = (proposal for proposal in self._sketch.proposals if proposal.place != place)
        self._sketch.propose(tuple(others))

    def _forget(self) -> None:
        self._sketch.propose(())

    def _end(self) -> None:
        self._job = None
