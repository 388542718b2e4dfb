"""Contours under a real mouse: what becomes of them is what the engine makes of them."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from engine.correction.contour import Boundary, Contour, contours_of, drawn_anew, redraw
from engine.structures import Structure
from heartseg_gui.app import Window
from heartseg_gui.documents.tool_state import DrawOver, Tool
from tests.gui.conftest import drag_to
from tests.gui.hands import (
    CTRL,
    LEFT,
    RIGHT,
    SHIFT,
    assert_one_step,
    click,
    double_click,
    hover,
    key,
    pixel,
    plane,
    stroke,
    voxels,
)

RV, WALL, LV = Structure.RV, Structure.MYOCARDIUM, Structure.LV
NEAR = 0.1  # voxels that a click may be off, for pixels are whole


@pytest.fixture
def window(window: Window, qtbot: QtBot) -> Window:
    window.tools.set_tool(Tool.CONTOUR)
    window.tools.set_radius(3.0)
    traced(qtbot, window)
    return window


def traced(qtbot: QtBot, window: Window) -> None:
    """Wait for the contours of the slice on the screen; they are traced beside the window."""
    place = (window.view.phase, window.view.slice_index)

    def are_there() -> bool:
        contours = window.sketch.contours
        return contours.place == place and bool(contours.by_boundary)

    qtbot.waitUntil(are_there, timeout=30_000)  # the first one imports much


def shown(window: Window, boundary: Boundary = Boundary.ENDO) -> Contour:
    return window.sketch.contours.by_boundary[boundary]


def rightmost(contour: Contour) -> int:
    """The point that is easiest to pull away from all others."""
    return int(contour.points[:, 1].argmax())


def test_the_contours_of_the_slice_are_shown(qtbot: QtBot, window: Window) -> None:
    expected = contours_of(plane(window))
    assert set(window.sketch.contours.by_boundary) == set(Boundary) - {Boundary.ATRIUM}
    for boundary, contour in expected.items():
        assert np.array_equal(shown(window, boundary).points, contour.points)
    window.view.set_slice(0)
    assert not window.sketch.contours.by_boundary
    window.view.set_slice(2)
    assert not window.sketch.contours.by_boundary
    traced(qtbot, window)
    window.tools.set_tool(Tool.BRUSH)

    assert not window.sketch.contours.by_boundary


def test_a_handle_is_dragged(window: Window) -> None:
    before = voxels(window)
    contour = shown(window)
    number = rightmost(contour)
    start = tuple(contour.points[number])
    end = (start[0] + 1.0, start[1] - 5.0)
    stroke(window, [start, (start[0], start[1] - 2), end])
    pulled = shown(window)

    assert pulled.points[number] == pytest.approx(np.array(end), abs=NEAR)
    others = np.arange(len(contour)) != number
    assert np.array_equal(pulled.points[others], contour.points[others])
    expected = redraw(before[0, 3], Boundary.ENDO, pulled, before=contour)
    assert np.array_equal(plane(window), expected)
    assert (plane(window) == LV).sum() < (before[0, 3] == LV).sum()
    assert_one_step(window, before)


def test_dragging_takes_hold_of_what_is_dragged(window: Window) -> None:
    """The RV's contour is active; pulling at the LV's makes the LV active."""
    window.tools.set_structure(RV)
    contour = shown(window)
    start = tuple(contour.points[rightmost(contour)])
    stroke(window, [start, (start[0], start[1] - 3)])

    assert window.tools.structure is LV
    assert window.sketch.contours.active is Boundary.ENDO


def test_the_line_is_nudged_softly(window: Window) -> None:
    before = voxels(window)
    contour = shown(window, Boundary.EPI)
    window.tools.set_structure(WALL)
    at = (31.5, 56.5)  # on the line, right of the LV
    stroke(window, [at, (31.5, 58.0), (31.5, 60.0)])
    pushed = shown(window, Boundary.EPI)
    far = contour.points[:, 1] < 50

    assert pushed.distance((31.5, 60.0)) < 0.7
    apart = np.array([np.hypot(*(pushed.points - point).T).min() for point in contour.points[far]])
    assert not apart.any()
    expected = redraw(before[0, 3], Boundary.EPI, pushed, before=contour)
    assert np.array_equal(plane(window), expected)
    assert_one_step(window, before)


def test_a_press_without_a_movement_is_no_step(window: Window) -> None:
    contour = shown(window)
    click(window, tuple(contour.points[rightmost(contour)]))

    assert shown(window) is contour
    assert window.document.undo_stack.count() == 0


def test_a_double_click_adds_a_point_and_a_right_click_removes_it(window: Window) -> None:
    contour = shown(window)
    middle = tuple(contour.curve()[4])  # half-way between the first two points
    double_click(window, middle)
    assert len(shown(window)) == len(contour) + 1
    number, apart = shown(window).nearest(middle)
    assert apart < NEAR
    assert number == 1
    click(window, middle, RIGHT)

    assert np.allclose(shown(window).points, contour.points)


@pytest.mark.parametrize("pressed", [Qt.Key.Key_Delete, Qt.Key.Key_Backspace])
def test_the_point_under_the_mouse_is_removed_by_a_key(window: Window, pressed: Qt.Key) -> None:
    before = voxels(window)
    contour = shown(window)
    number = rightmost(contour)
    hover(window, tuple(contour.points[number]))
    assert window.sketch.contours.hot == (Boundary.ENDO, number)
    key(window, pressed)
    left = contour.without_point(number)

    assert np.array_equal(shown(window).points, left.points)
    expected = redraw(before[0, 3], Boundary.ENDO, left, before=contour)
    assert np.array_equal(plane(window), expected)


def test_a_key_far_from_any_point_removes_none(window: Window) -> None:
    contour = shown(window)
    hover(window, (5, 5))
    key(window, Qt.Key.Key_Delete)

    assert shown(window) is contour


def test_escape_puts_a_dragged_point_back(qtbot: QtBot, window: Window) -> None:
    before = voxels(window)
    contour = shown(window)
    place = tuple(contour.points[rightmost(contour)])
    viewport, end = window.views.picture.viewport(), pixel(window, (place[0], place[1] - 4))
    qtbot.mousePress(viewport, LEFT, pos=pixel(window, place))
    drag_to(viewport, end)
    assert shown(window) is not contour
    key(window, Qt.Key.Key_Escape)
    qtbot.mouseRelease(viewport, LEFT, pos=end)

    assert shown(window) is contour
    assert np.array_equal(voxels(window), before)


def test_undo_traces_the_contours_anew(qtbot: QtBot, window: Window) -> None:
    contour = shown(window)
    start = tuple(contour.points[rightmost(contour)])
    stroke(window, [start, (start[0], start[1] - 5)])
    window.actions["undo"].trigger()
    traced(qtbot, window)

    assert np.array_equal(shown(window).points, contour.points)


def test_a_press_does_not_wait_for_the_tracing(window: Window) -> None:
    """On a slice that came on the screen a moment ago."""
    window.view.set_slice(2)
    before = voxels(window)
    contour = contours_of(plane(window))[Boundary.ENDO]
    start = tuple(contour.points[rightmost(contour)])
    stroke(window, [start, (start[0], start[1] - 5)])

    assert_one_step(window, before)
    assert (plane(window) == LV).sum() < (before[0, 2] == LV).sum()


def test_many_slices_passed_quickly_leave_the_contours_of_the_last(
    qtbot: QtBot, window: Window
) -> None:
    for number in (2, 1, 4, 3, 2):
        window.view.set_slice(number)
    traced(qtbot, window)
    expected = contours_of(plane(window))[Boundary.ENDO]

    assert window.sketch.contours.place == (0, 2)
    assert np.array_equal(shown(window).points, expected.points)


def test_a_fresh_contour_is_drawn_by_clicks(window: Window) -> None:
    """Far from any line, on an empty slice: the LV is what it goes round."""
    window.view.set_slice(0)
    before = voxels(window)
    corners = [(20.0, 20.0), (20.0, 36.0), (30.0, 40.0), (38.0, 28.0)]
    for corner in corners:
        click(window, corner)
    line = window.sketch.line
    assert line is not None
    assert line.corners == pytest.approx(np.array(corners), abs=NEAR)
    drawn = Contour(line.corners)
    key(window, Qt.Key.Key_Return)

    assert np.array_equal(plane(window), drawn_anew(before[0, 0], Boundary.ENDO, drawn))
    assert (plane(window) == LV).sum() > 150
    assert_one_step(window, before)


def test_a_fresh_contour_takes_the_place_of_the_old_one(window: Window) -> None:
    window.tools.set_structure(RV)
    window.tools.set_radius(1.0)
    for corner in ((4.0, 40.0), (4.0, 52.0), (10.0, 52.0), (10.0, 40.0)):
        click(window, corner)
    key(window, Qt.Key.Key_Return)
    rv = plane(window) == RV

    assert rv[7, 46]
    assert not rv[12:].any()


def test_a_structure_without_a_contour_is_drawn_also_beside_another_line(window: Window) -> None:
    """The first click lies within the brush's radius of the epicardium, which stays as it is."""
    window.tools.set_tool(Tool.FILL)
    click(window, next(tuple(place) for place in np.argwhere(plane(window) == RV)), RIGHT)
    window.tools.set_tool(Tool.CONTOUR)
    window.tools.set_structure(RV)
    window.tools.set_radius(20.0)
    before = plane(window)
    rows, columns = np.nonzero(np.isin(before, (WALL, LV)))
    side, middle = columns.max() + 3.0, float(rows.mean())
    for corner in ((middle - 5, side), (middle, side + 4), (middle + 5, side)):
        click(window, corner)
    click(window, (middle - 5, side))

    after = plane(window)
    assert not (before == RV).any()
    assert window.tools.structure is RV
    assert (after == RV).sum() > 20
    assert np.array_equal(after == WALL, before == WALL)
    assert np.array_equal(after == LV, before == LV)


def test_where_two_lines_meet_the_active_one_is_pulled(window: Window) -> None:
    """The septum is the border of wall and RV at once."""
    window.tools.set_structure(WALL)
    window.tools.set_radius(6.0)
    before = plane(window)
    start = (31.5, 23.9)
    assert shown(window, Boundary.RV).distance(start) > 0
    assert shown(window, Boundary.RV).distance(start) < shown(window, Boundary.EPI).distance(start)
    stroke(window, [start, (31.5, 26.5)])

    assert window.tools.structure is WALL
    assert (plane(window) == WALL).sum() < (before == WALL).sum()


def test_points_of_a_fresh_contour_are_taken_back(window: Window) -> None:
    window.view.set_slice(0)
    for corner in ((20, 20), (20, 36), (30, 40)):
        click(window, corner)
    key(window, Qt.Key.Key_Backspace)
    line = window.sketch.line
    assert line is not None
    assert len(line.corners) == 2
    key(window, Qt.Key.Key_Escape)

    assert window.sketch.line is None


@pytest.mark.parametrize(
    ("pressed", "modifiers", "target"),
    [
        (Qt.Key.Key_PageDown, CTRL, (0, 4)),
        (Qt.Key.Key_PageUp, CTRL, (0, 2)),
        (Qt.Key.Key_PageDown, CTRL | SHIFT, (1, 3)),
    ],
)
def test_a_contour_is_copied_on(
    window: Window, pressed: Qt.Key, modifiers: Qt.KeyboardModifier, target: tuple[int, int]
) -> None:
    before = voxels(window)
    contour = shown(window)
    start = tuple(contour.points[rightmost(contour)])
    stroke(window, [start, (start[0], start[1] - 5)])
    pulled = shown(window)
    key(window, pressed, modifiers)

    assert (window.view.phase, window.view.slice_index) == target
    expected = drawn_anew(before[target], Boundary.ENDO, pulled)
    assert np.array_equal(plane(window), expected)
    assert window.document.undo_stack.count() == 2
    assert "Copied the contour of the left ventricle" in window.views.message.message


def test_there_is_nothing_to_copy_to_beyond_the_last_slice(window: Window) -> None:
    window.view.set_slice(5)
    key(window, Qt.Key.Key_PageDown, CTRL)

    assert not window.document.modified
    assert "no slice" in window.views.message.message


def test_protected_structures_stay(window: Window) -> None:
    """The LV's contour is pulled out, but no wall may be drawn over."""
    window.tools.set_over(DrawOver.PROTECT)
    before = voxels(window)
    contour = shown(window)
    start = tuple(contour.points[rightmost(contour)])
    stroke(window, [start, (start[0], start[1] + 3)])

    assert np.array_equal(voxels(window), before)


def test_the_contours_are_gone_while_the_heart_beats(qtbot: QtBot, window: Window) -> None:
    window.actions["play"].trigger()
    assert not window.sketch.contours.by_boundary
    window.actions["play"].trigger()
    traced(qtbot, window)
