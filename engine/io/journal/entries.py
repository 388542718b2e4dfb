"""What happened to the labels, as whoever edits hands it over: values that change no more.

Handing over costs nothing; bytes are made of them elsewhere (`engine.io.journal.encoding`).
"""

import time
from dataclasses import dataclass, field
from enum import StrEnum

from engine.labelmap import LabelMap, LabelPatch, SlicePlace
from engine.review.states import Review
from engine.study import Provenance, StoredLabels

PhasesByHand = tuple[int | None, int | None]
"""End-diastole and end-systole as far as a person has set them (0-based)."""


class Kind(StrEnum):
    """What a line of the journal says."""

    OPENED = "opened"  # a person opened the study and edits it
    EDIT = "edit"
    REPLACED = "replaced"  # whole phases, with who made them: a prediction or a label file
    KEY_PHASES = "key phases"
    UNDO = "undo"
    REDO = "redo"
    REVIEW = "review"
    SAVING = "saving"  # the labels as they are here are being written to a file
    SAVED = "saved"
    RECOVERED = "recovered"  # edits that were not saved were found and kept
    DISCARDED = "discarded"  # edits that were not saved were given up
    CLOSED = "closed"
    CHECKPOINT = "checkpoint"  # what the lines before it amount to
    AUDIT = "audit"  # lines of the past that nothing can be replayed from any more

    @property
    def is_step(self) -> bool:
        """Whether it is a step that can be undone."""
        return self in STEPS


STEPS = frozenset({Kind.EDIT, Kind.REPLACED, Kind.KEY_PHASES, Kind.REVIEW})
"""Kinds of lines that are steps, or pieces of one, that can be undone."""


class Source(StrEnum):
    """Who drew what an edit put in place."""

    HUMAN = "human"
    MODEL = "model"
    PROPAGATED = "propagated"
    FILE = "file"


@dataclass(slots=True, eq=False)
class Entry:
    """One thing that happened, to be written into the journal; once handed over it stays as it is.

    Attributes:
        kind: What.
        text: What the undo menu calls it.
        patches: The pieces of a change, in the order in which they were made.
        joined: Whether it is a further piece of the step before it, not a step of its own.
        source: Who drew it.
        phases: Phases (0-based) that were replaced.
        slices: Single slices that were replaced.
        provenance: Who made the labels from now on, where that changed.
        key_phases: End-diastole and end-systole from now on, where those changed.
        review: What readers decided, where they decided something.
        place: The slice that they decided about, where it is one.
        labels: A copy of the labels that are being saved.
        stored: The labels that were saved.
        saving: Which saving it belongs to; whoever hands it over numbers them.
        count: Number of steps, of an undo or redo and of what was recovered or discarded.
        by: Name of the reader; may be empty.
        when: Seconds since 1970 (UTC) [s].
    """

    kind: Kind
    text: str = ""
    patches: tuple[LabelPatch, ...] = field(default=(), repr=False)
    joined: bool = False
    source: Source = Source.HUMAN
    phases: frozenset[int] = frozenset()
    slices: frozenset[SlicePlace] = frozenset()
    provenance: Provenance | None = None
    key_phases: PhasesByHand | None = None
    review: Review | None = None
    place: SlicePlace | None = None
    labels: LabelMap | None = field(default=None, repr=False)
    stored: StoredLabels | None = None
    saving: int = 0
    count: int = 1
    by: str = ""
    when: float = field(default_factory=time.time)
