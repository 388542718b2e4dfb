"""The steps of a journal as whoever fills an undo stack needs them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.io.journal.entries import Entry, Kind, PhasesByHand, Source
from engine.io.journal.history import History
from engine.io.journal.patches import decode_patch, join_patches
from engine.io.journal.records import Record
from engine.io.provenance_json import provenance_from_json
from engine.labelmap import LabelPatch, SlicePlace
from engine.review.states import Review
from engine.study import Provenance

_NOTHING = LabelPatch(np.empty(0, np.intp), np.empty(0, np.uint8), np.empty(0, np.uint8))


@dataclass(frozen=True, slots=True, eq=False)
class RestoredStep:
    """A step that can be undone or redone.

    Attributes:
        kind: Edit, replaced labels or key phases.
        text: What the undo menu calls it.
        source: Who drew it.
        patch: What it changed.
        phases: Phases (0-based) that were replaced.
        slices: Single slices that were replaced.
        provenance: Who made the labels from then on; None where that stayed.
        key_phases: End-diastole and end-systole from then on; None where they stayed.
        review: What readers decided, where they did.
        place: The slice that they decided about, where it is one.
        at: When it was done, ISO 8601 in UTC.
        by: Name of the reader; may be empty.
    """

    kind: Kind
    text: str
    source: Source
    patch: LabelPatch = field(repr=False)
    phases: frozenset[int] = frozenset()
    slices: frozenset[SlicePlace] = frozenset()
    provenance: Provenance | None = None
    key_phases: PhasesByHand | None = None
    review: Review | None = None
    place: SlicePlace | None = None
    at: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Start:
    """What the first step of a journal found.

    Attributes:
        provenance: Who had made the labels.
        phases_by_hand: End-diastole and end-systole as a person had set them (0-based).
        review: What readers had decided.
    """

    provenance: Provenance = field(default_factory=Provenance)
    phases_by_hand: PhasesByHand = (None, None)
    review: Review = field(default_factory=Review)


@dataclass(frozen=True, slots=True, eq=False)
class Restoration:
    """An undo stack as it was.

    Attributes:
        steps: All steps, the first first.
        index: How many of them are done.
        clean: After how many of them the labels were as they are in their file; None where no
            undo or redo leads there any more.
        start: What the first of them found.
        patch: From the labels as they were read to those after the steps that are done.
        entry: What to write into the journal about it, or None.
    """

    steps: tuple[RestoredStep, ...] = field(repr=False)
    index: int
    clean: int | None
    start: Start
    patch: LabelPatch = field(repr=False)
    entry: Entry | None = None


def restored_step(pieces: Sequence[Record], size: int) -> RestoredStep:
    """The step that some lines tell.

    Args:
        pieces: Its lines, the first first.
        size: Number of voxels of the label map.

    Raises:
        AttributeError, IndexError, KeyError, TypeError, ValueError: It is damaged.
    """
    first, last = pieces[0].facts, pieces[-1].facts
    kind = Kind(pieces[0].kind)
    changes = [decode_patch(piece.patch, size) for piece in pieces if piece.patch]
    made, decided, place = last.get("provenance"), last.get("value"), last.get("place")
    return RestoredStep(
        kind,
        str(last["text"]),
        Source(first.get("source", Source.HUMAN)),
        join_patches(changes) if len(changes) > 1 else next(iter(changes), _NOTHING),
        frozenset(int(phase) for piece in pieces for phase in piece.facts.get("phases", ())),
        frozenset((int(t), int(z)) for piece in pieces for t, z in piece.facts.get("slices", ())),
        None if made is None else provenance_from_json(made),
        _pair(last.get("key_phases")),
        None if decided is None else Review.from_json(decided),
        None if place is None else (int(place[0]), int(place[1])),
        pieces[0].at,
        pieces[0].by,
    )


def start_of(history: History) -> Start:
    """What the first step found.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: It is damaged.
    """
    base = history.base
    if not base:
        return Start()
    phases = _pair(base["key_phases"])
    review = Review.from_json(base["review"])
    return Start(provenance_from_json(base["provenance"]), phases or (None, None), review)


def _pair(phases: Any) -> PhasesByHand | None:
    if phases is None:
        return None
    ed_phase, es_phase = (None if phase is None else int(phase) for phase in phases)
    return ed_phase, es_phase
