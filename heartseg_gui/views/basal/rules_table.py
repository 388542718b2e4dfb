"""What the reader's choice and both published criteria make of the same labels."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from engine.clinical.basal import BasalRule
from engine.clinical.basal_overview import RuleResult
from engine.clinical.conventions import Conventions

RULE_NAMES = {
    BasalRule.READER: "Reader's choice",
    BasalRule.HALF: "Myocardium ≥ 50 %",
    BasalRule.FULL: "Myocardium 100 %",
}
_HEADINGS = ("", "EDV", "ESV", "EF", "LV mass", "Slices ED / ES")


class RulesTable(QWidget):
    """A line for each rule, the one that is followed in bold."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._cells: dict[tuple[BasalRule, int], QLabel] = {}
        self._why = QLabel()
        self._why.setProperty("role", "caption")
        grid = QGridLayout()
        grid.setHorizontalSpacing(20)
        for column, text in enumerate(_HEADINGS):
            heading = QLabel(text)
            heading.setProperty("role", "caption")
            grid.addWidget(heading, 0, column, _side(column))
        for row, rule in enumerate(BasalRule, start=1):
            for column in range(len(_HEADINGS)):
                cell = QLabel(RULE_NAMES[rule] if column == 0 else "–")
                self._cells[rule, column] = cell
                grid.addWidget(cell, row, column, _side(column))
        grid.setColumnStretch(len(_HEADINGS), 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(grid)
        layout.addWidget(self._why)

    def text(self, rule: BasalRule, column: int) -> str:
        """What a cell says; the columns are rule, EDV, ESV, EF, mass, slices."""
        return self._cells[rule, column].text()

    def show_rules(self, rules: tuple[RuleResult, ...], conventions: Conventions) -> None:
        """Show results; dashes and the reason where a rule cannot be judged."""
        known = {each.rule: each for each in rules}
        self._why.setText(next((each.why_not for each in rules if each.why_not), ""))
        self._why.setVisible(bool(self._why.text()))
        for rule in BasalRule:
            texts = texts_of(known.get(rule), conventions.ef_digits)
            for column, text in enumerate(texts, start=1):
                self._cells[rule, column].setText(text)
            for column in range(len(_HEADINGS)):
                font = self._cells[rule, column].font()
                font.setBold(rule is conventions.basal)
                self._cells[rule, column].setFont(font)


def texts_of(result: RuleResult | None, digits: int) -> tuple[str, str, str, str, str]:
    """EDV, ESV, EF, mass, slices of ED and ES, each with its unit."""
    if result is None or result.why_not:
        return ("–",) * 5
    lv, fraction = result.lv, result.lv.ejection_fraction
    return (
        _shown(lv.end_diastolic_ml, "ml", 0),
        _shown(lv.end_systolic_ml, "ml", 0),
        _shown(None if fraction is None else 100 * fraction, "%", digits),
        _shown(result.mass_g, "g", 0),
        f"{result.slices_ed} / {result.slices_es}",
    )


def _side(column: int) -> Qt.AlignmentFlag:
    return Qt.AlignmentFlag.AlignLeft if column == 0 else Qt.AlignmentFlag.AlignRight


def _shown(value: float | None, unit: str, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f} {unit}"
