"""Distances from the border of a structure in millimetres, finer than a voxel."""

import numpy as np
from numpy.typing import NDArray

_PARTS = 3  # an odd number has a point half-way between two voxels on neither of its own


def border_distance_mm(
    mask: NDArray[np.bool_], spacing_mm: tuple[float, float]
) -> NDArray[np.float64]:
    """The distance of every voxel centre from the border of a mask, negative inside [mm].

    The border of a drawn structure lies somewhere between the last centre inside and the first
    outside. Here it runs where the mask, smoothed by a Gaussian of one voxel, falls to a half:
    half-way on a straight edge, and on a disc of radius R at R to within a tenth of a voxel,
    where distances between voxel centres would be off by up to a whole one. It is looked up on a
    grid of a third of the voxel distance. No voxel changes sides: where smoothing would lose a
    thin wall, its centres stay inside.

    Args:
        mask: (y, x), with voxels both inside and outside.
        spacing_mm: Voxel distance (y, x) [mm].

    Returns:
        (y, x) [mm]. The edge of the image is no border.
    """
    from scipy.ndimage import gaussian_filter, map_coordinates

    soft = gaussian_filter(mask.astype(np.float64), 1.0, mode="nearest")
    axes = [np.arange((length - 1) * _PARTS + 1) / _PARTS for length in mask.shape]
    fine = map_coordinates(soft, np.meshgrid(*axes, indexing="ij"), order=1) >= 0.5 - 1e-9
    fine[::_PARTS, ::_PARTS] = mask
    steps = np.asarray(spacing_mm) / _PARTS
    outwards = _to_nearest(fine, steps)
    inwards = _to_nearest(~fine, steps)
    return np.where(mask, -inwards, outwards)


def _to_nearest(fine: NDArray[np.bool_], steps: NDArray[np.float64]) -> NDArray[np.float64]:
    """From each voxel centre to the rim of a mask on the fine grid, half a step before it [mm]."""
    from scipy.ndimage import distance_transform_edt

    distances, nearest = distance_transform_edt(~fine, sampling=steps, return_indices=True)
    centres = (slice(None, None, _PARTS),) * 2
    found = distances[centres]
    ways = [
        (near - place)[centres] * step
        for near, place, step in zip(nearest, np.indices(fine.shape), steps, strict=True)
    ]
    with np.errstate(invalid="ignore"):  # no way at all: at the mask itself
        half = sum(way**2 * step for way, step in zip(ways, steps, strict=True)) / found**2 / 2
    return np.where(found > 0, found - half, 0.0)
