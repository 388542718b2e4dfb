"""Self-test and settings."""

from functools import partial

from PySide6.QtWidgets import QWidget

from heartseg_gui.program import Window


def introduce(window: Window) -> None:
    """What this machine can do, and what the reader prefers."""
    actions = window.actions
    actions["self_test"].triggered.connect(partial(_show_self_test, window, "", None))
    actions["settings"].triggered.connect(partial(_show_settings, window))


def _show_settings(window: Window, _checked: bool = False) -> None:
    dialog = window.dialogs.show_settings()
    wish = dialog.self_test_wanted
    wish.connect(lambda device: _show_self_test(window, device, dialog))


def _show_self_test(
    window: Window, device: str, over: QWidget | None, _checked: bool = False
) -> None:
    """Show the self-test of the chosen model on a device; empty for the one of the settings."""
    testing, choice = window.controllers.self_testing, window.choice
    device, chosen = device or window.settings.device, choice.chosen
    title = choice.current.title if choice.current else chosen or "The default model"
    dialog = window.dialogs.show_self_test(title, over)
    testing.progressed.connect(dialog.show_progress)
    testing.found.connect(dialog.show_test)
    testing.failed.connect(dialog.show_error)
    testing.stopped.connect(dialog.show_stopped)
    dialog.again_wanted.connect(dialog.show_waiting)
    dialog.again_wanted.connect(partial(testing.start, chosen, device, afresh=True))
    dialog.finished.connect(testing.stop)
    testing.start(chosen, device)
