"""How trainings went: loss, scores and learning rate by epoch, several runs overlaid."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from engine.drawing.canvas import (
    DASHES,
    GREY,
    INK,
    SERIES,
    SMALL,
    class_title,
    new_figure,
    style_axes,
)
from engine.drawing.colours import class_colours

Row = Mapping[str, float | int | None]

_SCORES = {"val_dice": "Dice (validation)", "val_iou": "mean IoU (validation)"}
_WIDTH_IN, _HEIGHT_IN = 3.3, 2.4  # of one panel


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """One run to be drawn.

    Attributes:
        title: What the legend calls it.
        rows: One for each epoch, as a run's log.jsonl holds them: `epoch`, `loss`, and where
            they are known `val_loss`, `val_dice`, `val_dice.<class>`, `val_iou`,
            `learning_rate`.
        chosen_epoch: The epoch whose weights are the model, which is marked; None for no mark.
    """

    title: str
    rows: Sequence[Row] = field(repr=False)
    chosen_epoch: int | None = None

    def series(self, name: str) -> tuple[list[float], list[float]]:
        """Epochs and values of one column, without the epochs that lack it."""
        known = [(row["epoch"], row.get(name)) for row in self.rows]
        points = [
            (float(epoch), float(value))
            for epoch, value in known
            if epoch is not None and value is not None
        ]
        return [epoch for epoch, _ in points], [value for _, value in points]


def make_curves_figure(
    runs: Sequence[TrainingRun], *, classes: tuple[str, ...] = (), log_loss: bool = False
) -> Figure:
    """Draw loss, Dice, IoU and learning rate by epoch; panels without data are left out.

    The loss of the training is solid, that of the validation dashed. One run alone also shows
    the Dice of each class.

    Args:
        runs: One or more.
        classes: Names by class number, for the colours of the classes.
        log_loss: Whether the loss has a logarithmic axis.
    """
    assert runs
    wanted = ["loss", *_SCORES, "learning_rate"]
    panels = [name for name in wanted if any(run.series(name)[0] for run in runs)]
    columns = min(2, len(panels)) or 1
    lines = -(-len(panels) // columns)
    figure = new_figure(_WIDTH_IN * columns, _HEIGHT_IN * lines + 0.3)
    grid = figure.subplots(lines, columns, squeeze=False).ravel()
    for axes, name in zip(grid, panels, strict=False):
        if name == "loss":
            _draw_loss(axes, runs, logarithmic=log_loss)
        elif name == "learning_rate":
            _draw_rate(axes, runs)
        else:
            _draw_score(axes, runs, name, classes)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    for axes in grid[len(panels) :]:
        axes.set_axis_off()
    _name_runs(figure, grid[0], runs)
    return figure


def _look(number: int) -> dict[str, Any]:
    return {"color": SERIES[number % len(SERIES)], "linewidth": 1.3}


def _draw_loss(axes: Any, runs: Sequence[TrainingRun], *, logarithmic: bool) -> None:
    for number, run in enumerate(runs):
        axes.plot(*run.series("loss"), **_look(number), label=run.title)
        axes.plot(*run.series("val_loss"), **_look(number), linestyle=DASHES[1])
        _mark_choice(axes, run, "val_loss" if run.series("val_loss")[0] else "loss", number)
    if logarithmic:
        axes.set_yscale("log")
    style_axes(axes, x="epoch", y="loss")
    if any(run.series("val_loss")[0] for run in runs):
        axes.plot([], [], color=GREY, linewidth=1.3, label="training")
        axes.plot([], [], color=GREY, linewidth=1.3, linestyle=DASHES[1], label="validation")
    if any(run.chosen_epoch for run in runs):
        axes.plot([], [], **_ring(GREY), linestyle="none", label="chosen epoch")
    handles, names = axes.get_legend_handles_labels()
    explained = slice(len(runs), None)
    if names[explained]:
        axes.legend(
            handles[explained], names[explained], fontsize=SMALL, frameon=False, labelcolor=INK,
            loc="upper right",
        )  # fmt: skip


def _draw_score(
    axes: Any, runs: Sequence[TrainingRun], name: str, classes: tuple[str, ...]
) -> None:
    colours = class_colours(classes, on_white=True) if classes else {}
    shown = False
    for number, run in enumerate(runs):
        axes.plot(*run.series(name), **_look(number), zorder=3)
        _mark_choice(axes, run, name, number)
        for line, (one, colour) in enumerate(colours.items() if len(runs) == 1 else ()):
            epochs, values = run.series(f"{name}.{one}")
            if epochs:
                axes.plot(
                    epochs, values, color=colour, linewidth=1.0, label=class_title(one),
                    linestyle=DASHES[1:][line % 3],
                )  # fmt: skip
                shown = True
    style_axes(axes, x="epoch", y=_SCORES[name])
    axes.set_ylim(0, 1)
    if shown:
        axes.plot([], [], **_look(0), label="mean")
        axes.legend(fontsize=SMALL, frameon=False, labelcolor=INK, loc="lower right")


def _draw_rate(axes: Any, runs: Sequence[TrainingRun]) -> None:
    for number, run in enumerate(runs):
        # Equal schedules lie on top of each other: the earlier ones show as wider lines.
        look = _look(number) | {"linewidth": 1.3 + 1.2 * (len(runs) - 1 - number)}
        axes.plot(*run.series("learning_rate"), **look, drawstyle="steps-mid")
    positive = all(value > 0 for run in runs for value in run.series("learning_rate")[1])
    if positive:
        axes.set_yscale("log")
    style_axes(axes, x="epoch", y="learning rate")


def _mark_choice(axes: Any, run: TrainingRun, name: str, number: int) -> None:
    """A ring round the epoch whose weights are the model."""
    epochs, values = run.series(name)
    if run.chosen_epoch in epochs:
        at = epochs.index(float(run.chosen_epoch or 0))
        axes.plot(epochs[at], values[at], **_ring(SERIES[number % len(SERIES)]), zorder=4)


def _ring(colour: str) -> dict[str, Any]:
    return {
        "marker": "o",
        "markersize": 5,
        "markerfacecolor": "white",
        "markeredgecolor": colour,
        "markeredgewidth": 1.3,
    }


def _name_runs(figure: Figure, axes: Any, runs: Sequence[TrainingRun]) -> None:
    """Leave room, and name the runs in one line above all panels where there are several."""
    height_in = float(figure.get_size_inches()[1])
    top_in = 0.3
    if len(runs) > 1:
        handles, names = axes.get_legend_handles_labels()
        columns = min(4, len(runs))
        top_in = 0.12 + 0.18 * -(-len(runs) // columns)
        figure.legend(
            handles[: len(runs)], names[: len(runs)], loc="upper left", ncols=columns,
            fontsize=SMALL, frameon=False, labelcolor=INK, bbox_to_anchor=(0.01, 0.995),
        )  # fmt: skip
    figure.tight_layout(rect=(0, 0, 1, 1 - top_in / height_in * (len(runs) > 1)), pad=0.6)
