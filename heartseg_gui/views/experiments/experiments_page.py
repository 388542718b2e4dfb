"""Trainings: which there are, how they went, what they are worth, and running studies again."""

from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QPushButton,
    QSizePolicy,
    QSplitter,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from heartseg_gui.documents.experiments import ExperimentsState
from heartseg_gui.documents.grid_state import GridState
from heartseg_gui.documents.model_pair import PairState
from heartseg_gui.views.experiments.beside_tab import BesideTab
from heartseg_gui.views.experiments.grid_tab import GridTab
from heartseg_gui.views.experiments.notes_tab import NotesTab
from heartseg_gui.views.experiments.pair_tab import PairTab
from heartseg_gui.views.experiments.patient_tab import PatientTab
from heartseg_gui.views.experiments.run_cells import STATES
from heartseg_gui.views.experiments.run_curves import CurvesTab
from heartseg_gui.views.experiments.run_table import RunTable

_EMPTY = (
    "<b>Compare trainings</b><br><br>"
    "Add a folder that holds runs, such as one that <i>heartseg train</i> or <i>heartseg "
    "experiment run</i> wrote, or run a published study again below. Nothing in a run is changed "
    "but the tags and the note that you write."
)
_FOLLOW_MS = 10_000  # trainings that go on are read so often while somebody looks


class ExperimentsPage(QWidget):
    """The table above; what is known about the chosen trainings below.

    Signals:
        folder_wanted: Add a folder of trainings.
        folder_unwanted: Look for trainings in this folder no more.
        look_wanted: Look which trainings there are.
        follow_wanted: Read those again that have changed.
        active_wanted: Make the model in this folder the active one.
        export_wanted: Write the chosen trainings as "folder" or "pdf".
    """

    folder_wanted = Signal()
    folder_unwanted = Signal(Path)
    look_wanted = Signal()
    follow_wanted = Signal()
    active_wanted = Signal(Path)
    export_wanted = Signal(str)

    def __init__(
        self,
        runs: ExperimentsState,
        pair: PairState,
        grid: GridState,
        plots: tuple[QWidget, QWidget],
        parent: QWidget | None = None,
    ) -> None:
        """Args: `plots` show pairs of measurements, see `PairPlotting`."""
        super().__init__(parent)
        self._runs = runs
        self.folders, self.again = QPushButton("Folders"), QPushButton("Look again")
        self.active, self.export = QPushButton("Make active"), QPushButton("Export")
        self.filter, self.state, self.tag = QLineEdit(), QComboBox(), QComboBox()
        self.table, self._note, self._count = RunTable(runs), QLabel(_EMPTY), QLabel()
        self.curves, self.beside, self.patients = CurvesTab(runs), BesideTab(runs), PatientTab(runs)
        self.pair, self.notes, self.grid = PairTab(pair, plots), NotesTab(runs), GridTab(grid)
        self.tabs, self._split = QTabWidget(), QSplitter(Qt.Orientation.Vertical)
        self._timer = QTimer(self)
        self._timer.setInterval(_FOLLOW_MS)
        self._folder_menu, self._export_menu = QMenu(self.folders), QMenu(self.export)
        self._dress()
        self._lay_out()
        self._connect()
        self._show_folders()
        self._show_runs()
        self._show_chosen()

    def showEvent(self, event: QShowEvent) -> None:
        """Look which trainings there are: others may have begun or ended."""
        super().showEvent(event)
        self.look_wanted.emit()
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Follow trainings for nobody."""
        super().hideEvent(event)
        self._timer.stop()

    def _connect(self) -> None:
        runs = self._runs
        runs.roots_changed.connect(self._show_folders)
        runs.runs_changed.connect(self._show_runs)
        runs.chosen_changed.connect(self._show_chosen)
        runs.active_changed.connect(self._show_chosen)
        self.again.clicked.connect(self.look_wanted)
        self._timer.timeout.connect(self.follow_wanted)
        self.active.clicked.connect(self._tell_active)
        self._export_menu.triggered.connect(self._tell_export)
        self._folder_menu.triggered.connect(self._tell_folder)
        self.filter.textChanged.connect(self._filter)
        for box in (self.state, self.tag):
            box.currentIndexChanged.connect(self._filter)

    def _show_folders(self) -> None:
        self._folder_menu.clear()
        self._folder_menu.addAction("Add a folder…")
        if self._runs.roots:
            self._folder_menu.addSection("Look there no more:")
        for root in self._runs.roots:
            action = self._folder_menu.addAction(str(root))
            action.setData(root)

    def _show_runs(self) -> None:
        there = bool(self._runs.records)
        for widget in (self.table, self.filter, self.state, self.tag, self._count):
            widget.setVisible(there)
        self._note.setVisible(not there)
        before = self.tag.currentData()
        with QSignalBlocker(self.tag):
            self.tag.clear()
            self.tag.addItem("Any tag", "")
            for tag in self._runs.tags:
                self.tag.addItem(tag, tag)
            self.tag.setCurrentIndex(max(0, self.tag.findData(before)))
        self._filter()

    def _show_chosen(self) -> None:
        current, chosen = self._runs.current, self._runs.chosen
        can_predict = current is not None and current.has_model
        is_active = current is not None and current.path == self._runs.active
        self.active.setEnabled(can_predict and not is_active)
        self.active.setText("Active" if is_active else "Make active")
        name = current.name if current else "The chosen model"
        self.active.setToolTip(
            f"{name} predicts in this window, and wherever no model is named"
            if can_predict
            else "Choose a training that has ended"
        )
        self.export.setEnabled(bool(chosen))
        count = "the chosen training" if len(chosen) == 1 else f"the {len(chosen)} chosen trainings"
        self.export.setToolTip(f"Write all about {count}" if chosen else "Choose trainings first")

    def _filter(self) -> None:
        self.table.show_only(
            self.filter.text(), self.state.currentData() or "", self.tag.currentData() or ""
        )
        total, shown = len(self._runs.records), len(self.table.names)
        all_of_them = f"{total} trainings" if total != 1 else "1 training"
        self._count.setText(all_of_them if shown == total else f"{shown} of {all_of_them}")

    def _tell_active(self) -> None:
        current = self._runs.current
        if current is not None:
            self.active_wanted.emit(current.path)

    def _tell_export(self, action: QAction) -> None:
        self.export_wanted.emit(action.data())

    def _tell_folder(self, action: QAction) -> None:
        root = action.data()
        if isinstance(root, Path):
            self.folder_unwanted.emit(root)
        else:
            self.folder_wanted.emit()

    def _dress(self) -> None:
        self.folders.setToolTip("Folders below which trainings are looked for")
        self.folders.setMenu(self._folder_menu)
        self.again.setToolTip("Look which trainings there are; others may have begun or ended")
        for text, kind in (("To a folder…", "folder"), ("As a PDF…", "pdf")):
            self._export_menu.addAction(text).setData(kind)
        self.export.setMenu(self._export_menu)
        self.filter.setPlaceholderText("Filter: name, recipe, network, loss, note…")
        self.filter.setClearButtonEnabled(True)
        self.state.addItem("Any state", "")
        for state, text in STATES.items():
            self.state.addItem(text, state)
        self.state.setAccessibleName("State")
        self.tag.setAccessibleName("Tag")
        self._count.setProperty("role", "caption")
        self._note.setWordWrap(True)
        self._note.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        for button in (self.folders, self.again, self.active, self.export):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setSpacing(8)
        for widget in (self.folders, self.again, self.filter, self.state, self.tag, self._count):
            bar.addWidget(widget, stretch=int(widget is self.filter))
        bar.addStretch()
        for widget in (self.active, self.export):
            bar.addWidget(widget)
        for title, tab in (
            ("Curves", self.curves),
            ("Beside the paper", self.beside),
            ("Patients", self.patients),
            ("Two models", self.pair),
            ("Notes and card", self.notes),
            ("Run a study again", self.grid),
        ):
            self.tabs.addTab(tab, title)
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._split.addWidget(self.table)
        self._split.addWidget(self.tabs)
        self._split.setChildrenCollapsible(False)
        self._split.setSizes([1000, 1500])  # far more than there is: shares
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 12, 14, 12)
        layout.setSpacing(8)
        layout.addLayout(bar)
        layout.addWidget(self._note)
        layout.addWidget(self._split, stretch=1)
        self.setFocusProxy(self.table)
