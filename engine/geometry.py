"""Where the voxels of a stack lie in the patient."""

from dataclasses import dataclass, field
from math import prod

import numpy as np
from numpy.typing import NDArray

from engine.errors import HeartSegError

_SAME_GRID_TOLERANCE_MM = 0.05


class ImpossibleGeometryError(HeartSegError):
    """Spacing or affine cannot belong to a stack of slices."""


@dataclass(frozen=True, slots=True, eq=False)
class Geometry:
    """The voxel grid of a stack of slices.

    Attributes:
        shape: Number of voxels (z, y, x); z counts slices.
        spacing_mm: Distance between voxel centres (z, y, x) [mm]; z is the distance between
            slice *centres*, gap included.
        affine: (4, 4) [mm]; takes a voxel index (x, y, z, 1) to patient coordinates
            right-anterior-superior, as NIfTI-1 defines them. Read-only.
        file_axes: For the engine's axes x, y, z in turn, which axis of the stored file each one
            came from; (0, 1, 2) unless the slices of a NIfTI file are not its third axis. Label
            maps are written back in the file's own order.
    """

    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    affine: NDArray[np.float64] = field(repr=False)
    file_axes: tuple[int, int, int] = (0, 1, 2)

    def __post_init__(self) -> None:
        affine = np.array(self.affine, dtype=np.float64)
        if affine.shape != (4, 4) or not np.isfinite(affine).all():
            raise ImpossibleGeometryError(
                "The position of the image in the patient is not given by a finite 4x4 matrix.",
                hint="Export the study again; its header is damaged.",
            )
        if min(self.shape) < 1 or not all(np.isfinite(mm) and mm > 0 for mm in self.spacing_mm):
            raise ImpossibleGeometryError(
                f"The voxel spacing {self.spacing_mm} mm (z, y, x) is not positive.",
                hint="Export the study again; its header is damaged.",
            )
        if abs(np.linalg.det(affine[:3, :3])) < 1e-9 * prod(self.spacing_mm):
            raise ImpossibleGeometryError(
                "The axes of the image lie in one plane, so it has no volume.",
                hint="Export the study again; its header is damaged.",
            )
        affine.setflags(write=False)
        object.__setattr__(self, "affine", affine)

    @classmethod
    def from_affine(
        cls,
        affine: NDArray[np.floating],
        shape: tuple[int, int, int],
        *,
        file_axes: tuple[int, int, int] = (0, 1, 2),
    ) -> "Geometry":
        """Make a geometry whose spacing is the length of the affine's columns.

        Args:
            affine: (4, 4) [mm], for indices (x, y, z, 1).
            shape: (z, y, x).
            file_axes: See the class.
        """
        x_mm, y_mm, z_mm = (float(np.linalg.norm(affine[:3, axis])) for axis in range(3))
        return cls(shape, (z_mm, y_mm, x_mm), np.asarray(affine, np.float64), file_axes)

    @property
    def voxel_ml(self) -> float:
        """The volume of one voxel [ml]; 1000 mm^3 are 1 ml."""
        return prod(self.spacing_mm) / 1000

    @property
    def slice_normal(self) -> NDArray[np.float64]:
        """Unit vector across the slices, towards rising z, (3,), patient coordinates."""
        across = np.cross(self.affine[:3, 0], self.affine[:3, 1])
        across = across / np.linalg.norm(across)
        return across if across @ self.affine[:3, 2] >= 0 else -across

    @property
    def axis_codes(self) -> str:
        """Patient direction in which x, y and z each rise, e.g. `LPS`."""
        codes = ""
        free = [0, 1, 2]
        columns = self.affine[:3, :3] / np.linalg.norm(self.affine[:3, :3], axis=0)
        order = sorted(range(3), key=lambda axis: -np.abs(columns[:, axis]).max())
        letters: dict[int, str] = {}
        for axis in order:  # the straightest axis chooses first
            world = max(free, key=lambda row: abs(columns[row, axis]))
            free.remove(world)
            letters[axis] = ("RAS" if columns[world, axis] > 0 else "LPI")[world]
        for axis in range(3):
            codes += letters[axis]
        return codes

    def position_mm(self, *, z: float, y: float, x: float) -> NDArray[np.float64]:
        """Patient coordinates (right, anterior, superior) [mm] of a voxel index, (3,)."""
        position: NDArray[np.float64] = self.affine[:3, :3] @ (x, y, z) + self.affine[:3, 3]
        return position

    def matches(self, other: "Geometry") -> bool:
        """Whether both grids put every voxel at the same place, to 0.05 mm."""
        if self.shape != other.shape:
            return False
        depth, height, width = self.shape
        corners = np.array(
            [(x, y, z, 1) for z in (0, depth - 1) for y in (0, height - 1) for x in (0, width - 1)]
        )
        apart_mm = np.abs((self.affine - other.affine) @ corners.T)
        return bool(apart_mm.max() <= _SAME_GRID_TOLERANCE_MM)

    def in_file_order(self) -> NDArray[np.float64]:
        """The affine of the stored file, (4, 4), for indices in the file's own axis order."""
        affine = np.array(self.affine)
        for axis, file_axis in enumerate(self.file_axes):
            affine[:, file_axis] = self.affine[:, axis]
        return affine
