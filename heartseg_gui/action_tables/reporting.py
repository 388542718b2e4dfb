"""Key phases, report, export."""

from heartseg_gui.action_tables.spec import ActionSpec, Needs

_LABELS = Needs.LABELS
_VOLUME = Needs.LABELS | Needs.VOLUME

ACTIONS: tuple[ActionSpec, ...] = (
    ActionSpec(
        "basal_workbench",
        "&Base of the LV",
        ("Ctrl+7",),
        "Basal slices at ED and ES with the long axis, and what each is worth",
        "",
        _VOLUME,
    ),
    ActionSpec(
        "toggle_basal",
        "&Count this slice, or leave it out",
        ("U",),
        "Whether this slice counts for the LV; its labels stay",
        "",
        _VOLUME,
    ),
    ActionSpec(
        "quantities",
        "&Quantities",
        ("Ctrl+8",),
        "Volume curves, wall by segment, slices, conventions",
        "",
        _LABELS,
    ),
    ActionSpec("set_ed", "Set end-&diastole here", ("Alt+D",), "ED is this phase", "", _VOLUME),
    ActionSpec("set_es", "Set end-&systole here", ("Alt+S",), "ES is this phase", "", _VOLUME),
    ActionSpec(
        "find_key_phases",
        "&Find ED and ES again",
        (),
        "Forget the phases set by hand",
        "",
        _VOLUME,
    ),
    ActionSpec(
        "insertion_points",
        "&Insertion points",
        ("Alt+I",),
        "Show the RV insertion points, or the mitral annulus of a long axis, to be dragged",
        "",
        _LABELS,
        checkable=True,
    ),
    ActionSpec(
        "find_points_again",
        "Find insertion points &again",
        (),
        "Forget the points set by hand in this study",
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
)

MENU = (
    "&Report",
    "report export | basal_workbench toggle_basal quantities | insertion_points"
    " find_points_again | set_ed set_es find_key_phases",
)
