"""The folder of an experiment: what is run in it, and the folder of each of its trainings.

experiment.json says which experiment it is and on whom; below runs/ every cell of the grid has
the folder of its training, or one for each fold. results.json, table.md, table.csv and figures/
are made from these.
"""

import hashlib
import json
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from engine import __version__
from engine.errors import CannotSaveError, ModelError
from engine.experiments.grid import Cell
from engine.experiments.patients import Cohort
from engine.experiments.run_record import EXPERIMENT_FILE
from engine.io.atomic_file import write_atomically
from engine.learning.models import WEIGHTS
from engine.learning.run_folder import STATE
from engine.recipe import Recipe, read_recipe


@dataclass(frozen=True, slots=True)
class Setting:
    """What is run in a folder.

    Attributes:
        experiment: Its name.
        quick: Whether it is a quick run, whose scores mean nothing.
        source: Where the patients are from.
        generated: Whether they were made up.
        patients: Their names.
        folds: How many folds were asked for.
        made: Version of the program that each training was started with, by its folder.
        data: Folders that the patients were read from last.
    """

    experiment: str
    quick: bool
    source: str
    generated: bool
    patients: tuple[str, ...]
    folds: int
    made: dict[str, str] = field(default_factory=dict)
    data: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        experiment: str,
        cohort: Cohort,
        *,
        quick: bool,
        folds: int,
        data: Sequence[Path] = (),
    ) -> "Setting":
        """The setting of an experiment on a cohort, read from folders."""
        names = tuple(sorted(patient.name for patient in cohort.patients))
        places = tuple(str(folder.absolute()) for folder in data)
        generated, source = cohort.generated, cohort.source
        return cls(experiment, quick, source, generated, names, folds, data=places)

    @property
    def caution(self) -> str:
        """What every row of ours must say beside its numbers; empty for a real run."""
        said = ["quick"] if self.quick else []
        said += [self.source] if self.generated else []
        return ", ".join(said)


class ExperimentFolder:
    """Where an experiment lies.

    Attributes:
        path: The folder.
        setting: What is run in it.
    """

    def __init__(self, path: Path, setting: Setting) -> None:
        self.path = path
        self.setting = setting

    def run_path(self, cell: Cell, fold: int) -> Path:
        """Folder of one training; folds count from 0."""
        place = self.path / "runs" / cell.name
        return place if cell.recipe.split.kind != "folds" else place / f"fold{fold + 1}"

    def finished(self, cell: Cell) -> list[tuple[int, Path]]:
        """The folds that are trained and scored, with their folders.

        Raises:
            ModelError: One of them was trained by another recipe.
        """
        places = [(fold, self.run_path(cell, fold)) for fold in range(cell.folds)]
        return [(f, path) for f, path in places if is_finished(path, cell.fold(f))]

    def note_start(self, path: Path) -> None:
        """Remember which version starts the training in `path`."""
        name = path.relative_to(self.path).as_posix()
        now = read_experiment(self.path, self.setting.experiment).setting
        # others may train other cells in this folder, and have noted theirs since it was opened
        made = {**self.setting.made, **now.made, name: describe_version()}
        self.setting = replace(self.setting, made=made)
        self._write()

    def version_of(self, path: Path) -> str:
        """The version that started the training in `path`."""
        return self.setting.made.get(path.relative_to(self.path).as_posix(), "")

    def _write(self) -> None:
        content = json.dumps(asdict(self.setting), indent=1) + "\n"
        write_atomically(self.path / EXPERIMENT_FILE, content.encode())


def open_experiment(path: Path, setting: Setting) -> ExperimentFolder:
    """Start an experiment in a new or empty folder, or go on in its own.

    Raises:
        ModelError: The folder holds another experiment, or the same on other patients.
        CannotSaveError: It holds something else, or cannot be written.
    """
    if not (path / EXPERIMENT_FILE).is_file():
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise CannotSaveError(
                f"{path} exists and holds no experiment.",
                hint="Name a new folder; nothing is ever overwritten.",
            )
        folder = ExperimentFolder(path, setting)
        folder._write()
        return folder
    folder = read_experiment(path, setting.experiment)
    before = folder.setting
    for now, then, what in (
        (setting.quick, before.quick, "a quick run" if before.quick else "a full run"),
        (setting.patients, before.patients, f"{len(before.patients)} other patients"),
    ):
        if now != then:
            raise ModelError(
                f"{path} holds {setting.experiment} with {what}.",
                hint="Choose a new folder; runs that differ do not go into one table.",
            )
    folds, data = max(setting.folds, before.folds), setting.data or before.data
    folder.setting = replace(before, folds=folds, data=data)
    folder._write()
    return folder


def read_experiment(path: Path, experiment: str) -> ExperimentFolder:
    """Open the folder of an experiment to read it.

    Raises:
        ModelError: It is none, it is damaged, or it is of another experiment.
    """
    folder = read_any_experiment(path)
    if folder.setting.experiment != experiment:
        raise ModelError(
            f"{path} holds the experiment {folder.setting.experiment!r}, not {experiment!r}.",
            hint="Give that name, or another folder.",
        )
    return folder


def read_any_experiment(path: Path) -> ExperimentFolder:
    """Open the folder of whatever experiment it holds, to read it.

    Raises:
        ModelError: It holds none, or it is damaged.
    """
    try:
        content: dict[str, Any] = json.loads((path / EXPERIMENT_FILE).read_text(encoding="utf-8"))
        content["patients"] = tuple(content["patients"])
        content["data"] = tuple(map(str, content.get("data", ())))
        setting = Setting(**content)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelError(
            f"{path} is not the folder of an experiment: {EXPERIMENT_FILE} is missing or damaged.",
            hint="Give the folder that `heartseg experiment run` wrote.",
        ) from error
    return ExperimentFolder(path, setting)


def is_finished(path: Path, recipe: Recipe) -> bool:
    """Whether a training has ended and is scored.

    Raises:
        ModelError: It was trained by another recipe.
    """
    if not (path / "recipe.toml").is_file():
        return False
    if read_recipe(path / "recipe.toml").deciding() != recipe.deciding():
        raise ModelError(
            f"{path} was trained by another recipe than the experiment has now.",
            hint="Choose a new folder for the new recipe; the old runs are kept.",
        )
    written = all((path / name).is_file() for name in (WEIGHTS, "scores.json", "card.md"))
    return written and not (path / STATE).exists()


def recipe_hash(recipe: Recipe) -> str:
    """Short name of what a recipe decides: recipes that train alike have equal ones."""
    deciding = json.dumps(recipe.deciding(), sort_keys=True)
    return hashlib.sha256(deciding.encode()).hexdigest()[:10]


@cache
def describe_version() -> str:
    """Version of the program, with the commit where it runs from a checkout."""
    here = Path(__file__).parent
    command = ["git", "-C", str(here), "describe", "--always", "--dirty", "--exclude=*"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return __version__
    return f"{__version__} {told.stdout.strip()}"
