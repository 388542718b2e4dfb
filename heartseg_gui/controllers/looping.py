"""A learning loop: opening, collecting, rounds, deciding what is in use."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from engine.progress import Steps
from heartseg_gui.controllers import looping_steps
from heartseg_gui.controllers.loop_work import LoopWorker
from heartseg_gui.controllers.looping_steps import Outcome
from heartseg_gui.documents.learning_loop import LoopState, LoopWork
from heartseg_gui.documents.loop_prompts import LoopPrompts
from heartseg_gui.documents.prompts import Prompts
from heartseg_gui.jobs import JobQueue, Lane
from heartseg_gui.settings import Settings

Act = Callable[[Path, Any], Steps[Outcome]]
RoundSteps = Callable[[Path, str], Steps[Any]]
"""From the folder of a loop and a device to the end of a round."""


class Looping(QObject):
    """Answers the learning loop's page.

    Attributes:
        round_steps: How a round is run.
        ask: Who answers questions about loops.

    Signals:
        model_changed: The program predicts with another model from now on.
        offered: A sentence: enough was approved for a round.
        told: A sentence for the status bar.
        failed: Why something could not be done.
    """

    model_changed = Signal()
    offered = Signal(str)
    told = Signal(str)
    failed = Signal(Exception)

    def __init__(
        self,
        state: LoopState,
        jobs: JobQueue,
        settings: Settings,
        prompts: Prompts,
        ask: LoopPrompts,
        *,
        run_round: RoundSteps = looping_steps.round_apart,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._state, self._settings, self._prompts = state, settings, prompts
        self.ask, self.round_steps = ask, run_round
        self._worker = LoopWorker(state, jobs, settings, self)
        self._saved: list[Path] = []
        self._worker.model_changed.connect(self.model_changed)
        self._worker.told.connect(self.told)
        self._worker.failed.connect(self.failed)
        self._worker.collected.connect(self._offer)
        self._worker.idle.connect(self._take_next_saved)

    @property
    def is_learning(self) -> bool:
        """Whether a round is under way."""
        return self._state.work is LoopWork.LEARNING

    def open_last(self) -> None:
        """Open the loop of the last time, if there was one and none is open."""
        folder = self._settings.loop_folder
        if folder is not None and self._state.standing is None and folder.is_dir():
            self.take(folder)

    def open(self) -> None:
        """Ask for the folder of a loop, and open it."""
        folder = self._prompts.ask_folder("Open a learning loop", self._settings.last_folder)
        if folder is not None:
            self.take(folder)

    def take(self, folder: Path) -> None:
        """Open a loop."""
        self._worker.look(folder)

    def look_again(self) -> None:
        """Look where the loop stands, e.g. after a round on the command line."""
        if self._state.path is not None:
            self.take(self._state.path)

    def close(self) -> None:
        """Put the loop away; its folder stays as it is."""
        if self._state.is_free:
            self._settings.set_loop_folder(None)
            self._state.set_standing(None)

    def begin(self) -> None:
        """Begin the loop that was drafted, and open it."""
        if not self._state.draft.lacks and not self._worker.is_busy:
            steps = looping_steps.begin(self._state.draft)
            self._worker.start(LoopWork.BEGINNING, "Beginning a loop", steps)

    def add_folder(self) -> None:
        """Ask for a folder whose approved studies are collected."""
        standing = self._state.standing
        folder = self._prompts.ask_folder("Collect from", self._settings.last_folder)
        if standing is not None and folder is not None:
            known = standing.loop.settings.folders
            self.change({"folders": tuple(dict.fromkeys((*known, str(folder))))})

    def drop_folder(self, folder: Path) -> None:
        """Collect from a folder no more; what was collected stays."""
        standing = self._state.standing
        if standing is not None:
            known = standing.loop.settings.folders
            self.change({"folders": tuple(each for each in known if each != str(folder))})

    def change(self, changes: dict[str, Any]) -> None:
        """Change the loop's settings, by their names in `loop.toml`."""
        self._act("Changing the loop", looping_steps.change, changes)

    def collect(self) -> None:
        """Take what readers have approved in the loop's folders."""
        path = self._state.path
        if path is not None and self._state.is_free:
            title = f"Collecting for {path.name}"
            self._worker.start(LoopWork.COLLECTING, title, looping_steps.collect(path))

    def take_saved(self, study: Path) -> None:
        """A study was saved: take it if it is approved and the loop collects where it lies."""
        if self._state.path or self._settings.loop_folder:
            self._saved.append(study)
            self._take_next_saved()

    def run(self) -> None:
        """Run a round, or go on with the stopped one."""
        self._learn(looping_steps.run)

    def run_anew(self) -> None:
        """Set the stopped round aside, and run one that learns from all that is collected."""
        self._learn(looping_steps.run_anew)

    def stop(self) -> None:
        """Stop what is under way; a round goes on later where it was."""
        self._worker.stop()

    def leave(self, then: Callable[[], None]) -> None:
        """Call `then`, unless a round is under way and the reader stays for it."""
        path = self._state.path
        if path is None or not self.is_learning or self.ask.ask_leaving(path.name):
            then()

    def roll_back(self) -> None:
        """Make the model active again that was so before."""
        self._act("Rolling back", looping_steps.roll_back, None)

    def use(self) -> None:
        """Predict with the loop's model from now on."""
        self._act("Choosing the model", looping_steps.use, None)

    def _learn(self, how: Callable[[Path, str, RoundSteps], Steps[Outcome]]) -> None:
        path = self._state.path
        if path is not None and self._state.is_free:
            steps = how(path, self._settings.device, self.round_steps)
            title = f"Round of {path.name}"
            self._worker.start(LoopWork.LEARNING, title, steps, lane=Lane.TRAINING)

    def _act(self, title: str, act: Act, with_what: Any) -> None:
        path = self._state.path
        if path is not None and self._state.is_free:
            self._worker.start(LoopWork.CHANGING, title, act(path, with_what))

    def _offer(self) -> None:
        """Offer a round, or run it, where what was collected is enough for one."""
        standing = self._state.standing
        if standing is None or not standing.is_due:
            return
        if standing.loop.settings.when_due == "run":
            self.run()
        else:
            count = len(standing.waiting)
            self.offered.emit(f"{count} approved studies wait to be learned: a round is due.")

    def _take_next_saved(self) -> None:
        folder = self._state.path or self._settings.loop_folder
        if self._saved and folder is not None and not self._worker.is_busy:
            steps = looping_steps.take_saved(folder, self._saved.pop(0))
            self._worker.start(LoopWork.LOOKING, "Collecting", steps, quiet=True)
