"""The questions of `documents.training_prompts`, asked with dialogs."""

from html import escape

from heartseg_gui.documents.training_prompts import Leaving
from heartseg_gui.widgets.confirmation import confirm


class TrainingDialogs:
    """Asks the reader over whatever window is active."""

    def ask_leaving(self, running: str, lost: str, queued: int) -> Leaving:
        """Whether to close though trainings are under way; Escape stays."""
        more = "" if not queued else f" {queued} more are waiting; start them again then."
        text = (
            f"{_again(lost)}It can go on when the program is opened again (Research, Training)."
            f"{more}"
        )
        stop = _confirm(f"{escape(running)} is still training.", text, "&Stop and close")
        return Leaving.STOP if stop else Leaving.STAY

    def ask_stop(self, title: str, lost: str) -> bool:
        """Whether to stop a training; Escape lets it go on."""
        text = f"{_again(lost)}It can go on later from its last whole epoch."
        return _confirm(f"Stop training {escape(title)}?", text, "&Stop")


def _again(lost: str) -> str:
    return f"{lost} would be trained again. " if lost else ""


def _confirm(question: str, text: str, yes: str) -> bool:
    return confirm("Training", question, text, yes=yes, no="&Keep training")
