"""Reading measurements, comparing them, opening the study of a point, writing figures."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from engine.clinical.conventions import Conventions
from engine.clinical.profile import Profile
from engine.errors import ConventionMismatchError
from engine.progress import Progress, Steps
from heartseg_gui.controllers.report_naming import conventions_here, profile_here
from heartseg_gui.documents.agreement import AgreementChoice, AgreementResult, AgreementState
from heartseg_gui.documents.prompts import Prompts
from heartseg_gui.jobs import Job, JobQueue
from heartseg_gui.settings import Settings

if TYPE_CHECKING:
    from engine.clinical.measured_readings import MeasuredReadings
    from engine.clinical.measured_sources import Gathered

TABLES = "Tables and reports (*.csv *.tsv *.txt *.json)"
FIGURES = {"svg": "SVG (*.svg)", "png": "PNG (*.png)", "pdf": "PDF (*.pdf)"}


class Agreeing(QObject):
    """Answers the agreement page; a newer wish stops the older one.

    Signals:
        open_wanted: The folder of a study to open.
        told: A sentence for the status bar.
        failed: Why something could not be read or written.
    """

    open_wanted = Signal(Path)
    told = Signal(str)
    failed = Signal(Exception)

    def __init__(
        self,
        state: AgreementState,
        jobs: JobQueue,
        settings: Settings,
        prompts: Prompts,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._state, self._jobs = state, jobs
        self._settings, self._prompts = settings, prompts
        self._reading: Job | None = None
        self._comparing: Job | None = None
        self._wanted: tuple[Path, ...] = ()
        self._chosen = False  # conventions of its own
        state.choice_changed.connect(self._compare)

    def add_table(self) -> None:
        """Ask for a table or a report, and add its measurements."""
        path = self._prompts.ask_file("Add a table", self._settings.last_folder, TABLES)
        if path is not None:
            self.add(path)

    def add_folder(self) -> None:
        """Ask for a folder of studies, reports or label files, and add its measurements."""
        path = self._prompts.ask_folder(
            "Add studies, reports or label files", self._settings.last_folder
        )
        if path is not None:
            self.add(path)

    def add(self, path: Path) -> None:
        """Add the measurements of a file or folder to those that are there."""
        others = [source for source in self._state.sources if source != path]
        self._read((*others, path))

    def set_conventions(self, conventions: Conventions) -> None:
        """Measure labels another way, and read everything anew."""
        self._chosen = True
        self._state.set_conventions(conventions)
        self.read_again()

    def take_over(self, conventions: Conventions) -> None:
        """Measure labels as a table was, unless other conventions were chosen here."""
        if not self._chosen:
            self._chosen = True
            self._state.set_conventions(conventions)

    def follow_window(self) -> None:
        """Take the conventions of single studies, unless others were chosen here."""
        if not self._chosen:
            self._state.set_conventions(conventions_here(self._settings))

    def read_again(self) -> None:
        """Read all sources anew, e.g. after a correction."""
        if self._state.sources:
            self._read(self._state.sources)

    def clear(self) -> None:
        """Forget all measurements."""
        self._stop_reading()
        self._state.set_gathered((), None)

    def open_study(self, study: str) -> None:
        """Open the study of a point."""
        folder = self._state.folder_of(study)
        if folder is None:
            self.told.emit(f"Nobody says where {study} lies; a column `folder` would.")
        else:
            self.open_wanted.emit(folder)

    def export_figure(self, kind: str) -> None:
        """Ask for a file, and write what is shown as SVG, PNG or PDF."""
        result = self._state.result
        pairs = result.shown_pairs
        if pairs is None or not pairs.points:
            return
        start = self._settings.last_folder / f"agreement-{pairs.quantity}.{kind}"
        path = self._prompts.ask_new_file("Export the plots", start, FIGURES[kind])
        if path is not None:
            factor = result.choice.limits_factor
            self._start_writing(_figure_steps(pairs, factor, path), path)

    def export_all(self) -> None:
        """Ask for a folder, and write statistics, points and every figure into it."""
        state = self._state
        if state.gathered is None or not state.choice.second:
            return
        folder = self._prompts.ask_folder("Export agreement", self._settings.last_folder)
        if folder is not None:
            steps = _all_steps(state.gathered, state.choice, folder, self._settings)
            self._start_writing(steps, folder)

    def _read(self, sources: tuple[Path, ...]) -> None:
        self._stop_reading()
        self._wanted = sources
        self.follow_window()
        steps = _gather_steps(sources, self._state.conventions)
        self._reading = self._jobs.add("Reading measurements", steps)
        self._reading.succeeded.connect(self._take_readings)
        self._reading.failed.connect(self.failed)

    def _stop_reading(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
        self._reading = None

    def _take_readings(self, gathered: "Gathered") -> None:
        if self.sender() is not self._reading:
            return
        self._reading = None
        self._state.set_gathered(self._wanted, gathered)
        readings = gathered.readings
        count, others = len(readings.studies), len(gathered.problems)
        left = f"; {others} could not be measured" if others else ""
        several = (
            "1 reading" if len(readings.readings) == 1 else f"{len(readings.readings)} readings"
        )
        self.told.emit(f"{several} of {count} studies{left}.")

    def _compare(self) -> None:
        if self._comparing is not None:
            self._comparing.cancel()
        self._comparing = None
        readings, choice = self._state.readings, self._state.choice
        if readings is None or not choice.quantity:
            self._state.set_result(AgreementResult(choice))
            return
        self._comparing = self._jobs.add("Comparing", compare_steps(readings, choice), quiet=True)
        self._comparing.succeeded.connect(self._take_result)
        self._comparing.failed.connect(self.failed)

    def _take_result(self, result: Any) -> None:
        if self.sender() is self._comparing:
            self._comparing = None
            self._state.set_result(result)

    def _start_writing(self, steps: Steps[Any], path: Path) -> None:
        job = self._jobs.add(f"Writing {path.name}", steps)
        job.succeeded.connect(self._tell_written)
        job.failed.connect(self.failed)

    def _tell_written(self, path: Path) -> None:
        self.told.emit(f"Written to {path}.")


def compare_steps(readings: "MeasuredReadings", choice: AgreementChoice) -> Steps[AgreementResult]:
    """Compare two readings; readings that may not be compared give the reason."""
    yield Progress(0, 1, "Comparing")
    from engine.scoring.agreement_summary import summarise_agreement

    try:
        pairs = readings.pairs(choice.first, choice.second, choice.quantity)
    except ConventionMismatchError as error:
        return AgreementResult(choice, refusal=f"{error.what} {error.hint}")
    summaries = summarise_agreement(pairs, limits_factor=choice.limits_factor)
    return AgreementResult(choice, pairs, summaries)


def _gather_steps(sources: tuple[Path, ...], conventions: Conventions) -> "Steps[Gathered]":
    yield Progress(0, 0, "Reading")
    from engine.clinical.measured_sources import Source, gather

    chosen = None if conventions == Conventions() else conventions
    return (yield from gather([Source(path) for path in sources], conventions=chosen))


def _figure_steps(pairs: Any, factor: float, path: Path) -> Steps[Path]:
    yield Progress(0, 1, "Drawing")
    from engine.clinical.agreement_report import draw_pairs
    from engine.drawing.canvas import write_figure

    write_figure(draw_pairs(pairs, limits_factor=factor), path)
    return path


def _all_steps(
    gathered: "Gathered", choice: AgreementChoice, folder: Path, settings: Settings
) -> Steps[Path]:
    yield Progress(0, 0, "Comparing")
    from engine.clinical.agreement_report import write_agreement
    from engine.clinical.anonymous import salt_of_this_computer
    from engine.clinical.nameless_readings import without_names

    if gathered.names_patients and profile_here(settings) is Profile.RESEARCH:
        gathered = yield from without_names(gathered, salt_of_this_computer())
    factor = choice.limits_factor
    yield from write_agreement(gathered, choice.second, folder, limits_factor=factor)
    return folder
