"""Dice, distance and millilitres of two readings, slice by slice and structure by structure."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    QSize,
    QSortFilterProxyModel,
    Qt,
    Signal,
)
from PySide6.QtGui import QFont, QKeyEvent
from PySide6.QtWidgets import QHeaderView, QTableView, QWidget

from heartseg_gui.widgets.row_tables import dress_rows

if TYPE_CHECKING:
    from engine.clinical.reading_comparison import SliceDifference

_Index = QModelIndex | QPersistentModelIndex
_SORT = Qt.ItemDataRole.UserRole
COLUMNS = ("Where", "Structure", "Dice", "HD mm", "Diff. ml", "1st ml", "2nd ml")
_TIPS = (
    "Phase and slice",
    "Structure",
    "2 |A and B| / (|A| + |B|)",
    "Hausdorff: the largest distance of the outlines [mm]",
    "Second minus first [ml]",
    "Volume in the first reading [ml]",
    "Volume in the second reading [ml]",
)
_UNKNOWN = "–"


class DifferenceModel(QAbstractTableModel):
    """The rows of a comparison."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.rows: tuple[SliceDifference, ...] = ()
        self._names: dict[int, str] = {}
        self._bold = QFont(parent.font())
        self._bold.setBold(True)

    def show_rows(self, rows: "Sequence[SliceDifference]", phase_names: dict[int, str]) -> None:
        """Show other rows.

        Args:
            rows: What to show.
            phase_names: What phases are called, for those that have a name: ED, ES.
        """
        self.beginResetModel()
        self.rows, self._names = tuple(rows), phase_names
        self.endResetModel()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008  (Qt's signature)
        """How many rows there are."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        """As many as have a title."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(
        self, section: int, way: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Titles of the columns."""
        if way != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.ToolTipRole:
            return _TIPS[section]
        return COLUMNS[section] if role == Qt.ItemDataRole.DisplayRole else None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """A cell: its text, what it is sorted by, how it is written."""
        if not index.isValid():
            return None
        row, column = self.rows[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(row, column)
        if role == _SORT:
            return self._value(row, column)
        if role == Qt.ItemDataRole.TextAlignmentRole and column > 1:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if role == Qt.ItemDataRole.FontRole and row.slice_index is None:
            return self._bold
        return None

    def _text(self, row: "SliceDifference", column: int) -> str:
        phase = self._names.get(row.phase, f"Phase {row.phase + 1}")
        where = phase if row.slice_index is None else f"{phase}, slice {row.slice_index + 1}"
        distance = _UNKNOWN if row.hausdorff_mm is None else f"{row.hausdorff_mm:.1f}"
        return (
            where,
            row.structure.short_title,
            f"{row.dice:.3f}",
            distance,
            f"{row.difference_ml:+.1f}".replace("-", "−"),
            f"{row.first_ml:.1f}",
            f"{row.second_ml:.1f}",
        )[column]

    def _value(self, row: "SliceDifference", column: int) -> float:
        place = 10_000 * row.phase + 10 * (-1 if row.slice_index is None else row.slice_index)
        return (
            float(place + row.structure),
            float(row.structure),
            row.dice,
            -1.0 if row.hausdorff_mm is None else row.hausdorff_mm,
            abs(row.difference_ml),  # the worst first, whichever way
            row.first_ml,
            row.second_ml,
        )[column]


class DifferenceTable(QTableView):
    """A table that is sorted by a click on a title, and goes to a slice by a click on a row.

    Signals:
        place_wanted: Phase and slice of a row, 0-based; the slice None for a whole phase.
        place_chosen: The same, by Return or a double click: work on it.
    """

    place_wanted = Signal(object, object)
    place_chosen = Signal(object, object)

    def __init__(self, name: str, *, sorted_by: int = 0, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = DifferenceModel(self)
        self._order = QSortFilterProxyModel(self)
        self._order.setSourceModel(self._model)
        self._order.setSortRole(_SORT)
        self.setModel(self._order)
        self.setSortingEnabled(True)
        descending = Qt.SortOrder.DescendingOrder
        first = descending if sorted_by else Qt.SortOrder.AscendingOrder
        self.sortByColumn(sorted_by, first)
        dress_rows(self, name, row_room_px=9)
        header = self.horizontalHeader()
        header.setMinimumSectionSize(header.fontMetrics().horizontalAdvance("Diff. ml") + 12)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        for column in (0, 1):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.clicked.connect(self._tell_wanted)
        self.doubleClicked.connect(self._tell_chosen)
        self.selectionModel().currentRowChanged.connect(self._tell_wanted)

    @property
    def rows(self) -> "tuple[SliceDifference, ...]":
        """The rows in the order of the screen."""
        order = self._order
        shown = (order.mapToSource(order.index(n, 0)).row() for n in range(order.rowCount()))
        return tuple(self._model.rows[number] for number in shown)

    def show_rows(self, rows: "Sequence[SliceDifference]", phase_names: dict[int, str]) -> None:
        """Show other rows; see `DifferenceModel.show_rows`."""
        self._model.show_rows(rows, phase_names)

    def text_at(self, row: int, column: int) -> str:
        """What stands in a cell, in the order of the screen."""
        return str(self._order.index(row, column).data())

    def minimumSizeHint(self) -> QSize:
        """The title and three rows."""
        return QSize(240, 4 * self.verticalHeader().defaultSectionSize())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Work on the marked slice with Return."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._tell_chosen(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def _tell_wanted(self, index: QModelIndex) -> None:
        if index.isValid():
            row = self._model.rows[self._order.mapToSource(index).row()]
            self.place_wanted.emit(row.phase, row.slice_index)

    def _tell_chosen(self, index: QModelIndex) -> None:
        if index.isValid():
            row = self._model.rows[self._order.mapToSource(index).row()]
            self.place_chosen.emit(row.phase, row.slice_index)
