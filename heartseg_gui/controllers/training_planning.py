"""Planning a training: recipe, fields, folders, and a look at what it would be."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from engine.errors import HeartSegError
from engine.io.atomic_file import write_atomically
from engine.learning.apart.order import TrainingOrder
from engine.learning.apart.outlook import Fault, Outlook, read_outlook
from engine.learning.apart.places import trainings_folder
from engine.learning.apart.running import look_apart
from engine.learning.recipe_fields import RecipeField, parse_text, recipe_fields
from engine.progress import Progress, Steps
from engine.recipe import read_recipe
from heartseg_gui.documents.prompts import Prompts
from heartseg_gui.documents.training_plan import TrainingPlan
from heartseg_gui.jobs import Job, JobQueue, Lane
from heartseg_gui.settings import Settings

LookSteps = Callable[[TrainingOrder], Steps[Mapping[str, Any]]]

_RECIPES = "Recipes (*.toml)"


class TrainingPlanning(QObject):
    """Answers the page on which a training is planned.

    Attributes:
        look_steps: How is found out what a training would be.

    Signals:
        order_made: A `TrainingOrder` that is to be trained.
        told: A sentence for the status bar.
        failed: Why something cannot be done.
    """

    order_made = Signal(object)
    told = Signal(str)
    failed = Signal(Exception)

    def __init__(
        self,
        plan: TrainingPlan,
        jobs: JobQueue,
        settings: Settings,
        prompts: Prompts,
        *,
        look: LookSteps = look_apart,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._plan, self._jobs = plan, jobs
        self._settings, self._prompts = settings, prompts
        self.look_steps = look
        self._fields = {field.name: field for field in recipe_fields()}
        self._job: Job | None = None
        self._looked_at: Any = None

    def choose_recipe(self, source: str) -> None:
        """Begin with a recipe that came with the program, or a file."""
        try:
            recipe = read_recipe(source)
        except HeartSegError as error:
            self.failed.emit(error)
            return
        self._plan.take_recipe(source, recipe)
        if self._plan.data:
            self.look()

    def open_recipe(self) -> None:
        """Ask for a recipe's file; also that of a run or a model."""
        path = self._prompts.ask_file("A recipe", self._settings.last_folder, _RECIPES)
        if path is not None:
            self.choose_recipe(str(path))

    def save_recipe(self) -> None:
        """Ask where to write the recipe as it is now."""
        name = f"{Path(self._plan.source).stem or 'recipe'}-own.toml"
        path = self._prompts.ask_new_file(
            "Save the recipe", self._settings.last_folder / name, _RECIPES
        )
        if path is None:
            return
        try:
            write_atomically(path, self._plan.recipe.to_toml().encode())
        except HeartSegError as error:
            self.failed.emit(error)
        else:
            self.told.emit(f"The recipe is saved as {path.name}.")

    def change(self, name: str, written: object) -> None:
        """Take what was entered in a field: a text as it was written, or the value itself."""
        field = self._fields.get(name)
        if isinstance(written, str) and field is not None:
            try:
                written = parse_text(field, written)
            except ValueError as error:
                self._plan.refuse(name, str(error))
                return
        self._plan.change(name, written)

    def change_option(self, name: str, field: RecipeField, written: object) -> None:
        """Take what was entered for an option of the network."""
        try:
            value = parse_text(field, written) if isinstance(written, str) else written
        except ValueError as error:
            self._plan.refuse(name, str(error))
            return
        self._plan.change(name, value)

    def add_folder(self) -> None:
        """Ask for a folder of labelled patients."""
        folder = self._prompts.ask_folder("Labelled patients", self._settings.last_folder)
        if folder is not None:
            self.take_folders((*self._plan.data, folder))

    def remove_folder(self, folder: Path) -> None:
        """Train without a folder."""
        self.take_folders(tuple(each for each in self._plan.data if each != folder))

    def take_folders(self, folders: tuple[Path, ...]) -> None:
        """Train on these, and look at them."""
        self._plan.set_data(folders)
        if self._plan.source and folders:
            self.look()

    def choose_out(self) -> None:
        """Ask for the folder in which the folder of the run will lie."""
        start = self._plan.out or trainings_folder() / "runs"
        folder = self._prompts.ask_folder(
            "Where the run's folder goes", start if start.is_dir() else Path.home()
        )
        if folder is not None:
            self._plan.set_out(folder)

    def set_device(self, device: str) -> None:
        """Train on another device."""
        self._plan.set_device(device)

    def look(self) -> None:
        """Find out what the training would be; a newer look takes the place of an older one."""
        plan = self._plan
        if self._job is not None:
            self._job.cancel()
        self._looked_at = (plan.recipe, plan.data, plan.device)
        order = TrainingOrder(plan.recipe, plan.data, Path(), plan.device)
        self._job = self._jobs.add("Looking ahead", self.look_steps(order), lane=Lane.TRAINING)
        self._job.progressed.connect(self._take_progress)
        self._job.succeeded.connect(self._take_outlook)
        self._job.failed.connect(self._take_fault)
        self._job.cancelled.connect(self._take_stop)
        plan.set_looking("Starting")

    def stop(self) -> None:
        """Stop looking."""
        if self._job is not None:
            self._job.cancel()

    def look_at_devices(self) -> None:
        """Find out what there is to train on, once."""
        if self._plan.outlook is None and self._job is None:
            self.look()

    def start(self) -> None:
        """Make an order of the plan."""
        plan = self._plan
        if not plan.can_start:
            return
        self.stop()
        out = self._new_folder()
        self.order_made.emit(TrainingOrder(plan.recipe, plan.data, out, plan.device))

    def _new_folder(self) -> Path:
        """A folder that is not there, named after the recipe and the time."""
        root = self._plan.out or trainings_folder() / "runs"
        name = f"{Path(self._plan.source).stem}-{datetime.now().astimezone():%Y-%m-%d-%H%M}"
        out, number = root / name, 2
        while out.exists():
            out, number = root / f"{name}-{number}", number + 1
        return out

    def _take_progress(self, progress: Progress) -> None:
        if self.sender() is self._job:
            self._plan.set_looking(progress.doing or "Looking")

    def _take_outlook(self, content: Mapping[str, Any]) -> None:
        if self.sender() is self._job:
            self._job = None
            self._plan.set_outlook(read_outlook(content), self._looked_at)

    def _take_fault(self, error: Exception) -> None:
        if self.sender() is not self._job:
            return
        self._job = None
        if not isinstance(error, HeartSegError):
            self.failed.emit(error)
            self._plan.set_looking("")
            return
        known = self._plan.outlook or Outlook()
        fault = Fault(error.what, error.hint)
        bare = Outlook(devices=known.devices, networks=known.networks, losses=known.losses)
        self._plan.set_outlook(replace(bare, fault=fault), self._looked_at)

    def _take_stop(self) -> None:
        if self.sender() is self._job:
            self._job = None
            self._plan.set_looking("")
