"""One slice as it lies on the screen, cut to the heart, with the outlines of its labels."""

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from engine.cine import Cine
from engine.labelmap import LabelMap
from heartseg_gui.documents.display_state import DisplayState
from heartseg_gui.slice_rendering import (
    Box,
    GreyTable,
    SlicePlane,
    box_of,
    fitted,
    image_over,
    outline_paths,
    rectangle_of,
    to_pixels,
    widened,
)

_MARGIN_SHARE = 0.3
_LINE_PX = 1.8

LineInVoxels = tuple[tuple[float, float], tuple[float, float], QColor, str]
"""Both ends (y, x), colour and name of a line that is drawn over a picture."""


class SlicePicture(QWidget):
    """Draws one slice of one phase; pale where the slice does not count.

    Signals:
        clicked: The reader points at it.
        double_clicked: The reader wants to change what it counts.
    """

    clicked = Signal()
    double_clicked = Signal()

    def __init__(self, display: DisplayState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._display = display
        self._cine: Cine | None = None
        self._labels: LabelMap | None = None
        self._place = (0, 0)
        self._box: Box | None = None
        self._lines: list[LineInVoxels] = []
        self._pale = self._marked = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def sizeHint(self) -> QSize:
        """Large enough to judge a border."""
        return QSize(230, 190)

    def minimumSizeHint(self) -> QSize:
        """Small, where the window is."""
        return QSize(110, 90)

    def show_slice(
        self,
        cine: Cine | None,
        labels: LabelMap | None,
        phase: int,
        slice_index: int,
        *,
        pale: bool = False,
        marked: bool = False,
    ) -> None:
        """Show a slice.

        Args:
            cine: Its grey values; None for nothing.
            labels: What is drawn on it, or None.
            phase: 0-based.
            slice_index: 0-based.
            pale: Whether it does not count.
            marked: Whether it is the one in the slice view.
        """
        self._cine, self._labels, self._place = cine, labels, (phase, slice_index)
        self._pale, self._marked = pale, marked
        self._box = self._find_box()
        self.update()

    def show_lines(self, lines: list[LineInVoxels]) -> None:
        """Draw lines over the picture."""
        self._lines = lines
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw grey values, outlines, lines and the mark."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), Qt.GlobalColor.black)
        cine, box = self._cine, self._box
        if cine is None or box is None:
            return
        plane = SlicePlane.of(cine.geometry)
        turned = plane.turn_box(box)
        target = fitted(turned, plane, self.size())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setOpacity(0.45 if self._pale else 1.0)
        painter.drawImage(target, self._grey(cine, plane), rectangle_of(turned))
        self._paint_outlines(painter, target, turned, plane)
        painter.setOpacity(1.0)
        self._paint_lines(painter, target, turned, plane)
        if self._marked or self.hasFocus():
            painter.setPen(QPen(self.palette().highlight().color(), 3))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(self.rect()).adjusted(1.5, 1.5, -1.5, -1.5))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Point at the slice."""
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self.clicked.emit()
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Change what it counts."""
        self.double_clicked.emit()
        event.accept()

    def _find_box(self) -> Box | None:
        """The heart in this phase with a margin; all of the picture without labels."""
        if self._cine is None:
            return None
        _, height, width = self._cine.geometry.shape
        heart = None
        if self._labels is not None:
            heart = box_of(np.bitwise_or.reduce(self._labels.voxels[self._place[0]], axis=0))
        return widened(heart, height, width, _MARGIN_SHARE)

    def _grey(self, cine: Cine, plane: SlicePlane) -> QImage:
        phase, z = self._place
        voxels = np.ascontiguousarray(cine.voxels[phase, z])
        level, width = self._display.level, self._display.width
        if self._labels is None:  # another series has a brightness of its own
            low, high = (float(value) for value in np.percentile(voxels, (1, 99.5)))
            level, width = (low + high) / 2, max(high - low, 1.0)
        grey = np.empty(voxels.shape, np.uint8)
        GreyTable(level, width, cine.voxels.dtype).draw(voxels, grey)
        turned = np.ascontiguousarray(plane.turn(grey)).view(np.uint8)
        pixels = np.empty(turned.shape, np.uint32)
        to_pixels(turned, pixels)
        return image_over(pixels, QImage.Format.Format_RGB32).copy()

    def _paint_outlines(
        self, painter: QPainter, target: QRectF, box: Box, plane: SlicePlane
    ) -> None:
        if self._labels is None:
            return
        top, bottom, left, right = box
        turned = plane.turn(self._labels.voxels[self._place])[top:bottom, left:right]
        across, down = target.width() / (right - left), target.height() / (bottom - top)
        for structure in self._display.shown_structures():
            painter.setPen(QPen(QColor(*self._display.colour_of(structure)), _LINE_PX))
            for path in outline_paths((turned == structure).astype(np.uint8)):
                line = [
                    QPointF(target.left() + column * across, target.top() + row * down)
                    for row, column in path
                ]
                painter.drawPolyline(QPolygonF(line))

    def _paint_lines(self, painter: QPainter, target: QRectF, box: Box, plane: SlicePlane) -> None:
        top, _, left, _ = box
        scale = target.width() / ((box[3] - left) * plane.column_mm)
        for start, end, colour, name in self._lines:
            points = plane.to_mm(np.array([start, end]))
            places = [
                QPointF(
                    target.left() + (x - left * plane.column_mm) * scale,
                    target.top() + (y - top * plane.row_mm) * scale,
                )
                for x, y in points
            ]
            painter.setPen(QPen(QColor(0, 0, 0, 160), _LINE_PX + 2))
            painter.drawLine(*places)
            painter.setPen(QPen(colour, _LINE_PX))
            painter.drawLine(*places)
            right = max(places, key=lambda place: place.x())
            painter.drawText(right + QPointF(-18.0 - 6 * len(name), -4.0), name)
