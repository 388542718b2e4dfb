"""A plot of pairs: a point for each study, which answers to the mouse and to the keys."""

from math import hypot
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from heartseg_gui.plot_axes import Frame, Range, draw_axes, plot_box
from heartseg_gui.theme import Colours, colours_of
from heartseg_gui.views.agreement.marks import Spot, draw_marks

if TYPE_CHECKING:
    from engine.scoring.agreement_pairs import MeasuredPairs, PairedPoint
    from engine.scoring.agreement_summary import AgreementSummary

_REACH = 10.0  # so near must the mouse come to a point [pixels]


class PairPlot(QWidget):
    """Draws pairs; what the axes are is for the plots made of it.

    The mouse marks the point that it comes near, a click chooses it. With the keys, left and right
    walk from point to point, and Return chooses.

    Signals:
        marked: The study whose point is marked; empty for none.
        chosen: A study to open.
    """

    marked = Signal(str)
    chosen = Signal(str)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pairs: MeasuredPairs | None = None
        self.summary: AgreementSummary | None = None
        self._groups: tuple[str, ...] = ()
        self._unit = ""
        self._mark = ""
        self.setAccessibleName(name)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def show_pairs(
        self,
        pairs: "MeasuredPairs | None",
        summary: "AgreementSummary | None",
        groups: tuple[str, ...],
        unit: str,
    ) -> None:
        """Show other pairs.

        Args:
            pairs: What is drawn; None for nothing.
            summary: The lines among them.
            groups: All that there are, so that a group keeps its colour.
            unit: Of the values, or empty.
        """
        self.pairs, self.summary, self._groups, self._unit = pairs, summary, groups, unit
        if not any(point.study == self._mark for point in self.points):
            self._mark = ""
        self.update()

    def show_mark(self, study: str) -> None:
        """Mark the point of a study, without telling it."""
        if study != self._mark:
            self._mark = study
            self.update()

    @property
    def points(self) -> "tuple[PairedPoint, ...]":
        """What is drawn."""
        return () if self.pairs is None else self.pairs.points

    def pixel_of(self, study: str) -> QPoint:
        """Where the point of a study is drawn."""
        point = next(each for each in self.points if each.study == study)
        return self.frame().place(*self.coordinates(point)).toPoint()

    def coordinates(self, point: "PairedPoint") -> tuple[float, float]:
        """The values of a point along both axes."""
        raise NotImplementedError

    def ranges(self) -> tuple[Range, Range]:
        """What the axes reach over; there is at least one point."""
        raise NotImplementedError

    def titles(self) -> tuple[str, str]:
        """Of the axis below and of that on the left, without the unit."""
        raise NotImplementedError

    def draw_lines(self, painter: QPainter, frame: Frame, colours: Colours) -> None:
        """What lies behind the points."""
        raise NotImplementedError

    def right_margin(self) -> float:
        """Room on the right for the names of lines [pixels]."""
        return 12.0

    def frame(self) -> Frame:
        """Where values lie now; there is at least one point."""
        box = plot_box(QRectF(self.rect()), self.fontMetrics(), right=self.right_margin())
        return Frame(self.shaped(box), *self.ranges())

    def shaped(self, box: QRectF) -> QRectF:
        """The part of the room that the plot takes."""
        return box

    def minimumSizeHint(self) -> QSize:
        """As small as it can be read."""
        return QSize(260, 220)

    def sizeHint(self) -> QSize:
        """A good size."""
        return QSize(460, 360)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Axes, lines, points, the marked one last."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours = colours_of(self.palette())
        if self.points:
            frame = self.frame()
            unit = f" [{self._unit}]" if self._unit else ""
            below, beside = (title + unit for title in self.titles())
            draw_axes(painter, frame, colours, below=below, beside=beside)
            self.draw_lines(painter, frame, colours)
            spots = [self._spot(point, frame) for point in self.points]
            draw_marks(painter, sorted(spots, key=lambda spot: spot.is_marked), colours)
        if self.hasFocus():
            painter.setPen(QPen(QColor(colours.accent), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Mark what the mouse comes near, and say what it is."""
        point = self._near(event.position())
        self._tell_mark("" if point is None else point.study)
        self.setCursor(
            Qt.CursorShape.ArrowCursor if point is None else Qt.CursorShape.PointingHandCursor
        )
        if point is None:
            QToolTip.hideText()
        else:
            QToolTip.showText(event.globalPosition().toPoint(), self._describe(point), self)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose a point."""
        point = self._near(event.position())
        if point is not None and event.button() == Qt.MouseButton.LeftButton:
            self._tell_mark(point.study)
            self.chosen.emit(point.study)

    def leaveEvent(self, event: QEvent) -> None:
        """The mouse marks nothing any more."""
        if not self.hasFocus():
            self._tell_mark("")
        super().leaveEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Draw in the colours of another theme."""
        super().changeEvent(event)
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Walk from point to point, and choose one."""
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if event.key() in steps and self.points:
            self._walk(steps[Qt.Key(event.key())])
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._mark:
            self.chosen.emit(self._mark)
        else:
            super().keyPressEvent(event)

    def _walk(self, step: int) -> None:
        order = sorted(self.points, key=self.coordinates)
        names = [point.study for point in order]
        here = names.index(self._mark) if self._mark in names else (-1 if step > 0 else 0)
        point = order[(here + step) % len(order)]
        self._tell_mark(point.study)
        at = self.mapToGlobal(self.pixel_of(point.study))
        QToolTip.showText(at, self._describe(point), self)

    def _tell_mark(self, study: str) -> None:
        if study != self._mark:
            self._mark = study
            self.update()
            self.marked.emit(study)

    def _near(self, at: QPointF) -> "PairedPoint | None":
        """The nearest point to a pixel, if it is near."""
        if not self.points:
            return None
        frame = self.frame()

        def away(point: "PairedPoint") -> float:
            place = frame.place(*self.coordinates(point)) - at
            return hypot(place.x(), place.y())

        best = min(self.points, key=away)
        return best if away(best) <= _REACH else None

    def _spot(self, point: "PairedPoint", frame: Frame) -> Spot:
        number = self._groups.index(point.group) if point.group in self._groups else 0
        return Spot(frame.place(*self.coordinates(point)), number, point.study == self._mark)

    def _describe(self, point: "PairedPoint") -> str:
        assert self.pairs is not None
        return describe_point(point, self.pairs.first, self.pairs.second, self._unit)


def describe_point(point: "PairedPoint", first: str, second: str, unit: str) -> str:
    """What is known about a point, in lines.

    Args:
        point: Of a study.
        first: Who measured the first value.
        second: Who measured the second.
        unit: Of both, or empty.
    """
    behind = f" {unit}" if unit else ""
    group = f" ({point.group})" if point.group else ""
    difference = f"{point.difference:+.1f}".replace("-", "−")
    lines = (
        f"{point.study}{group}",
        f"{first}: {point.first:.1f}{behind}",
        f"{second}: {point.second:.1f}{behind}",
        f"Difference: {difference}{behind}",
        "Click to open it." if point.folder else "Nobody knows where it lies.",
    )
    return "\n".join(lines)
