"""How every table of whole rows looks: no grid, no row numbers, titles on the left."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QTableView

_ROWS = QAbstractItemView.SelectionMode.SingleSelection


def dress_rows(
    table: QTableView,
    name: str,
    *,
    row_room_px: int | None = None,
    selection: QAbstractItemView.SelectionMode = _ROWS,
) -> None:
    """Give a table that look; the Tab key leaves it.

    Args:
        table: With its columns; whoever calls says how wide they are.
        name: What screen readers say.
        row_room_px: Height of a row beside its letters [px]; None for Qt's own height.
        selection: How many rows can be chosen.
    """
    table.setAccessibleName(name)
    table.setShowGrid(False)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(selection)
    table.setTabKeyNavigation(False)
    table.verticalHeader().hide()
    if row_room_px is not None:
        height_px = table.fontMetrics().height() + row_room_px
        table.verticalHeader().setDefaultSectionSize(height_px)
    header = table.horizontalHeader()
    header.setHighlightSections(False)
    header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
