"""A question with two answers, of which Escape and Return take the harmless one."""

from PySide6.QtWidgets import QApplication, QMessageBox


def confirm(title: str, question: str, consequence: str, *, yes: str, no: str) -> bool:
    """Ask over whatever window is active, and wait for the answer.

    Args:
        title: Of the dialog.
        question: In one line; HTML, so what comes from outside is to be escaped.
        consequence: What follows, in smaller letters.
        yes: Button of what cannot be taken back.
        no: Button of the harmless answer.
    """
    box = QMessageBox(QApplication.activeWindow())
    box.setIcon(QMessageBox.Icon.NoIcon)
    box.setWindowTitle(title)
    box.setText(f"<b>{question}</b>")
    box.setInformativeText(consequence)
    accept = box.addButton(yes, QMessageBox.ButtonRole.DestructiveRole)
    stay = box.addButton(no, QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(stay)
    box.setEscapeButton(stay)
    box.exec()
    answer = box.clickedButton() is accept
    box.deleteLater()
    return answer
