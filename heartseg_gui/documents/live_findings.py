"""What the checks find in the labels as they are, while they are edited."""

import time
from collections.abc import Iterable

import numpy as np
from PySide6.QtCore import QObject, Signal

from engine.clinical.findings import Finding, sort_findings
from engine.clinical.lint import lint_patient
from engine.clinical.slice_lint import lint_slice
from engine.clinical.study_lint import lint_counts
from engine.labelmap import LabelPatch, SlicePlace
from engine.progress import Progress, Steps
from heartseg_gui.documents.at_rest import AtRest
from heartseg_gui.documents.live_measures import LiveMeasures
from heartseg_gui.documents.study_document import StudyDocument

_SOON_MS = 40
_REST_MS = 200
_TURN_S = 0.003  # of checking before the window may do something else


class LiveFindings(QObject):
    """Checks again what was edited: a slice as soon as the stroke has ended, the rest after a rest.

    While a mouse button is down nothing is checked, so that no brush waits for it. Slices are
    checked in turns of a few milliseconds, also when a whole study is new.

    Signals:
        changed: Some finding came, went, or is told otherwise.
    """

    changed = Signal()

    def __init__(
        self, document: StudyDocument, measures: LiveMeasures, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._measures = measures
        self._patches: list[LabelPatch] = []
        self._waiting: dict[SlicePlace, None] = {}  # slices to check, in order
        self._of_slices: dict[SlicePlace, list[Finding]] = {}
        self._of_study: list[Finding] = []
        self._ready = False
        self._soon, self._rest = AtRest(_SOON_MS, self), AtRest(_REST_MS, self)
        self._turn = AtRest(0, self)  # more slices wait: let the window go on in between
        for time_to in (self._soon, self._turn):
            time_to.due.connect(self._check_slices)
        self._rest.due.connect(self._check_study)
        document.stack_changed.connect(self._take_stack)
        document.labels_changed.connect(self._take_patch)
        document.key_phases_changed.connect(self._rest.wish)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All of them, the surest first."""
        phases = sorted(self._of_slices.items())
        found = [*self._of_study, *(each for _, some in phases for each in some)]
        return tuple(sort_findings(found))

    @property
    def at_rest(self) -> bool:
        """Whether everything is checked as it is now."""
        return not (self._soon.waits or self._rest.waits or self._waiting or self._patches)

    def get_ready(self) -> None:
        """The checks are loaded: check what waits."""
        self._ready = True
        self._soon.wish()
        self._rest.wish()

    def at(self, place: SlicePlace) -> tuple[Finding, ...]:
        """What was found on one slice (phase, slice)."""
        return tuple(self._of_slices.get(place, ()))

    def _take_stack(self) -> None:
        self._patches, self._waiting = [], {}
        self._of_slices, self._of_study = {}, []
        self._wait_for(self._labelled())
        self._soon.wish()
        self._rest.wish()
        self.changed.emit()

    def _take_patch(self, patch: LabelPatch) -> None:
        """Remember that something changed; what it means is found out when there is time."""
        self._patches.append(patch)
        self._soon.wish()
        self._rest.wish()

    def _labelled(self) -> list[SlicePlace]:
        tally = self._measures.tally
        if tally is None:
            return []
        phases, slices = np.nonzero(tally.counts[:, :, 1:].sum(axis=2))
        return list(zip(phases.tolist(), slices.tolist(), strict=True))

    def _wait_for(self, places: Iterable[SlicePlace]) -> None:
        self._waiting.update(dict.fromkeys(places))

    def _check_slices(self) -> None:
        """Check slices that wait for some milliseconds, then let the window go on."""
        labels = self._document.stack_labels
        if labels is None or not self._ready:
            return
        for patch in self._patches:
            self._wait_for(patch.slices(labels.shape))
        if self._patches:
            self._patches = []
            self._rest.wish()
        end_s = time.perf_counter() + _TURN_S
        changed = False
        while self._waiting and time.perf_counter() < end_s:
            place = next(iter(self._waiting))
            del self._waiting[place]
            changed |= self._check(place)
        if self._waiting:
            self._turn.wish()
        if changed:
            self.changed.emit()

    def _check(self, place: SlicePlace) -> bool:
        """Check one slice; whether anything else is found there than before."""
        labels = self._document.stack_labels
        assert labels is not None
        phase, slice_index = place
        found = lint_slice(
            labels.voxels[place],
            spacing_mm=labels.geometry.spacing_mm[1:],
            phase=phase,
            slice_index=slice_index,
        )
        before = self._of_slices.pop(place, [])
        if found:
            self._of_slices[place] = found
        return found != before

    def _check_study(self) -> None:
        """Check what the slices have together."""
        tally, study, stack = self._measures.tally, self._document.study, self._document.stack
        if tally is None or study is None or stack is None:
            return
        voxel_ml = stack.cine.geometry.voxel_ml if stack.size_known else None
        choice = self._measures.measure().choice
        found = lint_counts(tally.counts, choice, voxel_ml=voxel_ml)
        found += lint_patient(study.patient)
        if found != self._of_study:
            self._of_study = found
            self.changed.emit()


def load_checks() -> Steps[None]:
    """Import what the checks need, which takes longer than all of them together."""
    yield Progress(0, 2, "Loading the checks")
    import scipy.ndimage  # noqa: F401

    yield Progress(1, 2, "Loading the checks")
    import engine.clinical.queue
    import engine.clinical.reading_comparison  # noqa: F401
