"""Places in the stack, and how the picture is drawn."""

from heartseg_gui.action_tables.spec import ActionSpec, Needs

_STUDY = Needs.STUDY
_PHASES = Needs.STUDY | Needs.PHASES

ACTIONS: tuple[ActionSpec, ...] = (
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
)

GO_MENU = (
    "&Go",
    "slice_up slice_down phase_back phase_on | play slower faster | go_ed go_es"
    " | show_images show_report study_check",
)

VIEW_MENU = (
    "&View",
    "zoom_in zoom_out fit montage | auto_window brighter darker more_contrast less_contrast"
    " smooth | overlay contours more_opaque less_opaque reference | panels",
)
