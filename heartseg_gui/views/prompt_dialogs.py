"""The questions of `documents.prompts`, asked with dialogs."""

from pathlib import Path

from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QMessageBox, QWidget

from heartseg_gui.documents.prompts import Unsaved

_ANSWERS = {
    QMessageBox.StandardButton.Save: Unsaved.SAVE,
    QMessageBox.StandardButton.Discard: Unsaved.DISCARD,
}


class PromptDialogs:
    """Asks the reader over whatever window is active."""

    def ask_unsaved(self, study: str) -> Unsaved:
        """What to do with the unsaved labels of a study; Escape thinks again."""
        box = QMessageBox(_window())
        box.setIcon(QMessageBox.Icon.NoIcon)
        box.setWindowTitle("Unsaved labels")
        box.setText(f"<b>The labels of {study} are not saved.</b>")
        box.setInformativeText("What was painted, predicted or set by hand since would be lost.")
        button = QMessageBox.StandardButton
        box.setStandardButtons(button.Save | button.Discard | button.Cancel)
        box.setDefaultButton(button.Save)
        box.setEscapeButton(button.Cancel)
        answer = _ANSWERS.get(button(box.exec()), Unsaved.CANCEL)
        box.deleteLater()
        return answer

    def ask_folder(self, title: str, start: Path) -> Path | None:
        """A folder that is there."""
        chosen = QFileDialog.getExistingDirectory(_window(), title, str(start))
        return Path(chosen) if chosen else None

    def ask_file(self, title: str, start: Path, kinds: str) -> Path | None:
        """A file that is there."""
        chosen, _ = QFileDialog.getOpenFileName(_window(), title, str(start), kinds)
        return Path(chosen) if chosen else None

    def ask_new_file(self, title: str, start: Path, kinds: str) -> Path | None:
        """A file to write."""
        dialog = QFileDialog(_window(), title, str(start.parent), kinds)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        # The dialog must know the ending, or it would ask about replacing another file.
        dialog.setDefaultSuffix("".join(start.suffixes[-2:]).lstrip("."))
        dialog.selectFile(start.name)
        accepted = dialog.exec() == QDialog.DialogCode.Accepted
        chosen = Path(dialog.selectedFiles()[0]) if accepted else None
        dialog.deleteLater()
        return chosen


def _window() -> QWidget | None:
    return QApplication.activeWindow()
