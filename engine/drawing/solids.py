"""Surfaces in space: image, reference and prediction side by side."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray

from engine.drawing.canvas import (
    INK,
    NORMAL,
    SMALL,
    name_classes,
    new_figure,
)
from engine.drawing.colours import class_colours
from engine.drawing.images import grey_range_of
from engine.drawing.rendering import Triangles, View, compose, render_planes, render_surface
from engine.geometry import Geometry

_PANEL_IN, _TOP_IN, _FOOT_IN = 2.3, 0.24, 0.3
_SEEN_THROUGH = {"myocardium": 0.22}
_ROOM = 1.1  # by which the frame is wider than what is in it
_WITHOUT_SURFACES_MM = 60.0
_BAR_MM = 20


def make_solids_figure(
    image: NDArray[np.generic],
    geometry: Geometry,
    sides: Mapping[str, Mapping[str, Triangles]],
    *,
    classes: tuple[str, ...],
    view_degrees: tuple[float, float] = (22.0, 120.0),
) -> Figure:
    """Draw three planes of an image, and beside it each set of surfaces, from one place.

    The planes cross in the middle of all surfaces. The projection is parallel, so that the scale
    bar holds everywhere.

    Args:
        image: (z, y, x).
        geometry: Its grid.
        sides: By title, e.g. "reference" and "prediction": surfaces by class name.
        classes: Names by class number, for the colours.
        view_degrees: Elevation and azimuth, see `View`.
    """
    colours = class_colours(classes)
    view = _look_at(sides, geometry, view_degrees)
    low, high = grey_range_of(image)
    grey = (image.astype(np.float64) - low) / (high - low)
    pictures = {"image": compose([(render_planes(grey, geometry, view), (1.0, 1.0, 1.0), 1.0)])}
    for title, surfaces in sides.items():
        pictures[title] = _picture_of(surfaces, colours, view)
    width_in, height_in = _PANEL_IN * len(pictures), _TOP_IN + _PANEL_IN + _FOOT_IN
    figure = new_figure(width_in, height_in)
    for number, (title, picture) in enumerate(pictures.items()):
        axes = figure.add_axes(
            (number / len(pictures), _FOOT_IN / height_in, 1 / len(pictures), _PANEL_IN / height_in)
        )
        axes.set_axis_off()
        axes.imshow(picture, interpolation="antialiased")
        figure.text(
            (number + 0.5) / len(pictures), 1 - 0.5 * _TOP_IN / height_in, title, ha="center",
            va="center", fontsize=NORMAL, color=INK,
        )  # fmt: skip
        if number == 0:
            _draw_bar(axes, view)
    drawn = [name for name in colours if any(name in surfaces for surfaces in sides.values())]
    name_classes(figure, {name: colours[name] for name in drawn})
    return figure


def _look_at(
    sides: Mapping[str, Mapping[str, Triangles]],
    geometry: Geometry,
    view_degrees: tuple[float, float],
) -> View:
    """The view in which all surfaces just fit; of the grid's middle where there are none."""
    clouds = [one.vertices_mm for side in sides.values() for one in side.values()]
    if not clouds:
        depth, height, width = geometry.shape
        middle = geometry.position_mm(z=(depth - 1) / 2, y=(height - 1) / 2, x=(width - 1) / 2)
        return View(middle, _WITHOUT_SURFACES_MM, *view_degrees)
    axes = View(np.zeros(3), 1.0, *view_degrees).axes
    seen = np.concatenate(clouds).astype(np.float64) @ axes.T
    low, high = seen.min(axis=0), seen.max(axis=0)
    reach_mm = float((high - low)[:2].max()) / 2 * _ROOM
    return View((low + high) / 2 @ axes, reach_mm, *view_degrees)


def _picture_of(
    surfaces: Mapping[str, Triangles], colours: Mapping[str, str], view: View
) -> NDArray[np.float64]:
    """Surfaces in their colours, (y, x, 3); the myocardium lets the cavities be seen."""
    if not surfaces:
        return np.ones((view.size, view.size, 3))
    return compose(
        [
            (
                render_surface(surface, view),
                to_rgb(colours[name]),
                _SEEN_THROUGH.get(name, 1.0) if len(surfaces) > 1 else 1.0,
            )
            for name, surface in surfaces.items()
        ]
    )


def _draw_bar(axes: Any, view: View) -> None:
    """A bar of known length in the lower left corner."""
    left, bottom = 0.05 * view.size, 0.955 * view.size
    length = _BAR_MM / view.pixel_mm
    axes.plot([left, left + length], [bottom, bottom], color=INK, linewidth=1.6,
              solid_capstyle="butt")  # fmt: skip
    axes.text(left, bottom - 0.015 * view.size, f"{_BAR_MM} mm", ha="left", va="bottom",
              fontsize=SMALL, color=INK)  # fmt: skip
