"""Doing a whole folder of studies, and looking through what came of it."""

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from heartseg_gui.documents.cohort_state import DONE, FAILED, WAITING, CohortState
from heartseg_gui.views.cohort.cohort_table import CohortTable
from heartseg_gui.views.cohort.option_bar import CohortOptionBar

_EMPTY = (
    "<b>Predict, measure and report many studies</b><br><br>"
    "Choose a folder that holds one folder for each patient. Every study gets its labels, a "
    "report and a line in the table; the studies themselves are not touched. Work that is "
    "interrupted goes on where it was."
)
_SHOWN = (("All", ""), ("Waiting", WAITING), ("Done", DONE), ("Failed", FAILED))


class CohortPage(QScrollArea):
    """Buttons, a filter, and the table.

    Signals:
        folder_wanted: Choose the studies.
        out_wanted: Choose where results go.
        run_wanted: Do what is left.
        stop_wanted: Stop.
        compare_wanted: Compare the results with others.
        study_wanted: Open a study.
    """

    folder_wanted = Signal()
    out_wanted = Signal()
    run_wanted = Signal()
    stop_wanted = Signal()
    compare_wanted = Signal()
    study_wanted = Signal(Path)

    def __init__(self, state: CohortState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.choose, self.results = QPushButton("Studies…"), QPushButton("Results to…")
        self.run, self.compare = QPushButton("Run"), QPushButton("Compare…")
        self.options = CohortOptionBar(state)
        self.filter, self.shown = QLineEdit(), QComboBox()
        self.table = CohortTable(state)
        self._note, self._place, self._bar = QLabel(_EMPTY), QLabel(), QProgressBar()
        self._dress()
        self._lay_out()
        self._connect()
        self._show_place()
        self._show_progress()

    def _connect(self) -> None:
        state = self._state
        state.place_changed.connect(self._show_place)
        for fact in (state.rows_changed, state.row_changed, state.running_changed):
            fact.connect(self._show_progress)
        self.choose.clicked.connect(self.folder_wanted)
        self.results.clicked.connect(self.out_wanted)
        self.run.clicked.connect(self._tell_run)
        self.compare.clicked.connect(self.compare_wanted)
        self.filter.textChanged.connect(self._filter)
        self.shown.currentIndexChanged.connect(self._filter)
        self.table.study_chosen.connect(self.study_wanted)

    def _dress(self) -> None:
        self.run.setProperty("primary", True)
        self.choose.setToolTip("Folder that holds a folder for each patient")
        self.results.setToolTip("Folder for labels, reports and the table")
        self.compare.setToolTip("Take the results to the agreement page")
        self.filter.setPlaceholderText("Filter: name, group, reason…")
        for title, status in _SHOWN:
            self.shown.addItem(title, status)
        self.shown.setAccessibleName("Status")
        self.shown.setToolTip("Which studies are listed")
        self._note.setWordWrap(True)
        self._place.setProperty("role", "caption")
        self._place.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._bar.setTextVisible(False)

    def _lay_out(self) -> None:
        buttons = _row(self.choose, self.results, None, self.compare, self.run)
        filters = _row(self.filter, self.shown)
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(14, 12, 14, 12)
        layout.setSpacing(8)
        layout.addLayout(buttons)
        layout.addWidget(self.options)
        layout.addWidget(self._place)
        layout.addWidget(self._bar)
        layout.addLayout(filters)
        layout.addWidget(self._note)
        layout.addWidget(self.table, stretch=1)
        layout.addStretch()
        for widget in (self.choose, self.results, self.run, self.compare):
            widget.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setWidget(page)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)

    def _show_place(self) -> None:
        folder, out = self._state.folder, self._state.out
        there = folder is not None
        self._place.setText(f"{folder} → {out}" if there else "")
        self._place.setToolTip(self._place.text())
        for widget in (self._place, self.table, self.filter, self.shown):
            widget.setVisible(there)
        self._note.setVisible(not there)
        self.results.setEnabled(there)

    def _show_progress(self) -> None:
        state = self._state
        total, done, failed = len(state.rows), state.count(DONE), state.count(FAILED)
        self._bar.setMaximum(max(1, total))
        self._bar.setValue(done + failed)
        self._bar.setVisible(state.running)
        self.run.setText("Stop" if state.running else "Run")
        self.run.setEnabled(state.running or total > done)
        self.run.setToolTip(
            "Stop; what is done stays done" if state.running else "Do what is not done yet"
        )
        self.choose.setEnabled(not state.running)
        self.results.setEnabled(not state.running and state.folder is not None)
        self.compare.setEnabled(done > 0)
        counts = {"": total, WAITING: total - done - failed, DONE: done, FAILED: failed}
        for number, (title, status) in enumerate(_SHOWN):
            self.shown.setItemText(number, f"{title} ({counts[status]})")

    def _filter(self) -> None:
        self.table.show_only(self.filter.text(), self.shown.currentData())

    def _tell_run(self) -> None:
        if self._state.running:
            self.stop_wanted.emit()
        else:
            self.run_wanted.emit()


def _row(*widgets: QWidget | None) -> QHBoxLayout:
    """Widgets beside each other; None takes the room that is left."""
    row = QHBoxLayout()
    row.setSpacing(8)
    for widget in widgets:
        if widget is None:
            row.addStretch()
        else:
            row.addWidget(widget)
    return row
