"""Figures of a report: matplotlib's Figure on the Agg canvas, never pyplot."""

from io import BytesIO
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from engine.clinical.report import KeyImage, Report
from engine.clinical.volumes import VolumeCurve
from engine.structures import Structure

COLOURS = {Structure.RV: "#ffd400", Structure.MYOCARDIUM: "#2fbf71", Structure.LV: "#e5383b"}
"""Colour of each structure's contour; the window shows the same."""

_INK, _PALE = "#1f2933", "#9aa5b1"
_CURVE_COLOURS = {**COLOURS, Structure.RV: "#d9a900"}  # yellow that can be read on white
_DPI = 220


def make_curve_figure(report: Report, *, size_in: tuple[float, float] = (3.4, 2.3)) -> Figure:
    """Volume over time of LV and RV, with end diastole and end systole marked.

    Args:
        report: What was measured.
        size_in: Width and height [in].
    """
    figure = _new_figure(size_in)
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
            axes.axvline(at, color=_PALE, linewidth=0.7, linestyle=(0, (3, 3)), zorder=0)
            axes.text(
                at, 1.01, name, transform=axes.get_xaxis_transform(), ha="center", va="bottom",
                fontsize=6.5, color=_INK,
            )  # fmt: skip
    highest = max(
        (ml for c in report.curves if c.structure != Structure.MYOCARDIUM for ml in c.volumes_ml),
        default=1.0,
    )
    axes.set_ylim(0, 1.08 * highest)
    axes.set_xlabel("time after the R wave [ms]" if timed else "phase", fontsize=7, color=_INK)
    axes.set_ylabel("volume [ml]", fontsize=7, color=_INK)
    axes.tick_params(labelsize=6.5, colors=_INK, width=0.5, length=2.5)
    axes.grid(axis="y", color="#e4e7eb", linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(_PALE)
        axes.spines[side].set_linewidth(0.6)
    if not timed:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))  # there is no phase 1.4
    if axes.get_legend_handles_labels()[0]:
        axes.legend(
            fontsize=6.5,
            frameon=False,
            loc="upper center",  # the LV is small there: systole
            ncols=2,
            labelcolor=_INK,
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
        x, y, color=_CURVE_COLOURS[curve.structure], label=curve.structure.name, linewidth=1.4,
        marker="o", markersize=2.6 if joined else 4.5, linestyle="-" if joined else ":",
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
    figure = _new_figure(size_in)
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
    y_mm, x_mm = image.pixel_mm
    axes.set_axis_off()
    axes.imshow(
        image.grey, cmap="gray", vmin=0, vmax=1, interpolation="bicubic", aspect=y_mm / x_mm
    )
    within = {
        Structure.RV: image.labels == Structure.RV,
        Structure.MYOCARDIUM: np.isin(image.labels, (Structure.MYOCARDIUM, Structure.LV)),
        Structure.LV: image.labels == Structure.LV,
    }
    for structure, mask in within.items():
        if mask.any() and not mask.all():
            axes.contour(mask.astype(float), [0.5], colors=[COLOURS[structure]], linewidths=0.8)
    axes.text(
        0.03, 0.97, f"{image.title} · slice {image.slice_index + 1}", color="white", fontsize=5.5,
        transform=axes.transAxes, va="top",
        bbox={"facecolor": "black", "alpha": 0.6, "linewidth": 0, "pad": 1.2},
    )  # fmt: skip


def figure_png(figure: Figure, *, dpi: int = _DPI) -> bytes:
    """The figure as PNG."""
    stream = BytesIO()
    FigureCanvasAgg(figure).print_figure(stream, format="png", dpi=dpi)
    return stream.getvalue()


def _new_figure(size_in: tuple[float, float]) -> Figure:
    figure = Figure(figsize=size_in, dpi=_DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure
