"""How far the labels of each slice have come: predicted, edited, propagated, approved."""

from collections import Counter

import numpy as np
from PySide6.QtCore import QObject, Signal

from engine.labelmap import LabelPatch, SlicePlace
from engine.review.states import SliceState, state_of
from engine.study import Origin
from heartseg_gui.documents.study_document import StudyDocument


class SliceStates(QObject):
    """Follows the document; a phase is looked at when it is asked for, and then kept.

    Signals:
        changed: The state of some slice may be another one.
    """

    changed = Signal()

    def __init__(self, document: StudyDocument, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._labelled: dict[int, tuple[bool, ...]] = {}  # for each phase, for each slice
        self._states: dict[int, tuple[SliceState, ...]] = {}
        self._patches: list[LabelPatch] = []  # that nobody has asked about yet
        document.stack_changed.connect(self._forget_all)
        document.labels_changed.connect(self._take_patch)
        document.provenance_changed.connect(self._forget_states)
        document.review.changed.connect(self._forget_states)

    def of_phase(self, phase: int) -> tuple[SliceState, ...]:
        """The state of each slice of a phase; nothing where no labels can be."""
        labels = self._document.labels
        if labels is None or not 0 <= phase < labels.shape[0]:
            return ()
        self._forget_patched()
        if phase not in self._states:
            self._states[phase] = self._look_at(phase)
        return self._states[phase]

    def at(self, place: SlicePlace) -> SliceState | None:
        """The state of one slice (phase, slice); None where no labels can be."""
        states = self.of_phase(place[0])
        return states[place[1]] if place[1] < len(states) else None

    def phases(self) -> tuple[int, ...]:
        """Phases that have labels, and so are to be approved; rising."""
        labels = self._document.labels
        if labels is None:
            return ()
        self._forget_patched()
        predicted = self._document.provenance.doubt
        return tuple(p for p in range(labels.shape[0]) if p in predicted or any(self._seen(p)))

    def count(self) -> Counter[SliceState]:
        """How many slices of the labelled phases are in each state."""
        return Counter(state for phase in self.phases() for state in self.of_phase(phase))

    def left(self) -> tuple[SlicePlace, ...]:
        """Slices of labelled phases that are not approved, in the order of the heartbeat."""
        return tuple(
            (phase, number)
            for phase in self.phases()
            for number, state in enumerate(self.of_phase(phase))
            if state is not SliceState.APPROVED
        )

    def left_in(self, phase: int) -> tuple[int, ...]:
        """Slices of one phase that are not approved."""
        states = enumerate(self.of_phase(phase))
        return tuple(number for number, state in states if state is not SliceState.APPROVED)

    def next_left(self, place: SlicePlace, by: int) -> SlicePlace | None:
        """The next slice that is not approved, after (by = 1) or before (by = -1) a place.

        It goes on in the next labelled phase, and round; None where nothing is left but the place
        itself, or nothing at all.
        """
        others = [each for each in self.left() if each != place]
        if not others:
            return None
        if by > 0:
            return next((each for each in others if each > place), others[0])
        return next((each for each in reversed(others) if each < place), others[-1])

    def _look_at(self, phase: int) -> tuple[SliceState, ...]:
        document = self._document
        seen = self._seen(phase)
        predicted = {phase} if phase in document.provenance.doubt else set()
        made_by = document.provenance
        if (made_by.model or made_by.origin is Origin.PREDICTED) and any(seen):
            predicted = {phase}  # where a model has labelled, an empty slice is an answer too
        corrected = {place for place in document.corrected_slices() if place[0] == phase}
        labelled = {(phase, number) for number, any_there in enumerate(seen) if any_there}
        return tuple(
            state_of(
                (phase, number),
                review=document.review.value,
                corrected=corrected,
                predicted_phases=predicted,
                labelled=labelled,
            )
            for number in range(len(seen))
        )

    def _seen(self, phase: int) -> tuple[bool, ...]:
        """Whether there is any label on each slice of a phase."""
        labels = self._document.labels
        assert labels is not None
        if phase not in self._labelled:
            planes = labels.voxels[phase].reshape(labels.shape[1], -1)
            self._labelled[phase] = tuple((np.max(planes, axis=1) > 0).tolist())
        return self._labelled[phase]

    def _forget_all(self) -> None:
        self._labelled.clear()
        self._patches = []
        self._forget_states()

    def _take_patch(self, patch: LabelPatch) -> None:
        """Remember it: a brush must not wait for what nobody asks about."""
        self._patches.append(patch)

    def _forget_patched(self) -> None:
        """Look again at the phases that were painted."""
        labels = self._document.labels
        patches, self._patches = self._patches, []
        if labels is None or not patches:
            return
        volume = labels.shape[1] * labels.shape[2] * labels.shape[3]
        indices = np.concatenate([patch.indices for patch in patches])
        for phase in np.unique(indices // volume).tolist():
            self._labelled.pop(phase, None)
            self._states.pop(phase, None)

    def _forget_states(self) -> None:
        self._states.clear()
        self.changed.emit()
