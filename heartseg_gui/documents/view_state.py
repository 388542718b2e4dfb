"""What the reader looks at and works with: place, picture and tool, each with its facts."""

from dataclasses import dataclass
from enum import Enum

from PySide6.QtCore import QObject, Signal

from engine.structures import Structure


@dataclass(frozen=True, slots=True)
class CursorPlace:
    """Where the mouse points in the stack.

    Attributes:
        phase: Phase, 0-based.
        slice_index: Slice, 0-based.
        y: Row in voxels; whole numbers are voxel centres, 0.0 that of the first.
        x: Column in voxels, likewise.
    """

    phase: int
    slice_index: int
    y: float
    x: float


class ViewState(QObject):
    """The slice and phase on the screen.

    Every setter clamps to what the study has and stays silent if nothing changed, so that a
    loop between a slider and this state ends by itself.

    Signals:
        extent_changed: Number of slices or phases changed.
        slice_changed: The slice (0-based) on the screen.
        phase_changed: The phase (0-based) on the screen.
        montage_changed: Whether all slices of the phase are shown together.
        playing_changed: Whether the cine plays.
        frame_rate_changed: Pictures a second while playing.
    """

    extent_changed = Signal()
    slice_changed = Signal(int)
    phase_changed = Signal(int)
    montage_changed = Signal(bool)
    playing_changed = Signal(bool)
    frame_rate_changed = Signal(float)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._slice_count = 1
        self._phase_count = 1
        self._slice = 0
        self._phase = 0
        self._montage = False
        self._playing = False
        self._frame_rate_hz = 20.0

    @property
    def slice_count(self) -> int:
        """Number of slices of the stack."""
        return self._slice_count

    @property
    def phase_count(self) -> int:
        """Number of phases of the stack."""
        return self._phase_count

    @property
    def slice_index(self) -> int:
        """The slice on the screen, 0-based."""
        return self._slice

    @property
    def phase(self) -> int:
        """The phase on the screen, 0-based."""
        return self._phase

    @property
    def montage(self) -> bool:
        """Whether all slices of the phase are shown together."""
        return self._montage

    @property
    def playing(self) -> bool:
        """Whether the cine plays."""
        return self._playing

    @property
    def frame_rate_hz(self) -> float:
        """Pictures a second while playing."""
        return self._frame_rate_hz

    def set_extent(self, slice_count: int, phase_count: int) -> None:
        """Take over the size of a new stack and show its middle slice, first phase."""
        self._slice_count, self._phase_count = max(1, slice_count), max(1, phase_count)
        self.set_playing(False)
        self._slice, self._phase = self._slice_count // 2, 0
        self.extent_changed.emit()
        self.slice_changed.emit(self._slice)
        self.phase_changed.emit(self._phase)

    def set_slice(self, slice_index: int) -> None:
        """Show a slice; out of range shows the nearest one."""
        wanted = min(max(slice_index, 0), self._slice_count - 1)
        if wanted != self._slice:
            self._slice = wanted
            self.slice_changed.emit(wanted)

    def set_phase(self, phase: int) -> None:
        """Show a phase; out of range shows the nearest one."""
        wanted = min(max(phase, 0), self._phase_count - 1)
        if wanted != self._phase:
            self._phase = wanted
            self.phase_changed.emit(wanted)

    def step_slice(self, by: int) -> None:
        """Go `by` slices on, stopping at the ends."""
        self.set_slice(self._slice + by)

    def step_phase(self, by: int) -> None:
        """Go `by` phases on, round the heartbeat."""
        self.set_phase((self._phase + by) % self._phase_count)

    def set_montage(self, montage: bool) -> None:
        """Show all slices of the phase, or one."""
        if montage != self._montage:
            self._montage = montage
            self.montage_changed.emit(montage)

    def set_playing(self, playing: bool) -> None:
        """Start or stop the cine; a single phase never plays."""
        wanted = playing and self._phase_count > 1
        if wanted != self._playing:
            self._playing = wanted
            self.playing_changed.emit(wanted)

    def set_frame_rate(self, frame_rate_hz: float) -> None:
        """Set the speed of the cine, 1 to 60 pictures a second."""
        wanted = min(max(frame_rate_hz, 1.0), 60.0)
        if wanted != self._frame_rate_hz:
            self._frame_rate_hz = wanted
            self.frame_rate_changed.emit(wanted)


class Tool(Enum):
    """What the left mouse button does in the slice view."""

    WINDOW = "window"  # drag changes window width and level
    PAN = "pan"
    BRUSH = "brush"
    ERASER = "eraser"


class ToolState(QObject):
    """The tool in the reader's hand.

    Signals:
        tool_changed: The tool.
        structure_changed: The structure that the brush paints.
        radius_changed: The brush radius [mm].
    """

    tool_changed = Signal(Tool)
    structure_changed = Signal(Structure)
    radius_changed = Signal(float)

    SMALLEST_RADIUS_MM = 0.5
    LARGEST_RADIUS_MM = 50.0

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tool = Tool.WINDOW
        self._structure = Structure.LV
        self._radius_mm = 5.0

    @property
    def tool(self) -> Tool:
        """The tool in hand."""
        return self._tool

    @property
    def structure(self) -> Structure:
        """What the brush paints."""
        return self._structure

    @property
    def radius_mm(self) -> float:
        """Brush radius [mm]."""
        return self._radius_mm

    def set_tool(self, tool: Tool) -> None:
        """Take a tool in hand."""
        if tool is not self._tool:
            self._tool = tool
            self.tool_changed.emit(tool)

    def set_structure(self, structure: Structure) -> None:
        """Choose what the brush paints."""
        if structure is not self._structure:
            self._structure = structure
            self.structure_changed.emit(structure)

    def set_radius(self, radius_mm: float) -> None:
        """Set the brush radius [mm], within 0.5 and 50 mm."""
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
