"""Distances between the surfaces of two masks."""

import numpy as np
from numpy.typing import NDArray


def surface_distances_mm(
    predicted: NDArray[np.bool_],
    reference: NDArray[np.bool_],
    *,
    spacing_mm: tuple[float, ...],
) -> NDArray[np.float64] | None:
    """Distance of every surface voxel of each mask to the other's surface [mm].

    A surface voxel has a face neighbour outside its mask; distances go from voxel centre to
    voxel centre.

    Args:
        predicted: A mask.
        reference: A mask of the same shape.
        spacing_mm: Voxel distance along each axis.

    Returns:
        Both directions in one array, or None where a mask is empty.
    """
    from scipy.spatial import cKDTree

    if not predicted.any() or not reference.any():
        return None
    first = _surface_points(predicted, spacing_mm)
    second = _surface_points(reference, spacing_mm)
    there, _ = cKDTree(second).query(first)
    back, _ = cKDTree(first).query(second)
    return np.concatenate([there, back])


def _surface_points(mask: NDArray[np.bool_], spacing_mm: tuple[float, ...]) -> NDArray[np.float64]:
    from scipy.ndimage import binary_erosion

    surface = mask & ~binary_erosion(mask)
    points_mm: NDArray[np.float64] = np.argwhere(surface) * np.asarray(spacing_mm)
    return points_mm


def hausdorff_mm(distances_mm: NDArray[np.float64]) -> float:
    """The symmetric Hausdorff distance: the largest surface distance [mm]."""
    return float(distances_mm.max())


def hausdorff95_mm(distances_mm: NDArray[np.float64]) -> float:
    """The 95th percentile of the surface distances of both directions [mm]."""
    return float(np.percentile(distances_mm, 95))
