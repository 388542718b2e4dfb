"""The part of a slice with the heart, fitted into a picture: grey values, outlines, places."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPolygonF

from engine.cine import Cine
from engine.labelmap import LabelMap, SlicePlace
from heartseg_gui.documents.display_state import DisplayState
from heartseg_gui.slice_rendering import (
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


class SlicePart:
    """The heart of one phase with a margin on one slice; all of the slice without labels.

    Args:
        cine: The grey values.
        labels: What is drawn on it, or None.
        place: (phase, slice), 0-based.
        margin: On each side, as a share of the heart's longer side.
    """

    def __init__(
        self,
        cine: Cine,
        labels: LabelMap | None,
        place: SlicePlace,
        *,
        margin: float = _MARGIN_SHARE,
    ) -> None:
        self.cine, self.labels, self.place = cine, labels, place
        self.plane = SlicePlane.of(cine.geometry)
        _, height, width = cine.geometry.shape
        heart = None
        if labels is not None:
            heart = box_of(np.bitwise_or.reduce(labels.voxels[place[0]], axis=0))
        self._box = self.plane.turn_box(widened(heart, height, width, margin))

    def target(self, size: QSize) -> QRectF:
        """Where it lies in a picture of a size."""
        return fitted(self._box, self.plane, size)

    def places(self, points: Sequence[tuple[float, float]], size: QSize) -> list[QPointF]:
        """Where points (y, x) of the slice lie in a picture of a size."""
        top, _, left, right = self._box
        target, plane = self.target(size), self.plane
        scale = target.width() / ((right - left) * plane.column_mm)
        return [
            QPointF(
                target.left() + (x - left * plane.column_mm) * scale,
                target.top() + (y - top * plane.row_mm) * scale,
            )
            for x, y in plane.to_mm(np.array(points, np.float64))
        ]

    def voxel_at(self, place: QPointF, size: QSize) -> tuple[float, float]:
        """The point (y, x) of the slice at a place in a picture of a size."""
        top, _, left, right = self._box
        target, plane = self.target(size), self.plane
        scale = target.width() / ((right - left) * plane.column_mm)
        return plane.to_voxel(
            (place.x() - target.left()) / scale + left * plane.column_mm,
            (place.y() - target.top()) / scale + top * plane.row_mm,
        )

    def paint(self, painter: QPainter, size: QSize, display: DisplayState) -> None:
        """Draw grey values and outlines into a picture of a size."""
        target = self.target(size)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.drawImage(target, self._grey(display), rectangle_of(self._box))
        self._paint_outlines(painter, target, display)

    def _grey(self, display: DisplayState) -> QImage:
        voxels = np.ascontiguousarray(self.cine.voxels[self.place])
        level, width = display.level, display.width
        if self.labels is None:  # another series has a brightness of its own
            low, high = (float(value) for value in np.percentile(voxels, (1, 99.5)))
            level, width = (low + high) / 2, max(high - low, 1.0)
        grey = np.empty(voxels.shape, np.uint8)
        GreyTable(level, width, self.cine.voxels.dtype).draw(voxels, grey)
        turned = np.ascontiguousarray(self.plane.turn(grey)).view(np.uint8)
        pixels = np.empty(turned.shape, np.uint32)
        to_pixels(turned, pixels)
        return image_over(pixels, QImage.Format.Format_RGB32).copy()

    def _paint_outlines(self, painter: QPainter, target: QRectF, display: DisplayState) -> None:
        if self.labels is None:
            return
        top, bottom, left, right = self._box
        turned = self.plane.turn(self.labels.voxels[self.place])[top:bottom, left:right]
        across, down = target.width() / (right - left), target.height() / (bottom - top)
        for structure in display.shown_structures():
            painter.setPen(QPen(QColor(*display.colour_of(structure)), _LINE_PX))
            for path in outline_paths((turned == structure).astype(np.uint8)):
                line = [
                    QPointF(target.left() + column * across, target.top() + row * down)
                    for row, column in path
                ]
                painter.drawPolyline(QPolygonF(line))
