"""What was decided about a candidate, and why: both models side by side, with the rules."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QBrush, QColor
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from heartseg_gui.documents.learning_loop import LoopState
from heartseg_gui.theme import colours_of
from heartseg_gui.widgets.row_tables import dress_rows

if TYPE_CHECKING:
    from engine.loop.criteria import Criterion
    from engine.loop.standing import RoundRecord

COLUMNS = ("", "Active", "Candidate", "Change, 95 %", "Allowed", "")
_NOT_YET = (
    "No round was run yet. Add the folders where your readers approve studies (Rules), collect, "
    "and run a round."
)


class VerdictView(QWidget):
    """A sentence, the reasons, and a line for each thing that was compared."""

    def __init__(self, state: LoopState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.heading, self.reasons = QLabel(), QLabel()
        self.table = QTableWidget(0, len(COLUMNS))
        self.heading.setProperty("role", "heading")
        for label in (self.heading, self.reasons):
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._dress_table()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.heading)
        layout.addWidget(self.reasons)
        layout.addWidget(self.table, stretch=1)
        layout.addStretch()
        state.standing_changed.connect(self._show_round)
        state.round_chosen.connect(self._show_round)
        self._show_round()

    def changeEvent(self, event: QEvent) -> None:
        """Mark what got worse in the colours of another theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._show_round()

    def text_at(self, row: int, column: int) -> str:
        """What stands in a cell."""
        item = self.table.item(row, column)
        return "" if item is None else item.text()

    def _dress_table(self) -> None:
        table, header = self.table, self.table.horizontalHeader()
        table.setHorizontalHeaderLabels(COLUMNS)
        nothing = QAbstractItemView.SelectionMode.NoSelection
        name = "What was compared, active model and candidate"
        dress_rows(table, name, row_room_px=5, selection=nothing)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setWordWrap(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setStretchLastSection(True)
        table.setMinimumHeight(10 * table.verticalHeader().defaultSectionSize())

    def _show_round(self) -> None:
        shown = self._state.shown_round
        self.table.setVisible(shown is not None)
        self.heading.setVisible(shown is not None)
        if shown is None:
            self.heading.setText("")
            self.reasons.setText(_NOT_YET if self._state.standing is not None else "")
            return
        decided = "adopted" if shown.verdict.adopted else "kept as a candidate, not adopted"
        again = ", rolled back since" if shown.fate == "rolled back" else ""
        self.heading.setText(f"Round {shown.number}: {decided}{again}")
        self.reasons.setText("\n".join(f"• {reason}" for reason in shown.verdict.reasons))
        self._show_criteria(shown)

    def _show_criteria(self, shown: "RoundRecord") -> None:
        colours = colours_of(self.palette())
        self.table.setRowCount(len(shown.verdict.criteria))
        for row, each in enumerate(shown.verdict.criteria):
            for column, text in enumerate(_cells(each)):
                item = QTableWidgetItem(text)
                if each.speaks_against:
                    item.setForeground(QBrush(QColor(colours.danger)))
                elif column == len(COLUMNS) - 1:
                    ink = colours.warning if each.excused else colours.accent
                    item.setForeground(QBrush(QColor(ink)))
                self.table.setItem(row, column, item)


def _cells(each: "Criterion") -> tuple[str, ...]:
    digits = 1 if each.unit else 3
    unit = f" {each.unit}" if each.unit else ""
    before, after = (
        "–" if value is None else f"{value:.{digits}f}{unit}" for value in (each.before, each.after)
    )
    span = each.interval
    change = "" if span is None else f"{span[0]:+.{digits}f} to {span[1]:+.{digits}f}"
    sign = "−" if each.better == "higher" else "+"
    return (
        each.title,
        before,
        after,
        change.replace("-", "−"),
        f"{sign}{each.slack:g}{unit}",
        _sign_of(each),
    )


def _sign_of(each: "Criterion") -> str:
    if each.speaks_against:
        return "▲ worse"
    if each.excused:
        return "△ may be chance"
    gain = each.gain
    return "● better" if gain is not None and gain > 0 else "○ allowed"
