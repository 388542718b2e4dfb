"""The conventions behind the numbers, shown and chosen in one place."""

from enum import StrEnum

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QComboBox, QFormLayout, QLabel, QVBoxLayout, QWidget

from engine.clinical.conventions import ATRIUM_CONVENTIONS, Conventions, make_conventions
from heartseg_gui.documents.convention_choices import CONVENTION_CHOICES, CONVENTION_TIPS
from heartseg_gui.documents.measuring_rules import MeasuringRules

_OF_ATRIUM = ("end_slices", "body_surface")


class Ledger(QWidget):
    """One box for each choice, and below what they mean, in words.

    Signals:
        choice_wanted: Name of a choice in `Conventions` and its value.
    """

    choice_wanted = Signal(str, object)

    def __init__(self, rules: MeasuringRules, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rules = rules
        self.boxes: dict[str, QComboBox] = {}
        self._text = QLabel()
        self._text.setWordWrap(True)
        self._text.setProperty("role", "caption")
        self._atrium_alone = False
        self._form = form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        for key, title, values in CONVENTION_CHOICES:
            box = QComboBox()
            for value, text in values:
                box.addItem(text, str(value) if isinstance(value, StrEnum) else value)
            box.activated.connect(self._tell)
            box.setObjectName(key)
            box.setAccessibleName(title)
            box.setToolTip(CONVENTION_TIPS[key])
            self.boxes[key] = box
            form.addRow(title, box)
        heading = QLabel("Conventions")
        heading.setProperty("role", "heading")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(heading)
        layout.addLayout(form)
        layout.addWidget(self._text)
        rules.changed.connect(self._show_state)
        self._show_state()

    def show_for(self, *, atrium_alone: bool) -> None:
        """Leave out what concerns ventricles where there are none."""
        self._atrium_alone = atrium_alone
        for key, box in self.boxes.items():
            self._form.setRowVisible(box, not atrium_alone or key in _OF_ATRIUM)

    def show_found(self, found: Conventions) -> None:
        """Tell them with what the study made of them: phases, distance of slices."""
        made = make_conventions(chosen=found)
        alone = self._atrium_alone
        lines = [item.text for item in made if not alone or item.key in ATRIUM_CONVENTIONS]
        self._text.setText(" ".join(lines))

    def _show_state(self) -> None:
        facts = self._rules.conventions.as_facts()
        for key, box in self.boxes.items():
            with QSignalBlocker(box):
                box.setCurrentIndex(box.findData(facts[key]))
        self.show_found(self._rules.conventions)

    def _tell(self) -> None:
        box = self.sender()
        if isinstance(box, QComboBox):
            self.choice_wanted.emit(box.objectName(), box.currentData())
