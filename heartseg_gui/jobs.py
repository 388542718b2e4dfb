"""Slow work on pool threads, kept alive and told about on the window's thread."""

import logging
import os
import threading
from enum import Enum
from typing import Any

from PySide6.QtCore import QObject, QThread, QThreadPool, Signal, Slot

from engine.progress import Cancelled, Progress, Steps, run_to_end

_log = logging.getLogger(__name__)


class Lane(Enum):
    """Which jobs wait for each other."""

    FILES = "files"  # reading and writing, meshes, reports
    COMPUTE = "compute"  # one at a time: the compute device


class Job(QObject):
    """Runs an engine generator on a pool thread.

    The generator gets frozen values or copies, never a document.

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

    def __init__(self, title: str, steps: Steps[Any], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.title = title
        self._steps = steps
        self._stop = threading.Event()

    def cancel(self) -> None:
        """Ask the work to stop at its next step."""
        self._stop.set()

    def run(self) -> None:
        """Do the work; called on a pool thread."""
        try:
            result = run_to_end(self._steps, tell=self.progressed.emit, stop=self._stop.is_set)
        except Cancelled:
            self.cancelled.emit()
        except Exception as error:  # noqa: BLE001  (the one place that may catch everything)
            _log.info("job %r failed", self.title, exc_info=error)
            self.failed.emit(error)
        else:
            if self._stop.is_set():
                self.cancelled.emit()
            else:
                self.succeeded.emit(result)
        finally:
            self.ended.emit()


class JobQueue(QObject):
    """Holds every job until it has ended; one compute job at a time.

    Signals:
        job_started: A `Job` was taken on.
        job_ended: A `Job` is over, whatever the outcome.
    """

    job_started = Signal(Job)
    job_ended = Signal(Job)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs: list[Job] = []
        self._pools = {lane: QThreadPool(self) for lane in Lane}
        self._pools[Lane.COMPUTE].setMaxThreadCount(1)
        self._pools[Lane.FILES].setMaxThreadCount(max(2, (os.cpu_count() or 2) // 2))

    @property
    def jobs(self) -> tuple[Job, ...]:
        """Jobs that wait or run."""
        return tuple(self._jobs)

    def add(self, title: str, steps: Steps[Any], *, lane: Lane = Lane.FILES) -> Job:
        """Start `steps` as soon as its lane is free.

        Connect to the job's signals before returning to the event loop: results are delivered
        on the window's thread.
        """
        assert QThread.currentThread() is self.thread()
        job = Job(title, steps)
        self._jobs.append(job)
        job.ended.connect(self._drop_ended)
        self.job_started.emit(job)
        self._pools[lane].start(job.run)
        return job

    def close(self) -> None:
        """Cancel every job and wait until all have stopped."""
        for job in self._jobs:
            job.cancel()
        for pool in self._pools.values():
            pool.waitForDone()

    @Slot()
    def _drop_ended(self) -> None:
        job = self.sender()
        assert isinstance(job, Job)
        self._jobs.remove(job)
        self.job_ended.emit(job)
