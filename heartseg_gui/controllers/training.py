"""Trainings, each in a process of its own: started, queued, paused, stopped, kept, resumed."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from engine.errors import HeartSegError, ModelError
from engine.learning.apart.order import TrainingEnd, TrainingNews, TrainingOrder
from engine.learning.apart.run_list import RunState
from engine.learning.apart.running import Reins, train_apart
from engine.progress import Progress, Steps
from heartseg_gui.controllers.training_notes import TrainingNotes
from heartseg_gui.documents.training_prompts import Leaving, TrainingPrompts
from heartseg_gui.documents.training_runs import TrainingRun, TrainingRuns
from heartseg_gui.jobs import Job, JobQueue, Lane

TrainSteps = Callable[[TrainingOrder, Reins], Steps[TrainingEnd]]
"""From an order and the reins to steps that yield `TrainingNews`."""

_ENDS = {
    TrainingEnd.DONE: RunState.DONE,
    TrainingEnd.KEPT: RunState.KEPT,
    TrainingEnd.STOPPED: RunState.STOPPED,
}


class Training(QObject):
    """Answers what the reader wants of trainings; one at a time has a device, the others wait.

    Attributes:
        train: How is trained.

    Signals:
        told: A sentence for the status bar.
        failed: Why something cannot be done; a training that fails says so in its page.
        model_made: The folder of a training that has become a model.
    """

    told = Signal(str)
    failed = Signal(Exception)
    model_made = Signal(Path)

    def __init__(
        self,
        runs: TrainingRuns,
        jobs: JobQueue,
        prompts: TrainingPrompts,
        *,
        train: TrainSteps = train_apart,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._runs, self._jobs, self._prompts = runs, jobs, prompts
        self.train = train
        self._notes = TrainingNotes(runs, jobs, self)
        self._notes.failed.connect(self.failed)
        self._at_work: dict[Job, tuple[str, Reins]] = {}
        self._closed = False

    def load(self) -> None:
        """List the trainings of earlier days, once."""
        self._notes.load()

    def start(self, order: TrainingOrder) -> None:
        """Train as soon as the device is free."""
        taken = [run for run in self._runs.runs if run.out == order.out and not run.state.is_model]
        if any(run.state.is_active or run.state is RunState.QUEUED for run in taken):
            self.failed.emit(
                ModelError(
                    f"Another training goes to {order.out} already.", hint="Choose another folder."
                )
            )
            return
        key = f"{datetime.now(UTC).isoformat(timespec='microseconds')} {order.out.name}"
        self._runs.put(TrainingRun(key, order, RunState.QUEUED))
        self._runs.choose(key)
        self._advance()
        run = self._runs.get(key)
        if run is not None and run.state is RunState.QUEUED:
            self.told.emit(f"{run.title} waits until the training before it has ended.")

    def pause(self, key: str) -> None:
        """Wait after the batch that is under way; memory stays taken."""
        for reins in self._reins_of(key):
            reins.pause()

    def go_on(self, key: str) -> None:
        """Go on: after a pause at once; after a stop from the last whole epoch."""
        run = self._runs.get(key)
        if run is None or run.state.is_model:
            return
        reins = self._reins_of(key)
        for each in reins:
            each.go_on()
        if not reins:
            self._queue(run)
            self._advance()

    def stop(self, key: str) -> None:
        """Stop; the last whole epoch can be gone on from. One that waits is taken off the queue."""
        run = self._runs.get(key)
        if run is None:
            return
        if run.state is RunState.QUEUED:
            self._runs.put(replace(run, state=RunState.STOPPED))
            self._notes.write()
        elif self._prompts.ask_stop(run.title, lost_of(run)):
            for reins in self._reins_of(key):
                reins.stop()

    def keep(self, key: str) -> None:
        """Stop, and make a model of the best epoch so far."""
        run = self._runs.get(key)
        if run is None or run.state.is_model:
            return
        reins = self._reins_of(key)
        if not reins:
            self._queue(run)
            self._begin(self._runs.get(key) or run, keep=True)
        for each in reins:
            each.keep()

    def drop(self, key: str) -> None:
        """Take a training off the list; its folder stays."""
        run = self._runs.get(key)
        if run is not None and not run.state.is_active:
            self._runs.drop(key)
            self._notes.write()

    def leave(self, then: Callable[[], None]) -> None:
        """Call `then`, unless trainings are under way and the reader stays for them."""
        active = self._runs.active
        if active:
            lost = "; ".join(filter(None, (lost_of(run) for run in active)))
            names = ", ".join(run.title for run in active)
            queued = len(self._runs.queued)
            if self._prompts.ask_leaving(names, lost, queued) is Leaving.STAY:
                return
        then()

    def shut_down(self) -> None:
        """Write the list before the program ends; the jobs are stopped by their queue."""
        self._closed = True  # what waits must not be begun when what ran has ended
        self._notes.write_now()

    def _queue(self, run: TrainingRun) -> None:
        order = replace(run.order, resume=True)
        self._runs.put(replace(run, order=order, state=RunState.QUEUED, fault=None, notes=()))
        self._runs.to_the_end(run.key)

    def _advance(self) -> None:
        """Start whatever waits and has its device free."""
        if self._closed:
            return
        for run in self._runs.queued:
            busy = [each.order.device for each in self._runs.active]
            if not any(_are_same(run.order.device, device) for device in busy):
                self._begin(run)
        self._notes.write()

    def _begin(self, run: TrainingRun, *, keep: bool = False) -> None:
        reins = Reins()
        if keep:
            reins.keep()
        title = f"Training {run.title}"
        job = self._jobs.add(title, self.train(run.order, reins), lane=Lane.TRAINING)
        self._at_work[job] = (run.key, reins)
        self._runs.put(replace(run, state=RunState.RUNNING, progress=Progress(0, 0, "Starting")))
        job.progressed.connect(self._take_news)
        job.succeeded.connect(self._take_end)
        job.failed.connect(self._take_fault)
        job.cancelled.connect(self._take_stop)
        job.ended.connect(self._take_job_end)

    def _reins_of(self, key: str) -> list[Reins]:
        return [reins for run, reins in self._at_work.values() if run == key]

    def _run_of_sender(self) -> TrainingRun | None:
        job = self.sender()
        known = self._at_work.get(job) if isinstance(job, Job) else None
        return None if known is None else self._runs.get(known[0])

    def _take_news(self, news: Progress) -> None:
        run = self._run_of_sender()
        if run is None or not isinstance(news, TrainingNews):
            return
        if news == TrainingNews(*_facts(run)) and run.state.is_active:
            return  # nothing new
        self._runs.put(run.with_news(news))

    def _take_end(self, end: TrainingEnd) -> None:
        run = self._run_of_sender()
        if run is None:
            return
        self._end(run, _ENDS[end])
        if end is TrainingEnd.STOPPED:
            self.told.emit(f"{run.title} is stopped; it can go on from its last whole epoch.")
        else:
            self.told.emit(f"{run.title} is a model now.")
            self.model_made.emit(run.out)

    def _take_fault(self, error: Exception) -> None:
        run = self._run_of_sender()
        if run is None:
            return
        fault = error if isinstance(error, HeartSegError) else None
        if fault is None:
            self.failed.emit(error)
        self._end(run, RunState.FAILED, fault)
        self.told.emit(f"{run.title} failed{'' if fault is None else ': ' + fault.what}")

    def _take_stop(self) -> None:
        run = self._run_of_sender()
        if run is not None:
            self._end(run, RunState.STOPPED)

    def _end(self, run: TrainingRun, state: RunState, fault: HeartSegError | None = None) -> None:
        progress = Progress(0, 0, "")
        self._runs.put(replace(run, state=state, fault=fault, progress=progress, seconds_left=None))

    def _take_job_end(self) -> None:
        job = self.sender()
        assert isinstance(job, Job)
        self._at_work.pop(job, None)
        self._advance()


def lost_of(run: TrainingRun) -> str:
    """What would be trained again after a stop, in words; blank for nothing."""
    doing = run.progress.doing
    if not doing.startswith("Epoch"):
        return ""
    return f"{doing.partition(',')[0]} of {run.title}"


def _facts(run: TrainingRun) -> Sequence[Any]:
    progress, paused = run.progress, run.state is RunState.PAUSED
    return progress.done, progress.total, progress.doing, paused


def _are_same(one: str, other: str) -> bool:
    """Whether two wishes may mean the same device: auto may be any."""
    return one == other or "auto" in {one, other}
