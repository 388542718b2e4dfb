"""Lists of places to go to: a picture, a heading, a sentence, and perhaps a number."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFont, QKeyEvent, QPainter, QPen, QPixmap, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from heartseg_gui.theme import colours_of

_Index = QModelIndex | QPersistentModelIndex
_ROW = Qt.ItemDataRole.UserRole
_PAD_PX = 6
_GAP_PX = 8
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a list.

    Attributes:
        key: What the line stands for.
        title: In bold, beside it `figure` on the right.
        text: Below, as long as it needs to be.
        figure: A number with its unit, or empty.
        picture: Draws the picture on the left when the line is first seen, or None.
        strong: The colour of the figure: whether it deserves a look.
        faded: Whether it is over and done with.
        tip: More words, when the mouse rests on it.
    """

    key: object
    title: str
    text: str = ""
    figure: str = ""
    picture: Callable[[], QPixmap] | None = field(default=None, compare=False)
    strong: bool = False
    faded: bool = False
    tip: str = ""


class RowModel(QAbstractListModel):
    """The lines of a list."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.rows: tuple[Row, ...] = ()

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Show other lines."""
        self.beginResetModel()
        self.rows = tuple(rows)
        self.endResetModel()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008  (Qt's signature)
        """How many lines there are."""
        return 0 if parent.isValid() else len(self.rows)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """A line, or its words for those who do not see it."""
        if not index.isValid() or index.row() >= len(self.rows):
            return None
        row = self.rows[index.row()]
        if role == _ROW:
            return row
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return " ".join(filter(None, (row.title, row.figure, row.text)))
        if role == Qt.ItemDataRole.ToolTipRole:
            return row.tip or None
        return None


class RowPainter(QStyledItemDelegate):
    """Draws lines; as high as their words need."""

    def __init__(self, parent: QListView, *, picture_px: int) -> None:
        super().__init__(parent)
        self._view = parent
        self._picture_px = picture_px
        self._pictures: dict[object, QPixmap] = {}

    def forget(self) -> None:
        """Draw all pictures anew."""
        self._pictures.clear()

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        """The width of the list, and the height of the words or the picture."""
        row = index.data(_ROW)
        width = self._view.viewport().width()
        if not isinstance(row, Row):
            return QSize(width, 0)
        height = option.fontMetrics.height()
        if row.text:
            room = QRect(0, 0, width - self._left(row) - _PAD_PX, 10_000)
            words = option.fontMetrics.boundingRect(room, Qt.TextFlag.TextWordWrap, row.text)
            height += words.height() + 2
        picture = self._picture_px if row.picture else 0
        return QSize(width, max(height, picture) + 2 * _PAD_PX)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Draw one line."""
        row = index.data(_ROW)
        if not isinstance(row, Row):
            return
        colours = colours_of(self._view.palette())
        area, state = option.rect, option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        chosen = bool(state & QStyle.StateFlag.State_Selected)
        hovered = bool(state & QStyle.StateFlag.State_MouseOver)
        if chosen or hovered:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colours.accent_soft if chosen else colours.hover))
            painter.drawRoundedRect(area.adjusted(1, 1, -1, -1), 6, 6)
        if chosen and self._view.hasFocus():
            painter.setPen(QPen(QColor(colours.accent), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(area.adjusted(1, 1, -2, -2), 6, 6)
        self._paint_picture(painter, area, row)
        title = QFont(option.font)
        title.setBold(not row.faded)
        inks = (colours.faint if row.faded else colours.text, colours.muted)
        self._paint_words(painter, area, row, (title, option.font), inks)
        if row.figure:
            ink = colours.warning if row.strong and not row.faded else inks[0]
            self._paint_figure(painter, area, row, title, ink)
        painter.restore()

    def _paint_words(
        self,
        painter: QPainter,
        area: QRect,
        row: Row,
        fonts: tuple[QFont, QFont],
        inks: tuple[str, str],
    ) -> None:
        left = area.left() + self._left(row)
        top, right = area.top() + _PAD_PX, area.right() - _PAD_PX
        for font, ink, text, wraps in zip(
            fonts, inks, (row.title, row.text), (False, True), strict=True
        ):
            painter.setFont(font)
            painter.setPen(QColor(ink))
            room = QRect(left, top, right - left + 1, area.bottom() - top)
            flags = Qt.TextFlag.TextWordWrap if wraps else Qt.TextFlag.TextSingleLine
            painter.drawText(room, int(flags) | int(Qt.AlignmentFlag.AlignTop), text)
            top += painter.fontMetrics().height() + 1

    def _paint_figure(
        self, painter: QPainter, area: QRect, row: Row, font: QFont, ink: str
    ) -> None:
        painter.setFont(font)
        painter.setPen(QColor(ink))
        room = area.adjusted(0, _PAD_PX, -_PAD_PX, 0)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop
        painter.drawText(room, int(right), row.figure)

    def _paint_picture(self, painter: QPainter, area: QRect, row: Row) -> None:
        if row.picture is None:
            return
        if row.key not in self._pictures:
            self._pictures[row.key] = row.picture()
        pixmap = self._pictures[row.key]
        at = QPoint(area.left() + _PAD_PX, area.top() + _PAD_PX)
        painter.setOpacity(0.45 if row.faded else 1.0)
        painter.drawPixmap(at, pixmap)
        painter.setOpacity(1.0)

    def _left(self, row: Row) -> int:
        return _PAD_PX + (self._picture_px + _GAP_PX if row.picture else 0)


class RowList(QListView):
    """A list whose lines are gone to by a click, Return or Space.

    Signals:
        chosen: The key of the line.
        marked: The key of the line that the keys or the mouse have reached, or None.
    """

    chosen = Signal(object)
    marked = Signal(object)

    def __init__(self, name: str, *, picture_px: int = 0, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = RowModel(self)
        self._painter = RowPainter(self, picture_px=picture_px)
        self.setModel(self._model)
        self.setItemDelegate(self._painter)
        self.setAccessibleName(name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.clicked.connect(self._tell_chosen)
        self.selectionModel().currentChanged.connect(self._tell_marked)

    @property
    def rows(self) -> tuple[Row, ...]:
        """The lines that are shown."""
        return self._model.rows

    @property
    def current(self) -> Row | None:
        """The line that is marked."""
        row = self.currentIndex().data(_ROW)
        return row if isinstance(row, Row) else None

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Show other lines; the marked one stays marked where it is still there."""
        if tuple(rows) == self._model.rows:
            return
        before = self.current
        scrolled = self.verticalScrollBar().value()
        self._model.show_rows(rows)
        if before is not None:
            self.mark(before.key)
        self.verticalScrollBar().setValue(scrolled)
        self.marked.emit(self.current.key if self.current else None)

    def mark(self, key: object) -> None:
        """Mark the line of a key, without going there."""
        for number, row in enumerate(self._model.rows):
            if row.key == key:
                self.setCurrentIndex(self._model.index(number))
                return

    def draw_again(self) -> None:
        """Draw all pictures anew, because what they show has changed."""
        self._painter.forget()
        self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go to the marked line with Return or Space."""
        if event.key() in _ENTER and self.current is not None:
            self.chosen.emit(self.current.key)
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Break the words anew."""
        super().resizeEvent(event)
        self.scheduleDelayedItemsLayout()

    def _tell_chosen(self, index: QModelIndex) -> None:
        row = index.data(_ROW)
        if isinstance(row, Row):
            self.chosen.emit(row.key)

    def _tell_marked(self, _index: QModelIndex, _before: QModelIndex) -> None:
        self.marked.emit(self.current.key if self.current else None)
