"""What a paper printed, beside its recipe."""

from html import escape

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from engine.learning.published import PublishedValue, published_papers, published_rows
from engine.recipe import Recipe

_COLUMNS = ("What", "Printed", "")
_WARNING = "▲"


class PaperTable(QWidget):
    """Who published the system of a recipe, and the numbers that they printed for its task."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._heading = QLabel()
        self._heading.setWordWrap(True)
        self.table = QTableWidget(0, len(_COLUMNS))
        self.table.setHorizontalHeaderLabels(_COLUMNS)
        self.table.verticalHeader().hide()
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setShowGrid(False)
        self.table.setAccessibleName("Published results")
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(2, QHeaderView.ResizeMode.ResizeToContents)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._heading)
        layout.addWidget(self.table, stretch=100)
        layout.addStretch(1)

    def show_recipe(self, recipe: Recipe) -> None:
        """Show the paper of a recipe."""
        papers = published_papers()
        paper = papers.get(recipe.paper)
        self.table.setVisible(paper is not None)
        if paper is None:
            self._heading.setText(
                f"<b>{escape(recipe.title)}</b><br>{escape(recipe.description)}"
                "<br>No published result stands beside this recipe."
            )
            return
        self._heading.setText(
            f"<b>{escape(paper.cite)}</b>: {escape(paper.subject)}.<br>"
            f"Measured on {escape(paper.data)}."
        )
        self._heading.setToolTip("\n".join(paper.remarks))
        rows = [row for row in published_rows(recipe.paper) if row.task in ("", recipe.data.task)]
        self.table.setRowCount(len(rows))
        for number, row in enumerate(rows):
            self._show_row(number, row)
        self.table.resizeRowsToContents()

    def _show_row(self, number: int, row: PublishedValue) -> None:
        cells = (_subject(row), _value(row), _WARNING if row.erratum is not None else "")
        tip = row.table if row.erratum is None else f"{row.table}: {row.erratum.text}"
        for column, text in enumerate(cells):
            item = QTableWidgetItem(text)
            item.setToolTip(tip)
            if column == 1:
                item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.table.setItem(number, column, item)


def _subject(row: PublishedValue) -> str:
    """What a number is of, in words."""
    metric = row.metric.replace("_", " ")
    parts = (
        row.model, row.loss, row.criterion and f"criterion {row.criterion}", row.slices,
        row.phase, row.structure.replace("_", " "), row.quantity.replace("_", " "), metric,
        row.statistic,
    )  # fmt: skip
    return ", ".join(filter(None, parts))


def _value(row: PublishedValue) -> str:
    size = abs(row.value)
    text = f"{row.value:,.0f}" if size >= 1000 else f"{row.value:.4g}"
    return f"{text} {row.unit}".strip()
