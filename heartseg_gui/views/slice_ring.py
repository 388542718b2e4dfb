"""The outline of the brush under the mouse, as large as what it paints."""

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QWidget

_ROOM_PX = 4
_ERASER_COLOUR = QColor(235, 235, 235)
_DARK = QPen(QColor(0, 0, 0, 220), 4.5)  # below the colour, so that it shows on any grey


class BrushRing:
    """A circle on the viewport that repaints only where it was and where it is."""

    def __init__(self, viewport: QWidget) -> None:
        self._viewport = viewport
        self._ring = QRectF()

    @property
    def shown(self) -> bool:
        """Whether there is anything to paint."""
        return not self._ring.isEmpty()

    def move(self, centre: QPointF | None, radius_px: float) -> None:
        """Draw the ring elsewhere, or nowhere."""
        self._update()
        self._ring = QRectF()
        if centre is not None:
            self._ring = QRectF(
                centre.x() - radius_px, centre.y() - radius_px, 2 * radius_px, 2 * radius_px
            )
        self._update()

    def paint(self, painter: QPainter, colour: QColor | None) -> None:
        """Draw the ring in a structure's colour, or the eraser's."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(_DARK)
        painter.drawEllipse(self._ring)
        painter.setPen(QPen(colour.lighter(130) if colour else _ERASER_COLOUR, 2))
        painter.drawEllipse(self._ring)

    def _update(self) -> None:
        if self.shown:
            room = self._ring.adjusted(-_ROOM_PX, -_ROOM_PX, _ROOM_PX, _ROOM_PX)
            self._viewport.update(room.toAlignedRect())
