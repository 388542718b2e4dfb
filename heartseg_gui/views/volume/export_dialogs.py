"""What is written of the 3-D view: one small dialog for each kind of file."""

from collections.abc import Sequence
from typing import TypeVar

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from engine.mesh.formats import MeshFormat
from heartseg_gui.documents.space_export import (
    FilmChoice,
    Ground,
    Motion,
    PictureChoice,
    PrintChoice,
    SurfaceChoice,
)

T = TypeVar("T")

_FORMATS = (
    (MeshFormat.STL, "ST&L: a file for each structure, for printing and CAD"),
    (MeshFormat.GLB, "&GLB: one file with named, coloured structures, for slides and the web"),
    (MeshFormat.PLY, "&PLY: a file for each structure, in its colour"),
    (MeshFormat.OBJ, "&OBJ: one file with named, coloured structures"),
    (MeshFormat.VTP, "&VTP: for ParaView, with all phases as a series"),
)
_MOTIONS = (
    (Motion.BOTH, "The heart beats and turns"),
    (Motion.BEAT, "The heart beats"),
    (Motion.TURN, "The heart turns"),
)
_SIZES = (
    ((720, 720), "Square, 720 x 720"),
    ((1080, 1080), "Square, 1080 x 1080"),
    ((1280, 720), "Slide, 1280 x 720"),
    ((1920, 1080), "Slide, 1920 x 1080"),
    ((480, 480), "Small, 480 x 480"),
)
_ENDINGS = ((".mp4", "MP4: for slides and players"), (".gif", "GIF: for web pages and mails"))
_GROUNDS = ((Ground.DARK, "Dark, as on the screen"), (Ground.WHITE, "White, as paper"))
_DPI = ((150.0, "150 dpi, draft"), (300.0, "300 dpi, journals"), (600.0, "600 dpi, fine"))


class _ExportDialog(QDialog):
    """A form over a button that exports.

    Signals:
        chosen: What the reader chose; the dialog has closed.
    """

    chosen = Signal(object)

    def __init__(self, title: str, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.form = QFormLayout()
        self.form.setHorizontalSpacing(20)
        self.form.setVerticalSpacing(10)
        button = QDialogButtonBox.StandardButton
        self.buttons = QDialogButtonBox(button.Ok | button.Cancel)
        self.buttons.button(button.Ok).setText("&Export…")
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 20, 24, 18)
        layout.setSpacing(18)
        layout.addLayout(self.form)
        layout.addWidget(self.buttons)

    @property
    def choice(self) -> object:
        """What the form says."""
        raise NotImplementedError

    def accept(self) -> None:
        """Close, then tell what was chosen: the next question stands alone."""
        chosen = self.choice
        super().accept()
        self.chosen.emit(chosen)

    def add_caption(self, text: str) -> None:
        """A remark below the form."""
        label = QLabel(text)
        label.setProperty("role", "caption")
        label.setWordWrap(True)
        self.form.addRow(label)


class SurfaceExportDialog(_ExportDialog):
    """Which formats, and which phases.

    Args:
        phases: How many phases are labelled.
        parent: The window.
    """

    def __init__(self, phases: int, parent: QWidget | None = None) -> None:
        super().__init__("Export surfaces", parent)
        self.boxes = {kind: QCheckBox(text) for kind, text in _FORMATS}
        for number, box in enumerate(self.boxes.values()):
            box.setChecked(number < 2)
            box.toggled.connect(self._show_state)
            self.form.addRow(box)
        self.every_phase = QCheckBox(f"&All {phases} labelled phases, as a beating heart")
        self.every_phase.setEnabled(phases > 1)
        self.form.addRow(self.every_phase)
        self.add_caption(
            "Closed surfaces that hold what the labels hold. Millimetres along the patient's "
            "right, front and head; GLB is in metres, as its standard wants."
        )
        self._show_state()

    @property
    def choice(self) -> SurfaceChoice:
        """What the form says."""
        formats = tuple(kind for kind, box in self.boxes.items() if box.isChecked())
        return SurfaceChoice(formats, self.every_phase.isChecked())

    def _show_state(self) -> None:
        ready = any(box.isChecked() for box in self.boxes.values())
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(ready)


class PrintExportDialog(_ExportDialog):
    """What the printer needs."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Export for printing", parent)
        self.wall = _spin(0.4, 10, 1.5, 1, " mm")
        self.plate = _spin(0, 20, 3, 1, " mm")
        self.plate.setSpecialValueText("none")
        self.form.addRow("Least &wall", self.wall)
        self.form.addRow("&Base plate", self.plate)
        self.add_caption(
            "The phase on the screen as STL in millimetres: the whole heart and each of its parts, "
            "apex up. The cavities are hollow and open through the plate. It takes a minute."
        )

    @property
    def choice(self) -> PrintChoice:
        """What the form says."""
        return PrintChoice(self.wall.value(), self.plate.value())


class FilmExportDialog(_ExportDialog):
    """What moves, and how the film looks.

    Args:
        beats: Whether the study has more than one phase.
        parent: The window.
    """

    def __init__(self, parent: QWidget | None = None, *, beats: bool = True) -> None:
        super().__init__("Export film", parent)
        self._motions = _MOTIONS if beats else _MOTIONS[-1:]
        self.motion = _combo(self._motions)
        self.seconds = _spin(1, 60, 8, 0, " s")
        self.size_choice = _combo(_SIZES)
        self.ending = _combo(_ENDINGS)
        self.ground = _combo(_GROUNDS)
        self.written = QCheckBox("&Write scale, directions and titles on it")
        self.written.setChecked(True)
        self.form.addRow("&Motion", self.motion)
        self.form.addRow("&Length", self.seconds)
        self.form.addRow("&Size", self.size_choice)
        self.form.addRow("&Kind", self.ending)
        self.form.addRow("&Background", self.ground)
        self.form.addRow(self.written)
        self.add_caption("Taken from where you look at the heart now, in the colours you see.")

    @property
    def choice(self) -> FilmChoice:
        """What the form says."""
        return FilmChoice(
            _chosen(self._motions, self.motion),
            self.seconds.value(),
            _chosen(_SIZES, self.size_choice),
            _chosen(_ENDINGS, self.ending),
            self.written.isChecked(),
            _chosen(_GROUNDS, self.ground),
        )


class PictureExportDialog(_ExportDialog):
    """How large the picture is printed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Export picture", parent)
        self.width_mm = _spin(20, 400, 85, 0, " mm")
        self.dpi = _combo(_DPI, current=1)
        self.ground = _combo(_GROUNDS, current=1)
        self.written = QCheckBox("Write &scale, directions and titles on it")
        self.written.setChecked(True)
        self.pixels = QLabel()
        self.pixels.setProperty("role", "caption")
        self.form.addRow("Printed &width", self.width_mm)
        self.form.addRow("&Resolution", self.dpi)
        self.form.addRow("&Background", self.ground)
        self.form.addRow(self.written)
        self.form.addRow(self.pixels)
        self.width_mm.valueChanged.connect(self._show_state)
        self.dpi.currentIndexChanged.connect(self._show_state)
        self._show_state()

    @property
    def choice(self) -> PictureChoice:
        """What the form says."""
        return PictureChoice(
            self.width_mm.value(),
            _chosen(_DPI, self.dpi),
            self.written.isChecked(),
            _chosen(_GROUNDS, self.ground),
        )

    def _show_state(self) -> None:
        self.pixels.setText(
            f"PNG, {self.choice.width_px} pixels wide, as high as the 3-D view is now."
        )


def _combo(entries: Sequence[tuple[object, str]], *, current: int = 0) -> QComboBox:
    combo = QComboBox()
    for _, text in entries:
        combo.addItem(text)
    combo.setCurrentIndex(current)
    return combo


def _chosen(entries: Sequence[tuple[T, str]], combo: QComboBox) -> T:
    return entries[combo.currentIndex()][0]


def _spin(low: float, high: float, value: float, decimals: int, suffix: str) -> QDoubleSpinBox:
    spin = QDoubleSpinBox()
    spin.setRange(low, high)
    spin.setDecimals(decimals)
    spin.setSuffix(suffix)
    spin.setValue(value)
    return spin
