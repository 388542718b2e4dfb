"""What all figures share: the paper, its colours, its axes, and the file they become."""

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from engine.errors import CannotSaveError
from engine.io.atomic_file import write_atomically

Kind = Literal["png", "svg", "pdf"]

INK, GREY, PALE, FAINT = "#1f2933", "#52606d", "#9aa5b1", "#e4e7eb"
"""Text, lesser text, lines, grid."""

SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#1f2933")
"""Colours that can be told apart whatever one's sight (Okabe and Ito 2008)."""

DASHES: tuple[Any, ...] = ("-", (0, (4, 1.5)), (0, (1, 1)), (0, (4, 1.5, 1, 1.5)))
"""Line styles, so that a print without colour can be read too."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X")

DPI = 220
SMALL, NORMAL = 7.0, 8.0
"""Sizes of texts [points]."""


def new_figure(width_in: float, height_in: float, *, dpi: int = DPI) -> Figure:
    """An empty white figure of so many inches."""
    figure = Figure(figsize=(width_in, height_in), dpi=dpi, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def figure_bytes(figure: Figure, kind: Kind = "png", *, dpi: int = DPI) -> bytes:
    """The figure as PNG, SVG or PDF; the same figure gives the same PNG."""
    stream = BytesIO()
    # a file is not to differ because it was drawn on another day
    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    figure.savefig(stream, format=kind, dpi=dpi, metadata=undated.get(kind))
    return stream.getvalue()


def write_figure(figure: Figure, path: Path, *, dpi: int = DPI) -> None:
    """Write a figure as the kind that the name ends with.

    Raises:
        CannotSaveError: It ends otherwise, or cannot be written.
    """
    kind = path.suffix.lower().removeprefix(".")
    if kind not in get_args(Kind):
        raise CannotSaveError(
            f"A figure cannot be written as {path.name}.",
            hint=f"Let the name end with .{', .'.join(get_args(Kind))}.",
        )
    write_atomically(path, figure_bytes(figure, kind, dpi=dpi))  # type: ignore[arg-type]


def figure_pixels(figure: Figure) -> NDArray[np.uint8]:
    """What the figure looks like, (y, x, 3), at its own resolution."""
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def class_title(name: str) -> str:
    """A class as a reader sees it: RV, LV, left atrium."""
    return name.upper() if name in ("rv", "lv") else name.replace("_", " ")


def style_axes(
    axes: Any,
    *,
    x: str = "",
    y: str = "",
    title: str = "",
    grid: Literal["x", "y", "both", ""] = "y",
) -> None:
    """Make axes plain: two thin spines, a faint grid behind the data, readable texts.

    Args:
        axes: Of matplotlib.
        x: Label with unit.
        y: Label with unit.
        title: Above, to the left.
        grid: Along which axis lines are drawn.
    """
    axes.set_xlabel(x, fontsize=NORMAL, color=INK)
    axes.set_ylabel(y, fontsize=NORMAL, color=INK)
    if title:
        axes.set_title(title, fontsize=NORMAL, color=INK, loc="left", fontweight="bold")
    axes.tick_params(labelsize=SMALL, colors=INK, width=0.6, length=2.5)
    axes.tick_params(which="minor", colors=PALE, width=0.4, length=1.5)
    if grid:
        axes.grid(axis=grid, color=FAINT, linewidth=0.6)
        axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(PALE)
        axes.spines[side].set_linewidth(0.6)


def name_classes(figure: Figure, colours: Mapping[str, str]) -> None:
    """Write what the colours of the classes mean, in one line at the foot."""
    if not colours:
        return
    marks = [
        Line2D([], [], color=GREY, marker="s", markersize=7, linestyle="none",
               markerfacecolor=colour, markeredgewidth=0.5)
        for colour in colours.values()
    ]  # fmt: skip
    figure.legend(
        marks, [class_title(name) for name in colours], loc="lower center", ncols=len(marks),
        fontsize=SMALL, frameon=False, labelcolor=INK, borderpad=0.1, handletextpad=0.2,
        columnspacing=1.4,
    )  # fmt: skip
