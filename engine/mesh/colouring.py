"""Values that colour a surface, vertex by vertex [mm]: differences, wall thickness, motion."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.mesh.surface import Part, Surface

_CANDIDATES = 4  # triangles whose middles lie nearest; the closest point is on one of them
_TOUCHING_MM = 1.0  # a wall's vertices that lie so near to the cavity bound it

Values = NDArray[np.float32]
Points = NDArray[np.float64]


def distance_mm(surface: Surface, other: Surface) -> Values:
    """How far each vertex lies from another surface, as a prediction's from that of the label.

    The Euclidean distance to the closest point of the other surface; it is positive where the
    vertex lies outside the other one. The side is told by the normal at the closest point
    (Baerentzen and Aanaes 2005).

    Args:
        surface: Whose vertices are coloured.
        other: Closed, with at least one triangle.

    Returns:
        (n,) [mm]; empty where the surface is.
    """
    return _Sheet(other, other.faces).signed_mm(surface.vertices_mm.astype(np.float64))


def thickness_mm(wall: Surface, cavity: Surface) -> Values:
    """How thick a wall is at each vertex of its surface, in three dimensions.

    The way from the one side of the wall to the closest point of the other: from the endocardium
    to the epicardium and back. On the rim at the base, which lies between both sides, it is the sum
    of the ways to both. This is the shortest way through the wall, which in a wall of even
    thickness is the radial one; no way starts or ends on the rim, since that is no border of the
    heart.

    Args:
        wall: Of the myocardium.
        cavity: Of what it encloses; it tells the sides apart where the wall's `parts` are unknown.

    Returns:
        (n,) [mm]; 0 everywhere in a wall that has one side only.
    """
    points = wall.vertices_mm.astype(np.float64)
    parts = wall.parts
    if parts is None:
        near = np.abs(distance_mm(wall, cavity)) < _TOUCHING_MM
        parts = np.where(near, Part.INNER, Part.OUTER).astype(np.uint8)
    ways = np.zeros(len(points), np.float32)
    sides = [_side(wall, parts, side) for side in (Part.INNER, Part.OUTER)]
    if not all(len(faces) for faces in sides):
        return ways
    for side, faces in zip((Part.INNER, Part.OUTER), sides, strict=True):
        others = parts != side
        ways[others] += _Sheet(wall, faces).away_mm(points[others])
    return ways


def motion_mm(surface: Surface, at_ed: Surface) -> Values:
    """How far the wall has come inwards since end-diastole, at each vertex.

    The distance to the closest point of the same side of the surface at end-diastole: of the
    endocardium to the endocardium, of the epicardium to the epicardium. It is positive where the
    wall has moved towards the cavity it encloses, negative where it bulges. What a cine of slices
    cannot show is not in it: twist, and motion along the long axis. So it is 0 on the planes where
    the labels end.

    Args:
        surface: Of any phase.
        at_ed: Of the same structure at end-diastole.

    Returns:
        (n,) [mm].
    """
    points = surface.vertices_mm.astype(np.float64)
    if surface.parts is None or at_ed.parts is None:
        return -_Sheet(at_ed, at_ed.faces).signed_mm(points)
    moved = np.zeros(len(points), np.float32)
    for side, inwards in ((Part.OUTER, -1), (Part.INNER, 1)):
        own = surface.parts == side
        faces = _side(at_ed, at_ed.parts, side)
        if own.any() and len(faces):
            moved[own] = inwards * _Sheet(at_ed, faces).signed_mm(points[own])
    return moved


def _side(surface: Surface, parts: NDArray[np.uint8], side: Part) -> NDArray[np.int64]:
    """The triangles of which all corners lie on one side, (m, 3)."""
    faces: NDArray[np.int64] = surface.faces[(parts[surface.faces] == side).all(axis=1)]
    return faces


@dataclass(frozen=True, slots=True, eq=False)
class _Sheet:
    """Triangles of a surface to which distances are measured: all of them, or some."""

    surface: Surface
    faces: NDArray[np.int64] = field(repr=False)

    def away_mm(self, points: Points) -> Values:
        """Distances of points (n, 3) to the closest points."""
        return self._closest(points)[0]

    def signed_mm(self, points: Points) -> Values:
        """The same, negative inside the surface."""
        distance, apart, numbers, weights = self._closest(points)
        normals = _vertex_normals(self.surface)[self.faces[numbers]]
        normal = np.einsum("nc,nck->nk", weights, normals)
        inside = np.einsum("nk,nk->n", apart, normal) < 0
        signed: Values = np.where(inside, -distance, distance)
        return signed

    def _closest(self, points: Points) -> tuple[Values, Points, NDArray[np.intp], Points]:
        """Distance to the closest point, the way from it, its triangle and its weights there."""
        from scipy.spatial import cKDTree

        assert len(self.faces), "no triangle to measure a distance to"
        corners = self.surface.vertices_mm.astype(np.float64)[self.faces]
        count = min(_CANDIDATES, len(corners))
        _, nearest = cKDTree(corners.mean(axis=1)).query(points, k=[*range(1, count + 1)])
        squares = np.full(len(points), np.inf)
        apart, best = np.zeros_like(points), np.zeros_like(points)
        numbers = np.zeros(len(points), np.intp)
        for number in nearest.T:
            weights = _closest_weights(points, corners[number])
            way = points - np.einsum("nc,nck->nk", weights, corners[number])
            square = np.einsum("nk,nk->n", way, way)
            nearer = np.flatnonzero(square < squares)
            squares[nearer], apart[nearer] = square[nearer], way[nearer]
            best[nearer], numbers[nearer] = weights[nearer], number[nearer]
        return np.sqrt(squares).astype(np.float32), apart, numbers, best


def _vertex_normals(surface: Surface) -> Points:
    """Unit normals of the vertices, by the angles of the triangles round them, (n, 3)."""
    faces, points = surface.faces, surface.vertices_mm.astype(np.float64)
    a, b, c = (points[faces[:, corner]] for corner in range(3))
    across = _unit(np.cross(b - a, c - a))
    normals = np.zeros_like(points)
    for corner, (at, one, other) in enumerate(((a, b, c), (b, c, a), (c, a, b))):
        cosine = np.einsum("nk,nk->n", _unit(one - at), _unit(other - at))
        weighted = across * np.arccos(cosine.clip(-1, 1))[:, None]
        for axis in range(3):
            normals[:, axis] += np.bincount(
                faces[:, corner], weighted[:, axis], minlength=len(points)
            )
    return _unit(normals)


def _unit(vectors: Points) -> Points:
    lengths = np.sqrt(np.einsum("nk,nk->n", vectors, vectors))[:, None]
    return vectors / np.where(lengths > 0, lengths, 1)


def _closest_weights(points: Points, corners: Points) -> Points:
    """Barycentric coordinates of the points of triangles (n, 3, 3) that lie closest, (n, 3).

    The foot of the perpendicular where it lies inside, else the closest foot on an edge.
    """
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    ab, ac, ap = b - a, c - a, points - a
    d11, d12, d22 = (np.einsum("nk,nk->n", *pair) for pair in ((ab, ab), (ab, ac), (ac, ac)))
    p1, p2 = np.einsum("nk,nk->n", ap, ab), np.einsum("nk,nk->n", ap, ac)
    area = d11 * d22 - d12 * d12
    safe = np.where(area > 0, area, 1)
    v, w = (d22 * p1 - d12 * p2) / safe, (d11 * p2 - d12 * p1) / safe
    weights = np.stack([1 - v - w, v, w], axis=1)
    off = np.flatnonzero((weights.min(axis=1) < 0) | (area <= 0))
    if len(off):
        weights[off] = _closest_on_edges(points[off], corners[off])
    return weights


def _closest_on_edges(points: Points, corners: Points) -> Points:
    """The same on the edges of triangles."""
    nearest = np.full(len(points), np.inf)
    weights = np.zeros((len(points), 3))
    for start in range(3):
        end = (start + 1) % 3
        along = corners[:, end] - corners[:, start]
        length = np.einsum("nk,nk->n", along, along)
        apart = points - corners[:, start]
        share = np.einsum("nk,nk->n", apart, along) / np.where(length > 0, length, 1)
        share = share.clip(0, 1)
        apart = apart - share[:, None] * along
        distance = np.einsum("nk,nk->n", apart, apart)
        nearer = distance < nearest
        nearest[nearer] = distance[nearer]
        weights[nearer] = 0
        weights[nearer, start], weights[nearer, end] = 1 - share[nearer], share[nearer]
    return weights
