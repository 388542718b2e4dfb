"""The picture: one slice, or all slices of a phase, with their labels."""

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QResizeEvent,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from heartseg_gui.documents.display_state import DisplayState
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.documents.view_state import Tool, ToolState, ViewState
from heartseg_gui.views.slice_annotations import SliceAnnotations
from heartseg_gui.views.slice_camera import SliceCamera
from heartseg_gui.views.slice_canvas import SliceCanvas
from heartseg_gui.views.slice_ring import BrushRing
from heartseg_gui.views.slice_scene import SliceScene
from heartseg_gui.views.slice_tools import SliceTools

_ZOOM_STEP = 1.25
_LEFT = Qt.MouseButton.LeftButton
_CURSORS = {
    Tool.WINDOW: Qt.CursorShape.ArrowCursor,
    Tool.PAN: Qt.CursorShape.OpenHandCursor,
    Tool.BRUSH: Qt.CursorShape.CrossCursor,
    Tool.ERASER: Qt.CursorShape.CrossCursor,
}


class SliceView(SliceCanvas):
    """Shows slices and turns mouse and wheel into wishes.

    Signals:
        stroke_began: Phase, slice (both 0-based), y, x [voxels], and whether it erases.
        stroke_moved: y, x [voxels] in the slice where the stroke began.
        stroke_ended: The button was released.
        cursor_moved: The `CursorPlace` under the mouse, or None outside the picture.
        open_requested: The empty view was clicked.
        folder_dropped: See `SliceCanvas`.
    """

    stroke_began = Signal(int, int, float, float, bool)
    stroke_moved = Signal(float, float)
    stroke_ended = Signal()
    cursor_moved = Signal(object)
    open_requested = Signal()

    def __init__(
        self,
        document: StudyDocument,
        view: ViewState,
        display: DisplayState,
        tools: ToolState,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._view, self._display, self._tools = document, view, display, tools
        self._slices = SliceScene(document, view, display)
        self.setScene(self._slices)
        self._annotations = SliceAnnotations(document, view, display)
        self._camera = SliceCamera(self)
        self._gestures = SliceTools(
            document, view, display, tools, scene=self._slices, camera=self._camera, parent=self
        )
        self._mouse: QPointF | None = None  # in the viewport
        self._ring = BrushRing(self.viewport())
        self._connect_facts()
        self._show_arrangement()
        self._show_tool()

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

    def _connect_facts(self) -> None:
        self._slices.rearranged.connect(self._show_arrangement)
        for fact in (
            self._view.slice_changed,
            self._view.phase_changed,
            self._display.window_changed,
            self._display.overlay_changed,
            self._document.study_changed,
            self._document.stack_changed,
            self._document.key_phases_changed,
        ):
            fact.connect(self._show_state)
        self._document.provenance_changed.connect(self._show_doubts)
        self._tools.tool_changed.connect(self._show_tool)
        self._tools.structure_changed.connect(self._show_ring)
        self._tools.radius_changed.connect(self._show_ring)
        self._gestures.stroke_began.connect(self.stroke_began)
        self._gestures.stroke_moved.connect(self.stroke_moved)
        self._gestures.stroke_ended.connect(self.stroke_ended)

    def _show_arrangement(self) -> None:
        size = self.viewport().size()
        self._slices.lay_out(size.width() / max(1, size.height()))
        self._camera.show(self._slices.content)
        self._show_tool()
        self._show_state()

    def _show_state(self) -> None:
        self._annotations.renew()
        self.viewport().update()
        self._tell_cursor()

    def _show_doubts(self) -> None:
        """Write anew where a doubt came or went; other strokes repaint nothing for it."""
        if self._document.cine is not None and self._annotations.doubts_changed():
            self._show_state()

    def _show_tool(self) -> None:
        shape = _CURSORS[self._tools.tool]
        if self._document.cine is None:
            shape = Qt.CursorShape.PointingHandCursor
        self.viewport().setCursor(shape)
        self._show_ring()

    def _show_ring(self) -> None:
        centre = self._mouse if self._gestures.paints else None
        self._ring.move(centre, self._tools.radius_mm * self._camera.pixels_per_mm)

    def _tell_cursor(self) -> None:
        """Say what lies under the mouse, also when the picture changed beneath it."""
        if self._mouse is None:
            return
        point = self.to_scene(self._mouse)
        item = self._slices.item_at(point)
        self.cursor_moved.emit(None if item is None else self._slices.place_on(item, point))

    def _paint_numbers(self, painter: QPainter) -> None:
        for slice_index in range(self._view.slice_count):
            item = self._slices.item_of(slice_index)
            if item is not None:
                corner = self.mapFromScene(item.sceneBoundingRect().bottomLeft())
                corner.setY(corner.y() - 22)
                self._annotations.paint_number(painter, corner, slice_index)

    def drawForeground(self, painter: QPainter, rect: QRectF | object) -> None:  # noqa: N802
        """Write on the picture and draw the brush's outline."""
        assert isinstance(rect, QRectF)
        exposed = self.viewportTransform().mapRect(rect)
        painter.save()
        painter.setWorldTransform(QTransform())
        if self._view.montage and self._document.cine is not None:
            self._paint_numbers(painter)
        self._annotations.paint(
            painter, self.viewport().rect(), exposed, self._camera.pixels_per_mm
        )
        if self._ring.shown:
            erases = self._tools.tool is Tool.ERASER
            colour = QColor(*self._display.colour_of(self._tools.structure))
            self._ring.paint(painter, None if erases else colour)
        self.paint_focus(painter, exposed)
        painter.restore()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a drag or a stroke."""
        if self._document.cine is not None:
            self._gestures.press(event, self.to_scene(event.position()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go on with it; the brush follows the mouse."""
        self._mouse = event.position()
        self._gestures.move(event, self.to_scene(event.position()))
        self._show_ring()
        self._tell_cursor()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End it; a click on the empty view asks for a folder."""
        if self._document.cine is not None:
            self._gestures.release(event, self.to_scene(event.position()))
        elif event.button() == _LEFT:
            self.open_requested.emit()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Fit, or leave the montage."""
        if self._document.cine is not None:
            self._gestures.double_click(event, self.to_scene(event.position()))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Go through the stack."""
        if self._document.cine is not None:
            self._gestures.wheel(event)
            self._show_ring()
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Pan with Shift and arrows, or while the space bar is held; the window has the rest."""
        if event.key() == Qt.Key.Key_Space:
            self._gestures.space_held = True
            self.viewport().setCursor(Qt.CursorShape.OpenHandCursor)
        elif not self._gestures.pan_by_key(event):
            event.ignore()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """Take the tool in hand again."""
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._gestures.space_held = False
            self._show_tool()
        else:
            event.ignore()

    def leaveEvent(self, event: QEvent) -> None:
        """Forget the mouse."""
        self._mouse = None
        self._show_ring()
        self.cursor_moved.emit(None)
        super().leaveEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep a fitted picture fitted."""
        super().resizeEvent(event)
        if self._camera.fitted:
            self._show_arrangement()
