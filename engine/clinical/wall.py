"""Wall thickness of the left ventricle on short-axis slices."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.datasets.basal import without_holes
from engine.structures import Structure

Points = NDArray[np.float64]
"""(n, 2) y and x [mm] from the first voxel of the slice."""

_STEP_MM = 1.0  # between the points at which the wall is measured
_LEAST_POINTS = 12


@dataclass(frozen=True, slots=True, eq=False)
class WallProfile:
    """The wall of one slice, all the way round.

    Attributes:
        angles_deg: Direction of each point from the middle of the cavity, 0 right, 90 down, (n,).
        thickness_mm: Of the wall there, (n,).
        middle_mm: Of the cavity (y, x) [mm].
    """

    angles_deg: NDArray[np.float64] = field(repr=False)
    thickness_mm: NDArray[np.float64] = field(repr=False)
    middle_mm: tuple[float, float]


def measure_wall(
    plane: NDArray[np.uint8], spacing_mm: tuple[float, float, float]
) -> WallProfile | None:
    """Thickness of the wall around the LV cavity on one slice.

    Both borders are drawn halfway between pixels of the two sides and smoothed over 3 mm; from
    points 1 mm apart on the inner border and on the outer one the shortest way to the other is
    taken, which for walls without kinks is the one at right angles to the wall (the normal
    distance). Papillary muscles inside the cavity do not thicken the wall.

    Args:
        plane: Labels of one slice whose myocardium encloses the cavity, (y, x).
        spacing_mm: Distance between voxel centres (z, y, x).

    Returns:
        None where there is no cavity or no wall.
    """
    from scipy.spatial import cKDTree

    drawn = (plane == Structure.LV) | (plane == Structure.MYOCARDIUM)
    if not (plane == Structure.LV).any() or not (plane == Structure.MYOCARDIUM).any():
        return None
    box, (top, left) = _box(drawn)
    cavity = without_holes(np.pad(plane[box] == Structure.LV, 1))
    heart = without_holes(np.pad(drawn[box], 1))
    _, y_mm, x_mm = spacing_mm
    pixel_mm = np.array([y_mm, x_mm])
    start_mm = (np.array([top, left]) - 1) * pixel_mm
    inner, outer = (_border(mask, pixel_mm) for mask in (cavity, heart))
    if inner is None or outer is None:
        return None
    rows, columns = np.nonzero(cavity)
    middle = np.array([rows.mean(), columns.mean()]) * pixel_mm
    outwards = np.asarray(cKDTree(_close(outer)).query(inner)[0], np.float64)
    inwards = np.asarray(cKDTree(_close(inner)).query(outer)[0], np.float64)
    points = np.concatenate([inner, outer]) - middle
    angles = np.degrees(np.arctan2(points[:, 0], points[:, 1])) % 360
    place = middle + start_mm
    return WallProfile(
        angles, np.concatenate([outwards, inwards]), (float(place[0]), float(place[1]))
    )


def _box(mask: NDArray[np.bool_]) -> tuple[tuple[slice, slice], tuple[int, int]]:
    """The part of a slice that holds a mask, and its first row and column."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    top, left = int(rows[0]), int(columns[0])
    return np.s_[top : rows[-1] + 1, left : columns[-1] + 1], (top, left)


def _border(mask: NDArray[np.bool_], pixel_mm: NDArray[np.float64]) -> Points | None:
    """The longest border of a mask as points about 1 mm apart, (n, 2) [mm].

    A chain of pixel edges zigzags about the true border; a moving mean over 3 mm along it takes
    the zigzag away. The mean pulls a circle of radius r inwards by 1.5 mm^2 / (2 r) / 4 at most,
    0.02 mm at 10 mm.
    """
    from skimage.measure import find_contours

    found = find_contours(mask.astype(np.float32), 0.5)  # type: ignore[no-untyped-call]
    if not found:
        return None
    chain = max(found, key=len)[:-1] * pixel_mm  # closed: the last point is the first
    steps = np.linalg.norm(np.diff(chain, axis=0, append=chain[:1]), axis=1)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    count = max(_LEAST_POINTS, round(along[-1] / _STEP_MM))
    places = np.arange(count) * along[-1] / count
    closed = np.vstack([chain, chain[:1]])
    even = np.stack([np.interp(places, along, closed[:, axis]) for axis in range(2)], axis=1)
    return np.asarray((np.roll(even, 1, axis=0) + even + np.roll(even, -1, axis=0)) / 3, np.float64)


def _close(points: Points) -> Points:
    """Points four times as dense, so that the nearest one is nearly the nearest place."""
    after = np.roll(points, -1, axis=0)
    between = [points + part * (after - points) for part in (0.0, 0.25, 0.5, 0.75)]
    return np.concatenate(between)
