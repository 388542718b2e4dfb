"""From the steps of a journal to those of the undo stack."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from engine.io.journal.entries import Kind
from engine.io.journal.prediction import latest_predictions
from engine.io.journal.restoring import Restoration, RestoredStep
from heartseg_gui.documents.commands import (
    ChangeReview,
    PaintStroke,
    ReplaceLabels,
    SetKeyPhases,
    Step,
)
from heartseg_gui.documents.refilling import refilling
from heartseg_gui.documents.review_state import utc_now
from heartseg_gui.documents.study_document import StudyDocument


def refill(document: StudyDocument, restoration: Restoration) -> None:
    """Put the undo stack back as it was, and the labels as the steps that are done leave them.

    Args:
        document: A study as it was just opened, or just refilled from the same journal.
        restoration: The steps.
    """
    signed = document.signed[1] if document.signed else document.provenance
    stored, review = document.review.value, document.review
    reader, plain = review.reader, None
    # Time and strokes are never taken back; what the file says of them is the latest.
    decided = replace(restoration.start.review, seconds=stored.seconds, strokes=stored.strokes)
    undo = document.undo_stack
    try:
        with refilling(document, replace(restoration.start, review=decided)):
            for number, step in enumerate(restoration.steps):
                if number == restoration.clean:
                    undo.setClean()
                    plain = document.provenance
                review.now, review.reader = partial(_time_of, step), step.by
                undo.push(_command_of(document, step))
            if restoration.clean is None:
                undo.resetClean()
            elif restoration.clean == len(restoration.steps):
                undo.setClean()
                plain = document.provenance
            undo.setIndex(restoration.index)
    finally:
        review.now, review.reader = utc_now, reader
    document.signed = None if plain is None else (plain, signed)
    if len(restoration.patch):
        document.apply(restoration.patch)
    labels, done = document.labels, restoration.steps[: restoration.index]
    if labels is not None:
        given = latest_predictions(labels, restoration.start, done)
        for phase, (voxels, made_by) in given.items():
            document.predicted.take_phase(phase, voxels, made_by, like=labels)


def _command_of(document: StudyDocument, step: RestoredStep) -> Step:
    if step.kind is Kind.EDIT:
        return PaintStroke(document, -1, step.patch, text=step.text, source=step.source)
    if step.kind is Kind.KEY_PHASES:
        return SetKeyPhases(document, step.key_phases or (None, None), text=step.text)
    if step.kind is Kind.REVIEW:
        before = document.review.value
        review = step.review or before
        review = replace(review, seconds=before.seconds, strokes=before.strokes)
        return ChangeReview(document, review, text=step.text, place=step.place)
    return ReplaceLabels(
        document,
        step.patch,
        phases=step.phases,
        slices=step.slices,
        provenance=step.provenance or document.provenance,
        phases_by_hand=step.key_phases,
        text=step.text,
    )


def _time_of(step: RestoredStep) -> str:
    """When a step was done, as the review's own clock tells it."""
    moment = datetime.fromisoformat(step.at) if step.at else datetime.now(UTC)
    return moment.isoformat(timespec="seconds")
