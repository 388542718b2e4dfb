"""Slow work on pool threads, kept alive and told about on the window's thread."""

import gc
import logging
import os
import threading
from collections import deque
from enum import Enum
from typing import Any

from PySide6.QtCore import QObject, Qt, QThread, QThreadPool, QTimer, Signal, Slot

from engine.progress import Cancelled, Progress, Steps, run_to_end

_log = logging.getLogger(__name__)

_FOLLOWED = 6  # processes at the same time: their jobs sleep nearly always


class Lane(Enum):
    """Which jobs wait for each other."""

    FILES = "files"  # reading and writing, meshes, reports
    COMPUTE = "compute"  # one at a time: the compute device
    TRAINING = "training"  # follows processes that train; whoever adds a job sees to their turn
    DRAWING = "drawing"  # always the same thread: what is drawn off the screen belongs to it


class Job(QObject):
    """Runs an engine generator on a pool thread.

    The generator gets frozen values or copies, never a document. The outcome is told by the event
    loop of the thread that made the job, so that whoever connects before going back to that loop
    misses nothing, however quick the work is.

    Signals:
        progressed: A `Progress`.
        succeeded: The generator's result.
        failed: The exception.
        cancelled: The user stopped it.
        ended: Comes last, whatever the outcome.
    """

    progressed = Signal(Progress)
    succeeded = Signal(object)
    failed = Signal(Exception)
    cancelled = Signal()
    ended = Signal()
    _done = Signal(object)  # on the pool thread: what to tell

    def __init__(self, title: str, steps: Steps[Any], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.title = title
        self._steps = steps
        self._stop = threading.Event()
        self._done.connect(self._tell_outcome, Qt.ConnectionType.QueuedConnection)

    def cancel(self) -> None:
        """Ask the work to stop at its next step."""
        self._stop.set()

    def run(self) -> None:
        """Do the work; called on a pool thread."""
        outcome: tuple[_Outcome, object] = (_Outcome.CANCELLED, None)
        try:
            if not self._stop.is_set():
                result = run_to_end(self._steps, tell=self.progressed.emit, stop=self._stop.is_set)
                outcome = (_Outcome.SUCCEEDED, result)
        except Cancelled:
            pass
        except Exception as error:  # noqa: BLE001  (the one place that may catch everything)
            _log.info("job %r failed", self.title, exc_info=error)
            outcome = (_Outcome.FAILED, error)
        self._done.emit(outcome)

    @Slot(object)
    def _tell_outcome(self, outcome: tuple["_Outcome", Any]) -> None:
        kind, value = outcome
        if self._stop.is_set() or kind is _Outcome.CANCELLED:  # also after the last step
            self.cancelled.emit()
        elif kind is _Outcome.FAILED:
            self.failed.emit(value)
        else:
            self.succeeded.emit(value)
        self.ended.emit()


class _Outcome(Enum):
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class GarbageTimer(QObject):
    """Lets Python's cycle collector run on the window's thread alone.

    Left to itself it runs on whichever thread allocates; on a pool thread it would destroy dead
    widgets there, and Qt ends the program.
    """

    _EVERY_MS = 500

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._collect)
        self._timer.start(self._EVERY_MS)

    @Slot()
    def _collect(self) -> None:
        """Collect the oldest generation that is due, as the collector itself would."""
        due = [
            generation
            for generation, (count, limit) in enumerate(
                zip(gc.get_count(), gc.get_threshold(), strict=True)
            )
            if count > limit
        ]
        if due:
            gc.collect(max(due))


class JobQueue(QObject):
    """Holds every job until it has ended; one compute job at a time.

    Signals:
        job_started: A `Job` was taken on that the reader should see.
        job_ended: A `Job` is over, whatever the outcome, that the reader could see.
    """

    job_started = Signal(Job)
    job_ended = Signal(Job)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs: list[Job] = []
        self._quiet: list[Job] = []
        self._closed = False
        # An ended job may still be on its way out of its pool thread. Held here, it is destroyed
        # on the window's thread, never by the pool's last reference.
        self._ended: deque[Job] = deque(maxlen=32)
        self._pools = {lane: QThreadPool(self) for lane in Lane}
        self._pools[Lane.COMPUTE].setMaxThreadCount(1)
        self._pools[Lane.DRAWING].setMaxThreadCount(1)
        self._pools[Lane.DRAWING].setExpiryTimeout(-1)
        self._pools[Lane.FILES].setMaxThreadCount(max(2, (os.cpu_count() or 2) // 2))
        self._pools[Lane.TRAINING].setMaxThreadCount(_FOLLOWED)

    @property
    def jobs(self) -> tuple[Job, ...]:
        """Jobs that wait or run and that the reader can see."""
        return tuple(self._jobs)

    def add(
        self, title: str, steps: Steps[Any], *, lane: Lane = Lane.FILES, quiet: bool = False
    ) -> Job:
        """Start `steps` as soon as its lane is free; connect to the job's signals at once.

        Args:
            title: What the reader sees.
            steps: The work.
            lane: What it must wait for.
            quiet: Nothing the reader should see, as a picture of many a second.

        Returns:
            The job; in a queue that was closed it never runs, and tells nothing.
        """
        assert QThread.currentThread() is self.thread()
        job = Job(title, steps)
        if self._closed:  # else whoever goes on when a job has ended would begin another one,
            return job  # which would run while the window and this queue are taken away
        (self._quiet if quiet else self._jobs).append(job)
        job.ended.connect(self._drop_ended)
        if not quiet:
            self.job_started.emit(job)
        self._pools[lane].start(job.run)
        return job

    def is_busy(self, lane: Lane) -> bool:
        """Whether a job runs there now."""
        return self._pools[lane].activeThreadCount() > 0

    def close(self) -> None:
        """Cancel every job and wait until all have stopped; none begins any more."""
        self._closed = True
        for job in (*self._jobs, *self._quiet):
            job.cancel()
        for pool in self._pools.values():
            pool.waitForDone()

    @Slot()
    def _drop_ended(self) -> None:
        job = self.sender()
        assert isinstance(job, Job)
        self._ended.append(job)
        if job in self._quiet:
            self._quiet.remove(job)
        else:
            self._jobs.remove(job)
            self.job_ended.emit(job)
