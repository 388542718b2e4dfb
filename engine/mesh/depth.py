"""How deep points lie inside a structure [mm]: the fields that surfaces are drawn from.

A surface that is the zero level of a smooth field has no staircase, no hole and no fold; whatever
is done to a shape (smoothing, capping, taking one from another) is done to its field.
"""

from dataclasses import dataclass, field

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
    inside = distance_mm(mask, spacing_mm, reach_mm)
    outside = distance_mm(~mask, spacing_mm, reach_mm)
    depth: Depths = np.where(mask, inside - half, half - outside)
    return depth


def distance_mm(mask: NDArray[np.bool_], spacing_mm: tuple[float, ...], reach_mm: float) -> Depths:
    """Distance of every voxel of a mask to the nearest one outside it; 0 outside.

    The exact Euclidean distance, one axis after the other (Saito and Toriwaki 1994), up to
    `reach_mm`: the shapes of surfaces need no more, and a whole stack takes a few milliseconds.
    """
    radius = int(np.ceil(reach_mm / spacing_mm[-1]))
    squares = (_steps_to_outside(mask, radius) * np.float32(spacing_mm[-1])) ** 2
    for axis in range(2, len(spacing_mm) + 1):
        along_mm = spacing_mm[-axis]
        nearest = squares.copy()
        source, found = np.moveaxis(squares, -axis, 0), np.moveaxis(nearest, -axis, 0)
        radius = min(int(np.ceil(reach_mm / along_mm)), source.shape[0] - 1)
        for step in range(1, radius + 1):
            apart = np.float32((step * along_mm) ** 2)
            np.minimum(found[step:], source[:-step] + apart, out=found[step:])
            np.minimum(found[:-step], source[step:] + apart, out=found[:-step])
        squares = nearest
    distance: Depths = np.sqrt(np.minimum(squares, np.float32(reach_mm**2)))
    return distance


def _steps_to_outside(mask: NDArray[np.bool_], radius: int) -> Depths:
    """Number of voxels along the last axis to the nearest one outside, at most `radius`."""
    inside = mask
    steps = np.zeros(mask.shape, np.uint8)
    for _ in range(radius):
        steps += inside
        shrunk = inside.copy()
        shrunk[..., 1:] &= inside[..., :-1]
        shrunk[..., :-1] &= inside[..., 1:]
        inside = shrunk
    return steps.astype(np.float32)
