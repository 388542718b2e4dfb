"""Figures of a report: matplotlib's Figure on the Agg canvas, never pyplot."""

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.patches import Wedge
from matplotlib.ticker import MaxNLocator

from engine.clinical.key_images import KeyImage
from engine.clinical.report import Report
from engine.clinical.segments import Sector, WallMap, bullseye
from engine.clinical.volumes import VolumeCurve
from engine.drawing.canvas import (
    DPI,
    FAINT,
    GREY,
    INK,
    PALE,
    class_title,
    figure_bytes,
    new_figure,
)
from engine.drawing.colours import class_colours
from engine.drawing.images import draw_contours, draw_image, label_outlines
from engine.structures import Structure

_CLASSES = tuple(structure.name.lower() for structure in Structure)
_CURVE_COLOURS = class_colours(_CLASSES, on_white=True)
_THICKNESS_MM, _THICKENING = (4.0, 16.0), (0.0, 100.0)
"""Palest and darkest colour of the bullseyes, as in the window."""
_LEGEND_IN = 0.19
"""Height of the line that names the curves."""
_NOT_SEEN, _THINS = "#f1f4f7", "#f6c9c4"

Say = Callable[[str], str]
"""Says English words in another language."""


def make_curve_figure(
    report: Report, *, size_in: tuple[float, float] = (3.4, 2.3), say: Say = str
) -> Figure:
    """Volume over time of LV and RV, with end diastole and end systole marked.

    Args:
        report: What was measured.
        size_in: Width and height [in].
        say: Says the words in the reader's language.
    """
    figure = new_figure(*size_in)
    width_in, height_in = size_in
    left, low, high = 0.5 / width_in, 0.36 / height_in, 0.16 / height_in
    axes = figure.add_axes((left, low, 1 - left - 0.1 / width_in, 1 - low - high))
    timed = bool(report.phase_times_ms)
    for curve in report.curves:
        if curve.structure != Structure.MYOCARDIUM:
            _draw_curve(axes, report, curve, say(_curve_name(curve)))
    for name, phase in (("ED", report.choice.ed), ("ES", report.choice.es)):
        if phase is not None:
            at = _position(report, phase)
            axes.axvline(at, color=PALE, linewidth=0.7, linestyle=(0, (3, 3)), zorder=0)
            axes.text(
                at, 1.01, name, transform=axes.get_xaxis_transform(), ha="center", va="bottom",
                fontsize=6.5, color=INK,
            )  # fmt: skip
    highest = max(
        (ml for c in report.curves if c.structure != Structure.MYOCARDIUM for ml in c.volumes_ml),
        default=1.0,
    )
    # However low the figure, the curves stay below the line that names them.
    legend = _LEGEND_IN / (height_in - (low + high) * height_in)
    axes.set_ylim(0, highest / (1 - min(legend, 0.6)))
    along = f"{say('time after the R wave')} [ms]" if timed else say("phase")
    axes.set_xlabel(along, fontsize=7, color=INK)
    axes.set_ylabel(f"{say('volume')} [ml]", fontsize=7, color=INK)
    axes.tick_params(labelsize=6.5, colors=INK, width=0.5, length=2.5)
    axes.grid(axis="y", color=FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(PALE)
        axes.spines[side].set_linewidth(0.6)
    if not timed:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))  # there is no phase 1.4
    if axes.get_legend_handles_labels()[0]:
        axes.legend(
            fontsize=6.5,
            frameon=False,
            loc="upper center",  # the LV is small there: systole
            ncols=2,
            labelcolor=INK,
        )
    return figure


def _curve_name(curve: VolumeCurve) -> str:
    return class_title(_CLASSES[curve.structure])


def _draw_curve(axes: Any, report: Report, curve: VolumeCurve, name: str) -> None:
    points = [
        (_position(report, phase), ml)
        for phase, ml in zip(curve.phases, curve.volumes_ml, strict=True)
        if ml > 0
    ]
    if not points:
        return
    x, y = zip(*points, strict=True)
    # Far-apart phases, as of a study with only ED and ES drawn, make no curve.
    joined = len(points) > 2 and np.diff(curve.phases).max() <= 2
    axes.plot(
        x, y, color=_CURVE_COLOURS[_CLASSES[curve.structure]], label=name,
        linewidth=1.4, marker="o", markersize=2.6 if joined else 4.5,
        linestyle="-" if joined else ":",
    )  # fmt: skip


def _position(report: Report, phase: int) -> float:
    time_ms = report.time_ms(phase)
    return float(phase + 1) if time_ms is None else time_ms


def make_images_figure(
    report: Report, *, size_in: tuple[float, float] = (3.7, 2.6), say: Say = str
) -> Figure:
    """Basal, mid and apical slice at end diastole (top) and end systole, with contours.

    Args:
        report: What was measured.
        size_in: Width and height [in].
        say: Says the words in the reader's language.
    """
    figure = new_figure(*size_in)
    rows = [phase for phase in (report.choice.ed, report.choice.es) if phase is not None]
    for image_row, phase in enumerate(rows):
        images = [image for image in report.images if image.phase == phase]
        for column, image in enumerate(images):
            height = 1 / len(rows)
            box = (column / 3 + 0.004, 1 - (image_row + 1) * height + 0.006, 1 / 3 - 0.008)
            axes = figure.add_axes((*box, height - 0.012))
            _draw_image(axes, image, say)
    return figure


def _draw_image(axes: Any, image: KeyImage, say: Say) -> None:
    draw_image(axes, image.grey, pixel_mm=image.pixel_mm, grey_range=(0.0, 1.0))
    outlines = label_outlines(image.labels, class_colours(_CLASSES), _CLASSES)
    draw_contours(axes, outlines, linewidth=0.8)
    title = f"{_in_language(image.title, say)} · {say('slice')} {image.slice_index + 1}"
    axes.text(
        0.03, 0.97, title, color="white", fontsize=6.5,
        transform=axes.transAxes, va="top",
        bbox={"facecolor": "black", "alpha": 0.6, "linewidth": 0, "pad": 1.2},
    )  # fmt: skip


def make_bullseye_figure(
    wall: WallMap, *, size_in: tuple[float, float] = (7.2, 2.5), say: Say = str
) -> Figure:
    """Thickness at end diastole [mm] and thickening [%] of the sixteen segments, side by side.

    Segments, their numbers and their places are those of the American Heart Association
    (Cerqueira et al., Circulation 2002;105:539): the base outside, the anterior wall above, the
    septum on the left. The small figure is the number of the segment, the large one its value.

    Args:
        wall: What was measured; a dash stands where a segment was not seen.
        size_in: Width and height [in].
        say: Says the words in the reader's language.
    """
    figure = new_figure(*size_in)
    gains = [None if each.thickening is None else 100 * each.thickening for each in wall.segments]
    for column, (title, values, bounds, colours, digits) in enumerate((
        ("Thickness at ED", [s.ed_mm for s in wall.segments], _THICKNESS_MM, "Blues", 1),
        ("Thickening", gains, _THICKENING, "Greens", 0),
    )):  # fmt: skip
        axes = figure.add_axes((column / 2, 0.0, 0.5, 0.91))
        axes.set_aspect("equal")
        axes.set_xlim(-1.3, 1.3)
        axes.set_ylim(-1.16, 1.16)
        axes.set_axis_off()
        unit = "mm" if digits else "%"
        figure.text(
            column / 2 + 0.25, 0.99, f"{say(title)} [{unit}]", ha="center", va="top",
            fontsize=7.5, color=INK, fontweight="bold",
        )  # fmt: skip
        for sector, value in zip(bullseye(), values, strict=True):
            _draw_sector(axes, sector, value, _face(value, bounds, colours), digits)
        _name_directions(axes, say)
    return figure


def _face(value: float | None, bounds: tuple[float, float], colours: str) -> Any:
    """The colour of a value: pale red below zero, grey where there is none."""
    if value is None:
        return _NOT_SEEN
    if value < 0:
        return _THINS
    low, high = bounds
    return colormaps[colours](0.08 + 0.5 * min(max((value - low) / (high - low), 0.0), 1.0))


def _draw_sector(axes: Any, sector: Sector, value: float | None, face: Any, digits: int) -> None:
    start, end = sector.start_deg, sector.start_deg + sector.span_deg
    ring = Wedge(
        (0, 0), sector.outer, start, end, width=sector.outer - sector.inner, facecolor=face,
        edgecolor="white", linewidth=1.4,
    )  # fmt: skip
    axes.add_patch(ring)
    middle = np.deg2rad((start + end) / 2)
    radius = (sector.inner + sector.outer) / 2 if sector.inner else 0.6 * sector.outer
    x, y = radius * np.cos(middle), radius * np.sin(middle)
    text = "–" if value is None else f"{value:.{digits}f}".replace("-", "−")
    axes.text(x, y - 0.05, text, ha="center", va="center", fontsize=7.5, color=INK)
    axes.text(x, y + 0.07, str(sector.number), ha="center", va="center", fontsize=6, color=GREY)


def _name_directions(axes: Any, say: Say) -> None:
    for word, x, y, turn in (
        ("anterior", 0, 1.08, 0), ("inferior", 0, -1.08, 0),
        ("septal", -1.08, 0, 90), ("lateral", 1.08, 0, 90),
    ):  # fmt: skip
        axes.text(
            x, y, say(word), rotation=turn, ha="center", va="center", fontsize=6.5, color=GREY
        )


def _in_language(title: str, say: Say) -> str:
    """`ED basal` and `Phase 1, middle` in the reader's language."""
    phase, comma, level = title.rpartition(", ")
    if comma:
        name, _, number = phase.partition(" ")
        return f"{say(name)} {number}, {say(level)}"
    name, _, level = title.partition(" ")
    return f"{name} {say(level)}".strip()


def figure_png(figure: Figure, *, dpi: int = DPI) -> bytes:
    """The figure as PNG."""
    return figure_bytes(figure, dpi=dpi)
