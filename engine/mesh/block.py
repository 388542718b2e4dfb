"""A block of cubes that stands upright, in which bodies for the printer are made."""

from dataclasses import dataclass, field
from itertools import product
from typing import Self

import numpy as np
from numpy.typing import NDArray

from engine.geometry import Geometry
from engine.mesh.depth import DepthField, Depths

_BELOW = 2  # layers below the ground


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A grid of equal steps whose layers lie along the slices of an image.

    Attributes:
        shape: Number of points (z, y, x); z rises from the ground.
        step_mm: How far points lie apart.
        to_patient: (4, 4) [mm]; takes points (x, y, z, 1) of the grid to patient coordinates.
    """

    shape: tuple[int, int, int]
    step_mm: float
    to_patient: NDArray[np.float64] = field(repr=False)

    @classmethod
    def around(
        cls,
        labels: NDArray[np.uint8],
        geometry: Geometry,
        up: NDArray[np.float64],
        *,
        step_mm: float,
        room_mm: float,
        below_mm: float,
    ) -> Self:
        """The block around all labels.

        Args:
            labels: (z, y, x), something labelled.
            geometry: Their grid.
            up: Patient direction that is up in the block, across the slices, a unit vector (3,).
            step_mm: How far points lie apart.
            room_mm: Left free round the labels.
            below_mm: From the ground to the lowest label.
        """
        across = geometry.affine[:3, 0] / np.linalg.norm(geometry.affine[:3, 0])
        turned = np.stack([across, np.cross(up, across), up])  # rows: the block's axes
        z, y, x = np.nonzero(labels)
        ends = [np.stack([x + i, y + j, z + k]) for i in (-0.5, 0.5)
                for j in (-0.5, 0.5) for k in (-0.5, 0.5)]  # fmt: skip
        corners = np.concatenate(ends, axis=1)  # (3, n)
        at = turned @ (geometry.affine[:3, :3] @ corners + geometry.affine[:3, 3:])
        low, high = at.min(axis=1) - room_mm, at.max(axis=1) + room_mm
        # the ground lies in the middle between two layers, so that it is cut flat
        low[2] = at[2].min() - below_mm - (_BELOW - 0.5) * step_mm
        width, depth, height = np.ceil((high - low) / step_mm).astype(int) + 1
        to_patient = np.eye(4)
        to_patient[:3, :3] = turned.T * step_mm
        to_patient[:3, 3] = turned.T @ low
        return cls((int(height), int(depth), int(width)), step_mm, to_patient)

    @property
    def heights_mm(self) -> NDArray[np.float32]:
        """Of the layers above the ground, (z,)."""
        layers = np.arange(self.shape[0]) - (_BELOW - 0.5)
        return (layers * self.step_mm).astype(np.float32)

    @property
    def to_printer(self) -> NDArray[np.float64]:
        """(4, 4) [mm]; takes points (x, y, z, 1) to coordinates on the printer's plate."""
        _, depth, width = self.shape
        affine = np.diag([self.step_mm, self.step_mm, self.step_mm, 1.0])
        affine[:3, 3] = (-(width - 1) / 2 * self.step_mm, -(depth - 1) / 2 * self.step_mm,
                         self.heights_mm[0])  # fmt: skip
        return affine

    def sample(self, source: DepthField, geometry: Geometry) -> Depths:
        """Depths at the points of the block, (z, y, x) [mm].

        By cubic B-splines without their sharpening filter: straight walls stay where they are, and
        the creases between the source's points vanish.
        """
        from scipy.ndimage import affine_transform

        index = np.linalg.inv(geometry.affine) @ self.to_patient  # of the image, (x, y, z)
        step, first = np.array(source.step), np.array(source.first)
        matrix = index[:3, :3][::-1, ::-1] / step[:, None]
        offset = (index[:3, 3][::-1] - first) / step
        low, high = self._part_of(matrix, offset, source.depth_mm.shape)
        depth = np.full(self.shape, source.depth_mm.min(), np.float32)
        depth[low[0] : high[0], low[1] : high[1], low[2] : high[2]] = affine_transform(
            source.depth_mm, matrix, offset + matrix @ low, tuple(high - low), order=3,
            prefilter=False, mode="nearest",
        )  # fmt: skip
        return depth

    def _part_of(
        self, matrix: NDArray[np.float64], offset: NDArray[np.float64], shape: tuple[int, ...]
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The part of the block, first and behind last (z, y, x), that a source's grid covers."""
        ends = np.array(list(product(*((0, size - 1) for size in shape))), float)
        at = (ends - offset) @ np.linalg.inv(matrix).T
        low = np.floor(at.min(axis=0)).clip(0, self.shape).astype(np.intp)
        return low, (np.ceil(at.max(axis=0)) + 1).clip(0, self.shape).astype(np.intp)

    @staticmethod
    def field_of(depth: Depths, step_mm: float) -> DepthField:
        """Depths in a block as a field of their own, whose voxels are the block's points."""
        return DepthField(depth, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (step_mm,) * 3)
