"""The menus *Slice* and *Phase*: exact voxels, one step each, and a sentence that says what."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from engine.correction import slices
from engine.structures import Structure
from heartseg_gui.app import Window
from tests.gui.hands import CTRL, SHIFT, assert_one_step, key, plane, voxels

RV, WALL, LV = Structure.RV, Structure.MYOCARDIUM, Structure.LV
PIXEL = (2.0, 2.0)
Plane = NDArray[np.uint8]


@pytest.fixture
def window(window: Window) -> Window:
    """The LV is active; slices 1 to 4 (from 0) are labelled, slice 3 is on the screen."""
    window.tools.set_structure(LV)
    return window


def put(window: Window, change: Callable[[Plane], None], *, everywhere: bool = False) -> None:
    """Change labels behind undo's back: on the slice on the screen, or in its whole phase."""
    labels = window.document.labels
    assert labels is not None
    changed = labels.voxels[window.view.phase].copy()
    for number, each in enumerate(changed):
        if everywhere or number == window.view.slice_index:
            change(each)
    labels.apply(labels.patch_phase(window.view.phase, changed))


def hole(plane: Plane) -> None:
    if plane.any():
        plane[30:33, 39:42] = Structure.BACKGROUND


def speck(plane: Plane) -> None:
    plane[3:5, 3:5] = LV


def spike(plane: Plane) -> None:
    if plane.any():
        plane[31:33, 52:58] = LV


OPERATIONS: dict[str, tuple[Callable[[Plane], None], Callable[[Plane], Plane]]] = {
    "fill_holes": (hole, lambda p: slices.fill_holes(p, LV)),
    "smooth_edge": (spike, lambda p: slices.smooth(p, LV, radius_mm=5.0, spacing_mm=PIXEL)),
    "expand": (speck, lambda p: slices.expand(p, LV, by_mm=2.0, spacing_mm=PIXEL)),
    "contract": (speck, lambda p: slices.contract(p, LV, by_mm=2.0, spacing_mm=PIXEL)),
    "shift_left": (speck, lambda p: slices.shift(p, 0, 1)),
    "shift_right": (speck, lambda p: slices.shift(p, 0, -1)),
    "shift_up": (speck, lambda p: slices.shift(p, 1, 0)),
    "shift_down": (speck, lambda p: slices.shift(p, -1, 0)),
    "exchange_rv_lv": (speck, lambda p: slices.exchange(p, RV, LV)),
    "exchange_myocardium_lv": (speck, lambda p: slices.exchange(p, WALL, LV)),
    "exchange_rv_myocardium": (speck, lambda p: slices.exchange(p, RV, WALL)),
}
"""What is wrong with the slice, and what the engine makes of it.

The file's rows and columns run against those of the screen: to the left is towards higher x.
"""


@pytest.mark.parametrize("whole", [False, True], ids=["slice", "phase"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation(window: Window, name: str, whole: bool) -> None:
    fault, cure = OPERATIONS[name]
    put(window, fault, everywhere=True)
    before, expected = voxels(window), voxels(window)
    cured = range(6) if whole else (window.view.slice_index,)
    for number in cured:
        expected[0, number] = cure(before[0, number])
    window.actions[f"phase_{name}" if whole else name].trigger()

    assert np.array_equal(voxels(window), expected)
    assert not np.array_equal(expected, before)
    assert_one_step(window, before)
    told = window.views.message.message
    assert ("slices of phase 1" if whole else "slice 4, phase 1") in told
    assert " ml " in told


def test_to_the_left_is_to_the_left_of_the_reader(window: Window) -> None:
    def left_edge() -> int:
        image = window.views.picture.viewport().grab().toImage()
        colours = [image.pixelColor(x, image.height() // 2) for x in range(5, image.width())]
        return next(x for x, colour in enumerate(colours) if colour.saturation() > 60)

    before = left_edge()
    for _ in range(3):
        window.actions["shift_left"].trigger()

    assert left_edge() < before - 10


def test_only_the_largest_piece_stays(window: Window) -> None:
    expected = plane(window)
    put(window, speck)
    before = voxels(window)
    window.actions["keep_largest"].trigger()

    assert np.array_equal(plane(window), expected)
    assert_one_step(window, before)


def test_pieces_of_a_phase_hang_together_across_slices(window: Window) -> None:
    """A speck in every slice is a long thin piece, but not the largest."""
    expected = voxels(window)
    put(window, speck, everywhere=True)
    before = voxels(window)
    window.actions["phase_keep_largest"].trigger()

    assert np.array_equal(voxels(window), expected)
    assert_one_step(window, before)


@pytest.mark.parametrize("name", ["fill_holes", "keep_largest"])
def test_what_changes_nothing_says_so(window: Window, name: str) -> None:
    window.actions[name].trigger()

    assert not window.document.modified
    assert "nothing changes" in window.views.message.message


def test_a_slice_is_copied_to_another_phase(window: Window) -> None:
    before = voxels(window)
    key(window, Qt.Key.Key_C, CTRL)
    window.view.set_phase(2)
    window.view.set_slice(0)
    key(window, Qt.Key.Key_V, CTRL)
    expected = before.copy()
    expected[2, 0] = before[0, 3]

    assert np.array_equal(voxels(window), expected)
    assert_one_step(window, before)
    assert "slice 1, phase 3" in window.views.message.message


def test_a_phase_is_copied_to_another(window: Window) -> None:
    before = voxels(window)
    key(window, Qt.Key.Key_C, CTRL | SHIFT)
    window.view.set_phase(2)
    key(window, Qt.Key.Key_V, CTRL | SHIFT)
    expected = before.copy()
    expected[2] = before[0]

    assert np.array_equal(voxels(window), expected)
    assert_one_step(window, before)


@pytest.mark.parametrize("name", ["paste", "paste_phase"])
def test_there_is_nothing_to_paste_at_first(window: Window, name: str) -> None:
    window.actions[name].trigger()

    assert not window.document.modified
    assert "first" in window.views.message.message


def test_a_slice_is_drawn_from_its_neighbours(qtbot: QtBot, window: Window) -> None:
    """Between two equal slices lies the same again, whatever was there."""
    before_all = voxels(window)
    put(window, speck)
    put(window, hole)
    before = voxels(window)
    window.actions["interpolate"].trigger()
    qtbot.waitUntil(lambda: window.document.modified, timeout=30_000)

    assert np.array_equal(voxels(window), before_all)
    assert_one_step(window, before)
    assert "Interpolate" in window.views.message.message


def test_every_gap_of_a_phase_is_filled(qtbot: QtBot, window: Window) -> None:
    whole = voxels(window)
    labels = window.document.labels
    assert labels is not None
    gappy = whole[0].copy()
    gappy[2:4] = 0
    labels.apply(labels.patch_phase(0, gappy))
    before = voxels(window)
    key(window, Qt.Key.Key_I, CTRL | SHIFT)
    qtbot.waitUntil(lambda: window.document.modified, timeout=30_000)

    assert np.array_equal(voxels(window), whole)
    assert_one_step(window, before)
    assert "2 slices" in window.views.message.message


def test_what_is_drawn_meanwhile_stays(qtbot: QtBot, window: Window) -> None:
    """Interpolation is worked out beside the window, which goes on."""
    window.actions["clear_slice"].trigger()
    window.actions["interpolate"].trigger()
    put(window, speck)
    qtbot.waitUntil(lambda: window.document.undo_stack.count() == 2, timeout=30_000)

    assert (plane(window)[3:5, 3:5] == LV).all()
    assert (plane(window) == WALL).any()


def test_an_outermost_slice_has_no_neighbours_on_both_sides(window: Window) -> None:
    window.view.set_slice(0)
    window.actions["interpolate"].trigger()

    assert not window.jobs.jobs
    assert "above and one below" in window.views.message.message


def test_a_phase_is_cleared(window: Window) -> None:
    before = voxels(window)
    window.actions["clear_phase"].trigger()
    expected = before.copy()
    expected[0] = 0

    assert np.array_equal(voxels(window), expected)
    assert_one_step(window, before)


@pytest.mark.parametrize(
    ("pressed", "modifiers", "way"),
    [
        (Qt.Key.Key_Left, CTRL | SHIFT, (0, 1)),
        (Qt.Key.Key_Up, CTRL | SHIFT, (1, 0)),
    ],
)
def test_arrow_keys_shift(
    window: Window, pressed: Qt.Key, modifiers: Qt.KeyboardModifier, way: tuple[int, int]
) -> None:
    before = plane(window)
    key(window, pressed, modifiers)

    assert np.array_equal(plane(window), slices.shift(before, *way))


def test_menus_hold_the_operations(window: Window) -> None:
    edit = next(a for a in window.main.menuBar().actions() if a.text() == "&Edit").menu()
    inner = {action.text(): action.menu() for action in edit.actions() if action.menu()}

    assert set(inner) == {"&Slice", "&Phase"}
    assert window.actions["smooth_edge"] in inner["&Slice"].actions()
    assert window.actions["phase_smooth_edge"] in inner["&Phase"].actions()
