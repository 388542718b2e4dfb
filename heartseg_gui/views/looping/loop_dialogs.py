"""The question of `documents.loop_prompts`, asked with a dialog."""

from html import escape

from PySide6.QtWidgets import QApplication, QMessageBox


class LoopDialogs:
    """Asks the reader over whatever window is active."""

    def ask_leaving(self, loop: str) -> bool:
        """Whether to close the program though a round is under way; Escape stays."""
        box = QMessageBox(QApplication.activeWindow())
        box.setIcon(QMessageBox.Icon.NoIcon)
        box.setWindowTitle("Learning loop")
        box.setText(f"<b>A round of {escape(loop)} is under way.</b>")
        box.setInformativeText(
            "It goes on from its last whole epoch when you next run it (Research, Learning loop)."
        )
        leave = box.addButton("&Stop and close", QMessageBox.ButtonRole.DestructiveRole)
        stay = box.addButton("&Keep learning", QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(stay)
        box.setEscapeButton(stay)
        box.exec()
        answer = box.clickedButton() is leave
        box.deleteLater()
        return answer
