"""The orientation marker: a ball of six letters, turned as the scene is."""

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPen

from heartseg_gui.views.volume.scene_values import CameraPose
from heartseg_gui.views.volume.scene_writing import Writing, faded

_RADIUS = 2.5  # in heights of a letter
_KNOB = 0.72
_AXES = (
    ("R", "L", QColor(232, 96, 92)),
    ("A", "P", QColor(104, 190, 110)),
    ("H", "F", QColor(92, 150, 240)),
)
"""Letters where an axis of the patient begins and ends (right, anterior, head), and its colour."""

_FAR_ALPHA = 0.5


def paint_gizmo(writing: Writing, area: QRectF, pose: CameraPose) -> None:
    """Paint it into the lower left corner; what points away from the reader lies behind, fainter.

    Args:
        writing: How letters look.
        area: The whole picture.
        pose: The camera.
    """
    size = writing.font_px
    room = (_RADIUS + 1.4) * size
    middle = QPointF(area.left() + room, area.bottom() - room)
    directions = pose.axes() @ np.eye(3)  # columns: right, anterior, head on the screen
    ends = []
    for (positive, negative, colour), way in zip(_AXES, directions.T, strict=True):
        ends.append((float(way[2]), positive, way, colour, True))
        ends.append((-float(way[2]), negative, -way, colour, False))
    for depth, letter, way, colour, is_positive in sorted(ends, key=lambda end: end[0]):
        at = middle + QPointF(way[0], -way[1]) * (_RADIUS * size)
        alpha = 1.0 if depth > -0.2 else _FAR_ALPHA
        _paint_end(writing, middle, at, letter, faded(colour, alpha), filled=is_positive)


def _paint_end(
    writing: Writing, middle: QPointF, at: QPointF, letter: str, colour: QColor, *, filled: bool
) -> None:
    painter, size = writing.painter, writing.font_px
    if filled:
        painter.setPen(QPen(colour, 0.14 * size))
        painter.drawLine(middle, at)
    painter.setPen(QPen(colour, 0.11 * size))
    painter.setBrush(colour if filled else writing.background)
    painter.drawEllipse(at, _KNOB * size, _KNOB * size)
    painter.setPen(QColor(18, 20, 26) if filled else colour)
    painter.setFont(writing.font(growth=0.86, bold=True))
    box = QRectF(at.x() - size, at.y() - size, 2 * size, 2 * size)
    painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), letter)
