"""One 2-D image of an examination, described by its header alone."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Vector = tuple[float, float, float]

_SAME_DIRECTION_COSINE = np.cos(np.radians(0.5))
_SAME_PIXEL_MM = 0.005


@dataclass(frozen=True, slots=True)
class Frame:
    """A 2-D image, and what its header says about place, time and kind.

    Positions and directions are DICOM patient coordinates: left, posterior, superior [mm].

    Attributes:
        file: The file that holds it.
        index: Number of the frame in its file, 0-based.
        rows: Number of rows (y).
        columns: Number of columns (x).
        pixel_mm: Distance between rows and between columns (y, x) [mm], None where not given.
        position_mm: Centre of the first pixel, None where not given.
        row_direction: Unit vector along a row (rising x), None where not given.
        column_direction: Unit vector along a column (rising y), None where not given.
        thickness_mm: Slice thickness; never used as a distance between slices.
        time_ms: Time after the R wave [ms].
        temporal_position: Number of the phase, where the source counts phases.
        instance: Instance number.
        study: Identifier of the examination.
        series: Identifier of the series.
        series_number: Number of the series; rises in the order of acquisition.
        acquisition: Acquisition number.
        title: Series description.
        kind: What must agree within one stack: sequence, image type, echo.
    """

    file: Path
    index: int
    rows: int
    columns: int
    pixel_mm: tuple[float, float] | None = None
    position_mm: Vector | None = None
    row_direction: Vector | None = None
    column_direction: Vector | None = None
    thickness_mm: float | None = None
    time_ms: float | None = None
    temporal_position: int | None = None
    instance: int = 0
    study: str = ""
    series: str = ""
    series_number: int = 0
    acquisition: int = 0
    title: str = ""
    kind: str = field(default="", repr=False)

    @property
    def is_placed(self) -> bool:
        """Whether the header says where the image lies in the patient, and how large it is."""
        return None not in (
            self.pixel_mm,
            self.position_mm,
            self.row_direction,
            self.column_direction,
        )

    @property
    def key(self) -> tuple[Path, int]:
        """What identifies the frame: file and number in it."""
        return (self.file, self.index)

    @property
    def normal(self) -> NDArray[np.float64]:
        """Unit vector across the slice, (3,): row direction x column direction."""
        assert self.row_direction is not None
        assert self.column_direction is not None
        return np.cross(self.row_direction, self.column_direction)

    @property
    def height_mm(self) -> float:
        """Position along the normal [mm] (DICOM PS3.3 C.7.6.2.1.1)."""
        assert self.position_mm is not None
        return float(self.normal @ np.asarray(self.position_mm))

    def is_parallel_to(self, other: "Frame") -> bool:
        """Whether rows and columns of both frames point the same way, to half a degree."""
        if not (self.is_placed and other.is_placed):
            return False
        assert self.row_direction is not None
        assert self.column_direction is not None
        assert other.row_direction is not None
        assert other.column_direction is not None
        along_rows = _dot(self.row_direction, other.row_direction)
        along_columns = _dot(self.column_direction, other.column_direction)
        return bool(min(along_rows, along_columns) >= _SAME_DIRECTION_COSINE)

    def has_grid_of(self, other: "Frame") -> bool:
        """Whether both frames have the same number and size of pixels."""
        if (self.rows, self.columns) != (other.rows, other.columns):
            return False
        if self.pixel_mm is None or other.pixel_mm is None:
            return self.pixel_mm is other.pixel_mm
        y_apart = abs(self.pixel_mm[0] - other.pixel_mm[0])
        x_apart = abs(self.pixel_mm[1] - other.pixel_mm[1])
        return max(y_apart, x_apart) <= _SAME_PIXEL_MM


def _dot(one: Vector, other: Vector) -> float:
    return one[0] * other[0] + one[1] * other[1] + one[2] * other[2]


def position_spread_mm(frames: list[Frame]) -> float:
    """Largest distance of a frame's corner from a straight, even row of slices [mm].

    Args:
        frames: One frame of each slice, in order.
    """
    positions = np.array([frame.position_mm for frame in frames])  # (z, 3)
    if len(frames) < 3:
        return 0.0
    heights = np.array([frame.height_mm for frame in frames])
    share = (heights - heights[0]) / (heights[-1] - heights[0])
    line = positions[0] + share[:, None] * (positions[-1] - positions[0])
    return float(np.linalg.norm(positions - line, axis=1).max())
