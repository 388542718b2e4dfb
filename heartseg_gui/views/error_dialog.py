"""What went wrong, what to do about it, and the details to copy."""

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from engine.errors import HeartSegError
from heartseg_gui.crash import details_of

_OURS = "This is a mistake in the program."
_OURS_HINT = (
    "Your saved labels are safe. Please save your work, and send the details below to whoever "
    "looks after HeartSeg."
)


class ErrorDialog(QDialog):
    """Shows one error: `what` in bold, `hint` below it, details on demand."""

    def __init__(self, error: Exception, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        known = isinstance(error, HeartSegError)
        self.what = error.what if isinstance(error, HeartSegError) else _OURS
        self.hint = error.hint if isinstance(error, HeartSegError) else _OURS_HINT
        self.setWindowTitle("HeartSeg")
        self._details = QPlainTextEdit(details_of(error))
        self._details.setReadOnly(True)
        self._details.setVisible(not known)
        self._more = QPushButton("Show details")
        self._more.setCheckable(True)
        self._more.setChecked(not known)
        self._copy = QPushButton("Copy details")
        self._copy.setObjectName("copy")
        self._lay_out()
        self._more.toggled.connect(self._details.setVisible)
        self._copy.clicked.connect(self._copy_details)

    def _lay_out(self) -> None:
        what = QLabel(self.what)
        what.setProperty("role", "heading")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.addButton(self._more, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton(self._copy, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(22, 20, 22, 18)
        layout.setSpacing(12)
        for label in (what, QLabel(self.hint)):
            label.setWordWrap(True)
            label.setMinimumWidth(420)
            layout.addWidget(label)
        layout.addWidget(self._details, stretch=1)
        layout.addWidget(buttons)

    def _copy_details(self) -> None:
        QGuiApplication.clipboard().setText(
            f"{self.what}\n{self.hint}\n\n{self._details.toPlainText()}"
        )
