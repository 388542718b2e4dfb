"""One slice as it lies on the screen, cut to the heart, with the outlines of its labels."""

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from engine.cine import Cine
from engine.labelmap import LabelMap
from heartseg_gui.documents.display_state import DisplayState
from heartseg_gui.slice_part import SlicePart

_LINE_PX = 1.8

LineInVoxels = tuple[tuple[float, float], tuple[float, float], QColor, str]
"""Both ends (y, x), colour and name of a line that is drawn over a picture."""


class SlicePicture(QWidget):
    """Draws one slice of one phase; pale where the slice does not count.

    Signals:
        clicked: The reader points at it.
        double_clicked: The reader wants to change what it counts.
    """

    clicked = Signal()
    double_clicked = Signal()

    def __init__(self, display: DisplayState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._display = display
        self._part: SlicePart | None = None
        self._lines: list[LineInVoxels] = []
        self._pale = self._marked = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def sizeHint(self) -> QSize:
        """Large enough to judge a border."""
        return QSize(230, 190)

    def minimumSizeHint(self) -> QSize:
        """Small, where the window is."""
        return QSize(110, 90)

    def show_slice(
        self,
        cine: Cine | None,
        labels: LabelMap | None,
        phase: int,
        slice_index: int,
        *,
        pale: bool = False,
        marked: bool = False,
    ) -> None:
        """Show a slice.

        Args:
            cine: Its grey values; None for nothing.
            labels: What is drawn on it, or None.
            phase: 0-based.
            slice_index: 0-based.
            pale: Whether it does not count.
            marked: Whether it is the one in the slice view.
        """
        self._part = None if cine is None else SlicePart(cine, labels, (phase, slice_index))
        self._pale, self._marked = pale, marked
        self.update()

    def show_lines(self, lines: list[LineInVoxels]) -> None:
        """Draw lines over the picture."""
        self._lines = lines
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw grey values, outlines, lines and the mark."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), Qt.GlobalColor.black)
        part = self._part
        if part is None:
            return
        painter.setOpacity(0.45 if self._pale else 1.0)
        part.paint(painter, self.size(), self._display)
        painter.setOpacity(1.0)
        self._paint_lines(painter, part)
        if self._marked or self.hasFocus():
            painter.setPen(QPen(self.palette().highlight().color(), 3))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(self.rect()).adjusted(1.5, 1.5, -1.5, -1.5))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Point at the slice."""
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self.clicked.emit()
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Change what it counts."""
        self.double_clicked.emit()
        event.accept()

    def _paint_lines(self, painter: QPainter, part: SlicePart) -> None:
        for start, end, colour, name in self._lines:
            places = part.places((start, end), self.size())
            painter.setPen(QPen(QColor(0, 0, 0, 160), _LINE_PX + 2))
            painter.drawLine(*places)
            painter.setPen(QPen(colour, _LINE_PX))
            painter.drawLine(*places)
            right = max(places, key=lambda place: place.x())
            painter.drawText(right + QPointF(-18.0 - 6 * len(name), -4.0), name)
