"""Every tool that draws, with real mouse paths; the document's exact voxels are asserted."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from scipy.ndimage import binary_dilation

from engine.structures import Structure
from heartseg_gui.app import Window
from heartseg_gui.documents.tool_state import BrushTip, DrawOver, Gate, Press, Tool
from heartseg_gui.documents.view_state import CursorPlace
from tests.gui.hands import (
    CTRL,
    RIGHT,
    assert_one_step,
    click,
    double_click,
    hover,
    key,
    plane,
    stroke,
    voxels,
)
from tests.gui.shell import open_study

RV, WALL, LV = Structure.RV, Structure.MYOCARDIUM, Structure.LV


@pytest.fixture
def window(window: Window) -> Window:
    """Cylinders of 2 x 2 x 9 mm voxels; the LV is 25 mm wide about (31.5, 40.5), the RV to its
    left, and there is nothing above row 12."""
    window.tools.set_structure(RV)
    return window


def disc(radius: float) -> NDArray[np.bool_]:
    """Voxels no further than `radius` voxels from the middle one, on a square that just fits."""
    reach = int(radius)
    y, x = np.indices((2 * reach + 1, 2 * reach + 1)) - reach
    return np.hypot(y, x) <= radius


def test_a_dab_of_the_round_brush(window: Window) -> None:
    window.tools.set_tool(Tool.BRUSH)
    window.tools.set_radius(5.0)  # 2.5 voxels
    before = voxels(window)
    expected = plane(window)
    expected[3:8, 8:13][disc(2.5)] = RV
    click(window, (5, 10))

    assert np.array_equal(plane(window), expected)
    assert_one_step(window, before)


def test_a_stroke_of_the_square_brush(window: Window) -> None:
    window.tools.set_tool(Tool.BRUSH)
    window.tools.set_tip(BrushTip.SQUARE)
    window.tools.set_radius(3.0)  # 1.5 voxels
    before, expected = voxels(window), plane(window)
    expected[4:7, 9:32] = RV
    stroke(window, [(5, 10), (5, 22), (5, 30)])

    assert np.array_equal(plane(window), expected)
    assert_one_step(window, before)


def test_a_ball_reaches_into_neighbouring_slices_as_far_as_it_is_round(window: Window) -> None:
    """9 mm away a ball of 10.5 mm is still sqrt(110.25 - 81) = 5.4 mm wide: 2.7 voxels."""
    window.tools.set_tool(Tool.BRUSH)
    window.tools.set_tip(BrushTip.BALL)
    window.tools.set_radius(10.5)  # 5.25 voxels
    before, expected = voxels(window), voxels(window)
    z = window.view.slice_index
    expected[0, z, 1:12, 5:16][disc(5.25)] = RV
    for neighbour in (z - 1, z + 1):
        expected[0, neighbour, 4:9, 8:13][disc(2.7)] = RV
    click(window, (6, 10))

    assert np.array_equal(voxels(window), expected)
    assert_one_step(window, before)


def test_the_eraser_takes_away_whatever_lies_there(window: Window) -> None:
    window.tools.set_tool(Tool.ERASER)
    window.tools.set_radius(4.9)
    before, expected = voxels(window), plane(window)
    expected[29:34, 38:43][disc(2.45)] = Structure.BACKGROUND
    click(window, (31, 40))

    assert np.array_equal(plane(window), expected)
    assert_one_step(window, before)


def test_a_range_of_grey_values_holds_the_brush_back(window: Window) -> None:
    """Blood of the LV is above 200, muscle below 90: the brush keeps to the muscle."""
    window.tools.set_tool(Tool.BRUSH)
    window.tools.set_gate(Gate.RANGE)
    window.tools.set_grey_range(40, 120)
    window.tools.set_radius(40.0)
    before, expected = voxels(window), plane(window)
    expected[plane(window) == WALL] = RV
    click(window, (31.5, 40.5))

    assert np.array_equal(plane(window), expected)
    assert_one_step(window, before)


def test_the_range_is_taken_from_the_active_structure(window: Window) -> None:
    window.tools.set_structure(WALL)
    window.views.tool_panel.grey_range_wanted.emit()
    low, high = window.tools.options.grey_range
    assert window.document.cine is not None
    grey = window.document.cine.voxels[0, window.view.slice_index][plane(window) == WALL]

    assert grey.min() <= low < np.median(grey) < high <= grey.max()
    assert ((grey >= low) & (grey <= high)).mean() > 0.9


def test_an_adaptive_brush_stops_at_the_edge_of_the_blood(window: Window) -> None:
    """Put down in the LV, it paints the LV's blood, and of the dark wall its first voxels alone."""
    window.tools.set_tool(Tool.BRUSH)
    window.tools.set_gate(Gate.ADAPTIVE)
    window.tools.set_radius(14.0)
    before, was = voxels(window), plane(window)
    click(window, (31, 50))  # two voxels from the wall
    gained = (plane(window) == RV) & (was != RV)
    edge = binary_dilation(was == LV) & (was == WALL)

    assert gained.sum() > 60
    assert not (gained & (was != LV) & ~edge).any()
    assert_one_step(window, before)


@pytest.mark.parametrize(
    ("over", "inside", "changed"),
    [
        (DrawOver.ALL, None, {Structure.BACKGROUND, WALL, LV}),
        (DrawOver.PROTECT, None, {Structure.BACKGROUND}),
        (DrawOver.INSIDE, WALL, {WALL}),
    ],
)
def test_what_may_be_drawn_over(
    window: Window, over: DrawOver, inside: Structure | None, changed: set[Structure]
) -> None:
    window.tools.set_tool(Tool.BRUSH)
    window.tools.set_over(over, inside)
    window.tools.set_radius(6.0)
    before, was = voxels(window), plane(window)
    stroke(window, [(20, 40), (5, 40), (31, 40)])
    gained = (plane(window) == RV) & (was != RV)

    assert set(np.unique(was[gained])) == changed
    assert_one_step(window, before)


def test_a_protecting_eraser_erases_the_active_structure_alone(window: Window) -> None:
    window.tools.set_tool(Tool.ERASER)
    window.tools.set_structure(LV)
    window.tools.set_over(DrawOver.PROTECT)
    window.tools.set_radius(50.0)
    expected = plane(window)
    expected[expected == LV] = Structure.BACKGROUND
    click(window, (31, 40))

    assert np.array_equal(plane(window), expected)


def rectangle(expected: NDArray[np.uint8], structure: Structure = RV) -> NDArray[np.uint8]:
    """What the corners of `CORNERS` enclose."""
    expected[4:9, 10:21] = structure
    return expected


CORNERS = [(3.5, 9.5), (3.5, 20.5), (8.5, 20.5), (8.5, 9.5)]
_CLOSINGS = {
    "return": lambda window: key(window, Qt.Key.Key_Return),
    "right button": lambda window: click(window, (6, 12), RIGHT),
    "double click": lambda window: double_click(window, CORNERS[-1]),
    "first point": lambda window: click(window, CORNERS[0]),
    "double click on the first point": lambda window: double_click(window, CORNERS[0]),
}


@pytest.mark.parametrize("closing", _CLOSINGS)
def test_a_polygon_becomes_the_structure(window: Window, closing: str) -> None:
    window.tools.set_tool(Tool.POLYGON)
    before = voxels(window)
    for corner in CORNERS[:3] if closing == "double click" else CORNERS:
        click(window, corner)
    assert window.document.undo_stack.count() == 0
    assert window.sketch.line is not None
    _CLOSINGS[closing](window)

    assert np.array_equal(plane(window), rectangle(before[0, 3].copy()))
    assert window.sketch.line is None
    assert_one_step(window, before)


def test_three_points_are_needed_to_close_a_polygon_on_its_first(window: Window) -> None:
    window.tools.set_tool(Tool.POLYGON)
    for corner in (*CORNERS[:2], CORNERS[0]):
        click(window, corner)

    assert window.sketch.line is not None
    assert len(window.sketch.line.corners) == 3
    assert window.document.undo_stack.count() == 0


def test_points_of_a_polygon_are_taken_back_one_by_one(window: Window) -> None:
    window.tools.set_tool(Tool.POLYGON)
    before = voxels(window)
    for corner in (*CORNERS[:3], (30, 30), (40, 20)):
        click(window, corner)
    for _ in range(2):
        key(window, Qt.Key.Key_Backspace)
    click(window, CORNERS[3])
    key(window, Qt.Key.Key_Return)

    assert np.array_equal(plane(window), rectangle(before[0, 3].copy()))


def test_a_polygon_is_given_up(window: Window) -> None:
    window.tools.set_tool(Tool.POLYGON)
    before = voxels(window)
    for corner in CORNERS:
        click(window, corner)
    key(window, Qt.Key.Key_Escape)

    assert window.sketch.line is None
    assert np.array_equal(voxels(window), before)
    assert window.document.undo_stack.count() == 0


def test_a_polygon_of_two_points_waits_for_more(window: Window) -> None:
    window.tools.set_tool(Tool.POLYGON)
    for corner in CORNERS[:2]:
        click(window, corner)
    key(window, Qt.Key.Key_Return)

    assert window.sketch.line is not None
    assert "three points" in window.views.message.message


def test_a_polygon_begun_with_control_takes_away(window: Window) -> None:
    window.tools.set_tool(Tool.POLYGON)
    before, expected = voxels(window), plane(window)
    expected[30:35, 38:43] = Structure.BACKGROUND
    click(window, (29.5, 37.5), modifiers=CTRL)
    for corner in ((29.5, 42.5), (34.5, 42.5), (34.5, 37.5)):
        click(window, corner)
    key(window, Qt.Key.Key_Return)

    assert np.array_equal(plane(window), expected)
    assert_one_step(window, before)


def test_a_polygon_follows_the_mouse_before_the_next_click(window: Window) -> None:
    window.tools.set_tool(Tool.POLYGON)
    click(window, (5, 10))
    hover(window, (9, 20))
    line = window.sketch.line
    assert line is not None

    assert line.tail == pytest.approx(np.array([[9, 20]]), abs=0.1)


def test_a_polygon_is_not_closed_unseen(window: Window) -> None:
    """The reader looks at another slice meanwhile: Return comes back first."""
    window.tools.set_tool(Tool.POLYGON)
    before = voxels(window)
    for corner in CORNERS:
        click(window, corner)
    window.view.set_slice(5)
    key(window, Qt.Key.Key_Return)
    assert window.view.slice_index == 3
    assert np.array_equal(voxels(window), before)
    key(window, Qt.Key.Key_Return)

    assert np.array_equal(plane(window), rectangle(before[0, 3].copy()))


def test_a_click_on_another_slice_begins_anew(window: Window) -> None:
    window.tools.set_tool(Tool.POLYGON)
    for corner in CORNERS[:2]:
        click(window, corner)
    window.view.set_slice(5)
    click(window, (5, 5))
    line = window.sketch.line
    assert line is not None

    assert line.place == (0, 5)
    assert len(line.corners) == 1


def test_another_tool_forgets_the_polygon(window: Window) -> None:
    window.tools.set_tool(Tool.POLYGON)
    click(window, (5, 10))
    window.tools.set_tool(Tool.BRUSH)

    assert window.sketch.line is None


def test_another_study_forgets_the_polygon(qtbot: QtBot, window: Window) -> None:
    window.tools.set_tool(Tool.POLYGON)
    click(window, (5, 10))
    open_study(qtbot, window, Path("/nowhere/berta"))

    assert window.sketch.line is None
    assert not window.document.modified


def test_a_lasso_becomes_the_structure(window: Window) -> None:
    window.tools.set_tool(Tool.LASSO)
    before = voxels(window)
    stroke(window, [*CORNERS, (6.0, 9.5)])

    assert np.array_equal(plane(window), rectangle(before[0, 3].copy()))
    assert_one_step(window, before)


def test_a_lasso_with_the_right_button_takes_away(window: Window) -> None:
    window.tools.set_tool(Tool.LASSO)
    before, expected = voxels(window), plane(window)
    expected[30:35, 38:43] = Structure.BACKGROUND
    stroke(window, [(29.5, 37.5), (29.5, 42.5), (34.5, 42.5), (34.5, 37.5)], RIGHT)

    assert np.array_equal(plane(window), expected)
    assert_one_step(window, before)


def test_a_fill_takes_the_connected_area(window: Window) -> None:
    window.tools.set_tool(Tool.FILL)
    before, expected = voxels(window), plane(window)
    expected[expected == LV] = RV
    click(window, (31, 40))

    assert np.array_equal(plane(window), expected)
    assert_one_step(window, before)


def test_a_fill_with_the_right_button_clears(window: Window) -> None:
    window.tools.set_tool(Tool.FILL)
    before, expected = voxels(window), plane(window)
    expected[expected == WALL] = Structure.BACKGROUND
    click(window, (31, 55), RIGHT)

    assert np.array_equal(plane(window), expected)
    assert_one_step(window, before)


def draw_speck(window: Window) -> None:
    """An island of 2 x 2 voxels of RV in the corner, which undo does not know."""
    labels = window.document.labels
    assert labels is not None
    wanted = plane(window)
    wanted[3:5, 3:5] = RV
    labels.apply(labels.patch_slice(window.view.phase, window.view.slice_index, wanted))


@pytest.mark.parametrize(("at", "button"), [((31, 14), None), ((3, 3), RIGHT)])
def test_islands_are_kept_or_removed_by_a_click(
    window: Window, at: tuple[int, int], button: Qt.MouseButton | None
) -> None:
    expected = plane(window)
    draw_speck(window)
    before = voxels(window)
    window.tools.set_tool(Tool.ISLAND)
    click(window, at, *([button] if button else []))

    assert np.array_equal(plane(window), expected)
    assert_one_step(window, before)


def test_a_cut_removes_the_smaller_part(window: Window) -> None:
    """A cut down the RV, left of its middle: what lies left of the line goes."""
    window.tools.set_tool(Tool.CUT)
    before, expected = voxels(window), plane(window)
    part = expected[:, :9]
    part[part == RV] = Structure.BACKGROUND
    stroke(window, [(10, 8.5), (30, 8.5), (54, 8.5)])

    assert np.array_equal(plane(window), expected)
    assert_one_step(window, before)


def test_a_cut_finds_its_structure(window: Window) -> None:
    """The RV is active, but the line crosses the LV and its wall, the LV most."""
    window.tools.set_tool(Tool.CUT)
    expected = plane(window)
    part = expected[:, 46:]
    part[part == LV] = Structure.BACKGROUND
    stroke(window, [(18, 45.5), (31, 45.5), (45, 45.5)])

    assert np.array_equal(plane(window), expected)


def test_a_cut_beside_everything_says_so(window: Window) -> None:
    window.tools.set_tool(Tool.CUT)
    stroke(window, [(2, 2), (2, 40)])

    assert not window.document.modified
    assert "crosses no structure" in window.views.message.message


def test_a_magnetic_outline_clings_to_the_edge_of_the_blood(window: Window) -> None:
    """Four careless clicks near the border of the LV: the area is the LV to a voxel or so."""
    window.tools.set_tool(Tool.MAGNETIC)
    before = voxels(window)
    lv = before[0, 3] == LV
    for corner in ((19.5, 40), (32, 53.5), (44, 41), (31, 27.5)):
        click(window, corner)
        hover(window, corner)
    line = window.sketch.line
    assert line is not None
    assert len(line.points) > 30
    key(window, Qt.Key.Key_Return)
    drawn = (plane(window) == RV) & (before[0, 3] != RV)

    assert (drawn & lv).sum() / lv.sum() > 0.9
    assert not (drawn & ~binary_dilation(lv, iterations=2)).any()
    assert_one_step(window, before)


def test_the_magnetic_line_is_shown_to_the_mouse(window: Window) -> None:
    window.tools.set_tool(Tool.MAGNETIC)
    click(window, (19.5, 40))
    hover(window, (31, 53))
    line = window.sketch.line
    assert line is not None
    far = np.hypot(*(line.tail - (31.5, 40.5)).T)

    assert len(line.tail) > 10
    assert line.tail[-1] == pytest.approx((31, 53), abs=0.1)
    assert (abs(far - 12.5) < 2).mean() > 0.8


def test_a_magnetic_outline_of_the_muscle_leaves_the_cavity(window: Window) -> None:
    window.tools.set_tool(Tool.MAGNETIC)
    window.tools.set_structure(WALL)
    before = plane(window)
    for corner in ((15.5, 40.5), (31.5, 56.5), (47.5, 40.5), (31.5, 24.5)):
        click(window, corner)
    key(window, Qt.Key.Key_Return)

    assert np.array_equal(plane(window) == LV, before == LV)


def test_points_of_a_magnetic_outline_are_taken_back_with_their_way(window: Window) -> None:
    window.tools.set_tool(Tool.MAGNETIC)
    for corner in ((19.5, 40), (32, 53.5), (44, 41)):
        click(window, corner)
    key(window, Qt.Key.Key_Backspace)
    line = window.sketch.line
    assert line is not None

    assert len(line.corners) == 2
    assert line.points[-1] == pytest.approx((32, 53.5), abs=0.1)


@pytest.mark.parametrize("tool", [Tool.ISLAND, Tool.FILL, Tool.BRUSH, Tool.PROMPT])
def test_a_click_on_the_very_rim_of_the_slice_is_one_on_its_outermost_voxel(
    window: Window, tool: Tool
) -> None:
    window.tools.set_tool(tool)
    before = plane(window)
    height, width = before.shape
    for y, x in ((-0.5, -0.5), (height - 0.5, width - 0.5)):
        window.controllers.correction.press(CursorPlace(0, 3, y, x), Press())
        window.controllers.correction.release()

    changed = plane(window) != before
    assert not changed[10:-10, 10:-10].any()
