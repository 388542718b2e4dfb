"""One reading over another, and the differences of both over their means."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QWidget

from heartseg_gui.plot_axes import Frame, Range
from heartseg_gui.theme import Colours
from heartseg_gui.views.agreement.pair_plot import PairPlot

if TYPE_CHECKING:
    from engine.scoring.agreement_pairs import PairedPoint


class CorrelationPlot(PairPlot):
    """The first reading over the second, with the line on which both are equal."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Correlation", parent)

    def coordinates(self, point: "PairedPoint") -> tuple[float, float]:
        """Second across, first upward."""
        return point.second, point.first

    def ranges(self) -> tuple[Range, Range]:
        """Both axes reach over the same."""
        values = [value for point in self.points for value in (point.first, point.second)]
        both = Range.around(min(values), max(values))
        return both, both

    def titles(self) -> tuple[str, str]:
        """Who measured."""
        return ("", "") if self.pairs is None else (self.pairs.second, self.pairs.first)

    def shaped(self, box: QRectF) -> QRectF:
        """A square, so that the line of equality runs from corner to corner."""
        side = min(box.width(), box.height())
        return QRectF(box.left(), box.top(), side, side)

    def draw_lines(self, painter: QPainter, frame: Frame, colours: Colours) -> None:
        """The line of equality, and the coefficients in the corner."""
        painter.setPen(QPen(QColor(colours.faint), 1.3))
        low, high = frame.x.low, frame.x.high
        painter.drawLine(frame.place(low, low), frame.place(high, high))
        if self.summary is None:
            return
        found = self.summary.agreement
        lines = [f"n = {found.count}"]
        lines += [
            f"{name} = {value:.3f}".replace("-", "−")
            for name, value in (("r", found.pearson_r), ("CCC", found.ccc), ("ICC", found.icc_2_1))
            if value is not None
        ]
        painter.setPen(QColor(colours.text))
        corner = frame.box.adjusted(10, 8, 0, 0)
        painter.drawText(corner, Qt.AlignmentFlag.AlignLeft, "\n".join(lines))


@dataclass(frozen=True, slots=True)
class _Level:
    """A line of a Bland-Altman plot with its confidence interval."""

    name: str
    at: float
    interval: tuple[float, float] | None
    colour: str
    dashed: bool


class DifferencePlot(PairPlot):
    """Bland-Altman: the difference over the mean, with bias and limits of agreement."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Bland-Altman", parent)

    def coordinates(self, point: "PairedPoint") -> tuple[float, float]:
        """Mean across, difference upward."""
        return point.mean, point.difference

    def ranges(self) -> tuple[Range, Range]:
        """All points; upward also zero and the bands of all lines."""
        means = [point.mean for point in self.points]
        upward = [0.0, *(point.difference for point in self.points)]
        for level in self._levels(None):
            upward += [level.at, *(level.interval or ())]
        return Range.around(min(means), max(means)), Range.around(min(upward), max(upward))

    def titles(self) -> tuple[str, str]:
        """Mean and difference."""
        if self.pairs is None:
            return "", ""
        return "Mean of both", f"{self.pairs.first} − {self.pairs.second}"

    def right_margin(self) -> float:
        """The names of the lines."""
        return 14.0 + self.fontMetrics().horizontalAdvance("+1.96 SD")

    def draw_lines(self, painter: QPainter, frame: Frame, colours: Colours) -> None:
        """Zero, bias and limits with their bands, each named in the margin."""
        box = frame.box
        painter.setPen(QPen(QColor(colours.faint), 1))
        painter.drawLine(frame.place(frame.x.low, 0), frame.place(frame.x.high, 0))
        levels = self._levels(colours)
        for level in levels:
            if level.interval is not None:
                low, high = (frame.place(frame.x.low, end).y() for end in level.interval)
                band = QColor(level.colour)
                band.setAlpha(34)
                painter.fillRect(QRectF(box.left(), high, box.width(), low - high), band)
            style = Qt.PenStyle.DashLine if level.dashed else Qt.PenStyle.SolidLine
            painter.setPen(QPen(QColor(level.colour), 1.6, style))
            y = frame.place(frame.x.low, level.at).y()
            painter.drawLine(QPointF(box.left(), y), QPointF(box.right(), y))
        self._name_levels(painter, frame, levels, colours)

    def _levels(self, colours: Colours | None) -> list[_Level]:
        """Bias, upper and lower limit, as far as they are known."""
        if self.summary is None:
            return []
        found = self.summary.agreement
        text, warning = ("", "") if colours is None else (colours.text, colours.warning)
        factor = f"{found.limits_factor:g} SD"
        wanted = (
            ("bias", found.bias, found.bias_interval, text, False),
            (f"+{factor}", found.upper_limit, found.upper_limit_interval, warning, True),
            (f"−{factor}", found.lower_limit, found.lower_limit_interval, warning, True),
        )
        return [
            _Level(name, at, interval, colour, dashed)
            for name, at, interval, colour, dashed in wanted
            if at is not None
        ]

    def _name_levels(
        self, painter: QPainter, frame: Frame, levels: list[_Level], colours: Colours
    ) -> None:
        """Name and value of each line in the margin, pushed apart where lines are close."""
        height = self.fontMetrics().height()
        bias = frame.place(frame.x.low, levels[0].at).y() if levels else 0.0
        for number, level in enumerate(levels):
            y = frame.place(frame.x.low, level.at).y()
            if number == 1:
                y = min(y, bias - 2.1 * height)
            elif number == 2:
                y = max(y, bias + 2.1 * height)
            left, width = frame.box.right() + 6, self.right_margin()
            painter.setPen(QColor(colours.muted))
            painter.drawText(QPointF(left, y - 3), level.name)
            painter.setPen(QColor(level.colour))
            value = f"{level.at:+.1f}".replace("-", "−")
            place = QRectF(left, y + 1, width, 1.2 * height)
            painter.drawText(place, Qt.AlignmentFlag.AlignLeft, value)
