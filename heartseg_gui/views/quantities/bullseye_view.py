"""The sixteen segments of the left ventricle as a bullseye; a click goes to the slice."""

from enum import StrEnum
from math import atan2, cos, degrees, hypot, pi, sin

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QHelpEvent,
    QKeyEvent,
    QLinearGradient,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from engine.clinical.segments import SEGMENT_COUNT, Sector, Segment, WallMap, bullseye

_MARGIN_PX = 22.0
_SCALE_PX = 58.0
_ROOMY_PX = 100.0  # radius from which numbers of the usual size fit
_LOW, _MIDDLE, _HIGH = QColor(68, 1, 84), QColor(33, 145, 140), QColor(253, 231, 37)
_WORDS = (("anterior", 0, -1), ("lateral", 1, 0), ("inferior", 0, 1), ("septal", -1, 0))


class WallQuantity(StrEnum):
    """What the bullseye shows."""

    ED_MM = "Wall thickness at ED [mm]"
    ES_MM = "Wall thickness at ES [mm]"
    THICKENING = "Thickening [%]"


_RANGES = {
    WallQuantity.ED_MM: (4.0, 16.0),
    WallQuantity.ES_MM: (4.0, 20.0),
    WallQuantity.THICKENING: (0.0, 100.0),
}
"""Fixed, so that two hearts have the same colours for the same values."""


class BullseyeView(QWidget):
    """Draws a `WallMap`.

    Signals:
        place_wanted: Show the slice of a segment, (phase, slice).
    """

    place_wanted = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._wall = WallMap(why_not="No labels yet.")
        self._quantity = WallQuantity.ED_MM
        self._chosen = 0
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Segments of the left ventricle")

    def sizeHint(self) -> QSize:
        """A circle that numbers fit into."""
        return QSize(360, 300)

    def minimumSizeHint(self) -> QSize:
        """Numbers still fit."""
        return QSize(240, 190)

    def show_wall(self, wall: WallMap, quantity: WallQuantity) -> None:
        """Show one quantity of a wall."""
        self._wall, self._quantity = wall, quantity
        self._describe()
        self.update()

    def segment_at(self, place: QPointF) -> int | None:
        """The segment number at a place, 1 to 16."""
        middle, radius = self._circle()
        x, y = (place.x() - middle.x()) / radius, (middle.y() - place.y()) / radius
        away, angle = hypot(x, y), _degrees(x, y)
        for sector in bullseye():
            inside = sector.inner <= away < sector.outer
            if inside and (angle - sector.start_deg) % 360 < sector.span_deg:
                return sector.number
        return None

    def place_of(self, number: int) -> QPointF:
        """The middle of a segment, for whoever wants to click it."""
        middle, radius = self._circle()
        return _middle_of(bullseye()[number - 1], middle, radius)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go to the slice of the segment."""
        number = self.segment_at(event.position())
        if number is not None:
            self._choose(number)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and right go through the segments."""
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
        else:
            self._choose((self._chosen - 1 + step) % SEGMENT_COUNT + 1)

    def event(self, event: object) -> bool:
        """Say which segment the mouse is on."""
        if isinstance(event, QHelpEvent):
            number = self.segment_at(QPointF(event.pos()))
            text = "" if number is None else self._say(number)
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return bool(super().event(event))  # type: ignore[arg-type]

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw sectors, numbers, directions and the scale."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._wall.why_not:
            painter.setPen(self.palette().placeholderText().color())
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(
                QRectF(self.rect()).adjusted(20, 20, -20, -20), flags, self._wall.why_not
            )
            return
        middle, radius = self._circle()
        for sector in bullseye():
            self._paint_sector(painter, sector, middle, radius)
        painter.setFont(self.font())
        painter.setPen(self.palette().placeholderText().color())
        for word, across, down in _WORDS:
            place = middle + QPointF(across, down) * (radius + 11)
            box = QRectF(-40, -9, 80, 18)
            painter.save()
            painter.translate(place)
            painter.rotate(90 * across if across else 0)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, word)
            painter.restore()
        self._paint_scale(painter)

    def _paint_sector(
        self, painter: QPainter, sector: Sector, middle: QPointF, radius: float
    ) -> None:
        value = self._value(sector.number)
        path = _path_of(sector, middle, radius)
        painter.setBrush(self.palette().alternateBase() if value is None else self._colour(value))
        chosen = sector.number == self._chosen
        edge = self.palette().highlight().color() if chosen else self.palette().window().color()
        painter.setPen(QPen(edge, 3 if chosen else 2))
        painter.drawPath(path)
        place = _middle_of(sector, middle, radius)
        dark = value is not None and self._colour(value).lightness() < 110
        painter.setPen(QColor("white") if dark else QColor("black"))
        if value is None:
            painter.setPen(self.palette().text().color())
        font = QFont(self.font())
        font.setPointSizeF(font.pointSizeF() * min(1.0, max(radius / _ROOMY_PX, 0.7)))
        painter.setFont(font)
        digits = 0 if self._quantity is WallQuantity.THICKENING else 1
        text = "–" if value is None else f"{value:.{digits}f}"
        painter.drawText(QRectF(place.x() - 24, place.y() - 9, 48, 18), _CENTRE, text)

    def _paint_scale(self, painter: QPainter) -> None:
        low, high = _RANGES[self._quantity]
        bar = QRectF(self.width() - _SCALE_PX + 8, self.height() / 2 - 70, 12, 140)
        colours = QLinearGradient(bar.bottomLeft(), bar.topLeft())
        for part, colour in ((0.0, _LOW), (0.5, _MIDDLE), (1.0, _HIGH)):
            colours.setColorAt(part, colour)
        painter.fillRect(bar, colours)
        painter.setPen(self.palette().placeholderText().color())
        for part in (0.0, 0.5, 1.0):
            y = bar.bottom() - part * bar.height()
            box = QRectF(bar.right() + 4, y - 9, 36, 18)
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, f"{low + part * (high - low):.0f}")

    def _choose(self, number: int) -> None:
        self._chosen = number
        self.update()
        segment = self._segment(number)
        if segment is not None and segment.place is not None:
            self.place_wanted.emit(*segment.place)
        self._describe()

    def _segment(self, number: int) -> Segment | None:
        return self._wall.segments[number - 1] if self._wall.segments else None

    def _value(self, number: int) -> float | None:
        segment = self._segment(number)
        if segment is None:
            return None
        if self._quantity is WallQuantity.ED_MM:
            return segment.ed_mm
        if self._quantity is WallQuantity.ES_MM:
            return segment.es_mm
        return None if segment.thickening is None else 100 * segment.thickening

    def _colour(self, value: float) -> QColor:
        low, high = _RANGES[self._quantity]
        part = min(max((value - low) / (high - low), 0.0), 1.0)
        if part < 0.5:
            return _mix(_LOW, _MIDDLE, 2 * part)
        return _mix(_MIDDLE, _HIGH, 2 * part - 1)

    def _say(self, number: int) -> str:
        segment = self._segment(number)
        if segment is None:
            return ""
        parts = [f"{number} {segment.name}"]
        for name, value in (("ED", segment.ed_mm), ("ES", segment.es_mm)):
            parts += [] if value is None else [f"{name} {value:.1f} mm"]
        if segment.thickening is not None:
            parts.append(f"thickening {100 * segment.thickening:.0f} %")
        return ", ".join(parts)

    def _describe(self) -> None:
        self.setAccessibleDescription(self._say(self._chosen) if self._chosen else "")

    def _circle(self) -> tuple[QPointF, float]:
        room = QRectF(self.rect()).adjusted(
            _MARGIN_PX, _MARGIN_PX, -_MARGIN_PX - _SCALE_PX, -_MARGIN_PX
        )
        return room.center(), max(min(room.width(), room.height()) / 2, 10.0)


_CENTRE = Qt.AlignmentFlag.AlignCenter


def _mix(one: QColor, other: QColor, part: float) -> QColor:
    return QColor(
        round(one.red() + part * (other.red() - one.red())),
        round(one.green() + part * (other.green() - one.green())),
        round(one.blue() + part * (other.blue() - one.blue())),
    )


def _degrees(x: float, y: float) -> float:
    return degrees(atan2(y, x)) % 360


def _middle_of(sector: Sector, middle: QPointF, radius: float) -> QPointF:
    angle = (sector.start_deg + sector.span_deg / 2) * pi / 180
    away = (sector.inner + sector.outer) / 2 * radius
    return middle + QPointF(away * cos(angle), -away * sin(angle))


def _path_of(sector: Sector, middle: QPointF, radius: float) -> QPainterPath:
    outer, inner = sector.outer * radius, sector.inner * radius
    path = QPainterPath()
    path.arcMoveTo(_around(middle, outer), sector.start_deg)
    path.arcTo(_around(middle, outer), sector.start_deg, sector.span_deg)
    if inner > 0:
        end_deg = sector.start_deg + sector.span_deg
        path.arcTo(_around(middle, inner), end_deg, -sector.span_deg)
    else:
        path.lineTo(middle)
    path.closeSubpath()
    return path


def _around(middle: QPointF, radius: float) -> QRectF:
    return QRectF(middle.x() - radius, middle.y() - radius, 2 * radius, 2 * radius)
