"""The keymap in force, and all that shows keys."""

from functools import partial

from PySide6.QtWidgets import QWidget

from heartseg_gui.actions import renew_keys
from heartseg_gui.keymaps import keymap_of, put_in_force
from heartseg_gui.program import Window


def introduce(window: Window) -> None:
    """From a choice of keys to menus, tooltips and hints that say so, at once."""
    window.settings.keys_changed.connect(partial(_put_in_force, window))


def _put_in_force(window: Window) -> None:
    put_in_force(keymap_of(window.settings))
    window.actions.show_keys()
    for widget in window.main.findChildren(QWidget):
        renew_keys(widget)
