"""The outline of the brush under the mouse, as large and as round as what it paints."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QWidget

_ROOM_PX = 4
_ERASER_COLOUR = QColor(235, 235, 235)
_DARK = QColor(0, 0, 0, 220)  # below the colour, so that it shows on any grey
_LARGEST_KEPT_PX = 150


class BrushRing:
    """A circle or a square on the viewport that repaints only where it was and where it is."""

    def __init__(self, viewport: QWidget) -> None:
        self.square = False
        self._viewport = viewport
        self._ring = QRectF()
        self._kept: tuple[object, QPixmap] | None = None

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
        ink = colour.lighter(130) if colour else _ERASER_COLOUR
        radius = self._ring.width() / 2
        if radius > _LARGEST_KEPT_PX:
            _draw_ring(painter, self._ring, ink, square=self.square)
            return
        ratio = painter.device().devicePixelRatioF()
        key = (radius, ink.rgb(), ratio, self.square)
        if self._kept is None or self._kept[0] != key:
            self._kept = (key, _ring_pixmap(radius, ink, ratio, square=self.square))
        painter.drawPixmap(self._ring.topLeft() - QPointF(_ROOM_PX, _ROOM_PX), self._kept[1])

    def _update(self) -> None:
        if self.shown:
            room = self._ring.adjusted(-_ROOM_PX, -_ROOM_PX, _ROOM_PX, _ROOM_PX)
            self._viewport.update(room.toAlignedRect())


def _ring_pixmap(radius: float, ink: QColor, ratio: float, *, square: bool) -> QPixmap:
    """The ring drawn once: antialiased circles cost more than all the rest of a movement."""
    side = round((2 * radius + 2 * _ROOM_PX) * ratio) + 1
    pixmap = QPixmap(side, side)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    around = QRectF(_ROOM_PX, _ROOM_PX, 2 * radius, 2 * radius)
    _draw_ring(painter, around, ink, square=square)
    painter.end()
    return pixmap


def _draw_ring(painter: QPainter, ring: QRectF, ink: QColor, *, square: bool) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for pen in (QPen(_DARK, 4.5), QPen(ink, 2)):
        painter.setPen(pen)
        if square:
            painter.drawRect(ring)
        else:
            painter.drawEllipse(ring)
