"""Saving, help, the end."""

from functools import partial

from PySide6.QtGui import QGuiApplication

from heartseg_gui.program import Window


def introduce(window: Window) -> None:
    """From unsaved labels to a closed window."""
    saving, actions, dialogs = window.controllers.saving, window.actions, window.dialogs
    actions["stop"].triggered.connect(window.views.jobs.cancel_shown)
    actions["save"].triggered.connect(saving.save)
    actions["save_as"].triggered.connect(saving.save_as)
    actions["export_labels"].triggered.connect(saving.export_labels)
    actions["shortcuts"].triggered.connect(dialogs.show_shortcuts)
    actions["about"].triggered.connect(dialogs.show_about)
    actions["open_log"].triggered.connect(dialogs.show_log_folder)
    window.settings.appearance_changed.connect(window.appearance.apply)
    window.settings.reading_changed.connect(window.take_reading_settings)
    QGuiApplication.styleHints().colorSchemeChanged.connect(window.appearance.apply)
    actions["quit"].triggered.connect(window.main.close)
    settle = partial(saving.settle, window.leave)
    settle = partial(window.research.loop.looping.leave, settle)
    settle = partial(window.research.experiments.gridding.leave, settle)
    window.main.close_requested.connect(partial(window.research.training.leave, settle))
