"""Numbers of several models side by side: bars of time and memory, scores beside published ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from engine.drawing.canvas import GREY, INK, PALE, SERIES, SMALL, new_figure, style_axes

_OURS, _PUBLISHED = SERIES[0], SERIES[4]
_ROW_IN, _MARGINS_IN = 0.24, 0.75


@dataclass(frozen=True, slots=True)
class BarPanel:
    """One quantity of several models.

    Attributes:
        title: E.g. "training time".
        unit: E.g. "h", "GB", "s".
        ours: By model; None where it was not measured.
        published: By model, where a paper tells.
    """

    title: str
    unit: str
    ours: Mapping[str, float | None]
    published: Mapping[str, float | None] | None = None


@dataclass(frozen=True, slots=True)
class ComparedValue:
    """A score of ours and a published one.

    Attributes:
        label: What it is of, e.g. "2D Dice: LV ED".
        ours: None where it was not measured.
        published: None where no paper tells.
        low: Lower end of the confidence interval of ours.
        high: Upper end.
        void: Whether the published value means nothing; it is then drawn hollow and grey.
    """

    label: str
    ours: float | None
    published: float | None
    low: float | None = None
    high: float | None = None
    void: bool = False


def make_bars_figure(panels: Sequence[BarPanel]) -> Figure:
    """Draw a panel of horizontal bars for each quantity, models from top to bottom.

    Every axis begins at zero, and every bar has its number.

    Args:
        panels: One or more; models come in the order in which they are first named.
    """
    models = list(
        dict.fromkeys(name for panel in panels for name in (*panel.ours, *(panel.published or ())))
    )
    paired = any(panel.published for panel in panels)
    height_in = _MARGINS_IN + len(models) * _ROW_IN * (1.7 if paired else 1.1)
    figure = new_figure(1.2 + 2.3 * len(panels), height_in)
    grid = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
    for axes, panel in zip(grid, panels, strict=True):
        _draw_bars(axes, panel, models, thick=0.35 if paired else 0.65)
    grid[0].set_yticks(range(len(models)), models)
    grid[0].invert_yaxis()
    if paired:
        _name_sides(figure, [_handle(_OURS, "s"), _handle(_PUBLISHED, "s")])
    figure.tight_layout(rect=(0, 0, 1, 1 - 0.2 * paired / height_in), pad=0.6, w_pad=1.4)
    return figure


def _draw_bars(axes: Any, panel: BarPanel, models: Sequence[str], *, thick: float) -> None:
    sides = [(panel.ours, _OURS)]
    if panel.published:
        sides.append((panel.published, _PUBLISHED))
    for number, (values, colour) in enumerate(sides):
        shift = (number - (len(sides) - 1) / 2) * thick
        for row, model in enumerate(models):
            value = values.get(model)
            if value is None:
                continue
            axes.barh(row + shift, value, height=thick * 0.9, color=colour)
            axes.annotate(
                f"{value:.3g}", (value, row + shift), xytext=(3, 0), textcoords="offset points",
                va="center", fontsize=SMALL, color=INK,
            )  # fmt: skip
    style_axes(axes, x=f"{panel.title} [{panel.unit}]", grid="x")
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=4))
    axes.set_xlim(0, axes.get_xlim()[1] * 1.14)  # for the number of the longest


def make_comparison_figure(
    values: Sequence[ComparedValue],
    *,
    quantity: str = "Dice",
    limits: tuple[float, float] | None = None,
) -> Figure:
    """Draw each score of ours as a point beside the published one, from top to bottom.

    Points, not bars: the axis need not begin at zero, so that small differences can be seen.

    Args:
        values: One or more.
        quantity: Label of the axis, with a unit where it has one.
        limits: Of the axis; None fits the data.
    """
    assert values
    height_in = _MARGINS_IN + len(values) * _ROW_IN * 0.85
    figure = new_figure(5.4, height_in)
    axes = figure.subplots()
    for row, value in enumerate(values):
        _draw_pair(axes, row, value)
    axes.set_yticks(range(len(values)), [value.label for value in values])
    axes.set_ylim(len(values) - 0.4, -0.6)
    style_axes(axes, x=quantity, grid="both")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    if limits is not None:
        axes.set_xlim(*limits)
    handles = [_handle(_OURS, "o"), _handle(_PUBLISHED, "D")]
    _name_sides(
        figure,
        handles,
        void=any(value.void for value in values),
        intervals=any(value.low is not None for value in values),
    )
    figure.tight_layout(rect=(0, 0, 1, 1 - 0.2 / height_in), pad=0.6)
    return figure


def _draw_pair(axes: Any, row: int, value: ComparedValue) -> None:
    if value.ours is not None and value.published is not None and not value.void:
        axes.plot([value.ours, value.published], [row, row], color=PALE, linewidth=1.0, zorder=2)
    if None not in (value.ours, value.low, value.high):
        axes.plot([value.low, value.high], [row, row], color=_OURS, linewidth=2.4, alpha=0.35,
                  solid_capstyle="butt", zorder=2)  # fmt: skip
    if value.published is not None:
        look = {"color": GREY, "markerfacecolor": "white"} if value.void else {"color": _PUBLISHED}
        axes.plot(
            value.published, row, marker="D", markersize=4.5, linestyle="none", zorder=3, **look
        )
    if value.ours is not None:
        axes.plot(
            value.ours, row, marker="o", markersize=5, linestyle="none", color=_OURS, zorder=4
        )


def _handle(colour: str, marker: str, *, hollow: bool = False) -> Any:
    from matplotlib.lines import Line2D

    face = "white" if hollow else colour
    return Line2D([], [], color=colour, marker=marker, markersize=5, linestyle="none",
                  markerfacecolor=face)  # fmt: skip


def _name_sides(
    figure: Figure, handles: list[Any], *, void: bool = False, intervals: bool = False
) -> None:
    names = ["ours, 95 % interval" if intervals else "ours", "published"]
    if void:
        handles, names = [*handles, _handle(GREY, "D", hollow=True)], [*names, "published, void"]
    figure.legend(
        handles, names, loc="upper right", bbox_to_anchor=(0.99, 1), ncols=len(names),
        fontsize=SMALL, frameon=False, labelcolor=INK, borderpad=0.1, handletextpad=0.2,
        columnspacing=1.2,
    )  # fmt: skip
