"""A form made from the recipe's own fields."""

from collections.abc import Sequence
from dataclasses import replace
from html import escape
from itertools import groupby
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from engine.learning.recipe_fields import FieldKind, RecipeField, recipe_fields, value_of
from heartseg_gui.documents.training_plan import TrainingPlan
from heartseg_gui.views.training.field_editor import FieldEditor

_SECTION = Qt.ItemDataRole.UserRole
_WORDS = "Words"  # the page of what stands above all parts
_OPTION_KINDS = {
    "int": (FieldKind.WHOLE, True),
    "float": (FieldKind.NUMBER, False),
    "bool": (FieldKind.FLAG, False),
    "str": (FieldKind.TEXT, False),
    "tuple[int, ...]": (FieldKind.NUMBERS, True),
}
_NETWORK, _OPTIONS = "network.name", "network.options"


class RecipeForm(QWidget):
    """A page for each part of a recipe; what differs from the recipe is bold.

    Signals:
        changed: A field's dotted name and what was entered.
        option_changed: The same for an option of the network, with its `RecipeField` second.
        reset_wanted: Take back all changes.
        open_wanted: Take a recipe from a file.
        save_wanted: Write the recipe to a file.
    """

    changed = Signal(str, object)
    option_changed = Signal(str, object, object)
    reset_wanted = Signal()
    open_wanted = Signal()
    save_wanted = Signal()

    def __init__(self, plan: TrainingPlan, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._plan = plan
        self.sections, self._pages = QListWidget(), QStackedWidget()
        self.reset = _button("Reset", "Take back all changes")
        self.open, self.save = (
            _button("Open…", "Take a recipe from a file, also that of a run"),
            _button("Save…", "Write the recipe as it is now to a file"),
        )
        self._title, self._fault = QLabel(), QLabel()
        self._labels: dict[str, QLabel] = {}
        self.editors: dict[str, FieldEditor] = {}
        self._network_form = QFormLayout()
        self._shown_options: tuple[str, ...] = ()
        self._lay_out()
        self._fill()
        plan.recipe_changed.connect(self.show_state)
        plan.fields_changed.connect(self.show_state)
        plan.outlook_changed.connect(self._renew_known)
        self.reset.clicked.connect(self.reset_wanted)
        self.open.clicked.connect(self.open_wanted)
        self.save.clicked.connect(self.save_wanted)
        self.show_state()

    def show_state(self) -> None:
        """Show the recipe with its changes."""
        plan = self._plan
        self._renew_options()
        for name, editor in self.editors.items():
            if name not in plan.wrong:
                editor.show_value(self._value(name, editor.field))
            self._mark(name, editor.field)
        self._title.setText(f"<b>{escape(plan.recipe.title)}</b>")
        self.reset.setEnabled(bool(plan.changed or plan.wrong))
        self.save.setEnabled(bool(plan.source) and plan.fault is None)
        faults = [f"{name}: {reason}" for name, reason in plan.wrong.items()]
        if plan.fault is not None:
            faults.append(f"{plan.fault.what} {plan.fault.hint}")
        self._fault.setText(escape("\n".join(faults)).replace("\n", "<br>"))
        self._fault.setVisible(bool(faults))
        self._mark_sections()
        self._pages.setEnabled(bool(plan.source))

    def _value(self, name: str, field: RecipeField) -> Any:
        plan = self._plan
        if plan.fault is not None and name in plan.changed:
            return plan.change_of(name)  # as it was entered, though it does not go together
        value = value_of(plan.recipe, name)
        return field.default if value is None and name.startswith(_OPTIONS) else value

    def _mark(self, name: str, field: RecipeField) -> None:
        title = escape(field.title)
        if name in self._plan.wrong:
            title = f"▲ {title}"
        bold = name in self._plan.changed or name in self._plan.wrong
        self._labels[name].setText(f"<b>{title}</b>" if bold else title)

    def _mark_sections(self) -> None:
        """Those with changes are bold."""
        for number in range(self.sections.count()):
            item = self.sections.item(number)
            section, font = item.data(_SECTION), item.font()
            touched = (*self._plan.changed, *self._plan.wrong)
            font.setBold(any(_section_of(name) == section for name in touched))
            item.setFont(font)

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        self._title.setWordWrap(True)
        bar.addWidget(self._title, stretch=1)
        for button in (self.reset, self.open, self.save):
            bar.addWidget(button)
        self._fault.setWordWrap(True)
        self._fault.setProperty("role", "badge")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(bar)
        layout.addWidget(self._fault)
        parts = QHBoxLayout()
        self.sections.setAccessibleName("Parts of the recipe")
        self.sections.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.sections.currentRowChanged.connect(self._pages.setCurrentIndex)
        parts.addWidget(self.sections)
        parts.addWidget(self._pages, stretch=1)
        layout.addLayout(parts, stretch=1)

    def _fill(self) -> None:
        fields = [field for field in recipe_fields() if field.name != _OPTIONS]
        for section, part in groupby(fields, key=lambda field: field.section):
            form = QFormLayout()
            if section == "network":
                form = self._network_form
            self._add_rows(form, list(part))
            item = QListWidgetItem(section.capitalize() or _WORDS)
            item.setData(_SECTION, section)
            self.sections.addItem(item)
            self._pages.addWidget(_scrolled(form))
        self.sections.setFixedWidth(self.sections.sizeHintForColumn(0) + 26)
        self.sections.setCurrentRow(0)

    def _add_rows(self, form: QFormLayout, fields: Sequence[RecipeField]) -> None:
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        for field in fields:
            form.addRow(self._label(field), self._entry(field))
            if field.help and field.name != _NETWORK:  # that list says itself what it is
                form.addRow(_help(field))

    def _label(self, field: RecipeField) -> QLabel:
        label = self._labels[field.name] = QLabel(field.title)
        label.setMinimumWidth(104)
        return label

    def _entry(self, field: RecipeField) -> QWidget:
        """The editor of a field."""
        editor = self.editors[field.name] = FieldEditor(field, self)
        self._labels[field.name].setBuddy(editor.widget)
        if field.name.startswith(f"{_OPTIONS}."):
            editor.entered.connect(
                lambda value, field=field: self.option_changed.emit(field.name, field, value)
            )
        else:
            editor.entered.connect(lambda value, name=field.name: self.changed.emit(name, value))
        return editor.widget

    def _renew_known(self) -> None:
        """Networks and their options become known with the first look at the devices."""
        outlook = self._plan.outlook
        if outlook is not None and outlook.networks:
            self._offer(_NETWORK, tuple(outlook.networks))
            losses = ", ".join(outlook.losses)
            self.editors["loss.sum"].widget.setToolTip(f"A weighted sum of: {losses}")
        self._renew_options()

    def _offer(self, name: str, choices: tuple[str, ...]) -> None:
        """Turn a line into a list of choices, once they are known."""
        if self.editors[name].field.choices:
            return
        field = replace(self.editors[name].field, kind=FieldKind.CHOICE, choices=choices)
        place = self._row_of(name)
        self._network_form.removeRow(place)
        self._network_form.insertRow(place, self._label(field), self._entry(field))
        self.show_state()

    def _row_of(self, name: str) -> int:
        """The row of a field of the network."""
        form, label = self._network_form, self._labels[name]
        role = QFormLayout.ItemRole.LabelRole
        items = (form.itemAt(row, role) for row in range(form.rowCount()))
        return next(row for row, item in enumerate(items) if item and item.widget() is label)

    def _renew_options(self) -> None:
        """A row for each option of the network, where another network has others."""
        options = self._plan.options
        names = tuple(f"{_OPTIONS}.{option.name}" for option in options)
        if names == self._shown_options:
            return
        for name in self._shown_options:
            place = self._row_of(name)
            del self.editors[name], self._labels[name]
            self._network_form.removeRow(place)
        self._shown_options = names
        for option, name in zip(options, names, strict=True):
            kind, whole = _OPTION_KINDS[option.type]
            kind = FieldKind.CHOICE if option.choices else kind
            field = RecipeField(name, kind, option.default, choices=option.choices, whole=whole)
            self._network_form.addRow(self._label(field), self._entry(field))
        for name in names:
            self.editors[name].show_value(self._value(name, self.editors[name].field))
            self._mark(name, self.editors[name].field)


def _help(field: RecipeField) -> QLabel:
    said = f"{field.help} ({field.range_text})" if field.range_text else field.help
    label = QLabel(said)
    label.setProperty("role", "caption")
    label.setWordWrap(True)
    label.setContentsMargins(0, 0, 0, 8)
    return label


def _section_of(name: str) -> str:
    """The part of a recipe that a field belongs to; blank for what stands above all parts."""
    return name.partition(".")[0] if "." in name else ""


def _scrolled(form: QFormLayout) -> QScrollArea:
    page = QWidget()
    form.setContentsMargins(4, 10, 12, 10)
    form.setHorizontalSpacing(12)
    page.setLayout(form)
    area = QScrollArea()
    area.setWidget(page)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return area


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
