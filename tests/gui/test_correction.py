"""Brush and eraser with real mouse events; the document is asserted."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from engine.structures import Structure
from heartseg_gui.app import Window
from heartseg_gui.documents.authorship import signed_provenance
from heartseg_gui.documents.tool_state import Tool
from tests.gui.shell import drag, move_pressed

ANNA = Path("/nowhere/anna")


@pytest.fixture
def window(window: Window) -> Window:
    window.tools.set_tool(Tool.BRUSH)
    window.tools.set_structure(Structure.RV)
    window.tools.set_radius(3.0)
    return window


def plane(window: Window) -> NDArray[np.uint8]:
    assert window.document.labels is not None
    return window.document.labels.voxels[window.view.phase, window.view.slice_index].copy()


def test_undo_takes_back_the_whole_stroke(qtbot: QtBot, window: Window) -> None:
    """However often the mouse moved while the button was down, it is one step."""
    before = plane(window)
    drag(qtbot, window, (-40, 0), (-20, 5), (0, 10), (20, 15), (40, 20))
    painted = plane(window)

    assert window.document.undo_stack.count() == 1
    assert (painted != before).sum() > 20
    assert set(np.unique(painted[painted != before])) == {Structure.RV}

    window.actions["undo"].trigger()
    assert np.array_equal(plane(window), before)
    assert not window.document.modified

    window.actions["redo"].trigger()
    assert np.array_equal(plane(window), painted)


def test_a_stroke_is_one_piece_however_fast_the_mouse(qtbot: QtBot, window: Window) -> None:
    window.actions["clear_slice"].trigger()
    drag(qtbot, window, (-120, 0), (120, 0))
    columns = np.flatnonzero((plane(window) == Structure.RV).any(axis=0))

    assert np.array_equal(columns, np.arange(columns[0], columns[-1] + 1))


def test_the_right_button_erases(qtbot: QtBot, window: Window) -> None:
    before = plane(window)
    drag(qtbot, window, (0, 0), (10, 10), button=Qt.MouseButton.RightButton)
    after = plane(window)

    assert (after != before).any()
    assert not after[after != before].any()
    assert window.document.undo_stack.undoText() == "Erase"


def test_a_stroke_that_changes_nothing_is_no_step(qtbot: QtBot, window: Window) -> None:
    window.actions["clear_slice"].trigger()
    count = window.document.undo_stack.count()
    window.tools.set_tool(Tool.ERASER)
    drag(qtbot, window, (0, 0), (10, 10))

    assert window.document.undo_stack.count() == count


def test_undo_goes_back_over_slices_and_phases(qtbot: QtBot, window: Window) -> None:
    assert window.document.labels is not None
    before = window.document.labels.voxels.copy()
    for phase, slice_index in ((0, 1), (2, 4), (3, 0)):
        window.view.set_phase(phase)
        window.view.set_slice(slice_index)
        drag(qtbot, window, (100, 100), (120, 110))
    assert window.document.corrected_slices() == ((0, 1), (2, 4), (3, 0))
    for _ in range(3):
        window.actions["undo"].trigger()

    assert np.array_equal(window.document.labels.voxels, before)
    assert window.document.corrected_slices() == ()


def test_undo_while_the_button_is_down_is_safe(qtbot: QtBot, window: Window) -> None:
    before = plane(window)
    viewport = window.views.picture.viewport()
    middle = viewport.rect().center()
    qtbot.mousePress(viewport, Qt.MouseButton.LeftButton, pos=middle + QPoint(100, 100))
    move_pressed(window, middle + QPoint(120, 100))
    window.actions["undo"].trigger()
    assert np.array_equal(plane(window), before)
    move_pressed(window, middle + QPoint(140, 100))
    qtbot.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=middle + QPoint(140, 100))
    assert not np.array_equal(plane(window), before)
    window.actions["undo"].trigger()

    assert np.array_equal(plane(window), before)
    assert not window.document.modified


def test_another_study_in_the_middle_of_a_stroke_ends_it(qtbot: QtBot, window: Window) -> None:
    viewport = window.views.picture.viewport()
    middle = viewport.rect().center()
    window.open(Path("/nowhere/berta"))
    qtbot.mousePress(viewport, Qt.MouseButton.LeftButton, pos=middle + QPoint(100, 100))
    with qtbot.waitSignal(window.document.study_changed):
        window.controllers.opening._show_study(  # as if the reader had said Discard
            window.document.study
        )
    before = plane(window)
    move_pressed(window, middle + QPoint(140, 100))
    qtbot.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=middle + QPoint(140, 100))

    assert np.array_equal(plane(window), before)
    assert not window.document.modified


def test_the_reader_signs_the_slices_they_touched(qtbot: QtBot, window: Window) -> None:
    window.settings.set_reader("A. Reader")
    drag(qtbot, window, (100, 100), (120, 110))
    signed = signed_provenance(window.document, window.settings.reader)

    assert signed.corrected_by == "A. Reader"
    assert signed.corrected_slices == ((0, 3),)


def test_keys_choose_tool_structure_and_size(qtbot: QtBot, window: Window) -> None:
    picture = window.views.picture
    qtbot.keyClick(picture, Qt.Key.Key_6)
    assert window.tools.tool is Tool.ERASER
    qtbot.keyClick(picture, Qt.Key.Key_X)
    assert window.tools.tool is Tool.BRUSH
    qtbot.keyClick(picture, Qt.Key.Key_Period)
    assert window.tools.structure is Structure.MYOCARDIUM
    qtbot.keyClick(picture, Qt.Key.Key_3, Qt.KeyboardModifier.AltModifier)
    assert window.tools.structure is Structure.LV
    radius_mm = window.tools.radius_mm
    qtbot.keyClick(picture, Qt.Key.Key_BracketRight)
    assert window.tools.radius_mm > radius_mm
