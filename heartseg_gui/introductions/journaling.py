"""Nothing is lost: every step is written down, and what was not saved comes back."""

from heartseg_gui.program import Window


def introduce(window: Window) -> None:
    """From a step of undo to the journal, and back at the next start of the program.

    It comes after everybody else has heard of another stack: what is refilled then is seen by all.
    """
    journaling, saving = window.controllers.journaling, window.controllers.saving
    window.document.stack_changed.connect(journaling.take_stack)
    window.controllers.opening.shown.connect(journaling.ask_about_lost)
    saving.guard = journaling.guard_saving
    saving.began.connect(journaling.note_saving)
    saving.saved.connect(journaling.note_saved)
    journaling.told.connect(window.main.show_message)
    journaling.failed.connect(window.dialogs.show_error)
