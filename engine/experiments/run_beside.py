"""Numbers of trainings beside those that their paper prints, whoever started the trainings."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TypeAlias

from engine.errors import ModelError
from engine.experiments.folder import Setting, read_any_experiment
from engine.experiments.grid import Cell, Grid, Value, list_experiments, read_grid
from engine.experiments.results import CellResult, read_run
from engine.experiments.run_record import EXPERIMENT_FILE, RunRecord
from engine.experiments.tables import Key, Side, is_count, pair_numbers
from engine.learning.measured import Measured
from engine.learning.published import PublishedValue, published_papers
from engine.learning.tables import Table
from engine.progress import Progress, Steps

_Row: TypeAlias = tuple[str, str, str]  # printed table, heading, unit


@dataclass(frozen=True, slots=True)
class BesideRun:
    """A training in a column.

    Attributes:
        name: What a list calls it.
        printed_as: What the paper calls its network and loss; empty where it prints neither.
        caution: Why its numbers are no result; empty where they are.
    """

    name: str
    printed_as: str
    caution: str


@dataclass(frozen=True, slots=True)
class BesideRow:
    """One measure of a printed table.

    Attributes:
        table: The title of the table.
        heading: What was measured, with its unit.
        ours: Of each training; None where it was not measured.
        printed: What the paper says of the network and loss of each training; None where it
            says nothing.
        is_count: Whether the numbers are whole.
    """

    table: str
    heading: str
    ours: tuple[Measured | None, ...]
    printed: tuple[PublishedValue | None, ...]
    is_count: bool = False


@dataclass(frozen=True, slots=True)
class Beside:
    """Trainings of one paper and task beside its tables.

    Attributes:
        cite: How the paper is named.
        runs: The columns.
        rows: In the order of the paper.
        remarks: What a reader should know before comparing.
    """

    cite: str
    runs: tuple[BesideRun, ...]
    rows: tuple[BesideRow, ...]
    remarks: tuple[str, ...]

    def as_table(self) -> Table:
        """The same as a table for a file: ours and theirs in columns, errata in the notes."""
        notes: list[str] = []
        columns = ["table", "measure"]
        for run in self.runs:
            columns += [run.name, f"printed ({run.printed_as})" if run.printed_as else "printed"]
        rows = []
        for row in self.rows:
            cells: list[str | float | None] = [row.table, row.heading]
            for ours, theirs in zip(row.ours, row.printed, strict=True):
                value = None if ours is None else ours.value
                if row.is_count and value is not None and value == int(value):
                    value = int(value)
                cells += [value, _printed_cell(theirs, notes)]
            rows.append(tuple(cells))
        cautions = [f"{run.name} is no result: {run.caution}." for run in self.runs if run.caution]
        title = f"Beside {self.cite}"
        return Table(tuple(columns), tuple(rows), (*notes, *cautions, *self.remarks), title)


@dataclass(frozen=True, slots=True)
class _Placed:
    """A training in the grid of a published study; `cell` has its own name and recipe."""

    grid: Grid
    cell: Cell
    caution: str


def set_beside(records: Sequence[RunRecord]) -> Steps[list[Beside]]:
    """Set finished trainings beside the tables of their papers.

    Which printed rows a training belongs to is known from the experiment that it is part of, or
    else from the paper that its recipe names, and the network, the loss and the basal criterion
    that it shares with a training of that paper's grid.

    Returns:
        One for each paper and task, in the order of the trainings; trainings without a paper
        or without scores are left out.
    """
    placed: dict[tuple[str, str], list[tuple[RunRecord, _Placed, Side]]] = {}
    for number, record in enumerate(records):
        yield Progress(number, len(records), f"Measuring {record.name}")
        place = _place_of(record)
        side = None if place is None else _side_of(record, place)
        if place is not None and side is not None:
            key = (place.grid.paper, place.grid.task)
            placed.setdefault(key, []).append((record, place, side))
    return [_lay_out(group) for group in placed.values()]


def _lay_out(group: Sequence[tuple[RunRecord, _Placed, Side]]) -> Beside:
    grid = group[0][1].grid
    sides = [side for _, _, side in group]
    ours: dict[_Row, list[Measured | None]] = {}
    theirs: dict[_Row, list[PublishedValue | None]] = {}
    keys: dict[_Row, Key] = {}
    for pair in pair_numbers(grid, sides):
        row = (pair.table, pair.heading, pair.unit)
        number = next(n for n, side in enumerate(sides) if side is pair.side)
        ours.setdefault(row, [None] * len(sides))[number] = pair.ours
        theirs.setdefault(row, [None] * len(sides))[number] = pair.printed
        keys[row] = pair.key
    rows = tuple(
        BesideRow(row[0], row[1], tuple(ours[row]), tuple(theirs[row]), is_count(keys[row]))
        for row in keys
        if any(one is not None and one.value is not None for one in ours[row]) or any(theirs[row])
    )
    runs = tuple(
        BesideRun(record.name, _row_words(side.row), place.caution) for record, place, side in group
    )
    paper = published_papers()[grid.paper]
    return Beside(paper.cite, runs, rows, paper.remarks)


def _row_words(row: dict[str, str]) -> str:
    return ", ".join(row[key] for key in ("model", "loss", "criterion") if row.get(key))


def _side_of(record: RunRecord, place: _Placed) -> Side | None:
    """Its numbers; None where it has no scores of a whole cohort."""
    try:
        run = read_run(record.path, fold=0)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    result = CellResult(place.cell, (run,), asked=1, version="")
    return Side(result, corrected=False, measured=tuple(result.measured()))


def _place_of(record: RunRecord) -> _Placed | None:
    """Where a training stands in the grid of a published study; None where in none."""
    recipe = record.recipe
    if recipe is None or not record.has_model:
        return None
    known = _in_experiment(record.path)
    if known is not None:
        grid, cell, caution = known
        if cell.recipe.data.task == recipe.data.task:
            return _Placed(grid, replace(cell, recipe=recipe), caution)
    for grid, cell in _cells_of(recipe.paper):
        full = cell.full_recipe
        if (full.network, full.loss, full.data) == (recipe.network, recipe.loss, recipe.data):
            return _Placed(grid, replace(cell, recipe=recipe, full_recipe=recipe), "")
    for grid in _grids_of(recipe.paper):
        if grid.task == recipe.data.task:
            value = Value(name="run", label=record.name)
            return _Placed(grid, Cell("run", (value,), recipe, recipe), "")
    return None


def _in_experiment(path: Path) -> tuple[Grid, Cell, str] | None:
    """The experiment that a training is part of: its grid, its cell, why it is no result."""
    for place in (path, path.parent):
        if place.parent.name != "runs" or not (place.parent.parent / EXPERIMENT_FILE).is_file():
            continue
        try:
            setting: Setting = read_any_experiment(place.parent.parent).setting
            grid = _read_grid(setting.experiment)
        except ModelError:
            return None
        cells = _cells(setting.experiment, setting.quick)
        return next(((grid, c, setting.caution) for c in cells if c.name == place.name), None)
    return None


def _cells_of(paper: str) -> list[tuple[Grid, Cell]]:
    return [
        (_read_grid(name), cell)
        for name in _experiments_of(paper)
        for cell in _cells(name, quick=False)
    ]


def _grids_of(paper: str) -> list[Grid]:
    return [_read_grid(name) for name in _experiments_of(paper)]


@cache
def _experiments_of(paper: str) -> tuple[str, ...]:
    return tuple(name for name in list_experiments() if paper and _read_grid(name).paper == paper)


@cache
def _read_grid(name: str) -> Grid:
    return read_grid(name)


@cache
def _cells(name: str, quick: bool) -> tuple[Cell, ...]:
    return tuple(_read_grid(name).cells(quick=quick))


def _printed_cell(value: PublishedValue | None, notes: list[str]) -> str | float | None:
    """A printed number; with an erratum its note's number goes with it."""
    if value is None or value.erratum is None:
        return None if value is None else value.value
    text = f"{value.erratum.kind.capitalize()}: {value.erratum.text}"
    if text not in notes:
        notes.append(text)
    return f"{value.value:g} ({notes.index(text) + 1})"
