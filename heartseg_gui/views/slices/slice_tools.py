"""What mouse buttons and wheel do in the slice view."""

import math
from typing import Protocol

from PySide6.QtCore import QObject, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import (
    QGuiApplication,
    QKeyEvent,
    QMouseEvent,
    QPointingDevice,
    QWheelEvent,
)

from heartseg_gui.documents.display_state import DisplayState
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.documents.tool_state import Press, Tool, ToolState
from heartseg_gui.documents.view_state import CursorPlace, ViewState
from heartseg_gui.keymaps import in_force
from heartseg_gui.mouse_moves import Deed
from heartseg_gui.views.slices.slice_camera import SliceCamera
from heartseg_gui.views.slices.slice_item import SliceItem
from heartseg_gui.views.slices.slice_scene import SliceScene

_NOTCH = 120  # angleDelta of one click of a mouse wheel
_ZOOM_PER_NOTCH = 1.2
_WIDTH_PER_NOTCH = 1.1
_WINDOW_DRAG_PX = 300.0  # a drag this long multiplies the width by e
_ZOOM_DRAG_PX = 150.0
_PAN_PX = 40

_REACH_PX = 9.0  # how near the mouse takes hold of something
_CONTROL = Qt.KeyboardModifier.ControlModifier
_SHIFT = Qt.KeyboardModifier.ShiftModifier
_KEYPAD = Qt.KeyboardModifier.KeypadModifier  # set for all arrows on macOS
_LEFT, _RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
_WAYS = {
    Qt.Key.Key_Left: QPoint(-1, 0),
    Qt.Key.Key_Right: QPoint(1, 0),
    Qt.Key.Key_Up: QPoint(0, -1),
    Qt.Key.Key_Down: QPoint(0, 1),
}


class WheelSteps:
    """Turns wheel and touchpad movements into whole steps; small ones are saved up."""

    def __init__(self) -> None:
        self._saved = 0
        self._modifiers = Qt.KeyboardModifier.NoModifier

    def take(self, delta: int, modifiers: Qt.KeyboardModifier) -> int:
        """Steps that are due after a movement of `delta` [1/8 degree]."""
        if modifiers != self._modifiers or self._saved * delta < 0:
            self._saved = 0
        self._modifiers = modifiers
        self._saved += delta
        steps = int(self._saved / _NOTCH)  # towards zero
        self._saved -= steps * _NOTCH
        return steps


class Drag(Protocol):
    """What happens between press and release of one button."""

    def move(self, position: QPointF) -> None:
        """The mouse moved to a position in the viewport."""

    def end(self, position: QPointF) -> None:
        """The button was released."""


class WindowDrag:
    """Right is more width, left less; up is brighter, down darker."""

    def __init__(self, start: QPointF, display: DisplayState) -> None:
        self._start, self._display = start, display
        self._level, self._width = display.level, display.width

    def move(self, position: QPointF) -> None:
        """Change the window as far as the mouse is away from the start."""
        moved = position - self._start
        self._display.set_window(
            self._level + moved.y() / _WINDOW_DRAG_PX * self._width,
            self._width * math.exp(moved.x() / _WINDOW_DRAG_PX),
        )

    def end(self, position: QPointF) -> None:
        """Nothing more to do."""


class PanDrag:
    """The picture follows the mouse."""

    def __init__(self, start: QPointF, camera: SliceCamera) -> None:
        self._last, self._camera = start.toPoint(), camera

    def move(self, position: QPointF) -> None:
        """Shift the picture by whole pixels."""
        self._camera.pan(position.toPoint() - self._last)
        self._last = position.toPoint()

    def end(self, position: QPointF) -> None:
        """Nothing more to do."""


class ZoomDrag:
    """Up enlarges, down reduces, about the point that was pressed."""

    def __init__(self, start: QPointF, camera: SliceCamera) -> None:
        self._anchor, self._last, self._camera = start.toPoint(), start.y(), camera

    def move(self, position: QPointF) -> None:
        """Zoom by the way since the last movement."""
        self._camera.zoom(math.exp((self._last - position.y()) / _ZOOM_DRAG_PX), self._anchor)
        self._last = position.y()

    def end(self, position: QPointF) -> None:
        """Nothing more to do."""


class SliceTools(QObject):
    """Tells drags from clicks and passes the gestures of editing tools on.

    Signals:
        pressed: The `CursorPlace` and the `Press`.
        dragged: y, x [voxels] on the slice that was pressed.
        released: The button was released.
    """

    pressed = Signal(CursorPlace, Press)
    dragged = Signal(float, float)
    released = Signal()

    def __init__(
        self,
        document: StudyDocument,
        view: ViewState,
        display: DisplayState,
        tools: ToolState,
        *,
        scene: SliceScene,
        camera: SliceCamera,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self.space_held = False
        self._pen_upside_down = False
        self._document, self._view, self._display, self._tools = document, view, display, tools
        self._scene, self._camera = scene, camera
        self._wheel = WheelSteps()
        self._button = Qt.MouseButton.NoButton
        self._drag: Drag | None = None
        self._pressed_at = QPointF()
        self._pressed_item: SliceItem | None = None

    @property
    def edits(self) -> bool:
        """Whether the tool in hand changes labels here."""
        return self._tools.tool.edits and self._document.labels is not None

    @property
    def reach_mm(self) -> float:
        """How near something counts as touched [mm]."""
        return _REACH_PX / self._camera.pixels_per_mm

    def press(self, event: QMouseEvent, on_scene: QPointF, *, double: bool = False) -> None:
        """Begin what the button stands for; further buttons wait for the first one's release."""
        if self._button != Qt.MouseButton.NoButton:
            return
        self._button, self._pressed_at = event.button(), event.position()
        deed = in_force().mouse.drag(event.button(), event.modifiers(), painting=self.edits)
        if self._begins_pan(event.button()) or deed is Deed.PAN:
            self._drag = PanDrag(event.position(), self._camera)
        elif deed is Deed.ZOOM:
            self._drag = ZoomDrag(event.position(), self._camera)
        elif deed is Deed.WINDOW:
            self._drag = WindowDrag(event.position(), self._display)
        elif deed is not Deed.NOTHING and self._is_gesture(event):
            self._begin_gesture(event, on_scene, double=double)
        elif event.button() == _LEFT:
            self._drag = WindowDrag(event.position(), self._display)

    def move(self, event: QMouseEvent, on_scene: QPointF) -> None:
        """Go on with what was begun."""
        if self._pressed_item is not None:
            place = self._scene.place_on(self._pressed_item, on_scene)
            self.dragged.emit(place.y, place.x)
        elif self._drag is not None and not self._is_click(event):
            self._drag.move(event.position())

    def release(self, event: QMouseEvent, on_scene: QPointF) -> None:
        """End what was begun; a click in the montage goes to the slice.

        Where a keymap pans with Shift, a click with Shift marks inside and outside all the same.
        """
        if event.button() != self._button:
            return
        if self._pressed_item is not None:
            self._end_gesture()
        elif self._drag is not None:
            self._drag.end(event.position())
            if event.modifiers() & _SHIFT and self._is_gesture(event) and self._is_still(event):
                self._begin_gesture(event, on_scene, double=False)
                self._end_gesture()
            elif event.button() == _LEFT and self._is_click(event):
                self._go_to_slice(on_scene)
        self._button, self._drag = Qt.MouseButton.NoButton, None

    def double_click(self, event: QMouseEvent, on_scene: QPointF) -> None:
        """Leave the montage for a slice, or show all of the slice; quick dabs are dabs."""
        if self.edits or event.button() != _LEFT:
            self.press(event, on_scene, double=True)
        elif self._view.montage:
            self._go_to_slice(on_scene)
            self._view.set_montage(False)
        else:
            self._camera.fit()

    def wheel(self, event: QWheelEvent) -> None:
        """Go through slices or phases, zoom, or change the window's width."""
        angle = event.angleDelta() if not event.angleDelta().isNull() else event.pixelDelta()
        delta = angle.y() or angle.x()  # some systems turn the wheel sideways under Shift
        deed = in_force().mouse.wheel(event.modifiers())
        if deed is Deed.ZOOM:
            self._camera.zoom(_ZOOM_PER_NOTCH ** (delta / _NOTCH), event.position().toPoint())
        elif deed is Deed.CONTRAST:
            width = self._display.width * _WIDTH_PER_NOTCH ** (delta / _NOTCH)
            self._display.set_window(self._display.level, width)
        elif deed is not Deed.NOTHING:
            self._step(deed, self._wheel.take(delta, event.modifiers()))

    def take_pen(self, upside_down: bool) -> None:
        """Remember which end of a pen is down; the mouse event that follows does the work."""
        self._pen_upside_down = upside_down

    def pan_by_key(self, event: QKeyEvent) -> bool:
        """Shift the picture with Shift and an arrow; whether the key was one of these."""
        way = _WAYS.get(Qt.Key(event.key()))
        if way is None or event.modifiers() & ~_KEYPAD != _SHIFT:
            return False
        self._camera.pan(way * _PAN_PX)
        return True

    def _begins_pan(self, button: Qt.MouseButton) -> bool:
        return button == _LEFT and (self.space_held or self._tools.tool is Tool.PAN)

    def _is_gesture(self, event: QMouseEvent) -> bool:
        """Whether the press is for an editing tool; Shift marks inside and outside with any."""
        if event.button() not in (_LEFT, _RIGHT) or self._document.labels is None:
            return False
        return self._tools.tool.edits or bool(event.modifiers() & _SHIFT)

    def _begin_gesture(self, event: QMouseEvent, on_scene: QPointF, *, double: bool) -> None:
        item = self._scene.item_at(on_scene)
        if item is None:
            return
        self._pressed_item = item
        self._view.set_slice(item.slice_index)
        upside_down = event.pointerType() == QPointingDevice.PointerType.Eraser
        press = Press(
            other=event.button() == _RIGHT or upside_down or self._pen_upside_down,
            control=bool(event.modifiers() & _CONTROL),
            shift=bool(event.modifiers() & _SHIFT),
            double=double,
        )
        self.pressed.emit(self._scene.place_on(item, on_scene, self.reach_mm), press)

    def _end_gesture(self) -> None:
        self._pressed_item = None
        self.released.emit()

    def _step(self, deed: Deed, steps: int) -> None:
        """Go on by whole clicks of the wheel; away from the reader is back, or larger."""
        if deed is Deed.BRUSH_SIZE:
            for _ in range(abs(steps)):
                (self._tools.grow if steps > 0 else self._tools.shrink)()
        elif deed is Deed.PHASE and steps:
            self._view.step_phase(-steps)
        elif deed is Deed.SLICE:
            self._view.step_slice(-steps)

    def _go_to_slice(self, on_scene: QPointF) -> None:
        item = self._scene.item_at(on_scene)
        if item is not None:
            self._view.set_slice(item.slice_index)

    def _is_click(self, event: QMouseEvent) -> bool:
        """Whether the mouse is still where it was pressed, in a montage, where clicks count."""
        if not self._view.montage or isinstance(self._drag, PanDrag):
            return False
        return self._is_still(event)

    def _is_still(self, event: QMouseEvent) -> bool:
        """Whether the mouse is still where it was pressed."""
        way: QPoint = (event.position() - self._pressed_at).toPoint()
        return way.manhattanLength() < QGuiApplication.styleHints().startDragDistance()
