"""The chosen trainings beside the tables of their papers."""

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from heartseg_gui.documents.experiments import ExperimentsState
from heartseg_gui.widgets.row_tables import dress_rows

if TYPE_CHECKING:
    from engine.experiments.run_beside import Beside
    from engine.learning.measured import Measured
    from engine.learning.published import PublishedValue

_NOT_CHOSEN = "Choose one training or more to set them beside the numbers that their paper prints."
_READING = "Reading scores…"
_NONE = (
    "The recipes of these trainings name no paper whose numbers are known, or no patients were "
    "held out to score them on."
)


class BesideTab(QWidget):
    """Ours and the printed numbers in columns; what is wrong with a printed one is said.

    Signals:
        numbers_wanted: The chosen trainings are to be set beside their papers.
    """

    numbers_wanted = Signal()

    def __init__(self, state: ExperimentsState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.paper, self._note, self._remarks = QComboBox(), QLabel(), QTextBrowser()
        self.table = QTableWidget()
        self.paper.setAccessibleName("Paper")
        self.paper.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._note.setProperty("role", "caption")
        self._note.setWordWrap(True)
        self._remarks.setMaximumHeight(7 * self.fontMetrics().lineSpacing())
        self._remarks.setAccessibleName("What to mind")
        self._remarks.setTabChangesFocus(True)
        self._dress_table()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 8, 0, 0)
        layout.addWidget(self.paper, alignment=Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self._note)
        layout.addWidget(self.table, stretch=1)
        layout.addWidget(self._remarks)
        layout.addStretch()
        state.beside_changed.connect(self._show_papers)
        state.chosen_changed.connect(self._ask)
        self.paper.currentIndexChanged.connect(self._show_table)
        self._show_papers()

    def showEvent(self, event: QShowEvent) -> None:
        """Ask for the numbers: they are read only for somebody who looks."""
        super().showEvent(event)
        self._ask()

    def text_at(self, row: int, column: int) -> str:
        """What stands in a cell."""
        item = self.table.item(row, column)
        return "" if item is None else item.text()

    def _ask(self) -> None:
        if self.isVisible():
            self.numbers_wanted.emit()

    def _show_papers(self) -> None:
        beside = self._state.beside
        with QSignalBlocker(self.paper):
            self.paper.clear()
            self.paper.addItems([each.cite for each in beside or ()])
        self.paper.setVisible(len(beside or ()) > 1)
        there = bool(beside)
        self.table.setVisible(there)
        self._remarks.setVisible(there)
        self._note.setVisible(not there)
        unknown = _READING if beside is None else _NONE
        self._note.setText(unknown if self._state.chosen else _NOT_CHOSEN)
        self._show_table()

    def _show_table(self) -> None:
        beside, number = self._state.beside, self.paper.currentIndex()
        if beside and 0 <= number < len(beside):
            self._fill(beside[number])

    def _fill(self, beside: "Beside") -> None:
        headings = [f"{beside.cite}\nMeasure"]
        for run in beside.runs:
            printed = f"printed\n{run.printed_as}" if run.printed_as else "printed\n(not there)"
            headings += [f"{run.name}\nours", printed]
        self.table.clear()
        self.table.setColumnCount(len(headings))
        self.table.setHorizontalHeaderLabels(headings)
        self.table.setRowCount(len(beside.rows))
        errata: list[str] = []
        for number, row in enumerate(beside.rows):
            first = QTableWidgetItem(row.heading)
            first.setToolTip(row.table)
            self.table.setItem(number, 0, first)
            for place, (ours, theirs) in enumerate(zip(row.ours, row.printed, strict=True)):
                self.table.setItem(
                    number, 2 * place + 1, _own_item(ours, theirs, whole=row.is_count)
                )
                self.table.setItem(
                    number, 2 * place + 2, _printed_item(theirs, errata, whole=row.is_count)
                )
        self._remarks.setHtml("<br>".join(_remarks(beside, errata)))

    def _dress_table(self) -> None:
        table = self.table
        dress_rows(table, "Ours beside the printed numbers", row_room_px=9)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        header = table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)


def _own_item(
    ours: "Measured | None", theirs: "PublishedValue | None", *, whole: bool
) -> QTableWidgetItem:
    value = None if ours is None else ours.value
    item = QTableWidgetItem("–" if value is None else _number(value, whole=whole))
    item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    lines = []
    if ours is not None and ours.low is not None and ours.high is not None:
        lines.append(f"95 %: {_number(ours.low)} to {_number(ours.high)}")
    if value is not None and theirs is not None and theirs.target is not None:
        difference = _number(value - theirs.target)
        lines.append(f"Ours less theirs: {difference}")
    item.setToolTip("\n".join(lines))
    return item


def _printed_item(
    value: "PublishedValue | None", errata: list[str], *, whole: bool
) -> QTableWidgetItem:
    """A printed number; one that is not to be believed as it stands has its note's number."""
    if value is None:
        return QTableWidgetItem("")
    text = _number(value.value, whole=whole)
    item = QTableWidgetItem(text)
    if value.erratum is not None:
        note = f"{value.erratum.kind.capitalize()}: {value.erratum.text}"
        if note not in errata:
            errata.append(note)
        item.setText(f"{text} ({errata.index(note) + 1})")
        item.setToolTip(note)
        font = item.font()
        font.setStrikeOut(value.target is None)
        item.setFont(font)
    item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return item


def _remarks(beside: "Beside", errata: Sequence[str]) -> list[str]:
    """What to mind, as lines of rich text; cautions about ours first."""
    lines = [
        f"<b>{escape(run.name)} is no result: {escape(run.caution)}.</b>"
        for run in beside.runs
        if run.caution
    ]
    lines += [f"({number}) {escape(note)}" for number, note in enumerate(errata, start=1)]
    return [*lines, *map(escape, beside.remarks)]


def _number(value: float, *, whole: bool = False) -> str:
    """A number for reading: the smaller, the more decimals; counts have none."""
    size = abs(value)
    if (whole or size >= 1000) and value == int(value):
        return f"{int(value):,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
    form = ".3g" if 0 < size < 0.05 else ".3f" if size <= 1 else ".2f" if size < 100 else ".1f"
    return format(value, form).replace("-", "−")
