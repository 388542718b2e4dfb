"""One thing at a time is done with a learning loop; what comes of it is taken and told."""

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from engine.errors import ModelError
from engine.progress import Progress, Steps
from heartseg_gui.controllers.looping_steps import Outcome, look
from heartseg_gui.documents.learning_loop import LoopState, LoopWork
from heartseg_gui.jobs import Job, JobQueue, Lane
from heartseg_gui.settings import Settings


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    """A job, and whether the reader asked for it."""

    job: Job
    quiet: bool


class LoopWorker(QObject):
    """Does work on a loop in jobs, and keeps the state of the window.

    Signals:
        collected: New studies came.
        idle: Nothing is under way any more.
        model_changed: The program predicts with another model from now on.
        told: A sentence for the status bar.
        failed: Why something could not be done.
    """

    collected = Signal()
    idle = Signal()
    model_changed = Signal()
    told = Signal(str)
    failed = Signal(Exception)

    def __init__(
        self,
        state: LoopState,
        jobs: JobQueue,
        settings: Settings,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._state, self._jobs, self._settings = state, jobs, settings
        self._task: _Task | None = None

    @property
    def is_busy(self) -> bool:
        """Whether something is under way."""
        return self._task is not None

    def look(self, path: Path) -> None:
        """Look where a loop stands."""
        self.start(LoopWork.LOOKING, f"Loop {path.name}", look(path))

    def start(
        self,
        work: LoopWork,
        title: str,
        steps: Steps[Outcome],
        *,
        lane: Lane = Lane.FILES,
        quiet: bool = False,
    ) -> None:
        """Do something; a newer look takes the place of an older one, all else has to wait.

        Args:
            work: What it is.
            title: What the list of jobs says.
            steps: The work.
            lane: What it must wait for.
            quiet: Nobody asked for it: it is told in no list, and its failing in the status bar.
        """
        if self._task is not None:
            if self._state.work is not LoopWork.LOOKING:
                self.told.emit("Something else is being done with the loop.")
                return
            self._task.job.cancel()
        job = self._jobs.add(title, steps, lane=lane, quiet=quiet)
        self._task = _Task(job, quiet)
        job.progressed.connect(self._take_progress)
        job.succeeded.connect(self._take_outcome)
        job.failed.connect(self._tell_failed)
        job.cancelled.connect(self._tell_stopped)
        job.ended.connect(self._end)
        self._state.set_work(work)

    def stop(self) -> None:
        """Stop what is under way."""
        if self._task is not None:
            self._task.job.cancel()

    def _is_current(self) -> bool:
        return self._task is not None and self.sender() is self._task.job

    def _take_progress(self, progress: Progress) -> None:
        if self._is_current():
            self._state.set_progress(progress)

    def _take_outcome(self, outcome: Outcome) -> None:
        if not self._is_current():
            return
        self._finish()
        if outcome.left_out is not None:
            self._state.set_left_out(outcome.left_out)
        if outcome.standing is not None:
            self._settings.set_loop_folder(outcome.standing.loop.path)
            self._state.set_standing(outcome.standing, in_use=outcome.in_use)
        if outcome.model_changed:
            self.model_changed.emit()
        if outcome.told:
            self.told.emit(outcome.told)
        if outcome.collected:
            self.collected.emit()
        self._tell_idle()

    def _tell_failed(self, error: Exception) -> None:
        if not self._is_current():
            return
        assert self._task is not None
        quiet, learned = self._task.quiet, self._state.work is LoopWork.LEARNING
        if self._state.standing is None and self._state.work is LoopWork.LOOKING:
            self._settings.set_loop_folder(None)  # or every start would tell of it
        if quiet:
            self.told.emit(f"The learning loop could not take it: {error}")
        else:
            self.failed.emit(error)
        if learned or (isinstance(error, ModelError) and not quiet):
            self._look_after_end()

    def _tell_stopped(self) -> None:
        if self._is_current() and self._state.work is LoopWork.LEARNING:
            self.told.emit("The round is stopped. It goes on where it was, whenever you like.")
            self._look_after_end()

    def _look_after_end(self) -> None:
        """What a stopped or failed round has left is worth a look."""
        path = self._state.path
        if path is not None and self._state.work is not LoopWork.LOOKING:
            self._finish()
            self.look(path)

    def _end(self) -> None:
        if self._is_current():
            self._finish()
        self._tell_idle()

    def _finish(self) -> None:
        self._task = None
        self._state.set_work(None)

    def _tell_idle(self) -> None:
        if self._task is None:
            self.idle.emit()
