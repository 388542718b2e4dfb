"""Segmenting with a model, as one step of undo."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from engine.cine import Cine
from engine.progress import Progress, Steps
from engine.study import Provenance, Stack
from heartseg_gui.documents.commands import ReplaceLabels
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.documents.view_state import ViewState
from heartseg_gui.jobs import Job, JobQueue, Lane
from heartseg_gui.settings import Settings

Phases = Literal["ed-es", "all"]
PredictSteps = Callable[[Cine, Phases, str, str, int | None, int | None], Steps[Any]]
"""From cine, phases, model name, device, ED and ES to steps that return a `Prediction`."""

_loaded: dict[str, Any] = {}  # the model used last; touched on the one compute thread only


def predict_steps(
    cine: Cine, phases: Phases, model: str, device: str, ed: int | None, es: int | None
) -> Steps[Any]:
    """Predict with a shipped model; torch is imported on the pool thread."""
    yield Progress(0, 0, "Loading the model")
    from engine.learning.checkpoint import load_model
    from engine.learning.inference import predict

    if model not in _loaded:
        _loaded.clear()
        _loaded[model] = load_model(model or None)
    asked = predict(_loaded[model], cine, phases=phases, device=device, ed_phase=ed, es_phase=es)
    return (yield from asked)


class Prediction(QObject):
    """Predicts in a job and pushes the result as one command.

    Signals:
        busy_changed: Whether a prediction is under way.
        models_listed: The models that can be chosen, a list of `ModelEntry`, and the name of the
            one that is.
        told: A sentence for the status bar.
        failed: Why it did not work.
    """

    busy_changed = Signal(bool)
    models_listed = Signal(list, str)
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

    def list_models(self) -> None:
        """Look up the models, and tell by `models_listed`."""
        job = self._jobs.add("Looking up the models", _list_steps())
        job.succeeded.connect(self._tell_models)
        job.failed.connect(self.failed)

    def drop_stale(self) -> None:
        """Stop a prediction whose stack is no longer on the screen."""
        if self._job is not None and self._document.stack is not self._stack:
            self._job.cancel()

    def _start(self, phases: Phases, text: str) -> None:
        document, cine = self._document, self._document.cine
        if cine is None or document.labels is None or self._job is not None:
            return
        self._stack, self._text = document.stack, text
        steps = self._predict(
            cine,
            phases,
            self._settings.model,
            self._settings.device,
            document.ed_phase,
            document.es_phase,
        )
        self._job = self._jobs.add(text, steps, lane=Lane.COMPUTE)
        self._job.succeeded.connect(self._take_prediction)
        self._job.failed.connect(self.failed)
        self._job.cancelled.connect(self._tell_cancelled)
        self._job.ended.connect(self._end)
        self.busy_changed.emit(True)

    def _take_prediction(self, prediction: Any) -> None:
        labels = self._document.labels
        if labels is None or self._document.stack is not self._stack:
            return
        wanted: NDArray[np.uint8] = labels.voxels.copy()
        phases = list(prediction.phases)
        wanted[phases] = prediction.voxels[phases]
        provenance = self._provenance_after(prediction.provenance, set(phases))
        patch = labels.patch_to(wanted)
        command = ReplaceLabels(
            self._document, patch, phases=phases, provenance=provenance, text=self._text
        )
        self._document.undo_stack.push(command)
        if phases and self._view.phase not in phases:
            self._view.set_phase(phases[0])
        done = f"{len(phases)} of {labels.shape[0]} phases were segmented."
        self.told.emit(" ".join((done, *prediction.notes)))

    def _provenance_after(self, predicted: Provenance, phases: set[int]) -> Provenance:
        """The prediction's provenance, with the corrections of phases it left alone."""
        before = self._document.provenance
        kept = tuple(place for place in before.corrected_slices if place[0] not in phases)
        person = before.corrected_by if kept else ""
        return replace(predicted, corrected_slices=kept, corrected_by=person)

    def _tell_models(self, models: list[Any]) -> None:
        self.models_listed.emit(models, self._settings.model)

    def _tell_cancelled(self) -> None:
        self.told.emit("The prediction was stopped; the labels are as they were.")

    def _end(self) -> None:
        self._job = None
        self.busy_changed.emit(False)


def _list_steps() -> Steps[list[Any]]:
    yield Progress(0, 0, "Looking up the models")
    from engine.learning.models import list_models

    return list(list_models())
