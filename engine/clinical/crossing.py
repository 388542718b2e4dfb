"""Where a short-axis slice crosses a long-axis picture."""

import numpy as np

from engine.geometry import Geometry

Line = tuple[tuple[float, float], tuple[float, float]]
"""Both ends as (y, x) in voxels."""

_PARALLEL = 0.05  # sine of the angle below which two planes have no useful line in common


def crossing_line(stack: Geometry, slice_index: int, view: Geometry) -> Line | None:
    """The line in which a slice of a stack cuts the first slice of another view.

    Every point of the view is `affine (x, y, 0)`; it lies in the slice where its distance along
    the slice's normal is that of the slice. Both are linear in x and y, so it is a line, which is
    cut off at the edges of the picture.

    Args:
        stack: Of the short axis.
        slice_index: Which of its slices, 0-based.
        view: Of the long axis, in the same patient coordinates.

    Returns:
        Both ends (y, x) in voxels of the view; None where the planes are nearly parallel or do not
        meet inside the picture.
    """
    normal = stack.slice_normal
    if np.linalg.norm(np.cross(normal, view.slice_normal)) < _PARALLEL:
        return None
    start = stack.position_mm(z=float(slice_index), y=0.0, x=0.0)
    across, down = (float(normal @ view.affine[:3, axis]) for axis in range(2))
    level = float(normal @ (start - view.affine[:3, 3]))  # across * x + down * y = level
    _, height, width = view.shape
    low, high_y, high_x = -0.5, height - 0.5, width - 0.5
    ends: list[tuple[float, float]] = []
    if abs(down) > 1e-9:
        at = [(low, (level - across * low) / down), (high_x, (level - across * high_x) / down)]
        ends += [(y, x) for x, y in at if low <= y <= high_y]
    if abs(across) > 1e-9:
        at = [(low, (level - down * low) / across), (high_y, (level - down * high_y) / across)]
        ends += [(y, x) for y, x in at if low <= x <= high_x]
    if len(ends) < 2:
        return None
    first = ends[0]
    second = max(ends, key=lambda end: (end[0] - first[0]) ** 2 + (end[1] - first[1]) ** 2)
    return (first, second) if second != first else None
