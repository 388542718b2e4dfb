"""From the 3-D view to files."""

from functools import partial

from engine.errors import HeartSegError
from heartseg_gui.documents.space_export import FilmChoice, PictureChoice
from heartseg_gui.program import Window


def introduce(window: Window) -> None:
    """From menus to dialogs, and from there to whoever writes."""
    for name, ask in (
        ("export_surfaces", _ask_surfaces),
        ("export_print", _ask_print),
        ("export_film", _ask_film),
        ("export_picture", _ask_picture),
    ):
        window.actions[name].triggered.connect(partial(ask, window))
    export = window.controllers.space_export
    export.told.connect(window.main.show_message)
    export.failed.connect(window.dialogs.show_error)


def _ask_surfaces(window: Window, _checked: bool = False) -> None:
    labels = window.document.stack_labels
    phases = 0 if labels is None else len(labels.labelled_phases())
    dialog = window.dialogs.show_surface_export(phases)
    dialog.chosen.connect(window.controllers.space_export.export_surfaces)


def _ask_print(window: Window, _checked: bool = False) -> None:
    dialog = window.dialogs.show_print_export()
    dialog.chosen.connect(window.controllers.space_export.export_print)


def _ask_film(window: Window, _checked: bool = False) -> None:
    _show(window)
    beats = window.document.cine is not None and window.document.cine.phase_count > 1
    dialog = window.dialogs.show_film_export(beats=beats)
    dialog.chosen.connect(partial(_film, window))


def _ask_picture(window: Window, _checked: bool = False) -> None:
    _show(window)
    dialog = window.dialogs.show_picture_export()
    dialog.chosen.connect(partial(_picture, window))


def _film(window: Window, choice: FilmChoice) -> None:
    if window.volume is not None and _is_seen(window):
        window.controllers.space_export.export_film(choice, window.volume)


def _picture(window: Window, choice: PictureChoice) -> None:
    if window.volume is not None and _is_seen(window):
        window.controllers.space_export.export_picture(choice, window.volume)


def _show(window: Window) -> None:
    if not window.actions["show_3d"].isChecked():
        window.actions["show_3d"].trigger()


def _is_seen(window: Window) -> bool:
    """Whether there is something to take a picture of; else it is said."""
    volume = window.volume
    if volume is not None and volume.has_picture:
        return True
    window.dialogs.show_error(
        HeartSegError(
            "The 3-D view shows nothing yet, so there is nothing to take a picture of.",
            hint="Wait until the heart is on the screen, and export it again.",
        )
    )
    return False
