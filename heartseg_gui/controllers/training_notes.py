"""The list of trainings on the disk: read once, and written whenever it has changed."""

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from engine.errors import CannotSaveError, ModelError
from engine.learning.apart.places import trainings_folder
from engine.learning.apart.run_list import NotedRun, RunState, read_runs, write_runs
from engine.progress import Progress, Steps
from heartseg_gui.documents.training_runs import TrainingRun, TrainingRuns
from heartseg_gui.jobs import Job, JobQueue


class TrainingNotes(QObject):
    """Keeps the list of runs where the next window finds it.

    Signals:
        failed: Why the list cannot be read or written.
    """

    failed = Signal(Exception)

    def __init__(self, runs: TrainingRuns, jobs: JobQueue, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runs, self._jobs = runs, jobs
        self._folder = trainings_folder()
        self._job: Job | None = None
        self._again = False
        self._loaded = False

    def load(self) -> None:
        """List the trainings of earlier days, once; what was under way then is stopped."""
        if self._loaded:
            return
        self._loaded = True
        try:
            noted = read_runs(self._folder)
        except ModelError as error:
            self.failed.emit(error)
            return
        known = {run.key for run in self._runs.runs}
        for each in noted:
            state = RunState.STOPPED if each.state is RunState.QUEUED else each.state
            if each.key not in known:
                self._runs.put(TrainingRun(each.key, each.order, state, fault=each.fault))

    def write(self) -> None:
        """Write the list in a job; once more where it has changed meanwhile."""
        if self._job is not None:
            self._again = True
            return
        self.load()  # or the trainings of earlier days would be lost
        steps = _write(self._folder, self._noted())
        self._job = self._jobs.add("Noting trainings", steps, quiet=True)
        self._job.failed.connect(self.failed)
        self._job.ended.connect(self._take_end)

    def write_now(self) -> None:
        """Write the list before the program ends."""
        if not self._loaded:
            return
        try:
            write_runs(self._folder, self._noted())
        except CannotSaveError as error:
            self.failed.emit(error)

    def _take_end(self) -> None:
        self._job = None
        if self._again:
            self._again = False
            self.write()

    def _noted(self) -> list[NotedRun]:
        return [run.noted() for run in reversed(self._runs.runs)]


def _write(folder: Path, runs: list[NotedRun]) -> Steps[None]:
    yield Progress(0, 1, "Noting trainings")
    write_runs(folder, runs)
