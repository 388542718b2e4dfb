"""Running published studies again, and stopping them; what is finished is never lost."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from engine.progress import Progress, Steps
from heartseg_gui.documents.grid_prompts import GridPrompts
from heartseg_gui.documents.grid_state import AxisFacts, GridFacts, GridState, GridWish
from heartseg_gui.documents.prompts import Prompts
from heartseg_gui.jobs import Job, JobQueue, Lane
from heartseg_gui.settings import Settings

RunSteps = Callable[[GridWish, str], "Steps[Path]"]
"""Runs a wish on a device."""

_LOOK_MS = 5000  # trainings that have ended appear in the table so often


class RunningGrids(QObject):
    """Answers the wishes about published studies.

    Signals:
        run_ended: The folder in which trainings have ended.
        told: A sentence for the status bar.
        failed: Why a study cannot be run.
    """

    run_ended = Signal(Path)
    told = Signal(str)
    failed = Signal(Exception)

    def __init__(
        self,
        state: GridState,
        jobs: JobQueue,
        settings: Settings,
        prompts: Prompts,
        *,
        ask: GridPrompts,
        run: RunSteps,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._state, self._jobs = state, jobs
        self._settings, self._prompts, self._run = settings, prompts, run
        self.ask = ask
        self._job: Job | None = None
        self._listing: Job | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self._tell_place)

    def list_grids(self) -> None:
        """Read which studies there are, unless that is known."""
        if not self._state.grids and self._listing is None:
            self._listing = self._jobs.add("Reading experiments", list_steps(), quiet=True)
            self._listing.succeeded.connect(self._state.set_grids)
            self._listing.failed.connect(self.failed)
            self._listing.ended.connect(self._end_listing)

    def set_wish(self, wish: GridWish) -> None:
        """Run something else."""
        if not self._state.running:
            self._state.set_wish(wish)

    def choose_data(self) -> None:
        """Ask for a folder of labelled patients; it takes the place of the former ones."""
        folder = self._prompts.ask_folder("Labelled patients", self._settings.last_folder)
        if folder is not None:
            self.set_wish(replace(self._state.wish, data=(folder,)))

    def choose_out(self) -> None:
        """Ask for the folder of the results."""
        folder = self._prompts.ask_folder("Results of the study", self._settings.last_folder)
        if folder is not None:
            self.set_wish(replace(self._state.wish, out=folder))

    def start(self) -> None:
        """Run what is wished for; what is finished in its folder is not trained again."""
        state = self._state
        if not state.can_run or state.grid is None:
            return
        steps = self._run(state.wish, self._settings.device)
        self._job = self._jobs.add(state.wish.name, steps, lane=Lane.TRAINING)
        self._job.progressed.connect(self._take_progress)
        self._job.succeeded.connect(self._tell_done)
        self._job.failed.connect(self.failed)
        self._job.cancelled.connect(self._tell_stopped)
        self._job.ended.connect(self._note_end)
        state.set_running(True)
        self._timer.start()

    def stop(self) -> None:
        """Stop after the batch that is under way; starting again goes on from there."""
        if self._job is not None:
            self._job.cancel()

    def leave(self, then: Callable[[], None]) -> None:
        """Call `then`, unless a study is being run and the reader stays for it."""
        state = self._state
        title = state.grid.title if state.grid else ""
        if not state.running or self.ask.ask_leaving(title, state.progress.doing):
            then()

    def _take_progress(self, progress: Progress) -> None:
        if self.sender() is self._job:
            self._state.set_progress(progress)

    def _tell_done(self, table: Path) -> None:
        self.told.emit(f"The study is done: {table}")

    def _tell_stopped(self) -> None:
        self.told.emit("Stopped. What is finished is kept; Run goes on from there.")

    def _note_end(self) -> None:
        if self.sender() is self._job:
            self._job = None
            self._timer.stop()
            self._state.set_running(False)
            self._tell_place()

    def _tell_place(self) -> None:
        out = self._state.wish.out
        if out is not None:
            self.run_ended.emit(out)

    def _end_listing(self) -> None:
        self._listing = None


def list_steps() -> Steps[Any]:
    """Read which studies there are."""
    yield Progress(0, 0, "Reading experiments")
    from engine.experiments.grid import list_experiments, read_grid
    from engine.learning.published import published_papers

    papers, found = published_papers(), []
    for name in list_experiments():
        grid = read_grid(name)
        axes = tuple(
            AxisFacts(axis.title, tuple((value.name, value.label) for value in axis.value))
            for axis in grid.axis
        )
        cite = papers[grid.paper].cite
        found.append(GridFacts(name, grid.title, cite, grid.data, grid.folds, axes))
    return found


def run_apart_steps(wish: GridWish, device: str) -> Steps[Path]:
    """Run a study in a process of its own, which leaves the window quick."""
    yield Progress(0, 0, "Starting a process")
    from engine.experiments.apart import TARGET
    from engine.learning.apart.running import run_apart

    order = {
        "name": wish.name,
        "out": str(wish.out),
        "data": [str(folder) for folder in wish.data],
        "quick": wish.quick,
        "device": device,
        "folds": wish.folds or None,
        "only": list(wish.only),
    }
    said = yield from run_apart(TARGET, order)
    return Path(said["table"])
