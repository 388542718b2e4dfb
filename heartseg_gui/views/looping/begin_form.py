"""What a learning loop is, and how one is opened or begun."""

from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from heartseg_gui.documents.learning_loop import LoopState, LoopWork
from heartseg_gui.documents.model_choice import ModelChoice
from heartseg_gui.views.looping.folder_list import FolderList, PathLabel

_WHAT = (
    "<b>Let a model learn from your corrections</b><br><br>"
    "A learning loop is a folder. Studies that readers have approved become training data, a "
    "version each. A round trains a candidate from the active model, compares both on patients "
    "that are locked away, and adopts the candidate only if nothing important gets worse. "
    "Nothing is ever deleted, and one click goes back."
)
_TEST_TIP = "Labelled patients: every round is judged on them, and none ever learns from them"
_DATA_TIP = "Labelled patients that every round learns from, beside the approved studies"


class BeginForm(QWidget):
    """Opens a loop, or begins one.

    Signals:
        open_wanted: Open a loop.
        place_wanted: Choose where the new one lies.
        start_chosen: Name of the model to begin with; empty for the one in use.
        test_wanted: Add patients to lock away.
        test_dropped: Take this folder away from them.
        data_wanted: Add patients to learn from.
        data_dropped: Take this folder away from them.
        begin_wanted: Begin.
    """

    open_wanted = Signal()
    place_wanted = Signal()
    start_chosen = Signal(str)
    test_wanted = Signal()
    test_dropped = Signal(Path)
    data_wanted = Signal()
    data_dropped = Signal(Path)
    begin_wanted = Signal()

    def __init__(
        self, state: LoopState, choice: ModelChoice, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._state, self._choice = state, choice
        self.open, self.place = QPushButton("Open a loop…"), QPushButton("Choose…")
        self.begin, self.start = QPushButton("Begin"), QComboBox()
        self.test = FolderList(
            "Locked patients", "Forty patients or more: of twenty, EF limits are known to ±32 %."
        )
        self.data = FolderList("Patients to learn from", "None: approved studies alone.")
        self._place, self._lacks = PathLabel(), QLabel()
        self._dress()
        self._lay_out()
        self._connect()
        self._show_models()
        self._show_draft()

    def _dress(self) -> None:
        self.open.setToolTip("A folder that holds loop.toml")
        self.place.setToolTip("A new or empty folder")
        self.place.setAccessibleName("Choose the folder of the loop")
        self.begin.setProperty("primary", True)
        self.start.setAccessibleName("Model to begin with")
        self.start.setToolTip("The model that the first round starts from")
        self.start.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.start.setMinimumContentsLength(24)
        self.test.setToolTip(_TEST_TIP)
        self.data.setToolTip(_DATA_TIP)
        self._lacks.setProperty("role", "caption")
        for widget in (self.open, self.place, self.begin, self.start):
            widget.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def _lay_out(self) -> None:
        what = QLabel(_WHAT)
        what.setWordWrap(True)
        heading = QLabel("Begin a new loop")
        heading.setProperty("role", "heading")
        place = QHBoxLayout()
        place.addWidget(self._place, stretch=1)
        place.addWidget(self.place)
        end = QHBoxLayout()
        end.addWidget(self._lacks, stretch=1)
        end.addWidget(self.begin)
        form = QFormLayout()
        form.setVerticalSpacing(10)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        form.addRow("Model", self.start)
        form.addRow("Locked away", self.test)
        form.addRow("Learned from besides", self.data)
        form.addRow("Folder of the loop", place)
        card = QFrame()
        card.setProperty("role", "card")
        inner = QVBoxLayout(card)
        inner.setContentsMargins(16, 14, 16, 14)
        inner.setSpacing(12)
        inner.addWidget(heading)
        inner.addLayout(form)
        inner.addLayout(end)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        layout.addWidget(what)
        layout.addWidget(self.open, alignment=Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(card)
        layout.addStretch()

    def _connect(self) -> None:
        self._state.draft_changed.connect(self._show_draft)
        self._state.work_changed.connect(self._show_draft)
        self._choice.models_changed.connect(self._show_models)
        self.open.clicked.connect(self.open_wanted)
        self.place.clicked.connect(self.place_wanted)
        self.begin.clicked.connect(self.begin_wanted)
        self.start.activated.connect(self._tell_start)
        self.test.add_wanted.connect(self.test_wanted)
        self.test.drop_wanted.connect(self.test_dropped)
        self.data.add_wanted.connect(self.data_wanted)
        self.data.drop_wanted.connect(self.data_dropped)

    def _show_models(self) -> None:
        with QSignalBlocker(self.start):
            self.start.clear()
            self.start.addItem("The one in use", "")
            for model in self._choice.models:
                if model.usable:
                    self.start.addItem(f"{model.title} ({model.name})", str(model.path))
        self._show_start()

    def _show_start(self) -> None:
        with QSignalBlocker(self.start):
            self.start.setCurrentIndex(max(0, self.start.findData(self._state.draft.start)))

    def _show_draft(self) -> None:
        draft, working = self._state.draft, self._state.work is not None
        self._show_start()
        self.test.show_folders(draft.test)
        self.data.show_folders(draft.data)
        self._place.show_path("" if draft.place is None else draft.place)
        beginning = self._state.work is LoopWork.BEGINNING
        self._lacks.setText("Reading the patients…" if beginning else draft.lacks)
        self.begin.setEnabled(not draft.lacks and not working)
        self.open.setEnabled(not working)

    def _tell_start(self) -> None:
        self.start_chosen.emit(self.start.currentData())
