"""Distances between the surfaces of two masks.

A surface voxel has a face neighbour outside its mask, and what lies beyond the image is outside;
distances go from voxel centre to voxel centre. Hausdorff and mean distances agree with MONAI's.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class SurfaceDistances:
    """The distance of every surface voxel of each mask to the other's surface.

    Attributes:
        to_reference_mm: From the predicted surface, (n,) [mm].
        to_predicted_mm: From the surface of the reference, (m,) [mm].
    """

    to_reference_mm: NDArray[np.float64] = field(repr=False)
    to_predicted_mm: NDArray[np.float64] = field(repr=False)


def surface_distances_mm(
    predicted: Mask, reference: Mask, *, spacing_mm: tuple[float, ...]
) -> SurfaceDistances | None:
    """Distance of every surface voxel of each mask to the other's surface [mm].

    Args:
        predicted: A mask, 2-D or 3-D. An axis with one voxel only is left out: a picture has no
            surface towards its depth.
        reference: A mask of the same shape.
        spacing_mm: Voxel distance along each axis.

    Returns:
        Both directions, or None where a mask is empty.
    """
    kept = tuple(axis for axis, length in enumerate(predicted.shape) if length > 1)
    box = union_box(predicted, reference)
    if box is None:
        return None
    first, second = (_surface(mask[box], kept) for mask in (predicted, reference))
    if not first.any() or not second.any():
        return None
    return SurfaceDistances(
        _distances_mm(first, second, spacing_mm), _distances_mm(second, first, spacing_mm)
    )


def union_box(*masks: Mask) -> tuple[slice, ...] | None:
    """The smallest box that holds everything in the masks; None where all are empty."""
    union = masks[0]
    for mask in masks[1:]:
        union = union | mask
    box = []
    for axis in range(union.ndim):
        others = tuple(number for number in range(union.ndim) if number != axis)
        where = np.flatnonzero(union.any(axis=others))
        if where.size == 0:
            return None
        box.append(slice(int(where[0]), int(where[-1]) + 1))
        union = union[(slice(None),) * axis + (box[-1],)]  # the next axis has less to look at
    return tuple(box)


def _surface(mask: Mask, axes: tuple[int, ...]) -> Mask:
    """The voxels of a mask that have a neighbour outside along one of the axes."""
    inside = mask.copy()
    for axis in axes:
        before, after, first, last = (
            (slice(None),) * axis + (part,)
            for part in (slice(None, -1), slice(1, None), slice(1), slice(-1, None))
        )
        inside[after] &= mask[before]
        inside[before] &= mask[after]
        inside[first] = inside[last] = False
    return mask & ~inside


def _distances_mm(there: Mask, to: Mask, spacing_mm: tuple[float, ...]) -> NDArray[np.float64]:
    """The distance of every voxel of one surface to the nearest of the other, in no order."""
    distances_mm = np.zeros(np.count_nonzero(there))
    apart_mm = _apart_mm(there, to, spacing_mm)
    distances_mm[: apart_mm.size] = apart_mm
    return distances_mm


def _apart_mm(there: Mask, to: Mask, spacing_mm: tuple[float, ...]) -> NDArray[np.float64]:
    """The same for the voxels that both do not share, in array order; the others are 0 apart."""
    from scipy.spatial import cKDTree

    apart = there & ~to
    if not apart.any():
        return np.empty(0)
    tree = cKDTree(_places_mm(to, spacing_mm), balanced_tree=False)  # faster on a grid
    found: NDArray[np.float64] = tree.query(_places_mm(apart, spacing_mm))[0]
    return found


def _places_mm(mask: Mask, spacing_mm: tuple[float, ...]) -> NDArray[np.float64]:
    """Where the voxels of a mask lie, (n, axes) in array order; faster than by `argwhere`."""
    places = np.unravel_index(np.flatnonzero(mask), mask.shape)
    places_mm: NDArray[np.float64] = np.stack(places, axis=1) * np.asarray(spacing_mm)
    return places_mm


def hausdorff_mm(distances: SurfaceDistances) -> float:
    """The symmetric Hausdorff distance: the largest surface distance [mm]."""
    return float(max(distances.to_reference_mm.max(), distances.to_predicted_mm.max()))


def hausdorff95_mm(distances: SurfaceDistances) -> float:
    """The larger of the 95th percentiles of the two directions [mm].

    Some programs take one percentile of both directions together, which is smaller where one
    surface is much larger than the other.
    """
    directions = (distances.to_reference_mm, distances.to_predicted_mm)
    return float(max(np.percentile(one_way, 95) for one_way in directions))


def mean_surface_distance_mm(distances: SurfaceDistances) -> float:
    """The mean distance over the surface voxels of both masks [mm], the symmetric one."""
    both = np.concatenate([distances.to_reference_mm, distances.to_predicted_mm])
    return float(both.mean())


@dataclass(frozen=True, slots=True)
class SurfaceScores:
    """The three distances of two surfaces that are reported [mm]; see the functions above."""

    hausdorff_mm: float
    hausdorff95_mm: float
    mean_mm: float


def score_surfaces(
    predicted: Mask, reference: Mask, *, spacing_mm: tuple[float, ...]
) -> SurfaceScores | None:
    """All distances of two masks at once; None where a mask is empty.

    See `surface_distances_mm` for the arguments.
    """
    distances = surface_distances_mm(predicted, reference, spacing_mm=spacing_mm)
    if distances is None:
        return None
    return SurfaceScores(
        hausdorff_mm(distances), hausdorff95_mm(distances), mean_surface_distance_mm(distances)
    )


@dataclass(frozen=True, slots=True)
class SliceDistances:
    """The Hausdorff distance in the plane, slice by slice.

    Attributes:
        hausdorff_mm: Per slice, (z,) [mm]; None where a mask is empty.
        excluded: Slices on which one mask has the structure and the other has not. They have no
            distance, so they are counted. Slices that neither has are no matter.
    """

    hausdorff_mm: tuple[float | None, ...]
    excluded: int

    @property
    def known_mm(self) -> tuple[float, ...]:
        """The distances of the slices that have one [mm]."""
        return tuple(value for value in self.hausdorff_mm if value is not None)

    @property
    def median_mm(self) -> float | None:
        """The median over the slices that have a distance [mm]."""
        return float(np.median(self.known_mm)) if self.known_mm else None


def slice_distances(
    predicted: Mask, reference: Mask, *, spacing_mm: tuple[float, float, float]
) -> SliceDistances:
    """The 2-D Hausdorff distance on every slice of a volume.

    Args:
        predicted: (z, y, x).
        reference: The same shape.
        spacing_mm: (z, y, x); only y and x matter.
    """
    shown, wanted = predicted.any(axis=(1, 2)), reference.any(axis=(1, 2))  # (z,)
    values: list[float | None] = [None] * len(predicted)
    both = np.flatnonzero(shown & wanted)
    box = union_box(predicted[both], reference[both])
    if box is not None:
        axes = tuple(axis for axis in (1, 2) if predicted.shape[axis] > 1)
        first, second = (_surface(mask[both][box], axes) for mask in (predicted, reference))
        # Slices so far apart that the nearest surface is always on the same one.
        far_mm = 2 * float(np.hypot(*np.multiply(first.shape[1:], spacing_mm[1:])))
        spread_mm = (far_mm, *spacing_mm[1:])
        largest = np.maximum(
            _largest_by_slice(first, second, spread_mm), _largest_by_slice(second, first, spread_mm)
        )
        for number, value in zip(both, largest, strict=True):
            values[number] = float(value)
    return SliceDistances(tuple(values), int(np.count_nonzero(shown != wanted)))


def _largest_by_slice(there: Mask, to: Mask, spacing_mm: tuple[float, ...]) -> NDArray[np.float64]:
    """The largest distance from one surface to the other on each slice, (z,) [mm]."""
    largest = np.zeros(len(there))
    numbers = np.nonzero(there & ~to)[0]  # in the order in which the distances come
    np.maximum.at(largest, numbers, _apart_mm(there, to, spacing_mm))
    return largest
