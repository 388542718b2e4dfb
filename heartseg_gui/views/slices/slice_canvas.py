"""A black graphics view without scroll bars: zoom, pens, touch pads, dropped folders."""

from pathlib import Path

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QDragEnterEvent,
    QDragMoveEvent,
    QDropEvent,
    QFocusEvent,
    QKeyEvent,
    QNativeGestureEvent,
    QPainter,
    QPointingDevice,
    QTabletEvent,
)
from PySide6.QtWidgets import QFrame, QGraphicsView, QWidget

from heartseg_gui.theme import colours_of
from heartseg_gui.views.slices.slice_camera import SliceCamera

_ZOOM_STEP = 1.25
_KEYPAD = Qt.KeyboardModifier.KeypadModifier
_ANSWERS = {
    Qt.Key.Key_Return: "finished",
    Qt.Key.Key_Enter: "finished",
    Qt.Key.Key_Backspace: "stepped_back",
    Qt.Key.Key_Delete: "stepped_back",
    Qt.Key.Key_Escape: "given_up",
}


class SliceCanvas(QGraphicsView):
    """What the slice view is drawn on.

    Signals:
        folder_dropped: A folder or file was dropped here.
        finished: Return: what was begun is complete.
        stepped_back: Backspace or Delete: take the last point away.
        given_up: Esc: forget what was begun.
        pen_used: Whether the other end of a pen, the eraser, is down.
    """

    folder_dropped = Signal(Path)
    finished = Signal()
    stepped_back = Signal()
    given_up = Signal()
    pen_used = Signal(bool)

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
        self._camera = SliceCamera(self)

    @property
    def pixels_per_mm(self) -> float:
        """Size of a millimetre on the screen [device-independent pixels]."""
        return self._camera.pixels_per_mm

    def fit(self) -> None:
        """Show all of the picture."""
        self._camera.fit()

    def zoom_in(self) -> None:
        """Enlarge about the middle."""
        self._camera.zoom(_ZOOM_STEP, self.viewport().rect().center())

    def zoom_out(self) -> None:
        """Reduce about the middle."""
        self._camera.zoom(1 / _ZOOM_STEP, self.viewport().rect().center())

    def answer(self, event: QKeyEvent) -> bool:
        """Tell a key that answers what is being drawn; whether it was one of these."""
        name = _ANSWERS.get(Qt.Key(event.key()))
        if name is None or event.modifiers() & ~_KEYPAD:
            return False
        getattr(self, name).emit()
        return True

    def viewportEvent(self, event: QEvent) -> bool:
        """Look at pens and two fingers first; pens come again as a mouse."""
        if isinstance(event, QTabletEvent):
            eraser = event.pointerType() == QPointingDevice.PointerType.Eraser
            self.pen_used.emit(eraser and event.type() != QEvent.Type.TabletRelease)
            event.ignore()
            return False
        if isinstance(event, QNativeGestureEvent):
            if event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
                self._camera.zoom(1 + event.value(), event.position().toPoint())
            return True
        return super().viewportEvent(event)

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
