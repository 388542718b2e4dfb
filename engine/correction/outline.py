"""Closed outlines and cutting lines as voxels of one slice."""

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from engine.structures import Structure

Points = NDArray[np.float64]
"""(n, 2) of (y, x) in voxels; whole numbers are voxel centres."""

Plane = NDArray[np.uint8]
"""`Structure` numbers of one slice, (y, x)."""

Mask = NDArray[np.bool_]
"""Voxels of one slice, (y, x)."""

_CUT_REACH = 1.5  # voxels that a cut goes on beyond both its ends


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A mask that is kept in its bounding box alone.

    Attributes:
        top: First row of the box.
        left: First column of the box.
        inside: The mask in the box, (rows, columns).
    """

    top: int
    left: int
    inside: Mask = field(repr=False)

    @property
    def window(self) -> tuple[slice, slice]:
        """Where the box lies in the slice, (y, x)."""
        rows, columns = self.inside.shape
        return slice(self.top, self.top + rows), slice(self.left, self.left + columns)

    def whole(self, shape: tuple[int, int]) -> Mask:
        """The mask on the whole slice of `shape` (y, x)."""
        mask = np.zeros(shape, bool)
        mask[self.window] = self.inside
        return mask


def as_points(points: NDArray[np.floating] | list[tuple[float, float]]) -> Points:
    """Points as (n, 2) float64; none at all give (0, 2)."""
    return np.asarray(points, np.float64).reshape(-1, 2)


def polygon_mask(points: Points, shape: tuple[int, int]) -> Mask:
    """Voxels whose centre lies inside a closed polygon (even-odd rule).

    A side that runs exactly through centres counts them on one of its two sides, always the
    same, so that polygons which share a side neither overlap nor leave a gap.

    Args:
        points: Corners, (n, 2); the last is joined to the first. Fewer than three give nothing.
        shape: Voxels of the slice (y, x); the polygon may reach beyond it.
    """
    return polygon_part(points, shape).whole(shape)


def lasso_mask(points: Points, shape: tuple[int, int]) -> Mask:
    """Voxels that a freehand line goes round (non-zero winding rule).

    A hand that crosses its own line by accident leaves no hole, as the even-odd rule would.
    """
    return polygon_part(points, shape, winding=True).whole(shape)


def polygon_part(points: Points, shape: tuple[int, int], *, winding: bool = False) -> Part:
    """`polygon_mask`, or with `winding` `lasso_mask`, in its bounding box.

    The cost depends on the polygon, not on the slice: 0.1 ms for a ventricle.
    """
    points = as_points(points)
    nothing = Part(0, 0, np.zeros((0, 0), bool))
    if len(points) < 3:
        return nothing
    low, high = np.floor(points.min(axis=0)), np.ceil(points.max(axis=0)) + 1
    top, left = (int(value) for value in np.clip(low, 0, shape))
    bottom, right = (int(value) for value in np.clip(high, 0, shape))
    if top >= bottom or left >= right:
        return nothing
    box = (bottom - top, right - left)
    rows, columns, turns = _crossings(points, (top, left), box)
    width = box[1] + 1
    counts = np.bincount(
        rows * width + columns, weights=turns if winding else None, minlength=box[0] * width
    )
    around = np.cumsum(counts.reshape(box[0], width)[:, :-1], axis=1)
    inside = around != 0 if winding else around.astype(np.int64) % 2 == 1
    return Part(top, left, inside)


def _crossings(
    points: Points, corner: tuple[int, int], box: tuple[int, int]
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Where the sides of a polygon cross rows of centres.

    A side is followed from its upper end, in the slice's own coordinates: it gives the same to the
    last bit for every polygon that has it.

    Args:
        points: Corners in the slice.
        corner: First row and column of the box.
        box: Its rows and columns.

    Returns:
        For each crossing its row in the box, the first column to its right (0 .. columns), and +1
        or -1 by whether the side runs down or up.
    """
    start, end = points, np.roll(points, -1, axis=0)
    down = (start[:, 0] < end[:, 0])[:, None]
    low, high = np.where(down, start, end), np.where(down, end, start)
    # Half-open in y, so that a corner on a row of centres counts once.
    first = np.clip(np.ceil(low[:, 0]) - corner[0], 0, box[0]).astype(np.intp)
    counts = np.clip(np.ceil(high[:, 0]) - corner[0], 0, box[0]).astype(np.intp) - first
    side = np.repeat(np.arange(len(points)), counts)
    within = np.arange(side.size) - np.repeat(np.cumsum(counts) - counts, counts)
    rows = first[side] + within
    rise = high[side] - low[side]
    x = low[side, 1] + (rows + corner[0] - low[side, 0]) * rise[:, 1] / rise[:, 0]
    columns = np.clip(np.floor(x).astype(np.intp) + 1 - corner[1], 0, box[1])
    return rows, columns, np.where(down[side, 0], 1.0, -1.0)


def thinned(points: Points, *, least: float = 0.5) -> Points:
    """A freehand line without the points that lie nearer than `least` voxels to the one before.

    The first and the last point stay.
    """
    points = as_points(points)
    kept: list[int] = []
    for index, point in enumerate(points):
        if not kept or np.hypot(*(point - points[kept[-1]])) >= least:
            kept.append(index)
    if kept and kept[-1] != len(points) - 1:
        kept.append(len(points) - 1)
    return points[kept]


def cut(
    plane: Plane,
    line: Points,
    *,
    structure: Structure | None = None,
    keep: tuple[float, float] | None = None,
    becomes: Structure = Structure.BACKGROUND,
) -> Plane:
    """Cut along a line: every piece that the line divides keeps its largest part.

    Two neighbouring voxels (of eight) lose each other where the line passes between their
    centres. The line goes on 1.5 voxels beyond its ends, for hands stop short; pieces that it
    does not divide stay as they are.

    Args:
        plane: The slice.
        line: The cut, (n, 2), at least two points.
        structure: What is cut, or all structures as one where None.
        keep: Keep the part at this place (y, x) instead of the largest, where the piece that
            is cut holds it.
        becomes: What the parts cut off turn into.

    Returns:
        A new slice.
    """
    from scipy import ndimage

    line = _prolonged(as_points(line))
    region = plane != Structure.BACKGROUND if structure is None else plane == structure
    after = plane.copy()
    if len(line) < 2 or not region.any():
        return after
    parts = _parts(region, line)
    pieces, _ = ndimage.label(region, np.ones((3, 3), int))
    kept_place = None if keep is None else (round(keep[0]), round(keep[1]))
    for piece in np.unique(pieces[region]):
        here = parts[pieces == piece]
        numbers, counts = np.unique(here, return_counts=True)
        best = int(numbers[np.argmax(counts)])
        if kept_place is not None and _within(kept_place, plane.shape):
            wanted = int(parts[kept_place])
            best = wanted if wanted in numbers else best
        after[(pieces == piece) & (parts != best)] = becomes
    return after


def _within(place: tuple[int, int], shape: tuple[int, ...]) -> bool:
    return 0 <= place[0] < shape[0] and 0 <= place[1] < shape[1]


def _prolonged(line: Points) -> Points:
    """A line that goes on beyond both its ends; points that coincide are dropped."""
    if len(line) == 0:
        return line
    moved = np.r_[True, np.abs(np.diff(line, axis=0)).sum(axis=1) > 1e-9]
    line = line[moved]
    if len(line) < 2:
        return line
    first, last = line[0] - line[1], line[-1] - line[-2]
    first, last = first / np.hypot(*first), last / np.hypot(*last)
    return np.vstack([line[0] + _CUT_REACH * first, line[1:-1], line[-1] + _CUT_REACH * last])


def _parts(region: Mask, line: Points) -> NDArray[np.intp]:
    """Number of the connected part of each voxel once the line has cut, -1 outside `region`."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    number = np.full(region.shape, -1, np.intp)
    number[region] = np.arange(np.count_nonzero(region))
    starts, ends = [], []
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        here, there = _linked(region, down, right)
        uncut = ~_crosses(here, there, line)
        starts.append(number[tuple(here[uncut].T)])
        ends.append(number[tuple(there[uncut].T)])
    start, end = np.concatenate(starts), np.concatenate(ends)
    count = int(number.max()) + 1
    links = coo_array((np.ones(start.size, np.int8), (start, end)), shape=(count, count))
    _, part = connected_components(links, directed=False)
    number[region] = part
    return number


def _linked(region: Mask, down: int, right: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Voxels of a region and their neighbours in it (down, right) of them, (n, 2) each."""
    rows, columns = region.shape
    first = region[: rows - down, max(0, -right) : columns - max(0, right)]
    second = region[down:, max(0, right) : columns + min(0, right)]
    here = np.argwhere(first & second) + np.array([0, max(0, -right)])
    return here, here + np.array([down, right])


def _crosses(here: NDArray[np.intp], there: NDArray[np.intp], line: Points) -> Mask:
    """Whether the line passes between each pair of centres, (n,)."""
    # A hair off the grid: a line drawn exactly through centres then passes beside them.
    line = line + np.array([1.234e-6, 2.345e-6])
    crossed = np.zeros(len(here), bool)
    for start, end in pairwise(line):
        low, high = np.minimum(start, end) - 1, np.maximum(start, end) + 1
        near = np.flatnonzero(((here >= low) & (here <= high)).all(axis=1))
        a, b = here[near].astype(np.float64), there[near].astype(np.float64)
        crossed[near] |= (_side(start, end, a) != _side(start, end, b)) & (
            _side(a, b, start) != _side(a, b, end)
        )
    return crossed


def _side(start: Points, end: Points, point: Points) -> Mask:
    """Whether points lie to the left of the line from `start` to `end`."""
    along, apart = end - start, point - start
    return np.asarray(along[..., 0] * apart[..., 1] - along[..., 1] * apart[..., 0] > 0)
