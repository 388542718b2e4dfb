"""The window without a mouse: keys for everything, and a focus that can be seen."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QCheckBox,
    QComboBox,
    QListWidget,
    QPushButton,
    QRadioButton,
    QScrollBar,
    QTabBar,
    QToolButton,
    QTreeWidget,
    QWidget,
)
from pytestqt.qtbot import QtBot

from engine.structures import Structure
from heartseg_gui.app import Window
from heartseg_gui.documents.tool_state import Tool
from heartseg_gui.settings import Theme
from heartseg_gui.views.cine_bar import PhaseSlider
from heartseg_gui.views.structure_panel import StructureRow

_NO, _CTRL = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier
_SHIFT = Qt.KeyboardModifier.ShiftModifier


def test_zoom_keys(qtbot: QtBot, window: Window) -> None:
    picture = window.views.picture
    fitted = picture.pixels_per_mm
    for key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
        before = picture.pixels_per_mm
        qtbot.keyClick(picture, key, _CTRL)
        assert picture.pixels_per_mm > before
    qtbot.keyClick(picture, Qt.Key.Key_Minus, _CTRL)
    assert fitted < picture.pixels_per_mm < fitted * 1.5
    qtbot.keyClick(picture, Qt.Key.Key_F)

    assert picture.pixels_per_mm == fitted


def test_smoothing_is_switched_by_a_key(qtbot: QtBot, window: Window) -> None:
    picture, display = window.views.picture, window.display
    display.set_overlay_shown(False)
    for _ in range(4):
        picture.zoom_in()
    smooth = picture.viewport().grab().toImage()
    qtbot.keyClick(picture, Qt.Key.Key_I)
    assert not display.smooth
    assert not window.actions["smooth"].isChecked()
    assert picture.viewport().grab().toImage() != smooth
    qtbot.keyClick(picture, Qt.Key.Key_I)

    assert display.smooth


@pytest.mark.parametrize(
    ("key", "brighter", "wider"),
    [
        (Qt.Key.Key_Up, True, None),
        (Qt.Key.Key_Down, False, None),
        (Qt.Key.Key_Right, None, True),
        (Qt.Key.Key_Left, None, False),
    ],
)
def test_window_keys(
    qtbot: QtBot, window: Window, key: Qt.Key, brighter: bool | None, wider: bool | None
) -> None:
    """As the mouse does: up is brighter, right is a wider window."""
    level, width = window.display.level, window.display.width
    qtbot.keyClick(window.views.picture, key, _CTRL)
    display = window.display

    assert (display.level < level) is bool(brighter) or brighter is None
    assert (display.width > width) is bool(wider) or wider is None
    assert (display.level == level) is (brighter is None)
    assert (display.width == width) is (wider is None)


def test_shift_and_arrows_pan(qtbot: QtBot, window: Window) -> None:
    picture = window.views.picture
    for _ in range(4):
        picture.zoom_in()
    centre = picture.mapToScene(picture.viewport().rect().center())
    qtbot.keyClick(picture, Qt.Key.Key_Left, _SHIFT)
    moved = picture.mapToScene(picture.viewport().rect().center())

    assert moved.x() > centre.x()
    assert moved.y() == centre.y()
    assert window.view.phase == 0


def test_pages_are_reached_by_keys(qtbot: QtBot, window: Window) -> None:
    qtbot.keyClick(window.views.picture, Qt.Key.Key_2, _CTRL)
    assert window.views.report.hasFocus()
    qtbot.keyClick(window.views.report, Qt.Key.Key_G, _CTRL)
    assert window.views.check.hasFocus()
    qtbot.keyClick(window.views.check, Qt.Key.Key_1, _CTRL)
    assert window.views.picture.hasFocus()


def test_arrows_stay_with_the_picture_after_a_click_on_a_slider(
    qtbot: QtBot, window: Window
) -> None:
    window.views.picture.setFocus()
    qtbot.mouseClick(window.main.findChild(PhaseSlider), Qt.MouseButton.LeftButton)
    before = window.view.slice_index
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Up)

    assert window.view.slice_index == before - 1


def test_arrows_on_a_slider_that_was_tabbed_to_move_it(qtbot: QtBot, window: Window) -> None:
    """Right on the slider of the slices is the next slice, not the next phase."""
    slices = next(
        slider
        for slider in window.views.cine_bar.findChildren(QAbstractSlider)
        if slider.accessibleName() == "Slice"
    )
    slices.setFocus(Qt.FocusReason.TabFocusReason)
    before = window.view.slice_index
    qtbot.keyClick(slices, Qt.Key.Key_Right)

    assert (window.view.slice_index, window.view.phase) == (before + 1, 0)


def test_keys_of_the_3d_view_do_not_change_the_brush(qtbot: QtBot, window: Window) -> None:
    window.actions["show_3d"].trigger()
    volume = window.main._volume
    assert volume is not None
    qtbot.waitUntil(lambda: volume.ready, timeout=60_000)
    volume.canvas.setFocus()
    radius_mm, phase = window.tools.radius_mm, window.view.phase
    for key in (Qt.Key.Key_Plus, Qt.Key.Key_Minus, Qt.Key.Key_Right):
        qtbot.keyClick(volume.canvas, key)
    qtbot.waitUntil(lambda: volume.ready, timeout=60_000)

    assert (window.tools.radius_mm, window.view.phase) == (radius_mm, phase)


def test_space_chooses_the_structure_that_has_the_focus(qtbot: QtBot, window: Window) -> None:
    window.tools.set_structure(Structure.LV)
    row = window.views.structures.findChildren(StructureRow)[0]
    row.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(row, Qt.Key.Key_Space)

    assert window.tools.structure is Structure.RV


def test_what_is_under_way_is_stopped_by_a_key(qtbot: QtBot, window: Window) -> None:
    with qtbot.waitSignal(window.controllers.prediction.busy_changed):
        window.actions["predict"].trigger()
    (job,) = window.jobs.jobs
    with qtbot.waitSignal(job.cancelled):
        qtbot.keyClick(window.views.picture, Qt.Key.Key_Escape, _SHIFT)

    assert not window.document.modified


def controls(window: Window) -> list[QWidget]:
    """Everything that can be worked with, but what Qt itself puts into its widgets."""
    kinds = (QAbstractButton, QAbstractSlider, QAbstractSpinBox, QComboBox)
    return [
        widget
        for widget in window.main.findChildren(QWidget)
        if isinstance(widget, kinds)
        and not isinstance(widget, QScrollBar)
        and not widget.objectName().startswith("qt_")
        and not isinstance(widget.parent(), QTabBar)
    ]


def test_every_control_is_reached_by_tab_and_says_what_it_does(
    qtbot: QtBot, window: Window
) -> None:
    found = controls(window)
    unreachable = [w for w in found if not w.focusPolicy() & Qt.FocusPolicy.TabFocus]
    silent = [w for w in found if not w.toolTip()]
    nameless = [
        w
        for w in found
        if not (w.accessibleName() or (isinstance(w, QAbstractButton) and w.text()))
    ]

    assert len(found) > 30
    assert unreachable == []
    assert silent == []
    assert nameless == []


def _first(kind: type[QWidget]) -> Callable[[Window], QWidget]:
    return lambda window: next(w for w in window.main.findChildren(kind) if w.isVisible())


def _primary(window: Window) -> QWidget:
    buttons = window.main.findChildren(QPushButton)
    return next(b for b in buttons if b.isVisible() and b.property("primary"))


def _pressed_tool(window: Window) -> QWidget:
    buttons = window.main.findChildren(QToolButton)
    return next(b for b in buttons if b.isVisible() and b.isChecked())


def _checked_radio(window: Window) -> QWidget:
    return next(b for b in window.main.findChildren(QRadioButton) if b.isChecked())


def _radius(window: Window) -> QWidget:
    window.tools.set_tool(Tool.BRUSH)
    return _first(QAbstractSpinBox)(window)


PLACES: dict[str, Callable[[Window], QWidget]] = {
    "picture": lambda window: window.views.picture,
    "browser": _first(QTreeWidget),
    "recent": _first(QListWidget),
    "button": _first(QPushButton),
    "primary button": _primary,
    "pressed tool": _pressed_tool,
    "ticked box": _first(QCheckBox),
    "radio button": _checked_radio,
    "slider": _first(PhaseSlider),
    "radius": _radius,
    "structure": _first(StructureRow),
    "active structure": lambda w: w.views.structures.findChildren(StructureRow)[2],
    "tabs": _first(QTabBar),
}


@pytest.mark.parametrize("theme", [Theme.LIGHT, Theme.DARK], ids=lambda theme: theme.value)
@pytest.mark.parametrize("place", PLACES)
def test_focus_is_seen(qtbot: QtBot, window: Window, place: str, theme: Theme) -> None:
    window.settings.set_theme(theme)
    widget = PLACES[place](window)
    elsewhere = next(w for w in controls(window) if w.isVisible() and w is not widget)

    def picture() -> QImage:
        QApplication.processEvents()
        return widget.grab().toImage()

    elsewhere.setFocus(Qt.FocusReason.TabFocusReason)
    without = picture()
    widget.setFocus(Qt.FocusReason.TabFocusReason)
    assert widget.hasFocus()

    assert picture() != without
