"""Theme, colours, device and reader."""

from typing import TypeVar

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from engine.clinical.profile import Profile
from heartseg_gui.actions import show_keys
from heartseg_gui.keymaps import keymap_names, keymap_of, read_keymap_file
from heartseg_gui.settings import Settings, Theme

_THEMES = ((Theme.SYSTEM, "As the desktop"), (Theme.LIGHT, "Light"), (Theme.DARK, "Dark"))
_PALETTES = (
    (False, "RV yellow, LV red, myocardium green"),
    (True, "Safe for colour-blind readers"),
)
_PROFILES = (
    (None, "As the template says; ask where it does not"),
    (Profile.RESEARCH, "Left out, with a pseudonym (research)"),
    (Profile.HOSPITAL, "Kept (hospital)"),
)
T = TypeVar("T")

_DEVICES = (
    ("auto", "Graphics card if there is one"),
    ("cpu", "Processor"),
    ("cuda", "Graphics card (CUDA)"),
)


class SettingsDialog(QDialog):
    """Shows the settings and writes them when accepted.

    Signals:
        self_test_wanted: The reader asks what is quickest on a device: auto, cpu or cuda.
    """

    self_test_wanted = Signal(str)

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self.setWindowTitle("Settings")
        self.theme = _combo(_THEMES, settings.theme)
        self.palette_choice = _combo(_PALETTES, settings.colour_blind_safe)
        self.device = _combo(_DEVICES, settings.device)
        self._quickest = QPushButton("Which is quickest here?")
        self.reader = QLineEdit(settings.reader)
        self.reader.setPlaceholderText("Name or initials; reports say who corrected")
        self.frame_rate = _spin(1, 60, settings.frame_rate_hz, " pictures/s")
        self.radius = _spin(0.5, 50, settings.brush_radius_mm, " mm")
        self.effort = QCheckBox("Count t&ime and strokes of each study, on this computer")
        self.effort.setChecked(settings.counts_effort)
        self.effort.setToolTip("They are kept with the labels and stand in the report's JSON")
        self.names = _combo(_PROFILES, settings.report_profile)
        self.names.setToolTip("Whether exported files name the patient of DICOM images")
        self._keymaps = tuple((name, read_keymap_file(name).title) for name in keymap_names())
        self.keymap = _combo(self._keymaps, keymap_of(settings).name)
        self._about_keys = QLabel()
        self._lay_out()
        self._quickest.clicked.connect(self._ask_for_self_test)
        self.keymap.currentIndexChanged.connect(self._show_about_keys)
        self._show_about_keys()

    def accept(self) -> None:
        """Write the settings and close."""
        self._settings.set_theme(_chosen(_THEMES, self.theme))
        self._settings.set_colour_blind_safe(_chosen(_PALETTES, self.palette_choice))
        self._settings.set_device(_chosen(_DEVICES, self.device))
        self._settings.set_reader(self.reader.text())
        self._settings.set_frame_rate(self.frame_rate.value())
        self._settings.set_brush_radius(self.radius.value())
        self._settings.set_counts_effort(self.effort.isChecked())
        self._settings.set_report_profile(_chosen(_PROFILES, self.names))
        self._settings.set_keymap(_chosen(self._keymaps, self.keymap))
        super().accept()

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setHorizontalSpacing(20)
        form.setVerticalSpacing(10)
        form.addRow(_heading("Appearance"))
        form.addRow("&Theme", self.theme)
        form.addRow("Structure &colours", self.palette_choice)
        form.addRow(_heading("Reading"))
        form.addRow("&Reader", self.reader)
        form.addRow("Cine &speed", self.frame_rate)
        form.addRow("&Brush radius", self.radius)
        form.addRow("", self.effort)
        form.addRow(_heading("Reports"))
        form.addRow("&Names", self.names)
        form.addRow(_heading("Keys and mouse"))
        self._add_with_buddy(form, "&Keymap", self._keymap_column(), self.keymap)
        form.addRow(_heading("Prediction"))
        self._quickest.setAutoDefault(False)
        self._quickest.setToolTip("Try the ways to compute on this device, with the chosen model")
        device = QHBoxLayout()
        device.setSpacing(8)
        device.addWidget(self.device, stretch=1)
        device.addWidget(self._quickest)
        self._add_with_buddy(form, "&Device", device, self.device)
        button = QDialogButtonBox.StandardButton
        buttons = QDialogButtonBox(button.Ok | button.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 20, 24, 18)
        layout.setSpacing(18)
        layout.addLayout(form)
        layout.addWidget(buttons)

    def _keymap_column(self) -> QVBoxLayout:
        self._about_keys.setProperty("role", "caption")
        self._about_keys.setWordWrap(True)
        self._about_keys.setAlignment(Qt.AlignmentFlag.AlignTop)
        # Else the dialog would stay as low as the shortest text needs.
        self._about_keys.setMinimumHeight(2 * self._about_keys.fontMetrics().lineSpacing())
        column = QVBoxLayout()
        column.setSpacing(6)
        column.addWidget(self.keymap)
        column.addWidget(self._about_keys)
        return column

    @staticmethod
    def _add_with_buddy(form: QFormLayout, text: str, row: QLayout, buddy: QWidget) -> None:
        """Add a row of several widgets, which has no buddy by itself."""
        form.addRow(text, row)
        label = form.labelForField(row)
        assert isinstance(label, QLabel)
        label.setBuddy(buddy)

    def _show_about_keys(self) -> None:
        about = read_keymap_file(_chosen(self._keymaps, self.keymap)).about
        show_keys(self._about_keys, f"{about} {{}} lists and changes them.", "shortcuts")

    def _ask_for_self_test(self) -> None:
        self.self_test_wanted.emit(_chosen(_DEVICES, self.device))


def _combo(choices: tuple[tuple[T, str], ...], chosen: T) -> QComboBox:
    combo = QComboBox()
    for value, text in choices:
        combo.addItem(text)
        if value == chosen:
            combo.setCurrentIndex(combo.count() - 1)
    return combo


def _chosen(choices: tuple[tuple[T, str], ...], combo: QComboBox) -> T:
    return choices[combo.currentIndex()][0]


def _spin(least: float, most: float, value: float, suffix: str) -> QDoubleSpinBox:
    spin = QDoubleSpinBox()
    spin.setRange(least, most)
    spin.setDecimals(1)
    spin.setValue(value)
    spin.setSuffix(suffix)
    return spin


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "heading")
    return label
