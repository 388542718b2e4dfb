"""The grid of an experiment: which recipes a study compares, read from one TOML file."""

import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from engine.errors import ModelError
from engine.recipe import Recipe, change_recipe, read_recipe
from engine.spelling import nearest
from engine.toml_faults import first_fault
from resources import resource_path

Changes = dict[str, dict[str, Any]]
"""Recipe fields by section: `{"training": {"epochs": 3}}`."""

_NAME = r"^[a-z0-9][a-z0-9_]*$"  # names become folders, joined by hyphens


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Value(_Part):
    """One value of an axis: what it changes in the recipe."""

    name: str = Field(pattern=_NAME, description="Part of a cell's name and folder.")
    label: str = Field(description="As a reader sees it.")
    row: dict[Literal["model", "loss", "criterion"], str] = Field(
        default_factory=dict, description="What the paper's rows of this value say."
    )
    recipe: str = Field(default="", description="Starts from this recipe, not from the base.")
    set: Changes = Field(default_factory=dict, description="Recipe fields by section.")
    quick: Changes = Field(default_factory=dict, description="Further ones in a quick run.")


class Axis(_Part):
    """One thing that the study varies."""

    name: str = Field(pattern=_NAME)
    title: str = Field(description="Heading of its column in tables.")
    value: tuple[Value, ...] = Field(min_length=1)


class Quick(_Part):
    """How small a quick run is; it shows that everything works, and measures nothing."""

    patients: int = Field(default=3, ge=2, description="So many at most.")
    size: int = Field(default=64, ge=32, description="Pixels of generated images, a side.")
    folds: int = Field(default=1, ge=1, description="So many are trained.")
    set: Changes = Field(default_factory=dict, description="Recipe fields of every cell.")


@dataclass(frozen=True, slots=True)
class Cell:
    """One training of a grid, or one for each fold.

    Attributes:
        name: Of its folder: the names of its values, joined by hyphens.
        values: One of each axis.
        recipe: What is trained; of folds, the first.
        full_recipe: The same without what a quick run changes.
    """

    name: str
    values: tuple[Value, ...]
    recipe: Recipe
    full_recipe: Recipe

    @property
    def label(self) -> str:
        """What a reader calls it."""
        return ", ".join(value.label for value in self.values)

    @property
    def row(self) -> dict[str, str]:
        """Model, loss and criterion of the published rows it stands beside."""
        return {str(key): name for value in self.values for key, name in value.row.items()}

    @property
    def folds(self) -> int:
        """How many trainings it is, if none is left out."""
        return self.recipe.split.folds if self.recipe.split.kind == "folds" else 1

    def fold(self, number: int) -> Recipe:
        """The recipe of one fold, counted from 0; without folds the only one."""
        if self.recipe.split.kind != "folds":
            return self.recipe
        return change_recipe(self.recipe, {"split.fold": number})


class Grid(_Part):
    """An experiment: every combination of the axes' values is a training.

    All of them have one task and one split, so that they are scored on the same patients.
    """

    title: str
    description: str = Field(default="", description="What the study compares, and on what.")
    data: str = Field(description="Data it needs, in a sentence, for messages and tables.")
    base: str = Field(description="Name of the recipe that values change.")
    set: Changes = Field(
        default_factory=dict,
        description="Recipe fields of every cell; what a value sets counts more.",
    )
    paper: str = Field(description="Whose it is: a key of resources/published.toml.")
    task: str = Field(description="A name of `engine.tasks`; of all its recipes.")
    folds: int = Field(default=1, ge=1, description="How many folds the study trained.")
    correction: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="Basal slices below this mean Dice are replaced by the reference, as a "
        "stand-in for a physician's correction; 0 is off.",
    )
    axis: tuple[Axis, ...] = Field(min_length=1)
    quick: Quick = Quick()

    @field_validator("axis")
    @classmethod
    def _names_differ(cls, axes: tuple[Axis, ...]) -> tuple[Axis, ...]:
        for names in ([axis.name for axis in axes], [v.name for a in axes for v in a.value]):
            if len(set(names)) < len(names):
                raise ValueError("two axes or two values have the same name")
        return axes

    def cells(self, *, quick: bool = False, only: tuple[str, ...] = ()) -> list[Cell]:
        """The trainings, in the order of the axes.

        Args:
            quick: With what a quick run changes.
            only: Names of values; of every axis that one of them belongs to, the others are
                left out.

        Raises:
            ModelError: A value is unknown, a recipe or a change is not valid, or cells differ in
                task or split.
        """
        wanted = self._wanted(only)
        combinations = product(*(axis.value for axis in self.axis))
        cells = [self._cell(values, quick=quick) for values in combinations]
        for cell in cells:
            if cell.recipe.data.task != self.task or cell.recipe.split != cells[0].recipe.split:
                raise ModelError(
                    f"{cell.name} of {self.title!r} has another task or split than its fellows.",
                    hint="Give every cell the experiment's task and one [split].",
                )
        return [cell for cell in cells if all(value.name in wanted for value in cell.values)]

    def _wanted(self, only: tuple[str, ...]) -> Collection[str]:
        known = [value.name for axis in self.axis for value in axis.value]
        for name in only:
            if name not in known:
                raise ModelError(
                    f"No axis of {self.title!r} has a value {name!r}{nearest(name, known)}.",
                    hint=f"Choose from: {', '.join(known)}.",
                )
        wanted: set[str] = set()
        for axis in self.axis:
            own = {value.name for value in axis.value}
            wanted |= own & set(only) or own
        return wanted

    def _cell(self, values: tuple[Value, ...], *, quick: bool) -> Cell:
        named = [value.recipe for value in values if value.recipe]
        name = "-".join(value.name for value in values)
        base = read_recipe(named[0] if named else self.base)
        full = _changed(base, [self.set, *(value.set for value in values)])
        smaller = [self.quick.set, *(value.quick for value in values)] if quick else []
        return Cell(name, values, _changed(full, smaller), full)


def list_experiments() -> list[str]:
    """Names of the experiments that came with the program."""
    return sorted(path.stem for path in resource_path("experiments").glob("*.toml"))


def read_grid(name: str) -> Grid:
    """Read an experiment by its name, or from a TOML file.

    Raises:
        ModelError: There is none, or a field is wrong.
    """
    path = Path(name)
    if path.suffix != ".toml" or not path.is_file():
        path = resource_path("experiments", f"{name}.toml")
    if not path.is_file():
        known = list_experiments()
        raise ModelError(
            f"There is no experiment {name!r}{nearest(name, known)}.",
            hint=f"`heartseg experiment list` shows them: {', '.join(known)}.",
        )
    try:
        return Grid.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (ValidationError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ModelError(
            f"The experiment {path} is not valid: {first_fault(error, Grid)}.",
            hint="Mend that field, or start from a file in resources/experiments.",
        ) from error


def _changed(recipe: Recipe, changes: Iterable[Changes]) -> Recipe:
    """A recipe with changes; of two of one field the later counts."""
    named = {name: value for one in changes for name, value in _by_dotted_name(one)}
    return change_recipe(recipe, named)


def _by_dotted_name(changes: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Every changed field by its dotted name, e.g. `network.options.residual`."""
    for key, value in changes.items():
        if isinstance(value, dict):
            yield from _by_dotted_name(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value
