"""Labels from elsewhere: copied slices and phases, and slices drawn between others."""

from functools import partial

import numpy as np
from PySide6.QtCore import QObject

from engine.correction.between import fill_gaps, interpolate
from engine.labelmap import LabelMap, SlicePlace
from engine.progress import Progress, Steps
from engine.structures import ALL_STRUCTURES
from heartseg_gui.controllers.edits import Edits, Plane, where
from heartseg_gui.controllers.phase_edits import Volume, push_phase, tell_change
from heartseg_gui.documents.view_state import ViewState
from heartseg_gui.jobs import JobQueue


class SliceCopying(QObject):
    """Copies, pastes and interpolates; every answer is one step of undo."""

    def __init__(
        self, edits: Edits, view: ViewState, jobs: JobQueue, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._edits = edits
        self._view = view
        self._jobs = jobs
        self._copied_slice: Plane | None = None
        self._copied_phase: Volume | None = None

    def copy(self) -> None:
        """Remember the labels of the slice on the screen."""
        if self._edits.labels is not None:
            self._copied_slice = self._edits.plane(self._place).copy()
            self._edits.say(f"Copied {where(self._place)}.")

    def paste(self) -> None:
        """Give the remembered labels to the slice on the screen."""
        labels, copied = self._edits.labels, self._copied_slice
        if labels is None or copied is None or copied.shape != labels.shape[2:]:
            self._edits.say("Copy a slice of this stack first.")
            return
        patch = self._edits.push_plane(self._place, copied, "Paste slice")
        tell_change(self._edits, "Paste", patch, where(self._place))

    def copy_phase(self) -> None:
        """Remember the labels of every slice of the phase."""
        labels = self._edits.labels
        if labels is not None:
            self._copied_phase = labels.voxels[self._view.phase].copy()
            self._edits.say(f"Copied phase {self._view.phase + 1}.")

    def paste_phase(self) -> None:
        """Give the remembered labels to every slice of the phase."""
        labels, copied = self._edits.labels, self._copied_phase
        if labels is None or copied is None or copied.shape != labels.shape[1:]:
            self._edits.say("Copy a phase of this stack first.")
            return
        push_phase(self._edits, self._view.phase, copied, "Paste phase")

    def interpolate_slice(self) -> None:
        """Draw the slice on the screen from the labelled slices above and below."""
        labels = self._edits.labels
        if labels is None:
            return
        phase, here = self._place
        drawn = [z for z in _drawn_slices(labels.voxels[phase]) if z != here]
        above = [z for z in drawn if z < here]
        below = [z for z in drawn if z > here]
        if not above or not below:
            self._edits.say("There must be a labelled slice above and one below.")
            return
        volume = labels.voxels[phase].copy()
        spacing_mm = self._edits.spacing_mm
        steps = _interpolate_steps(volume, (above[-1], below[0]), here, spacing_mm)
        self._start("Interpolate slice", steps, phase)

    def interpolate_gaps(self) -> None:
        """Draw every empty slice between labelled ones."""
        labels = self._edits.labels
        if labels is not None:
            phase = self._view.phase
            steps = _fill_gaps_steps(labels.voxels[phase].copy(), self._edits.spacing_mm)
            self._start("Interpolate gaps", steps, phase)

    @property
    def _place(self) -> SlicePlace:
        return self._view.phase, self._view.slice_index

    def _start(self, text: str, steps: Steps[Volume], phase: int) -> None:
        """Work out a phase beside the window; it is taken if its labels are still the same."""
        labels = self._edits.labels
        assert labels is not None
        before = labels.voxels[phase].copy()
        job = self._jobs.add(text, steps)
        job.succeeded.connect(partial(self._take_volume, text, labels, phase, before))
        job.failed.connect(self._fail)

    def _take_volume(
        self, text: str, labels: LabelMap, phase: int, before: Volume, wanted: Volume
    ) -> None:
        if labels is not self._edits.labels:
            return
        now = labels.voxels[phase]
        # What was drawn meanwhile stays.
        push_phase(self._edits, phase, np.where(wanted != before, wanted, now), text)

    def _fail(self, error: Exception) -> None:
        self._edits.say(str(error))


def _drawn_slices(volume: Volume) -> list[int]:
    return [int(z) for z in np.flatnonzero(volume.any(axis=(1, 2)))]


def _interpolate_steps(
    volume: Volume, between: tuple[int, int], wanted: int, spacing_mm: tuple[float, float]
) -> Steps[Volume]:
    """The phase with one slice drawn anew between two others."""
    yield Progress(0, 1, "Interpolating between slices")
    drawn = interpolate(volume, ALL_STRUCTURES, *between, spacing_mm=spacing_mm)
    after = volume.copy()
    after[wanted] = drawn[wanted]
    return after


def _fill_gaps_steps(volume: Volume, spacing_mm: tuple[float, float]) -> Steps[Volume]:
    """The phase with every gap filled."""
    yield Progress(0, 1, "Interpolating between slices")
    return fill_gaps(volume, spacing_mm=spacing_mm)
