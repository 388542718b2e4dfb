"""Figures of a report: matplotlib's Figure on the Agg canvas, never pyplot."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from engine.clinical.key_images import KeyImage
from engine.clinical.report import Report
from engine.clinical.volumes import VolumeCurve
from engine.drawing.canvas import (
    DPI,
    FAINT,
    INK,
    PALE,
    class_colours,
    figure_bytes,
    new_figure,
)
from engine.drawing.images import draw_contours, draw_image, label_outlines
from engine.structures import Structure

_CLASSES = tuple(structure.name.lower() for structure in Structure)
_CURVE_COLOURS = class_colours(_CLASSES, on_white=True)


def make_curve_figure(report: Report, *, size_in: tuple[float, float] = (3.4, 2.3)) -> Figure:
    """Volume over time of LV and RV, with end diastole and end systole marked.

    Args:
        report: What was measured.
        size_in: Width and height [in].
    """
    figure = new_figure(*size_in)
    width_in, height_in = size_in
    left, low, high = 0.5 / width_in, 0.36 / height_in, 0.16 / height_in
    axes = figure.add_axes((left, low, 1 - left - 0.1 / width_in, 1 - low - high))
    timed = bool(report.phase_times_ms)
    for curve in report.curves:
        if curve.structure != Structure.MYOCARDIUM:
            _draw_curve(axes, report, curve)
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
    axes.set_ylim(0, 1.08 * highest)
    axes.set_xlabel("time after the R wave [ms]" if timed else "phase", fontsize=7, color=INK)
    axes.set_ylabel("volume [ml]", fontsize=7, color=INK)
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


def _draw_curve(axes: Any, report: Report, curve: VolumeCurve) -> None:
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
        x, y, color=_CURVE_COLOURS[_CLASSES[curve.structure]], label=curve.structure.name,
        linewidth=1.4, marker="o", markersize=2.6 if joined else 4.5,
        linestyle="-" if joined else ":",
    )  # fmt: skip


def _position(report: Report, phase: int) -> float:
    time_ms = report.time_ms(phase)
    return float(phase + 1) if time_ms is None else time_ms


def make_images_figure(report: Report, *, size_in: tuple[float, float] = (3.7, 2.6)) -> Figure:
    """Basal, mid and apical slice at end diastole (top) and end systole, with contours.

    Args:
        report: What was measured.
        size_in: Width and height [in].
    """
    figure = new_figure(*size_in)
    rows = [phase for phase in (report.choice.ed, report.choice.es) if phase is not None]
    for image_row, phase in enumerate(rows):
        images = [image for image in report.images if image.phase == phase]
        for column, image in enumerate(images):
            height = 1 / len(rows)
            box = (column / 3 + 0.004, 1 - (image_row + 1) * height + 0.006, 1 / 3 - 0.008)
            axes = figure.add_axes((*box, height - 0.012))
            _draw_image(axes, image)
    return figure


def _draw_image(axes: Any, image: KeyImage) -> None:
    draw_image(axes, image.grey, pixel_mm=image.pixel_mm, grey_range=(0.0, 1.0))
    outlines = label_outlines(image.labels, class_colours(_CLASSES), _CLASSES)
    draw_contours(axes, outlines, linewidth=0.8)
    axes.text(
        0.03, 0.97, f"{image.title} · slice {image.slice_index + 1}", color="white", fontsize=5.5,
        transform=axes.transAxes, va="top",
        bbox={"facecolor": "black", "alpha": 0.6, "linewidth": 0, "pad": 1.2},
    )  # fmt: skip


def figure_png(figure: Figure, *, dpi: int = DPI) -> bytes:
    """The figure as PNG."""
    return figure_bytes(figure, dpi=dpi)
