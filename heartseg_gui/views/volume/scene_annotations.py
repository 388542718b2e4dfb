"""What is written on a picture of a scene: directions, places of the heart, scales, titles.

Painted by Qt over the rendered picture, so that letters are crisp on every screen and a moved mark
needs no new picture.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPen

from engine.mesh.heart_axes import HeartAxes
from heartseg_gui.views.volume.scene_gizmo import paint_gizmo
from heartseg_gui.views.volume.scene_scales import paint_colour_bar, paint_scale_bar
from heartseg_gui.views.volume.scene_values import (
    CameraPose,
    Point,
    SceneFacts,
    ScenePicture,
    as_point,
)
from heartseg_gui.views.volume.scene_writing import Writing

_MARK = QColor(64, 220, 255)
_MARK_PX = 9.0
_DIVIDER = QColor(128, 134, 146, 90)
_TITLE_GROWTH = 1.1
_BEHIND_ALPHA = 0.45  # of a word whose place lies on the far side
_DOT_PX = 2.2


@dataclass(frozen=True, slots=True)
class AnnotationStyle:
    """What is written, and how large.

    Attributes:
        orientation: Where the patient's right, front and head are.
        terms: Base, apex and walls, at the heart.
        scale_bar: A length in the picture.
        colour_bar: Which value has which colour.
        titles: Of the panes, and their messages.
        font_px: Height of the letters.
    """

    orientation: bool = True
    terms: bool = True
    scale_bar: bool = True
    colour_bar: bool = True
    titles: bool = True
    font_px: float = 12.0


PLAIN = AnnotationStyle()


def paint_annotations(
    painter: QPainter, area: QRectF, facts: SceneFacts, style: AnnotationStyle = PLAIN
) -> None:
    """Write on a picture that fills an area.

    Args:
        painter: Its state is left as it was.
        area: Where the picture is, in the painter's coordinates.
        facts: What the picture shows.
        style: What to write.
    """
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    count = len(facts.panes)
    width = area.width() / count
    writing = Writing(painter, facts.background, style.font_px)
    for number, (title, message, scale) in enumerate(facts.panes):
        pane = QRectF(area.left() + number * width, area.top(), width, area.height())
        if number:
            painter.setPen(QPen(_DIVIDER, 1.0))
            painter.drawLine(pane.topLeft(), pane.bottomLeft())
        if style.titles:
            _write_titles(writing, pane, title, message)
        if message:
            continue
        if style.terms and facts.heart is not None:
            _write_terms(writing, pane, facts.pose, facts.heart)
        if style.colour_bar and scale is not None:
            paint_colour_bar(writing, pane, scale)
        if facts.mark_mm is not None:
            _paint_mark(painter, on_pane(facts.pose, pane, facts.mark_mm)[0])
    if style.orientation and facts.is_oriented:
        paint_gizmo(writing, area, facts.pose)
    if style.scale_bar:
        paint_scale_bar(writing, area, facts.pose, width)
    painter.restore()


def annotated(
    picture: ScenePicture, style: AnnotationStyle = PLAIN, *, ratio: float = 1.0
) -> NDArray[np.uint8]:
    """A picture with what is written on it, (y, x, 3), for files; on any thread.

    Args:
        picture: Stays as it is.
        style: What to write.
        ratio: Pixels of the picture for a pixel of letters and lines, e.g. 2 for fine prints.
    """
    height, width, _ = picture.pixels.shape
    image = QImage(width, height, QImage.Format.Format_RGB888)
    drawn = np.frombuffer(image.bits(), np.uint8).reshape(height, image.bytesPerLine())
    drawn[:, : 3 * width] = picture.pixels.reshape(height, 3 * width)
    painter = QPainter(image)
    painter.scale(ratio, ratio)
    paint_annotations(painter, QRectF(0, 0, width / ratio, height / ratio), picture.facts, style)
    painter.end()
    return drawn[:, : 3 * width].reshape(height, width, 3).copy()


def on_pane(pose: CameraPose, pane: QRectF, point_mm: Point) -> tuple[QPointF, float]:
    """Where a place is seen in a pane, and how far before what is looked at it lies [mm]."""
    across, up, towards = pose.axes() @ (np.array(point_mm) - pose.focus_mm)
    px_per_mm = pane.height() / (2 * pose.half_height_mm)
    middle = pane.center()
    place = QPointF(middle.x() + across * px_per_mm, middle.y() - up * px_per_mm)
    return place, float(towards)


def _write_titles(writing: Writing, pane: QRectF, title: str, message: str) -> None:
    room = writing.font_px
    if title:
        corner = QRectF(pane.adjusted(room, 0.7 * room, -room, 0))
        writing.write(corner, title, Qt.AlignmentFlag.AlignLeft, growth=_TITLE_GROWTH, bold=True)
    if message:
        middle = pane.adjusted(2 * room, 0, -2 * room, 0)
        writing.write(middle, message, Qt.AlignmentFlag.AlignCenter, quiet=True)


def _write_terms(writing: Writing, pane: QRectF, pose: CameraPose, heart: HeartAxes) -> None:
    """Each word beside a dot at its place; fainter where that is on the far side."""
    middle, _ = on_pane(pose, pane, as_point((heart.base_mm + heart.apex_mm) / 2))
    for place in heart.places():
        at, towards = on_pane(pose, pane, place.point_mm)
        if not pane.contains(at):
            continue
        alpha = 1.0 if towards > -heart.radius_mm / 3 else _BEHIND_ALPHA
        writing.dot(at, _DOT_PX, alpha)
        metrics = QFontMetricsF(writing.font())
        width, height = metrics.horizontalAdvance(place.name) + 4, metrics.height()
        away = at - middle
        length = max(float(np.hypot(away.x(), away.y())), 1.0)
        across, down = away.x() / length, away.y() / length
        centre = at + QPointF(across * (width / 2 + 5), down * (height / 2 + 5))
        box = QRectF(centre.x() - width / 2, centre.y() - height / 2, width, height)
        writing.write(_moved_into(pane, box), place.name, Qt.AlignmentFlag.AlignCenter, alpha=alpha)


def _moved_into(pane: QRectF, box: QRectF) -> QRectF:
    """The box, shifted so that it does not leave the pane."""
    left = min(max(box.left(), pane.left() + 2), pane.right() - box.width() - 2)
    top = min(max(box.top(), pane.top() + 2), pane.bottom() - box.height() - 2)
    return QRectF(left, top, box.width(), box.height())


def _paint_mark(painter: QPainter, at: QPointF) -> None:
    """A ring with four ticks: seen through everything, hides nothing."""
    for ink, width in ((QColor(0, 0, 0, 150), 3.5), (_MARK, 1.6)):
        painter.setPen(QPen(ink, width))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(at, _MARK_PX, _MARK_PX)
        for across, down in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            inner, outer = 0.6 * _MARK_PX, 1.5 * _MARK_PX
            way = QPointF(across, down)
            painter.drawLine(at + way * inner, at + way * outer)
