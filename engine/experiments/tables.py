"""Our numbers beside the printed ones: the tables of an experiment."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeAlias

from engine.experiments.folder import Setting
from engine.experiments.grid import Grid
from engine.experiments.results import CellResult
from engine.learning.measured import Measured
from engine.learning.published import PublishedValue, published_papers, published_rows
from engine.learning.tables import Table, to_markdown

CORRECTED = "FCN+corr"
"""How the published table names the model whose basal slices were corrected by hand."""

_MISSING, _NONE = "missing", "-"

KEY_NAMES = ("slices", "structure", "phase", "quantity", "metric", "statistic")
_COUNTS = ("epochs", "best_epoch", "parameters", "trainable_parameters", "fixed_parameters")
Key: TypeAlias = tuple[str, ...]
"""A column of a printed table: a value for each of `KEY_NAMES`."""

_TITLES = {
    "dice": "Dice",
    "iou": "IoU",
    "mean_iou": "Mean IoU",
    "f1": "F1",
    "hausdorff": "HD",
    "hausdorff_mm": "HD",
    "hausdorff_2d": "2-D HD",
    "hausdorff_2d_mm": "2-D HD",
    "pearson_r": "r",
    "r_squared": "R²",
    "two_sd": "2 SD",
    "lower_limit": "lower limit",
    "upper_limit": "upper limit",
    "dice_soft_mean": "soft Dice",
    "lv": "LV",
    "rv": "RV",
    "myocardium": "myo",
    "lv_ef_percent": "LV EF",
    "rv_ef_percent": "RV EF",
    "mass_ed_g": "mass",
    "mass_es_g": "mass",
    "lv_edv_ml": "LV",
    "lv_esv_ml": "LV",
    "rv_edv_ml": "RV",
    "rv_esv_ml": "RV",
}


@dataclass(frozen=True, slots=True)
class Side:
    """A row of ours: a cell of the grid, or the same after the simulated correction.

    Attributes:
        result: The cell's.
        corrected: Whether the correction counts.
        measured: Our numbers; empty where nothing is trained.
    """

    result: CellResult
    corrected: bool
    measured: tuple[Measured, ...]

    @property
    def row(self) -> dict[str, str]:
        """What the published rows beside it say."""
        own = self.result.cell.row
        return {**own, "model": CORRECTED} if self.corrected else own

    def prints(self, value: PublishedValue) -> bool:
        """Whether a published number is of this row."""
        own = self.row
        fields = ("model", "loss", "criterion")
        return bool(own) and all(getattr(value, f) in ("", own.get(f)) for f in fields)

    def is_printed_anywhere(self, grid: Grid) -> bool:
        """Whether any table of the paper has scores of exactly this row."""
        return any(
            self.prints(value) and value.model and value.loss
            for value in published_rows(grid.paper, task=grid.task)
        )

    def find(self, key: Key, *, by_criterion: bool) -> Measured | None:
        """Our number for a column; None where there is none."""
        criterion = self.row.get("criterion", "") if by_criterion else ""
        for one in self.measured:
            place = tuple(getattr(one, name) for name in KEY_NAMES[:-1])
            same = place == key[:-1] and one.criterion == criterion
            if same and one.statistic in ("", key[-1]):
                return one
        return None


@dataclass(frozen=True, slots=True)
class Pair:
    """A number of ours and a printed one; one of the two may be missing.

    Attributes:
        table: Title of the printed table.
        side: The row of ours.
        key: Its column.
        unit: Of both.
        ours: What we measured.
        printed: What the paper says.
    """

    table: str
    side: Side
    key: Key
    unit: str
    ours: Measured | None
    printed: PublishedValue | None

    @property
    def place(self) -> str:
        """What was measured: structure or quantity, phase and slices."""
        slices, structure, phase, quantity, _, _ = self.key
        of = quantity or structure
        words = ("basal" if slices else "", _TITLES.get(of, of.replace("_", " ")), phase)
        return " ".join(word for word in words if word)

    @property
    def heading(self) -> str:
        """What it is, as a table's heading."""
        metric, statistic = self.key[-2:]
        words = (
            self.place,
            _TITLES.get(metric, metric.replace("_", " ")),
            "median" if statistic == "median" else "",
            f"[{self.unit}]" if self.unit else "",
        )
        return " ".join(word for word in words if word)


def list_sides(grid: Grid, results: Sequence[CellResult]) -> list[Side]:
    """The rows of ours: every cell, then the corrected ones where the grid asks for them."""
    sides = []
    for result in results:
        sides.append(Side(result, False, tuple(result.measured())))
        if grid.correction:
            sides.append(Side(result, True, tuple(result.measured(corrected=True))))
    return sides


def published_tables(grid: Grid) -> dict[str, list[PublishedValue]]:
    """The printed numbers of the grid's paper and task, by table."""
    tables: dict[str, list[PublishedValue]] = {}
    for value in published_rows(grid.paper, task=grid.task):
        tables.setdefault(value.table, []).append(value)
    return tables


def table_of_runs(grid: Grid, setting: Setting, results: Sequence[CellResult]) -> Table:
    """Which trainings there are, and what of: nothing stands beside a printed number unnamed."""
    rows = []
    for result in results:
        trained, validated, tested = result.patients
        epochs = result.cell.recipe.training.epochs
        rows.append(
            (
                *_names(result),
                f"{len(result.runs)} of {result.asked}" if result.runs else _MISSING,
                "quick" if setting.quick else "full",
                setting.source,
                f"{trained} / {validated} / {tested}" if result.runs else _NONE,
                f"{result.epochs} of {epochs}" if result.runs else _NONE,
                result.full_parameters[0],
                result.parameters[0],
                ", ".join(sorted({run.device for run in result.runs})) or _NONE,
                result.recipe,
                result.version or _NONE,
            )
        )
    columns = (
        *(axis.title for axis in grid.axis),
        "Trained",
        "Run",
        "Data",
        "Patients: trained on / validated / tested",
        "Epochs",
        "Parameters in full",
        "Parameters as run",
        "Device",
        "Recipe",
        "Version",
    )
    return Table(columns, tuple(rows), title="Runs")


def pair_numbers(grid: Grid, sides: Sequence[Side]) -> Iterator[Pair]:
    """Every number of either side, by printed table, row and column.

    A corrected row is in the tables alone that print one.
    """
    for title, printed in published_tables(grid).items():
        by_criterion = any(value.criterion for value in printed)
        units = {_key(value): value.unit for value in printed}
        for side in sides:
            own = {_key(value): value for value in printed if side.prints(value)}
            if side.corrected and not own:
                continue
            for key, unit in units.items():
                ours = side.find(key, by_criterion=by_criterion)
                yield Pair(title, side, key, unit, ours, own.get(key))


def tables_beside_printed(grid: Grid, setting: Setting, sides: Sequence[Side]) -> list[Table]:
    """Each printed table with ours: two rows for each cell, in the paper's columns.

    A cell that a table leaves out is shown there only if the paper does not print it at all.
    """
    tables = []
    for title, in_table in groupby(pair_numbers(grid, sides), key=lambda pair: pair.table):
        notes: list[str] = []
        rows: list[tuple[str | float | None, ...]] = []
        headings: tuple[str, ...] = ()
        for _, in_row in groupby(in_table, key=lambda pair: id(pair.side)):
            pairs = list(in_row)
            headings = tuple(pair.heading for pair in pairs)
            side, is_printed = pairs[0].side, any(pair.printed for pair in pairs)
            names = _names(side.result)
            if is_printed:
                cells = (_printed_cell(pair.printed, notes) for pair in pairs)
                rows.append((*names, _printed_by(grid, side), *cells))
            if is_printed or not side.is_printed_anywhere(grid):
                rows.append((*names, _ours(setting, side), *map(_own_cell, pairs)))
        columns = (*(axis.title for axis in grid.axis), "Whose", *headings)
        tables.append(Table(columns, tuple(rows), tuple(notes), title))
    return tables


def tidy_table(grid: Grid, setting: Setting, sides: Sequence[Side]) -> Table:
    """Every number of either side in a row of its own, with all that it belongs to."""
    columns = (
        *("experiment", "cell", "labels", "table", "criterion", *KEY_NAMES, "unit"),
        *("printed", "erratum", "compared_with", "ours", "difference"),
        *("run", "data", "patients_tested", "epochs", "folds", "recipe", "version"),
    )
    rows = []
    for pair in pair_numbers(grid, sides):
        side, theirs = pair.side, pair.printed
        ours = pair.ours.value if pair.ours else None
        target = theirs.target if theirs else None
        rows.append(
            (
                setting.experiment,
                side.result.cell.name,
                "simulated correction" if side.corrected else "prediction",
                pair.table,
                side.row.get("criterion", ""),
                *pair.key,
                pair.unit,
                theirs.value if theirs else None,
                theirs.erratum.text if theirs and theirs.erratum else "",
                target,
                ours,
                None if ours is None or target is None else ours - target,
                *_provenance(setting, side.result),
            )
        )
    return Table(columns, tuple(rows))


def write_document(
    grid: Grid,
    setting: Setting,
    results: Sequence[CellResult],
    *,
    figures: Sequence[str] = (),
    remarks: Sequence[str] = (),
) -> str:
    """All tables of an experiment as one Markdown text.

    Args:
        grid: The experiment.
        setting: On whom it was run.
        results: Of its cells.
        figures: Paths of figures, from where the text will lie.
        remarks: What else is said, after the tables, Markdown.
    """
    paper = published_papers()[grid.paper]
    sides = list_sides(grid, results)
    parts = [f"# {grid.title}", grid.description]
    if setting.caution:
        parts.append(
            f"**Not a result: {setting.caution}.** These numbers only show that every part works; "
            "they must not be compared with the printed ones."
        )
    parts.append(f"Printed: {paper.cite}. {paper.data}. Ours: {setting.source}.")
    parts.append(to_markdown(table_of_runs(grid, setting, results)))
    parts += [to_markdown(t) for t in tables_beside_printed(grid, setting, sides) if t.rows]
    notes = (*_remarks(grid, sides, paper.remarks), *remarks)
    parts.append("\n".join(f"- {note}" for note in notes))
    parts += [f"![{path}]({path})" for path in figures]
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def _remarks(grid: Grid, sides: Sequence[Side], of_paper: Iterable[str]) -> Iterator[str]:
    yield from of_paper
    yield "Differences and biases of ours are prediction minus reference."
    scores = next((side.result.scores for side in sides if side.result.runs), None)
    if scores is not None:
        base = scores["as_predicted"]["pooled"]["background_accuracy"]
        yield (
            f"Calling every pixel of our test patients background has an accuracy of {base:.4f}; "
            "read accuracies beside it."
        )
    yield (
        "Memory of ours is the most that PyTorch held on a GPU, and on a processor all that the "
        "program held."
    )
    if grid.correction:
        notes = [side.result.corrected for side in sides if side.corrected]
        told = [str(found["note"]) for found in notes if found and found.get("note")]
        yield from dict.fromkeys(told)
        counts = [
            f"{found['slices_replaced']} ({side.result.cell.label})"
            for side, found in zip((side for side in sides if side.corrected), notes, strict=True)
            if found
        ]
        if counts:
            yield f"Slices replaced by the simulated correction: {', '.join(counts)}."


def _key(value: PublishedValue) -> Key:
    return tuple(getattr(value, name) for name in KEY_NAMES)


def _names(result: CellResult) -> list[str]:
    return [value.label for value in result.cell.values]


def _printed_by(grid: Grid, side: Side) -> str:
    cite = published_papers()[grid.paper].cite
    return f"{cite}, corrected" if side.corrected else cite


def _ours(setting: Setting, side: Side) -> str:
    said = [setting.caution] if setting.caution else []
    if side.corrected:
        said.append("simulated correction")
    missing = side.result.asked - len(side.result.runs)
    if side.result.runs and missing:
        said.append(f"{missing} of {side.result.asked} folds missing")
    return f"ours ({'; '.join(said)})" if said else "ours"


def is_count(key: Key) -> bool:
    """Whether a column holds whole numbers."""
    return key[KEY_NAMES.index("metric")] in _COUNTS


def _own_cell(pair: Pair) -> float | str:
    if not pair.side.measured:
        return _MISSING
    value = pair.ours.value if pair.ours else None
    if value is None:
        return _NONE
    return int(value) if is_count(pair.key) and value == int(value) else value


def _printed_cell(value: PublishedValue | None, notes: list[str]) -> float | str:
    """A printed number; with an erratum its note's number goes with it."""
    if value is None:
        return _NONE
    if value.erratum is None:
        return value.value
    kind = value.erratum.kind
    text = value.erratum.text if kind == "caution" else f"{kind.capitalize()}: {value.erratum.text}"
    if text not in notes:
        notes.append(text)
    return f"{value.value:g} ({notes.index(text) + 1})"


def _provenance(setting: Setting, result: CellResult) -> tuple[str | int | None, ...]:
    return (
        "quick" if setting.quick else "full",
        setting.source,
        result.patients[2],
        result.epochs,
        f"{len(result.runs)} of {result.asked}",
        result.recipe,
        result.version,
    )
