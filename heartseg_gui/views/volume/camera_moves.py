"""What the mouse and the keys do to the camera."""

import math
from functools import partial

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent

from heartseg_gui.views.volume.artist import Move
from heartseg_gui.views.volume.volume_scene import VolumeScene

ZOOM_PER_NOTCH = 1.15
"""Of the wheel, or for each press of a key."""

_KEY_STEP_PX = 20
_ZOOM_DRAG_PX = 150.0
_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
_ZOOM_KEYS = {Qt.Key.Key_Plus: 1, Qt.Key.Key_Equal: 1, Qt.Key.Key_Minus: -1}
_SHIFT = Qt.KeyboardModifier.ShiftModifier


def orbit_by(by: QPointF) -> Move:
    """Turn with the mouse, which has moved so far [px]."""
    return partial(VolumeScene.orbit, right_px=by.x(), down_px=by.y())


def pan_by(by: QPointF, height: int) -> Move:
    """Shift with the mouse, which has moved so far [px], in a picture so high [px]."""
    return partial(VolumeScene.pan, right=by.x() / height, down=by.y() / height)


def zoom_by(factor: float) -> Move:
    """Enlarge about the middle."""
    return partial(VolumeScene.zoom, factor=factor)


def move_of_drag(event: QMouseEvent, by: QPointF, height: int) -> Move:
    """What a drag does: turn with the left button, shift with the middle one, enlarge else."""
    if event.buttons() & Qt.MouseButton.MiddleButton or event.modifiers() & _SHIFT:
        return pan_by(by, height)
    if event.buttons() & Qt.MouseButton.RightButton:
        return zoom_by(math.exp(-by.y() / _ZOOM_DRAG_PX))
    return orbit_by(by)


def move_of_key(event: QKeyEvent, height: int) -> Move | None:
    """What a key does in a picture so high [px]; None where it is no key of the scene."""
    key, modifiers = Qt.Key(event.key()), event.modifiers()
    if modifiers & ~(_SHIFT | Qt.KeyboardModifier.KeypadModifier):
        return None
    if key in _ARROWS:
        by = QPointF(*_ARROWS[key]) * _KEY_STEP_PX
        return pan_by(by, height) if modifiers & _SHIFT else orbit_by(by)
    if key in _ZOOM_KEYS:
        return zoom_by(ZOOM_PER_NOTCH ** _ZOOM_KEYS[key])
    return VolumeScene.look_from_front if key == Qt.Key.Key_Home else None
