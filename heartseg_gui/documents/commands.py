"""The steps that undo knows. Controllers push them; nobody else changes labels or key phases."""

from collections.abc import Hashable, Iterable
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QUndoCommand

from engine.io.journal.entries import Entry, Kind, Source
from engine.io.journal.patches import join_patches
from engine.labelmap import Indices, LabelPatch, slice_start
from engine.review.states import Review
from engine.study import Origin, Provenance
from heartseg_gui.documents.study_document import PhasesByHand, SlicePlace, StudyDocument

_FIRST_RUN = 1 << 30  # ids of strokes are smaller


class Step(QUndoCommand):
    """A step of undo; the document's log hears when it is done, taken back and done again."""

    def __init__(self, document: StudyDocument, text: str) -> None:
        super().__init__(text)
        self._document = document
        self._entry: Entry | None = None

    def record(self) -> Entry:
        """What to write down about it, the first time that it is done."""
        raise NotImplementedError

    def do(self) -> None:
        """Do it."""
        raise NotImplementedError

    def take_back(self) -> None:
        """Put everything back as it was."""
        raise NotImplementedError

    def redo(self) -> None:
        """Do it (again), and say so."""
        review = self._document.review
        again, events = self._entry is not None, len(review.value.events)
        self.do()
        entry = Entry(Kind.REDO, self.text()) if again else self.record()
        if len(review.value.events) == events + 1 and entry.kind is not Kind.REVIEW:
            opened_again = datetime.fromisoformat(review.value.events[-1].at)
            entry.when = opened_again.timestamp()
        self._entry = entry
        self._document.steps.add(entry)

    def undo(self) -> None:
        """Take it back, and say so."""
        self.take_back()
        self._document.steps.add(Entry(Kind.UNDO, self.text()))

    def _say_joined(self, later: "Step") -> None:
        """What was logged last is a further piece of this step."""
        if later._entry is not None:
            self._document.steps.mark_joined(later._entry)


class PaintStroke(Step):
    """One brush stroke, from press to release.

    Every mouse move pushes a command; Qt merges those that share an `id`, here the stroke's.

    Attributes:
        is_of_earlier_start: Whether it was made before the program was started the last time.
    """

    def __init__(
        self,
        document: StudyDocument,
        stroke: int,
        patch: LabelPatch,
        *,
        text: str = "Paint",
        source: Source = Source.HUMAN,
    ) -> None:
        """Take over what is to change.

        Args:
            document: What is edited.
            stroke: Number of the stroke, see `StepLog.new_stroke`; -1 for one that is complete.
            patch: The voxels that become different.
            text: What the undo menu calls it.
            source: Who drew it.
        """
        super().__init__(document, text)
        self.is_of_earlier_start = document.steps.refilling
        self._stroke = stroke
        self._key = self._key_of_stroke()
        self._patches = [patch]  # joined only when undone: merging must not grow with the stroke
        self._source = source
        self._review_before = document.review.value

    def places(self) -> set[SlicePlace]:
        """The slices that were painted."""
        labels = self._document.labels
        assert labels is not None
        return {place for patch in self._patches for place in patch.slices(labels.shape)}

    def take_off(self, place: SlicePlace, plane: NDArray[np.uint8]) -> None:
        """Change a copy of a slice (y, x) into what was there before this stroke."""
        labels = self._document.labels
        assert labels is not None
        if self._key not in self._document.edits_on(place):
            return
        start = slice_start(labels.shape, *place)
        for patch in reversed(self._patches):
            positions = patch.indices - start
            here = (positions >= 0) & (positions < plane.size)
            plane.reshape(-1)[positions[here]] = patch.before[here]

    def drawn_on(self, place: SlicePlace) -> Indices:
        """The voxels of a slice that a person drew with it, as flat positions in the slice, (n,).

        Empty where the stroke was replaced since, or where nobody drew by hand.
        """
        labels = self._document.labels
        assert labels is not None
        if self._source is not Source.HUMAN or self._key not in self._document.edits_on(place):
            return np.empty(0, np.intp)
        size = labels.shape[2] * labels.shape[3]
        start = slice_start(labels.shape, *place)
        drawn = np.concatenate([patch.indices for patch in self._patches]) - start
        return drawn[(drawn >= 0) & (drawn < size)]

    def record(self) -> Entry:
        """The piece that was painted."""
        return Entry(
            Kind.EDIT,
            self.text(),
            tuple(self._patches),
            source=self._source,
        )

    def _key_of_stroke(self) -> Hashable:
        """What the document knows the edit by: the same for pieces that Qt will join.

        It is the number of the stroke, but for what comes of a stroke after it was cut in two, by
        undo or by saving in its midst: each part is taken back by itself.
        """
        undo = self._document.undo_stack
        top = undo.command(undo.index() - 1) if undo.index() not in (0, undo.cleanIndex()) else None
        joins = isinstance(top, PaintStroke) and top._stroke == self._stroke >= 0
        if joins and isinstance(top, PaintStroke):
            return top._key
        return self._stroke if self._document.steps.is_new(self._stroke) else object()

    def do(self) -> None:
        """Paint (again)."""
        for patch in self._patches:
            self._document.apply(patch)
        places = self.places()
        self._document.note_edit(places, self._key)
        review = self._document.review
        self._review_before = review.take_edit(places)
        if self._source is Source.PROPAGATED:
            review.set(review.value.propagate(places))

    def take_back(self) -> None:
        """Take the whole stroke back."""
        if len(self._patches) > 1:  # each piece would be drawn by itself
            self._patches = [join_patches(self._patches)]
        self._document.apply(self._patches[0].inverse())
        self._document.forget_edit(self._key)
        self._document.review.set(self._review_before)

    def id(self) -> int:
        """The stroke's number: Qt merges commands of equal id."""
        return self._stroke

    def mergeWith(self, later: QUndoCommand) -> bool:
        """Take a later piece of the same stroke in."""
        assert isinstance(later, PaintStroke)
        self._patches.extend(later._patches)
        self._say_joined(later)
        return True


class ReplaceLabels(Step):
    """A prediction or an import: whole phases, who made them, perhaps ED and ES, in one step."""

    def __init__(
        self,
        document: StudyDocument,
        patch: LabelPatch,
        *,
        phases: Iterable[int],
        slices: Iterable[SlicePlace] = (),
        provenance: Provenance,
        phases_by_hand: PhasesByHand | None = None,
        text: str,
        run: int = -1,
    ) -> None:
        """Take over what is to change.

        Args:
            document: What is edited.
            patch: The voxels that become different.
            phases: Phases that are replaced; what a person corrected there is gone, also where
                the new labels happen to be the old ones.
            slices: Single slices of other phases that are replaced likewise.
            provenance: Who made the labels, from now on.
            phases_by_hand: End-diastole and end-systole that come with them; None leaves both.
            text: What the undo menu calls it.
            run: Commands of one run that follow each other directly become one step.
        """
        super().__init__(document, text)
        self.run = run
        self._patches = [patch]
        self._phases = frozenset(phases)
        self._slices = frozenset(slices)
        self._after = provenance
        self._before = document.provenance
        self._key_phases_before = document.phases_by_hand
        self._key_phases_after = phases_by_hand or document.phases_by_hand
        self._dropped: dict[SlicePlace, set[Hashable]] = {}
        self._review_before = document.review.value

    def places(self) -> set[SlicePlace]:
        """The slices that changed."""
        labels = self._document.labels
        assert labels is not None
        return {place for patch in self._patches for place in patch.slices(labels.shape)}

    def record(self) -> Entry:
        """What was replaced, and who made what took its place."""
        predicted = self._after.origin is Origin.PREDICTED
        return Entry(
            Kind.REPLACED,
            self.text(),
            tuple(self._patches),
            source=Source.MODEL if predicted else Source.FILE,
            phases=self._phases,
            slices=self._slices,
            provenance=self._after,
            key_phases=self._key_phases_after,
        )

    def id(self) -> int:
        """The number of the run, apart from those of strokes: Qt merges commands of equal id."""
        return -1 if self.run < 0 else _FIRST_RUN + self.run

    def mergeWith(self, later: QUndoCommand) -> bool:
        """Take in the next phase of the same run."""
        assert isinstance(later, ReplaceLabels)
        self._patches.extend(later._patches)
        self._phases |= later._phases
        self._slices |= later._slices
        self._dropped.update(later._dropped)
        self._after, self._key_phases_after = later._after, later._key_phases_after
        self._say_joined(later)
        return True

    def do(self) -> None:
        """Put the new labels in place."""
        self._dropped = self._document.drop_edits(self._replaced())
        for patch in self._patches:
            self._document.apply(patch)
        self._review_before = self._document.review.take_edit(self._replaced())
        self._document.set_provenance(self._after)
        self._document.set_phases_by_hand(self._key_phases_after)

    def take_back(self) -> None:
        """Put the old labels back, with who made them."""
        for patch in reversed(self._patches):
            self._document.apply(patch.inverse())
        self._document.restore_edits(self._dropped)
        self._document.set_provenance(self._before)
        self._document.set_phases_by_hand(self._key_phases_before)
        self._document.review.set(self._review_before)

    def _replaced(self) -> set[SlicePlace]:
        """Every slice that is replaced, also where the new labels happen to be the old ones."""
        labels = self._document.labels
        assert labels is not None
        whole = {(phase, number) for phase in self._phases for number in range(labels.shape[1])}
        return whole | self._slices


class ReplaceSlice(ReplaceLabels):
    """A prediction of one slice alone; the other slices of its phase stay as they are."""

    def __init__(
        self,
        document: StudyDocument,
        patch: LabelPatch,
        *,
        place: SlicePlace,
        provenance: Provenance,
        text: str,
        run: int = -1,
    ) -> None:
        """Take over what is to change; see `ReplaceLabels`.

        Args:
            document: What is edited.
            patch: The voxels that become different.
            place: The slice that is replaced.
            provenance: Who made the labels, from now on.
            text: What the undo menu calls it.
            run: Commands of one run that follow each other directly become one step.
        """
        super().__init__(
            document, patch, phases=(), slices=(place,), provenance=provenance, text=text, run=run
        )

    def record(self) -> Entry:
        """What a model gave, whoever made the labels around it."""
        entry = super().record()
        entry.source = Source.MODEL
        return entry


class SetKeyPhases(Step):
    """End-diastole or end-systole set by hand, or both left to be found again."""

    def __init__(self, document: StudyDocument, phases: PhasesByHand, *, text: str) -> None:
        super().__init__(document, text)
        self._before = document.phases_by_hand
        self._after = phases

    @property
    def phase(self) -> int | None:
        """The phase whose mark appears or goes (0-based); None where both were set free."""
        changed = (
            after
            for before, after in zip(self._before, self._after, strict=True)
            if before != after and after is not None
        )
        return next(changed, None)

    def record(self) -> Entry:
        """The phases from now on."""
        return Entry(Kind.KEY_PHASES, self.text(), key_phases=self._after)

    def do(self) -> None:
        """Set them (again)."""
        self._document.set_phases_by_hand(self._after)

    def take_back(self) -> None:
        """Set them as they were."""
        self._document.set_phases_by_hand(self._before)


class ChangeReview(Step):
    """A decision of a reader: approved, opened again, a finding set aside; labels stay as they are.

    It is a step of undo, and written down, like any other.
    """

    def __init__(
        self,
        document: StudyDocument,
        review: Review,
        *,
        text: str,
        place: SlicePlace | None = None,
    ) -> None:
        """Take over what is to change.

        Args:
            document: Whose review it is.
            review: The review from now on.
            text: What the undo menu calls it.
            place: The slice that it concerns, or None where it concerns more than one.
        """
        super().__init__(document, text)
        self._before = document.review.value
        self._after = review
        self.place = place

    def record(self) -> Entry:
        """The review from now on."""
        return Entry(Kind.REVIEW, self.text(), review=self._after, place=self.place)

    def do(self) -> None:
        """Decide (again)."""
        self._document.review.set(self._after)

    def take_back(self) -> None:
        """Take the decision back."""
        self._document.review.set(self._before)
