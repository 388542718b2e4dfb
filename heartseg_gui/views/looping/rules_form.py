"""When a candidate is adopted, how it is trained, and where approved studies come from."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from heartseg_gui.documents.learning_loop import LoopState
from heartseg_gui.views.looping.folder_list import FolderList

if TYPE_CHECKING:
    from engine.loop.loop_folder import LoopSettings

_SLACK = (
    ("dice", "Dice of a structure may fall by", "", 3, 0.005),
    ("basal_dice", "Dice at the base may fall by", "", 3, 0.005),
    ("error_ml", "Volume error may grow by", " ml", 1, 0.1),
    ("ef_bias_points", "EF bias may grow by", " points", 1, 0.1),
    ("ef_limits_points", "EF limits may widen by", " points", 1, 0.1),
    ("most_excused", "What is excused is at most", " × what is allowed", 1, 0.5),
)
_WHEN = (("Offer a round", "offer"), ("Run a round at once", "run"))


class RulesForm(QWidget):
    """A field for each rule; nothing is written before *Save rules*.

    Signals:
        change_wanted: Settings by their names in `loop.toml`, a dictionary.
        folder_wanted: Collect from another folder.
        folder_dropped: Collect from this one no more.
    """

    change_wanted = Signal(dict)
    folder_wanted = Signal()
    folder_dropped = Signal(Path)

    def __init__(self, state: LoopState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.slack = {name: _spin(unit, digits, step) for name, _, unit, digits, step in _SLACK}
        self.must_improve = QCheckBox("The mean Dice has to rise")
        self.excuse_chance = QCheckBox("Losses that may be chance are excused if it surely rises")
        self.use_adopted = QCheckBox("HeartSeg predicts with what is adopted, at once")
        self.epochs, self.batch, self.new_studies = QSpinBox(), QSpinBox(), QSpinBox()
        self.learning_rate, self.when_due = QDoubleSpinBox(), QComboBox()
        self.folders = FolderList(
            "Collect from", "None yet: add the folders in which your readers approve studies."
        )
        self.save, self.undo = QPushButton("Save rules"), QPushButton("Undo changes")
        self.usual = QPushButton("Usual rules")
        self._dress()
        self._lay_out()
        self._connect()
        self._show_settings()

    def _dress(self) -> None:
        self.epochs.setRange(1, 10_000)
        self.new_studies.setRange(1, 100_000)
        self.new_studies.setSuffix(" new studies")
        self.batch.setRange(0, 4096)
        self.batch.setSpecialValueText("as the model was trained")
        self.learning_rate.setDecimals(7)
        self.learning_rate.setRange(1e-7, 1.0)
        self.learning_rate.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)
        for title, key in _WHEN:
            self.when_due.addItem(title, key)
        self.save.setProperty("primary", True)
        self.save.setToolTip("Write them to loop.toml; later rounds are judged by them")
        self.undo.setToolTip("Show the rules as loop.toml has them")
        self.usual.setToolTip("The rules that every loop begins with; they count once saved")
        self.excuse_chance.setToolTip(
            "A loss may be chance if the 95 % interval of its change, over the locked patients, "
            "reaches 0"
        )
        self.slack["most_excused"].setMinimum(1.0)
        self.slack["most_excused"].setToolTip("So many times what is allowed above")
        self.use_adopted.setToolTip("Also after a roll-back; else the button at the top does it")
        for widget, name in (
            (self.epochs, "Epochs of a round"),
            (self.batch, "Samples of a step"),
            (self.learning_rate, "Learning rate of a round"),
            (self.new_studies, "A round is due at"),
            (self.when_due, "When a round is due"),
            *((self.slack[name], title) for name, title, _, _, _ in _SLACK),
        ):
            widget.setAccessibleName(name)
        for button in (self.save, self.undo, self.usual):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def _lay_out(self) -> None:
        rules, rounds = _form(), _form()
        *slacks, most = [(title, self.slack[name]) for name, title, _, _, _ in _SLACK]
        for title, box in slacks:
            rules.addRow(title, box)
        rules.addRow(self.must_improve)
        rules.addRow(self.excuse_chance)
        rules.addRow(*most)
        rounds.addRow("Epochs", self.epochs)
        rounds.addRow("Learning rate", self.learning_rate)
        rounds.addRow("Batch", self.batch)
        rounds.addRow("A round is due at", self.new_studies)
        rounds.addRow("It is then", self.when_due)
        rounds.addRow(self.use_adopted)
        left, right = QVBoxLayout(), QVBoxLayout()
        for column, title, form in (
            (left, "A candidate is adopted if, on the locked patients", rules),
            (right, "A round", rounds),
        ):
            column.setSpacing(8)
            column.addWidget(_heading(title))
            column.addLayout(form)
            column.addStretch(1)
        columns = QHBoxLayout()
        columns.setSpacing(36)
        columns.addLayout(left, 1)
        columns.addLayout(right, 1)
        end = QHBoxLayout()
        end.addWidget(self.usual)
        end.addStretch()
        end.addWidget(self.undo)
        end.addWidget(self.save)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 10, 0, 0)
        layout.setSpacing(12)
        layout.addWidget(_heading("Approved studies are collected from"))
        layout.addWidget(self.folders)
        layout.addLayout(columns)
        layout.addLayout(end)
        layout.addStretch()

    def _connect(self) -> None:
        self._state.standing_changed.connect(self._show_settings)
        self._state.work_changed.connect(self._show_buttons)
        for box in (*self.slack.values(), self.learning_rate):
            box.valueChanged.connect(self._show_buttons)
        for count in (self.epochs, self.batch, self.new_studies):
            count.valueChanged.connect(self._show_buttons)
        for check in (self.must_improve, self.excuse_chance, self.use_adopted):
            check.toggled.connect(self._show_buttons)
        self.when_due.currentIndexChanged.connect(self._show_buttons)
        self.folders.add_wanted.connect(self.folder_wanted)
        self.folders.drop_wanted.connect(self.folder_dropped)
        self.save.clicked.connect(self._tell_change)
        self.undo.clicked.connect(self._show_settings)
        self.usual.clicked.connect(self._show_usual)

    @property
    def _settings(self) -> "LoopSettings | None":
        standing = self._state.standing
        return None if standing is None else standing.loop.settings

    def _show_settings(self) -> None:
        settings = self._settings
        if settings is not None:
            self.folders.show_folders([Path(each) for each in settings.folders])
            self._show(settings)

    def _show_usual(self) -> None:
        settings = self._settings
        if settings is not None:
            from engine.loop.rules import Rules

            self._show(settings.model_copy(update={"rules": Rules()}))

    def _show(self, settings: "LoopSettings") -> None:
        for name, box in self.slack.items():
            _set(box, getattr(settings.rules, name))
        for check, wanted in (
            (self.must_improve, settings.rules.must_improve),
            (self.excuse_chance, settings.rules.excuse_chance),
            (self.use_adopted, settings.use_adopted),
        ):
            with QSignalBlocker(check):
                check.setChecked(wanted)
        _set(self.epochs, settings.epochs)
        _set(self.batch, settings.batch or 0)
        _set(self.new_studies, settings.new_studies)
        _set(self.learning_rate, settings.learning_rate)
        with QSignalBlocker(self.when_due):
            self.when_due.setCurrentIndex(self.when_due.findData(settings.when_due))
        self._show_buttons()

    def _wanted(self) -> dict[str, Any]:
        """What the fields say, as far as it is other than in `loop.toml`."""
        settings = self._settings
        if settings is None:
            return {}
        rules: dict[str, Any] = {name: box.value() for name, box in self.slack.items()}
        rules["must_improve"] = self.must_improve.isChecked()
        rules["excuse_chance"] = self.excuse_chance.isChecked()
        wanted: dict[str, Any] = {
            "epochs": self.epochs.value(),
            "batch": self.batch.value() or None,
            "learning_rate": self.learning_rate.value(),
            "new_studies": self.new_studies.value(),
            "when_due": self.when_due.currentData(),
            "use_adopted": self.use_adopted.isChecked(),
            "rules": rules,
        }
        there = settings.model_dump(mode="json")
        return {name: value for name, value in wanted.items() if value != there[name]}

    def _show_buttons(self) -> None:
        changed, free = bool(self._wanted()), self._state.is_free
        self.save.setEnabled(changed and free)
        self.undo.setEnabled(changed)
        self.folders.setEnabled(free)

    def _tell_change(self) -> None:
        self.change_wanted.emit(self._wanted())


def _spin(unit: str, digits: int, step: float) -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setDecimals(digits)
    box.setSingleStep(step)
    box.setRange(0.0, 1.0 if not unit else 100.0)
    box.setSuffix(unit)
    return box


def _set(box: QAbstractSpinBox, value: float) -> None:
    with QSignalBlocker(box):
        if isinstance(box, QSpinBox):
            box.setValue(int(value))
        elif isinstance(box, QDoubleSpinBox):
            box.setValue(value)


def _form() -> QFormLayout:
    form = QFormLayout()
    form.setVerticalSpacing(8)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.FieldsStayAtSizeHint)
    return form


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "heading")
    return label
