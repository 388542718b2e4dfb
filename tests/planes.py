"""Slices of known answer: every voxel follows from a formula."""

import numpy as np
from numpy.typing import NDArray

from engine.structures import Structure

Plane = NDArray[np.uint8]


def disc(
    radius_mm: float,
    *,
    middle: tuple[float, float] = (24.0, 24.0),
    size: int = 48,
    spacing_mm: tuple[float, float] = (1.0, 1.0),
) -> NDArray[np.bool_]:
    """Voxels whose centres lie within a radius of a point (y, x) in voxels."""
    y, x = np.mgrid[:size, :size]
    away = np.hypot((y - middle[0]) * spacing_mm[0], (x - middle[1]) * spacing_mm[1])
    return away <= radius_mm


def heart_plane(
    *,
    cavity: float = 8.0,
    wall: float = 12.0,
    right: float = 9.0,
    middle: tuple[float, float] = (24.0, 27.0),
    size: int = 48,
) -> Plane:
    """A disc of LV in a ring of myocardium, and an RV that the ring cuts to a crescent.

    Args:
        cavity: Radius of the LV [voxels].
        wall: Radius of the epicardium [voxels].
        right: Radius of the RV, whose middle lies beside the epicardium [voxels]; 0 for none.
        middle: Of the LV (y, x) [voxels].
        size: Voxels along each side.
    """
    plane = np.zeros((size, size), np.uint8)
    if right:
        plane[disc(right, middle=(middle[0], middle[1] - wall - 3), size=size)] = Structure.RV
    plane[disc(wall, middle=middle, size=size)] = Structure.MYOCARDIUM
    if cavity:
        plane[disc(cavity, middle=middle, size=size)] = Structure.LV
    return plane


def areas(plane: Plane) -> list[int]:
    """Voxels of background, RV, myocardium and LV."""
    return np.bincount(plane.reshape(-1), minlength=len(Structure)).tolist()
