"""The tool in the reader's hand and what it is set to."""

from dataclasses import dataclass, replace
from enum import Enum

from PySide6.QtCore import QObject, Signal

from engine.structures import ALL_STRUCTURES, HEART_STRUCTURES, Structure


class Tool(Enum):
    """What the left mouse button does in the slice view."""

    WINDOW = "window"  # drag changes window width and level
    PAN = "pan"
    BRUSH = "brush"
    ERASER = "eraser"
    CONTOUR = "contour"  # drag handles of spline contours
    MAGNETIC = "magnetic"  # a contour that clings to edges
    POLYGON = "polygon"
    LASSO = "lasso"
    FILL = "fill"
    CUT = "cut"
    ISLAND = "island"  # keep or remove the piece that is clicked
    PROMPT = "prompt"  # inside and outside marks that segment the slice anew

    @property
    def edits(self) -> bool:
        """Whether it changes labels, so that presses go to it."""
        return self not in (Tool.WINDOW, Tool.PAN)


class BrushTip(Enum):
    """The shape of brush and eraser."""

    CIRCLE = "circle"
    SQUARE = "square"
    BALL = "ball"  # reaches into neighbouring slices


class Gate(Enum):
    """Which grey values a tool may touch."""

    NONE = "none"
    RANGE = "range"
    ADAPTIVE = "adaptive"  # alike and connected to what lies under the cursor


class DrawOver(Enum):
    """Which structures a tool may replace."""

    ALL = "all"
    PROTECT = "protect"  # background and the active structure alone
    INSIDE = "inside"  # one chosen structure alone


@dataclass(frozen=True, slots=True)
class Press:
    """How the mouse or the pen was pressed.

    Attributes:
        other: It was the right button, or the other end of a pen.
        control: Ctrl was held.
        shift: Shift was held.
        double: It was the second press of a double click.
    """

    other: bool = False
    control: bool = False
    shift: bool = False
    double: bool = False

    @property
    def erases(self) -> bool:
        """Whether what the tool draws shall be taken away."""
        return self.other or self.control


@dataclass(frozen=True, slots=True)
class ToolOptions:
    """What the tools are set to.

    Attributes:
        tip: Shape of brush and eraser.
        gate: Which grey values are touched.
        grey_range: Lowest and highest grey value of `Gate.RANGE`, in the image's own units.
        over: Which structures may be replaced.
        inside: The structure of `DrawOver.INSIDE`.
        over_drawn: Whether prompts may change what a person has drawn.
    """

    tip: BrushTip = BrushTip.CIRCLE
    gate: Gate = Gate.NONE
    grey_range: tuple[float, float] = (0.0, 1.0)
    over: DrawOver = DrawOver.ALL
    inside: Structure = Structure.LV
    over_drawn: bool = False


class ToolState(QObject):
    """The tool in the reader's hand.

    Signals:
        tool_changed: The tool.
        structure_changed: The structure that the tools draw.
        offered_changed: The structures that can be chosen without further ado.
        radius_changed: The radius of brush and nudge [mm].
        options_changed: Anything else.
    """

    tool_changed = Signal(Tool)
    structure_changed = Signal(Structure)
    offered_changed = Signal()
    radius_changed = Signal(float)
    options_changed = Signal()

    SMALLEST_RADIUS_MM = 0.5
    LARGEST_RADIUS_MM = 50.0

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tool = Tool.WINDOW
        self._structure = Structure.LV
        self._offered: tuple[Structure, ...] = HEART_STRUCTURES
        self._radius_mm = 5.0
        self._options = ToolOptions()

    @property
    def tool(self) -> Tool:
        """The tool in hand."""
        return self._tool

    @property
    def structure(self) -> Structure:
        """What the tools draw."""
        return self._structure

    @property
    def offered(self) -> tuple[Structure, ...]:
        """The structures of the open study, in numeric order: what panels list for drawing."""
        return self._offered

    @property
    def radius_mm(self) -> float:
        """Radius of the brush, and of what a nudged contour takes along [mm]."""
        return self._radius_mm

    @property
    def options(self) -> ToolOptions:
        """What the tools are set to."""
        return self._options

    def set_tool(self, tool: Tool) -> None:
        """Take a tool in hand."""
        if tool is not self._tool:
            self._tool = tool
            self.tool_changed.emit(tool)

    def set_structure(self, structure: Structure) -> None:
        """Choose what the tools draw; one that is not offered brings all of them."""
        if structure not in self._offered:
            self.set_offered(ALL_STRUCTURES)
        if structure is not self._structure:
            self._structure = structure
            self.structure_changed.emit(structure)

    def set_offered(self, structures: tuple[Structure, ...]) -> None:
        """Say which structures the open study has; the tools go on with one of them."""
        assert structures
        if structures == self._offered:
            return
        self._offered = structures
        if self._options.inside not in structures:
            self.set_over(self._options.over, structures[-1])
        self.offered_changed.emit()
        if self._structure not in structures:
            self.set_structure(structures[-1])

    def set_radius(self, radius_mm: float) -> None:
        """Set the radius [mm], within 0.5 and 50 mm."""
        wanted = min(max(radius_mm, self.SMALLEST_RADIUS_MM), self.LARGEST_RADIUS_MM)
        if wanted != self._radius_mm:
            self._radius_mm = wanted
            self.radius_changed.emit(wanted)

    def grow(self) -> None:
        """Make the brush a quarter larger, as `]` does."""
        self.set_radius(round(self._radius_mm * 1.25, 1))

    def shrink(self) -> None:
        """Make the brush a fifth smaller, as `[` does."""
        self.set_radius(round(self._radius_mm / 1.25, 1))

    def set_tip(self, tip: BrushTip) -> None:
        """Choose the shape of brush and eraser."""
        self._set(replace(self._options, tip=tip))

    def set_gate(self, gate: Gate) -> None:
        """Choose which grey values the tools touch."""
        self._set(replace(self._options, gate=gate))

    def set_grey_range(self, low: float, high: float) -> None:
        """Set the grey values of `Gate.RANGE`; given the wrong way round, they are swapped."""
        self._set(replace(self._options, grey_range=(min(low, high), max(low, high))))

    def set_over(self, over: DrawOver, inside: Structure | None = None) -> None:
        """Choose which structures may be replaced; `inside` stays as it is where None."""
        kept = self._options.inside if inside is None else inside
        self._set(replace(self._options, over=over, inside=kept))

    def set_over_drawn(self, allowed: bool) -> None:
        """Let prompts change what a person has drawn, or not."""
        self._set(replace(self._options, over_drawn=allowed))

    def _set(self, options: ToolOptions) -> None:
        if options != self._options:
            self._options = options
            self.options_changed.emit()
