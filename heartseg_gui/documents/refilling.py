"""Putting an undo stack back as it was when the program was closed."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product

from engine.io.journal.restoring import Start
from heartseg_gui.documents.study_document import StudyDocument


@contextmanager
def refilling(document: StudyDocument, start: Start) -> Iterator[None]:
    """Let commands be pushed that have been done already; for the controller that does so.

    Inside the block the labels stay as they are and nobody is told anything; all else is set to
    what the first of the steps found, and then follows the commands.
    """
    undo, review = document.undo_stack, document.review
    silent = (document, review, undo)
    for each in silent:
        each.blockSignals(True)
    document.steps.refilling = True
    try:
        undo.clear()
        phases, slices = document.labels.shape[:2] if document.labels else (0, 0)
        document.drop_edits(product(range(phases), range(slices)))
        document.set_provenance(start.provenance)
        document.set_phases_by_hand(start.phases_by_hand)
        review.set(start.review)
        yield
    finally:
        for each in silent:
            each.blockSignals(False)
        _tell_all(document)
        document.steps.refilling = False


def _tell_all(document: StudyDocument) -> None:
    """What may be another one after steps were put back."""
    undo = document.undo_stack
    undo.canUndoChanged.emit(undo.canUndo())
    undo.canRedoChanged.emit(undo.canRedo())
    undo.undoTextChanged.emit(undo.undoText())
    undo.redoTextChanged.emit(undo.redoText())
    undo.cleanChanged.emit(undo.isClean())
    undo.indexChanged.emit(undo.index())
    document.provenance_changed.emit()
    document.key_phases_changed.emit()
    document.review.changed.emit()
