"""Opening, saving, settings, leaving."""

from heartseg_gui.action_tables.spec import ActionSpec, Needs

_LABELS = Needs.LABELS

ACTIONS: tuple[ActionSpec, ...] = (
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
)

MENU = (
    "&File",
    "open open_file recent | open_labels save save_as export_labels | settings | quit",
)
