"""The open study, its editable label map and all that undo knows."""

from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoStack

from engine.cine import Cine
from engine.labelmap import LabelMap, LabelPatch, SlicePlace
from engine.review.states import Review
from engine.study import Origin, Provenance, Stack, StoredLabels, Study
from heartseg_gui.documents.predicted_labels import PredictedLabels
from heartseg_gui.documents.review_state import ReviewState
from heartseg_gui.documents.step_log import StepLog

__all__ = ["PhasesByHand", "SlicePlace", "StudyDocument"]

PhasesByHand = tuple[int | None, int | None]
"""End-diastole and end-systole as far as a person has set them (0-based)."""


class StudyDocument(QObject):
    """What is being read and edited.

    Labels and the phases set by hand change by commands on `undo_stack` alone; "modified" means
    that the stack is not clean, and saving makes it clean.

    Signals:
        study_changed: Another study, or none, is open. The stack has changed too.
        stack_changed: Another stack of the study is on the screen.
        labels_changed: Some voxels changed; carries the `LabelPatch`.
        provenance_changed: Who made the labels, or which slices a person corrected.
        key_phases_changed: End-diastole or end-systole was set or cleared by hand.
        leaving: Another stack, study or none is about to take the place of this one.
    """

    study_changed = Signal()
    stack_changed = Signal()
    labels_changed = Signal(LabelPatch)
    provenance_changed = Signal()
    key_phases_changed = Signal()
    leaving = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.undo_stack = QUndoStack(self)
        self.review, self.predicted = ReviewState(self), PredictedLabels(self)
        self.steps = StepLog(self)
        self._study: Study | None = None
        self._stack_index = 0
        self._stack: Stack | None = None
        self._labels: LabelMap | None = None
        self._reference: LabelMap | None = None
        self._provenance = Provenance()
        self._edits: dict[SlicePlace, set[Hashable]] = defaultdict(set)
        self._phases_by_hand: PhasesByHand = (None, None)
        self.saved_to: Path | None = None
        self.signed: tuple[Provenance, Provenance] | None = None  # see `signed_provenance`

    @property
    def study(self) -> Study | None:
        """The open study."""
        return self._study

    @property
    def stack(self) -> Stack | None:
        """The stack or further view on the screen."""
        return self._stack

    @property
    def stack_index(self) -> int:
        """Position of the stack among the study's stacks, then its other views."""
        return self._stack_index

    @property
    def measurable(self) -> bool:
        """Whether the stack on the screen is one that volumes can be measured of."""
        return self._study is not None and self._stack_index < len(self._study.stacks)

    @property
    def is_long_axis(self) -> bool:
        """Whether a view of one slice is on the screen that can be drawn on."""
        return self._labels is not None and not self.measurable

    @property
    def cine(self) -> Cine | None:
        """The grey values on the screen."""
        return self._stack.cine if self._stack else None

    @property
    def labels(self) -> LabelMap | None:
        """The editable label map of the stack, or of a long-axis view."""
        return self._labels

    @property
    def stack_labels(self) -> LabelMap | None:
        """The labels where they fill a volume; None on a long-axis view."""
        return self._labels if self.measurable else None

    @property
    def reference(self) -> LabelMap | None:
        """The reference labels that came with the study; never edited."""
        return self._reference

    @property
    def provenance(self) -> Provenance:
        """Who made the labels, with the slices corrected since."""
        return self._provenance

    @property
    def ed_phase(self) -> int | None:
        """End-diastole set by hand, else by the source, else None."""
        source = self._stack.ed_phase if self._stack else None
        return source if self._phases_by_hand[0] is None else self._phases_by_hand[0]

    @property
    def es_phase(self) -> int | None:
        """End-systole set by hand, else by the source, else None."""
        source = self._stack.es_phase if self._stack else None
        return source if self._phases_by_hand[1] is None else self._phases_by_hand[1]

    @property
    def phases_by_hand(self) -> PhasesByHand:
        """End-diastole and end-systole as far as a person has set them."""
        return self._phases_by_hand

    @property
    def modified(self) -> bool:
        """Whether there are edits that are not saved."""
        return not self.undo_stack.isClean()

    def corrected_slices(self) -> tuple[SlicePlace, ...]:
        """(phase, slice) pairs that a person has changed and not taken back."""
        edited = {place for place, strokes in self._edits.items() if strokes}
        return tuple(sorted(edited | set(self._provenance.corrected_slices)))

    def set_study(self, study: Study | None) -> None:
        """Open a study at its best stack, or close it."""
        self.leaving.emit()
        self._study = study
        self._take_stack(0)
        self.study_changed.emit()
        self.stack_changed.emit()

    def set_stack(self, index: int) -> None:
        """Go to another stack or view of the open study; labels and undo start anew."""
        self.leaving.emit()
        self._take_stack(index)
        self.stack_changed.emit()

    def set_phases_by_hand(self, phases: PhasesByHand) -> None:
        """Set end-diastole and end-systole, or let them be found; for commands only."""
        if phases != self._phases_by_hand:
            self._phases_by_hand = phases
            self.key_phases_changed.emit()

    def apply(self, patch: LabelPatch) -> None:
        """Change the labels; for commands only."""
        assert self._labels is not None
        if self.steps.refilling:
            return
        self._labels.apply(patch)
        self.labels_changed.emit(patch)

    def end_step(self) -> None:
        """Say that a step is complete, e.g. because the mouse button was released."""
        self.steps.ended.emit()

    def note_edit(self, places: Iterable[SlicePlace], stroke: Hashable) -> None:
        """Remember that a person's stroke changed these slices; for commands only."""
        new = [place for place in places if stroke not in self._edits[place]]
        for place in new:
            self._edits[place].add(stroke)
        if new:
            self.provenance_changed.emit()

    def forget_edit(self, stroke: Hashable) -> None:
        """Take back `note_edit`; for commands only."""
        for strokes in self._edits.values():
            strokes.discard(stroke)
        self.provenance_changed.emit()

    def edits_on(self, place: SlicePlace) -> frozenset[Hashable]:
        """The numbers of the strokes on a slice that are not taken back."""
        return frozenset(self._edits.get(place, ()))

    def drop_edits(self, replaced: Iterable[SlicePlace]) -> dict[SlicePlace, set[Hashable]]:
        """Forget the edits of replaced slices; returns them for `restore_edits`. For commands."""
        return {place: self._edits.pop(place) for place in set(replaced) & self._edits.keys()}

    def restore_edits(self, dropped: dict[SlicePlace, set[Hashable]]) -> None:
        """Take back `drop_edits`; for commands only."""
        self._edits.update(dropped)

    def set_provenance(self, provenance: Provenance) -> None:
        """State who made the labels; for commands and saving."""
        self._provenance = provenance
        self.provenance_changed.emit()

    def take_saved(self, stored: StoredLabels) -> None:
        """Remember saved labels, so that the stack shows them when the reader comes back to it."""
        assert self._study is not None
        self._study = self._study.with_labels(stored)
        self.saved_to = next(iter(stored.files), None)

    def _take_stack(self, index: int) -> None:
        views = self._study.views if self._study else ()
        self._stack_index = index
        self._stack = views[index] if index < len(views) else None
        self.signed = None
        self._edits.clear()
        self.undo_stack.clear()
        shown = _shown(self._study, index)
        self._labels, self._reference = shown.labels, shown.reference
        self._provenance, self._phases_by_hand = shown.provenance, shown.phases_by_hand
        self.saved_to = shown.saved_to
        self.review.open(shown.review)
        self.predicted.open(shown.own)


@dataclass(frozen=True, slots=True, eq=False)
class _Shown:
    """The labels that a stack or view is opened with."""

    labels: LabelMap | None = None
    reference: LabelMap | None = None
    provenance: Provenance = field(default_factory=Provenance)
    phases_by_hand: PhasesByHand = (None, None)
    saved_to: Path | None = None
    review: Review = field(default_factory=Review)
    own: tuple[StoredLabels, ...] = ()


def _shown(study: Study | None, index: int) -> _Shown:
    """What a stack, or a further view of one slice, is opened with; others cannot be drawn on."""
    if study is None or index >= len(study.views):
        return _Shown()
    cine = study.views[index].cine
    if index >= len(study.stacks) and (cine.slice_count > 1 or cine.colour is not None):
        return _Shown()
    stored = study.labels_of(index)
    references = [s for s in stored if s.provenance.origin is Origin.REFERENCE]
    own = [s for s in stored if s.provenance.origin is not Origin.REFERENCE]
    reference = references[0].labels if references else None
    first = next(iter(own + references), None)
    if first is None:
        return _Shown(LabelMap.empty(cine.phase_count, cine.geometry))
    return _Shown(
        first.labels.copy(),
        reference,
        first.provenance,
        first.phases_by_hand,
        _file_of_its_own(first),
        first.review,
        tuple(own),
    )


def _file_of_its_own(stored: StoredLabels) -> Path | None:
    """The file of a second reading, which must not be saved over the first one."""
    return next(iter(stored.files), None) if stored.review.is_second_reading else None
