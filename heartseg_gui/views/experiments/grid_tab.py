"""Running a published study again: which, on what, which part of it, and how far it has come."""

from dataclasses import replace

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from heartseg_gui.documents.grid_state import GridState, GridWish
from heartseg_gui.views.experiments.axis_boxes import AxisBoxes

_QUICK_TIP = (
    "A few patients, epochs and channels: minutes on a laptop. It shows that everything works, and "
    "measures nothing"
)


class GridTab(QWidget):
    """A form, a button, and a bar.

    Signals:
        grids_wanted: The studies are to be listed.
        wish_wanted: Something else is to be run, `GridWish`.
        data_wanted: Choose the patients.
        out_wanted: Choose where results go.
        run_wanted: Run it.
        stop_wanted: Stop.
    """

    grids_wanted = Signal()
    wish_wanted = Signal(object)
    data_wanted = Signal()
    out_wanted = Signal()
    run_wanted = Signal()
    stop_wanted = Signal()

    def __init__(self, state: GridState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.study, self.quick, self.folds = QComboBox(), QCheckBox("Quick trial"), QSpinBox()
        self.data, self.out = QPushButton("Patients…"), QPushButton("Results to…")
        self.run, self.bar = QPushButton("Run"), QProgressBar()
        self._facts, self._data, self._out, self._told = QLabel(), QLabel(), QLabel(), QLabel()
        self.axes = AxisBoxes()
        self._dress()
        self._lay_out()
        self._connect()
        self._show_grids()

    def showEvent(self, event: QShowEvent) -> None:
        """Ask for the studies now that somebody looks."""
        super().showEvent(event)
        self.grids_wanted.emit()

    def _connect(self) -> None:
        state = self._state
        state.grids_changed.connect(self._show_grids)
        state.wish_changed.connect(self._show_wish)
        state.running_changed.connect(self._show_running)
        state.progressed.connect(self._show_progress)
        self.study.activated.connect(self._tell_study)
        self.quick.toggled.connect(self._tell_wish)
        self.folds.valueChanged.connect(self._tell_wish)
        self.axes.toggled.connect(self._tell_wish)
        self.data.clicked.connect(self.data_wanted)
        self.out.clicked.connect(self.out_wanted)
        self.run.clicked.connect(self._tell_run)

    def _show_grids(self) -> None:
        with QSignalBlocker(self.study):
            self.study.clear()
            for grid in self._state.grids:
                self.study.addItem(f"{grid.cite}: {grid.title}", grid.name)
        self._show_wish()

    def _show_wish(self) -> None:
        state, wish, grid = self._state, self._state.wish, self._state.grid
        with QSignalBlocker(self.study), QSignalBlocker(self.quick), QSignalBlocker(self.folds):
            self.study.setCurrentIndex(self.study.findData(wish.name))
            self.quick.setChecked(wish.quick)
            self.folds.setRange(0, grid.folds if grid else 0)
            self.folds.setValue(wish.folds)
        self.folds.setVisible(grid is not None and grid.folds > 1)
        self.axes.show_axes(grid.axes if grid else (), wish.only)
        data = ", ".join(map(str, wish.data))
        unchosen = "generated images" if wish.quick else "choose the patients"
        self._data.setText(data or unchosen)
        self._out.setText(str(wish.out) if wish.out else "choose a folder")
        for label in (self._data, self._out):
            label.setToolTip(label.text())
        count = state.trainings
        trainings = "1 training" if count == 1 else f"{count} trainings"
        self._facts.setText("" if grid is None else f"{trainings}. It needs: {_plain(grid.data)}.")
        self._show_running()

    def _show_running(self) -> None:
        running = self._state.running
        self.run.setText("Stop" if running else "Run")
        self.run.setEnabled(running or self._state.can_run)
        self.run.setToolTip(
            "Stop; what is finished is kept, and Run goes on from there"
            if running
            else "Train all that is not finished yet in the folder of results"
        )
        for widget in (self.study, self.quick, self.folds, self.data, self.out, self.axes):
            widget.setEnabled(not running)
        self.bar.setVisible(running)
        self._show_progress()

    def _show_progress(self) -> None:
        progress = self._state.progress
        self.bar.setMaximum(progress.total)
        self.bar.setValue(progress.done)
        self._told.setText(progress.doing if self._state.running else "")

    def _tell_study(self) -> None:
        wish = self._state.wish
        self.wish_wanted.emit(GridWish(self.study.currentData(), wish.data, quick=wish.quick))

    def _tell_wish(self) -> None:
        wish = replace(
            self._state.wish,
            quick=self.quick.isChecked(),
            folds=self.folds.value(),
            only=self.axes.only,
        )
        if wish == self._state.wish:
            self._show_wish()  # nothing ticked means all
        self.wish_wanted.emit(wish)

    def _tell_run(self) -> None:
        if self._state.running:
            self.stop_wanted.emit()
        else:
            self.run_wanted.emit()

    def _dress(self) -> None:
        self.study.setAccessibleName("Study")
        self.study.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.quick.setToolTip(_QUICK_TIP)
        self.folds.setSpecialValueText("All folds of the study")
        self.folds.setSuffix(" folds")
        self.folds.setAccessibleName("Folds")
        self.run.setProperty("primary", True)
        self.bar.setTextVisible(False)
        for label in (self._facts, self._told):
            label.setProperty("role", "caption")
            label.setWordWrap(True)
        for label in (self._data, self._out):
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        for widget in (self.study, self.quick, self.data, self.out, self.run):
            widget.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def _lay_out(self) -> None:
        page = QWidget()
        grid = QGridLayout(page)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(8)
        grid.addWidget(self.study, 0, 0, 1, 2)
        grid.addWidget(self._facts, 1, 0, 1, 2)
        grid.addWidget(self.axes, 2, 0, 1, 2)
        for row, (button, label) in enumerate(
            ((self.data, self._data), (self.out, self._out)), start=3
        ):
            grid.addWidget(button, row, 0)
            grid.addWidget(label, row, 1)
        options = QHBoxLayout()
        for widget in (self.quick, self.folds):
            options.addWidget(widget)
        options.addStretch()
        options.addWidget(self.run)
        grid.addLayout(options, 5, 0, 1, 2)
        grid.addWidget(self.bar, 6, 0, 1, 2)
        grid.addWidget(self._told, 7, 0, 1, 2)
        grid.setColumnStretch(1, 1)
        grid.setRowStretch(8, 1)
        area = QScrollArea()
        area.setWidget(page)
        area.setWidgetResizable(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 8, 0, 0)
        layout.addWidget(area)


def _plain(text: str) -> str:
    """A sentence of a file, without its marks for code."""
    return text.replace("`", "")
