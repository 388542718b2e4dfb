"""The steps that undo knows. Controllers push them; nobody else changes labels or key phases."""

from collections.abc import Iterable

from PySide6.QtGui import QUndoCommand

from engine.labelmap import LabelPatch
from engine.study import Provenance
from heartseg_gui.documents.study_document import PhasesByHand, SlicePlace, StudyDocument

_FIRST_RUN = 1 << 30  # ids of strokes are smaller


class PaintStroke(QUndoCommand):
    """One brush stroke, from press to release.

    Every mouse move pushes a command; Qt merges those that share an `id`, here the stroke's.
    """

    def __init__(
        self, document: StudyDocument, stroke: int, patch: LabelPatch, *, text: str = "Paint"
    ) -> None:
        super().__init__(text)
        self._document = document
        self._stroke = stroke
        self._patches = [patch]  # joined only when undone: merging must not grow with the stroke

    def places(self) -> set[SlicePlace]:
        """The slices that were painted."""
        labels = self._document.labels
        assert labels is not None
        return {place for patch in self._patches for place in patch.slices(labels.shape)}

    def redo(self) -> None:
        """Paint (again)."""
        for patch in self._patches:
            self._document.apply(patch)
        self._document.note_edit(self.places(), self._stroke)

    def undo(self) -> None:
        """Take the whole stroke back."""
        for patch in reversed(self._patches):
            self._document.apply(patch.inverse())
        self._document.forget_edit(self._stroke)

    def id(self) -> int:
        """The stroke's number: Qt merges commands of equal id."""
        return self._stroke

    def mergeWith(self, later: QUndoCommand) -> bool:
        """Take a later piece of the same stroke in."""
        assert isinstance(later, PaintStroke)
        self._patches.extend(later._patches)
        return True


class ReplaceLabels(QUndoCommand):
    """A prediction or an import: whole phases, who made them, perhaps ED and ES, in one step."""

    def __init__(
        self,
        document: StudyDocument,
        patch: LabelPatch,
        *,
        phases: Iterable[int],
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
            provenance: Who made the labels, from now on.
            phases_by_hand: End-diastole and end-systole that come with them; None leaves both.
            text: What the undo menu calls it.
            run: Commands of one run that follow each other directly become one step.
        """
        super().__init__(text)
        self._document = document
        self.run = run
        self._patches = [patch]
        self._phases = frozenset(phases)
        self._after = provenance
        self._before = document.provenance
        self._key_phases_before = document.phases_by_hand
        self._key_phases_after = phases_by_hand or document.phases_by_hand
        self._dropped: dict[SlicePlace, set[int]] = {}

    def places(self) -> set[SlicePlace]:
        """The slices that changed."""
        labels = self._document.labels
        assert labels is not None
        return {place for patch in self._patches for place in patch.slices(labels.shape)}

    def id(self) -> int:
        """The number of the run, apart from those of strokes: Qt merges commands of equal id."""
        return -1 if self.run < 0 else _FIRST_RUN + self.run

    def mergeWith(self, later: QUndoCommand) -> bool:
        """Take in the next phase of the same run."""
        assert isinstance(later, ReplaceLabels)
        self._patches.extend(later._patches)
        self._phases |= later._phases
        self._dropped.update(later._dropped)
        self._after, self._key_phases_after = later._after, later._key_phases_after
        return True

    def redo(self) -> None:
        """Put the new labels in place."""
        self._dropped = self._document.drop_edits(self._phases)
        for patch in self._patches:
            self._document.apply(patch)
        self._document.set_provenance(self._after)
        self._document.set_phases_by_hand(self._key_phases_after)

    def undo(self) -> None:
        """Put the old labels back, with who made them."""
        for patch in reversed(self._patches):
            self._document.apply(patch.inverse())
        self._document.restore_edits(self._dropped)
        self._document.set_provenance(self._before)
        self._document.set_phases_by_hand(self._key_phases_before)


class SetKeyPhases(QUndoCommand):
    """End-diastole or end-systole set by hand, or both left to be found again."""

    def __init__(self, document: StudyDocument, phases: PhasesByHand, *, text: str) -> None:
        super().__init__(text)
        self._document = document
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

    def redo(self) -> None:
        """Set them (again)."""
        self._document.set_phases_by_hand(self._after)

    def undo(self) -> None:
        """Set them as they were."""
        self._document.set_phases_by_hand(self._before)
