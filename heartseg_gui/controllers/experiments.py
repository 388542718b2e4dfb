"""Finding trainings, what is noted of them, their numbers, and making a model the active one."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from engine.errors import HeartSegError
from engine.progress import Progress, Steps
from heartseg_gui.documents.experiments import ExperimentsState
from heartseg_gui.documents.prompts import Prompts
from heartseg_gui.jobs import Job, JobQueue, Lane
from heartseg_gui.settings import Settings

if TYPE_CHECKING:
    from engine.experiments.run_notes import RunNotes
    from engine.experiments.run_record import RunRecord

    Known = Mapping[Path, tuple[object, RunRecord]]


class Experimenting(QObject):
    """Answers the wishes of the page of experiments; a newer wish stops the older one.

    Signals:
        open_wanted: The folder of a study to open.
        model_wanted: The model that is active now is to predict in the window, too.
        told: A sentence for the status bar.
        failed: Why something could not be read or written.
    """

    open_wanted = Signal(Path)
    model_wanted = Signal()
    told = Signal(str)
    failed = Signal(Exception)

    def __init__(
        self,
        state: ExperimentsState,
        jobs: JobQueue,
        settings: Settings,
        prompts: Prompts,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._state, self._jobs = state, jobs
        self._settings, self._prompts = settings, prompts
        self._known: Known = {}
        self._looked: set[Path] = set()
        self._looking: Job | None = None
        self._measuring: Job | None = None
        self._listing: Job | None = None
        self._activating: Job | None = None
        self._data: tuple[Path, ...] = ()  # where the reader said that patients lie

    def add_root(self) -> None:
        """Ask for a folder, and look for trainings below it, too."""
        folder = self._prompts.ask_folder("Folder of trainings", self._settings.last_folder)
        if folder is not None:
            self.add(folder)

    def add(self, folder: Path) -> None:
        """Look for trainings below a folder, too."""
        self._set_roots([*(root for root in self._state.roots if root != folder), folder])
        self.look()

    def forget_root(self, folder: Path) -> None:
        """Look there no more; no file is touched."""
        self._set_roots([root for root in self._state.roots if root != folder])
        self.look()

    def look(self) -> None:
        """Look which trainings there are, and read those that are new or have changed."""
        roots = self._state.roots
        self._look_by(_look_steps(roots, self._known), quiet=set(roots) <= self._looked)
        self._looked = set(roots)

    def follow(self) -> None:
        """Read those trainings again that have changed; quick, so that it can be done often."""
        if self._looking is None and self._known:
            self._look_by(_follow_steps(self._known), quiet=True)

    def choose(self, paths: Sequence[Path]) -> None:
        """Look at other trainings."""
        self._state.choose(paths)

    def keep_notes(self, path: Path, notes: "RunNotes") -> None:
        """Write tags and note of a training into its folder.

        At once and in no job, which the end of the program would cancel: they are a few words.
        """
        from engine.experiments.run_notes import write_notes

        try:
            write_notes(path, notes)
        except HeartSegError as error:
            self.failed.emit(error)
        else:
            self.look()

    def measure(self) -> None:
        """Set the chosen trainings beside their papers, unless that is known."""
        state = self._state
        if state.beside is not None or not state.chosen:
            return
        if self._measuring is not None:
            self._measuring.cancel()
        steps = _beside_steps(state.chosen)
        self._measuring = self._jobs.add("Reading scores", steps, lane=Lane.COMPUTE, quiet=True)
        self._measuring.succeeded.connect(self._take_beside)
        self._measuring.failed.connect(self.failed)

    def list_patients(self) -> None:
        """Read what the current model made of the patients it held out, unless that is known."""
        current = self._state.current
        if self._state.patients is not None or current is None:
            return
        if self._listing is not None:
            self._listing.cancel()
        steps = _patient_steps(current, self._data)
        self._listing = self._jobs.add("Reading scores", steps, quiet=True)
        self._listing.succeeded.connect(self._take_patients)
        self._listing.failed.connect(self.failed)

    def open_patient(self, name: str) -> None:
        """Open the study of a patient that the current model held out."""
        known = {one.name: one.folder for one in self._state.patients or ()}
        folder = known.get(name) or self.place_of(name)
        if folder is not None:
            self.open_wanted.emit(folder)

    def place_of(self, name: str) -> Path | None:
        """Where a patient's study lies: ask for the folder, and remember it."""
        from engine.experiments.side_by_side import find_studies

        place = find_studies([name], self._data).get(name)
        if place is not None:
            return place
        data = self._prompts.ask_folder(f"Folder that holds {name}", self._settings.last_folder)
        if data is None:
            return None
        place = data if data.name == name else find_studies([name], [data]).get(name)
        if place is None:
            self.told.emit(f"There is no folder {name} in {data}.")
            return None
        self._data = (*(one for one in self._data if one != place.parent), place.parent)
        return place

    def make_active(self, folder: Path) -> None:
        """Let a model predict wherever none is named, in this window and on the command line."""
        if self._activating is None:
            steps = _active_steps(folder)
            self._activating = self._jobs.add("Checking the model", steps, lane=Lane.COMPUTE)
            self._activating.succeeded.connect(self._take_active)
            self._activating.failed.connect(self.failed)
            self._activating.ended.connect(self._end_activating)

    def _look_by(
        self, steps: "Steps[tuple[Known, Path | None, list[Path]]]", *, quiet: bool
    ) -> None:
        if self._looking is not None:
            self._looking.cancel()
        self._looking = self._jobs.add("Looking for trainings", steps, quiet=quiet)
        self._looking.succeeded.connect(self._take_runs)
        self._looking.failed.connect(self.failed)
        self._looking.ended.connect(self._end_looking)

    def _end_looking(self) -> None:
        if self.sender() is self._looking:
            self._looking = None

    def _set_roots(self, roots: Sequence[Path]) -> None:
        self._state.set_roots(roots)
        self._settings.set_run_folders(roots)

    def _take_runs(self, found: tuple["Known", Path | None, list[Path]]) -> None:
        if self.sender() is not self._looking:
            return
        self._known, active, missing = found
        self._state.set_records([record for _, record in self._known.values()])
        self._state.set_active(active)
        if missing:
            self.told.emit(f"There is no folder {', '.join(map(str, missing))} any more.")

    def _take_beside(self, beside: Any) -> None:
        if self.sender() is self._measuring:
            self._measuring = None
            self._state.set_beside(beside)

    def _take_patients(self, patients: Any) -> None:
        if self.sender() is self._listing:
            self._listing = None
            self._state.set_patients(patients)

    def _take_active(self, entry: Any) -> None:
        self._state.set_active(entry.path)
        self.told.emit(f"{entry.name} predicts from now on.")
        self.model_wanted.emit()

    def _end_activating(self) -> None:
        self._activating = None


def _look_steps(
    roots: Sequence[Path], known: "Known"
) -> "Steps[tuple[Known, Path | None, list[Path]]]":
    """The trainings, the active model's folder, and the folders that are gone."""
    yield Progress(0, 0, "Looking for trainings")
    from engine.experiments.run_list import find_runs, noted_runs
    from engine.learning.models import default_place

    there = [root for root in roots if root.is_dir()]
    found = yield from find_runs(there, known, noted_runs())
    place = default_place()
    missing = [root for root in roots if root not in there]
    return found, None if place is None else place.path, missing


def _follow_steps(known: "Known") -> "Steps[tuple[Known, Path | None, list[Path]]]":
    yield Progress(0, 0, "Reading trainings")
    from engine.experiments.run_list import reread_runs
    from engine.learning.models import default_place

    found = yield from reread_runs(known)
    place = default_place()
    return found, None if place is None else place.path, []


def _beside_steps(records: "Sequence[RunRecord]") -> Steps[Any]:
    yield Progress(0, 0, "Reading scores")
    from engine.experiments.run_beside import set_beside

    return (yield from set_beside(records))


def _patient_steps(record: "RunRecord", data: Sequence[Path]) -> Steps[Any]:
    yield Progress(0, 1, "Reading scores")
    from engine.experiments.run_patients import held_out_patients

    return held_out_patients(record.path, (*record.data_folders, *data))


def _active_steps(folder: Path) -> Steps[Any]:
    yield Progress(0, 1, "Checking the model")
    from engine.learning.active_model import set_active_model

    return set_active_model(folder)
