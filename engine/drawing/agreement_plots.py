"""How measurements agree with their reference: correlation beside Bland and Altman's plot."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from engine.drawing.canvas import (
    DASHES,
    GREY,
    INK,
    PALE,
    SERIES,
    SMALL,
    new_figure,
    style_axes,
)
from engine.errors import UnmeasurableError
from engine.scoring.agreement import Agreement, agreement

_WIDTH_IN, _HEIGHT_IN = 7.0, 2.75  # of one quantity
_POINTS, _LIMITS = SERIES[0], SERIES[1]
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
    """

    title: str
    unit: str
    predicted: Sequence[float | None]
    reference: Sequence[float | None]


def make_agreement_figure(
    quantities: Sequence[PairedQuantity], *, limits_factor: float = 1.96
) -> Figure:
    """Draw each quantity in a row: prediction over reference, and difference over mean.

    Differences are prediction minus reference. Bands are the 95 % confidence intervals of bias
    and limits (Bland and Altman 1999).

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
        pairs = np.array(
            [
                (ours, theirs)
                for ours, theirs in zip(quantity.predicted, quantity.reference, strict=True)
                if ours is not None and theirs is not None
            ],
            float,
        )
        _draw_correlation(left, quantity, pairs, found)
        _draw_differences(right, quantity, pairs, found)
    figure.tight_layout(pad=0.6, w_pad=1.6, h_pad=1.4)
    return figure


def _draw_points(axes: Any, x: Any, y: Any) -> None:
    axes.scatter(
        x, y, s=14, facecolor=_POINTS, edgecolor="white", linewidth=0.4, alpha=0.8, zorder=3
    )


def _draw_correlation(axes: Any, quantity: PairedQuantity, pairs: Any, found: Agreement) -> None:
    low, high = float(pairs.min()), float(pairs.max())
    room = 0.06 * (high - low) or 1.0
    ends = (low - room, high + room)
    axes.plot(ends, ends, color=PALE, linewidth=0.9, zorder=1)
    _draw_points(axes, pairs[:, 1], pairs[:, 0])
    axes.set_xlim(ends)
    axes.set_ylim(ends)
    axes.set_aspect("equal")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(nbins=5))
    style_axes(
        axes,
        x=f"reference [{quantity.unit}]",
        y=f"prediction [{quantity.unit}]",
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


def _draw_differences(axes: Any, quantity: PairedQuantity, pairs: Any, found: Agreement) -> None:
    difference = pairs[:, 0] - pairs[:, 1]
    _draw_points(axes, pairs.mean(axis=1), difference)
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
    style_axes(
        axes,
        x=f"mean of both [{quantity.unit}]",
        y=f"prediction {_MINUS} reference [{quantity.unit}]",
    )


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
