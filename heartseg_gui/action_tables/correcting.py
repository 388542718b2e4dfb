"""Undo, and what changes labels by hand."""

from heartseg_gui.action_tables.spec import ActionSpec, Needs

_LABELS = Needs.LABELS

ACTIONS: tuple[ActionSpec, ...] = (
    # Edit
    ActionSpec("undo", "&Undo", ("Ctrl+Z",), "Take the last step back", "undo"),
    ActionSpec("redo", "&Redo", ("Ctrl+Shift+Z", "Ctrl+Y"), "Do the step again", "redo"),
    ActionSpec(
        "stop", "&Stop the work under way", ("Shift+Esc",), "Stop the job in the status bar"
    ),
    ActionSpec(
        "clear_slice",
        "&Clear this slice",
        ("Ctrl+Backspace",),
        "Remove all labels of the slice on the screen",
        "",
        _LABELS,
    ),
    # Tools
    ActionSpec(
        "window", "&Window", ("1",), "Drag for brightness and contrast", "window", group="tool"
    ),
    ActionSpec("pan", "&Pan", ("2",), "Drag the picture", "pan", group="tool"),
    ActionSpec(
        "brush",
        "&Brush",
        ("5",),
        "Paint the active structure; the right button erases",
        "brush",
        group="tool",
    ),
    ActionSpec("eraser", "&Eraser", ("6",), "Remove labels", "eraser", group="tool"),
    ActionSpec("swap", "&Swap brush and eraser", ("X",), "Swap brush and eraser"),
    ActionSpec("smaller", "S&maller brush", ("[", "-"), "Smaller brush"),
    ActionSpec("larger", "&Larger brush", ("]", "+"), "Larger brush"),
    ActionSpec("previous_structure", "Pre&vious structure", (",",), "Previous structure"),
    ActionSpec("next_structure", "&Next structure", (".",), "Next structure"),
    ActionSpec("paint_rv", "Paint &right ventricle", ("Alt+1",), "Make the RV active"),
    ActionSpec("paint_myocardium", "Paint m&yocardium", ("Alt+2",), "Make the myocardium active"),
    ActionSpec("paint_lv", "Paint le&ft ventricle", ("Alt+3",), "Make the LV active"),
)

EDIT_MENU = ("&Edit", "undo redo | clear_slice | stop")

TOOLS_MENU = (
    "&Tools",
    "window pan brush eraser | swap smaller larger | previous_structure next_structure"
    " paint_rv paint_myocardium paint_lv",
)
