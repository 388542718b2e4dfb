"""What the trainings of an experiment came to, read from their folders."""

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from operator import itemgetter
from pathlib import Path
from typing import Any

from engine.experiments.examining import read_examined
from engine.experiments.folder import ExperimentFolder, recipe_hash
from engine.experiments.folds import merge_folds
from engine.experiments.grid import Cell
from engine.experiments.run_record import chosen_epoch
from engine.learning.measured import Measured, measured_from_scores
from engine.networks import START_OPTIONS
from engine.networks.counting import Configuration, count_configuration
from engine.recipe import Recipe

_MB_A_GB = 1024


@dataclass(frozen=True, slots=True)
class Run:
    """One finished training.

    Attributes:
        path: Its folder.
        fold: From 0.
        scores: What `score_cohort` said of its test patients.
        log: A row for each epoch.
        split: Names of patients by what they were for.
        device: What it was trained on.
        examined: See `examine_run`; empty where it was not examined yet.
    """

    path: Path
    fold: int
    scores: dict[str, Any] = field(repr=False)
    log: list[dict[str, Any]] = field(repr=False)
    split: dict[str, list[str]] = field(repr=False)
    device: str
    examined: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class CellResult:
    """A cell of the grid with its finished trainings, of which there may be none.

    Attributes:
        cell: The cell.
        runs: Its finished trainings.
        asked: How many there should be.
        version: Of the program that made them.
    """

    cell: Cell
    runs: tuple[Run, ...]
    asked: int
    version: str

    @property
    def scores(self) -> dict[str, Any] | None:
        """Scores of all its test patients together; None without a finished training."""
        return merge_folds([run.scores for run in self.runs]) if self.runs else None

    @property
    def corrected(self) -> dict[str, Any] | None:
        """The same after a simulated correction; None where there was none."""
        found = [run.examined["corrected"] for run in self.runs if run.examined.get("corrected")]
        if not found or len(found) < len(self.runs):
            return None
        return merge_folds(found) | {"slices_replaced": sum(f["slices_replaced"] for f in found)}

    @property
    def epochs(self) -> int | None:
        """Epochs trained, the most of any fold."""
        return max((len(run.log) for run in self.runs), default=None)

    @property
    def patients(self) -> tuple[int, int, int]:
        """How many were trained on, validated (of the first fold) and tested (in all folds)."""
        if not self.runs:
            return 0, 0, 0
        first = self.runs[0].split
        tested = {name for run in self.runs for name in run.split["held_out"]}
        return len(first["trained"]), len(first["validated"]), len(tested)

    @property
    def parameters(self) -> tuple[int, int]:
        """All and the trainable parameters of the network that was trained."""
        return count_recipe(self.cell.recipe)

    @property
    def full_parameters(self) -> tuple[int, int]:
        """The same of the network in full; a quick run trains a smaller one."""
        return count_recipe(self.cell.full_recipe)

    def mean_of_log(self, name: str, reduce: Callable[[list[float]], float]) -> float | None:
        """Mean over the trainings of what `reduce` makes of a column of their logs."""
        columns = [[row[name] for row in run.log if row.get(name) is not None] for run in self.runs]
        return _mean([reduce(column) for column in columns if column])

    def mean_examined(self, name: str) -> float | None:
        """Mean over the trainings of something that `examine_run` measured."""
        return _mean([run.examined[name] for run in self.runs if run.examined.get(name)])

    def measured(self, *, corrected: bool = False) -> list[Measured]:
        """Every number that may stand beside a published one, model and loss left blank."""
        scores = self.corrected if corrected else self.scores
        if scores is None:
            return []
        found = measured_from_scores(scores, task=self.cell.recipe.data.task)
        own = self.cell.recipe.data.basal
        fitting = [one for one in found if one.criterion in ("", own)]
        return fitting if corrected else [*fitting, *self._about_training()]

    def _about_training(self) -> Iterator[Measured]:
        task = self.cell.recipe.task
        total, trainable = self.full_parameters
        loss = Measured("loss", self.mean_examined("test_loss"))
        yield loss
        if len(task.classes) == 2:
            yield replace(loss, structure=task.classes[1])
        memory = self.mean_of_log("peak_memory_mb", max)
        while_predicting = self.mean_examined("prediction_memory_mb")
        chosen = [float(self.chosen_epoch(run)) for run in self.runs]
        for metric, value in (
            ("epochs", self.epochs),
            ("best_epoch", _mean(chosen)),
            ("training_time", self.mean_of_log("seconds", math.fsum)),
            ("training_memory", None if memory is None else memory / _MB_A_GB),
            ("prediction_time", self.mean_examined("prediction_seconds")),
            (
                "prediction_memory",
                None if while_predicting is None else while_predicting / _MB_A_GB,
            ),
            ("first_validation_loss", self.mean_of_log("val_loss", itemgetter(0))),
            ("parameters", total),
            ("trainable_parameters", trainable),
            ("fixed_parameters", total - trainable),
        ):
            yield Measured(metric, value)

    def chosen_epoch(self, run: Run) -> int:
        """The epoch whose weights one of its trainings kept, from 1."""
        return chosen_epoch(run.log, self.cell.recipe)

    @property
    def recipe(self) -> str:
        """Short name of the content of its recipe."""
        return recipe_hash(self.cell.recipe)


def collect_results(folder: ExperimentFolder, cells: Sequence[Cell]) -> list[CellResult]:
    """Read what is finished of each cell.

    Raises:
        ModelError: A training was made by another recipe than its cell has now.
    """
    results = []
    for cell in cells:
        runs = tuple(read_run(path, fold) for fold, path in folder.finished(cell))
        versions = sorted({folder.version_of(run.path) for run in runs})
        asked = min(cell.folds, folder.setting.folds)
        results.append(CellResult(cell, runs, asked, " and ".join(versions)))
    return results


def count_recipe(recipe: Recipe) -> tuple[int, int]:
    """All and the trainable parameters of a recipe's network, built without its memory."""
    options = {k: v for k, v in recipe.network.options.items() if k not in START_OPTIONS}
    network = recipe.network
    return _count(network.name, recipe.in_channels, network.classes, json.dumps(options))


@cache
def _count(name: str, channels: int, classes: int, options: str) -> tuple[int, int]:
    """Counted once for each network: building a large one takes a second."""
    return count_configuration(Configuration(name, "", channels, classes, json.loads(options)))


def read_run(path: Path, fold: int) -> Run:
    """Read a training that has ended and was scored."""
    scores = json.loads((path / "scores.json").read_text(encoding="utf-8"))
    log = (path / "log.jsonl").read_text(encoding="utf-8").splitlines()
    started = json.loads((path / "environment.json").read_text(encoding="utf-8"))
    return Run(
        path,
        fold,
        scores["cohort"],
        [json.loads(line) for line in log],
        json.loads((path / "split.json").read_text(encoding="utf-8")),
        started[-1].get("device", ""),
        read_examined(path) or {},
    )


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
