"""The heart in 3-D as files."""

from heartseg_gui.action_tables.spec import ActionSpec, Needs

_LABELS, _STUDY = Needs.LABELS, Needs.STUDY

ACTIONS: tuple[ActionSpec, ...] = (
    ActionSpec(
        "export_surfaces",
        "Export &surfaces…",
        (),
        "Write closed surfaces of the structures for other programs",
        "",
        _LABELS,
    ),
    ActionSpec(
        "export_print",
        "Export for &printing…",
        (),
        "Write hollow bodies on a base plate for a 3-D printer",
        "",
        _LABELS,
    ),
    ActionSpec(
        "export_film", "Export &film…", (), "Write a film of the 3-D view: turning, beating", "",
        _STUDY,
    ),
    ActionSpec(
        "export_picture", "Export pi&cture…", (), "Write the 3-D view as a picture for print", "",
        _STUDY,
    ),
)  # fmt: skip

MENU = ("&File > Export from &3-D", "export_surfaces export_print | export_film export_picture")
