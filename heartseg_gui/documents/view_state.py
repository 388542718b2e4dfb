"""What the reader looks at: the place in the stack, and where the mouse points."""

from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal


@dataclass(frozen=True, slots=True)
class CursorPlace:
    """Where the mouse points in the stack.

    Attributes:
        phase: Phase, 0-based.
        slice_index: Slice, 0-based.
        y: Row in voxels; whole numbers are voxel centres, 0.0 that of the first.
        x: Column in voxels, likewise.
        reach_mm: How near something counts as touched [mm]: some pixels of the screen.
    """

    phase: int
    slice_index: int
    y: float
    x: float
    reach_mm: float = 2.0


class ViewState(QObject):
    """The slice and phase on the screen.

    Every setter clamps to what the study has and stays silent if nothing changed, so that a
    loop between a slider and this state ends by itself.

    Signals:
        extent_changed: Number of slices or phases changed.
        slice_changed: The slice (0-based) on the screen.
        phase_changed: The phase (0-based) on the screen.
        montage_changed: Whether all slices of the phase are shown together.
        left_only_changed: Whether the montage leaves out what is approved.
        playing_changed: Whether the cine plays.
        frame_rate_changed: Pictures a second while playing.
    """

    extent_changed = Signal()
    slice_changed = Signal(int)
    phase_changed = Signal(int)
    montage_changed = Signal(bool)
    left_only_changed = Signal(bool)
    playing_changed = Signal(bool)
    frame_rate_changed = Signal(float)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._slice_count = 1
        self._phase_count = 1
        self._slice = 0
        self._phase = 0
        self._montage = False
        self._left_only = False
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
    def left_only(self) -> bool:
        """Whether the montage shows only slices that are not approved."""
        return self._left_only

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

    def set_left_only(self, left_only: bool) -> None:
        """Leave approved slices out of the montage, or show all."""
        if left_only != self._left_only:
            self._left_only = left_only
            self.left_only_changed.emit(left_only)

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
