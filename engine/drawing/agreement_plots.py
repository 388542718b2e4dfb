"""How measurements agree with their reference: correlation beside Bland and Altman's plot."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from engine.drawing.canvas import (
    DASHES,
    GREY,
    INK,
    MARKERS,
    PALE,
    SERIES,
    SMALL,
    new_figure,
    style_axes,
)
from engine.errors import UnmeasurableError
from engine.scoring.agreement import Agreement, agreement

_WIDTH_IN, _HEIGHT_IN = 7.0, 2.75  # of one quantity
_LIMITS = SERIES[1]
_GROUPS = tuple(colour for colour in SERIES if colour != _LIMITS)
_LEGEND_COLUMNS, _LEGEND_ROW_IN = 6, 0.2
_NAME_LETTERS = 22
_MINUS = "\N{MINUS SIGN}"
_NAME_POINTS, _HEIGHT_POINTS = 21, 150  # of a line's name, and about of the axes


@dataclass(frozen=True, slots=True)
class _Level:
    """A horizontal line of a Bland-Altman plot."""

    name: str
    at: float | None
    interval: tuple[float, float] | None
    colour: str
    dash: Any


@dataclass(frozen=True, slots=True)
class PairedQuantity:
    """A quantity measured twice in each patient.

    Attributes:
        title: E.g. "LV ejection fraction".
        unit: E.g. "%", "ml", "g".
        predicted: One value for each patient; None where there is none.
        reference: The same patients in the same order.
        names: Who measured either.
        groups: Of each patient; empty for no groups. Each has a colour and a mark of its own.
    """

    title: str
    unit: str
    predicted: Sequence[float | None]
    reference: Sequence[float | None]
    names: tuple[str, str] = ("prediction", "reference")
    groups: Sequence[str] = ()


def make_agreement_figure(
    quantities: Sequence[PairedQuantity], *, limits_factor: float = 1.96
) -> Figure:
    """Draw each quantity in a row: prediction over reference, and difference over mean.

    Differences are prediction minus reference, or the first name minus the second. Bands are the
    95 % confidence intervals of bias and limits (Bland and Altman 1999).

    Args:
        quantities: One or more.
        limits_factor: SDs from the bias to a limit, 1.96 or 2.

    Raises:
        UnmeasurableError: A quantity has no pair of values, or lists of unequal length.
    """
    figure = new_figure(_WIDTH_IN, _HEIGHT_IN * len(quantities))
    grid = figure.subplots(
        len(quantities), 2, squeeze=False, gridspec_kw={"width_ratios": (1, 1.5)}
    )
    for (left, right), quantity in zip(grid, quantities, strict=True):
        found = agreement(quantity.predicted, quantity.reference, limits_factor=limits_factor)
        if found.count == 0:
            raise UnmeasurableError(
                f"No patient has both values of {quantity.title}.",
                hint="Leave this quantity out of the figure.",
            )
        points = _Points.of(quantity)
        _draw_correlation(left, quantity, points, found)
        _draw_differences(right, quantity, points, found)
    drawn = sorted({group for quantity in quantities for group in quantity.groups})
    figure.tight_layout(pad=0.6, w_pad=1.6, h_pad=1.4, rect=(0, _foot(figure, drawn), 1, 1))
    return figure


def _foot(figure: Figure, groups: Sequence[str]) -> float:
    """Name the groups at the foot of the figure; the share of its height that this takes."""
    if len(groups) < 2:
        return 0.0
    marks = [
        Line2D([], [], linestyle="none", marker=_mark(number), markersize=4.5,
               markerfacecolor=_colour(number), markeredgecolor="white", markeredgewidth=0.4)
        for number in range(len(groups))
    ]  # fmt: skip
    figure.legend(
        marks, list(groups), loc="lower center", ncols=min(len(groups), _LEGEND_COLUMNS),
        fontsize=SMALL, frameon=False, labelcolor=INK, borderpad=0.1, handletextpad=0.2,
        columnspacing=1.4,
    )  # fmt: skip
    rows = -(-len(groups) // _LEGEND_COLUMNS)
    return float(rows * _LEGEND_ROW_IN / figure.get_size_inches()[1])


def _colour(number: int) -> str:
    return _GROUPS[number % len(_GROUPS)]


def _mark(number: int) -> str:
    return MARKERS[number % len(MARKERS)]


@dataclass(frozen=True, slots=True)
class _Points:
    """What is drawn of a quantity: complete pairs (n, 2), and the group of each, (n,) or none."""

    pairs: Any
    groups: Any

    @classmethod
    def of(cls, quantity: PairedQuantity) -> "_Points":
        """The patients that have both values."""
        both = [
            number
            for number, values in enumerate(
                zip(quantity.predicted, quantity.reference, strict=True)
            )
            if None not in values
        ]
        pairs = [(quantity.predicted[n], quantity.reference[n]) for n in both]
        groups = [quantity.groups[n] for n in both] if quantity.groups else []
        return cls(np.array(pairs, float), np.array(groups))


def _draw_points(axes: Any, x: Any, y: Any, points: _Points, groups: Sequence[str]) -> None:
    """Mark each patient, by group where there is more than one."""
    named = sorted(set(groups))
    if len(named) < 2:
        named, of_group = [""], [slice(None)]
    else:
        of_group = [points.groups == group for group in named]
    for number, chosen in enumerate(of_group):
        axes.scatter(
            x[chosen], y[chosen], s=14, marker=_mark(number), facecolor=_colour(number),
            edgecolor="white", linewidth=0.4, alpha=0.8, zorder=3,
        )  # fmt: skip


def _draw_correlation(
    axes: Any, quantity: PairedQuantity, points: _Points, found: Agreement
) -> None:
    pairs = points.pairs
    low, high = float(pairs.min()), float(pairs.max())
    room = 0.06 * (high - low) or 1.0
    ends = (low - room, high + room)
    axes.plot(ends, ends, color=PALE, linewidth=0.9, zorder=1)
    _draw_points(axes, pairs[:, 1], pairs[:, 0], points, quantity.groups)
    axes.set_xlim(ends)
    axes.set_ylim(ends)
    axes.set_aspect("equal")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(nbins=5))
    style_axes(
        axes,
        x=_axis(quantity.names[1], quantity.unit),
        y=_axis(quantity.names[0], quantity.unit),
        title=quantity.title,
        grid="both",
    )
    lines = [f"n = {found.count}"]
    lines += [] if found.pearson_r is None else [f"r = {found.pearson_r:.3f}"]
    lines += [] if found.ccc is None else [f"CCC = {found.ccc:.3f}"]
    axes.text(
        0.04, 0.97, "\n".join(lines), transform=axes.transAxes, va="top", fontsize=SMALL, color=INK,
        linespacing=1.35,
    )  # fmt: skip


def _draw_differences(
    axes: Any, quantity: PairedQuantity, points: _Points, found: Agreement
) -> None:
    pairs = points.pairs
    difference = pairs[:, 0] - pairs[:, 1]
    _draw_points(axes, pairs.mean(axis=1), difference, points, quantity.groups)
    axes.axhline(0, color=PALE, linewidth=0.8, zorder=1)
    factor = f"{found.limits_factor:g} SD"
    levels = (
        _Level("bias", found.bias, found.bias_interval, INK, DASHES[0]),
        _Level(f"+{factor}", found.upper_limit, found.upper_limit_interval, _LIMITS, DASHES[1]),
        _Level(
            f"{_MINUS}{factor}", found.lower_limit, found.lower_limit_interval, _LIMITS, DASHES[1]
        ),
    )
    known = [level for level in levels if level.at is not None]
    for level in known:
        if level.interval is not None:
            axes.axhspan(*level.interval, color=level.colour, alpha=0.1, linewidth=0, zorder=0)
        axes.axhline(level.at, color=level.colour, linewidth=1.1, linestyle=level.dash, zorder=2)
    _leave_room(axes, difference, [end for level in known for end in level.interval or ()])
    _name_levels(axes, known)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6))
    first, second = map(_shortened, quantity.names)
    style_axes(
        axes,
        x=_axis("mean of both", quantity.unit),
        y=_axis(f"{first} {_MINUS} {second}", quantity.unit),
    )


def _axis(name: str, unit: str) -> str:
    return f"{name} [{unit}]" if unit else name


def _shortened(name: str) -> str:
    """A name that leaves room for another one beside it."""
    return name if len(name) <= _NAME_LETTERS else name[: _NAME_LETTERS - 1] + "…"


def _name_levels(axes: Any, levels: Sequence[_Level]) -> None:
    """Write name and value of each line into the margin, pushed apart where lines are close."""
    low, high = axes.get_ylim()
    apart = _NAME_POINTS / _HEIGHT_POINTS * (high - low)
    bias = levels[0].at or 0.0
    for level in levels:
        at = level.at or 0.0
        place = at
        if level is not levels[0]:
            above = level is levels[1]
            place = max(at, bias + apart) if above else min(at, bias - apart)
        shown = f"{at:+.1f}".replace("-", _MINUS)
        for text, drop, side, tint in (
            (level.name, 1.5, "bottom", GREY),
            (shown, -1.5, "top", level.colour),
        ):
            axes.annotate(
                text, (1, place), xycoords=axes.get_yaxis_transform(), xytext=(3, drop),
                textcoords="offset points", va=side, ha="left", fontsize=SMALL, color=tint,
                annotation_clip=False,
            )  # fmt: skip


def _leave_room(axes: Any, difference: Any, bands: Sequence[float]) -> None:
    """Let the vertical axis hold all points, zero and all bands."""
    low = min(0.0, float(difference.min()), *bands)
    high = max(0.0, float(difference.max()), *bands)
    room = 0.08 * (high - low) or 1.0
    axes.set_ylim(low - room, high + room)
