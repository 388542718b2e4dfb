"""The plan of a stack: which frame goes where."""

from dataclasses import dataclass, field

from engine.geometry import Geometry
from engine.io.phase_grid import PhaseRow
from engine.io.slice_frames import Frame
from engine.io.slice_groups import title_of
from engine.study import Problem


@dataclass(frozen=True, slots=True, eq=False)
class StackPlan:
    """Which frame goes where in a stack.

    Attributes:
        rows: For each slice (z) a row with one frame, or None, for each phase (t).
        geometry: The grid.
        times_ms: Time of each phase [ms], or empty.
        problems: What the geometry guard says about it.
    """

    rows: tuple[PhaseRow, ...] = field(repr=False)
    geometry: Geometry
    times_ms: tuple[float, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def frames(self) -> list[Frame]:
        """All frames, slice by slice."""
        return [frame for row in self.rows for frame in row if frame is not None]

    @property
    def title(self) -> str:
        """The series description most of its frames share."""
        return title_of(self.frames)

    @property
    def holes(self) -> tuple[tuple[int, int], ...]:
        """(phase, slice) pairs without a frame."""
        return tuple(
            (t, z)
            for z, row in enumerate(self.rows)
            for t, frame in enumerate(row)
            if frame is None
        )
