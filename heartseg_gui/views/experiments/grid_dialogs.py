"""The questions of `documents.grid_prompts`, asked with dialogs."""

from html import escape

from PySide6.QtWidgets import QApplication, QMessageBox


class GridDialogs:
    """Asks the reader over whatever window is active."""

    def ask_leaving(self, study: str, doing: str) -> bool:
        """Whether to close though a study is being run; Escape stays."""
        box = QMessageBox(QApplication.activeWindow())
        box.setIcon(QMessageBox.Icon.NoIcon)
        box.setWindowTitle("Experiments")
        box.setText(f"<b>{escape(study)} is still being run.</b>")
        box.setInformativeText(
            f"{doing}. What is finished is kept. Run, with the same folder of results, goes on "
            "from the last whole epoch (Research, Experiments)."
        )
        accept = box.addButton("&Stop and close", QMessageBox.ButtonRole.DestructiveRole)
        stay = box.addButton("&Keep training", QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(stay)
        box.setEscapeButton(stay)
        box.exec()
        answer = box.clickedButton() is accept
        box.deleteLater()
        return answer
