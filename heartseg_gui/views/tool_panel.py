"""The tools, and what the one in hand can be set to."""

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from engine.structures import Structure
from heartseg_gui.actions import Actions, show_keys, show_tip
from heartseg_gui.documents.tool_state import BrushTip, DrawOver, Gate, Tool, ToolState
from heartseg_gui.mouse_moves import Deed
from heartseg_gui.theme import ICON_SIZE, themed_icon

_SLIDER_STEPS_PER_MM = 2
_SLIDER_LARGEST_MM = 25.0
_TOOLS_A_ROW = 6
_BUTTON_PX = 32
_GREATEST_GREY = 1e6

_HINTS: dict[Tool, tuple[str, tuple[str | Deed, ...]]] = {
    Tool.WINDOW: ("Drag sideways for contrast, up and down for brightness.", ()),
    Tool.PAN: ("Drag to move the picture; {} to zoom.", (Deed.ZOOM,)),
    Tool.BRUSH: ("Left drag paints, {} erases.", (Deed.ERASE,)),
    Tool.ERASER: ("Removes labels of every structure that may be drawn over.", ()),
    Tool.CONTOUR: (
        "Drag a point, or the line near it. Double click adds a point, right click or Backspace "
        "removes one. Away from any line, or where the active structure has none, clicks draw a "
        "fresh contour.",
        (),
    ),
    Tool.MAGNETIC: (
        "Click along an edge. The first point or Return closes, Backspace goes back, Esc gives up.",
        (),
    ),
    Tool.POLYGON: (
        "Click corners. The first one or Return closes, Backspace goes back, Esc gives up.",
        (),
    ),
    Tool.LASSO: ("Draw round an area; {} takes labels away.", (Deed.ERASE,)),
    Tool.FILL: ("Click an area to fill it; {} clears it.", (Deed.ERASE,)),
    Tool.CUT: ("Draw a line across a structure; the smaller part goes.", ()),
    Tool.ISLAND: ("Click the piece to keep; {} removes it instead.", (Deed.ERASE,)),
    Tool.PROMPT: (
        "Click or scribble inside the structure; with the right button, outside. With any other "
        "tool, hold Shift.",
        (),
    ),
}

_RADIUS = (Tool.BRUSH, Tool.ERASER, Tool.CONTOUR)
_TIP = (Tool.BRUSH, Tool.ERASER)
_GATE = (Tool.BRUSH, Tool.ERASER, Tool.POLYGON, Tool.LASSO, Tool.FILL)
_OVER = (*_GATE, Tool.MAGNETIC, Tool.CONTOUR)
_TIPS = (
    (BrushTip.CIRCLE, "Round", "a disc in the slice"),
    (BrushTip.SQUARE, "Square", "a square in the slice"),
    (BrushTip.BALL, "Ball", "reaches into neighbouring slices"),
)
_GATES = (
    (Gate.NONE, "Any"),
    (Gate.RANGE, "A range"),
    (Gate.ADAPTIVE, "Like where it begins"),
)


class ToolPanel(QWidget):
    """A button for each tool, and below them what the tool in hand understands.

    Signals:
        grey_range_wanted: The reader wants the grey values of the active structure.
    """

    grey_range_wanted = Signal()

    def __init__(self, tools: ToolState, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tools = tools
        self._heading = QLabel("Tools")
        self._heading.setProperty("role", "heading")
        self._hint = QLabel()
        self._hint.setProperty("role", "caption")
        self._hint.setWordWrap(True)
        self._radius = RadiusRow(tools)
        self._tip = TipRow(tools)
        self._gate = GateRows(tools)
        self._over = OverRow(tools)
        self._over_drawn = QCheckBox("Change drawings, too")
        self._over_drawn.setToolTip("Let marks change voxels that a person has drawn")
        self._lay_out(actions)
        self._over_drawn.toggled.connect(tools.set_over_drawn)
        self._gate.grey_range_wanted.connect(self.grey_range_wanted)
        for fact in (
            tools.radius_changed,
            tools.tool_changed,
            tools.options_changed,
            tools.offered_changed,
        ):
            fact.connect(self.show_state)
        self.show_state()

    def show_state(self) -> None:
        """Draw what is so; also after the theme has changed."""
        tool, options = self._tools.tool, self._tools.options
        for row, users in (
            (self._radius, _RADIUS),
            (self._tip, _TIP),
            (self._gate, _GATE),
            (self._over, _OVER),
            (self._over_drawn, (Tool.PROMPT,)),
        ):
            row.setVisible(tool in users)
        for part in (self._radius, self._tip, self._gate, self._over):
            part.show_state()
        with QSignalBlocker(self._over_drawn):
            self._over_drawn.setChecked(options.over_drawn)
        text, names = _HINTS[tool]
        show_keys(self._hint, text, *names)

    def _lay_out(self, actions: Actions) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self._heading)
        layout.addLayout(_palette_of(actions))
        for row in (self._radius, self._tip, self._gate, self._over, self._over_drawn):
            layout.addWidget(row)
        layout.addWidget(self._hint)


class RadiusRow(QWidget):
    """The radius of brush and nudge [mm]."""

    def __init__(self, tools: ToolState) -> None:
        super().__init__()
        self._tools = tools
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setRange(1, round(_SLIDER_LARGEST_MM * _SLIDER_STEPS_PER_MM))
        self._slider.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._spin = QDoubleSpinBox()
        self._spin.setRange(tools.SMALLEST_RADIUS_MM, tools.LARGEST_RADIUS_MM)
        self._spin.setDecimals(1)
        self._spin.setSingleStep(0.5)
        self._spin.setSuffix(" mm")
        self._spin.setKeyboardTracking(False)
        for widget in (self._slider, self._spin):
            show_tip(widget, "Radius in the patient", "smaller", "larger")
            widget.setAccessibleName("Brush radius")
        _line_up(self, QLabel("Radius"), self._slider, self._spin, stretched=self._slider)
        self._slider.valueChanged.connect(self._set_from_slider)
        self._spin.valueChanged.connect(tools.set_radius)

    def show_state(self) -> None:
        """Draw the radius."""
        radius_mm = self._tools.radius_mm
        with QSignalBlocker(self._slider), QSignalBlocker(self._spin):
            self._slider.setValue(round(radius_mm * _SLIDER_STEPS_PER_MM))
            self._spin.setValue(radius_mm)

    def _set_from_slider(self, steps: int) -> None:
        self._tools.set_radius(steps / _SLIDER_STEPS_PER_MM)


class TipRow(QWidget):
    """The shape of brush and eraser."""

    def __init__(self, tools: ToolState) -> None:
        super().__init__()
        self._tools = tools
        self._group = QButtonGroup(self)
        buttons = []
        for number, (_, name, tip) in enumerate(_TIPS):
            button = QToolButton()
            button.setAccessibleName(name)
            button.setToolTip(f"{name}: {tip}")
            button.setCheckable(True)
            button.setIconSize(QSize(16, 16))
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setFixedSize(_BUTTON_PX, _BUTTON_PX)
            self._group.addButton(button, number)
            buttons.append(button)
        _line_up(self, QLabel("Tip"), *buttons, None)
        self._group.idClicked.connect(self._choose)

    def show_state(self) -> None:
        """Press the button of the shape."""
        for number, (tip, _, _) in enumerate(_TIPS):
            button = self._group.button(number)
            button.setChecked(tip is self._tools.options.tip)
            palette, ratio = self.palette(), self.devicePixelRatioF()
            button.setIcon(themed_icon(f"tip_{tip.value}", palette, ratio=ratio))

    def _choose(self, number: int) -> None:
        self._tools.set_tip(_TIPS[number][0])


class GateRows(QWidget):
    """Which grey values are touched.

    Signals:
        grey_range_wanted: Take the range from the active structure.
    """

    grey_range_wanted = Signal()

    def __init__(self, tools: ToolState) -> None:
        super().__init__()
        self._tools = tools
        self._choice = _narrow_box()
        for _, name in _GATES:
            self._choice.addItem(name)
        self._choice.setToolTip("Which grey values are changed")
        self._choice.setAccessibleName("Grey values")
        self._low, self._high = _grey_spin("Lowest grey value"), _grey_spin("Highest grey value")
        self._take = QPushButton("As in the active structure")
        self._take.setToolTip("Take the range of the active structure in this slice")
        self._range = QWidget()
        _line_up(self._range, self._low, QLabel("to"), self._high, None)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        choice = QWidget()
        _line_up(choice, QLabel("Grey values"), self._choice, stretched=self._choice)
        layout.addWidget(choice)
        layout.addWidget(self._range)
        layout.addWidget(self._take)
        self._choice.activated.connect(self._choose)
        self._take.clicked.connect(self._ask_for_range)
        for spin in (self._low, self._high):
            spin.valueChanged.connect(self._set_range)

    def show_state(self) -> None:
        """Draw gate and range; only a flat brush or eraser can adapt."""
        options = self._tools.options
        adapts = self._tools.tool in _TIP and options.tip is not BrushTip.BALL
        items = self._choice.model()
        assert isinstance(items, QStandardItemModel)
        items.item(2).setEnabled(adapts)
        gates = [gate for gate, _ in _GATES]
        shown = options.gate if adapts or options.gate is Gate.RANGE else Gate.NONE
        with QSignalBlocker(self._choice), QSignalBlocker(self._low), QSignalBlocker(self._high):
            self._choice.setCurrentIndex(gates.index(shown))
            self._low.setValue(options.grey_range[0])
            self._high.setValue(options.grey_range[1])
        for part in (self._range, self._take):
            part.setVisible(shown is Gate.RANGE)

    def _choose(self, number: int) -> None:
        self._tools.set_gate(_GATES[number][0])

    def _set_range(self) -> None:
        self._tools.set_grey_range(self._low.value(), self._high.value())

    def _ask_for_range(self) -> None:
        self.grey_range_wanted.emit()


class OverRow(QWidget):
    """Which structures may be replaced."""

    def __init__(self, tools: ToolState) -> None:
        super().__init__()
        self._tools = tools
        self._choice = _narrow_box()
        self._listed: tuple[Structure, ...] = ()
        self._choice.setToolTip("What may be drawn over")
        self._choice.setAccessibleName("What may be drawn over")
        _line_up(self, QLabel("Draw over"), self._choice, stretched=self._choice)
        self._choice.activated.connect(self._choose)

    def show_state(self) -> None:
        """Draw the rule."""
        options = self._tools.options
        with QSignalBlocker(self._choice):
            if self._listed != self._tools.offered:
                self._list(self._tools.offered)
            number = {DrawOver.ALL: 0, DrawOver.PROTECT: 1}.get(
                options.over, 2 + self._listed.index(options.inside)
            )
            self._choice.setCurrentIndex(number)

    def _list(self, structures: tuple[Structure, ...]) -> None:
        self._listed = structures
        self._choice.clear()
        inside = (f"Inside {structure.title.lower()}" for structure in structures)
        self._choice.addItems(["Everything", "Protect the others", *inside])

    def _choose(self, number: int) -> None:
        if number < 2:
            self._tools.set_over((DrawOver.ALL, DrawOver.PROTECT)[number])
        else:
            self._tools.set_over(DrawOver.INSIDE, self._listed[number - 2])


def _palette_of(actions: Actions) -> QGridLayout:
    """A button for each tool, in the order of their enumeration."""
    grid = QGridLayout()
    grid.setSpacing(2)
    for number, tool in enumerate(Tool):
        button = QToolButton()
        button.setDefaultAction(actions[tool.value])
        button.setIconSize(QSize(ICON_SIZE, ICON_SIZE))
        button.setFixedSize(_BUTTON_PX, _BUTTON_PX)  # not as wide as its text before it has an icon
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        grid.addWidget(button, *divmod(number, _TOOLS_A_ROW))
    grid.setColumnStretch(_TOOLS_A_ROW, 1)
    return grid


def _narrow_box() -> QComboBox:
    """A choice that may be narrower than its longest line: the panel keeps its width."""
    box = QComboBox()
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(8)
    return box


def _grey_spin(name: str) -> QDoubleSpinBox:
    spin = QDoubleSpinBox()
    spin.setRange(-_GREATEST_GREY, _GREATEST_GREY)
    spin.setDecimals(0)
    spin.setKeyboardTracking(False)
    spin.setToolTip(name)
    spin.setAccessibleName(name)
    spin.setFixedWidth(80)
    return spin


def _line_up(row: QWidget, *parts: QWidget | None, stretched: QWidget | None = None) -> None:
    """Put widgets side by side; None is room."""
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(6)
    for part in parts:
        if part is None:
            layout.addStretch()
        else:
            layout.addWidget(part, stretch=int(part is stretched))
