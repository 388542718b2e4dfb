"""Undo, tools, and what changes labels by hand."""

from heartseg_gui.action_tables.spec import ActionSpec, Needs

_LABELS = Needs.LABELS
_PHASES = Needs.LABELS | Needs.PHASES


def _tool(name: str, text: str, key: str, tip: str, icon: str) -> ActionSpec:
    """A tool that stays in hand until another one is taken."""
    return ActionSpec(name, text, (key,), tip, icon, group="tool")


def _edit(
    name: str,
    text: str,
    tip: str,
    *keys: str,
    needs: Needs = _LABELS,
    icon: str = "",
    in_picture: bool = False,
) -> ActionSpec:
    """An operation on labels."""
    return ActionSpec(name, text, keys, tip, icon, needs, in_picture=in_picture)


_SLICE: tuple[ActionSpec, ...] = (
    _edit("fill_holes", "Fill &holes", "Fill the holes of the active structure", "Shift+F"),
    _edit(
        "keep_largest",
        "Keep the lar&gest piece",
        "Remove all pieces of the active structure but the largest",
        "Shift+K",
    ),
    _edit("smooth_edge", "Sm&ooth", "Smooth the border of the active structure", "O"),
    _edit("expand", "&Expand", "Grow the active structure by a voxel", "Ctrl+]"),
    _edit("contract", "Cont&ract", "Shrink the active structure by a voxel", "Ctrl+["),
    _edit("shift_left", "Shift &left", "Shift the labels left", "Ctrl+Shift+Left", in_picture=True),
    _edit(
        "shift_right", "Shift r&ight", "Shift the labels right", "Ctrl+Shift+Right", in_picture=True
    ),
    _edit("shift_up", "Shift &up", "Shift the labels up", "Ctrl+Shift+Up", in_picture=True),
    _edit("shift_down", "Shift &down", "Shift the labels down", "Ctrl+Shift+Down", in_picture=True),
    _edit("exchange_rv_lv", "E&xchange RV and LV", "Exchange the labels of RV and LV"),
    _edit(
        "exchange_myocardium_lv",
        "Exchange &myocardium and LV",
        "Exchange the labels of myocardium and LV",
    ),
    _edit(
        "exchange_rv_myocardium",
        "Exchange RV &and myocardium",
        "Exchange the labels of RV and myocardium",
    ),
    _edit(
        "interpolate",
        "I&nterpolate this slice",
        "Draw this slice from the labelled slices above and below",
        "Ctrl+I",
    ),
    _edit(
        "contour_to_next_slice",
        "Copy contour to the next &slice",
        "Copy the active contour to the slice after and go there",
        "Ctrl+PgDown",
    ),
    _edit(
        "contour_to_previous_slice",
        "Copy contour to the pre&vious slice",
        "Copy the active contour to the slice before and go there",
        "Ctrl+PgUp",
    ),
    _edit(
        "contour_to_next_phase",
        "Copy contour to the next &phase",
        "Copy the active contour to the phase after and go there",
        "Ctrl+Shift+PgDown",
        needs=_PHASES,
    ),
    _edit(
        "clear_slice",
        "&Clear this slice",
        "Remove all labels of the slice on the screen",
        "Ctrl+Backspace",
    ),
)

_WHOLE_PHASE: tuple[ActionSpec, ...] = (
    _edit("phase_fill_holes", "Fill &holes", "Fill holes in every slice of the phase"),
    _edit(
        "phase_keep_largest",
        "Keep the lar&gest pieces",
        "Remove all pieces of the active structure but the largest, in every slice of the phase",
    ),
    _edit("phase_smooth_edge", "Sm&ooth", "Smooth the active structure in every slice"),
    _edit("phase_expand", "&Expand", "Grow the active structure in every slice"),
    _edit("phase_contract", "Cont&ract", "Shrink the active structure in every slice"),
    _edit("phase_shift_left", "Shift &left", "Shift the labels of the phase left"),
    _edit("phase_shift_right", "Shift r&ight", "Shift the labels of the phase right"),
    _edit("phase_shift_up", "Shift &up", "Shift the labels of the phase up"),
    _edit("phase_shift_down", "Shift &down", "Shift the labels of the phase down"),
    _edit("phase_exchange_rv_lv", "E&xchange RV and LV", "Exchange RV and LV in every slice"),
    _edit(
        "phase_exchange_myocardium_lv",
        "Exchange &myocardium and LV",
        "Exchange myocardium and LV in every slice",
    ),
    _edit(
        "phase_exchange_rv_myocardium",
        "Exchange RV &and myocardium",
        "Exchange RV and myocardium in every slice",
    ),
    _edit(
        "phase_interpolate",
        "I&nterpolate all gaps",
        "Draw every empty slice between labelled ones",
        "Ctrl+Shift+I",
    ),
    _edit("copy_phase", "Co&py the phase", "Remember the labels of every slice", "Ctrl+Shift+C"),
    _edit(
        "paste_phase",
        "Paste the phase",
        "Give the remembered labels to every slice of this phase",
        "Ctrl+Shift+V",
    ),
    _edit("clear_phase", "&Clear this phase", "Remove all labels of the phase on the screen"),
)

ACTIONS: tuple[ActionSpec, ...] = (
    # Edit
    ActionSpec("undo", "&Undo", ("Ctrl+Z",), "Take the last step back", "undo"),
    ActionSpec("redo", "&Redo", ("Ctrl+Shift+Z", "Ctrl+Y"), "Do the step again", "redo"),
    ActionSpec(
        "stop", "S&top the work under way", ("Shift+Esc",), "Stop the job in the status bar"
    ),
    _edit(
        "copy",
        "&Copy the slice",
        "Remember the labels of this slice",
        "Ctrl+C",
        icon="copy",
        in_picture=True,
    ),
    _edit(
        "paste",
        "P&aste into the slice",
        "Give the remembered labels to this slice",
        "Ctrl+V",
        icon="paste",
        in_picture=True,
    ),
    *_SLICE,
    *_WHOLE_PHASE,
    # Carrying on
    _edit(
        "propagate_phase",
        "Carry to the &next phase",
        "Propose this slice, moved with the image, for the phase after",
        "Ctrl+F",
        needs=_PHASES,
        icon="propagate",
    ),
    _edit(
        "propagate_all_phases",
        "Carry to all &later phases",
        "Propose this slice, moved with the image, for every later phase",
        "Ctrl+Shift+F",
        needs=_PHASES,
    ),
    _edit(
        "propagate_up",
        "Carry to the slice ab&ove",
        "Propose these labels, moved with the image, for the slice before",
        "Ctrl+U",
    ),
    _edit(
        "propagate_down",
        "Carry to the slice &below",
        "Propose these labels, moved with the image, for the slice after",
        "Ctrl+D",
    ),
    _edit(
        "accept_all", "A&ccept all proposals", "Take every slice that is proposed", "Ctrl+Return"
    ),
    _edit("reject_all", "Re&ject all proposals", "Drop every slice that is proposed"),
    # Tools
    _tool("window", "&Window", "1", "Drag for brightness and contrast", "window"),
    _tool("pan", "&Pan", "2", "Drag the picture", "pan"),
    _tool("contour", "&Contour", "3", "Drag, add and remove points of contours", "spline"),
    _tool("fill", "F&ill", "4", "Give a connected area the active structure", "fill"),
    _tool("brush", "&Brush", "5", "Paint the active structure", "brush"),
    _tool("eraser", "&Eraser", "6", "Remove labels", "eraser"),
    _tool("polygon", "P&olygon", "7", "Click the corners of an area", "polygon"),
    _tool("lasso", "L&asso", "8", "Draw round an area", "lasso"),
    _tool("magnetic", "Ma&gnetic outline", "9", "An outline that clings to edges", "magnetic"),
    _tool("cut", "C&ut", "0", "Cut a structure in two; the smaller part goes", "cut"),
    _tool("island", "&Keep or remove a piece", "K", "Click a piece to keep it alone", "island"),
    _tool("prompt", "Inside and ou&tside", "T", "Click what is inside, and what is not", "prompt"),
    ActionSpec("swap", "&Swap brush and eraser", ("X",), "Swap brush and eraser"),
    ActionSpec("smaller", "S&maller brush", ("[", "-"), "Smaller brush"),
    ActionSpec("larger", "&Larger brush", ("]", "+"), "Larger brush"),
    ActionSpec("previous_structure", "Pre&vious structure", (",",), "Previous structure"),
    ActionSpec("next_structure", "&Next structure", (".",), "Next structure"),
    ActionSpec("paint_rv", "Paint &right ventricle", ("Alt+1",), "Make the RV active"),
    ActionSpec("paint_myocardium", "Paint m&yocardium", ("Alt+2",), "Make the myocardium active"),
    ActionSpec("paint_lv", "Paint le&ft ventricle", ("Alt+3",), "Make the LV active"),
    ActionSpec("paint_left_atrium", "Paint t&he left atrium", ("Alt+4",), "Make the LA active"),
)

EDIT_MENU = ("&Edit", "undo redo | copy paste | stop |")

SLICE_MENU = (
    "&Edit > &Slice",
    "fill_holes keep_largest smooth_edge expand contract"
    " | shift_left shift_right shift_up shift_down"
    " | exchange_rv_lv exchange_myocardium_lv exchange_rv_myocardium"
    " | interpolate contour_to_next_slice contour_to_previous_slice contour_to_next_phase"
    " | clear_slice",
)

PHASE_MENU = (
    "&Edit > &Phase",
    "phase_fill_holes phase_keep_largest phase_smooth_edge phase_expand phase_contract"
    " | phase_shift_left phase_shift_right phase_shift_up phase_shift_down"
    " | phase_exchange_rv_lv phase_exchange_myocardium_lv phase_exchange_rv_myocardium"
    " | phase_interpolate copy_phase paste_phase | clear_phase",
)

TOOLS_MENU = (
    "&Tools",
    "window pan | brush eraser contour magnetic polygon lasso fill cut island prompt"
    " | swap smaller larger | previous_structure next_structure"
    " paint_rv paint_myocardium paint_lv paint_left_atrium",
)
