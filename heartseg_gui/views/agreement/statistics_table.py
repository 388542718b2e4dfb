"""Bias, limits, correlations and tests: a row for all patients and for each group."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, QSize, Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from heartseg_gui.widgets.row_tables import dress_rows

if TYPE_CHECKING:
    from engine.scoring.agreement_summary import AgreementSummary

_UNKNOWN = "–"
_COLUMNS = (
    ("Patients", "All, or those of a group"),
    ("n", "Pairs"),
    ("Bias", "Mean difference, with its 95 % confidence interval"),
    ("SD", "Standard deviation of the differences"),
    ("Lower limit", "Bias less the SDs, with its 95 % confidence interval"),
    ("Upper limit", "Bias plus the SDs, with its 95 % confidence interval"),
    ("r", "Pearson's correlation"),
    ("R²", "Its square"),
    ("CCC", "Concordance correlation (Lin)"),
    ("ICC", "Intraclass correlation ICC(2,1): two-way random, absolute agreement, one reading"),
    ("p (t)", "Paired t test: is there a bias?"),
    ("p (W)", "Wilcoxon's signed-rank test: the same without a normal distribution"),
    ("p (slope)", "Does the difference grow with the mean?"),
)


class StatisticsTable(QTableWidget):
    """The numbers of the plots above; a click on a row shows its group alone.

    Signals:
        group_wanted: "" for all patients.
    """

    group_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, len(_COLUMNS), parent)
        self._groups: list[str] = []
        dress_rows(self, "Statistics of agreement", row_room_px=9)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setStretchLastSection(True)
        for column, (title, tip) in enumerate(_COLUMNS):
            item = QTableWidgetItem(title)
            item.setToolTip(tip)
            self.setHorizontalHeaderItem(column, item)
        self.itemSelectionChanged.connect(self._tell_group)

    def show_summaries(self, summaries: "Sequence[AgreementSummary]", group: str) -> None:
        """Show other numbers.

        Args:
            summaries: Of all patients, then of each group.
            group: Which row is marked.
        """
        with QSignalBlocker(self):
            self._groups = [each.group for each in summaries]
            self.setRowCount(len(summaries))
            for row, summary in enumerate(summaries):
                for column, (text, tip) in enumerate(_cells(summary)):
                    self.setItem(row, column, self._item(text, tip, bold=not summary.group))
            self.clearSelection()
            if group in self._groups:
                self.selectRow(self._groups.index(group))

    def text_at(self, row: int, column: str) -> str:
        """What stands in a cell, by the title of its column."""
        titles = [title for title, _ in _COLUMNS]
        item = self.item(row, titles.index(column))
        assert item is not None
        return item.text()

    def minimumSizeHint(self) -> QSize:
        """The title and two rows."""
        return QSize(240, 3 * self.verticalHeader().defaultSectionSize() + 8)

    def sizeHint(self) -> QSize:
        """The title and all rows, up to eight."""
        rows = min(8, max(2, self.rowCount()))
        return QSize(600, (rows + 1) * self.verticalHeader().defaultSectionSize() + 12)

    def _item(self, text: str, tip: str, *, bold: bool) -> QTableWidgetItem:
        item = QTableWidgetItem(text)
        item.setToolTip(tip)
        if bold:
            font = QFont(self.font())
            font.setBold(True)
            item.setFont(font)
        return item

    def _tell_group(self) -> None:
        rows = self.selectionModel().selectedRows()
        if rows:
            self.group_wanted.emit(self._groups[rows[0].row()])


def _cells(summary: "AgreementSummary") -> list[tuple[str, str]]:
    """Text and tooltip of each column."""
    found, intervals, tests = summary.agreement, summary.intervals, summary.tests
    t_tip = "" if tests.t is None else f"t = {_plain(tests.t, 3)}, {tests.t_freedom} d.f."
    w_tip = "" if tests.wilcoxon_w is None else f"W = {tests.wilcoxon_w:g}"
    slope_tip = "" if tests.slope is None else f"Slope {_plain(tests.slope, 3)}"
    return [
        (summary.group or "All", ""),
        (str(found.count), ""),
        (_signed(found.bias), _range(found.bias_interval, 1)),
        (_plain(found.sd, 1), ""),
        (_signed(found.lower_limit), _range(found.lower_limit_interval, 1)),
        (_signed(found.upper_limit), _range(found.upper_limit_interval, 1)),
        (_plain(found.pearson_r, 3), _range(intervals.pearson_r, 3)),
        (_plain(found.r_squared, 3), ""),
        (_plain(found.ccc, 3), _range(intervals.ccc, 3)),
        (_plain(found.icc_2_1, 3), _range(intervals.icc_2_1, 3)),
        (_chance(tests.t_p), t_tip),
        (_chance(tests.wilcoxon_p), w_tip),
        (_chance(tests.slope_p), slope_tip),
    ]


def _plain(value: float | None, digits: int) -> str:
    return _UNKNOWN if value is None else f"{value:.{digits}f}".replace("-", "−")


def _signed(value: float | None) -> str:
    return _UNKNOWN if value is None else f"{value:+.1f}".replace("-", "−")


def _range(interval: tuple[float, float] | None, digits: int) -> str:
    if interval is None:
        return ""
    return f"95 %: {_plain(interval[0], digits)} to {_plain(interval[1], digits)}"


def _chance(p: float | None) -> str:
    if p is None:
        return _UNKNOWN
    return "< 0.001" if p < 0.001 else f"{p:.3f}"
