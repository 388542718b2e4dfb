"""The questions of `documents.review_prompts`, asked with dialogs."""

from html import escape

from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from heartseg_gui.documents.review_prompts import Approval, SecondReading

_WIDTH_PX = 430


class ReviewDialog(QDialog):
    """A sentence, some fields, OK and Cancel; OK waits until what is needed is there."""

    def __init__(self, title: str, text: str, ok: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setMinimumWidth(_WIDTH_PX)
        self._needed: list[QLineEdit | QPlainTextEdit] = []
        words = QLabel(text)
        words.setWordWrap(True)
        self._form = QFormLayout()
        self._form.setHorizontalSpacing(18)
        self._form.setVerticalSpacing(10)
        button = QDialogButtonBox.StandardButton
        buttons = QDialogButtonBox(button.Ok | button.Cancel)
        self._ok = buttons.button(button.Ok)
        self._ok.setText(ok)
        self._ok.setDefault(True)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 20, 24, 18)
        layout.setSpacing(16)
        layout.addWidget(words)
        layout.addLayout(self._form)
        layout.addStretch()
        layout.addWidget(buttons)

    def add_line(self, name: str, text: str = "", *, hint: str = "") -> QLineEdit:
        """A field of one line that must be filled in."""
        line = QLineEdit(text)
        line.setPlaceholderText(hint)
        self._form.addRow(name, line)
        self._require(line)
        return line

    def add_lines(self, name: str, *, hint: str = "", needed: bool = False) -> QPlainTextEdit:
        """A field of some lines."""
        lines = QPlainTextEdit()
        lines.setPlaceholderText(hint)
        lines.setTabChangesFocus(True)
        lines.setFixedHeight(76)
        self._form.addRow(name, lines)
        if needed:
            self._require(lines)
        return lines

    def add_choice(self, name: str, *texts: str) -> list[QRadioButton]:
        """One of some; the first is chosen."""
        choice = QWidget()
        column = QVBoxLayout(choice)
        column.setContentsMargins(0, 0, 0, 0)
        buttons = [QRadioButton(text) for text in texts]
        for button in buttons:
            column.addWidget(button)
        buttons[0].setChecked(True)
        self._form.addRow(name, choice)
        return buttons

    def _require(self, field: QLineEdit | QPlainTextEdit) -> None:
        self._needed.append(field)
        field.textChanged.connect(self._show_enabled)
        self._show_enabled()

    def _show_enabled(self) -> None:
        self._ok.setEnabled(all(_text_of(field) for field in self._needed))


class ReviewDialogs:
    """Asks the reader over whatever window is active."""

    def ask_approval(self, study: str, reader: str, left: int) -> Approval | None:
        """Who approves a study, of which `left` slices were not approved one by one."""
        text = f"Approve the labels of <b>{escape(study)}</b>. The report prints name and time."
        if left:
            slices = "1 slice was" if left == 1 else f"{left} slices were"
            text += f"<br><br>{slices} not approved one by one and will be approved with it."
        dialog = ReviewDialog("Approve the study", text, "Approve", _window())
        name = dialog.add_line("&Reader", reader, hint="Name or initials")
        note = dialog.add_lines("&Note", hint="For the report; may be empty")
        (note if reader else name).setFocus()
        accepted = _accepted(dialog)
        return Approval(_text_of(name), _text_of(note)) if accepted else None

    def ask_reason(self, title: str, text: str) -> str | None:
        """Why something is done; never empty."""
        dialog = ReviewDialog(title, text, "OK", _window())
        reason = dialog.add_lines("&Reason", hint="In a few words", needed=True)
        reason.setFocus()
        return _text_of(reason) if _accepted(dialog) else None

    def ask_second_reading(self, study: str, reader: str) -> SecondReading | None:
        """Who reads a second time, and from what."""
        text = (
            f"Read <b>{escape(study)}</b> again without seeing the first reader's labels. They "
            "stay as they are; the second reading is kept beside them under its own name."
        )
        dialog = ReviewDialog("Second reading", text, "Begin", _window())
        name = dialog.add_line("&Reader", reader, hint="Name or initials of the second reader")
        empty, predict = dialog.add_choice("Begin with", "Empty slices", "A fresh prediction")
        empty.setToolTip("Nothing is drawn yet")
        predict.setToolTip("The chosen model predicts end-diastole and end-systole anew")
        name.setFocus()
        accepted = _accepted(dialog)
        return SecondReading(_text_of(name), predict.isChecked()) if accepted else None


def _accepted(dialog: QDialog) -> bool:
    accepted = dialog.exec() == QDialog.DialogCode.Accepted
    dialog.deleteLater()
    return accepted


def _text_of(field: QLineEdit | QPlainTextEdit) -> str:
    text = field.text() if isinstance(field, QLineEdit) else field.toPlainText()
    return text.strip()


def _window() -> QWidget | None:
    return QApplication.activeWindow()
