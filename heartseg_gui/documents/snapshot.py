"""The labels at one moment, with all that goes into a file or a report with them."""

from dataclasses import dataclass

from engine.labelmap import LabelMap
from engine.review.states import Review
from engine.study import Provenance, Study
from heartseg_gui.documents.authorship import signed_provenance
from heartseg_gui.documents.study_document import PhasesByHand, StudyDocument


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """A copy for a job, which must not read a document that changes meanwhile.

    Attributes:
        study: The open study.
        stack_index: Which of its stacks the labels lie on.
        labels: A copy of the labels.
        provenance: Who made them, the reader's corrections included.
        phases_by_hand: End-diastole and end-systole as far as a person has set them (0-based).
        review: What readers decided, with the time and strokes spent.
    """

    study: Study
    stack_index: int
    labels: LabelMap
    provenance: Provenance
    phases_by_hand: PhasesByHand
    review: Review


def take_snapshot(document: StudyDocument, reader: str) -> Snapshot | None:
    """Copy what is on the screen; None where nothing is that has labels.

    Args:
        document: What is being edited.
        reader: Who sits before the screen; may be empty.
    """
    study, labels = document.study, document.labels
    if study is None or labels is None:
        return None
    return Snapshot(
        study,
        document.stack_index,
        labels.copy(),
        signed_provenance(document, reader),
        document.phases_by_hand,
        document.review.to_store,
    )
