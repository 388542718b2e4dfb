"""The study document and its commands, without a window."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.labelmap import LabelPatch
from engine.review.states import Review
from engine.structures import Structure
from engine.study import Origin, Provenance, StoredLabels
from heartseg_gui.documents.authorship import signed_provenance
from heartseg_gui.documents.commands import PaintStroke, ReplaceLabels, SetKeyPhases
from heartseg_gui.documents.study_document import StudyDocument
from tests.phantoms import CylinderHeart


@pytest.fixture
def document() -> StudyDocument:
    document = StudyDocument()
    document.set_study(CylinderHeart().study(Path("/nowhere/anna")))
    return document


def patch_of(document: StudyDocument, *indices: int) -> LabelPatch:
    assert document.labels is not None
    return document.labels.patch_at(np.array(indices), Structure.RV)


def test_reference_labels_are_shown_and_stay_as_they_are(document: StudyDocument) -> None:
    assert document.labels is not None
    assert document.reference is not None
    before = document.reference.voxels.copy()
    document.undo_stack.push(PaintStroke(document, 1, patch_of(document, 0, 1, 2)))

    assert np.array_equal(document.reference.voxels, before)
    assert not np.array_equal(document.labels.voxels, before)


def test_pieces_of_one_stroke_merge_and_those_of_two_do_not(document: StudyDocument) -> None:
    for stroke, index in ((1, 0), (1, 1), (2, 2)):
        document.undo_stack.push(PaintStroke(document, stroke, patch_of(document, index)))

    assert document.undo_stack.count() == 2


def test_going_back_and_forth_ends_where_it_was(document: StudyDocument) -> None:
    assert document.labels is not None
    states = [document.labels.voxels.copy()]
    for stroke in range(5):
        document.undo_stack.push(PaintStroke(document, stroke, patch_of(document, 7 * stroke, 3)))
        states.append(document.labels.voxels.copy())
    for state in reversed(states[:-1]):
        document.undo_stack.undo()
        assert np.array_equal(document.labels.voxels, state)
    for state in states[1:]:
        document.undo_stack.redo()
        assert np.array_equal(document.labels.voxels, state)


def test_replacing_labels_goes_back_with_who_made_them(document: StudyDocument) -> None:
    assert document.labels is not None
    document.undo_stack.push(PaintStroke(document, 1, patch_of(document, 0)))
    patch = document.labels.patch_to(np.zeros_like(document.labels.voxels))
    predicted = Provenance(Origin.PREDICTED, "model")
    document.undo_stack.push(
        ReplaceLabels(document, patch, phases=range(4), provenance=predicted, text="Predict")
    )
    assert document.provenance == predicted
    assert document.corrected_slices() == ()
    document.undo_stack.undo()

    assert document.provenance.origin is Origin.REFERENCE
    assert document.corrected_slices() == ((0, 0),)


def test_labels_nobody_touched_keep_their_author(document: StudyDocument) -> None:
    assert signed_provenance(document, "A. Reader") == document.provenance


def test_corrections_are_signed_even_by_a_reader_without_a_name(document: StudyDocument) -> None:
    document.undo_stack.push(PaintStroke(document, 1, patch_of(document, 0)))
    signed = signed_provenance(document, "")

    assert signed.origin is Origin.CORRECTED
    assert signed.corrected_by == "unnamed reader"
    document.undo_stack.undo()
    assert signed_provenance(document, "").origin is Origin.REFERENCE


def test_another_study_starts_with_nothing_to_undo(document: StudyDocument) -> None:
    document.undo_stack.push(PaintStroke(document, 1, patch_of(document, 0)))
    document.undo_stack.push(SetKeyPhases(document, (2, None), text="Set end-diastole"))
    document.set_study(CylinderHeart().study(Path("/nowhere/berta")))

    assert not document.modified
    assert document.undo_stack.count() == 0
    assert document.phases_by_hand == (None, None)
    assert document.corrected_slices() == ()


def test_saved_labels_take_the_place_of_those_that_were_opened(document: StudyDocument) -> None:
    assert document.labels is not None
    document.undo_stack.push(PaintStroke(document, 1, patch_of(document, 0)))
    path = Path("/nowhere/anna/heartseg/labels.nii.gz")
    saved = document.labels.copy()
    document.take_saved(StoredLabels("labels", 0, saved, Provenance(Origin.CORRECTED), (path,)))
    document.set_stack(0)

    assert np.array_equal(document.labels.voxels, saved.voxels)
    assert document.provenance.origin is Origin.CORRECTED


def test_a_second_reading_is_saved_in_its_own_file(document: StudyDocument) -> None:
    """Or it would take the place of the first one."""
    assert document.study is not None
    assert document.labels is not None
    assert document.saved_to is None
    place = Path("/nowhere/anna/heartseg/labels_reading_2.nii.gz")
    review = Review().second_reading(reader="B. Reader", at="2026-01-01T00:00:00+00:00")
    stored = StoredLabels(place.name, 0, document.labels.copy(), files=(place,), review=review)
    document.set_study(replace(document.study, labels=(stored,)))

    assert document.saved_to == place
