"""How the model got better, or not, from round to round."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QHelpEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from heartseg_gui.documents.learning_loop import LoopState
from heartseg_gui.plot_axes import Frame, Range, nice_ticks, tick_text
from heartseg_gui.theme import Colours, colours_of

if TYPE_CHECKING:
    from engine.loop.standing import RoundRecord

Values = tuple[float | None, float | None]
_BEFORE, _AFTER = 0.32, 0.68  # where in its column a round has the active model, the candidate
_RADIUS = 4.0
_TICKS_PX = 30
_UNKNOWN_HEIGHT_LETTERS = 13


@dataclass(frozen=True, slots=True)
class _Series:
    """One measure over the rounds.

    Attributes:
        name: As `RoundRecord.values` knows it.
        title: Its name in a legend; empty where the plot's title says it.
        second: Whether it is drawn in the second colour.
    """

    name: str
    title: str = ""
    second: bool = False


@dataclass(frozen=True, slots=True)
class _Plot:
    title: str
    unit: str
    series: tuple[_Series, ...]
    readers: bool = False


_PLOTS = (
    _Plot("Mean Dice", "", (_Series("mean_dice"),)),
    _Plot("Corrections", "per 100 slices", (_Series("corrections", "needed"),), readers=True),
    _Plot(
        "EF limits of agreement",
        "± points",
        (_Series("lv_ef_limits", "LV"), _Series("rv_ef_limits", "RV", second=True)),
    ),
)


class RoundsPlot(QWidget):
    """Three plots: in each round the active model, and the candidate beside it.

    A full point was adopted, an open one was not. A click on a round looks at it.

    Signals:
        round_wanted: Look at this round, by its number.
    """

    round_wanted = Signal(int)

    def __init__(self, state: LoopState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setAccessibleName("Dice, corrections and EF limits over the rounds")
        state.standing_changed.connect(self._show_state)
        state.round_chosen.connect(self._show_state)
        self._show_state()

    @property
    def rounds(self) -> "Sequence[RoundRecord]":
        """What is drawn, the oldest first."""
        return () if self._state.standing is None else self._state.standing.rounds

    def round_at(self, place: QPointF) -> int | None:
        """The number of the round under a point; None beside the plots."""
        for box in self._boxes():
            if self.rounds and box.left() <= place.x() <= box.right():
                share = (place.x() - box.left()) / box.width()
                index = min(len(self.rounds) - 1, int(share * len(self.rounds)))
                return self.rounds[index].number
        return None

    def sizeHint(self) -> QSize:
        """Wide and low."""
        letters = self.fontMetrics()
        return QSize(60 * letters.averageCharWidth(), _UNKNOWN_HEIGHT_LETTERS * letters.height())

    def minimumSizeHint(self) -> QSize:
        """Three small plots."""
        return QSize(360, 10 * self.fontMetrics().height())

    def event(self, event: QEvent) -> bool:
        """Tell the values of a round on which the mouse rests."""
        if isinstance(event, QHelpEvent):
            number = self.round_at(QPointF(event.pos()))
            found = [each for each in self.rounds if each.number == number]
            QToolTip.showText(event.globalPos(), _told(found[0]) if found else "", self)
            return True
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Wait for the release."""
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Look at a round."""
        event.accept()
        number = self.round_at(event.position())
        if number is not None:
            self.round_wanted.emit(number)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw all plots."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours = colours_of(self.palette())
        for plot, box in zip(_PLOTS, self._boxes(), strict=True):
            self._paint_plot(painter, plot, box, colours)
        painter.end()

    def _boxes(self) -> list[QRectF]:
        """Where values are drawn in each plot."""
        letters = self.fontMetrics()
        left, top = letters.horizontalAdvance("0.000") + 12, 2.5 * letters.height()
        width, below = self.width() / len(_PLOTS), 1.6 * letters.height()
        return [
            QRectF(n * width + left, top, width - left - 14, self.height() - top - below)
            for n in range(len(_PLOTS))
        ]

    def _paint_plot(self, painter: QPainter, plot: _Plot, box: QRectF, colours: Colours) -> None:
        letters = painter.fontMetrics()
        painter.setPen(QColor(colours.text))
        painter.drawText(QPointF(box.left(), letters.ascent() + 1), plot.title)
        painter.setPen(QColor(colours.muted))
        after = box.left() + letters.horizontalAdvance(f"{plot.title}  ")
        painter.drawText(QPointF(after, letters.ascent() + 1), plot.unit)
        values = self._values(plot)
        if not values:
            return
        frame = Frame(box, Range(0, len(self.rounds)), Range.around(min(values), max(values)))
        self._paint_grid(painter, frame, colours)
        if plot.readers:
            self._paint_readers(painter, frame, colours)
        for series in plot.series:
            self._paint_series(painter, frame, series, colours)
        self._paint_legend(painter, plot, box, colours)

    def _values(self, plot: _Plot) -> list[float]:
        found: list[float | None] = []
        for each in self.rounds:
            for series in plot.series:
                found += each.values(series.name)
            if plot.readers:
                found.append(each.readers_corrected)
        return [value for value in found if value is not None]

    def _paint_grid(self, painter: QPainter, frame: Frame, colours: Colours) -> None:
        box, letters = frame.box, painter.fontMetrics()
        shown = self._state.shown_round
        ticks = nice_ticks(frame.y.low, frame.y.high, max(2, int(box.height() / _TICKS_PX)))
        step = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
        for index, each in enumerate(self.rounds):
            left = frame.place(index, frame.y.low).x()
            column = QRectF(left, box.top(), box.width() / len(self.rounds), box.height())
            if shown is not None and each.number == shown.number and len(self.rounds) > 1:
                painter.fillRect(column, QColor(colours.hover))
            painter.setPen(QColor(colours.muted))
            foot = QRectF(column.left(), box.bottom() + 3, column.width(), 1.3 * letters.height())
            text = f"Round {each.number}"
            fits = letters.horizontalAdvance(text) < column.width()
            painter.drawText(foot, Qt.AlignmentFlag.AlignCenter, text if fits else str(each.number))
        for value in ticks:
            y = frame.place(0, value).y()
            painter.setPen(QPen(QColor(colours.line), 1))
            painter.drawLine(QPointF(box.left(), y), QPointF(box.right(), y))
            painter.setPen(QColor(colours.muted))
            place = QRectF(box.left() - 90, y - letters.height() / 2, 84, letters.height())
            right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(place, right, tick_text(value, step))

    def _paint_series(
        self, painter: QPainter, frame: Frame, series: _Series, colours: Colours
    ) -> None:
        colour = QColor(colours.warning if series.second else colours.accent)
        faint = QColor(colour)
        faint.setAlpha(90)
        last: QPointF | None = None
        for index, each in enumerate(self.rounds):
            before, after = each.values(series.name)
            start = None if before is None else frame.place(index + _BEFORE, before)
            end = None if after is None else frame.place(index + _AFTER, after)
            _draw_line(painter, last, start, QPen(faint, 1.4))
            adopted = each.verdict.adopted
            style = Qt.PenStyle.SolidLine if adopted else Qt.PenStyle.DotLine
            line = QPen(colour if adopted else QColor(colours.faint), 1.6, style)
            _draw_line(painter, start, end, line)
            edge = colour if adopted else QColor(colours.danger)
            back = colour if adopted else QColor(colours.base)
            _draw_point(painter, start, colour, colour, _RADIUS * 0.7)
            _draw_point(painter, end, edge, back, _RADIUS)
            last = end if adopted and each.fate != "rolled back" else start

    def _paint_readers(self, painter: QPainter, frame: Frame, colours: Colours) -> None:
        """Squares for what readers had to correct in the studies that came with a round."""
        painter.setPen(QPen(QColor(colours.warning), 1.4))
        last: QPointF | None = None
        for index, each in enumerate(self.rounds):
            if each.readers_corrected is None:
                continue
            place = frame.place(index + _BEFORE, each.readers_corrected)
            if last is not None:
                painter.drawLine(last, place)
            side = 1.6 * _RADIUS
            corner = QPointF(place.x() - side / 2, place.y() - side / 2)
            square = QRectF(corner.x(), corner.y(), side, side)
            painter.fillRect(square, QColor(colours.warning))
            last = place

    def _paint_legend(self, painter: QPainter, plot: _Plot, box: QRectF, colours: Colours) -> None:
        letters = painter.fontMetrics()
        named = [each for each in plot.series if each.title]
        entries = [(f"● {s.title}", colours.warning if s.second else colours.accent) for s in named]
        if plot.readers and any(each.readers_corrected is not None for each in self.rounds):
            entries.append(("■ slices that readers changed", colours.warning))
        elif plot.readers:
            entries = []
        _draw_entries(painter, entries, QPointF(box.left(), 2.1 * letters.height()), letters)

    def _show_state(self) -> None:
        self.setVisible(bool(self.rounds))
        self.setAccessibleDescription("; ".join(_told(each) for each in self.rounds))
        self.update()


def _draw_entries(
    painter: QPainter, entries: Sequence[tuple[str, str]], place: QPointF, letters: QFontMetrics
) -> None:
    x = place.x()
    for text, colour in entries:
        painter.setPen(QColor(colour))
        painter.drawText(QPointF(x, place.y()), text)
        x += letters.horizontalAdvance(f"{text}   ")


def _draw_line(painter: QPainter, start: QPointF | None, end: QPointF | None, pen: QPen) -> None:
    """A line between two points, if both are known."""
    if start is not None and end is not None:
        painter.setPen(pen)
        painter.drawLine(start, end)


def _draw_point(
    painter: QPainter, place: QPointF | None, edge: QColor, inside: QColor, radius: float
) -> None:
    if place is not None:
        painter.setPen(QPen(edge, 1.6))
        painter.setBrush(inside)
        painter.drawEllipse(place, radius, radius)
        painter.setBrush(Qt.BrushStyle.NoBrush)


def _told(each: "RoundRecord") -> str:
    """The values of a round in words."""
    lines = [f"Round {each.number}, {each.fate}"]
    for plot in _PLOTS:
        for series in plot.series:
            before, after = each.values(series.name)
            if before is not None and after is not None:
                digits = 1 if plot.unit else 3
                name = f"{plot.title}, {series.title}" if len(plot.series) > 1 else plot.title
                unit = f" {plot.unit}" if plot.unit else ""
                lines.append(f"{name}: {before:.{digits}f} to {after:.{digits}f}{unit}")
    if each.readers_corrected is not None:
        lines.append(f"Readers changed {each.readers_corrected:.0f} of 100 slices")
    return "\n".join(lines)
