"""A model in a list: its title, its licence, its scores, or why it cannot be used."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QApplication, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from heartseg_gui.theme import colours_of

if TYPE_CHECKING:
    from engine.learning.survey import ListedModel

_Index = QModelIndex | QPersistentModelIndex
_LINES = Qt.ItemDataRole.UserRole
_MARGIN = 7
_ROOT = QModelIndex()


def breakable(text: str) -> str:
    """The text with places in long paths where a line may end."""
    return text.replace("/", "/\u200b").replace("\\", "\\\u200b")


def details_of(model: "ListedModel") -> list[str]:
    """What stands below a model's title, line by line."""
    if model.fault is not None:
        return ["Cannot be used" + (f": {model.name}" if model.name != model.title else "")]
    lines = [model.licence]
    if model.noncommercial:
        lines.append("Not for commercial use")
    if model.headline:
        lines.append(model.headline)
    if model.place.origin == "user":
        lines.insert(0, f"Your own: {model.name}")
    return lines


class ModelRows(QAbstractListModel):
    """The models for a list or a combo box; those that cannot be used cannot be chosen there.

    Args:
        all_choosable: Whether even those can be selected, to read why.
    """

    def __init__(self, *, all_choosable: bool = False) -> None:
        super().__init__()
        self._models: Sequence[ListedModel] = ()
        self._all_choosable = all_choosable

    def show_models(self, models: Sequence["ListedModel"]) -> None:
        """Show these."""
        self.beginResetModel()
        self._models = models
        self.endResetModel()

    def rowCount(self, _parent: _Index = _ROOT) -> int:
        """How many."""
        return len(self._models)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Title, lines below it, and all of it for screen readers."""
        model = self._models[index.row()]
        lines = details_of(model)
        if role == Qt.ItemDataRole.DisplayRole:
            return model.title
        if role == _LINES:
            return lines
        if role == Qt.ItemDataRole.ToolTipRole and model.fault is not None:
            return f"{model.fault.what}\n{model.fault.hint}"
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join((model.title, *lines))
        return None

    def flags(self, index: _Index) -> Qt.ItemFlag:
        """Whether a model can be chosen."""
        flags = Qt.ItemFlag.ItemNeverHasChildren
        if self._all_choosable or self._models[index.row()].usable:
            flags |= Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return flags


class ModelRowPainter(QStyledItemDelegate):
    """Paints a row: the title, then its lines, smaller and paler."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Draw the row's background as the style has it, then the text."""
        self.initStyleOption(option, index)
        title, option.text = option.text, ""
        style = option.widget.style() if option.widget else QApplication.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, option, painter, option.widget)
        colours = colours_of(option.palette)
        enabled = bool(option.state & QStyle.StateFlag.State_Enabled)
        colour = colours.text if enabled else colours.muted
        place = option.rect.adjusted(_MARGIN + 3, _MARGIN, -_MARGIN - 3, -_MARGIN)
        painter.save()
        top = self._line(painter, place, place.top(), title, option.font, colour)
        for line in index.data(_LINES):
            top = self._line(painter, place, top, line, _smaller(option.font), colours.muted)
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        """Room for all lines as they are."""
        self.initStyleOption(option, index)
        large, small = QFontMetrics(option.font), QFontMetrics(_smaller(option.font))
        lines = index.data(_LINES)
        width = max([large.horizontalAdvance(option.text), *map(small.horizontalAdvance, lines)])
        height = large.height() + len(lines) * small.height()
        return QSize(width + 2 * _MARGIN + 10, height + 2 * _MARGIN)

    def _line(
        self, painter: QPainter, place: QRect, top: int, text: str, font: QFont, colour: str
    ) -> int:
        """Draw a line, shortened where there is no room; returns where the next one begins."""
        metrics = QFontMetrics(font)
        painter.setFont(font)
        painter.setPen(QColor(colour))
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, place.width())
        painter.drawText(place.left(), top + metrics.ascent(), shown)
        return top + metrics.height()


def _smaller(font: QFont) -> QFont:
    small = QFont(font)
    small.setPointSizeF(max(1.0, font.pointSizeF() * 0.9))
    return small
