"""The studies of a cohort in a table that sorts and filters."""

from pathlib import Path

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    QSize,
    QSortFilterProxyModel,
    Qt,
    Signal,
)
from PySide6.QtGui import QIcon, QKeyEvent, QPixmap
from PySide6.QtWidgets import QHeaderView, QTableView, QWidget

from heartseg_gui.documents.cohort_state import DONE, FAILED, WAITING, CohortRow, CohortState
from heartseg_gui.widgets.row_tables import dress_rows

_Index = QModelIndex | QPersistentModelIndex
_SORT = Qt.ItemDataRole.UserRole
_PICTURE_PX = 40
_STAMP = "stamp.png"
_HEADER_ROOM = 28  # beside a title, for its margins and the arrow of the order [pixels]
_ALL = ""
_STATUS, _REMARKS, _GROUP, _FIRST_VALUE = 1, 2, 3, 4
_VALUES = (
    ("LV EF %", "lv_ef_percent", 0),
    ("LV EDV ml", "lv_edv_ml", 0),
    ("LV ESV ml", "lv_esv_ml", 0),
    ("LV mass g", "lv_mass_g", 0),
    ("RV EF %", "rv_ef_percent", 0),
    ("RV EDV ml", "rv_edv_ml", 0),
)
COLUMNS = ("Study", "Status", "Remarks", "Group", *(title for title, _, _ in _VALUES), "Labels by")
_LETTERS = (29, 11, 22, 8, *(9 for _ in _VALUES), 20)
_SIGNS = {WAITING: "○ waiting", DONE: "● done", FAILED: "▲ failed"}
_RANKS = {FAILED: 0, WAITING: 1, DONE: 2}


class CohortModel(QAbstractTableModel):
    """The rows of a cohort, which change one by one while the work goes on."""

    def __init__(self, state: CohortState, parent: QWidget) -> None:
        super().__init__(parent)
        self._state = state
        self._icons: dict[Path, QIcon] = {}
        state.rows_changed.connect(self._start_anew)
        state.row_changed.connect(self._renew_row)

    def row(self, number: int) -> CohortRow:
        """A study by its number."""
        return self._state.rows[number]

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008  (Qt's signature)
        """How many studies there are."""
        return 0 if parent.isValid() else len(self._state.rows)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        """As many as have a title."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(
        self, section: int, way: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Titles of the columns."""
        titled = way == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole
        return COLUMNS[section] if titled else None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """A cell: its text, what it is sorted by, its picture."""
        if not index.isValid():
            return None
        row, column = self.row(index.row()), index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return _text(row, column)
        if role == _SORT:
            return _rank(row, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return _tip(row, column)
        if role == Qt.ItemDataRole.DecorationRole and column == 0:
            return self._icon(row)
        numbers = range(_FIRST_VALUE, _FIRST_VALUE + len(_VALUES))
        if role == Qt.ItemDataRole.TextAlignmentRole and column in numbers:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None

    def _icon(self, row: CohortRow) -> QIcon:
        """The stamp of a study; an empty one while there is none."""
        known = self._icons.get(row.folder)
        if known is None:
            pixmap = QPixmap(str(row.out / _STAMP)) if row.status == DONE else QPixmap()
            if pixmap.isNull():
                pixmap = QPixmap(_PICTURE_PX, _PICTURE_PX)
                pixmap.fill(Qt.GlobalColor.transparent)
            known = self._icons[row.folder] = QIcon(pixmap)
        return known

    def _start_anew(self) -> None:
        self.beginResetModel()
        self._icons.clear()
        self.endResetModel()

    def _renew_row(self, number: int) -> None:
        self._icons.pop(self.row(number).folder, None)
        self.dataChanged.emit(self.index(number, 0), self.index(number, len(COLUMNS) - 1))


def _remark(row: CohortRow) -> str:
    outcome = row.outcome
    if outcome is None:
        return ""
    if row.status == FAILED:
        return outcome.reason
    count = len(outcome.warnings)
    told = "" if not count else "1 warning" if count == 1 else f"{count} warnings"
    return ", ".join(filter(None, ("approved" if outcome.approved else "", told)))


def _value(row: CohortRow, column: int) -> float | None:
    key = _VALUES[column - _FIRST_VALUE][1]
    return None if row.outcome is None else row.outcome.values.get(key)


def _text(row: CohortRow, column: int) -> str:
    if _FIRST_VALUE <= column < _FIRST_VALUE + len(_VALUES):
        value = _value(row, column)
        digits = _VALUES[column - _FIRST_VALUE][2]
        return "" if value is None else f"{value:.{digits}f}"
    outcome = row.outcome
    group, reading = ("", "") if outcome is None else (outcome.group, outcome.reading)
    texts = {0: row.name, _STATUS: _SIGNS[row.status], _REMARKS: _remark(row), _GROUP: group}
    return texts.get(column, reading)


def _rank(row: CohortRow, column: int) -> object:
    if column == _STATUS:
        return _RANKS[row.status]
    if _FIRST_VALUE <= column < _FIRST_VALUE + len(_VALUES):
        value = _value(row, column)
        return float("-inf") if value is None else value
    if column == _REMARKS and row.outcome is not None and row.status == DONE:
        return f"{len(row.outcome.warnings):06}"
    return _text(row, column).casefold()


def _tip(row: CohortRow, column: int) -> str:
    if row.outcome is None or column != _REMARKS:
        return str(row.folder)
    if row.status == FAILED:
        return f"{row.outcome.reason}\n{row.outcome.hint}"
    return "\n".join(row.outcome.warnings) or str(row.folder)


class _Filter(QSortFilterProxyModel):
    """Lets through what holds a text and has a status."""

    def __init__(self, model: CohortModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._model = model
        self._words: tuple[str, ...] = ()
        self._status = _ALL
        self.setSourceModel(model)
        self.setSortRole(_SORT)

    def show_only(self, text: str, status: str) -> None:
        """Studies that have every word of a text somewhere in their line, and a status."""
        self._words, self._status = tuple(text.casefold().split()), status
        self.invalidate()

    def filterAcceptsRow(self, number: int, _parent: _Index) -> bool:  # noqa: N802
        """Whether a study is shown."""
        row = self._model.row(number)
        if self._status not in (_ALL, row.status):
            return False
        line = " ".join(_text(row, column) for column in range(len(COLUMNS))).casefold()
        return all(word in line for word in self._words)


class CohortTable(QTableView):
    """A click on a title sorts; Return or a double click opens a study.

    Signals:
        study_chosen: The folder of a study.
    """

    study_chosen = Signal(Path)

    def __init__(self, state: CohortState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._source = CohortModel(state, self)
        self._order = _Filter(self._source, self)
        self.setModel(self._order)
        self.setSortingEnabled(True)
        self.sortByColumn(0, Qt.SortOrder.AscendingOrder)
        dress_rows(self, "Studies of the cohort")
        self.setWordWrap(False)
        self.setIconSize(QSize(_PICTURE_PX, _PICTURE_PX))
        self.verticalHeader().setDefaultSectionSize(_PICTURE_PX + 6)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setStretchLastSection(True)
        letters = self.fontMetrics()
        for column, (title, count) in enumerate(zip(COLUMNS, _LETTERS, strict=True)):
            least = header.fontMetrics().horizontalAdvance(title) + _HEADER_ROOM
            self.setColumnWidth(column, max(least, count * letters.averageCharWidth()))
        self.doubleClicked.connect(self._tell_chosen)

    def show_only(self, text: str, status: str) -> None:
        """Show studies with every word of a text, and a status; "" for all."""
        self._order.show_only(text, status)

    @property
    def names(self) -> list[str]:
        """The studies in the order of the screen."""
        return [self.text_at(number, COLUMNS[0]) for number in range(self._order.rowCount())]

    def text_at(self, row: int, column: str) -> str:
        """What stands in a cell, in the order of the screen, by the title of its column."""
        return str(self._order.index(row, COLUMNS.index(column)).data())

    def minimumSizeHint(self) -> QSize:
        """The title and three rows."""
        return QSize(240, 4 * self.verticalHeader().defaultSectionSize())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Open the marked study with Return."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._tell_chosen(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def _tell_chosen(self, index: QModelIndex) -> None:
        if index.isValid():
            self.study_chosen.emit(self._source.row(self._order.mapToSource(index).row()).folder)
