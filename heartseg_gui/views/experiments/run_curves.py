"""Curves of the chosen trainings over each other: loss, Dice, learning rate, speed, memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from math import hypot
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPointF, QRectF, QSignalBlocker, QSize, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QToolTip,
    QVBoxLayout,
    QWidget,
)

from heartseg_gui.documents.experiments import ExperimentsState
from heartseg_gui.plot_axes import Frame, Range, draw_axes, plot_box
from heartseg_gui.theme import colours_of
from heartseg_gui.views.experiments.run_colours import run_colour

if TYPE_CHECKING:
    from engine.experiments.run_record import RunRecord

_REACH = 12.0  # so near must the mouse come to a point [pixels]
_LOSS, _VALIDATION_LOSS = "loss", "val_loss"
_TITLES = {
    _LOSS: "Loss: training solid, validation dashed",
    "val_dice": "Dice, validation",
    "val_iou": "Mean IoU, validation",
    "learning_rate": "Learning rate",
    "samples_per_second": "Images a second",
    "seconds": "Seconds an epoch",
    "peak_memory_mb": "Memory [MB]",
}
_NEVER = ("epoch", _VALIDATION_LOSS)


@dataclass(frozen=True, slots=True)
class Curve:
    """A line.

    Attributes:
        name: What it is of.
        number: Of its training among the chosen ones.
        points: Epoch and value.
        dashed: Whether it is of the validation where the training is shown, too.
        chosen: The epoch whose weights are the model; None for no mark.
    """

    name: str
    number: int
    points: tuple[tuple[float, float], ...] = field(repr=False)
    dashed: bool = False
    chosen: int | None = None


def curves_of(runs: "Sequence[RunRecord]", key: str) -> list[Curve]:
    """The lines of a column of the logs, where it has any value."""
    found: list[Curve] = []
    for number, run in enumerate(runs):
        names = (key, _VALIDATION_LOSS) if key == _LOSS else (key,)
        lines = [(name, points) for name in names if (points := _points_of(run, name))]
        for name, points in lines:
            mark = run.chosen_epoch if name == lines[-1][0] else None
            dashed = name == _VALIDATION_LOSS
            found.append(Curve(run.name, number, points, dashed=dashed, chosen=mark))
    return found


def _points_of(run: "RunRecord", key: str) -> tuple[tuple[float, float], ...]:
    """Epoch and value of a column, without the epochs that lack it."""
    return tuple(
        (float(row["epoch"] or 0), float(value))
        for row in run.rows
        if (value := row.get(key)) is not None
    )


def columns_of(runs: "Sequence[RunRecord]") -> list[tuple[str, str]]:
    """Key and title of everything that any of the logs holds."""
    keys = dict.fromkeys(key for run in runs for row in run.rows for key in row)
    known = [key for key in _TITLES if key in keys]
    others = [key for key in keys if key not in known and key not in _NEVER]
    return [(key, _title(key)) for key in (*known, *others)]


def _title(key: str) -> str:
    if key in _TITLES:
        return _TITLES[key]
    start, _, part = key.partition(".")
    words = part.replace("_", " ")
    spoken = words.upper() if words in ("lv", "rv") else words
    return f"Dice {spoken}, validation" if start == "val_dice" else f"{start}: {words}".strip(": ")


class CurvePlot(QWidget):
    """Draws curves; the mouse tells the value of the point that it comes near."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._curves: list[Curve] = []
        self._title = ""
        self.setAccessibleName("Curves")
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def show_curves(self, curves: Sequence[Curve], title: str) -> None:
        """Show other curves of something with a title."""
        self._curves, self._title = list(curves), title
        self.update()

    @property
    def curves(self) -> tuple[Curve, ...]:
        """What is drawn."""
        return tuple(self._curves)

    def frame(self) -> Frame:
        """Where values lie now; there is at least one curve."""
        epochs = [epoch for curve in self._curves for epoch, _ in curve.points]
        values = [value for curve in self._curves for _, value in curve.points]
        box = plot_box(QRectF(self.rect()), self.fontMetrics(), right=14.0)
        across = Range.around(min(epochs), max(epochs), room=0.03)
        return Frame(box, across, Range.around(min(values), max(values)))

    def minimumSizeHint(self) -> QSize:
        """As small as it can be read."""
        return QSize(260, 170)

    def sizeHint(self) -> QSize:
        """A good size."""
        return QSize(620, 300)

    def changeEvent(self, event: QEvent) -> None:
        """Draw in the colours of another theme."""
        super().changeEvent(event)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Axes, lines, and a ring round the epoch whose weights are the model."""
        if not self._curves:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours, frame = colours_of(self.palette()), self.frame()
        title = self._title.partition(":")[0]
        draw_axes(painter, frame, colours, below="Epoch", beside=title, whole=True)
        for curve in self._curves:
            style = Qt.PenStyle.DashLine if curve.dashed else Qt.PenStyle.SolidLine
            pen = QPen(run_colour(curve.number, colours), 1.8, style)
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            places = [frame.place(*point) for point in curve.points]
            painter.drawPolyline(QPolygonF(places))
            if len(places) == 1:
                painter.drawEllipse(places[0], 2.0, 2.0)
            for place in (frame.place(*p) for p in curve.points if p[0] == curve.chosen):
                painter.setPen(QPen(pen.color(), 1.8))
                painter.setBrush(QColor(colours.base))
                painter.drawEllipse(place, 4.2, 4.2)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Tell what the mouse comes near."""
        text = self.describe(event.position())
        if text:
            QToolTip.showText(event.globalPosition().toPoint(), text, self)
        else:
            QToolTip.hideText()

    def describe(self, at: QPointF) -> str:
        """The point that is near to a pixel, in words; empty where none is."""
        if not self._curves:
            return ""
        frame = self.frame()
        near = [
            (hypot(place.x(), place.y()), curve, point)
            for curve in self._curves
            for point in curve.points
            for place in (frame.place(*point) - at,)
        ]
        away, curve, (epoch, value) = min(near, key=lambda one: one[0])
        if away > _REACH:
            return ""
        kind = " (validation)" if curve.dashed else ""
        mark = "\nIts weights are the model." if epoch == curve.chosen else ""
        return f"{curve.name}{kind}\nEpoch {epoch:.0f}: {value:.4g}{mark}"


class CurvesTab(QWidget):
    """What is drawn, which line is whose, and the lines."""

    def __init__(self, state: ExperimentsState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.what, self._legend, self.plot = QComboBox(), QLabel(), CurvePlot()
        self._note = QLabel("Choose one training or more; with Ctrl or Shift several.")
        self.what.setAccessibleName("Curve")
        self.what.setToolTip("What is drawn by epoch")
        self.what.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._legend.setWordWrap(True)
        self._note.setProperty("role", "caption")
        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(self.what)
        head.addWidget(self._legend, stretch=1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 8, 0, 0)
        layout.addLayout(head)
        layout.addWidget(self._note)
        layout.addWidget(self.plot, stretch=1)
        layout.addStretch()
        state.chosen_changed.connect(self._show_runs)
        state.runs_changed.connect(self._show_runs)
        self.what.currentIndexChanged.connect(self._show_curves)
        self._show_runs()

    def changeEvent(self, event: QEvent) -> None:
        """Draw the legend in the colours of another theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._show_legend()

    def _show_runs(self) -> None:
        before = self.what.currentData()
        with QSignalBlocker(self.what):
            self.what.clear()
            for key, title in columns_of(self._state.chosen):
                self.what.addItem(title, key)
            self.what.setCurrentIndex(max(0, self.what.findData(before)))
        there = self.what.count() > 0
        for widget in (self.what, self._legend, self.plot):
            widget.setVisible(there)
        self._note.setVisible(not there)
        if self._state.chosen and not there:
            self._note.setText("No epoch is complete yet.")
        self._show_legend()
        self._show_curves()

    def _show_curves(self) -> None:
        key = self.what.currentData()
        curves = curves_of(self._state.chosen, key) if key else []
        self.plot.show_curves(curves, self.what.currentText())

    def _show_legend(self) -> None:
        colours = colours_of(self.palette())
        parts = [
            f'<span style="color: {run_colour(number, colours).name()}">●</span> {escape(run.name)}'
            for number, run in enumerate(self._state.chosen)
        ]
        self._legend.setText(" &nbsp; ".join(parts))
