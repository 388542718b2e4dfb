"""The structures: colour, visibility, which one is painted, and how they are drawn."""

from PySide6.QtCore import QRectF, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QRadioButton,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from engine.structures import ALL_STRUCTURES, Structure
from heartseg_gui.actions import show_keys, show_tip
from heartseg_gui.documents.display_state import DisplayState, OverlayStyle
from heartseg_gui.documents.tool_state import ToolState
from heartseg_gui.theme import colours_of, themed_icon

_ACTIONS = {
    Structure.RV: "paint_rv",
    Structure.MYOCARDIUM: "paint_myocardium",
    Structure.LV: "paint_lv",
    Structure.LEFT_ATRIUM: "paint_left_atrium",
}
_STYLES = (
    (OverlayStyle.FILLED, "Areas"),
    (OverlayStyle.CONTOUR, "Contours"),
    (OverlayStyle.BOTH, "Both"),
)


class StructureRow(QFrame):
    """One structure: a swatch of its colour, its name, its key and an eye.

    Signals:
        chosen: The reader wants to paint this structure.
        visibility_toggled: Whether it shall be drawn.
    """

    chosen = Signal(Structure)
    visibility_toggled = Signal(Structure, bool)

    def __init__(self, structure: Structure, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._structure = structure
        self._colour = QColor()
        self._active = False
        key = QLabel()
        show_keys(key, "{}", _ACTIONS[structure])
        key.setProperty("role", "caption")
        self._eye = QToolButton()
        self._eye.setCheckable(True)
        self._eye.setIconSize(QSize(16, 16))
        self._eye.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._eye.clicked.connect(self._tell_visibility)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        name = structure.title.lower()
        show_tip(self, f"Paint the {name}", _ACTIONS[structure])
        self.setAccessibleName(f"Paint the {name}")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(34, 3, 4, 3)
        layout.addWidget(QLabel(structure.title), stretch=1)
        layout.addWidget(key)
        layout.addWidget(self._eye)

    def show_state(self, colour: tuple[int, int, int], *, active: bool, shown: bool) -> None:
        """Draw what is so."""
        self._colour, self._active = QColor(*colour), active
        with QSignalBlocker(self._eye):
            self._eye.setChecked(not shown)
        self._eye.setIcon(self._eye_icon(shown))
        name = self._structure.title.lower()
        tip = f"Hide the {name}" if shown else f"Show the {name}"
        self._eye.setToolTip(tip)
        self._eye.setAccessibleName(tip)
        self.update()

    def _eye_icon(self, shown: bool) -> QIcon:
        name = "eye" if shown else "eye_off"
        return themed_icon(name, self.palette(), ratio=self.devicePixelRatioF())

    def _tell_visibility(self, hidden: bool) -> None:
        self.visibility_toggled.emit(self._structure, not hidden)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the structure."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.chosen.emit(self._structure)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Choose it with the space bar, as buttons are pressed."""
        if event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.chosen.emit(self._structure)
        else:
            event.ignore()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the frame of the active structure or of the focus, and the swatch."""
        colours = colours_of(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._active or self.hasFocus():
            wide = 2 if self.hasFocus() else 1
            painter.setPen(QPen(QColor(colours.accent), wide))
            painter.setBrush(QColor(colours.accent_soft if self._active else colours.window))
            inset = wide / 2
            frame = QRectF(self.rect()).adjusted(inset, inset, -inset, -inset)
            painter.drawRoundedRect(frame, 7, 7)
        painter.setPen(QPen(QColor(colours.line), 1))
        painter.setBrush(self._colour)
        middle = self.rect().center().y() + 0.5
        painter.drawRoundedRect(QRectF(10, middle - 7, 14, 14), 4, 4)


class StructurePanel(QWidget):
    """Structures of the study to paint and to see, and the look of the overlay."""

    def __init__(
        self, display: DisplayState, tools: ToolState, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._display = display
        self._tools = tools
        self._rows = {structure: StructureRow(structure) for structure in ALL_STRUCTURES}
        self._shown = QCheckBox("Show labels")
        show_tip(self._shown, "Hide or show the labels", "overlay")
        self._opacity = QSlider(Qt.Orientation.Horizontal)
        self._opacity.setRange(0, 100)
        show_tip(self._opacity, "Opacity of the areas", "more_opaque", "less_opaque")
        self._opacity.setAccessibleName("Opacity of the areas")
        self._opacity_text = QLabel()
        self._styles = QButtonGroup(self)
        self._lay_out()

        for row in self._rows.values():
            row.chosen.connect(tools.set_structure)
            row.visibility_toggled.connect(display.set_shown)
        self._shown.toggled.connect(display.set_overlay_shown)
        self._opacity.valueChanged.connect(self._set_opacity)
        self._styles.idClicked.connect(self._set_style)
        display.overlay_changed.connect(self.show_state)
        tools.structure_changed.connect(self.show_state)
        tools.offered_changed.connect(self.show_state)
        self.show_state()

    def show_state(self) -> None:
        """Draw all of it from the states, e.g. after the theme has changed."""
        display = self._display
        for structure, row in self._rows.items():
            row.setVisible(structure in self._tools.offered)
            row.show_state(
                display.colour_of(structure),
                active=structure is self._tools.structure,
                shown=display.is_shown(structure),
            )
        with QSignalBlocker(self._shown), QSignalBlocker(self._opacity):
            self._shown.setChecked(display.overlay_shown)
            self._opacity.setValue(round(100 * display.opacity))
        self._opacity_text.setText(f"{100 * display.opacity:.0f} %")
        for number, (style, _) in enumerate(_STYLES):
            self._styles.button(number).setChecked(style is display.style)

    def _lay_out(self) -> None:
        heading = QLabel("Structures")
        heading.setProperty("role", "heading")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(heading)
        layout.addSpacing(2)
        for row in self._rows.values():
            layout.addWidget(row)
        layout.addSpacing(8)
        layout.addWidget(self._shown)
        layout.addSpacing(4)
        styles = QHBoxLayout()
        styles.setSpacing(14)
        for number, (_, text) in enumerate(_STYLES):
            button = QRadioButton(text)
            if number < 2:
                show_tip(button, text, "contours")
            else:
                button.setToolTip("Areas with their contour")
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            self._styles.addButton(button, number)
            styles.addWidget(button)
        styles.addStretch()
        layout.addLayout(styles)
        layout.addSpacing(4)
        grid = QGridLayout()
        caption = QLabel("Opacity")
        caption.setBuddy(self._opacity)
        self._opacity_text.setMinimumWidth(self.fontMetrics().horizontalAdvance("100 %"))
        self._opacity_text.setAlignment(Qt.AlignmentFlag.AlignRight)
        grid.addWidget(caption, 0, 0)
        grid.addWidget(self._opacity, 0, 1)
        grid.addWidget(self._opacity_text, 0, 2)
        layout.addLayout(grid)
        for widget in (self._shown, self._opacity):
            widget.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def _set_opacity(self, per_cent: int) -> None:
        self._display.set_opacity(per_cent / 100)

    def _set_style(self, number: int) -> None:
        self._display.set_style(_STYLES[number][0])
