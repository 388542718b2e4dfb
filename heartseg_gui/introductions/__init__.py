"""Who hears whom: one module for each part of the reader's day."""

from heartseg_gui.introductions import (
    agreeing,
    correcting,
    experimenting,
    journaling,
    keys,
    leaving,
    looking,
    looping,
    measuring,
    opening,
    predicting,
    reporting,
    reviewing,
    self_testing,
    space,
    space_export,
    training,
)
from heartseg_gui.program import Window


def introduce_all(window: Window) -> None:
    """All introductions, in the order of the reader's day."""
    for part in (opening, looking, space, space_export, predicting, correcting, reviewing):
        part.introduce(window)
    for part in (measuring, agreeing, training, experimenting, looping, reporting):
        part.introduce(window)
    for part in (self_testing, keys, journaling, leaving):
        part.introduce(window)
    controllers = window.controllers
    for speaker in (
        controllers.saving,
        controllers.opening,
        controllers.viewing,
        controllers.space_looking,
        controllers.key_phases,
        controllers.history,
        controllers.choosing,
        controllers.prediction,
        controllers.correction,
        controllers.reporting,
    ):
        speaker.told.connect(window.main.show_message)
    for worker in (
        controllers.saving,
        controllers.opening,
        controllers.choosing,
        controllers.prediction,
        controllers.reporting,
        controllers.propagation,
    ):
        worker.failed.connect(window.dialogs.show_error)
