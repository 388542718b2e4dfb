"""A stack of slices over the phases of one heartbeat."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.geometry import Geometry


@dataclass(frozen=True, slots=True, eq=False)
class Cine:
    """The grey values of a stack, phase by phase.

    Attributes:
        name: What the reader calls it, e.g. the series description.
        voxels: (t, z, y, x), integer or float32, not writeable.
        geometry: The grid of each phase.
        phase_times_ms: Time of each phase after the R wave [ms], or empty where unknown.
        phase_names: What the source calls each phase, e.g. `frame 12`, or empty.
        colour: (t, z, y, x, 3) uint8 where the source is in colour, else None.
    """

    name: str
    voxels: NDArray[np.generic] = field(repr=False)
    geometry: Geometry
    phase_times_ms: tuple[float, ...] = ()
    phase_names: tuple[str, ...] = ()
    colour: NDArray[np.uint8] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        assert self.voxels.ndim == 4, self.voxels.shape
        assert self.voxels.shape[1:] == self.geometry.shape, (self.voxels.shape, self.geometry)
        assert len(self.phase_times_ms) in (0, self.phase_count)
        assert len(self.phase_names) in (0, self.phase_count)
        self.voxels.setflags(write=False)

    @property
    def phase_count(self) -> int:
        """Number of phases (t)."""
        return int(self.voxels.shape[0])

    @property
    def slice_count(self) -> int:
        """Number of slices (z)."""
        return int(self.voxels.shape[1])

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Number of voxels (t, z, y, x)."""
        t, z, y, x = self.voxels.shape
        return (t, z, y, x)

    def time_ms(self, phase: int) -> float | None:
        """Time of a phase after the R wave [ms], or None where unknown."""
        return self.phase_times_ms[phase] if self.phase_times_ms else None
