"""Tools, strokes and undo."""

from heartseg_gui.program import Window


def introduce(window: Window) -> None:
    """From a gesture in the picture to a step of undo."""
    _introduce_tools(window)
    correction, picture = window.controllers.correction, window.views.picture
    picture.stroke_began.connect(correction.begin_stroke)
    picture.stroke_moved.connect(correction.move_stroke)
    picture.stroke_ended.connect(correction.end_stroke)
    window.actions["clear_slice"].triggered.connect(correction.clear_slice)
    history = window.controllers.history  # hears of the two when the undo stack has acted
    window.actions["undo"].triggered.connect(history.show_undone)
    window.actions["redo"].triggered.connect(history.show_redone)
    history.shown.connect(window.main.show_picture)


def _introduce_tools(window: Window) -> None:
    viewing, actions = window.controllers.viewing, window.actions
    for name, answer in (
        ("window", viewing.take_window),
        ("pan", viewing.take_pan),
        ("brush", viewing.take_brush),
        ("eraser", viewing.take_eraser),
        ("swap", viewing.swap_brush_and_eraser),
        ("smaller", window.tools.shrink),
        ("larger", window.tools.grow),
        ("previous_structure", viewing.previous_structure),
        ("next_structure", viewing.next_structure),
        ("paint_rv", viewing.paint_rv),
        ("paint_myocardium", viewing.paint_myocardium),
        ("paint_lv", viewing.paint_lv),
    ):
        actions[name].triggered.connect(answer)
