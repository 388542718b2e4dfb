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
from heartseg_gui.documents.sketch import Sketch
from heartseg_gui.documents.space_state import SpaceState
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.documents.tool_state import BrushTip, Press, Tool, ToolState
from heartseg_gui.documents.view_state import CursorPlace, ViewState
from heartseg_gui.views.slices.slice_annotations import SliceAnnotations
from heartseg_gui.views.slices.slice_canvas import SliceCanvas
from heartseg_gui.views.slices.slice_mark import SliceMark
from heartseg_gui.views.slices.slice_points import PointLayer
from heartseg_gui.views.slices.slice_ring import BrushRing
from heartseg_gui.views.slices.slice_scene import SliceScene
from heartseg_gui.views.slices.slice_sketch import SketchLayer
from heartseg_gui.views.slices.slice_tools import SliceTools

_LEFT = Qt.MouseButton.LeftButton
_CURSORS = {
    Tool.WINDOW: Qt.CursorShape.ArrowCursor,
    Tool.PAN: Qt.CursorShape.OpenHandCursor,
    Tool.FILL: Qt.CursorShape.PointingHandCursor,
    Tool.ISLAND: Qt.CursorShape.PointingHandCursor,
}
"""The tools that are not listed aim, and have a cross."""

_RINGED = (Tool.BRUSH, Tool.ERASER)


class SliceView(SliceCanvas):
    """Shows slices and turns mouse, pen and wheel into wishes.

    Signals:
        pressed: An editing tool was pressed: the `CursorPlace` and the `Press`.
        dragged: y, x [voxels] in the slice that was pressed.
        released: The button was released.
        cursor_moved: The `CursorPlace` under the mouse, or None outside the picture.
        open_requested: The empty view was clicked.
        finished, stepped_back, given_up, folder_dropped: See `SliceCanvas`.
    """

    pressed = Signal(CursorPlace, Press)
    dragged = Signal(float, float)
    released = Signal()
    cursor_moved = Signal(object)
    open_requested = Signal()

    def __init__(
        self,
        document: StudyDocument,
        view: ViewState,
        display: DisplayState,
        tools: ToolState,
        sketch: Sketch | None = None,
        space: SpaceState | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._view, self._display, self._tools = document, view, display, tools
        self._sketch = Sketch() if sketch is None else sketch
        self._slices = SliceScene(document, view, display)
        self.setScene(self._slices)
        self._annotations = SliceAnnotations(document, view, display, self._slices.states)
        self._gestures = SliceTools(
            document, view, display, tools, scene=self._slices, camera=self._camera, parent=self
        )
        self._mouse: QPointF | None = None  # in the viewport
        self._ring = BrushRing(self.viewport())
        self._layer = SketchLayer(self._sketch, self._slices, display, self.viewport())
        self._mark = SliceMark(SpaceState() if space is None else space, self)
        self.points = PointLayer(self, self._slices)
        self._connect_facts()
        self._show_arrangement()
        self._show_tool()

    def _connect_facts(self) -> None:
        self._slices.rearranged.connect(self._show_arrangement)
        for fact in (
            self._view.slice_changed,
            self._view.phase_changed,
            self._view.left_only_changed,
            self._display.window_changed,
            self._display.overlay_changed,
            self._document.study_changed,
            self._document.stack_changed,
            self._document.key_phases_changed,
        ):
            fact.connect(self._show_state)
        self._slices.states.changed.connect(self._show_doubts)
        self._tools.tool_changed.connect(self._show_tool)
        tools = self._tools
        for shape in (tools.structure_changed, tools.radius_changed, tools.options_changed):
            shape.connect(self._show_ring)
        self._sketch.changed.connect(self._show_sketch)
        self._gestures.pressed.connect(self.pressed)
        self._gestures.dragged.connect(self.dragged)
        self._gestures.released.connect(self.released)
        self.pen_used.connect(self._gestures.take_pen)

    def _show_arrangement(self) -> None:
        size = self.viewport().size()
        self._slices.lay_out(size.width() / max(1, size.height()))
        self._camera.show(self._slices.content)
        self._show_tool()
        self._show_state()

    def _show_state(self) -> None:
        self._annotations.renew()
        self._show_sketch()
        self.viewport().update()
        self._tell_cursor()

    def _show_sketch(self) -> None:
        self._layer.renew(self.viewportTransform())

    def _show_doubts(self) -> None:
        """Write anew where a doubt or a state changed; other strokes repaint nothing for it."""
        if self._document.cine is not None and self._annotations.said_changed():
            self._show_state()

    def _show_tool(self) -> None:
        shape = _CURSORS.get(self._tools.tool, Qt.CursorShape.CrossCursor)
        if self._document.cine is None:
            shape = Qt.CursorShape.PointingHandCursor
        self.viewport().setCursor(shape)
        self._show_ring()

    def _show_ring(self) -> None:
        ringed = self._gestures.edits and self._tools.tool in _RINGED
        centre = self._mouse if ringed else None
        self._ring.square = self._tools.options.tip is BrushTip.SQUARE
        self._ring.move(centre, self._tools.radius_mm * self._camera.pixels_per_mm)

    def _tell_cursor(self) -> None:
        """Say what lies under the mouse, also when the picture changed beneath it."""
        if self._mouse is None:
            return
        point = self.to_scene(self._mouse)
        item = self._slices.item_at(point)
        mm = self._gestures.reach_mm
        self.cursor_moved.emit(None if item is None else self._slices.place_on(item, point, mm))

    def _paint_numbers(self, painter: QPainter) -> None:
        for slice_index in range(self._view.slice_count):
            item = self._slices.item_of(slice_index)
            if item is not None:
                area = self.mapFromScene(item.sceneBoundingRect()).boundingRect()
                self._annotations.paint_number(painter, area, slice_index)

    def drawForeground(self, painter: QPainter, rect: QRectF | object) -> None:  # noqa: N802
        """Write on the picture and draw the brush's outline."""
        assert isinstance(rect, QRectF)
        exposed = self.viewportTransform().mapRect(rect)
        painter.save()
        painter.setWorldTransform(QTransform())
        if self._view.montage and self._document.cine is not None:
            self._paint_numbers(painter)
        self._layer.paint(painter, self.viewportTransform(), exposed)
        self._annotations.paint(
            painter, self.viewport().rect(), exposed, self._camera.pixels_per_mm
        )
        self._mark.paint(painter, self._slices)
        self.points.paint(painter, exposed)
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
        """Answer what is being drawn, pan; the window has the other keys."""
        if event.key() == Qt.Key.Key_Space:
            self._gestures.space_held = True
            self.viewport().setCursor(Qt.CursorShape.OpenHandCursor)
        elif not self.answer(event) and not self._gestures.pan_by_key(event):
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
