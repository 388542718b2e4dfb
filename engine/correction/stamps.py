"""Rows of voxels under a brush that is swept along a straight way.

A brush is convex, and so is the shape it sweeps: every row of voxels crosses it in one run. Only
those runs are worked out, so that the cost follows the mark and never the image.
"""

import numpy as np
from numpy.typing import NDArray

from engine.labelmap import Indices

Runs = tuple[NDArray[np.floating], NDArray[np.floating]]
"""Left and right end of each row's run [mm]; crossed where the row misses the shape."""

_ROUNDING = 1e-9  # a centre as far away as the rim belongs to the mark, rounded or not
_NO_WAY_MM = 1e-9


def reach(start: float, end: float, radius: float, length: int) -> tuple[int, int]:
    """First and past-the-last voxel along an axis of `length` that the brush can reach."""
    first = max(0, int(np.floor(min(start, end) - radius)))
    return first, max(first, min(length, int(np.ceil(max(start, end) + radius)) + 1))


def round_runs(others_mm: NDArray[np.floating], way: NDArray[np.floating], radius: float) -> Runs:
    """Where rows along x cross the ball (or disc) that is swept from 0 along `way`.

    The swept shape is the ball at both ends and a cylinder between them. A point lies in the
    cylinder where its part across the way, w + x e, is no longer than the radius: a quadratic
    inequality in x; and where its part along the way lies between both ends: two linear ones.

    Args:
        others_mm: Each row's place on the other axes, from the start, (n, axes - 1) [mm].
        way: From start to end, (axes,) [mm].
        radius: [mm].

    Returns:
        Left and right end of each row's run, from the start [mm]; crossed where it is empty.
    """
    radius *= 1 + _ROUNDING
    left, right = _ball_run(others_mm, radius)
    length = float(np.sqrt(way @ way))
    if length < _NO_WAY_MM:
        return left, right
    last_left, last_right = _ball_run(others_mm - way[:-1], radius)
    direction = way / length
    along = others_mm @ direction[:-1]
    step = float(direction[-1])  # the part along the way grows by this for each mm of x
    across_squared = (others_mm**2).sum(axis=1) - along**2
    room = radius**2 - across_squared
    leaning = 1 - step**2
    if leaning < 1e-12:  # the way runs along x
        half = np.where(room >= 0, np.inf, -np.inf)
        middle = np.zeros_like(half)
    else:
        middle = step * along / leaning
        under_root = middle**2 + room / leaning
        half = np.where(under_root >= 0, np.sqrt(np.maximum(under_root, 0)), -np.inf)
    low, high = middle - half, middle + half
    if abs(step) > 1e-12:
        ends = -along / step, (length - along) / step
        low, high = np.maximum(low, np.minimum(*ends)), np.minimum(high, np.maximum(*ends))
    else:
        off = (along < 0) | (along > length)
        low, high = np.where(off, np.inf, low), np.where(off, -np.inf, high)
    low, high = np.where(low <= high, low, np.inf), np.where(low <= high, high, -np.inf)
    return (
        np.minimum(np.minimum(left, last_left + way[-1]), low),
        np.maximum(np.maximum(right, last_right + way[-1]), high),
    )


def _ball_run(others_mm: NDArray[np.floating], radius: float) -> Runs:
    """Where rows along x cross a ball around 0 [mm]; crossed where they miss it."""
    room = radius**2 - (others_mm**2).sum(axis=1)
    half = np.where(room >= 0, np.sqrt(np.maximum(room, 0)), -np.inf)
    return -half, half


def square_runs(rows_mm: NDArray[np.floating], way: NDArray[np.floating], half: float) -> Runs:
    """Where rows along x cross the square that is swept from 0 along `way`.

    The square covers a row from one part of the way to another; in between it moves with the way.

    Args:
        rows_mm: Each row's place in y, from the start, (n,) [mm].
        way: From start to end, (y, x) [mm].
        half: Half the side of the square [mm].

    Returns:
        Left and right end of each row's run, from the start [mm]; crossed where it is empty.
    """
    half *= 1 + _ROUNDING
    if abs(way[0]) < _NO_WAY_MM:
        first = np.where(np.abs(rows_mm) <= half, 0.0, np.inf)
        last = np.where(np.abs(rows_mm) <= half, 1.0, -np.inf)
    else:
        ends = (rows_mm - half) / way[0], (rows_mm + half) / way[0]
        first = np.maximum(np.minimum(*ends), 0)
        last = np.minimum(np.maximum(*ends), 1)
    crossed = first <= last
    first, last = np.where(crossed, first, 0), np.where(crossed, last, 0)
    left = np.minimum(first * way[1], last * way[1]) - half
    right = np.maximum(first * way[1], last * way[1]) + half
    return np.where(crossed, left, np.inf), np.where(crossed, right, -np.inf)


def voxels_of(
    rows: NDArray[np.intp], runs_mm: Runs, start: float, spacing_mm: float, width: int
) -> Indices:
    """Flat indices of the voxels whose centres lie in the runs, (n,), rising.

    Args:
        rows: Number of each row in the image, (n,), rising.
        runs_mm: Each row's run, from `start` [mm].
        start: Where the runs are measured from, along x [voxels].
        spacing_mm: Voxel distance along x [mm].
        width: Voxels of a row.
    """
    first = np.clip(np.ceil(runs_mm[0] / spacing_mm + start - _ROUNDING), 0, width)
    last = np.clip(np.floor(runs_mm[1] / spacing_mm + start + _ROUNDING), -1, width - 1)
    counts = np.maximum(last - first + 1, 0).astype(np.intp)
    before = np.cumsum(counts) - counts
    starts = rows * width + first.astype(np.intp) - before
    return np.repeat(starts, counts) + np.arange(counts.sum())


def thin_line(
    start: tuple[float, float], end: tuple[float, float], shape: tuple[int, int]
) -> Indices:
    """Flat indices of a line of single voxels that touch one another, both ends included."""
    steps = int(np.ceil(max(abs(end[0] - start[0]), abs(end[1] - start[1])))) + 1
    # Halves all go up: to the nearest even number, 8.5 and 7.5 were one voxel and 6.5 two further.
    line = np.floor(np.linspace(start, end, steps) + 0.5)
    rows, columns = np.vstack([line, np.rint(end)]).astype(np.intp).T
    inside = (rows >= 0) & (rows < shape[0]) & (columns >= 0) & (columns < shape[1])
    return np.unique(rows[inside] * shape[1] + columns[inside])
