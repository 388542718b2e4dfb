"""Models and what they segment."""

from heartseg_gui.action_tables.spec import ActionSpec, Needs

_PREDICT = Needs.LABELS | Needs.VOLUME | Needs.FREE

ACTIONS: tuple[ActionSpec, ...] = (
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
    ActionSpec(
        "predict_phase", "Predict this p&hase", ("Shift+L",), "Segment this phase", "", _PREDICT
    ),
    ActionSpec(
        "predict_slice",
        "Predict this &slice",
        ("L",),
        "Segment this slice; the others stay as they are",
        "",
        _PREDICT,
    ),
    ActionSpec("models", "&Models and cards…", (), "Licence, data, scores and limits of each"),
)

MENU = (
    "&Model",
    "predict predict_all predict_phase predict_slice"
    " | propagate_phase propagate_all_phases propagate_up propagate_down"
    " accept_all reject_all | models",
)
