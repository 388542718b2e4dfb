"""Insertion points and hinge points on the slices: shown, and dragged with the mouse."""

from collections.abc import Iterator

import numpy as np
from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter

from heartseg_gui.documents.landmarks import LandmarkState, ShownPair
from heartseg_gui.point_marks import nearest_mark, paint_marks
from heartseg_gui.views.slices.slice_canvas import SliceCanvas
from heartseg_gui.views.slices.slice_item import SliceItem
from heartseg_gui.views.slices.slice_scene import SliceScene

_LEFT = Qt.MouseButton.LeftButton
_ROOM_PX = (-90, -40, 90, 40)  # round the points, for their names
_NAMED_FROM_PX = 330  # narrower slices of a montage have no room for names


class PointLayer(QObject):
    """Draws the points of the slices on the screen, and follows the one that is held.

    Signals:
        moved: Phase, slice, which point (0 or 1), y, x [voxels].
        dropped: It stays where it is now.
    """

    moved = Signal(int, int, int, float, float)
    dropped = Signal()

    def __init__(self, canvas: SliceCanvas, scene: SliceScene) -> None:
        super().__init__(canvas)
        self._canvas, self._scene = canvas, scene
        self._state: LandmarkState | None = None
        self._was_shown = False
        self._held: tuple[SliceItem, int] | None = None
        self._hovered: tuple[SliceItem, int] | None = None

    def follow(self, state: LandmarkState) -> None:
        """Show these points from now on."""
        self._state = state
        self._canvas.viewport().installEventFilter(self)
        state.changed.connect(self._renew)

    def paint(self, painter: QPainter, exposed: QRectF) -> None:
        """Draw the points in the exposed part, in device-independent pixels of the viewport."""
        over = self._held or self._hovered
        for item, pair, marks in self._shown():
            room = QRectF(marks[0], marks[1]).normalized().adjusted(*_ROOM_PX)
            if not room.intersects(exposed):
                continue
            width = self._canvas.mapFromScene(item.sceneBoundingRect()).boundingRect().width()
            names = pair.names if width >= _NAMED_FROM_PX else ("", "")
            held = over[1] if over is not None and over[0] is item else None
            paint_marks(
                painter, marks, names, by_reader=pair.by_reader, known=pair.known, held=held
            )

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take the mouse before tools do where a point is or is held."""
        if not isinstance(event, QMouseEvent) or self._state is None or not self._state.shown:
            return super().eventFilter(watched, event)
        if event.type() in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick):
            return self._press(event)
        if event.type() == QEvent.Type.MouseButtonRelease:
            return self._release(event)
        return self._move(event)

    def _press(self, event: QMouseEvent) -> bool:
        """Take hold of a point; whether there was one."""
        if self._held is not None:
            return True
        plain = event.modifiers() == Qt.KeyboardModifier.NoModifier
        if event.button() == _LEFT and plain:
            self._held = self._point_at(event.position())
        return self._held is not None

    def _move(self, event: QMouseEvent) -> bool:
        """Drag the point that is held, or notice the one under the mouse."""
        if self._held is not None:
            item, which = self._held
            place = self._scene.place_on(item, self._canvas.to_scene(event.position()))
            self.moved.emit(place.phase, place.slice_index, which, place.y, place.x)
            return True
        hovered = None if event.buttons() else self._point_at(event.position())
        if hovered != self._hovered:
            self._hovered = hovered
            self._canvas.viewport().update()
        return False

    def _release(self, event: QMouseEvent) -> bool:
        """Let go of the point; whether one was held."""
        if self._held is None:
            return False
        if event.button() == _LEFT:
            self._held = None
            self.dropped.emit()
        return True

    def _point_at(self, position: QPointF) -> tuple[SliceItem, int] | None:
        for item, _, marks in self._shown():
            which = nearest_mark(marks, position)
            if which is not None:
                return item, which
        return None

    def _shown(self) -> Iterator[tuple[SliceItem, ShownPair, list[QPointF]]]:
        if self._state is None or not self._state.shown:
            return
        for item in self._scene.items():
            if not isinstance(item, SliceItem):
                continue
            pair = self._state.pair_at(self._scene.phase, item.slice_index)
            if pair is not None:
                yield item, pair, self._marks(item, pair)

    def _marks(self, item: SliceItem, shown: ShownPair) -> list[QPointF]:
        points = np.array([shown.pair.first, shown.pair.second], np.float64)
        to_view = self._canvas.viewportTransform()
        return [
            to_view.map(item.mapToScene(QPointF(float(across), float(down))))
            for across, down in item.plane.to_mm(points)
        ]

    def _renew(self) -> None:
        shown = self._state is not None and self._state.shown
        if shown or self._was_shown:  # a stroke must not repaint everything for nothing
            self._canvas.viewport().update()
        self._was_shown = shown
