"""One field of a form: a box, a list or a line, as the recipe's definition says."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QFocusEvent, QWheelEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QWidget,
)

from engine.learning.recipe_fields import FieldKind, RecipeField, text_of

_LINES = 3  # of an editor of several lines


class FieldEditor(QObject):
    """Makes the widget of a field, shows its value, and tells what is entered.

    Signals:
        entered: A value, or a text as it was written.
    """

    entered = Signal(object)

    def __init__(self, field: RecipeField, parent: QWidget) -> None:
        super().__init__(parent)
        self.field = field
        self.widget, self._show = self._make(parent)
        self.widget.setAccessibleName(field.title)
        self.widget.setToolTip(tip_of(field))

    def show_value(self, value: Any) -> None:
        """Show a value without telling it."""
        blockers = [QSignalBlocker(each) for each in (self.widget, *self.widget.children())]
        self._show(value)
        del blockers

    def _make(self, parent: QWidget) -> tuple[QWidget, Callable[[Any], None]]:
        kind = self.field.kind
        if kind is FieldKind.FLAG:
            return self._flag(parent)
        if kind is FieldKind.CHOICES:
            return self._choices(parent)
        if kind is FieldKind.CHOICE or self.field.choices:
            return self._choice(parent)
        if kind in {FieldKind.LINES, FieldKind.TABLE}:
            return self._lines(parent)
        line = QLineEdit(parent)
        line.setPlaceholderText(self.field.range_text)
        line.editingFinished.connect(lambda: self._tell_text(line.text()))
        self._last = ""
        return line, lambda value: self._show_text(line, value)

    def _flag(self, parent: QWidget) -> tuple[QWidget, Callable[[Any], None]]:
        box = QCheckBox(parent)
        box.toggled.connect(self.entered.emit)
        return box, lambda value: box.setChecked(bool(value))

    def _choice(self, parent: QWidget) -> tuple[QWidget, Callable[[Any], None]]:
        box = _Choice(parent)
        for choice in self.field.choices:
            box.addItem(str(choice).replace("_", " "), choice)
        if self.field.kind is not FieldKind.CHOICE:
            box.setEditable(True)
            box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
            line = box.lineEdit()
            assert line is not None
            line.editingFinished.connect(lambda: self._tell_choice(box))
        box.activated.connect(lambda _number: self.entered.emit(box.currentData()))
        box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

        def show(value: Any) -> None:
            place = box.findData(value)
            box.setCurrentIndex(place)
            if place < 0 and box.isEditable():
                box.setEditText(text_of(self.field, value))

        return box, show

    def _tell_choice(self, box: QComboBox) -> None:
        text = box.currentText()
        place = box.findText(text)
        self.entered.emit(box.itemData(place) if place >= 0 else text)

    def _choices(self, parent: QWidget) -> tuple[QWidget, Callable[[Any], None]]:
        holder = QWidget(parent)
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        boxes = {choice: QCheckBox(str(choice), holder) for choice in self.field.choices}

        def tell() -> None:
            self.entered.emit(tuple(each for each, box in boxes.items() if box.isChecked()))

        for box in boxes.values():
            box.toggled.connect(tell)
            row.addWidget(box)
        row.addStretch()

        def show(value: Any) -> None:
            for choice, box in boxes.items():
                box.setChecked(choice in value)

        return holder, show

    def _lines(self, parent: QWidget) -> tuple[QWidget, Callable[[Any], None]]:
        lines = _Lines(parent)
        lines.setFixedHeight(_LINES * lines.fontMetrics().lineSpacing() + 14)
        lines.left.connect(lambda: self._tell_text(lines.toPlainText()))
        self._last = ""

        def show(value: Any) -> None:
            self._last = text_of(self.field, value)
            lines.setPlainText(self._last)

        return lines, show

    def _show_text(self, line: QLineEdit, value: Any) -> None:
        self._last = text_of(self.field, value)
        line.setText(self._last)

    def _tell_text(self, text: str) -> None:
        if text != self._last:  # leaving a line tells, too
            self._last = text
            self.entered.emit(text)


class _Choice(QComboBox):
    """A box that the wheel scrolls past: a form is scrolled more often than a choice is."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave it to the form."""
        event.ignore()


class _Lines(QPlainTextEdit):
    """Several lines that tell when they are left.

    Signals:
        left: The focus went elsewhere.
    """

    left = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setTabChangesFocus(True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Tell."""
        super().focusOutEvent(event)
        self.left.emit()


def tip_of(field: RecipeField) -> str:
    """What a field means, its range, its default and its name in the file."""
    default = text_of(field, field.default)
    parts = [field.help, field.range_text and f"Range: {field.range_text}."]
    parts += [f"Usually {default}." if default else "", field.name]
    return "\n".join(filter(None, parts))
