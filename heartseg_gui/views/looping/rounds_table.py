"""The rounds of a loop, the newest first."""

from datetime import datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from heartseg_gui.documents.learning_loop import LoopState
from heartseg_gui.widgets.row_tables import dress_rows

if TYPE_CHECKING:
    from engine.loop.standing import RoundRecord

COLUMNS = ("Round", "Decision", "Mean Dice", "Corrections", "Studies", "When")
_SIGNS = {"active": "● active", "adopted": "✓ adopted", "rolled back": "↺ rolled back"}
_REFUSED = "▲ not adopted"


class RoundsTable(QTableWidget):
    """A line for each round; the one that is marked is told about in full beside it.

    Signals:
        round_wanted: Look at this round, by its number.
    """

    round_wanted = Signal(int)

    def __init__(self, state: LoopState, parent: QWidget | None = None) -> None:
        super().__init__(0, len(COLUMNS), parent)
        self._state = state
        self.setHorizontalHeaderLabels(COLUMNS)
        dress_rows(self, "Rounds of the loop, the newest first")
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setWordWrap(False)
        self.setMinimumHeight(5 * self.verticalHeader().defaultSectionSize())
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setStretchLastSection(True)
        state.standing_changed.connect(self._show_rounds)
        state.round_chosen.connect(self._show_chosen)
        self.itemSelectionChanged.connect(self._tell)
        self._show_rounds()

    def text_at(self, row: int, column: str) -> str:
        """What stands in a cell, by the title of its column."""
        item = self.item(row, COLUMNS.index(column))
        return "" if item is None else item.text()

    def _show_rounds(self) -> None:
        standing = self._state.standing
        rounds = () if standing is None else standing.rounds[::-1]
        with QSignalBlocker(self):
            self.setRowCount(len(rounds))
            for row, each in enumerate(rounds):
                tips = _tips(each)
                for column, text in enumerate(_cells(each)):
                    item = QTableWidgetItem(text)
                    item.setData(Qt.ItemDataRole.UserRole, each.number)
                    item.setToolTip(tips[column])
                    self.setItem(row, column, item)
        self._show_chosen()

    def _show_chosen(self) -> None:
        shown = self._state.shown_round
        with QSignalBlocker(self):
            for row in range(self.rowCount()):
                item = self.item(row, 0)
                number = None if item is None else item.data(Qt.ItemDataRole.UserRole)
                if shown is not None and number == shown.number:
                    self.selectRow(row)

    def _tell(self) -> None:
        item = self.item(self.currentRow(), 0)
        if item is not None:
            self.round_wanted.emit(item.data(Qt.ItemDataRole.UserRole))


def _cells(each: "RoundRecord") -> tuple[str, ...]:
    from engine.loop.standing import CORRECTIONS, MEAN_DICE

    return (
        str(each.number),
        _SIGNS.get(each.fate, _REFUSED),
        change_text(each.values(MEAN_DICE), 3),
        change_text(each.values(CORRECTIONS), 0),
        str(len(each.studies)),
        local_time(each.at),
    )


def _tips(each: "RoundRecord") -> tuple[str, ...]:
    corrections = "On 100 slices of the locked patients, by the active model and the candidate"
    return (
        each.candidate,
        "\n".join(each.verdict.reasons),
        "Of the locked patients, by the active model and the candidate",
        corrections,
        ", ".join(each.studies),
        each.at,
    )


def local_time(at: str) -> str:
    """A time of the history, as the reader's clock shows it."""
    try:
        return datetime.fromisoformat(at).astimezone().strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return at


def change_text(values: tuple[float | None, float | None], digits: int) -> str:
    """A measure before and after."""
    before, after = ("–" if value is None else f"{value:.{digits}f}" for value in values)
    return f"{before} → {after}"
