"""The conventions behind the numbers, shown and chosen in one place."""

from enum import StrEnum

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QComboBox, QFormLayout, QLabel, QVBoxLayout, QWidget

from engine.clinical.basal import BasalRule
from engine.clinical.body import BodySurfaceFormula
from engine.clinical.conventions import (
    Conventions,
    MassPhase,
    PapillaryRule,
    RvPhases,
    make_conventions,
)
from engine.clinical.volumes import EndSlices
from heartseg_gui.documents.measuring_rules import MeasuringRules

_TIPS = {
    "papillary": "What the labels count papillary muscles as; nothing is recomputed",
    "basal": "Which slices at the base belong to the left ventricle",
    "end_slices": "How high the first and the last disc are",
    "body_surface": "The formula of the body surface, and so of every index",
    "rv_phases": "Whether the RV has an end diastole and end systole of its own",
    "mass_phase": "In which phase the LV mass is taken",
    "ef_digits": "How ejection fractions are printed; they are kept unrounded",
}
_CHOICES: tuple[tuple[str, str, tuple[tuple[StrEnum | int, str], ...]], ...] = (
    (
        "papillary",
        "Papillary muscles",
        ((PapillaryRule.CAVITY, "part of the cavity"), (PapillaryRule.MASS, "part of the mass")),
    ),
    (
        "basal",
        "Basal slices",
        (
            (BasalRule.READER, "reader's choice"),
            (BasalRule.HALF, "myocardium ≥ 50 %"),
            (BasalRule.FULL, "myocardium 100 %"),
        ),
    ),
    (
        "end_slices",
        "End slices",
        ((EndSlices.WHOLE, "in full"), (EndSlices.HALF_GAP, "without the half gap")),
    ),
    (
        "body_surface",
        "Body surface",
        (
            (BodySurfaceFormula.MOSTELLER, "Mosteller"),
            (BodySurfaceFormula.DUBOIS, "DuBois"),
            (BodySurfaceFormula.HAYCOCK, "Haycock"),
        ),
    ),
    (
        "rv_phases",
        "RV phases",
        ((RvPhases.AS_LV, "those of the LV"), (RvPhases.OWN, "its own")),
    ),
    ("mass_phase", "LV mass at", ((MassPhase.ED, "ED"), (MassPhase.ES, "ES"))),
    ("ef_digits", "EF is shown", ((0, "in whole per cent"), (1, "with one decimal"))),
)


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
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        for key, title, values in _CHOICES:
            box = QComboBox()
            for value, text in values:
                box.addItem(text, str(value) if isinstance(value, StrEnum) else value)
            box.activated.connect(self._tell)
            box.setObjectName(key)
            box.setAccessibleName(title)
            box.setToolTip(_TIPS[key])
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

    def show_found(self, found: Conventions) -> None:
        """Tell them with what the study made of them: phases, distance of slices."""
        lines = [item.text for item in make_conventions(chosen=found)]
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
