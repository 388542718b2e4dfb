"""The place that was clicked in space, marked in its slice."""

import numpy as np
from PySide6.QtCore import QLineF, QObject, QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from heartseg_gui.documents.space_state import SpaceState, Voxel
from heartseg_gui.views.slices.slice_canvas import SliceCanvas
from heartseg_gui.views.slices.slice_scene import SliceScene

_INNER_PX, _OUTER_PX = 6.0, 18.0
_INK = QColor(120, 220, 255)
_DARK = QColor(0, 0, 0, 200)  # below, so that it shows on any grey


class SliceMark(QObject):
    """Four strokes round the place; nothing where its slice is not on the screen."""

    def __init__(self, space: SpaceState, canvas: SliceCanvas) -> None:
        super().__init__(canvas)
        self._space, self._canvas = space, canvas
        self._voxel: Voxel | None = None
        space.changed.connect(self._renew)

    def paint(self, painter: QPainter, slices: SliceScene) -> None:
        """Draw it, in device-independent pixels of the viewport."""
        if self._voxel is None:
            return
        item = slices.item_of(self._voxel[0])
        if item is None:
            return
        ((across, down),) = item.plane.to_mm(np.array([self._voxel[1:]], np.float64))
        at = self._canvas.viewportTransform().map(item.mapToScene(QPointF(across, down)))
        strokes = [
            QLineF(at + QPointF(x, y) * _INNER_PX, at + QPointF(x, y) * _OUTER_PX)
            for x, y in ((-1, 0), (1, 0), (0, -1), (0, 1))
        ]
        for pen in (QPen(_DARK, 4), QPen(_INK, 1.8)):
            pen.setCapStyle(Qt.PenCapStyle.RoundCap)
            painter.setPen(pen)
            painter.drawLines(strokes)

    def _renew(self) -> None:
        if self._space.picked_voxel != self._voxel:
            self._voxel = self._space.picked_voxel
            self._canvas.viewport().update()
