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
    ActionSpec(
        "training",
        "&Training",
        ("Ctrl+Shift+T",),
        "Train a model by a published recipe or one of your own, and look on",
    ),
    ActionSpec(
        "experiments",
        "&Experiments",
        (),
        "Compare trainings and models, with each other and with what papers print",
    ),
    ActionSpec(
        "learning_loop",
        "&Learning loop",
        (),
        "Let a model learn from approved studies, and adopt only what is not worse",
    ),
)

MENU = ("Resear&ch", "cohort agreement | training experiments learning_loop")
