"""Points on a picture that can be taken hold of."""

from collections.abc import Sequence
from math import hypot

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

_RADIUS_PX = 5.5
REACH_PX = 11.0
"""How near the mouse takes hold of a point."""

_DARK = QColor(0, 0, 0, 200)
FOUND, SET = QColor(255, 215, 120), QColor(120, 230, 255)
"""Of points that were found in the labels, and of those that a reader put."""


def nearest_mark(marks: Sequence[QPointF], place: QPointF) -> int | None:
    """Which mark lies within reach of a place; None where none does."""
    away = [hypot(mark.x() - place.x(), mark.y() - place.y()) for mark in marks]
    if not away or min(away) > REACH_PX:
        return None
    return away.index(min(away))


def paint_marks(
    painter: QPainter,
    marks: Sequence[QPointF],
    names: Sequence[str],
    *,
    by_reader: bool,
    known: bool = True,
    held: int | None = None,
    area: QRectF | None = None,
) -> None:
    """Draw points with their names.

    Args:
        painter: In device-independent pixels.
        marks: Where they are.
        names: What each is called; empty for no name.
        by_reader: Whether a reader put them: they are filled.
        known: Whether something is measured from them; else they are dashed.
        held: The one under the mouse, drawn larger.
        area: Names stay inside; None where there is room enough.
    """
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    colour = SET if by_reader else FOUND
    for number, (mark, name) in enumerate(zip(marks, names, strict=True)):
        radius = _RADIUS_PX + (2.0 if number == held else 0.0)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(_DARK, 4.5))
        painter.drawEllipse(mark, radius, radius)
        if by_reader:
            filled = QColor(colour)
            filled.setAlpha(110)
            painter.setBrush(filled)
        style = Qt.PenStyle.SolidLine if known else Qt.PenStyle.DotLine
        painter.setPen(QPen(colour, 2.0, style))
        painter.drawEllipse(mark, radius, radius)
        if name:
            _paint_name(painter, _name_box(painter, mark, marks, name, area), name, colour)
    painter.restore()


def _way(mark: QPointF, marks: Sequence[QPointF]) -> QPointF:
    """Away from the other marks, in pixels; upwards where there are none."""
    way = QPointF()
    for other in marks:
        way += mark - other
    length = hypot(way.x(), way.y())
    return way / length if length > 0 else QPointF(0, -1)


def _name_box(
    painter: QPainter, mark: QPointF, marks: Sequence[QPointF], name: str, area: QRectF | None
) -> QRectF:
    """Where a name stands: beside its mark on the side away from the others."""
    metrics, way = painter.fontMetrics(), _way(mark, marks)
    box = QRectF(0, 0, metrics.horizontalAdvance(name) + 8, metrics.height() + 2)
    clear = _RADIUS_PX + 5
    across = way.x() * (box.width() / 2 + clear)
    down = way.y() * (box.height() / 2 + clear)
    box.moveCenter(mark + QPointF(across, down))
    if area is None or area.adjusted(2, 2, -2, -2).contains(box):
        return box
    upright = 1 if down >= 0 else -1  # no room on that side: above or below
    box.moveCenter(mark + QPointF(0, upright * (box.height() / 2 + clear)))
    box.moveLeft(min(max(box.left(), area.left() + 2), area.right() - 2 - box.width()))
    return box


def _paint_name(painter: QPainter, box: QRectF, name: str, colour: QColor) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(0, 0, 0, 150))
    painter.drawRoundedRect(box, 4, 4)
    painter.setPen(colour)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, name)
