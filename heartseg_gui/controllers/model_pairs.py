"""Comparing two models: by their scores at once, or on patients that both label now."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from engine.errors import HeartSegError
from engine.progress import Progress, Steps
from heartseg_gui.documents.experiments import ExperimentsState
from heartseg_gui.documents.model_choice import ModelChoice
from heartseg_gui.documents.model_pair import Candidate, PairLook, PairResult, PairState
from heartseg_gui.documents.prompts import Prompts
from heartseg_gui.jobs import Job, JobQueue, Lane
from heartseg_gui.settings import Settings

if TYPE_CHECKING:
    from engine.experiments.side_by_side import SideBySide


class PairingModels(QObject):
    """Answers the wishes about two models; a newer wish stops the older one.

    Signals:
        told: A sentence for the status bar.
        failed: Why models could not be compared.
    """

    told = Signal(str)
    failed = Signal(Exception)

    def __init__(
        self,
        state: PairState,
        runs: ExperimentsState,
        choice: ModelChoice,
        jobs: JobQueue,
        settings: Settings,
        prompts: Prompts,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._state, self._runs, self._choice = state, runs, choice
        self._jobs, self._settings, self._prompts = jobs, settings, prompts
        self._comparing: Job | None = None
        self._labelling: Job | None = None
        self._drawing: Job | None = None
        self._agreeing: Job | None = None
        runs.runs_changed.connect(self._list_candidates)
        runs.chosen_changed.connect(self._follow_choice)
        choice.models_changed.connect(self._list_candidates)
        state.models_changed.connect(self._compare_scores)
        state.look_changed.connect(self._agree)
        self._list_candidates()

    def choose(self, first: Path | None, second: Path | None) -> None:
        """Compare two other models."""
        self._state.choose_models(first, second)

    def show(self, readings: tuple[str, str], quantity: str) -> None:
        """Show something else of what came of it."""
        self._state.show(readings=readings, quantity=quantity)

    def label_now(self) -> None:
        """Ask for a folder of labelled patients, and let both models label them."""
        if not self._state.can_compare or self._labelling is not None:
            return
        data = self._prompts.ask_folder("Labelled patients", self._settings.last_folder)
        if data is not None:
            self.label(data)

    def label(self, data: Path) -> None:
        """Let both models label the patients of a folder, and compare."""
        first, second = self._state.models
        if first is None or second is None or self._labelling is not None:
            return
        names, device = self._state.names, self._settings.device
        steps = _label_steps(first, second, names, data, device)
        title = f"{names[0]} and {names[1]} on {data.name}"
        self._labelling = self._jobs.add(title, steps, lane=Lane.COMPUTE)
        self._labelling.succeeded.connect(self._take_labelled)
        self._labelling.failed.connect(self.failed)
        self._labelling.cancelled.connect(self._tell_stopped)
        self._labelling.ended.connect(self._end_labelling)
        self._state.set_running(True)

    def stop(self) -> None:
        """Label no more patients."""
        if self._labelling is not None:
            self._labelling.cancel()

    def _list_candidates(self) -> None:
        runs = [Candidate(run.path, run.name) for run in self._runs.records if run.has_model]
        taken = {one.path for one in runs}
        names = {one.name for one in runs}
        models = [
            Candidate(model.path, f"{model.name} (model)" if model.name in names else model.name)
            for model in self._choice.models
            if model.usable and model.path not in taken
        ]
        self._state.set_candidates([*runs, *models])

    def _follow_choice(self) -> None:
        """Two chosen trainings are the two to compare; one takes the place of the first."""
        chosen = [run.path for run in self._runs.chosen if run.has_model]
        if len(chosen) == 2:
            self._state.choose_models(chosen[0], chosen[1])
        elif len(chosen) == 1:
            self._state.choose_models(chosen[0], self._other_than(chosen[0]))

    def _other_than(self, first: Path) -> Path | None:
        """The second model as it was, or the active one."""
        kept = self._state.models[1]
        known = [one.path for one in self._state.candidates]
        wanted = (kept, self._runs.active)
        return next((one for one in wanted if one in known and one != first), None)

    def _compare_scores(self) -> None:
        for job in (self._comparing, self._labelling):
            if job is not None:
                job.cancel()
        self._comparing = None
        first, second = self._state.models
        if first is None or second is None or first == second:
            return
        data = [folder for run in self._runs.records for folder in run.data_folders]
        steps = _score_steps(first, second, self._state.names, data)
        self._comparing = self._jobs.add("Comparing scores", steps, quiet=True)
        self._comparing.succeeded.connect(self._take_scores)
        self._comparing.failed.connect(self.failed)

    def _take_scores(self, found: "tuple[SideBySide | None, str]") -> None:
        if self.sender() is self._comparing:
            self._comparing = None
            self._state.set_side(*found)

    def _take_labelled(self, side: "SideBySide") -> None:
        if self.sender() is not self._labelling:
            return
        self._state.set_side(side)
        self.told.emit(f"{len(side.patients)} patients were labelled by both.")
        if side.panels:
            self._drawing = self._jobs.add("Drawing", _picture_steps(side), quiet=True)
            self._drawing.succeeded.connect(self._take_picture)
            self._drawing.failed.connect(self.failed)

    def _take_picture(self, picture: bytes) -> None:
        if self.sender() is self._drawing and self._state.side is not None:
            self._state.set_picture(picture)

    def _agree(self) -> None:
        if self._agreeing is not None:
            self._agreeing.cancel()
        self._agreeing = None
        side, look = self._state.side, self._state.look
        if side is not None:
            self._agreeing = self._jobs.add("Comparing", _agree_steps(side, look), quiet=True)
            self._agreeing.succeeded.connect(self._take_agreement)
            self._agreeing.failed.connect(self.failed)

    def _take_agreement(self, result: PairResult) -> None:
        if self.sender() is self._agreeing and result.look == self._state.look:
            self._state.set_result(result)

    def _tell_stopped(self) -> None:
        self.told.emit("Stopped; nothing was compared.")

    def _end_labelling(self) -> None:
        if self.sender() is self._labelling:
            self._labelling = None
            self._state.set_running(False)


def _score_steps(
    first: Path, second: Path, names: tuple[str, str], data: Sequence[Path]
) -> "Steps[tuple[SideBySide | None, str]]":
    yield Progress(0, 1, "Comparing scores")
    from engine.experiments.side_by_side import compare_scores, find_studies

    try:
        side = compare_scores(first, second, names=names)
        folders = find_studies([patient.name for patient in side.patients], data)
        return compare_scores(first, second, names=names, folders=folders), ""
    except HeartSegError as error:
        return None, f"{error.what} {error.hint}"


def _label_steps(
    first: Path, second: Path, names: tuple[str, str], data: Path, device: str
) -> "Steps[SideBySide]":
    yield Progress(0, 0, "Reading patients")
    from engine.datasets.catalogue import read_labelled
    from engine.experiments.side_by_side import find_studies
    from engine.loop.both_models import compare_on

    patients = yield from read_labelled(data)
    folders = find_studies([patient.name for patient in patients], [data, data.parent])
    return (
        yield from compare_on(first, second, patients, names=names, folders=folders, device=device)
    )


def _picture_steps(side: "SideBySide") -> Steps[bytes]:
    yield Progress(0, 1, "Drawing")
    from engine.drawing.canvas import figure_bytes
    from engine.drawing.panels import make_panels_figure

    return figure_bytes(make_panels_figure(side.panels, side.names, classes=side.classes))


def _agree_steps(side: "SideBySide", look: PairLook) -> Steps[Any]:
    yield Progress(0, 1, "Comparing")
    from engine.scoring.agreement_summary import summarise_agreement

    pairs = side.pairs(look.first, look.second, look.quantity)
    return PairResult(look, pairs, summarise_agreement(pairs)[0])
