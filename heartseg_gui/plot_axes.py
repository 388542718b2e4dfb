"""From values to pixels: the frame of a plot and its ticks."""

from dataclasses import dataclass
from math import ceil, floor, log10

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPen

from heartseg_gui.theme import Colours

_ACROSS_PX, _UPWARD_PX = 62, 38  # from tick to tick at least
_WIDEST_TICK = "−000.0"
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


def nice_ticks(low: float, high: float, most: int, *, whole: bool = False) -> list[float]:
    """Round numbers between two values, at most so many and evenly apart.

    Args:
        low: The smaller value.
        high: The larger one.
        most: At least 2.
        whole: Whether they must be whole numbers.
    """
    span = high - low
    if span <= 0 or most < 2:
        return [low]
    rough = span / most
    power = 10.0 ** floor(log10(rough))
    step = next(power * each for each in _STEPS if power * each >= rough * (1 - 1e-9))
    if whole:
        step = max(1.0, ceil(step - 1e-9))
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def tick_text(value: float, step: float) -> str:
    """A tick's value with as many digits as its step needs, and a true minus sign."""
    digits = max(0, -floor(log10(step) + 1e-9)) if step > 0 else 0
    if step > 0 and round(step, digits) != round(step, digits + 1):
        digits += 1  # 2.5
    shown = f"{value:.{digits}f}"
    return shown.replace("-", "−") if float(shown) else shown.removeprefix("-")


@dataclass(frozen=True, slots=True)
class Range:
    """The values from one end of an axis to the other."""

    low: float
    high: float

    @classmethod
    def around(cls, low: float, high: float, *, room: float = 0.08) -> "Range":
        """A range with some room at both ends; of one single value, with some more."""
        reach = room * (high - low) or 0.1 * abs(high) or 1.0
        return cls(low - reach, high + reach)


@dataclass(frozen=True, slots=True)
class Frame:
    """Where the values of two axes lie on the screen.

    Attributes:
        box: Of the plot, without its labels [pixels].
        x: Values from its left to its right side.
        y: Values from its bottom to its top.
    """

    box: QRectF
    x: Range
    y: Range

    def place(self, x: float, y: float) -> QPointF:
        """The pixel of a pair of values."""
        across = (x - self.x.low) / (self.x.high - self.x.low)
        up = (y - self.y.low) / (self.y.high - self.y.low)
        return QPointF(
            self.box.left() + across * self.box.width(), self.box.bottom() - up * self.box.height()
        )


def plot_box(room: QRectF, letters: QFontMetrics, *, right: float) -> QRectF:
    """The box of a plot within a widget, with room for ticks and titles left and below.

    Args:
        room: Of the widget.
        letters: Its font.
        right: Room on the right [pixels].
    """
    left = letters.height() + letters.horizontalAdvance(_WIDEST_TICK) + 16
    below = 2.4 * letters.height() + 12
    box = room.adjusted(left, 10, -right, -below)
    box.setWidth(max(20.0, box.width()))
    box.setHeight(max(20.0, box.height()))
    return box


def draw_axes(
    painter: QPainter,
    frame: Frame,
    colours: Colours,
    *,
    below: str,
    beside: str,
    whole: bool = False,
) -> None:
    """A faint grid, its values, and what they are.

    Args:
        painter: Of the widget, in its font.
        frame: Of the plot.
        colours: Of the theme.
        below: Title of the axis below.
        beside: Title of the axis on the left.
        whole: Whether the axis below counts whole things.
    """
    box, letters = frame.box, painter.fontMetrics()
    room = max(2, int(box.width() / _ACROSS_PX))
    across = nice_ticks(frame.x.low, frame.x.high, room, whole=whole)
    upward = nice_ticks(frame.y.low, frame.y.high, max(2, int(box.height() / _UPWARD_PX)))
    line, text, height = (
        QPen(QColor(colours.line), 1),
        QPen(QColor(colours.muted)),
        letters.height(),
    )
    for value in across:
        at = frame.place(value, frame.y.low)
        painter.setPen(line)
        painter.drawLine(at, QPointF(at.x(), box.top()))
        painter.setPen(text)
        where = QRectF(at.x() - 40, box.bottom() + 4, 80, height)
        painter.drawText(where, Qt.AlignmentFlag.AlignCenter, tick_text(value, _step(across)))
    right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
    for value in upward:
        at = frame.place(frame.x.low, value)
        painter.setPen(line)
        painter.drawLine(at, QPointF(box.right(), at.y()))
        painter.setPen(text)
        where = QRectF(at.x() - 86, at.y() - height / 2, 80, height)
        painter.drawText(where, right, tick_text(value, _step(upward)))
    painter.setPen(QColor(colours.text))
    _draw_titles(painter, box, below, beside)


def _draw_titles(painter: QPainter, box: QRectF, below: str, beside: str) -> None:
    letters = painter.fontMetrics()
    middle, height = Qt.TextElideMode.ElideMiddle, letters.height()
    foot = QRectF(box.left(), box.bottom() + 8 + height, box.width(), 1.4 * height)
    shown = letters.elidedText(below, middle, int(foot.width()))
    painter.drawText(foot, Qt.AlignmentFlag.AlignCenter, shown)
    painter.save()
    painter.translate(box.left() - letters.horizontalAdvance(_WIDEST_TICK) - 12, box.center().y())
    painter.rotate(-90)
    side = QRectF(-box.height() / 2, -height, box.height(), 1.2 * height)
    shown = letters.elidedText(beside, middle, int(box.height()))
    painter.drawText(side, Qt.AlignmentFlag.AlignCenter, shown)
    painter.restore()


def _step(ticks: list[float]) -> float:
    return ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
