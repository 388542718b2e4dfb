"""Data, device and what the training would be, with the button that starts it."""

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from engine.learning.apart.outlook import Outlook
from heartseg_gui.documents.training_plan import TrainingPlan
from heartseg_gui.settings import Settings
from heartseg_gui.views.training.balance_bar import BalanceBar
from heartseg_gui.views.training.class_colours import class_colours
from heartseg_gui.views.training.outlook_words import (
    devices_text,
    estimate_text,
    parts_text,
    warnings_text,
)
from heartseg_gui.views.training.picture_grid import Grid, PictureGrid, picture_of

_DEVICES = (("Quickest device", "auto"), ("Processor", "cpu"), ("GPU (CUDA)", "cuda"))
_EMPTY = "Add a folder of labelled patients to see what the training would be."
_ROWS = 3  # folders that are seen without scrolling


class OutlookPanel(QWidget):
    """A column.

    Signals:
        add_wanted: Choose a folder of patients.
        remove_wanted: Train without a folder.
        out_wanted: Choose where the run goes.
        device_wanted: auto, cpu or cuda.
        look_wanted: Find out what the training would be.
        stop_wanted: Find out no more.
        start_wanted: Train.
    """

    add_wanted = Signal()
    remove_wanted = Signal(Path)
    out_wanted = Signal()
    device_wanted = Signal(str)
    look_wanted = Signal()
    stop_wanted = Signal()
    start_wanted = Signal()

    def __init__(
        self, plan: TrainingPlan, settings: Settings, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._plan, self._settings = plan, settings
        self.folders = QListWidget()
        self.add, self.remove = _button("Add folder…", ""), _button("Remove", "")
        self.place = _button("Run to…", "Where the folder of the run is made")
        self.look = _button("Look", "Patients, balance, pictures, time and memory")
        self.start = _button("Start training", "Train in a process of its own")
        self.device = QComboBox()
        self._place_text, self._said, self._warnings = QLabel(), QLabel(), QLabel()
        self._devices, self._parts, self._estimate = QLabel(), QLabel(), QLabel()
        self._shares, self._balance = QLabel(), BalanceBar()
        self.pictures = PictureGrid()
        self._dress()
        self._lay_out()
        self._connect()
        self._show_place()
        self.show_outlook()

    def _dress(self) -> None:
        self.folders.setAccessibleName("Folders of labelled patients")
        self.folders.setFixedHeight(_ROWS * (self.fontMetrics().height() + 10))
        self.folders.setTextElideMode(Qt.TextElideMode.ElideLeft)
        self.folders.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.start.setProperty("primary", True)
        self.device.setAccessibleName("Device")
        self.device.setToolTip("Where to train")
        for title, key in _DEVICES:
            self.device.addItem(title, key)
        labels = (self._said, self._warnings, self._devices, self._parts, self._estimate)
        for label in (*labels, self._shares, self._place_text):
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._warnings.setProperty("role", "badge")
        for label in (self._said, self._place_text):
            label.setProperty("role", "caption")

    def _lay_out(self) -> None:
        page = QWidget()
        inner = QVBoxLayout(page)
        inner.setContentsMargins(0, 0, 8, 0)
        inner.setSpacing(8)
        inner.addWidget(_heading("Data"))
        inner.addWidget(self.folders)
        inner.addLayout(_row(self.add, self.remove, None))
        inner.addWidget(_heading("Device"))
        inner.addLayout(_row(self.device, None, self.look))
        inner.addWidget(self._devices)
        inner.addWidget(_heading("Before the start"))
        for widget in (self._said, self._warnings, self._parts, self._balance, self._shares):
            inner.addWidget(widget)
        inner.addWidget(self._estimate)
        inner.addWidget(self.pictures)
        inner.addStretch()
        area = QScrollArea()
        area.setWidget(page)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(area, stretch=1)
        layout.addWidget(self._place_text)
        layout.addLayout(_row(self.place, None, self.start))

    def _connect(self) -> None:
        plan = self._plan
        plan.place_changed.connect(self._show_place)
        for fact in (plan.outlook_changed, plan.fields_changed, plan.recipe_changed):
            fact.connect(self.show_outlook)
        self._settings.appearance_changed.connect(self.show_outlook)
        self.add.clicked.connect(self.add_wanted)
        self.remove.clicked.connect(self._tell_remove)
        self.folders.currentRowChanged.connect(lambda row: self.remove.setEnabled(row >= 0))
        self.place.clicked.connect(self.out_wanted)
        self.look.clicked.connect(self._tell_look)
        self.start.clicked.connect(self.start_wanted)
        self.device.activated.connect(
            lambda _number: self.device_wanted.emit(self.device.currentData())
        )

    def _show_place(self) -> None:
        plan = self._plan
        self.folders.clear()
        self.folders.addItems([str(folder) for folder in plan.data])
        self.folders.setCurrentRow(len(plan.data) - 1)
        self.remove.setEnabled(bool(plan.data))
        self.device.setCurrentIndex(self.device.findData(plan.device))
        self._place_text.setText(f"The run goes to a new folder in {plan.out}" if plan.out else "")
        self._place_text.setVisible(plan.out is not None)
        self.show_outlook()

    def show_outlook(self) -> None:
        """Show what is known of the training."""
        plan = self._plan
        outlook = plan.outlook or Outlook()
        self.start.setEnabled(plan.can_start)
        self.look.setText("Stop" if plan.looking else "Look again" if outlook.parts else "Look")
        self.look.setEnabled(bool(plan.looking) or plan.can_start)
        self._said.setText(self._state())
        self._said.setVisible(bool(self._said.text()))
        for label, text in (
            (self._devices, devices_text(outlook)),
            (self._parts, parts_text(outlook, plan.recipe)),
            (self._warnings, warnings_text(outlook) if plan.data else ""),
            (self._estimate, estimate_text(outlook.estimate) if outlook.estimate else ""),
        ):
            label.setText(text)
            label.setVisible(bool(text))
        colours = class_colours(plan.recipe.task, self._settings)
        self._balance.show_shares(outlook.shares, colours)
        self._shares.setText(f"Pixels: {self._balance.words}")
        for widget in (self._balance, self._shares):
            widget.setVisible(bool(outlook.shares))
        self._show_pictures(outlook)

    def _state(self) -> str:
        plan = self._plan
        if plan.looking:
            return f"{plan.looking}…"
        if not plan.source:
            return "Choose a recipe first."
        if not plan.data:
            return _EMPTY
        return "The plan has changed since; look again." if plan.is_stale else ""

    def _show_pictures(self, outlook: Outlook) -> None:
        pictures, count = outlook.pictures, outlook.variants
        self.pictures.setVisible(pictures is not None)
        if pictures is None:
            return
        colours = list(class_colours(self._plan.recipe.task, self._settings).values())
        drawn = [
            picture_of(image, labels, colours)
            for image, labels in zip(pictures.images, pictures.labels, strict=True)
        ]
        rows = [drawn[first : first + count] for first in range(0, len(drawn), count)]
        titles = ("As it is", *("Changed" for _ in range(count - 1)))
        self.pictures.show_grid(
            Grid(rows, (), titles), "Training samples as they are, and as they are changed"
        )

    def _tell_remove(self) -> None:
        item = self.folders.currentItem()
        if item is not None:
            self.remove_wanted.emit(Path(item.text()))

    def _tell_look(self) -> None:
        if self._plan.looking:
            self.stop_wanted.emit()
        else:
            self.look_wanted.emit()


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "heading")
    return label


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


def _row(*widgets: QWidget | None) -> QHBoxLayout:
    """Widgets beside each other; None takes the room that is left."""
    row = QHBoxLayout()
    for widget in widgets:
        if widget is None:
            row.addStretch()
        else:
            row.addWidget(widget)
    return row
