"""Smooth curves with few points around the voxels of a mask."""

import numpy as np
from numpy.typing import NDArray

from engine.correction.outline import Mask, Points, polygon_part
from engine.correction.spline import blend_matrix, closed_curve, nearest_on

_FEWEST = 4
_FIRST = 6  # points to begin with
_MOST = 48  # points; masks that need more are frayed
_GAPS = (0, 2, 4)  # voxels; half the width of gaps that are closed in frayed masks
_SETTLING = 3  # rounds of laying the first points to the border
_ROUNDS = 2  # and after each change of their number
_TRIED = 3  # points that are tried without, before it is taken that none can be spared
_PER_SPAN = 8
_HALF_STAIR = 0.25  # voxels; the middles of a straight border lie this far apart from it
_STEP = 0.5  # voxels between the places at which the border's curvature is measured
_STAIRS = 1.5  # voxels over which the border is smoothed before that
_FLATNESS = 0.03  # per voxel; added to the curvature, so that straight runs get points too


def largest_piece(mask: Mask) -> tuple[Mask, int]:
    """The largest connected piece (eight neighbours), its holes filled.

    Args:
        mask: At least one voxel, (y, x).

    Returns:
        The piece, and how many voxels of the mask lie outside it.
    """
    from scipy import ndimage

    pieces, count = ndimage.label(mask, np.ones((3, 3), int))
    sizes = np.bincount(pieces.reshape(-1))[1:]
    piece = pieces == int(np.argmax(sizes)) + 1 if count > 1 else mask
    filled = np.asarray(ndimage.binary_fill_holes(piece), bool)
    return filled, int(np.count_nonzero(mask & ~filled))


def trace(mask: Mask, *, tolerance: float) -> Points:
    """Few points whose closed curve tells a mask from its surroundings.

    The curve is laid to the middles between inner and outer voxels by least squares. It begins
    with six points, closer where the border bends (density proportional to the square root of
    the curvature), and gets one more in the span that lies furthest off until the tolerance is
    kept; then points are taken out as long as it still is.

    Masks that need more than 48 points are frayed, as a wall so thin that it breaks: their gaps
    up to 4, then up to 8 voxels wide are closed and the rest is traced. Where that does not help
    either, the middles themselves are the points.

    Args:
        mask: One connected piece without holes, (y, x); it may touch the slice's border.
        tolerance: Largest share of the mask's voxels that may differ, if it is not frayed.

    Returns:
        Points of the curve in voxels, (n, 2), n >= 4.
    """
    for reach in _GAPS:
        whole = _closed(mask, reach)
        points = _traced(whole, int(tolerance * np.count_nonzero(whole)))
        if points is not None:
            return points - reach
    return border_middles(mask)


def _closed(mask: Mask, reach: int) -> Mask:
    """A mask without gaps up to twice `reach` wide and with that much room around it."""
    from scipy import ndimage

    padded = np.pad(mask, reach)
    if reach == 0:
        return padded
    rows, columns = np.ogrid[-reach : reach + 1, -reach : reach + 1]
    round_mark = rows**2 + columns**2 <= reach**2
    return largest_piece(np.asarray(ndimage.binary_closing(padded, round_mark), bool))[0]


def _traced(mask: Mask, allowed: int) -> Points | None:
    """Points whose curve changes at most `allowed` voxels, or None where too many are needed."""
    border = border_middles(mask)
    points = _spread(*_measured(border), min(_FIRST, len(border)))
    points = _laid(points, border, _SETTLING)
    while changed_voxels(points, mask) > allowed:
        if len(points) >= min(_MOST, len(border)):
            return border if len(border) <= _MOST else None
        points = _laid(_with_one_more(points, border), border, _ROUNDS)
    return _pruned(points, border, mask, allowed)


def changed_voxels(points: Points, mask: Mask) -> int:
    """How many voxels differ between a mask and the inside of a curve."""
    part = polygon_part(closed_curve(points, _PER_SPAN), (mask.shape[0], mask.shape[1]))
    inside = mask[part.window]
    outside = np.count_nonzero(mask) - np.count_nonzero(inside)
    return int(np.count_nonzero(inside ^ part.inside) + outside)


def border_middles(mask: Mask) -> Points:
    """The middles between each voxel of a mask and its outer neighbours, in order, (n, 2)."""
    from skimage.measure import find_contours

    padded = np.pad(mask, 1).astype(np.float32)
    lines = find_contours(padded, 0.5, fully_connected="high")  # type: ignore[no-untyped-call]
    longest = max(lines, key=len)
    return np.asarray(longest[:-1] - 1, np.float64)


def _measured(border: Points) -> tuple[Points, Points]:
    """Evenly spaced places of a smoothed border, and its length counted more where it bends.

    Returns:
        Places, (m, 2), and the measure up to the end of each, (m,), rising to 1.
    """
    from scipy.ndimage import gaussian_filter1d

    closed = np.vstack([border, border[:1]])
    length = np.r_[0, np.cumsum(np.hypot(*np.diff(closed, axis=0).T))]
    count = max(int(length[-1] / _STEP), 16)
    at = np.arange(count) * length[-1] / count
    places = np.stack([np.interp(at, length, closed[:, axis]) for axis in (0, 1)], axis=1)
    smoothing = min(_STAIRS * count / length[-1], count / 12)
    places = gaussian_filter1d(places, smoothing, axis=0, mode="wrap")

    ahead, behind = np.roll(places, -1, axis=0), np.roll(places, 1, axis=0)
    slope, bend = (ahead - behind) / 2, ahead - 2 * places + behind
    speed = np.hypot(slope[:, 0], slope[:, 1]) + 1e-9
    curvature = np.abs(slope[:, 0] * bend[:, 1] - slope[:, 1] * bend[:, 0]) / speed**3
    curvature = gaussian_filter1d(curvature, max(2.0, count / 40), mode="wrap")
    measure = np.cumsum(np.sqrt(curvature + _FLATNESS) * speed)
    return places, measure / measure[-1]


def _spread(places: Points, measure: Points, count: int) -> Points:
    """`count` of the places at equal distances of the measure."""
    index = np.searchsorted(measure, (np.arange(count) + 0.5) / count)
    return places[np.minimum(index, len(places) - 1)]


def _with_one_more(points: Points, border: Points) -> Points:
    """One point more, in the middle of the span that lies furthest off the border."""
    count = len(points)
    curve = closed_curve(points, _PER_SPAN)
    where, apart = nearest_on(curve, border)
    span = (where / _PER_SPAN).astype(np.intp) % count
    off = np.bincount(span, np.maximum(apart - _HALF_STAIR, 0) ** 2, minlength=count)
    worst = int(off.argmax())
    return np.insert(points, worst + 1, curve[worst * _PER_SPAN + _PER_SPAN // 2], axis=0)


def _pruned(points: Points, border: Points, mask: Mask, allowed: int) -> Points:
    """As few of the points as still keep the mask; those on straight runs go first."""
    while len(points) > _FEWEST:
        before, after = np.roll(points, 1, axis=0), np.roll(points, -1, axis=0)
        chord, arm = after - before, points - before
        length = np.maximum(np.hypot(chord[:, 0], chord[:, 1]), 1e-6)
        off_chord = np.abs(chord[:, 0] * arm[:, 1] - chord[:, 1] * arm[:, 0]) / length
        for index in np.argsort(off_chord)[:_TRIED]:
            fewer = _laid(np.delete(points, index, axis=0), border, _ROUNDS)
            if changed_voxels(fewer, mask) <= allowed:
                points = fewer
                break
        else:
            break
    return points


def _laid(points: Points, border: Points, rounds: int) -> Points:
    """Points moved so that their curve runs along a border in the least-squares sense."""
    count = len(points)
    hold = 1e-3 * np.eye(count)  # a point that no place asks for stays
    for _ in range(rounds):
        where, _apart = nearest_on(closed_curve(points, _PER_SPAN), border)
        where = where / _PER_SPAN
        span = np.minimum(np.floor(where).astype(np.intp), count - 1)
        matrix = blend_matrix(points, span, where - span)
        wanted: NDArray[np.float64] = matrix.T @ border + hold @ points
        points = np.asarray(np.linalg.solve(matrix.T @ matrix + hold, wanted), np.float64)
    return points
