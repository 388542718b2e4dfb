"""Every action of the window in one table, with its keys.

The keys follow what readers of comparable programs know by heart: Segment's for the heartbeat
(left and right, D and S), ITK-SNAP's for tools and labels.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Flag, auto

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QIcon, QKeySequence, QUndoStack


class Needs(Flag):
    """What must be there for an action to make sense."""

    NOTHING = 0
    STUDY = auto()  # a stack or view is on the screen
    LABELS = auto()  # it can be labelled
    PHASES = auto()  # it has more than one phase
    REFERENCE = auto()  # reference labels came with it
    FREE = auto()  # no prediction is under way


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One line of the table.

    Attributes:
        name: How the program calls it.
        text: What the menu says.
        keys: Shortcuts, the one that is shown first.
        tip: What it does, in a sentence without a full stop.
        icon: File in `resources/icons` without `.svg`, or empty.
        needs: When it is enabled.
        group: Actions of one group exclude each other and stay pressed.
        checkable: Whether it stays pressed.
        in_picture: Its keys work only while the picture has the focus, so that the arrow keys
            still walk through lists.
    """

    name: str
    text: str
    keys: tuple[str, ...] = ()
    tip: str = ""
    icon: str = ""
    needs: Needs = Needs.NOTHING
    group: str = ""
    checkable: bool = False
    in_picture: bool = False


_STUDY, _LABELS, _PHASES = Needs.STUDY, Needs.LABELS, Needs.STUDY | Needs.PHASES
_PREDICT = Needs.LABELS | Needs.FREE

ACTIONS: tuple[ActionSpec, ...] = (
    # File
    ActionSpec("open", "&Open folder…", ("Ctrl+O",), "Open a patient folder", "open"),
    ActionSpec("open_file", "Open &file…", ("Ctrl+Alt+O",), "Open a single image file"),
    ActionSpec(
        "open_labels",
        "Open &labels…",
        ("Ctrl+Shift+O",),
        "Take the labels from a file on the same grid",
        "labels",
        _LABELS,
    ),
    ActionSpec("save", "&Save labels", ("Ctrl+S",), "Save the labels", "save", _LABELS),
    ActionSpec(
        "save_as", "Save labels &as…", ("Ctrl+Shift+S",), "Save the labels elsewhere", "", _LABELS
    ),
    ActionSpec("settings", "Se&ttings…", ("Ctrl+,",), "Theme, colours, device, reader", "settings"),
    ActionSpec("quit", "&Quit", ("Ctrl+Q",), "Close the program"),
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
    # Go
    ActionSpec(
        "slice_up",
        "Pre&vious slice",
        ("Up", "PgUp"),
        "Previous slice",
        "",
        _STUDY,
        in_picture=True,
    ),
    ActionSpec(
        "slice_down",
        "Ne&xt slice",
        ("Down", "PgDown"),
        "Next slice",
        "",
        _STUDY,
        in_picture=True,
    ),
    ActionSpec(
        "phase_back", "P&revious phase", ("Left",), "Phase before", "", _PHASES, in_picture=True
    ),
    ActionSpec("phase_on", "&Next phase", ("Right",), "Phase after", "", _PHASES, in_picture=True),
    ActionSpec("play", "&Play", ("P",), "Play the heartbeat", "play", _PHASES, checkable=True),
    ActionSpec("slower", "Play s&lower", ("Alt+Left",), "Fewer pictures a second", "", _PHASES),
    ActionSpec("faster", "Play &faster", ("Alt+Right",), "More pictures a second", "", _PHASES),
    ActionSpec("go_ed", "Go to end-&diastole", ("D",), "Show end-diastole", "", _PHASES),
    ActionSpec("go_es", "Go to end-&systole", ("S",), "Show end-systole", "", _PHASES),
    ActionSpec("show_images", "&Images", ("Ctrl+1",), "Go to the images"),
    ActionSpec("show_report", "Rep&ort page", ("Ctrl+2",), "Go to the report made last"),
    # View
    ActionSpec("zoom_in", "Zoom &in", ("Ctrl++", "Ctrl+="), "Enlarge the picture", "", _STUDY),
    ActionSpec("zoom_out", "Zoom &out", ("Ctrl+-",), "Reduce the picture", "", _STUDY),
    ActionSpec("fit", "&Fit to window", ("F",), "Show the whole slice", "fit", _STUDY),
    ActionSpec(
        "auto_window",
        "A&utomatic window",
        ("Ctrl+J",),
        "Brightness and contrast from the image",
        "auto_window",
        _STUDY,
    ),
    ActionSpec(
        "brighter", "&Brighter", ("Ctrl+Up",), "Brighter (lower level)", "", _STUDY, in_picture=True
    ),
    ActionSpec(
        "darker", "&Darker", ("Ctrl+Down",), "Darker (higher level)", "", _STUDY, in_picture=True
    ),
    ActionSpec(
        "more_contrast",
        "More con&trast",
        ("Ctrl+Left",),
        "More contrast (narrower window)",
        "",
        _STUDY,
        in_picture=True,
    ),
    ActionSpec(
        "less_contrast",
        "&Less contrast",
        ("Ctrl+Right",),
        "Less contrast (wider window)",
        "",
        _STUDY,
        in_picture=True,
    ),
    ActionSpec(
        "smooth", "&Smooth picture", ("I",), "Smooth between voxels, or show them", checkable=True
    ),
    ActionSpec(
        "montage",
        "&Montage",
        ("M",),
        "All slices of the phase side by side",
        "montage",
        _STUDY,
        checkable=True,
    ),
    ActionSpec(
        "overlay", "&Hide labels", ("H",), "Hide or show the labels", "eye_off", checkable=True
    ),
    ActionSpec(
        "contours", "&Contours", ("C",), "Contours instead of areas", "contour", checkable=True
    ),
    ActionSpec("more_opaque", "Labels more opa&que", ("A",), "Labels more opaque"),
    ActionSpec("less_opaque", "Labels less o&paque", ("Shift+A",), "Labels more transparent"),
    ActionSpec(
        "reference",
        "&Reference contours",
        ("R",),
        "Draw the reference over the labels",
        "reference",
        Needs.REFERENCE,
        checkable=True,
    ),
    ActionSpec(
        "show_3d",
        "&3-D view",
        ("Ctrl+3",),
        "Show the heart in 3-D beside the picture",
        "cube",
        checkable=True,
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
    # Model
    ActionSpec(
        "predict",
        "&Predict ED and ES",
        ("Ctrl+L",),
        "Segment end-diastole and end-systole",
        "predict",
        _PREDICT,
    ),
    ActionSpec(
        "predict_all",
        "Predict &all phases",
        ("Ctrl+Shift+L",),
        "Segment every phase",
        "",
        _PREDICT,
    ),
    ActionSpec("models", "&Models and cards…", (), "Licence, data, scores and limits of each"),
    # Report
    ActionSpec("set_ed", "Set end-&diastole here", ("Alt+D",), "ED is this phase", "", _LABELS),
    ActionSpec("set_es", "Set end-&systole here", ("Alt+S",), "ES is this phase", "", _LABELS),
    ActionSpec(
        "find_key_phases",
        "&Find ED and ES again",
        (),
        "Forget the phases set by hand",
        "",
        _LABELS,
    ),
    ActionSpec("report", "&Report", ("Ctrl+R",), "Measure and show the report", "report", _LABELS),
    ActionSpec(
        "export", "&Export report…", ("Ctrl+E",), "Write PDF, CSV and JSON", "export", _LABELS
    ),
    ActionSpec(
        "export_labels",
        "Export labels as &NIfTI…",
        ("Ctrl+Shift+E",),
        "Write the labels for other programs",
        "",
        _LABELS,
    ),
    ActionSpec("study_check", "Study &check", ("Ctrl+G",), "What was found in the folder", "grid"),
    # Help
    ActionSpec("shortcuts", "&Keys", ("?", "F1"), "All keys and mouse moves", "keyboard"),
    ActionSpec("self_test", "&Self-test…", (), "Which way to compute is quickest on this machine"),
    ActionSpec("open_log", "Open the &log folder", (), "Where the program writes its log"),
    ActionSpec("about", "&About HeartSeg", (), "Version and licence", "info"),
)

_BY_NAME = {spec.name: spec for spec in ACTIONS}

MENUS: tuple[tuple[str, str], ...] = (
    ("&File", "open open_file recent | open_labels save save_as export_labels | settings | quit"),
    ("&Edit", "undo redo | clear_slice | stop"),
    (
        "&Go",
        "slice_up slice_down phase_back phase_on | play slower faster | go_ed go_es"
        " | show_images show_report study_check",
    ),
    (
        "&View",
        "zoom_in zoom_out fit montage | auto_window brighter darker more_contrast less_contrast"
        " smooth | overlay contours more_opaque less_opaque reference | show_3d panels",
    ),
    (
        "&Tools",
        "window pan brush eraser | swap smaller larger | previous_structure next_structure"
        " paint_rv paint_myocardium paint_lv",
    ),
    ("&Model", "predict predict_all | models"),
    ("&Report", "report export | set_ed set_es find_key_phases"),
    ("&Help", "shortcuts self_test open_log | about"),
)
"""Menu titles and their actions; `|` is a line, `recent` and `panels` are made by the window."""

TOOLBAR = (
    "open save | undo redo | window pan brush eraser | fit auto_window | overlay contours montage"
    " reference | predict report show_3d"
)
WITH_TEXT = ("predict", "report")
"""Actions whose text stands beside the icon in the tool bar."""


def tip_with_keys(spec: ActionSpec) -> str:
    """The tooltip: what it does, and its first key as this platform writes it."""
    return with_keys(spec.tip, spec.name)


def with_keys(text: str, *names: str) -> str:
    """A sentence with the first keys of some actions behind it, e.g. `Measure (Ctrl+R)`."""
    keys = ", ".join(filter(None, map(keys_of, names)))
    return f"{text} ({keys})" if keys else text


def keys_of(name: str) -> str:
    """The first keys of an action as this platform writes them; empty where it has none."""
    spec = _BY_NAME[name]
    native = QKeySequence.SequenceFormat.NativeText
    return QKeySequence(spec.keys[0]).toString(native) if spec.keys else ""


class Actions(QObject):
    """The `QAction` of every line of the table, by name."""

    def __init__(self, undo_stack: QUndoStack, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._undo_stack = undo_stack
        self._actions = {spec.name: self._make(spec) for spec in ACTIONS}
        self.enable_for(Needs.NOTHING)

    def __getitem__(self, name: str) -> QAction:
        return self._actions[name]

    def __iter__(self) -> Iterator[QAction]:
        return iter(self._actions.values())

    def enable_for(self, there: Needs) -> None:
        """Enable what makes sense with what is there; undo and redo know by themselves."""
        for spec in ACTIONS:
            if spec.name not in ("undo", "redo"):
                self._actions[spec.name].setEnabled(spec.needs & ~there == Needs.NOTHING)

    def show_icons(self, draw: Callable[[str], QIcon]) -> None:
        """Give every action its icon, drawn from the icon's name."""
        for spec in ACTIONS:
            if spec.icon:
                self._actions[spec.name].setIcon(draw(spec.icon))

    def press_one_of(self, group: str, name: str) -> None:
        """Show which action of a group is in force."""
        for spec in ACTIONS:
            if spec.group == group:
                self._actions[spec.name].setChecked(spec.name == name)

    def _make(self, spec: ActionSpec) -> QAction:
        if spec.name == "undo":
            action = self._undo_stack.createUndoAction(self, "&Undo")
        elif spec.name == "redo":
            action = self._undo_stack.createRedoAction(self, "&Redo")
        else:
            action = QAction(spec.text, self)
        action.setObjectName(spec.name)
        action.setShortcuts([QKeySequence(key) for key in spec.keys])
        action.setToolTip(tip_with_keys(spec))
        action.setStatusTip("")
        action.setCheckable(spec.checkable or bool(spec.group))
        if spec.in_picture:
            action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        return action
