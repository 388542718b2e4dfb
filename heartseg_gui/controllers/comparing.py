"""Comparing two readings in a job, predicting one of them first where it is asked for."""

from typing import Any

from PySide6.QtCore import QObject, Signal

from engine.labelmap import LabelMap
from engine.progress import Progress, Steps
from heartseg_gui.controllers.prediction import PredictSteps, Wish, predict_steps
from heartseg_gui.documents.comparison import PREDICTION, Comparison
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.documents.view_state import ViewState
from heartseg_gui.jobs import Job, JobQueue, Lane
from heartseg_gui.settings import Settings


class Comparing(QObject):
    """Answers the comparison page; a newer wish stops the older one.

    Signals:
        told: A sentence for the status bar.
        failed: Why two readings could not be compared.
    """

    told = Signal(str)
    failed = Signal(Exception)

    def __init__(
        self,
        document: StudyDocument,
        view: ViewState,
        comparison: Comparison,
        jobs: JobQueue,
        settings: Settings,
        *,
        predict: PredictSteps = predict_steps,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._view, self._comparison = document, view, comparison
        self._jobs, self._settings = jobs, settings
        self._predict = predict
        self._job: Job | None = None
        self._choice = ("", "")
        document.stack_changed.connect(self._stop)

    def compare(self) -> None:
        """Find out how the two chosen readings differ now."""
        comparison = self._comparison
        first, second = comparison.first, comparison.second
        self._stop()
        if first is None or second is None:
            return
        self._choice = comparison.choice
        if first.labels is None or second.labels is None:
            self._start_prediction()
            return
        steps = _compare(first.labels.copy(), second.labels.copy())
        self._job = self._jobs.add("Comparing", steps)
        self._job.succeeded.connect(self._take_result)
        self._job.failed.connect(self.failed)

    def _start_prediction(self) -> None:
        cine = self._document.cine
        if cine is None:
            return
        key_phases = (self._document.ed_phase, self._document.es_phase)
        settings = self._settings
        wish = Wish("ed-es", settings.model, settings.device, key_phases, self._view.phase)
        steps = self._predict(cine, wish)
        self._job = self._jobs.add("Predicting for the comparison", steps, lane=Lane.COMPUTE)
        self._job.succeeded.connect(self._take_prediction)
        self._job.failed.connect(self.failed)
        self._job.cancelled.connect(self._tell_cancelled)

    def _take_prediction(self, prediction: Any) -> None:
        labels, made_by = self._document.stack_labels, prediction.provenance
        if self.sender() is not self._job or labels is None:
            return
        for phase in prediction.phases:
            voxels = prediction.voxels[phase]
            self._document.predicted.take_phase(phase, voxels, made_by, like=labels)
        if PREDICTION in self._comparison.choice:
            self.compare()

    def _take_result(self, result: Any) -> None:
        if self.sender() is self._job and self._choice == self._comparison.choice:
            self._job = None
            self._comparison.set_result(result)

    def _tell_cancelled(self) -> None:
        self.told.emit("There is no prediction to compare with.")

    def _stop(self) -> None:
        if self._job is not None:
            self._job.cancel()
        self._job = None


def _compare(first: LabelMap, second: LabelMap) -> Steps[Any]:
    yield Progress(0, 1, "Comparing the readings")
    from engine.clinical.reading_comparison import compare_readings

    return compare_readings(first, second)
