"""Many studies, and the models that learn from them: the second window."""

from heartseg_gui.action_tables.spec import ActionSpec

ACTIONS: tuple[ActionSpec, ...] = (
    ActionSpec(
        "cohort",
        "All studies of a &folder",
        ("Ctrl+9",),
        "Predict, measure and report many studies, and list them",
    ),
    ActionSpec(
        "agreement",
        "&Agreement over many studies",
        ("Ctrl+6",),
        "Bland-Altman and correlation of readers, models and corrections",
    ),
)

MENU = ("Re&search", "cohort agreement")
