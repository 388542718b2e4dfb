"""The state of a slice as a reader sees it on the picture: a chip, a bar, a legend."""

from collections import OrderedDict
from collections.abc import Sequence

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QPixmap, QPolygonF

from engine.review.states import SliceState
from heartseg_gui.documents.review_state import STATE_COLOURS, STATE_NAMES

_KEPT = 300
_CHIP_PX = 18
_BAR_PX = 3
_GAP_PX = 8
_DOT_PX = 9
_LINE_PX = 16
_DARK = QColor(0, 0, 0, 200)
_ON_COLOUR = QColor(15, 18, 24)
_TEXT = QColor(235, 235, 230)


def state_ink(state: SliceState) -> QColor:
    """The colour of a state."""
    return QColor(*STATE_COLOURS[state])


class SliceBadges:
    """Draws chips once and keeps them: the montage paints a dozen at every movement of a brush."""

    def __init__(self, font: QFont) -> None:
        self._font = QFont(font)
        self._font.setBold(True)
        self._plain = QFont(font)
        self._kept: OrderedDict[object, QPixmap] = OrderedDict()

    def paint(self, painter: QPainter, area: QRect, number: int, state: SliceState) -> QPoint:
        """Draw the chip with a slice's number in the corner of its area, and a bar along it.

        Args:
            painter: In device-independent pixels.
            area: The slice on the screen.
            number: Of the slice, from 1.
            state: What to show.

        Returns:
            Where a text beside the chip begins.
        """
        bar = QRect(area.left(), area.bottom() - _BAR_PX + 1, area.width(), _BAR_PX)
        painter.fillRect(bar, state_ink(state))
        chip = self._chip(number, state, painter.device().devicePixelRatioF())
        at = QPoint(area.left() + 4, area.bottom() - _BAR_PX - 4 - _CHIP_PX)
        painter.drawPixmap(at, chip)
        width = round(chip.deviceIndependentSize().width())
        return QPoint(at.x() + width + 4, at.y() - 2)

    def legend(self, states: Sequence[SliceState], ratio: float) -> QPixmap:
        """What the colours mean, for the states that are on the screen."""
        key = (tuple(states), ratio)
        if key not in self._kept:
            self._keep(key, self._draw_legend(states, ratio))
        return self._kept[key]

    def _chip(self, number: int, state: SliceState, ratio: float) -> QPixmap:
        key = (number, state, ratio)
        if key not in self._kept:
            self._keep(key, self._draw_chip(number, state, ratio))
        return self._kept[key]

    def _keep(self, key: object, pixmap: QPixmap) -> None:
        self._kept[key] = pixmap
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)

    def _draw_chip(self, number: int, state: SliceState, ratio: float) -> QPixmap:
        metrics = QFontMetricsF(self._font)
        text = str(number)
        ticked = state is SliceState.APPROVED
        width = metrics.horizontalAdvance(text) + 12 + (_DOT_PX + 3 if ticked else 0)
        size = QSizeF(max(width, _CHIP_PX), _CHIP_PX)
        pixmap = _empty(size, ratio)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(_DARK, 1))
        painter.setBrush(state_ink(state))
        painter.drawRoundedRect(QRectF(QPointF(0.5, 0.5), size - QSizeF(1, 1)), 5, 5)
        painter.setPen(_ON_COLOUR)
        painter.setFont(self._font)
        room = QRectF(0, 0, size.width() - (_DOT_PX + 3 if ticked else 0), _CHIP_PX)
        painter.drawText(room, Qt.AlignmentFlag.AlignCenter, text)
        if ticked:
            left, middle = size.width() - _DOT_PX - 5, _CHIP_PX / 2
            painter.setPen(QPen(_ON_COLOUR, 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            tick = ((0, 0), (3, 3.5), (_DOT_PX, -4))
            painter.drawPolyline(QPolygonF([QPointF(left + x, middle + y) for x, y in tick]))
        painter.end()
        return pixmap

    def _draw_legend(self, states: Sequence[SliceState], ratio: float) -> QPixmap:
        metrics = QFontMetricsF(self._plain)
        widest = max(metrics.horizontalAdvance(STATE_NAMES[state]) for state in states)
        size = QSizeF(widest + _DOT_PX + 5 + 2 * _GAP_PX, len(states) * _LINE_PX + _GAP_PX)
        pixmap = _empty(size, ratio)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(0, 0, 0, 150))
        painter.drawRoundedRect(QRectF(QPointF(0, 0), size), 6, 6)
        painter.setFont(self._plain)
        for number, state in enumerate(states):
            top = _GAP_PX / 2 + number * _LINE_PX
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(state_ink(state))
            dot = QRectF(_GAP_PX, top + (_LINE_PX - _DOT_PX) / 2, _DOT_PX, _DOT_PX)
            painter.drawRoundedRect(dot, 2, 2)
            painter.setPen(_TEXT)
            text = QRectF(dot.right() + 5, top, widest + 2, _LINE_PX)
            painter.drawText(text, Qt.AlignmentFlag.AlignVCenter, STATE_NAMES[state])
        painter.end()
        return pixmap


def _empty(size: QSizeF, ratio: float) -> QPixmap:
    pixels = QSize(round(size.width() * ratio) + 1, round(size.height() * ratio) + 1)
    pixmap = QPixmap(pixels)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    return pixmap
