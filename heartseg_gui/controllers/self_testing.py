"""Finding out how the chosen model runs best on this machine."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal

from engine.progress import Progress, Steps
from heartseg_gui.controllers.loading import load_chosen
from heartseg_gui.jobs import Job, JobQueue, Lane

SelfTestSteps = Callable[[str, str, bool], Steps[Any]]
"""From model name, device and whether to forget what is remembered to steps that return a
`SelfTest`."""


def self_test_steps(model: str, device: str, afresh: bool) -> Steps[Any]:
    """The remembered self-test or a new one; torch is imported on the pool thread."""
    yield Progress(0, 0, "Loading the model")
    from engine.learning.execution import choose_execution
    from engine.learning.runtime import choose_device

    loaded = load_chosen(model)
    return (yield from choose_execution(loaded, choose_device(device), afresh=afresh))


class SelfTesting(QObject):
    """Runs the self-test in a job; a new one takes the place of one under way.

    Signals:
        progressed: A `Progress`.
        found: A `SelfTest`.
        failed: Why there is none.
        stopped: The reader stopped it.
    """

    progressed = Signal(Progress)
    found = Signal(object)
    failed = Signal(Exception)
    stopped = Signal()

    def __init__(
        self,
        jobs: JobQueue,
        *,
        test: SelfTestSteps = self_test_steps,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._test = test
        self._job: Job | None = None

    @property
    def busy(self) -> bool:
        """Whether a self-test is under way or waits."""
        return self._job is not None

    def start(self, model: str, device: str, *, afresh: bool = False) -> None:
        """Look the self-test of a model up, or do it where there is none.

        Args:
            model: Key of the model, or empty for the default one.
            device: auto, cpu or cuda.
            afresh: Whether a remembered one does not count.
        """
        self.stop()
        steps = self._test(model, device, afresh)
        self._job = self._jobs.add("Self-test", steps, lane=Lane.COMPUTE)
        self._job.progressed.connect(self._tell_progress)
        self._job.succeeded.connect(self._tell_found)
        self._job.failed.connect(self._tell_failed)
        self._job.cancelled.connect(self._tell_stopped)

    def stop(self) -> None:
        """Stop what is under way, and hear no more of it."""
        if self._job is not None:
            self._job.cancel()
            self._job = None

    def _tell_progress(self, progress: Progress) -> None:
        if self.sender() is self._job:
            self.progressed.emit(progress)

    def _tell_found(self, test: Any) -> None:
        if self.sender() is self._job:
            self._job = None
            self.found.emit(test)

    def _tell_failed(self, error: Exception) -> None:
        if self.sender() is self._job:
            self._job = None
            self.failed.emit(error)

    def _tell_stopped(self) -> None:
        if self.sender() is self._job:
            self._job = None
            self.stopped.emit()
