"""Segmenting with a model, as one step of undo."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand

from engine.cine import Cine
from engine.labelmap import LabelMap, SlicePlace, keep_others
from engine.progress import Progress, Steps
from engine.structures import HEART_STRUCTURES, Structure
from engine.study import Origin, PhaseLabelled, Provenance, Stack
from heartseg_gui.controllers.loading import load_chosen
from heartseg_gui.documents.commands import ReplaceLabels, ReplaceSlice
from heartseg_gui.documents.study_document import PhasesByHand, StudyDocument
from heartseg_gui.documents.view_state import ViewState
from heartseg_gui.jobs import Job, JobQueue, Lane
from heartseg_gui.settings import Settings

Phases = Literal["ed-es", "all"] | tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of a prediction.

    Attributes:
        phases: Which ones.
        model: Key of the chosen model, or empty for the default one.
        device: auto, cpu or cuda.
        key_phases: End-diastole and end-systole, each where known.
        first: The phase that is wanted first.
    """

    phases: Phases
    model: str
    device: str
    key_phases: PhasesByHand
    first: int


PredictSteps = Callable[[Cine, Wish], Steps[Any]]
"""Steps that may yield a `PhaseLabelled` for each phase and return a `Prediction`."""


def predict_steps(cine: Cine, wish: Wish) -> Steps[Any]:
    """Predict with a shipped model; torch is imported on the pool thread."""
    yield Progress(0, 0, "Loading the model")
    from engine.learning.inference import predict

    return (
        yield from predict(
            load_chosen(wish.model),
            cine,
            phases=wish.phases,
            device=wish.device,
            key_phases=wish.key_phases,
            first=wish.first,
        )
    )


class Prediction(QObject):
    """Predicts in a job and pushes the result as one command.

    Signals:
        busy_changed: Whether a prediction is under way.
        told: A sentence for the status bar.
        failed: Why it did not work.
    """

    busy_changed = Signal(bool)
    told = Signal(str)
    failed = Signal(Exception)

    def __init__(
        self,
        document: StudyDocument,
        view: ViewState,
        jobs: JobQueue,
        settings: Settings,
        *,
        predict: PredictSteps = predict_steps,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._view = view
        self._jobs = jobs
        self._settings = settings
        self._predict = predict
        self._job: Job | None = None
        self._stack: Stack | None = None
        self._text = ""
        self._run = 0
        self._taken: list[int] = []  # phases of this run that are in the document
        self._atrial = False  # whether the left atrium alone was drawn before
        self._slice: int | None = None  # the only one that is wanted, or all

    @property
    def busy(self) -> bool:
        """Whether a prediction is under way."""
        return self._job is not None

    def predict_key_phases(self) -> None:
        """Segment end-diastole and end-systole."""
        self._start("ed-es", "Predict ED and ES")

    def predict_all_phases(self) -> None:
        """Segment every phase."""
        self._start("all", "Predict all phases")

    def predict_this_phase(self) -> None:
        """Segment the phase on the screen."""
        phase = self._view.phase
        self._start((phase,), f"Predict phase {phase + 1}")

    def predict_this_slice(self) -> None:
        """Segment the slice on the screen; its phase is computed, the other slices stay."""
        phase, slice_index = self._view.phase, self._view.slice_index
        text = f"Predict slice {slice_index + 1}, phase {phase + 1}"
        self._start((phase,), text, only_slice=slice_index)

    def drop_stale(self) -> None:
        """Stop a prediction whose stack is no longer on the screen."""
        if self._job is not None and self._document.stack is not self._stack:
            self._job.cancel()

    def _start(self, phases: Phases, text: str, *, only_slice: int | None = None) -> None:
        document, cine = self._document, self._document.cine
        if cine is None or document.stack_labels is None or self._job is not None:
            return
        self._stack, self._text, self._slice = document.stack, text, only_slice
        self._atrial = is_atrium_alone(document.stack_labels)
        wish = Wish(
            phases,
            self._settings.model,
            self._settings.device,
            (document.ed_phase, document.es_phase),
            self._view.phase,
        )
        steps = self._predict(cine, wish)
        self._run, self._taken = self._run + 1, []
        self._job = self._jobs.add(text, steps, lane=Lane.COMPUTE)
        self._job.progressed.connect(self._take_progress)
        self._job.succeeded.connect(self._take_prediction)
        self._job.failed.connect(self._fail)
        self._job.cancelled.connect(self._tell_cancelled)
        self._job.ended.connect(self._end)
        self.busy_changed.emit(True)

    def _take_progress(self, progress: Progress) -> None:
        """Show a phase as soon as it is there."""
        if isinstance(progress, PhaseLabelled) and self._is_current:
            self._take_phase(progress.phase, progress.labels, progress.provenance)

    def _take_phase(self, phase: int, wanted: NDArray[np.uint8], made_by: Provenance) -> None:
        labels = self._document.labels
        if labels is None or phase in self._taken:
            return
        drawn = keep_others(labels.voxels[phase], wanted)
        if self._slice is None:
            command = ReplaceLabels(
                self._document,
                labels.patch_phase(phase, drawn),
                phases=(phase,),
                provenance=self._provenance_after(made_by, {phase}),
                text=self._text,
                run=self._run,
            )
        else:
            command = self._slice_command((phase, self._slice), drawn, made_by)
        self._document.undo_stack.push(command)
        self._document.end_step()
        self._document.predicted.take_phase(phase, wanted, made_by, like=labels)
        self._taken.append(phase)

    def _slice_command(
        self, place: SlicePlace, wanted: NDArray[np.uint8], made_by: Provenance
    ) -> ReplaceSlice:
        """One slice of a predicted phase (z, y, x); labels of others stay those of others."""
        labels, before = self._document.labels, self._document.provenance
        assert labels is not None
        kept = tuple(each for each in before.corrected_slices if each != place)
        person = before.corrected_by if kept else ""
        basis = made_by if before.origin is Origin.UNKNOWN else before
        after = replace(basis, corrected_slices=kept, corrected_by=person)
        if place[0] in before.doubt and place[0] in made_by.doubt:
            after = replace(after, doubt={**before.doubt, place[0]: made_by.doubt[place[0]]})
        patch = labels.patch_slice(*place, wanted[place[1]])
        return ReplaceSlice(
            self._document, patch, place=place, provenance=after, text=self._text, run=self._run
        )

    def _take_prediction(self, prediction: Any) -> None:
        labels = self._document.labels
        if labels is None or not self._is_current:
            return
        phases = list(prediction.phases)
        for phase in phases:
            self._take_phase(phase, prediction.voxels[phase], prediction.provenance)
        if phases and self._view.phase not in phases:
            self._view.set_phase(phases[0])
        done = f"{len(phases)} of {labels.shape[0]} phases were segmented."
        if self._slice is not None:
            done = f"Slice {self._slice + 1} of phase {phases[0] + 1} was segmented."
        self.told.emit(" ".join((done, *prediction.notes, *self._warn_of_ventricles(prediction))))

    def _warn_of_ventricles(self, prediction: Any) -> list[str]:
        """That a model of the ventricles was run where the left atrium alone was drawn."""
        drawn = np.isin(list(HEART_STRUCTURES), prediction.voxels[list(prediction.phases)])
        if not self._atrial or not drawn.any():
            return []
        return [
            "The left atrium alone was drawn here, and this model draws ventricles: undo it, and "
            "choose a model of the left atrium."
        ]

    @property
    def _is_current(self) -> bool:
        """Whether the stack that is being segmented is on the screen."""
        return self._job is not None and self._document.stack is self._stack

    def _provenance_after(self, predicted: Provenance, phases: set[int]) -> Provenance:
        """The prediction's provenance, with the corrections of phases it left alone."""
        before = self._document.provenance
        kept = tuple(place for place in before.corrected_slices if place[0] not in phases)
        person = before.corrected_by if kept else ""
        doubt = {phase: each for phase, each in before.doubt.items() if phase not in phases}
        doubt |= predicted.doubt
        return replace(predicted, corrected_slices=kept, corrected_by=person, doubt=doubt)

    def _fail(self, error: Exception) -> None:
        if self._taken and self._document.stack is self._stack:
            self._take_back()
        self.failed.emit(error)

    def _tell_cancelled(self) -> None:
        """Take back what is there already, unless the reader has gone on from it."""
        told = "The prediction was stopped; the labels are as they were."
        if self._taken and self._document.stack is self._stack and not self._take_back():
            told = (
                "The prediction was stopped; what was segmented and then edited stays. Undo takes "
                "it back."
            )
        self.told.emit(told)

    def _take_back(self) -> bool:
        """Undo what came of this run where it is the last step; whether nothing of it is left."""
        undo = self._document.undo_stack
        if _is_of(self._run, undo.command(undo.index() - 1)):
            undo.undo()
        return not any(_is_of(self._run, undo.command(step)) for step in range(undo.index()))

    def _end(self) -> None:
        self._job = None
        self.busy_changed.emit(False)


def is_atrium_alone(labels: LabelMap | None) -> bool:
    """Whether the left atrium is drawn and nothing else."""
    if labels is None or not (labels.voxels == Structure.LEFT_ATRIUM).any():
        return False
    return not np.isin(labels.voxels, list(HEART_STRUCTURES)).any()


def _is_of(run: int, command: QUndoCommand | None) -> bool:
    return isinstance(command, ReplaceLabels) and command.run == run
