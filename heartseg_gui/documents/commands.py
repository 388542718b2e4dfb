"""The steps that undo knows. Controllers push them; nobody else changes labels."""

from PySide6.QtGui import QUndoCommand

from engine.labelmap import LabelPatch
from engine.study import Provenance
from heartseg_gui.documents.study_document import StudyDocument


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

    def redo(self) -> None:
        """Paint (again)."""
        for patch in self._patches:
            self._document.apply(patch)
        labels = self._document.labels
        assert labels is not None
        places = {place for patch in self._patches for place in patch.slices(labels.shape)}
        self._document.note_edit(places, self._stroke)

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
    """A prediction, an import or a clearing: many voxels and their provenance in one step."""

    def __init__(
        self, document: StudyDocument, patch: LabelPatch, *, provenance: Provenance, text: str
    ) -> None:
        super().__init__(text)
        self._document = document
        self._patch = patch
        self._after = provenance
        self._before = document.provenance
        self._dropped: dict[tuple[int, int], set[int]] = {}

    def redo(self) -> None:
        """Put the new labels in place."""
        labels = self._document.labels
        assert labels is not None
        phases = {phase for phase, _ in self._patch.slices(labels.shape)}
        self._dropped = self._document.drop_edits(phases)
        self._document.apply(self._patch)
        self._document.set_provenance(self._after)

    def undo(self) -> None:
        """Put the old labels back, with who made them."""
        self._document.apply(self._patch.inverse())
        self._document.restore_edits(self._dropped)
        self._document.set_provenance(self._before)
