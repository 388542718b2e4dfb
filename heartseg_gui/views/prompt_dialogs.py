"""The questions of `documents.prompts`, asked with dialogs."""

from pathlib import Path

from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QMessageBox, QWidget

from engine.clinical.profile import Profile
from heartseg_gui.documents.prompts import Lost, Unsaved

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

    def ask_lost(self, study: str, edits: int, last_at: str) -> Lost:
        """Whether to keep recovered edits; Escape keeps them."""
        box = QMessageBox(_window())
        box.setIcon(QMessageBox.Icon.NoIcon)
        box.setWindowTitle("Recovered edits")
        counted = f"{edits} edit{'' if edits == 1 else 's'}"
        box.setText(f"<b>Recovered {counted} of {study},<br>last at {last_at}.</b>")
        box.setInformativeText(
            "The program ended before they were saved. Keep them to go on where you were; undo "
            "still takes each of them back. Discard them to see the labels as they were saved."
        )
        keep = box.addButton("&Keep", QMessageBox.ButtonRole.AcceptRole)
        discard = box.addButton("&Discard", QMessageBox.ButtonRole.DestructiveRole)
        box.setDefaultButton(keep)
        box.setEscapeButton(keep)
        box.exec()
        answer = Lost.DISCARD if box.clickedButton() is discard else Lost.KEEP
        box.deleteLater()
        return answer

    def ask_profile(self) -> Profile | None:
        """Whether exported files name patients; Escape thinks again."""
        box = QMessageBox(_window())
        box.setIcon(QMessageBox.Icon.NoIcon)
        box.setWindowTitle("Names in reports")
        box.setText("<b>Shall reports name the patient?</b>")
        box.setInformativeText(
            "Research: a pseudonym stands in place of names and identifiers, years in place of "
            "dates. Hospital: all of it stays, so that the archive knows whose report it is. "
            "This is asked once; the settings change it."
        )
        out = box.addButton("Leave names &out", QMessageBox.ButtonRole.AcceptRole)
        keep = box.addButton("&Keep names", QMessageBox.ButtonRole.AcceptRole)
        cancel = box.addButton(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(out)
        box.setEscapeButton(cancel)
        box.exec()
        answers = {out: Profile.RESEARCH, keep: Profile.HOSPITAL}
        answer = next((answers[one] for one in answers if one is box.clickedButton()), None)
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
