"""How deep points lie inside a structure [mm]: the fields that surfaces are drawn from.

A surface that is the zero level of a smooth field has no staircase, no hole and no fold; whatever
is done to a shape (smoothing, capping, taking one from another) is done to its field.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Depths = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class DepthField:
    """Depths at the points of a grid that lies along the axes of an image.

    Attributes:
        depth_mm: Depth inside the structure [mm], negative outside, (z, y, x) float32.
        first: Where the first point lies, as a voxel index (z, y, x) of the image.
        step: How far points lie apart (z, y, x) [voxels].
        spacing_mm: The same (z, y, x) [mm].
        sides: Depths inside the shapes whose overlap this is, each (z, y, x) [mm], if it is one: of
            a thin wall that within its outline and that outside its hole. Where both change
            between two grid points, they tell better than the depth where the surface lies.
    """

    depth_mm: Depths = field(repr=False)
    first: tuple[float, float, float]
    step: tuple[float, float, float]
    spacing_mm: tuple[float, float, float]
    sides: tuple[Depths, ...] = field(default=(), repr=False)

    @property
    def voxel_ml(self) -> float:
        """The volume that one point stands for [ml]."""
        z_mm, y_mm, x_mm = self.spacing_mm
        return z_mm * y_mm * x_mm / 1000

    def voxel_places(self, vertices: NDArray[np.float64]) -> NDArray[np.float64]:
        """Voxel indices (x, y, z) of places in steps of the grid (x, y, z), (n, 3)."""
        places: NDArray[np.float64] = vertices * self.step[::-1] + self.first[::-1]
        return places


def depths_mm(mask: NDArray[np.bool_], spacing_mm: tuple[float, ...], reach_mm: float) -> Depths:
    """Signed distance of voxel centres to a mask's border, which lies between voxels.

    Args:
        mask: (..., y, x); distances are measured along as many of the last axes as have a spacing.
        spacing_mm: Of these axes [mm].
        reach_mm: Where the distance ends; it is no larger anywhere.

    Returns:
        Positive inside, of the mask's shape, [mm].
    """
    half = np.float32(0.5 * np.prod(spacing_mm) ** (1 / len(spacing_mm)))
    inside, outside = distance_mm(np.stack([mask, ~mask]), spacing_mm, reach_mm)
    depth: Depths = inside - outside
    depth += np.where(mask, -half, half)
    return depth


def distance_mm(mask: NDArray[np.bool_], spacing_mm: tuple[float, ...], reach_mm: float) -> Depths:
    """Distance of every voxel of a mask to the nearest one outside it; 0 outside.

    The exact Euclidean distance, one axis after the other (Saito and Toriwaki 1994), up to
    `reach_mm`: the shapes of surfaces need no more, and a whole stack takes a few milliseconds.
    """
    squares = _squares_in_plane(mask, spacing_mm[-2:], reach_mm)
    for axis in range(3, len(spacing_mm) + 1):
        squares = np.moveaxis(squares, -axis, -2)
        squares = np.moveaxis(_nearest(squares, spacing_mm[-axis], reach_mm), -2, -axis)
    np.minimum(squares, np.float32(reach_mm**2), out=squares)
    return np.sqrt(squares, out=squares)


def _squares_in_plane(
    mask: NDArray[np.bool_], spacing_mm: tuple[float, ...], reach_mm: float
) -> Depths:
    """Squared distances along the last two axes [mm^2]; right as far as the reach.

    Where pixels are square they are counted in whole numbers: a few bytes instead of four, so
    that the processor does many at once.
    """
    row_mm, column_mm = spacing_mm
    steps = _rows_to_outside(mask, int(np.ceil(reach_mm / row_mm)))
    if not np.isclose(row_mm, column_mm, rtol=1e-6, atol=0):
        squares = (steps * np.float32(row_mm)) ** 2
        return _nearest(squares.swapaxes(-1, -2), column_mm, reach_mm).swapaxes(-1, -2)
    radius = int(np.ceil(reach_mm / row_mm))
    counted = steps.astype(np.min_scalar_type(2 * radius**2)) ** 2
    counted = _nearest(counted.swapaxes(-1, -2), 1, radius).swapaxes(-1, -2)
    return counted * np.float32(row_mm**2)


def _nearest(squares: NDArray[Any], step: float, reach: float) -> NDArray[Any]:
    """The least sum of a square and the squared way to it along the last axis but one.

    Args:
        squares: (..., n, m); best where the last axis is next in memory.
        step: How far neighbours lie apart, in the unit whose squares these are.
        reach: How far to look, in the same unit.
    """
    source = np.ascontiguousarray(squares)
    nearest, summed = source.copy(), np.empty_like(source)
    for number in range(1, min(int(np.ceil(reach / step)), source.shape[-2] - 1) + 1):
        np.add(source, source.dtype.type((number * step) ** 2), out=summed)
        for low, high in ((slice(number, None), slice(-number)),
                          (slice(-number), slice(number, None))):  # fmt: skip
            np.minimum(nearest[..., low, :], summed[..., high, :], out=nearest[..., low, :])
    return nearest


def _rows_to_outside(mask: NDArray[np.bool_], radius: int) -> NDArray[np.uint8]:
    """Number of voxels along the last axis but one to the nearest outside, at most `radius`."""
    inside = np.ascontiguousarray(mask)
    steps = inside.astype(np.uint8)
    for _ in range(radius - 1):
        shrunk = inside.copy()
        shrunk[..., 1:, :] &= inside[..., :-1, :]
        shrunk[..., :-1, :] &= inside[..., 1:, :]
        inside = shrunk
        steps += inside
    return steps
