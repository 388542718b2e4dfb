"""The discs from base to apex at end diastole and end systole."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from engine.structures import Structure
from heartseg_gui.documents.quantity_state import QuantityState

_COLUMNS = ("Slice", "LV\nED", "LV\nES", "Wall\nED", "Wall\nES", "RV\nED", "RV\nES")
_STRUCTURES = (Structure.LV, Structure.MYOCARDIUM, Structure.RV)


class SliceTable(QTableWidget):
    """Volumes of the discs [ml]; a click on a number goes to its slice and phase.

    Signals:
        place_wanted: Show this slice, (phase, slice).
    """

    place_wanted = Signal(int, int)

    def __init__(self, state: QuantityState, parent: QWidget | None = None) -> None:
        super().__init__(0, len(_COLUMNS), parent)
        self._state = state
        self.setHorizontalHeaderLabels(_COLUMNS)
        self.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QTableWidget.SelectionMode.SingleSelection)
        self.verticalHeader().hide()
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.setAccessibleName("Volumes of the slices, base first, in ml")
        self.cellActivated.connect(self._tell)
        self.cellClicked.connect(self._tell)

    def show_state(self) -> None:
        """Write the discs that count; a dash where one is drawn and left out."""
        measured, order = self._state.measured, self._state.slices_from_base()
        self.setRowCount(0 if measured is None else len(order))
        if measured is None:
            return
        choice = measured.volumes.choice
        for row, z in enumerate(order):
            self._write(row, 0, str(z + 1), None)
            for column, (structure, phase) in enumerate(
                [(each, phase) for each in _STRUCTURES for phase in (choice.ed, choice.es)], 1
            ):
                text = ""
                if phase is not None:
                    volume_ml = self._state.slice_ml(phase, z, structure)
                    left_out = (
                        structure is not Structure.RV and not measured.volumes.counted[phase, z]
                    )
                    text = "left out" if left_out else f"{volume_ml:.1f}" if volume_ml else ""
                self._write(row, column, text, None if phase is None else (phase, z))

    def _write(self, row: int, column: int, text: str, place: tuple[int, int] | None) -> None:
        item = QTableWidgetItem(text)
        item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        item.setData(Qt.ItemDataRole.UserRole, place)
        self.setItem(row, column, item)

    def _tell(self, row: int, column: int) -> None:
        item = self.item(row, column)
        place = None if item is None else item.data(Qt.ItemDataRole.UserRole)
        if place is not None:
            self.place_wanted.emit(*place)
