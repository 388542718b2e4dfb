"""A reader's hand: clicks and drags at voxels of the slice on the screen, as real mouse events."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from engine.labelmap import SlicePlace
from heartseg_gui.app import Window
from heartseg_gui.slice_rendering import SlicePlane
from tests.gui.conftest import drag_to

Voxel = tuple[float, float]
"""(y, x); whole numbers are voxel centres."""

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
NONE = Qt.KeyboardModifier.NoModifier
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def here(window: Window) -> SlicePlace:
    """The phase and slice on the screen."""
    return window.view.phase, window.view.slice_index


def voxels(window: Window) -> NDArray[np.uint8]:
    """A copy of all labels, (t, z, y, x)."""
    assert window.document.labels is not None
    return window.document.labels.voxels.copy()


def plane(window: Window) -> NDArray[np.uint8]:
    """A copy of the labels of the slice on the screen, (y, x)."""
    copied: NDArray[np.uint8] = voxels(window)[here(window)]
    return copied


def pixel(window: Window, voxel: Voxel) -> QPoint:
    """Where a voxel of the only slice on the screen is seen, to half a pixel."""
    assert window.document.cine is not None
    lying = SlicePlane.of(window.document.cine.geometry)
    ((across, down),) = lying.to_mm(np.array([voxel], np.float64))
    return window.views.picture.mapFromScene(QPointF(across, down))


def click(
    window: Window,
    voxel: Voxel,
    button: Qt.MouseButton = LEFT,
    modifiers: Qt.KeyboardModifier = NONE,
) -> None:
    """Press and release."""
    viewport, at = window.views.picture.viewport(), pixel(window, voxel)
    QTest.mousePress(viewport, button, modifiers, at)
    QTest.mouseRelease(viewport, button, modifiers, at)


def double_click(window: Window, voxel: Voxel) -> None:
    """A click, and a second one that the window system tells as such."""
    click(window, voxel)
    viewport, at = window.views.picture.viewport(), pixel(window, voxel)
    QTest.mouseDClick(viewport, LEFT, NONE, at)
    QTest.mouseRelease(viewport, LEFT, NONE, at)


def hover(window: Window, voxel: Voxel) -> None:
    """Move the mouse with no button down."""
    drag_to(window.views.picture.viewport(), pixel(window, voxel), Qt.MouseButton.NoButton)


def stroke(
    window: Window,
    path: Sequence[Voxel],
    button: Qt.MouseButton = LEFT,
    modifiers: Qt.KeyboardModifier = NONE,
) -> None:
    """Press at the first voxel, move over the others, release at the last."""
    viewport = window.views.picture.viewport()
    QTest.mousePress(viewport, button, modifiers, pixel(window, path[0]))
    for voxel in path[1:]:
        drag_to(viewport, pixel(window, voxel), button, modifiers)
    QTest.mouseRelease(viewport, button, modifiers, pixel(window, path[-1]))


def key(window: Window, pressed: Qt.Key, modifiers: Qt.KeyboardModifier = NONE) -> None:
    """Press a key in the picture."""
    QTest.keyClick(window.views.picture, pressed, modifiers)


def assert_one_step(window: Window, before: NDArray[np.uint8]) -> None:
    """What was done since `before` (t, z, y, x) is one step of undo, there and back."""
    after, stack = voxels(window), window.document.undo_stack
    assert stack.count() == 1, [stack.text(step) for step in range(stack.count())]
    stack.undo()
    assert np.array_equal(voxels(window), before)
    stack.redo()
    assert np.array_equal(voxels(window), after)
