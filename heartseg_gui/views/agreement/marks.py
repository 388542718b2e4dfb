"""The marks of points: one colour and shape for each group."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import cos, pi, sin

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

from heartseg_gui.theme import DARK, Colours

_RADIUS = 4.2  # of a mark [pixels]

_COLOURS = ("#0072b2", "#009e73", "#cc79a7", "#e69f00", "#d55e00", "#56b4e9")
"""Can be told apart whatever one's sight (Okabe and Ito 2008)."""

_ON_DARK = {"#0072b2": "#4aa3df"}  # dark blue on black cannot be seen
_SHAPES = (0, 4, 3, -4, -3)
"""Corners of each shape, the circle first; below 0 standing on a corner."""


def group_colour(number: int, *, dark: bool) -> QColor:
    """The colour of a group by its number."""
    colour = _COLOURS[number % len(_COLOURS)]
    return QColor(_ON_DARK.get(colour, colour) if dark else colour)


def group_mark(number: int, place: QPointF, radius: float) -> QPainterPath:
    """The outline of a group's mark.

    Args:
        number: Of the group.
        place: Its middle.
        radius: Of the circle with about the same area [pixels].
    """
    path = QPainterPath()
    corners = _SHAPES[number % len(_SHAPES)]
    if corners == 0:
        path.addEllipse(place, radius, radius)
    elif corners == 4:
        path.addRect(QRectF(place.x() - radius, place.y() - radius, 2 * radius, 2 * radius))
    else:
        count, reach = abs(corners), 1.35 * radius
        start = pi / 2 if corners < -3 else -pi / 2 if corners == 3 else pi / 2
        for corner in range(count):
            angle = start + 2 * pi * corner / count
            at = place + QPointF(reach * cos(angle), reach * sin(angle))
            path.moveTo(at) if corner == 0 else path.lineTo(at)
        path.closeSubpath()
    return path


@dataclass(frozen=True, slots=True)
class Spot:
    """A mark on the screen.

    Attributes:
        place: Its middle.
        group: Number of its group.
        is_marked: Whether the reader has marked it.
    """

    place: QPointF
    group: int
    is_marked: bool


def draw_marks(painter: QPainter, spots: Iterable[Spot], colours: Colours) -> None:
    """Draw marks, the last one on top.

    Args:
        painter: Of the plot.
        spots: What to draw.
        colours: Of the theme.
    """
    dark = colours is DARK
    rim, thick = QPen(QColor(colours.window), 0.8), QPen(QColor(colours.text), 2.2)
    for spot in spots:
        painter.setPen(thick if spot.is_marked else rim)
        painter.setBrush(group_colour(spot.group, dark=dark))
        radius = 1.5 * _RADIUS if spot.is_marked else _RADIUS
        painter.drawPath(group_mark(spot.group, spot.place, radius))
