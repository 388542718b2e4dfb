"""Whether a surface bounds a body: closed, manifold, without crossings, of the right volume."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.mesh.surface import Surface

_CELL_EDGES = 2.0  # size of the cells in which triangles are compared, in mean edges
_PAIRS_AT_ONCE = 500_000

Faces = NDArray[np.int64]
Pairs = NDArray[np.int64]
Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Soundness:
    """What was found about a surface.

    Attributes:
        is_closed: Every edge has as many triangles on one side as on the other: nothing leaks.
        is_manifold: Every edge belongs to two triangles, the triangles round every vertex form one
            fan, and every triangle has an area.
        crossings: Pairs of triangles that cut through each other.
        pieces: How many parts there are that do not touch.
        volume_ml: What the surface encloses [ml].
        voxel_ml: What the voxels hold that it was made of [ml].
    """

    is_closed: bool
    is_manifold: bool
    crossings: int
    pieces: int
    volume_ml: float
    voxel_ml: float

    @property
    def is_sound(self) -> bool:
        """Whether the surface bounds a body: closed, manifold, not crossing itself, not empty."""
        return self.is_closed and self.is_manifold and self.crossings == 0 and self.pieces > 0

    @property
    def volume_error(self) -> float:
        """By what part of the voxels' volume the surface's differs from it; 0 if both are 0.

        Infinite where there is a surface of no voxels.
        """
        if self.voxel_ml == 0:
            return 0.0 if self.volume_ml == 0 else float("inf")
        return self.volume_ml / self.voxel_ml - 1


def soundness(surface: Surface, voxel_ml: float) -> Soundness:
    """Examine a surface.

    Args:
        surface: Which; its vertices are told apart by their numbers, not by their places.
        voxel_ml: What the voxels hold that it was made of [ml].

    Returns:
        Also for a surface without triangles: it is closed and manifold and has no piece.
    """
    faces = surface.faces
    return Soundness(
        is_closed=_is_closed(faces),
        is_manifold=_is_manifold(surface),
        crossings=len(crossings(surface)),
        pieces=_pieces(faces),
        volume_ml=surface.volume_ml,
        voxel_ml=voxel_ml,
    )


def crossings(surface: Surface) -> Pairs:
    """The pairs of triangles that cut through each other, (n, 2), each pair once.

    Two triangles that share no edge cross where an edge of one passes through the inside of the
    other, which the signs of five volumes tell (Guigue and Devillers 2003). Triangles that lie in
    one plane and those that merely touch do not count.
    """
    found = [np.zeros((0, 2), np.int64)]
    pairs = _near_pairs(surface)
    for start in range(0, len(pairs), _PAIRS_AT_ONCE):
        some = pairs[start : start + _PAIRS_AT_ONCE]
        one, other = surface.faces[some[:, 0]], surface.faces[some[:, 1]]
        shared = (one[:, :, None] == other[:, None, :]).sum(axis=(1, 2))
        apart = shared < 2
        some, one, other = some[apart], one[apart], other[apart]
        points = surface.vertices_mm.astype(np.float64)
        cut = _pierces(points, one, other) | _pierces(points, other, one)
        found.append(some[cut])
    return np.concatenate(found)


def _is_closed(faces: Faces) -> bool:
    """Whether every directed edge has its opposite as often."""
    if len(faces) == 0:
        return True
    count = int(faces.max()) + 1
    start, end = faces.ravel(), np.roll(faces, -1, axis=1).ravel()
    there = np.sort(start * count + end)
    back = np.sort(end * count + start)
    return bool(np.array_equal(there, back))


def _is_manifold(surface: Surface) -> bool:
    faces = surface.faces
    if len(faces) == 0:
        return True
    number, edges, times = _edges(faces)
    corners = surface.vertices_mm[faces].astype(np.float64)
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    if (times != 2).any() or (np.abs(across).max(axis=1) == 0).any():
        return False
    return _fans(faces, number, edges) == len(np.unique(faces))


def _edges(faces: Faces) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """The edge of each corner and the next (m * 3,), edges by their vertices, and how often."""
    ends = np.sort(np.stack([faces.ravel(), np.roll(faces, -1, axis=1).ravel()]), axis=0)
    edges, number, times = np.unique(
        ends[0] * (int(faces.max()) + 1) + ends[1], return_inverse=True, return_counts=True
    )
    return number, edges, times


def _fans(faces: Faces, number: NDArray[np.int64], edges: NDArray[np.int64]) -> int:
    """How many fans of triangles there are round all vertices, if each edge has two triangles."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    count = int(faces.max()) + 1
    order = np.argsort(number, kind="stable").reshape(len(edges), 2)  # both uses of each edge
    face, place = order // 3, order % 3
    links = []
    for vertex in (edges // count, edges % count):  # both ends
        corner = [
            face[:, side] * 3
            + np.where(
                faces[face[:, side], place[:, side]] == vertex,
                place[:, side],
                (place[:, side] + 1) % 3,
            )
            for side in (0, 1)
        ]
        links.append(np.stack(corner))
    one, other = np.concatenate(links, axis=1)
    graph = coo_array((np.ones(len(one), bool), (one, other)), shape=(faces.size, faces.size))
    fans, _ = connected_components(graph, directed=False)
    return int(fans)


def _pieces(faces: Faces) -> int:
    """How many parts there are that share no vertex."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if len(faces) == 0:
        return 0
    used, numbers = np.unique(faces, return_inverse=True)
    a, b, c = numbers.reshape(faces.shape).T
    one, other = np.concatenate([a, b]), np.concatenate([b, c])
    graph = coo_array((np.ones(len(one), bool), (one, other)), shape=(len(used), len(used)))
    pieces, _ = connected_components(graph, directed=False)
    return int(pieces)


def _near_pairs(surface: Surface) -> Pairs:
    """Pairs of triangles whose boxes overlap, (n, 2), the lower number first."""
    if len(surface.faces) < 2:
        return np.zeros((0, 2), np.int64)
    corners = surface.vertices_mm[surface.faces]
    low, high = corners.min(axis=1), corners.max(axis=1)
    size = max(float((high - low).max(axis=1).mean()) * _CELL_EDGES, 1e-6)
    members, cells = _members(low, high, size)
    order = np.argsort(cells, kind="stable")
    members, cells = members[order], cells[order]
    found = [np.zeros(0, np.int64)]
    for step in range(1, len(members)):
        same = np.flatnonzero(cells[step:] == cells[:-step])
        if len(same) == 0:
            break
        one, other = members[same], members[same + step]
        meet = ((low[one] <= high[other]) & (low[other] <= high[one])).all(axis=1)
        one, other = one[meet], other[meet]
        found.append(np.minimum(one, other) * len(low) + np.maximum(one, other))
    pairs = np.unique(np.concatenate(found))  # two triangles may share several cells
    return np.stack([pairs // len(low), pairs % len(low)], axis=1)


def _members(
    low: NDArray[np.float32], high: NDArray[np.float32], size: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which triangle lies in which cell of a grid; one that lies in several comes several times."""
    origin = low.min(axis=0)
    first = ((low - origin) / size).astype(np.int64)
    last = ((high - origin) / size).astype(np.int64)
    extent = last.max(axis=0) + 1
    members, cells = [], []
    span = last - first
    for z in range(int(span[:, 2].max()) + 1):
        for y in range(int(span[:, 1].max()) + 1):
            for x in range(int(span[:, 0].max()) + 1):
                move = np.array([x, y, z])
                inside = np.flatnonzero((move <= span).all(axis=1))
                at = first[inside] + move
                members.append(inside)
                cells.append((at[:, 2] * extent[1] + at[:, 1]) * extent[0] + at[:, 0])
    return np.concatenate(members), np.concatenate(cells)


def _pierces(points: Points, one: Faces, other: Faces) -> NDArray[np.bool_]:
    """Whether an edge of each triangle passes through the inside of its partner, (n,)."""
    a, b, c = (points[other[:, corner]] for corner in range(3))
    normal = np.cross(b - a, c - a)
    side = np.einsum("nck,nk->nc", points[one] - a[:, None], normal)
    side[(one[:, :, None] == other[:, None, :]).any(axis=2)] = 0  # not by rounding
    found = np.zeros(len(one), bool)
    for start, end in ((0, 1), (1, 2), (2, 0)):
        through = np.flatnonzero(side[:, start] * side[:, end] < 0)
        origin = points[one[through, start]]
        along = points[one[through, end]] - origin
        turns = [
            np.einsum("nk,nk->n", along, np.cross(p[through] - origin, q[through] - origin))
            for p, q in ((a, b), (b, c), (c, a))
        ]
        inside = (np.stack(turns) > 0).all(axis=0) | (np.stack(turns) < 0).all(axis=0)
        found[through[inside]] = True
    return found
