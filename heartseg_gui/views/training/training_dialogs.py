"""The questions of `documents.training_prompts`, asked with dialogs."""

from html import escape

from PySide6.QtWidgets import QApplication, QMessageBox

from heartseg_gui.documents.training_prompts import Leaving


class TrainingDialogs:
    """Asks the reader over whatever window is active."""

    def ask_leaving(self, running: str, lost: str, queued: int) -> Leaving:
        """Whether to close though trainings are under way; Escape stays."""
        more = "" if not queued else f" {queued} more are waiting; start them again then."
        text = (
            f"{_again(lost)}It can go on when the program is opened again (Research, Training)."
            f"{more}"
        )
        stop = _ask(
            "Training", f"<b>{escape(running)} is still training.</b>", text, "&Stop and close"
        )
        return Leaving.STOP if stop else Leaving.STAY

    def ask_stop(self, title: str, lost: str) -> bool:
        """Whether to stop a training; Escape lets it go on."""
        text = f"{_again(lost)}It can go on later from its last whole epoch."
        return _ask("Training", f"<b>Stop training {escape(title)}?</b>", text, "&Stop")


def _again(lost: str) -> str:
    return f"{lost} would be trained again. " if lost else ""


def _ask(title: str, question: str, text: str, yes: str) -> bool:
    box = QMessageBox(QApplication.activeWindow())
    box.setIcon(QMessageBox.Icon.NoIcon)
    box.setWindowTitle(title)
    box.setText(question)
    box.setInformativeText(text)
    accept = box.addButton(yes, QMessageBox.ButtonRole.DestructiveRole)
    stay = box.addButton("&Keep training", QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(stay)
    box.setEscapeButton(stay)
    box.exec()
    answer = box.clickedButton() is accept
    box.deleteLater()
    return answer
