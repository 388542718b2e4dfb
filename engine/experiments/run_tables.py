"""Trainings and comparisons of models as tables for files."""

from collections.abc import Sequence

from engine.experiments.run_record import RunRecord
from engine.experiments.side_by_side import SideBySide, title_of
from engine.learning.tables import Cell, Table

RUN_COLUMNS = (
    *("name", "state", "title", "task", "network", "loss", "epochs", "of", "chosen_epoch"),
    *("dice_held_out", "val_dice_best", "lv_ef_bias_points", "lv_ef_sd_points"),
    *("rv_ef_bias_points", "rv_ef_sd_points", "trained", "validated", "held_out"),
    *("minutes", "device", "started", "paper", "tags", "note", "folder"),
)


def table_of_records(records: Sequence[RunRecord]) -> Table:
    """A row for each training, numbers in full."""
    return Table(RUN_COLUMNS, tuple(_row_of(record) for record in records), title="Trainings")


def _row_of(record: RunRecord) -> tuple[Cell, ...]:
    recipe = record.recipe
    named: tuple[Cell, ...] = ("",) * 5 if recipe is None else (
        recipe.title, recipe.task.title, recipe.network.name, recipe.loss.sum, recipe.paper,
    )  # fmt: skip
    title, task, network, loss, paper = named
    errors = [record.ef_error(ventricle) or (None, None) for ventricle in ("lv", "rv")]
    counts = (len(record.split.get(part, ())) for part in ("trained", "validated", "held_out"))
    return (
        *(record.name, record.state, title, task, network, loss),
        *(len(record.rows), recipe.training.epochs if recipe else None, record.chosen_epoch),
        *(record.dice, record.validation_dice, *errors[0], *errors[1], *counts),
        round(record.seconds / 60, 1),
        record.device,
        record.started.isoformat(timespec="minutes") if record.started else "",
        *(paper, ", ".join(record.notes.tags), record.notes.note or record.fault),
        str(record.path),
    )


def short_table(records: Sequence[RunRecord]) -> Table:
    """The same for a page: what one looks at first, rounded."""
    rows = []
    for record in records:
        ef = [record.ef_error(ventricle) for ventricle in ("lv", "rv")]
        asked = record.recipe.training.epochs if record.recipe else len(record.rows)
        rows.append(
            (
                record.name,
                record.title,
                record.state,
                f"{len(record.rows)} of {asked}",
                "" if record.dice is None else f"{record.dice:.3f}",
                *("" if one is None else signed_spread(*one) for one in ef),
                ", ".join(record.notes.tags),
                record.notes.note or record.fault,
            )
        )
    columns = (
        *("Run", "Recipe", "State", "Epochs", "Dice", "LV EF [points]", "RV EF [points]"),
        *("Tags", "Note"),
    )
    return Table(columns, tuple(rows), title="Trainings")


def signed_spread(bias: float, sd: float) -> str:
    """Bias and SD, with a true minus sign."""
    return f"{bias:+.1f} ± {sd:.1f}".replace("-", "\N{MINUS SIGN}")


def table_of_figures(side: SideBySide) -> Table:
    """The figures of two models; the notes say where they come from and what to mind."""
    rows = tuple((row.title, row.unit, *row.values) for row in side.rows)
    columns = ("measure", "unit", *side.names)
    title = f"{side.names[0]} and {side.names[1]}: {len(side.patients)} patients"
    return Table(columns, rows, (side.source, *side.cautions), title)


def table_of_points(side: SideBySide) -> Table:
    """A row for each patient and quantity, with what either model and the reference measured."""
    rows: list[tuple[Cell, ...]] = []
    for patient in side.patients:
        for key in side.quantities:
            values = [patient.value(reading, key) for reading in range(3)]
            unit = title_of(key)[1]
            rows.append((patient.name, patient.group, key, unit, *values))
    return Table(("patient", "group", "quantity", "unit", *side.readings), tuple(rows))
