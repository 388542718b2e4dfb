"""The folder of a training run: what went in, how it goes, and what came out.

recipe.toml, split.json and environment.json say what is run, on whom and with what; log.csv and
log.jsonl have a row for each epoch, also drawn in curves.png and kept for TensorBoard;
warnings.json holds the signs of a collapse, watched what some slices were called after each
epoch. weights.safetensors is the model; last.safetensors the last epoch's weights where the model
is an earlier one. state.safetensors is there until the run is finished, to go on from.
"""

import csv
import io
import json
import platform
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from engine import __version__
from engine.datasets.labelled import LabelledPatient
from engine.errors import CannotSaveError, ModelError
from engine.io.atomic_file import make_folder, write_atomically
from engine.learning.models import CHECKSUMS, SPLIT, WEIGHTS
from engine.recipe import Recipe, read_recipe

STATE = "state.safetensors"
LAST = "last.safetensors"
_RECIPE = "recipe.toml"
_ENVIRONMENT = "environment.json"
_WARNINGS = "warnings.json"
_LIBRARIES = ("torch", "numpy", "lightning-fabric", "safetensors", "scipy", "scikit-image", "monai")

_OWN_RECIPE = "wrote_recipe"  # noted in environment.json
_WRITTEN = (
    *(SPLIT, _ENVIRONMENT, "log.jsonl", "log.csv", _WARNINGS, "tensorboard", "curves.png"),
    *(LAST, CHECKSUMS, "scores.json", "card.md", "watched"),
)
"""What a run writes besides its recipe, its weights and its state."""

Row = dict[str, float | int | None]
"""One epoch of the log."""


class RunFolder:
    """Writes the files of one run; each is whole or the old one, never half of it.

    Attributes:
        path: The folder.
        rows: The log, one row for each epoch.
        warnings: What warnings.json holds.
    """

    def __init__(self, path: Path, *, resumed: bool, own_recipe: bool) -> None:
        self.path = path
        self.resumed = resumed
        self._own_recipe = own_recipe
        self.rows: list[Row] = _read_rows(self._rows_path) if resumed else []
        self.warnings: list[dict[str, Any]] = _read_list(path / _WARNINGS) if resumed else []

    @property
    def _rows_path(self) -> Path:
        return self.path / "log.jsonl"

    def forget_after(self, epoch: int) -> None:
        """Drop what an interrupted epoch wrote: rows and warnings of later epochs."""
        self.rows = [row for row in self.rows if (row["epoch"] or 0) <= epoch]
        self.warnings = [entry for entry in self.warnings if entry["epoch"] <= epoch]

    def write_split(self, **parts: Sequence[LabelledPatient]) -> None:
        """Write who is trained on, validated, held out."""
        self._write_json(
            SPLIT, {part: [p.name for p in patients] for part, patients in parts.items()}
        )

    def write_environment(self, facts: Mapping[str, Any]) -> None:
        """Write what the run runs on, with further facts; one entry for each (new) start."""
        now = {
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "heartseg": __version__,
            "python": platform.python_version(),
            "system": platform.platform(),
            "libraries": {name: _version(name) for name in _LIBRARIES},
            "command": sys.argv,
            "folder": str(Path.cwd()),
            _OWN_RECIPE: self._own_recipe,
            **facts,
        }
        before = _read_list(self.path / _ENVIRONMENT) if self.resumed else []
        self._write_json(_ENVIRONMENT, [*before, now])

    def log(self, row: Row) -> None:
        """Add an epoch to log.jsonl and log.csv."""
        self.rows.append(row)
        lines = "".join(json.dumps(each, allow_nan=False) + "\n" for each in self.rows)
        write_atomically(self._rows_path, lines.encode())
        table = io.StringIO()
        columns = list(dict.fromkeys(name for each in self.rows for name in each))
        writer = csv.DictWriter(table, columns)
        writer.writeheader()
        writer.writerows(self.rows)
        write_atomically(self.path / "log.csv", table.getvalue().encode())

    def warn(self, entries: Sequence[Mapping[str, Any]]) -> None:
        """Add signs of a collapse to warnings.json."""
        if entries:
            self.warnings.extend(dict(entry) for entry in entries)
            self._write_json(_WARNINGS, self.warnings)

    def drop_state(self) -> None:
        """Remove what is needed to go on only; the run is finished."""
        (self.path / STATE).unlink(missing_ok=True)

    def _write_json(self, name: str, content: Any) -> None:
        write_atomically(
            self.path / name, (json.dumps(content, indent=1, allow_nan=False) + "\n").encode()
        )


def check_run(path: Path, recipe: Recipe, *, resume: bool) -> None:
    """Refuse a folder that a run would spoil, and touch nothing; see `open_run`.

    Raises:
        ModelError: It holds a model, another run or another recipe.
        CannotSaveError: It is a file, or holds files that a run would write over.
    """
    if (path / STATE).is_file():
        if not resume:
            raise ModelError(
                f"{path} holds a run that was stopped.",
                hint="Go on with it (--resume), or choose a new folder; nothing is overwritten.",
            )
        _refuse_other_recipe(path / _RECIPE, recipe, stopped=True)
        return
    if (path / WEIGHTS).exists():
        raise ModelError(
            f"{path} already holds a trained model.",
            hint="Choose a new folder; nothing is overwritten.",
        )
    if path.exists() and not path.is_dir():
        raise CannotSaveError(f"{path} is a file.", hint="Choose a folder for the model.")
    for name in () if _starts(path) else _WRITTEN:
        if (path / name).exists():
            raise CannotSaveError(
                f"{path} already holds a {name} of something else.",
                hint="Choose a new folder; nothing is overwritten.",
            )
    _refuse_other_recipe(path / _RECIPE, recipe, stopped=False)


def _refuse_other_recipe(path: Path, recipe: Recipe, *, stopped: bool) -> None:
    """Refuse a recipe.toml that is not ours to change, or of a run that another one would go on."""
    if not path.exists():
        if stopped:
            raise ModelError(
                f"{path.parent} holds a run that was stopped, but not its {path.name}.",
                hint="Put it back, or choose a new folder.",
            )
        return
    there = _read_or_none(path)
    if there is not None and there.deciding() == recipe.deciding():
        if stopped or _is_own_recipe(path) or there.to_toml() == recipe.to_toml():
            return
    elif not stopped and _is_own_recipe(path):
        return  # of a run that did not come to the end of its first epoch
    raise ModelError(
        f"{path.parent} holds another recipe than the one to be trained.",
        hint=f"Train the {path.name} in that folder, unchanged, or choose a new folder; nothing "
        "is overwritten.",
    )


def open_run(path: Path, recipe: Recipe, *, resume: bool) -> RunFolder:
    """Make the folder of a new run, or open that of a stopped one.

    Nothing of the user's is written over. A recipe.toml that the user put there stays as it is:
    it must be the one to be trained, and may differ in its words when a run goes on. What a run
    left that was stopped in its first epoch is begun anew.

    Raises:
        ModelError: It holds a model, another run or another recipe.
        CannotSaveError: It holds files that a run would write over, or cannot be written.
    """
    check_run(path, recipe, resume=resume)
    place, resumed = path / _RECIPE, resume and (path / STATE).is_file()
    make_folder(path)
    own = not place.exists() or _is_own_recipe(place)
    if own:
        write_atomically(place, recipe.to_toml().encode())
    return RunFolder(path, resumed=resumed, own_recipe=own)


def _is_own_recipe(path: Path) -> bool:
    """Whether a recipe.toml was written by a run, and not by a user, as the run noted."""
    starts = _starts(path.parent)
    return bool(starts) and bool(starts[-1].get(_OWN_RECIPE)) and path.is_file()


def _starts(path: Path) -> list[dict[str, Any]]:
    """The starts of the run in a folder; empty where none was begun."""
    try:
        starts = _read_list(path / _ENVIRONMENT)
    except (OSError, ValueError):
        return []
    ours = isinstance(starts, list) and all(isinstance(s, dict) and "heartseg" in s for s in starts)
    return starts if ours else []


def _read_or_none(path: Path) -> Recipe | None:
    try:
        return read_recipe(path)
    except ModelError:
        return None


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _read_rows(path: Path) -> list[Row]:
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _read_list(path: Path) -> list[dict[str, Any]]:
    """The list in a JSON file; empty where there is none."""
    if not path.is_file():
        return []
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return found
