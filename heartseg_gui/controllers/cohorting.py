"""Doing all studies of a folder, in a job, with the results in a table."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from engine.cohort.outcome import Naming
from engine.errors import HeartSegError
from engine.progress import Progress, Steps
from heartseg_gui.controllers.report_naming import conventions_here, profile_here
from heartseg_gui.documents.cohort_state import CohortOptions, CohortState
from heartseg_gui.documents.prompts import Prompts
from heartseg_gui.jobs import Job, JobQueue, Lane
from heartseg_gui.settings import Settings

if TYPE_CHECKING:
    from engine.cohort.outcome import CohortOutcome, CohortTask

    Planned = tuple[list[CohortTask], dict[Path, CohortOutcome]]

PlanSteps = Callable[[Path, Path, CohortOptions, Settings], "Steps[Planned]"]


def plan_steps(
    folder: Path, out: Path, options: CohortOptions, settings: Settings
) -> "Steps[Planned]":
    """The studies of a folder, and the outcomes of those that are done already."""
    model, device = settings.model, settings.device
    return _plan(folder, out, options, model, device)


def _plan(
    folder: Path, out: Path, options: CohortOptions, model: str, device: str
) -> "Steps[Planned]":
    yield Progress(0, 0, "Looking at the folder")
    from engine.cohort.outcome import CohortWish, earlier_outcome
    from engine.cohort.running import plan_cohort

    wish = CohortWish(
        model,
        device=device,
        stored=options.stored,
        pdf=options.pdf,
        conventions=options.conventions,
        naming=options.naming,
    )
    tasks = yield from plan_cohort(folder, out, wish)
    known = {}
    for number, task in enumerate(tasks):
        yield Progress(number, len(tasks), f"Looking for results of {task.name}")
        outcome = earlier_outcome(task)
        if outcome is not None:
            known[task.folder] = outcome
    return tasks, known


def _run(tasks: "tuple[CohortTask, ...]", out: Path, options: CohortOptions) -> Steps[Any]:
    yield Progress(0, len(tasks), "Starting")
    from engine.cohort.cluster import run_on_cluster
    from engine.cohort.pseudonyms import write_key
    from engine.cohort.running import run_cohort, run_here

    if options.key is not None:
        yield from write_key(tasks, options.key, out)
    address = options.scheduler
    run = partial(run_on_cluster, address=address) if address else run_here(options.workers)
    return (yield from run_cohort(tasks, out, run))


class Cohorting(QObject):
    """Answers the cohort page; a newer wish stops the older one.

    Signals:
        open_wanted: The folder of a study to open.
        table_wanted: The table of results, to be compared with others.
        places_told: Where the studies of the table lie, by name, as it may not say so itself.
        told: A sentence for the status bar.
        failed: Why the work cannot be done.
    """

    open_wanted = Signal(Path)
    table_wanted = Signal(Path)
    places_told = Signal(object)
    told = Signal(str)
    failed = Signal(Exception)

    def __init__(
        self,
        state: CohortState,
        jobs: JobQueue,
        settings: Settings,
        prompts: Prompts,
        *,
        plan: PlanSteps = plan_steps,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._state, self._jobs = state, jobs
        self._settings, self._prompts = settings, prompts
        self._plan = plan
        self._planning: Job | None = None
        self._job: Job | None = None
        self._own: set[str] = set()  # options that were chosen here; others follow the window
        state.set_options(replace(state.options, scheduler=settings.scheduler))

    def choose_folder(self) -> None:
        """Ask for a folder of studies; its results go beside it, unless another place is chosen."""
        folder = self._prompts.ask_folder("The studies of a cohort", self._settings.last_folder)
        if folder is not None:
            self.take(folder, folder.with_name(f"{folder.name} results"))

    def choose_out(self) -> None:
        """Ask for another folder of results."""
        folder = self._state.folder
        start = self._state.out or self._settings.last_folder
        out = None if folder is None else self._prompts.ask_folder("Where results go", start)
        if folder is not None and out is not None:
            self.take(folder, out)

    def take(self, folder: Path, out: Path) -> None:
        """List the studies of a folder, with what is done of them already."""
        self.stop()
        self.follow_window()
        self._state.set_place(folder, out)
        self._look()

    def follow_window(self) -> None:
        """Take conventions and profile of single studies, unless others were chosen here."""
        options = self._state.options
        if "conventions" not in self._own:
            options = replace(options, conventions=conventions_here(self._settings))
        if "naming" not in self._own:
            options = replace(options, naming=self._usual_naming())
        self._state.set_options(options)

    def set_options(self, options: CohortOptions) -> None:
        """Treat the studies another way from now on."""
        old = self._state.options
        self._own |= {
            name
            for name in ("conventions", "naming")
            if getattr(old, name) != getattr(options, name)
        }
        if options.naming is Naming.KEPT:
            options = replace(options, key=None)
        self._settings.set_scheduler(options.scheduler)
        self._state.set_options(options)
        if self._state.folder is not None and not options.plans_like(old):
            self._look()

    def choose_key(self) -> None:
        """Ask where to write down whom each pseudonym means."""
        out = self._state.out
        start = self._settings.last_folder / "key.csv"
        path = self._prompts.ask_new_file("Key of the pseudonyms", start, "Table (*.csv)")
        if path is None or out is None:
            return
        from engine.cohort.pseudonyms import refuse_key

        try:
            refuse_key(path, out)
        except HeartSegError as error:
            self.failed.emit(error)
            return
        self._state.set_options(replace(self._state.options, key=path))
        self.told.emit(f"Run writes to {path} whom each pseudonym means; keep it apart.")

    def forget_key(self) -> None:
        """Write no key from now on; one that was written stays."""
        self._state.set_options(replace(self._state.options, key=None))

    def _usual_naming(self) -> Naming:
        from engine.cohort.pseudonyms import naming_by

        try:
            return naming_by(profile_here(self._settings))
        except HeartSegError as error:
            self.failed.emit(error)
            return Naming.DICOM

    def run(self) -> None:
        """Do all studies that are not done yet."""
        state = self._state
        if state.out is None or not state.tasks or state.running:
            return
        title = f"Cohort {'' if state.folder is None else state.folder.name}".strip()
        steps = _run(state.tasks, state.out, state.options)
        self._job = self._jobs.add(title, steps, lane=Lane.COMPUTE)
        self._job.progressed.connect(self._take_progress)
        self._job.succeeded.connect(self._tell_done)
        self._job.failed.connect(self.failed)
        self._job.cancelled.connect(self._tell_stopped)
        self._job.ended.connect(self._note_end)
        state.set_running(True)

    def stop(self) -> None:
        """Stop after the step that is under way; what is done stays done."""
        for job in (self._planning, self._job):
            if job is not None:
                job.cancel()
        self._planning = None

    def compare(self) -> None:
        """Take the table of results to the agreement page."""
        if self._state.out is not None and (self._state.out / "cohort.csv").is_file():
            self.places_told.emit(self._state.places)
            self.table_wanted.emit(self._state.out / "cohort.csv")
        else:
            self.told.emit("There are no results yet.")

    def _look(self) -> None:
        state = self._state
        if state.folder is None or state.out is None:
            return
        if self._planning is not None:
            self._planning.cancel()
        steps = self._plan(state.folder, state.out, state.options, self._settings)
        self._planning = self._jobs.add(f"Cohort {state.folder.name}", steps)
        self._planning.succeeded.connect(self._take_plan)
        self._planning.failed.connect(self.failed)

    def _take_plan(self, planned: "Planned") -> None:
        if self.sender() is self._planning:
            self._planning = None
            tasks, known = planned
            self._state.set_tasks(tasks, known)
            told = f"{len(tasks)} studies, {len(known)} of them looked at before."
            self.told.emit(f"{told}{self._left_overs()}")

    def _left_overs(self) -> str:
        """That the folder of results names patients of an earlier run, though names are hidden."""
        from engine.cohort.pseudonyms import named_left_overs

        state = self._state
        left = () if state.out is None else named_left_overs(state.tasks, state.out)
        return f" The results hold {len(left)} folders under other names." if left else ""

    def _take_progress(self, progress: Progress) -> None:
        outcome = getattr(progress, "outcome", None)
        if outcome is not None and self.sender() is self._job:
            self._state.set_outcome(outcome)

    def _tell_done(self, outcomes: "list[CohortOutcome]") -> None:
        failed = sum(str(each.status) == "failed" for each in outcomes)
        left = f", {failed} failed" if failed else ""
        self.told.emit(f"{len(outcomes) - failed} studies are done{left}.")

    def _tell_stopped(self) -> None:
        self.told.emit("Stopped. What is done stays done; Run goes on from there.")

    def _note_end(self) -> None:
        if self.sender() is self._job:
            self._job = None
            self._state.set_running(False)
