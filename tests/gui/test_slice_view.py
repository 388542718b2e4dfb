"""The slice view under a real mouse: what it says, and what it changes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QColor, QDropEvent, QImage, QNativeGestureEvent, QPointingDevice
from PySide6.QtTest import QSignalSpy
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from engine.geometry import Geometry
from engine.labelmap import LabelPatch
from engine.structures import Structure
from engine.study import Study
from heartseg_gui.documents.commands import PaintStroke
from heartseg_gui.documents.display_state import OverlayStyle
from heartseg_gui.documents.tool_state import Press, Tool
from heartseg_gui.documents.view_state import CursorPlace
from heartseg_gui.views.slices.slice_view import SliceView
from tests.gui.conftest import SHAPE, Desk, drag_to, send_pen, turn_wheel

_LEFT, _RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
_MIDDLE = Qt.MouseButton.MiddleButton
_CONTROL = Qt.KeyboardModifier.ControlModifier
_SHIFT = Qt.KeyboardModifier.ShiftModifier
_ROWS_MM, _COLUMNS_MM = SHAPE[2] * 3.0, SHAPE[3] * 2.0


@pytest.fixture
def slices(desk: Desk, qtbot: QtBot) -> SliceView:
    """The view on the small study, 600 x 480."""
    return _shown(desk, qtbot)


def _shown(desk: Desk, qtbot: QtBot) -> SliceView:
    view = SliceView(desk.document, desk.view, desk.display, desk.tools)
    qtbot.addWidget(view)
    view.resize(600, 480)
    with qtbot.waitExposed(view):
        view.show()
    return view


def _pixel_of(slices: SliceView, y: float, x: float) -> QPoint:
    """Where a voxel is seen while the picture is fitted."""
    size = slices.viewport().size()
    scale = min(size.width() / _COLUMNS_MM, size.height() / _ROWS_MM)
    left = size.width() / 2 - _COLUMNS_MM * scale / 2
    top = size.height() / 2 - _ROWS_MM * scale / 2
    return QPointF(left + (x + 0.5) * 2.0 * scale, top + (y + 0.5) * 3.0 * scale).toPoint()


def _colour_at(slices: SliceView, y: float, x: float) -> QColor:
    image = slices.viewport().grab().toImage()
    point = _pixel_of(slices, y, x) * image.devicePixelRatio()
    return QColor(image.pixel(point))


def _last(spy: QSignalSpy) -> list[object]:
    return list(spy.at(spy.count() - 1))


def test_wheel_goes_through_slices_and_stops_at_the_ends(desk: Desk, slices: SliceView) -> None:
    """Towards the reader is onwards."""
    turn_wheel(slices.viewport(), -120)
    assert desk.view.slice_index == 2
    turn_wheel(slices.viewport(), -120)
    assert desk.view.slice_index == 2
    turn_wheel(slices.viewport(), 240)
    assert desk.view.slice_index == 0


def test_shift_wheel_goes_round_the_heartbeat(desk: Desk, slices: SliceView) -> None:
    """After the last phase comes the first."""
    turn_wheel(slices.viewport(), 120, _SHIFT)

    assert desk.view.phase == 3
    assert desk.view.slice_index == 1


def test_touchpads_save_small_movements_up(desk: Desk, slices: SliceView) -> None:
    """Eight movements of 15 make one click of a wheel, not eight slices and not none."""
    for _ in range(7):
        turn_wheel(slices.viewport(), -15)
    assert desk.view.slice_index == 1
    turn_wheel(slices.viewport(), -15)
    assert desk.view.slice_index == 2


def test_control_wheel_enlarges_about_the_cursor(desk: Desk, slices: SliceView) -> None:
    """The voxel under the mouse stays there."""
    spy = QSignalSpy(slices.cursor_moved)
    at = _pixel_of(slices, 30, 40)
    drag_to(slices.viewport(), at, Qt.MouseButton.NoButton)
    before = _last(spy)[0]
    scale = slices.pixels_per_mm

    turn_wheel(slices.viewport(), 360, _CONTROL, at=at)
    drag_to(slices.viewport(), at, Qt.MouseButton.NoButton)

    after = _last(spy)[0]
    assert slices.pixels_per_mm == pytest.approx(scale * 1.2**3)
    assert isinstance(before, CursorPlace)
    assert isinstance(after, CursorPlace)
    assert (after.y, after.x) == pytest.approx((before.y, before.x), abs=0.2)
    assert desk.view.slice_index == 1


def test_control_shift_wheel_widens_the_window(desk: Desk, slices: SliceView) -> None:
    """One click is a tenth."""
    width, level = desk.display.width, desk.display.level

    turn_wheel(slices.viewport(), 120, _CONTROL | _SHIFT)

    assert desk.display.width == pytest.approx(1.1 * width)
    assert desk.display.level == level


def test_window_drag(desk: Desk, slices: SliceView, qtbot: QtBot) -> None:
    """Right widens, up brightens."""
    width, level = desk.display.width, desk.display.level
    viewport = slices.viewport()

    qtbot.mousePress(viewport, _LEFT, pos=QPoint(300, 240))
    drag_to(viewport, QPoint(360, 200))
    qtbot.mouseRelease(viewport, _LEFT, pos=QPoint(360, 200))

    assert desk.display.width > width
    assert desk.display.level < level


@pytest.mark.parametrize(
    ("tool", "button"), [(Tool.WINDOW, _MIDDLE), (Tool.BRUSH, _MIDDLE), (Tool.PAN, _LEFT)]
)
def test_pan(
    desk: Desk, slices: SliceView, qtbot: QtBot, tool: Tool, button: Qt.MouseButton
) -> None:
    """The picture follows the mouse, and `fit` brings it back."""
    desk.tools.set_tool(tool)
    spy = QSignalSpy(slices.cursor_moved)
    viewport, start = slices.viewport(), _pixel_of(slices, 20, 25)

    qtbot.mousePress(viewport, button, pos=start)
    drag_to(viewport, start + QPoint(50, -30), button)
    qtbot.mouseRelease(viewport, button, pos=start + QPoint(50, -30))

    place = _last(spy)[0]
    assert isinstance(place, CursorPlace)
    assert (place.y, place.x) == pytest.approx((20, 25), abs=0.3)
    slices.fit()
    drag_to(viewport, start, Qt.MouseButton.NoButton)
    place = _last(spy)[0]
    assert isinstance(place, CursorPlace)
    assert (place.y, place.x) == pytest.approx((20, 25), abs=0.3)


def test_right_drag_zooms_while_no_paint_tool_is_in_hand(slices: SliceView, qtbot: QtBot) -> None:
    """Up enlarges."""
    scale = slices.pixels_per_mm

    qtbot.mousePress(slices.viewport(), _RIGHT, pos=QPoint(300, 240))
    drag_to(slices.viewport(), QPoint(300, 180), _RIGHT)
    qtbot.mouseRelease(slices.viewport(), _RIGHT, pos=QPoint(300, 180))

    assert slices.pixels_per_mm > 1.3 * scale


@pytest.mark.parametrize(
    ("tool", "button", "modifiers", "press"),
    [
        (Tool.BRUSH, _LEFT, Qt.KeyboardModifier.NoModifier, Press()),
        (Tool.BRUSH, _RIGHT, Qt.KeyboardModifier.NoModifier, Press(other=True)),
        (Tool.BRUSH, _LEFT, _CONTROL, Press(control=True)),
        (Tool.ERASER, _LEFT, Qt.KeyboardModifier.NoModifier, Press()),
        (Tool.LASSO, _RIGHT, Qt.KeyboardModifier.NoModifier, Press(other=True)),
        (Tool.WINDOW, _LEFT, _SHIFT, Press(shift=True)),
        (Tool.WINDOW, _RIGHT, _SHIFT, Press(other=True, shift=True)),
    ],
)
def test_gesture(
    desk: Desk,
    slices: SliceView,
    qtbot: QtBot,
    tool: Tool,
    button: Qt.MouseButton,
    modifiers: Qt.KeyboardModifier,
    press: Press,
) -> None:
    """Press, movements and release are told in voxels of the slice."""
    desk.tools.set_tool(tool)
    desk.view.set_phase(2)
    pressed, dragged, released = map(QSignalSpy, (slices.pressed, slices.dragged, slices.released))
    viewport = slices.viewport()

    qtbot.mousePress(viewport, button, modifiers, _pixel_of(slices, 10, 12))
    drag_to(viewport, _pixel_of(slices, 11, 30), button)
    qtbot.mouseRelease(viewport, button, pos=_pixel_of(slices, 11, 30))

    assert pressed.count() == dragged.count() == released.count() == 1
    place, told = pressed.at(0)
    assert isinstance(place, CursorPlace)
    assert (place.phase, place.slice_index, told) == (2, 1, press)
    assert (place.y, place.x) == pytest.approx((10, 12), abs=0.2)
    assert dragged.at(0) == pytest.approx([11, 30], abs=0.2)


def test_quick_dabs_are_all_told(desk: Desk, slices: SliceView, qtbot: QtBot) -> None:
    """The second press of a double click is a press too, and says that it is the second."""
    desk.tools.set_tool(Tool.BRUSH)
    pressed, released = QSignalSpy(slices.pressed), QSignalSpy(slices.released)

    qtbot.mouseClick(slices.viewport(), _LEFT, pos=_pixel_of(slices, 10, 10))
    qtbot.mouseDClick(slices.viewport(), _LEFT, pos=_pixel_of(slices, 10, 10))
    qtbot.mouseRelease(slices.viewport(), _LEFT, pos=_pixel_of(slices, 10, 10))

    assert pressed.count() == released.count() == 2
    assert [press.double for _, press in (pressed.at(0), pressed.at(1))] == [False, True]


def test_the_other_end_of_a_pen_is_the_other_button(
    desk: Desk, slices: SliceView, qtbot: QtBot
) -> None:
    """Qt sends a pen's events first as those of a tablet, then again as those of a mouse."""
    desk.tools.set_tool(Tool.BRUSH)
    pressed = QSignalSpy(slices.pressed)
    at = _pixel_of(slices, 10, 10)
    for pointer in (QPointingDevice.PointerType.Eraser, QPointingDevice.PointerType.Pen):
        send_pen(slices.viewport(), QEvent.Type.TabletPress, at, pointer)
        qtbot.mousePress(slices.viewport(), _LEFT, pos=at)
        send_pen(slices.viewport(), QEvent.Type.TabletRelease, at, pointer)
        qtbot.mouseRelease(slices.viewport(), _LEFT, pos=at)

    assert [pressed.at(number)[1].other for number in range(2)] == [True, False]


def test_two_fingers_zoom(slices: SliceView) -> None:
    """Pinching on a touch pad enlarges about the fingers."""
    before = slices.pixels_per_mm
    middle = QPointF(slices.viewport().rect().center())
    pinch = QNativeGestureEvent(
        Qt.NativeGestureType.ZoomNativeGesture,
        QPointingDevice.primaryPointingDevice(),
        2,
        middle,
        middle,
        QPointF(slices.viewport().mapToGlobal(middle)),
        0.25,
        QPointF(),
    )
    QApplication.sendEvent(slices.viewport(), pinch)

    assert slices.pixels_per_mm == pytest.approx(1.25 * before)


@pytest.mark.parametrize(
    ("key", "name"),
    [
        (Qt.Key.Key_Return, "finished"),
        (Qt.Key.Key_Enter, "finished"),
        (Qt.Key.Key_Backspace, "stepped_back"),
        (Qt.Key.Key_Delete, "stepped_back"),
        (Qt.Key.Key_Escape, "given_up"),
    ],
)
def test_keys_that_answer_what_is_drawn(
    slices: SliceView, qtbot: QtBot, key: Qt.Key, name: str
) -> None:
    spy = QSignalSpy(getattr(slices, name))
    qtbot.keyClick(slices, key)
    qtbot.keyClick(slices, key, _CONTROL)

    assert spy.count() == 1


def test_change_of_labels_is_seen(desk: Desk, slices: SliceView) -> None:
    """The overlay has the structure's colour where a command painted, and loses it on undo."""
    desk.display.set_opacity(1.0)
    before = _colour_at(slices, 5, 5)
    document, labels = desk.document, desk.document.labels
    assert labels is not None
    plane = SHAPE[2] * SHAPE[3]
    index = np.array([plane + 5 * SHAPE[3] + 5])  # phase 0, slice 1
    patch = LabelPatch(index, np.zeros(1, np.uint8), np.full(1, Structure.RV, np.uint8))

    document.undo_stack.push(PaintStroke(document, 1, patch))

    assert _colour_at(slices, 5, 5) == QColor(*desk.display.colour_of(Structure.RV))
    document.undo_stack.undo()
    assert _colour_at(slices, 5, 5) == before


def test_overlay_follows_phase_style_and_visibility(desk: Desk, slices: SliceView) -> None:
    """Phase 1 has no labels; contours leave the inside free; hidden structures are not drawn."""
    desk.display.set_opacity(1.0)
    red = QColor(*desk.display.colour_of(Structure.LV))
    assert _colour_at(slices, 20, 25) == red

    desk.view.set_phase(1)
    assert _colour_at(slices, 20, 25) != red
    desk.view.set_phase(2)
    assert _colour_at(slices, 20, 25) == red
    desk.display.set_style(OverlayStyle.CONTOUR)
    assert _colour_at(slices, 20, 25) != red
    assert _colour_at(slices, 14.5, 25) == red  # between voxels
    desk.display.set_shown(Structure.LV, False)
    assert _colour_at(slices, 14.5, 25) != red


def test_reference_is_outlined_when_wanted(desk: Desk, slices: SliceView) -> None:
    """White dashes on black: at least one white pixel on its right border."""
    desk.display.set_window(5000.0, 100.0)  # a black picture
    desk.display.set_overlay_shown(False)

    def whites() -> int:
        image = slices.viewport().grab().toImage()
        ratio = image.devicePixelRatio()
        top, bottom = (_pixel_of(slices, y, 31.5) * ratio for y in (16, 24))
        column = [QColor(image.pixel(top.x(), y)) for y in range(top.y(), bottom.y())]
        return sum(colour == QColor(255, 255, 255) for colour in column)

    assert whites() == 0
    desk.display.set_reference_shown(True)
    assert whites() > 5


def test_montage_click_chooses_and_double_click_opens(
    desk: Desk, slices: SliceView, qtbot: QtBot
) -> None:
    """All slices lie side by side; a double click leaves with the slice under the mouse."""
    desk.view.set_montage(True)
    spy = QSignalSpy(slices.cursor_moved)
    viewport = slices.viewport()
    places: dict[int, QPoint] = {}
    for x in range(5, 600, 20):
        for y in range(5, 480, 20):
            drag_to(viewport, QPoint(x, y), Qt.MouseButton.NoButton)
            place = _last(spy)[0]
            if isinstance(place, CursorPlace):
                places[place.slice_index] = QPoint(x, y)
    assert set(places) == {0, 1, 2}

    qtbot.mouseClick(viewport, _LEFT, pos=places[2])
    assert (desk.view.slice_index, desk.view.montage) == (2, True)
    qtbot.mouseDClick(viewport, _LEFT, pos=places[0])
    assert (desk.view.slice_index, desk.view.montage) == (0, False)


def test_painting_in_the_montage_names_its_slice(
    desk: Desk, slices: SliceView, qtbot: QtBot
) -> None:
    """The stroke stays on the slice where it began, also beyond its edge."""
    desk.view.set_montage(True)
    desk.tools.set_tool(Tool.BRUSH)
    began, moved = QSignalSpy(slices.pressed), QSignalSpy(slices.dragged)

    qtbot.mousePress(slices.viewport(), _LEFT, pos=QPoint(150, 100))
    drag_to(slices.viewport(), QPoint(590, 100))
    qtbot.mouseRelease(slices.viewport(), _LEFT, pos=QPoint(590, 100))

    assert began.count() == moved.count() == 1
    assert began.at(0)[0].slice_index == desk.view.slice_index == 0
    assert moved.at(0)[1] > SHAPE[3]


def test_cursor_is_told_and_forgotten(slices: SliceView, qtbot: QtBot) -> None:
    """In voxels of the slice; None beside the picture."""
    spy = QSignalSpy(slices.cursor_moved)
    qtbot.mouseMove(slices.viewport(), _pixel_of(slices, 0, 0))
    drag_to(slices.viewport(), _pixel_of(slices, 0, 0), Qt.MouseButton.NoButton)
    place = _last(spy)[0]
    assert isinstance(place, CursorPlace)
    assert (place.phase, place.slice_index) == (0, 1)
    assert (place.y, place.x) == pytest.approx((0, 0), abs=0.2)

    drag_to(slices.viewport(), QPoint(2, 2), Qt.MouseButton.NoButton)
    assert _last(spy) == [None]


def test_empty_view_asks_for_a_folder(empty_desk: Desk, qtbot: QtBot) -> None:
    """A click is enough."""
    view = _shown(empty_desk, qtbot)

    with qtbot.waitSignal(view.open_requested):
        qtbot.mouseClick(view.viewport(), _LEFT)


def test_folder_can_be_dropped(empty_desk: Desk, qtbot: QtBot, tmp_path: Path) -> None:
    """The view passes on what was dropped."""
    view = _shown(empty_desk, qtbot)
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(tmp_path))])
    drop = QDropEvent(
        QPointF(50, 50), Qt.DropAction.CopyAction, mime, _LEFT, Qt.KeyboardModifier.NoModifier
    )

    with qtbot.waitSignal(view.folder_dropped) as told:
        view.dropEvent(drop)

    assert told.args == [tmp_path]


def test_study_can_be_replaced_and_closed(desk: Desk, slices: SliceView) -> None:
    """A study of another size, then none: the view follows without a complaint."""
    desk.view.set_montage(True)
    desk.document.set_study(_cropped(desk))
    slices.viewport().grab()
    desk.document.set_study(None)
    slices.viewport().grab()

    assert desk.document.cine is None


def _cropped(desk: Desk) -> Study:
    study = desk.document.study
    assert study is not None
    cine = study.stacks[0].cine
    voxels = np.ascontiguousarray(cine.voxels[:1, :2, :20])
    geometry = Geometry.from_affine(cine.geometry.affine, (2, 20, SHAPE[3]))
    small = replace(cine, voxels=voxels, geometry=geometry, phase_times_ms=(0.0,))
    return replace(study, stacks=(replace(study.stacks[0], cine=small),), labels=())


def test_picture_becomes_smooth_when_the_wheel_rests(
    desk: Desk, slices: SliceView, qtbot: QtBot
) -> None:
    """A step is drawn at once and coarser; a moment later nothing is left of that."""

    def picture() -> QImage:
        return slices.viewport().grab().toImage()

    desk.display.set_overlay_shown(False)
    desk.display.set_smooth(False)
    desk.view.set_phase(1)
    plain = picture()
    desk.view.set_phase(0)
    desk.display.set_smooth(True)

    desk.view.set_phase(1)
    at_once = picture()

    qtbot.waitUntil(lambda: picture() != at_once)
    assert picture() != plain
