"""A plot of curves over the epochs that grows while one looks on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import floor, log10

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from heartseg_gui.plot_axes import Frame, Range, draw_axes, plot_box
from heartseg_gui.theme import colours_of

Row = Mapping[str, float | int | None]


@dataclass(frozen=True, slots=True)
class Series:
    """One curve.

    Attributes:
        name: For the legend.
        points: Epochs and values.
        colour: `#rrggbb`; blank for the colour of the text.
        dashed: Of the validation.
    """

    name: str
    points: Sequence[tuple[float, float]] = field(repr=False)
    colour: str = ""
    dashed: bool = False

    @classmethod
    def of(
        cls, name: str, rows: Sequence[Row], column: str, colour: str = "", *, dashed: bool = False
    ) -> "Series":
        """A column of a log, without the epochs that lack it."""
        known = [(row.get("epoch"), row.get(column)) for row in rows]
        points = [(float(e), float(v)) for e, v in known if e is not None and v is not None]
        return cls(name, points, colour, dashed)


class CurvePlot(QWidget):
    """Curves in a frame with their names above; the pointer tells the values of an epoch."""

    def __init__(
        self,
        title: str,
        *,
        fixed: tuple[float, float] | None = None,
        logarithmic: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        """Describe a plot.

        Args:
            title: What is upward.
            fixed: Ends of the axis upward; None for those of the curves.
            logarithmic: Whether the axis upward shows powers of ten.
            parent: Qt's.
        """
        super().__init__(parent)
        self._title, self._fixed, self._logarithmic = title, fixed, logarithmic
        self._series: Sequence[Series] = ()
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(QSize(220, 130))
        self.setAccessibleName(title)

    @property
    def series(self) -> Sequence[Series]:
        """What is shown."""
        return self._series

    def sizeHint(self) -> QSize:
        """Wide and low."""
        return QSize(420, 150)

    def show_series(self, series: Sequence[Series]) -> None:
        """Show these curves; those without a point are left out."""
        self._series = [each for each in series if each.points]
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Frame, legend, curves."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours = colours_of(self.palette())
        if not self._series:
            painter.setPen(QColor(colours.muted))
            said = f"{self._title}: after the first epoch"
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, said)
            return
        frame = self._frame()
        beside = f"log₁₀ {self._title}" if self._logarithmic else self._title
        draw_axes(painter, frame, colours, below="Epoch", beside=beside, whole=True)
        painter.setClipRect(frame.box.adjusted(-6, -6, 6, 6))
        for each in self._series:
            pen = QPen(QColor(each.colour or colours.text), 1.8)
            if each.dashed:
                pen.setStyle(Qt.PenStyle.DashLine)
            painter.setPen(pen)
            places = [frame.place(x, self._y(y)) for x, y in each.points]
            painter.drawPolyline(QPolygonF(places))
            if len(places) < 3:  # a line of one point is not seen
                painter.setBrush(QColor(each.colour or colours.text))
                for place in places:
                    painter.drawEllipse(place, 2.5, 2.5)
                painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setClipping(False)
        self._draw_legend(painter)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Tell the values of the epoch under the pointer."""
        said = self.values_at(event.position())
        if said:
            QToolTip.showText(event.globalPosition().toPoint(), said, self)
        else:
            QToolTip.hideText()

    def values_at(self, place: QPointF) -> str:
        """The values of the epoch at a place of the widget, a line each; blank beside the plot."""
        if not self._series:
            return ""
        frame = self._frame()
        if not frame.box.contains(place):
            return ""
        share = (place.x() - frame.box.left()) / frame.box.width()
        wanted = round(frame.x.low + share * (frame.x.high - frame.x.low))
        lines = [f"Epoch {wanted}"]
        for each in self._series:
            lines += [f"{each.name}: {y:.4g}" for x, y in each.points if x == wanted]
        return "\n".join(lines) if len(lines) > 1 else ""

    def _y(self, value: float) -> float:
        return log10(max(value, 1e-12)) if self._logarithmic else value

    def _frame(self) -> Frame:
        letters = self.fontMetrics()
        legend = 1.4 * letters.height() * self._legend_lines()
        box = plot_box(QRectF(self.rect()).adjusted(0, legend, 0, 0), letters, right=12)
        epochs = [x for each in self._series for x, _ in each.points]
        values = [self._y(y) for each in self._series for _, y in each.points]
        low, high = self._fixed or (min(values), max(values))
        upward = Range(low, high) if self._fixed else _ends(low, high)
        last = max(epochs)
        return Frame(box, Range(min(epochs), last if last > min(epochs) else last + 1), upward)

    def _legend(self) -> list[tuple[Series, float]]:
        """The curves with the width of their entries in the legend."""
        letters = self.fontMetrics()
        return [(each, 34.0 + letters.horizontalAdvance(each.name)) for each in self._series]

    def _legend_lines(self) -> int:
        entries = self._legend()
        return 0 if len(entries) < 2 else len(_lines(entries, self.width() - 50.0))

    def _draw_legend(self, painter: QPainter) -> None:
        entries = self._legend()
        if len(entries) < 2:
            return
        colours, letters = colours_of(self.palette()), self.fontMetrics()
        for number, line in enumerate(_lines(entries, self.width() - 50.0)):
            x, y = 48.0, (number + 0.5) * 1.4 * letters.height()
            for each, width in line:
                pen = QPen(QColor(each.colour or colours.text), 1.8)
                if each.dashed:
                    pen.setStyle(Qt.PenStyle.DashLine)
                painter.setPen(pen)
                painter.drawLine(QPointF(x, y), QPointF(x + 18, y))
                painter.setPen(QColor(colours.muted))
                painter.drawText(QPointF(x + 22, y + letters.ascent() / 2 - 1), each.name)
                x += width


def _lines(
    entries: Sequence[tuple[Series, float]], room: float
) -> list[list[tuple[Series, float]]]:
    """Entries of a legend, broken into lines that fit."""
    lines: list[list[tuple[Series, float]]] = [[]]
    used = 0.0
    for entry in entries:
        if used + entry[1] > room and lines[-1]:
            lines.append([])
            used = 0.0
        lines[-1].append(entry)
        used += entry[1]
    return lines


def _ends(low: float, high: float) -> Range:
    """A range that does not jump with every epoch: rounded outward to a tenth of its size."""
    if high <= low:
        return Range.around(low, high)
    step = 10.0 ** floor(log10(high - low))
    return Range(floor(low / step) * step, (floor(high / step) + 1) * step)
