"""The trainings in a table that sorts, filters, and lets several be chosen."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QAbstractTableModel,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QRectF,
    QSignalBlocker,
    QSize,
    QSortFilterProxyModel,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFont, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from heartseg_gui.documents.experiments import ExperimentsState
from heartseg_gui.theme import colours_of
from heartseg_gui.views.experiments.run_cells import COLUMNS, TITLES, line_of
from heartseg_gui.views.experiments.run_colours import run_colour
from heartseg_gui.widgets.row_tables import dress_rows

if TYPE_CHECKING:
    from engine.experiments.run_record import RunRecord

_Index = QModelIndex | QPersistentModelIndex
_SORT = Qt.ItemDataRole.UserRole
_HEADER_ROOM = 28  # beside a title, for its margins and the arrow of the order [pixels]
_SWATCH_PX = 12


class RunModel(QAbstractTableModel):
    """The trainings; the chosen ones have the colours of their curves."""

    def __init__(self, state: ExperimentsState, parent: QWidget) -> None:
        super().__init__(parent)
        self._state, self._widget = state, parent
        self._chosen: dict[Path, int] = {}
        state.runs_changed.connect(self._start_anew)
        state.chosen_changed.connect(self._renew_colours)
        state.active_changed.connect(self._renew_colours)

    def run(self, number: int) -> "RunRecord":
        """A training by its number."""
        return self._state.records[number]

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008  (Qt's signature)
        """How many trainings there are."""
        return 0 if parent.isValid() else len(self._state.records)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        """As many as have a title."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(
        self, section: int, way: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Titles of the columns, and more words."""
        if way != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section].title
        return COLUMNS[section].tip if role == Qt.ItemDataRole.ToolTipRole else None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """A cell: its text, what it is sorted by, the colour of its curve."""
        if not index.isValid():
            return None
        run, column = self.run(index.row()), COLUMNS[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            text = column.text(run)
            return f"{text}  (active)" if self._is_active(run, index) else text.replace("\n", " ")
        if role == _SORT:
            return column.rank(run)
        if role == Qt.ItemDataRole.ToolTipRole:
            return _tip(run, column.title)
        if role == Qt.ItemDataRole.DecorationRole and index.column() == 0:
            return self._swatch(run)
        if role == Qt.ItemDataRole.FontRole and self._is_active(run, index):
            font = QFont(self._widget.font())
            font.setBold(True)
            return font
        if role == Qt.ItemDataRole.TextAlignmentRole and column.number:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None

    def _is_active(self, run: "RunRecord", index: _Index) -> bool:
        return index.column() == 0 and run.path == self._state.active

    def _swatch(self, run: "RunRecord") -> QIcon:
        """A dot in the colour of the curve; empty where none is drawn."""
        ratio = self._widget.devicePixelRatioF()
        picture = QPixmap(QSize(round(_SWATCH_PX * ratio), round(_SWATCH_PX * ratio)))
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        number = self._chosen.get(run.path)
        if number is not None:
            painter = QPainter(picture)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(run_colour(number, colours_of(self._widget.palette()))))
            painter.drawEllipse(QRectF(1, 1, _SWATCH_PX - 2, _SWATCH_PX - 2))
            painter.end()
        icon = QIcon()
        for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected):  # a chosen row must not tint it
            icon.addPixmap(picture, mode)
        return icon

    def _start_anew(self) -> None:
        self.beginResetModel()
        self._chosen = {run.path: number for number, run in enumerate(self._state.chosen)}
        self.endResetModel()

    def _renew_colours(self) -> None:
        self._chosen = {run.path: number for number, run in enumerate(self._state.chosen)}
        if self.rowCount():
            self.dataChanged.emit(self.index(0, 0), self.index(self.rowCount() - 1, 0))


def _tip(run: "RunRecord", title: str) -> str:
    if title == "Note" and (run.fault or run.notes.note):
        return run.fault or run.notes.note
    return str(run.path)


class _Filter(QSortFilterProxyModel):
    """Lets through what holds every word of a text, is in a state, and has a tag."""

    def __init__(self, model: RunModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._model = model
        self._words: tuple[str, ...] = ()
        self._state = self._tag = ""
        self.setSourceModel(model)
        self.setSortRole(_SORT)

    def show_only(self, text: str, state: str, tag: str) -> None:
        """See `RunTable.show_only`."""
        self._words, self._state, self._tag = tuple(text.casefold().split()), state, tag
        self.invalidate()

    def filterAcceptsRow(self, number: int, _parent: _Index) -> bool:  # noqa: N802
        """Whether a training is shown."""
        run = self._model.run(number)
        if self._state not in ("", run.state) or (self._tag and self._tag not in run.notes.tags):
            return False
        line = line_of(run) if self._words else ""
        return all(word in line for word in self._words)


class RunTable(QTableView):
    """A click on a title sorts; with Ctrl or Shift several trainings are chosen.

    Signals:
        runs_chosen: The folders of the chosen trainings, the current one last.
    """

    runs_chosen = Signal(object)

    def __init__(self, state: ExperimentsState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._source = RunModel(state, self)
        self._order = _Filter(self._source, self)
        self.setModel(self._order)
        self._dress()
        self.selectionModel().selectionChanged.connect(self._tell_chosen)
        state.runs_changed.connect(self._mark_chosen)
        state.chosen_changed.connect(self._mark_chosen)

    def _dress(self) -> None:
        self.setSortingEnabled(True)
        self.sortByColumn(TITLES.index("Started"), Qt.SortOrder.DescendingOrder)
        several = QAbstractItemView.SelectionMode.ExtendedSelection
        dress_rows(self, "Trainings", row_room_px=11, selection=several)
        self.setWordWrap(False)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setIconSize(QSize(_SWATCH_PX, _SWATCH_PX))
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        header = self.horizontalHeader()
        header.setSectionsMovable(True)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        letter = self.fontMetrics().averageCharWidth()
        for number, column in enumerate(COLUMNS):
            least = header.fontMetrics().horizontalAdvance(column.title) + _HEADER_ROOM
            self.setColumnWidth(number, max(least, column.letters * letter))

    @property
    def names(self) -> list[str]:
        """The trainings in the order of the screen."""
        return [self._run_at(number).name for number in range(self._order.rowCount())]

    def text_at(self, row: int, column: str) -> str:
        """What stands in a cell, in the order of the screen, by the title of its column."""
        return str(self._order.index(row, TITLES.index(column)).data())

    def show_only(self, text: str, state: str, tag: str) -> None:
        """Show trainings with every word of a text, in a state, with a tag; "" for all."""
        self._order.show_only(text, state, tag)
        self._mark_chosen()

    def choose_rows(self, rows: Sequence[int]) -> None:
        """Choose trainings by their place on the screen, the last one becomes the current."""
        model = self.selectionModel()
        flags = QItemSelectionModel.SelectionFlag
        with QSignalBlocker(model):
            model.clearSelection()
        for row in rows:
            index = self._order.index(row, 0)
            model.setCurrentIndex(index, flags.Select | flags.Rows)

    def minimumSizeHint(self) -> QSize:
        """The title and three rows."""
        return QSize(240, 4 * self.verticalHeader().defaultSectionSize())

    def _run_at(self, row: int) -> "RunRecord":
        return self._source.run(self._order.mapToSource(self._order.index(row, 0)).row())

    def _tell_chosen(self) -> None:
        rows = sorted(index.row() for index in self.selectionModel().selectedRows())
        current = self.currentIndex().row()
        if current in rows:
            rows = [*(row for row in rows if row != current), current]
        before = [run.path for run in self._state.chosen]
        paths = [self._run_at(row).path for row in rows]
        kept = [path for path in before if path in paths]  # a run keeps its colour
        self.runs_chosen.emit([*kept, *(path for path in paths if path not in kept)])

    def _mark_chosen(self) -> None:
        """Show the choice of the state, e.g. after the rows were read anew."""
        wanted = {run.path for run in self._state.chosen}
        flags = QItemSelectionModel.SelectionFlag
        model = self.selectionModel()
        shown = {self._run_at(index.row()).path for index in model.selectedRows()}
        if shown == wanted:
            return
        with QSignalBlocker(model):
            model.clearSelection()
            for row in range(self._order.rowCount()):
                if self._run_at(row).path in wanted:
                    model.select(self._order.index(row, 0), flags.Select | flags.Rows)
        self.viewport().update()
