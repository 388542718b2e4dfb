"""What is drawn in space, and how: the panel that opens below a button."""

from PySide6.QtCore import QPoint, QSignalBlocker, Qt
from PySide6.QtGui import QColor, QPixmap
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QGridLayout,
    QLabel,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from engine.structures import HEART_STRUCTURES, Structure
from heartseg_gui.documents.display_state import DisplayState
from heartseg_gui.documents.space_state import Box, LabelSource, Panes, SpaceState
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.views.volume.pane_plan import SOURCE_NAMES, usual_label
from heartseg_gui.views.volume.surface_store import SurfaceStore
from heartseg_gui.views.volume.transfer_functions import names as transfer_names

_SWITCHES = (
    ("slice_shown", "Slice on the screen", "The slice where it lies in the heart"),
    ("long_axes", "Long-axis images", "The other views of the study where they lie"),
    ("net", "Reference as a net", "The surfaces of the reference over the labels"),
    ("focus", "Only round the heart", "Nothing far from the labels is drawn"),
    ("cut", "Cut at the slice", "Nothing is drawn between the slice and you"),
    ("fog", "Image as a fog", "The image itself, dense where it is bright"),
)
_AXES = (("x", "Across"), ("y", "Down"), ("z", "Slices"))
_SWATCH_PX = 12


class SpacePanel(QFrame):
    """Switches, opacities, sources of the panes and the box; it closes by a click elsewhere."""

    def __init__(
        self,
        document: StudyDocument,
        display: DisplayState,
        space: SpaceState,
        store: SurfaceStore,
        parent: QWidget,
    ) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._document, self._display, self._space = document, display, space
        self.setProperty("role", "card")
        self.setAccessibleName("What is drawn in 3-D")
        self._switches = {name: _switch(text, tip) for name, text, tip in _SWITCHES}
        self._transfer = QComboBox()
        self._opacities = OpacityRows(display, space, store)
        self._sources = SourceRows(document, space)
        self._box = BoxRows(space)
        self._whole = QPushButton("Whole box")
        self._lay_out()
        self._connect()
        self.show_state()

    def open_at(self, corner: QPoint) -> None:
        """Open with the upper right corner here, on the screen."""
        self.show_state()
        self.adjustSize()
        room = self.screen().availableGeometry()
        x = min(max(corner.x() - self.width(), room.left()), room.right() - self.width())
        y = min(corner.y() + 4, max(room.top(), room.bottom() - self.height()))
        self.move(x, y)
        self.show()

    def show_state(self) -> None:
        """Draw all of it from the states."""
        look = self._space.look
        for name, box in self._switches.items():
            with QSignalBlocker(box):
                box.setChecked(getattr(look, name))
        one = look.panes is Panes.ONE
        self._switches["fog"].setEnabled(one)  # of three panes, the first is the fog
        study = self._document.study
        self._switches["net"].setEnabled(one and self._document.reference is not None)
        self._switches["long_axes"].setEnabled(bool(study and study.other_views))
        with QSignalBlocker(self._transfer):
            self._transfer.setCurrentIndex(max(0, self._transfer.findData(look.transfer)))
        for rows in (self._opacities, self._sources, self._box):
            rows.show_state()
        self._sources.setVisible(not one)
        self._whole.setEnabled(not look.box.is_all)

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 12, 14, 12)
        layout.setSpacing(6)
        for box in self._switches.values():
            layout.addWidget(box)
        for key, title in transfer_names():
            self._transfer.addItem(title, key)
        self._transfer.setToolTip("How dense each brightness of the image is")
        self._transfer.setAccessibleName("How dense the fog is")
        layout.addWidget(self._transfer)
        layout.addSpacing(4)
        layout.addWidget(self._opacities)
        layout.addWidget(self._sources)
        layout.addSpacing(4)
        layout.addWidget(self._box)
        self._whole.setToolTip("Cut nothing away with the sliders above")
        layout.addWidget(self._whole)

    def _connect(self) -> None:
        for name, box in self._switches.items():
            box.setObjectName(name)
            box.toggled.connect(self._set_switch)
        self._transfer.activated.connect(self._set_transfer)
        self._whole.clicked.connect(self._show_whole)
        self._space.changed.connect(self._show_if_open)
        self._display.overlay_changed.connect(self._show_if_open)

    def _show_if_open(self) -> None:
        if self.isVisible():
            self.show_state()

    def _set_switch(self, on: bool) -> None:
        self._space.change(**{self.sender().objectName(): on})

    def _set_transfer(self, index: int) -> None:
        self._space.change(transfer=self._transfer.itemData(index))

    def _show_whole(self) -> None:
        self._space.change(box=Box())


class OpacityRows(QWidget):
    """A slider for each structure that is shown."""

    def __init__(self, display: DisplayState, space: SpaceState, store: SurfaceStore) -> None:
        super().__init__()
        self._display, self._space, self._store = display, space, store
        self._sliders: dict[Structure, QSlider] = {}
        self._swatches: dict[Structure, QLabel] = {}
        self._rows: dict[Structure, list[QWidget]] = {}
        self._grid = _grid(self, "Opacity")

    def show_state(self) -> None:
        """Rows for the structures that are shown, as they are now."""
        there = self._store.structures() or frozenset(HEART_STRUCTURES)
        shown = [each for each in self._display.shown_structures() if each in there]
        for structure in shown:
            if structure not in self._sliders:
                self._add(structure)
        for structure, slider in self._sliders.items():
            with QSignalBlocker(slider):
                slider.setValue(round(100 * self._space.look.opacity_of(structure)))
            for widget in self._rows[structure]:
                widget.setVisible(structure in shown)
            swatch = QPixmap(_SWATCH_PX, _SWATCH_PX)
            swatch.fill(QColor(*self._display.colour_of(structure)))
            self._swatches[structure].setPixmap(swatch)

    def _add(self, structure: Structure) -> None:
        slider = _slider(f"Opacity of the {structure.title.lower()}")
        slider.setProperty("structure", int(structure))
        slider.valueChanged.connect(self._set)
        swatch, row = QLabel(), self._grid.rowCount()
        self._rows[structure] = [swatch, QLabel(structure.title), slider]
        for column, widget in enumerate(self._rows[structure]):
            self._grid.addWidget(widget, row, column)
        self._sliders[structure], self._swatches[structure] = slider, swatch

    def _set(self, per_cent: int) -> None:
        structure = Structure(self.sender().property("structure"))
        self._space.set_opacity(structure, per_cent / 100)


class SourceRows(QWidget):
    """Whose labels the second and the third pane show."""

    def __init__(self, document: StudyDocument, space: SpaceState) -> None:
        super().__init__()
        self._document, self._space = document, space
        self._boxes = (QComboBox(), QComboBox())
        grid = _grid(self, "Pictures")
        for pane, (box, name) in enumerate(zip(self._boxes, ("Middle", "Right"), strict=True)):
            for source in LabelSource:
                box.addItem(SOURCE_NAMES[source], source)
            box.setProperty("pane", pane)
            box.setAccessibleName(f"Labels of the {name.lower()} picture")
            box.activated.connect(self._set)
            grid.addWidget(QLabel(name), pane + 1, 0)
            grid.addWidget(box, pane + 1, 1, 1, 2)

    def show_state(self) -> None:
        """Show what is chosen, or what is shown unless something is."""
        usual = (usual_label(self._document), LabelSource.PREDICTION)
        for box, chosen, other in zip(self._boxes, self._space.sources, usual, strict=True):
            with QSignalBlocker(box):
                box.setCurrentIndex(list(LabelSource).index(chosen or other))

    def _set(self, index: int) -> None:
        self._space.set_source(self.sender().property("pane"), list(LabelSource)[index])


class BoxRows(QWidget):
    """From where to where the stack is drawn, along each of its axes."""

    def __init__(self, space: SpaceState) -> None:
        super().__init__()
        self._space = space
        self._sliders: dict[tuple[str, int], QSlider] = {}
        grid = _grid(self, "Box")
        for row, (axis, name) in enumerate(_AXES):
            grid.addWidget(QLabel(name), row + 1, 0)
            for side, end in enumerate(("begins", "ends")):
                slider = _slider(f"Where the box {end}, {name.lower()}")
                slider.setProperty("axis", axis)
                slider.setProperty("side", side)
                slider.valueChanged.connect(self._set)
                self._sliders[axis, side] = slider
                grid.addWidget(slider, row + 1, 1 + side)

    def show_state(self) -> None:
        """Show the box."""
        for (axis, side), slider in self._sliders.items():
            with QSignalBlocker(slider):
                slider.setValue(round(100 * getattr(self._space.look.box, axis)[side]))

    def _set(self, per_cent: int) -> None:
        axis, side = self.sender().property("axis"), self.sender().property("side")
        self._space.set_box_side(axis, side, per_cent / 100)


def _switch(text: str, tip: str) -> QCheckBox:
    box = QCheckBox(text)
    box.setToolTip(tip)
    return box


def _slider(name: str) -> QSlider:
    slider = QSlider(Qt.Orientation.Horizontal)
    slider.setRange(0, 100)
    slider.setMinimumWidth(80)
    slider.setToolTip(name)
    slider.setAccessibleName(name)
    return slider


def _grid(widget: QWidget, heading: str) -> QGridLayout:
    """A grid below a heading."""
    title = QLabel(heading)
    title.setProperty("role", "heading")
    grid = QGridLayout(widget)
    grid.setContentsMargins(0, 4, 0, 0)
    grid.setHorizontalSpacing(8)
    grid.setVerticalSpacing(4)
    grid.addWidget(title, 0, 0, 1, 3)
    return grid
