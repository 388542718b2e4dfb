"""Tools, gestures and undo."""

from collections.abc import Callable
from functools import partial

from engine.structures import Structure
from heartseg_gui.documents.tool_state import Tool
from heartseg_gui.program import Window

_LV, _RV, _WALL = Structure.LV, Structure.RV, Structure.MYOCARDIUM


def introduce(window: Window) -> None:
    """From a gesture in the picture to a step of undo."""
    _introduce_tools(window)
    _introduce_operations(window)
    _introduce_propagation(window)
    correction, picture = window.controllers.correction, window.views.picture
    picture.pressed.connect(correction.press)
    picture.dragged.connect(correction.drag)
    picture.released.connect(correction.release)
    picture.cursor_moved.connect(correction.hover)
    picture.finished.connect(correction.finish)
    picture.stepped_back.connect(correction.step_back)
    picture.given_up.connect(correction.give_up)
    window.views.tool_panel.grey_range_wanted.connect(correction.take_grey_range)
    history = window.controllers.history  # hears of the two when the undo stack has acted
    window.actions["undo"].triggered.connect(history.show_undone)
    window.actions["redo"].triggered.connect(history.show_redone)
    history.shown.connect(window.main.show_picture)


def _introduce_tools(window: Window) -> None:
    viewing, actions = window.controllers.viewing, window.actions
    for tool in Tool:
        _answer(window, tool.value, partial(_take, window, tool))
    for name, answer in (
        ("swap", viewing.swap_brush_and_eraser),
        ("smaller", window.tools.shrink),
        ("larger", window.tools.grow),
        ("previous_structure", viewing.previous_structure),
        ("next_structure", viewing.next_structure),
        ("paint_rv", viewing.paint_rv),
        ("paint_myocardium", viewing.paint_myocardium),
        ("paint_lv", viewing.paint_lv),
        ("paint_left_atrium", viewing.paint_left_atrium),
    ):
        actions[name].triggered.connect(answer)


def _take(window: Window, tool: Tool) -> None:
    window.tools.set_tool(tool)
    window.actions.press_one_of("tool", tool.value)  # pressed again, it would not stay pressed


def _introduce_operations(window: Window) -> None:
    editing, correction = window.controllers.slice_editing, window.controllers.correction
    copying = window.controllers.slice_copying
    operations: dict[str, Callable[..., None]] = {
        "fill_holes": editing.fill_holes,
        "keep_largest": editing.keep_largest,
        "smooth_edge": editing.smooth_edge,
        "expand": editing.expand,
        "contract": editing.contract,
        "shift_left": partial(editing.shift, 0, -1),
        "shift_right": partial(editing.shift, 0, 1),
        "shift_up": partial(editing.shift, -1, 0),
        "shift_down": partial(editing.shift, 1, 0),
        "exchange_rv_lv": partial(editing.exchange, _RV, _LV),
        "exchange_myocardium_lv": partial(editing.exchange, _WALL, _LV),
        "exchange_rv_myocardium": partial(editing.exchange, _RV, _WALL),
    }
    for name, answer in operations.items():
        _answer(window, name, answer)
        _answer(window, f"phase_{name}", partial(answer, whole=True))
    for name, once in (
        ("clear_slice", editing.clear),
        ("clear_phase", partial(editing.clear, whole=True)),
        ("interpolate", copying.interpolate_slice),
        ("phase_interpolate", copying.interpolate_gaps),
        ("copy", copying.copy),
        ("paste", copying.paste),
        ("copy_phase", copying.copy_phase),
        ("paste_phase", copying.paste_phase),
        ("contour_to_next_slice", partial(correction.copy_contour, 0, 1)),
        ("contour_to_previous_slice", partial(correction.copy_contour, 0, -1)),
        ("contour_to_next_phase", partial(correction.copy_contour, 1, 0)),
    ):
        _answer(window, name, once)


def _introduce_propagation(window: Window) -> None:
    propagation, correction = window.controllers.propagation, window.controllers.correction
    for name, answer in (
        ("propagate_phase", propagation.to_next_phase),
        ("propagate_all_phases", propagation.to_later_phases),
        ("propagate_up", propagation.to_slice_above),
        ("propagate_down", propagation.to_slice_below),
        ("accept_all", propagation.accept_all),
        ("reject_all", propagation.reject_all),
    ):
        _answer(window, name, answer)
    correction.accepted.connect(propagation.accept)
    correction.rejected.connect(propagation.reject)
    propagation.shown.connect(window.main.show_picture)


def _answer(window: Window, name: str, answer: Callable[[], None]) -> None:
    """Let an action be answered without being told whether it is pressed."""
    window.actions[name].triggered.connect(lambda _checked=False: answer())
