"""A black graphics view without scroll bars that takes dropped folders."""

from pathlib import Path

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QDragEnterEvent,
    QDragMoveEvent,
    QDropEvent,
    QFocusEvent,
    QPainter,
)
from PySide6.QtWidgets import QFrame, QGraphicsView, QWidget

from heartseg_gui.theme import colours_of


class SliceCanvas(QGraphicsView):
    """What the slice view is drawn on.

    Signals:
        folder_dropped: A folder or file was dropped here.
    """

    folder_dropped = Signal(Path)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setBackgroundBrush(Qt.GlobalColor.black)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setOptimizationFlag(QGraphicsView.OptimizationFlag.DontAdjustForAntialiasing)
        self.setMinimumSize(160, 140)
        self.setMouseTracking(True)
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Slice view")

    def to_scene(self, position: QPointF) -> QPointF:
        """A point of the viewport in the scene, exact below one pixel."""
        inverted, _ = self.viewportTransform().inverted()
        return inverted.map(position)

    def paint_focus(self, painter: QPainter, exposed: QRectF) -> None:
        """Frame the viewport while the keys come here, in device-independent pixels.

        A style sheet could do it too, but costs a tenth of a millisecond for every brush movement.
        """
        edge = self.viewport().rect()
        if self.hasFocus() and not QRectF(edge.adjusted(1, 1, -1, -1)).contains(exposed):
            painter.setPen(QColor(colours_of(self.palette()).accent))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(edge.adjusted(0, 0, -1, -1))

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the frame."""
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Hide it."""
        super().focusOutEvent(event)
        self.viewport().update()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take folders and files of this computer."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        """Stay willing."""
        event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Ask for the first folder or file."""
        local = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if local:
            event.acceptProposedAction()
            self.folder_dropped.emit(Path(local[0]))
