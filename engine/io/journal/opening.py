"""What a study is like when a person opens it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.cine import Cine
from engine.io.journal.entries import PhasesByHand
from engine.labelmap import LabelMap
from engine.review.states import Review
from engine.study import Origin, Provenance, Stack, StoredLabels


@dataclass(frozen=True, slots=True, eq=False)
class Opening:
    """What a study was like when a person opened it; each session of a journal begins with it.

    Attributes:
        study: Name of the study's folder; nothing else in a journal names a patient.
        stack: Index of the stack.
        cine: Its images.
        labels: Its labels as they were read; nobody changes them.
        provenance: Who had made those.
        phases_by_hand: End-diastole and end-systole that came with them (0-based).
        review: What readers had decided about them.
    """

    study: str
    stack: int
    cine: Cine = field(repr=False)
    labels: LabelMap = field(repr=False)
    provenance: Provenance = field(default_factory=Provenance)
    phases_by_hand: PhasesByHand = (None, None)
    review: Review = field(default_factory=Review)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Number of voxels (t, z, y, x)."""
        return self.cine.shape


def shown_labels(stored: Sequence[StoredLabels]) -> StoredLabels | None:
    """The labels that a stack is opened with: its own ones, else the reference, else none."""
    own = [labels for labels in stored if labels.provenance.origin is not Origin.REFERENCE]
    return next(iter(own or stored), None)


def opening_of(
    stack: Stack, stored: Sequence[StoredLabels], *, study: str = "", index: int = 0
) -> Opening:
    """What a stack is like when it is opened: with its own labels, the reference's, or none."""
    first = shown_labels(stored)
    if first is None:
        labels = LabelMap.empty(stack.cine.phase_count, stack.cine.geometry)
        return Opening(study, index, stack.cine, labels)
    return Opening(
        study,
        index,
        stack.cine,
        first.labels,
        first.provenance,
        first.phases_by_hand,
        first.review,
    )
