"""How the studies of a cohort are treated: by whom, by which conventions, under which names."""

from dataclasses import replace

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from engine.clinical.conventions import Conventions
from engine.cohort.outcome import Naming
from heartseg_gui.documents.cohort_state import CohortState
from heartseg_gui.widgets.convention_button import ConventionButton

_NAMINGS = (
    (Naming.DICOM, "Pseudonyms for DICOM"),
    (Naming.HIDDEN, "Pseudonyms for all"),
    (Naming.KEPT, "Names stay"),
)
_MOST_WORKERS = 64


class CohortOptionBar(QWidget):
    """Two rows: who does the work, and what comes of it.

    Signals:
        options_wanted: Treat the studies another way, `CohortOptions`.
        key_wanted: Write down whom each pseudonym means.
        no_key_wanted: Do not.
    """

    options_wanted = Signal(object)
    key_wanted = Signal()
    no_key_wanted = Signal()

    def __init__(self, state: CohortState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.workers, self.scheduler = QSpinBox(), QLineEdit()
        self.stored, self.pdf = QCheckBox("Take stored labels"), QCheckBox("PDF")
        self.conventions, self.naming = ConventionButton(), QComboBox()
        self.key, self.no_key = QPushButton(), QPushButton("No key")
        self._dress()
        self._lay_out()
        self._connect()
        self._show_options()

    def _dress(self) -> None:
        self.workers.setRange(1, _MOST_WORKERS)
        self.workers.setSuffix(" at a time")
        self.workers.setAccessibleName("Processes at a time")
        self.workers.setToolTip("Each needs the memory of a model and a study")
        self.stored.setToolTip("Measure labels that lie in a study; predict where there are none")
        self.pdf.setToolTip("Write a report to print for each study, too")
        self.scheduler.setPlaceholderText("On this computer; or tcp://HOST:8786")
        self.scheduler.setAccessibleName("Address of a Dask cluster")
        self.scheduler.setToolTip(
            "Address of a Dask scheduler that does the work; its workers must reach the same "
            "folders. Empty: this computer does it"
        )
        for naming, text in _NAMINGS:
            self.naming.addItem(text, naming.value)
        self.naming.setAccessibleName("Names")
        self.naming.setToolTip(
            "In tables, in reports and as names of their folders. Research folders have names of "
            "their own, so that only DICOM names a patient by itself"
        )
        self.no_key.setToolTip("Write down nowhere whom a pseudonym means")
        for widget in (self.stored, self.pdf, self.naming, self.key, self.no_key):
            widget.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def _lay_out(self) -> None:
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(8)
        for widgets in (
            (self.workers, self.scheduler, self.stored, self.pdf),
            (self.conventions, self.naming, self.key, self.no_key),
        ):
            row = QHBoxLayout()
            row.setSpacing(8)
            for widget in widgets:
                row.addWidget(widget, stretch=int(widget is self.scheduler))
            if self.scheduler not in widgets:
                row.addStretch()
            rows.addLayout(row)

    def _connect(self) -> None:
        state = self._state
        for fact in (state.options_changed, state.place_changed, state.running_changed):
            fact.connect(self._show_options)
        self.workers.valueChanged.connect(self._tell_options)
        self.stored.toggled.connect(self._tell_options)
        self.pdf.toggled.connect(self._tell_options)
        self.scheduler.editingFinished.connect(self._tell_options)
        self.naming.activated.connect(self._tell_options)
        self.conventions.conventions_wanted.connect(self._tell_conventions)
        self.key.clicked.connect(self.key_wanted)
        self.no_key.clicked.connect(self.no_key_wanted)

    def _show_options(self) -> None:
        options = self._state.options
        for box, value in ((self.stored, options.stored), (self.pdf, options.pdf)):
            with QSignalBlocker(box):
                box.setChecked(value)
        with QSignalBlocker(self.workers):
            self.workers.setValue(options.workers)
        self.scheduler.setText(options.scheduler)
        self.conventions.show_conventions(options.conventions)
        self.naming.setCurrentIndex(self.naming.findData(options.naming.value))
        key = options.key
        self.key.setText("Key file…" if key is None else f"Key: {key.name}")
        self.key.setToolTip(
            "Write down, apart from the results, whom each pseudonym means"
            if key is None
            else f"{key} will say whom each pseudonym means"
        )
        self._enable()

    def _enable(self) -> None:
        """Nothing changes while studies are done; a key needs pseudonyms and a place."""
        state, options = self._state, self._state.options
        self.setEnabled(not state.running)
        self.workers.setEnabled(not options.scheduler)
        hidden = options.naming is not Naming.KEPT
        self.key.setEnabled(hidden and state.folder is not None)
        self.no_key.setVisible(options.key is not None)

    def _tell_options(self) -> None:
        wanted = replace(
            self._state.options,
            workers=self.workers.value(),
            stored=self.stored.isChecked(),
            pdf=self.pdf.isChecked(),
            naming=Naming(self.naming.currentData()),
            scheduler=self.scheduler.text().strip(),
        )
        self.options_wanted.emit(wanted)

    def _tell_conventions(self, conventions: Conventions) -> None:
        self.options_wanted.emit(replace(self._state.options, conventions=conventions))
