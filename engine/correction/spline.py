"""Closed smooth curves through points: the mathematics of contours.

Between two points the curve blends two parabolas, each through three neighbouring points, as in
Overhauser (1968). The knots are centripetal (Lee 1989), which keeps the curve free of loops
however unequal the distances are. The blend is the smooth step 3 s^2 - 2 s^3 in place of the
straight one, after Yuksel (2020, "A class of C2 interpolating splines"): both parabolas meet in
the knot and the blend is flat there, so that the curvature is continuous. A point bends the
four spans around it and nothing else.
"""

import numpy as np
from numpy.typing import NDArray

from engine.correction.outline import Points

_SHORTEST = 1e-6  # voxels; points that coincide are held apart by this much


def blend_weights(points: Points, span: NDArray[np.intp], along: Points) -> Points:
    """How much each of four points counts at places of the curve.

    Args:
        points: (n, 2), n >= 3.
        span: Which span each place lies in, (m,); span i runs from point i to point i + 1.
        along: How far along its span, (m,), 0..1.

    Returns:
        (m, 4): weights of the points span - 1 .. span + 2; they sum to 1.
    """
    apart = np.roll(points, -1, axis=0) - points
    knots = np.sqrt(np.maximum(np.hypot(apart[:, 0], apart[:, 1]), _SHORTEST))
    count = len(points)
    a, b, c = knots[(span - 1) % count], knots[span], knots[(span + 1) % count]
    x = along * b
    blend = along * along * (3 - 2 * along)
    # Lagrange's parabolas through the knots (-a, 0, b) and (0, b, b + c).
    before = x * (x - b) / (a * (a + b))
    here = (1 - blend) * (x + a) * (b - x) / (a * b)
    here += blend * (x - b) * (x - b - c) / (b * (b + c))
    there = (1 - blend) * (x + a) * x / ((a + b) * b)
    there += blend * x * (b + c - x) / (b * c)
    after = x * (x - b) / ((b + c) * c)
    return np.stack([(1 - blend) * before, here, there, blend * after], axis=1)


def blend_matrix(points: Points, span: NDArray[np.intp], along: Points) -> Points:
    """The weights of all points at places of the curve, (m, n); see `blend_weights`."""
    count = len(points)
    matrix = np.zeros((span.size, count))
    rows = np.arange(span.size)
    for column, weight in enumerate(blend_weights(points, span, along).T):
        np.add.at(matrix, (rows, (span + column - 1) % count), weight)
    return matrix


def closed_curve(points: Points, per_span: int) -> Points:
    """`per_span` places on each span of the curve, (n * per_span, 2), the points among them."""
    count = len(points)
    span = np.repeat(np.arange(count), per_span)
    weights = blend_weights(points, span, np.tile(np.arange(per_span) / per_span, count))
    near = (span[:, None] + np.arange(-1, 3)) % count
    return np.asarray(np.einsum("mk,mkd->md", weights, points[near]))


def nearest_on(polygon: Points, places: Points) -> tuple[Points, Points]:
    """The nearest place of a closed polygon for each of some places.

    Args:
        polygon: Corners, (n, 2).
        places: (m, 2).

    Returns:
        Where it is, (m,): i + s lies the part s of the way from corner i to the next; and how
        far away it is, (m,) [voxels].
    """
    # |p - q|^2 less |p|^2, which is the same for all corners q.
    corner = ((polygon**2).sum(axis=1) - 2 * places @ polygon.T).argmin(axis=1)
    where, squared = np.zeros(len(places)), np.full(len(places), np.inf)
    for first in (corner, (corner - 1) % len(polygon)):
        start = polygon[first]
        side = polygon[(first + 1) % len(polygon)] - start
        length = np.maximum((side**2).sum(axis=1), _SHORTEST**2)
        part = np.clip(((places - start) * side).sum(axis=1) / length, 0, 1)
        apart = ((start + part[:, None] * side - places) ** 2).sum(axis=1)
        closer = apart < squared
        where[closer], squared[closer] = (first + part)[closer], apart[closer]
    return where % len(polygon), np.sqrt(squared)
