"""What a training says about itself, read from its run folder without PyTorch."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from engine.errors import HeartSegError
from engine.experiments.run_notes import RunNotes, read_notes
from engine.learning.model_scores import held_out_section, number_of, read_scores, section_of
from engine.learning.models import RECIPE, SPLIT, WEIGHTS
from engine.learning.run_folder import STATE, Row
from engine.recipe import Recipe, read_recipe

EXPERIMENT_FILE = "experiment.json"
LOG, ENVIRONMENT = "log.jsonl", "environment.json"
FINISHED, UNFINISHED, UNREADABLE = "finished", "unfinished", "unreadable"
_DATA_OPTION = "--data"
_READ = (LOG, SPLIT, ENVIRONMENT, RECIPE, WEIGHTS, STATE, "scores.json", "notes.json", "card.md")


@dataclass(frozen=True, eq=False)
class RunRecord:
    """One training as a list shows it.

    Attributes:
        path: Its folder.
        name: What a list calls it, unlike every other's.
        recipe: What was trained; None where that cannot be read.
        rows: Its log, a row for each epoch.
        starts: What environment.json holds, an entry for each (new) start.
        split: Names of patients by what they were for: trained, validated, held_out.
        summary: A score section of the patients it held out, see `engine.learning.model_scores`.
        notes: Of the reader.
        state: Finished, unfinished, or unreadable.
        fault: Why it cannot be read, or its notes cannot; empty where they can.
        data: Folders of labelled patients that whoever started it has noted.
    """

    path: Path
    name: str
    recipe: Recipe | None = field(default=None, repr=False)
    rows: tuple[Row, ...] = field(default=(), repr=False)
    starts: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    split: Mapping[str, Sequence[str]] = field(default_factory=dict, repr=False)
    summary: Mapping[str, Any] = field(default_factory=dict, repr=False)
    notes: RunNotes = field(default_factory=RunNotes)
    state: str = UNFINISHED
    fault: str = ""
    data: tuple[Path, ...] = ()

    @property
    def title(self) -> str:
        """What its recipe calls it."""
        return "" if self.recipe is None else self.recipe.title

    @property
    def has_model(self) -> bool:
        """Whether it holds weights that can predict."""
        return self.state == FINISHED

    @property
    def started(self) -> datetime | None:
        """When it was first started."""
        return _time_of(self.starts[0].get("started")) if self.starts else None

    @property
    def device(self) -> str:
        """What it was trained on last."""
        return str(self.starts[-1].get("device", "")) if self.starts else ""

    @property
    def seconds(self) -> float:
        """How long all its epochs took together [s]."""
        return sum(row.get("seconds") or 0.0 for row in self.rows)

    @property
    def dice(self) -> float | None:
        """Mean Dice over the structures of the patients that it held out."""
        return number_of(self.summary, "mean_foreground_dice")

    @property
    def validation_dice(self) -> float | None:
        """The best validation Dice of any epoch."""
        known = [value for row in self.rows if (value := row.get("val_dice")) is not None]
        return max(known, default=None)

    def ef_error(self, ventricle: str) -> tuple[float, float] | None:
        """Bias and SD of the ejection fraction [points]; None where it was not measured."""
        error = section_of(self.summary, f"{ventricle}_ef_error")
        bias, sd = number_of(error, "bias_points"), number_of(error, "sd_points")
        return None if bias is None or sd is None else (bias, sd)

    @property
    def chosen_epoch(self) -> int | None:
        """The epoch whose weights are the model, from 1; None while there is none."""
        if self.recipe is None or not self.rows:
            return None
        return chosen_epoch(self.rows, self.recipe)

    @cached_property
    def data_folders(self) -> tuple[Path, ...]:
        """The folders of labelled patients, as far as they are known and exist.

        They are known from whoever started it, from its command, or from its experiment.
        """
        known = (*self.data, *_data_of_experiment(self.path))
        found: dict[Path, None] = {folder: None for folder in known if folder.is_dir()}
        for start in self.starts:
            command, here = start.get("command"), Path(str(start.get("folder", ".")))
            for word in _values_of(_DATA_OPTION, command if isinstance(command, list) else []):
                if (here / word).is_dir():
                    found[here / word] = None
        return tuple(found)


def read_record(path: Path, name: str = "") -> RunRecord:
    """Read what a run folder says; what is damaged in it is told in the record's `fault`.

    Args:
        path: The folder.
        name: What lists call it; blank for the folder's name.
    """
    name = name or path.name
    try:
        recipe = read_recipe(path / RECIPE)
        rows = tuple(_read_rows(path / LOG))
        starts, split = _read_json(path / ENVIRONMENT, list), _read_json(path / SPLIT, dict)
    except HeartSegError as error:
        return RunRecord(path, name, state=UNREADABLE, fault=error.what)
    except (OSError, ValueError, RecursionError) as error:
        why = getattr(error, "strerror", None) or error
        return RunRecord(path, name, state=UNREADABLE, fault=f"Its files are damaged: {why}.")
    notes, fault = RunNotes(), ""
    try:
        notes = read_notes(path)
    except HeartSegError as error:
        fault = error.what
    ended = (path / WEIGHTS).is_file() and not (path / STATE).exists()
    return RunRecord(
        path,
        name,
        recipe,
        rows,
        tuple(start for start in starts if isinstance(start, dict)),
        {str(part): [str(one) for one in names] for part, names in split.items()},
        held_out_section(read_scores(path)),
        notes,
        FINISHED if ended else UNFINISHED,
        fault,
    )


def is_run(path: Path) -> bool:
    """Whether a folder is that of a training, finished or not."""
    return (path / RECIPE).is_file() and ((path / LOG).is_file() or (path / ENVIRONMENT).is_file())


def stamp_of(path: Path) -> tuple[tuple[str, int, int], ...]:
    """Changes when a file changes that `read_record` reads."""
    found = []
    for name in _READ:
        try:
            facts = (path / name).stat()
        except OSError:
            continue
        found.append((name, facts.st_mtime_ns, facts.st_size))
    return tuple(found)


def chosen_epoch(rows: Sequence[Mapping[str, Any]], recipe: Recipe) -> int:
    """The epoch whose weights are kept, from 1.

    Args:
        rows: The log, with one row or more.
        recipe: What was trained.
    """
    monitor = recipe.training.monitor
    watched = [(row[monitor], row["epoch"]) for row in rows if row.get(monitor) is not None]
    if recipe.training.keep == "last" or not watched:
        return len(rows)
    sign = -1 if monitor.endswith("loss") else 1
    return int(max(watched, key=lambda pair: (sign * pair[0], -pair[1]))[1])


def _values_of(option: str, command: Sequence[Any]) -> list[str]:
    """The values of an option that may be given more than once."""
    words = [str(word) for word in command]
    after = [words[n + 1] for n, word in enumerate(words[:-1]) if word == option]
    joined = [word.partition("=")[2] for word in words if word.startswith(f"{option}=")]
    return [*after, *joined]


def _data_of_experiment(path: Path) -> list[Path]:
    """The folders that an experiment notes whose training this is."""
    for place in (path.parent.parent, path.parent.parent.parent):
        try:
            content = json.loads((place / EXPERIMENT_FILE).read_text(encoding="utf-8"))
            return [Path(str(folder)) for folder in content.get("data", ())]
        except (OSError, ValueError, AttributeError, TypeError):
            continue
    return []


def _time_of(text: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _read_rows(path: Path) -> list[Row]:
    """The log; empty where no epoch is complete yet."""
    if not path.is_file():
        return []
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
    if not all(isinstance(row, dict) and isinstance(row.get("epoch"), int) for row in rows):
        raise ValueError(f"{path.name} has a line that is no epoch")
    return rows


def _read_json(path: Path, kind: type) -> Any:
    """The content of a file; empty where there is none."""
    if not path.is_file():
        return kind()
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, kind):
        raise ValueError(f"{path.name} holds something else")
    return content
