"""Undo and redo: what changed is shown and said; end-diastole and end-systole are steps too."""

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from heartseg_gui.app import Window
from heartseg_gui.documents.tool_state import Tool
from tests.gui.shell import drag

_ALT, _CTRL = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ControlModifier
_SHIFT = Qt.KeyboardModifier.ShiftModifier


def paint_at(qtbot: QtBot, window: Window, phase: int, slice_index: int) -> None:
    window.view.set_phase(phase)
    window.view.set_slice(slice_index)
    window.tools.set_tool(Tool.BRUSH)
    drag(qtbot, window, (150, 150), (160, 160))


def undo(qtbot: QtBot, window: Window) -> str:
    """Undo with the keys; returns what the status bar says."""
    qtbot.keyClick(window.views.picture, Qt.Key.Key_Z, _CTRL)
    return window.views.message.message


def redo(qtbot: QtBot, window: Window) -> str:
    qtbot.keyClick(window.views.picture, Qt.Key.Key_Z, _CTRL | _SHIFT)
    return window.views.message.message


def here(window: Window) -> tuple[int, int]:
    return window.view.phase, window.view.slice_index


def test_undo_and_redo_go_where_something_changes(qtbot: QtBot, window: Window) -> None:
    paint_at(qtbot, window, 2, 4)
    window.view.set_phase(0)
    window.view.set_slice(1)

    assert undo(qtbot, window) == "Undone: Paint in slice 5, phase 3."
    assert here(window) == (2, 4)
    window.view.set_phase(1)
    window.view.set_slice(0)
    assert redo(qtbot, window) == "Redone: Paint in slice 5, phase 3."
    assert here(window) == (2, 4)


def test_undo_stays_where_something_changes(qtbot: QtBot, window: Window) -> None:
    """A prediction of two phases is seen in the phase on the screen: no reason to go elsewhere."""
    with qtbot.waitSignal(window.controllers.prediction.told):
        window.actions["clear_slice"].trigger()
        window.view.set_phase(2)
        window.actions["clear_slice"].trigger()
        window.actions["predict"].trigger()
    window.view.set_slice(3)

    assert undo(qtbot, window) == "Undone: Predict ED and ES in slice 4, phases 1, 3."
    assert here(window) == (2, 3)


def test_undo_comes_to_the_front(qtbot: QtBot, window: Window) -> None:
    """From the study check one would not see what is undone."""
    paint_at(qtbot, window, 2, 4)
    qtbot.keyClick(window.views.picture, Qt.Key.Key_G, _CTRL)
    assert not window.views.picture.isVisible()
    qtbot.keyClick(window.views.check, Qt.Key.Key_Z, _CTRL)

    assert window.views.picture.isVisible()
    assert window.views.picture.hasFocus()


def test_undo_stops_the_cine(qtbot: QtBot, window: Window) -> None:
    """The phase that changed would be gone at once."""
    paint_at(qtbot, window, 2, 4)
    qtbot.keyClick(window.views.picture, Qt.Key.Key_P)
    assert window.view.playing
    undo(qtbot, window)

    assert not window.view.playing
    assert here(window) == (2, 4)


def test_a_phase_set_by_hand_is_undone_and_shown(qtbot: QtBot, window: Window) -> None:
    picture, document = window.views.picture, window.document
    window.view.set_phase(3)
    qtbot.keyClick(picture, Qt.Key.Key_D, _ALT)
    assert window.main.isWindowModified()
    window.view.set_phase(1)
    qtbot.keyClick(picture, Qt.Key.Key_S, _ALT)
    assert document.phases_by_hand == (3, 1)
    window.view.set_phase(0)

    assert undo(qtbot, window) == "Undone: Set end-systole to phase 2."
    assert document.phases_by_hand == (3, None)
    assert window.view.phase == 1
    assert undo(qtbot, window) == "Undone: Set end-diastole to phase 4."
    assert document.phases_by_hand == (None, None)
    assert window.view.phase == 3
    assert not window.main.isWindowModified()
    redo(qtbot, window)
    assert document.ed_phase == 3


def test_setting_the_same_phase_again_is_no_step(qtbot: QtBot, window: Window) -> None:
    for _ in range(2):
        qtbot.keyClick(window.views.picture, Qt.Key.Key_D, _ALT)

    assert window.document.undo_stack.count() == 1


def test_finding_the_phases_again_is_one_step(qtbot: QtBot, window: Window) -> None:
    qtbot.keyClick(window.views.picture, Qt.Key.Key_D, _ALT)
    window.view.set_phase(1)
    qtbot.keyClick(window.views.picture, Qt.Key.Key_S, _ALT)
    window.actions["find_key_phases"].trigger()
    assert window.document.phases_by_hand == (None, None)
    undo(qtbot, window)

    assert window.document.phases_by_hand == (0, 1)


def test_one_phase_for_both_is_mentioned(qtbot: QtBot, window: Window) -> None:
    """The report would be refused; better to hear of it now."""
    for key in (Qt.Key.Key_D, Qt.Key.Key_S):
        qtbot.keyClick(window.views.picture, key, _ALT)

    assert "at once" in window.views.message.message
