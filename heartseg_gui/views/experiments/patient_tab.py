"""The patients that the current training held out, the worst first."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from heartseg_gui.documents.experiments import ExperimentsState
from heartseg_gui.widgets.row_tables import dress_rows

if TYPE_CHECKING:
    from engine.experiments.run_patients import RunPatient

_NOT_CHOSEN = "Choose a training to see the patients that it held out."
_READING = "Reading scores…"
_NONE = "This training held nobody out, or has not ended, so no patient was scored."
_STRUCTURES = (("lv", "Dice LV"), ("myocardium", "Dice myocardium"), ("rv", "Dice RV"))
_EF = (("lv", "LV EF"), ("rv", "RV EF"))


class PatientTab(QWidget):
    """Return or a double click opens a study in the viewer.

    Signals:
        patients_wanted: The patients of the current training are to be read.
        patient_chosen: Open the study of this name.
    """

    patients_wanted = Signal()
    patient_chosen = Signal(str)

    def __init__(self, state: ExperimentsState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._note, self.table = QLabel(), _PatientTable()
        self.open = QPushButton("Open in the viewer")
        self._note.setProperty("role", "caption")
        self._note.setWordWrap(True)
        self.open.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.open.setToolTip("Open the marked patient; so do Return and a double click")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 8, 0, 0)
        head = QHBoxLayout()
        head.addWidget(self._note, stretch=1)
        head.addWidget(self.open)
        layout.addLayout(head)
        layout.addWidget(self.table, stretch=1)
        layout.addStretch()
        state.patients_changed.connect(self._show_patients)
        state.chosen_changed.connect(self._ask)
        self.table.chosen.connect(self.patient_chosen)
        self.open.clicked.connect(self.table.tell_marked)
        self._show_patients()

    def showEvent(self, event: QShowEvent) -> None:
        """Ask for the patients: they are read only for somebody who looks."""
        super().showEvent(event)
        self._ask()

    def _ask(self) -> None:
        if self.isVisible():
            self.patients_wanted.emit()

    def _show_patients(self) -> None:
        patients, current = self._state.patients, self._state.current
        self.table.show_patients(patients or ())
        self.table.setVisible(bool(patients))
        self.open.setVisible(bool(patients))
        if current is None:
            self._note.setText(_NOT_CHOSEN)
        elif patients is None:
            self._note.setText(_READING)
        elif not patients:
            self._note.setText(_NONE)
        else:
            self._note.setText(
                f"{current.name}: {len(patients)} patients that it was not trained on, the worst "
                "first."
            )


class _PatientTable(QTableWidget):
    chosen = Signal(str)

    def __init__(self) -> None:
        titles = ["Patient", "Group", "Dice", *(title for _, title in _STRUCTURES)]
        titles += [f"{title}: found, reference, error" for _, title in _EF]
        super().__init__(0, len(titles))
        self.setHorizontalHeaderLabels(titles)
        dress_rows(self, "Held-out patients", row_room_px=9)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.doubleClicked.connect(self._tell_chosen)

    def show_patients(self, patients: "tuple[RunPatient, ...]") -> None:
        """Show other patients."""
        self.setRowCount(len(patients))
        for row, patient in enumerate(patients):
            dice = [patient.structures.get(name) for name, _ in _STRUCTURES]
            values = [f"{patient.dice:.3f}", *("" if one is None else f"{one:.3f}" for one in dice)]
            texts = [patient.name, patient.group, *values, *(_ef(patient, key) for key, _ in _EF)]
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                item.setToolTip(str(patient.folder or "Nobody knows yet where it lies."))
                if column > 1:
                    right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                    item.setTextAlignment(right)
                self.setItem(row, column, item)
        if patients:
            self.selectRow(0)

    def tell_marked(self) -> None:
        """Open the marked patient, which is the worst one at first."""
        self._tell_chosen(self.currentIndex())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Open the marked patient with Return."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._tell_chosen(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def _tell_chosen(self, index: QModelIndex) -> None:
        item = self.item(index.row(), 0) if index.isValid() else None
        if item is not None:
            self.chosen.emit(item.text())


def _ef(patient: "RunPatient", ventricle: str) -> str:
    pair = patient.ef.get(ventricle)
    if pair is None:
        return ""
    found, true = pair
    return f"{found:.0f} %, {true:.0f} %, {found - true:+.1f}".replace("-", "−")
