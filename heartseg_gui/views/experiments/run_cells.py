"""What stands in the table of trainings."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.experiments.run_record import RunRecord

_LOWEST = float("-inf")
STATES = {"finished": "● finished", "unfinished": "○ unfinished", "unreadable": "▲ unreadable"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table.

    Attributes:
        title: Its heading.
        tip: More words about it.
        letters: How wide it is at first.
        text: What stands in a cell.
        rank: What it is sorted by.
        number: Whether it stands on the right.
    """

    title: str
    tip: str
    letters: int
    text: "Callable[[RunRecord], str]"
    rank: "Callable[[RunRecord], object]"
    number: bool = False


def _by_text(title: str, tip: str, letters: int, text: "Callable[[RunRecord], str]") -> Column:
    return Column(title, tip, letters, text, lambda run: text(run).casefold())


def _by_number(
    title: str, tip: str, value: "Callable[[RunRecord], float | None]", form: str
) -> Column:
    def text(run: "RunRecord") -> str:
        known = value(run)
        return "" if known is None else format(known, form).replace("-", "−")

    def rank(run: "RunRecord") -> object:
        known = value(run)
        return _LOWEST if known is None else known

    return Column(title, tip, 9, text, rank, number=True)


def _epochs(run: "RunRecord") -> str:
    asked = run.recipe.training.epochs if run.recipe else 0
    return f"{len(run.rows)} of {asked}" if asked and asked != len(run.rows) else f"{len(run.rows)}"


def _ef(ventricle: str) -> Column:
    name = ventricle.upper()

    def text(run: "RunRecord") -> str:
        found = run.ef_error(ventricle)
        return "" if found is None else f"{found[0]:+.1f} ± {found[1]:.1f}".replace("-", "−")

    def rank(run: "RunRecord") -> object:
        found = run.ef_error(ventricle)
        return _LOWEST if found is None else -found[1]  # the smallest spread is the best

    tip = f"{name} ejection fraction of held-out patients: bias ± SD [points]"
    return Column(f"{name} EF", tip, 17, text, rank, number=True)


def _started(run: "RunRecord") -> str:
    return "" if run.started is None else _local(run.started).strftime("%Y-%m-%d %H:%M")


def _local(time: datetime) -> datetime:
    return time.astimezone()


def _of_recipe(part: str) -> "Callable[[RunRecord], str]":
    def text(run: "RunRecord") -> str:
        if run.recipe is None:
            return ""
        if part == "task":
            return run.recipe.task.title
        return run.recipe.network.name if part == "network" else run.recipe.loss.sum

    return text


COLUMNS: tuple[Column, ...] = (
    _by_text("Run", "Its folder", 38, lambda run: run.name),
    _by_text("Recipe", "What was trained", 30, lambda run: run.title),
    _by_text("State", "Whether it has ended", 17, lambda run: STATES[run.state]),
    Column("Epochs", "Trained; of so many", 9, _epochs, lambda run: len(run.rows), number=True),
    _by_number("Dice", "Mean over structures of held-out patients", lambda run: run.dice, ".3f"),
    _by_number("Val. Dice", "Best epoch, validation", lambda run: run.validation_dice, ".3f"),
    _ef("lv"),
    _ef("rv"),
    _by_text("Tags", "Kept in the run's folder", 18, lambda run: ", ".join(run.notes.tags)),
    _by_text("Note", "Kept in the run's folder", 26, lambda run: run.fault or run.notes.note),
    _by_text("Network", "Its name", 18, _of_recipe("network")),
    _by_text("Loss", "Its terms", 24, _of_recipe("loss")),
    _by_text("Finds", "Its task", 26, _of_recipe("task")),
    _by_number("Minutes", "All epochs together", lambda run: run.seconds / 60, ".0f"),
    _by_text("Started", "Local time", 22, _started),
    _by_text("Device", "It was trained on", 30, lambda run: run.device),
)
TITLES = tuple(column.title for column in COLUMNS)


def line_of(run: "RunRecord") -> str:
    """All that a filter looks at, in small letters."""
    return " ".join((*(column.text(run) for column in COLUMNS), str(run.path))).casefold()
