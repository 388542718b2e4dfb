"""The surface where a depth field is zero: closed, manifold and free of folds by construction."""

import numpy as np
from numpy.typing import NDArray

from engine.mesh.depth import DepthField, Depths
from engine.mesh.surface import Surface

_LEAST = 0.02  # of a grid step: depths come no closer to zero
_CLOSEST = 0.001  # of an edge: no vertex comes closer to its end
_MOST_ROUNDS = 50


def contour(field: DepthField, affine: NDArray[np.float64], level_mm: float = 0.0) -> Surface:
    """The surface of a depth field in coordinates of one's choice.

    Args:
        field: Depths; beyond the grid everything counts as outside.
        affine: (4, 4) [mm]; takes voxel indices (x, y, z, 1) to coordinates.
        level_mm: The depth that the surface lies at.

    Returns:
        Without a face where nothing is deeper than the level.
    """
    places, faces = isosurface(field, level_mm)
    return placed(places, faces, affine)


def isosurface(
    field: DepthField, level_mm: float = 0.0
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The surface of a depth field, as voxel indices.

    Args:
        field: Depths; beyond the grid everything counts as outside.
        level_mm: The depth that the surface lies at.

    Returns:
        Vertices as voxel indices (x, y, z), (n, 3), and faces as `zero_level` gives them.
    """
    vertices, faces = zero_level(field, level_mm)
    return field.voxel_places(vertices), faces


def zero_level(
    field: DepthField, level_mm: float = 0.0
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The surface of a depth field, in steps of its grid.

    Marching cubes (Lorensen and Cline 1987) by VTK's flying edges. Such surfaces meet themselves
    only where the signs on a face of a cube form a checkerboard; there the outer corners are
    taken inside first. A corner that lies on the surface itself would make triangles without an
    area, so that every depth is kept a little away from zero.

    Args:
        field: Depths; beyond the grid everything counts as outside.
        level_mm: The depth that the surface lies at.

    Returns:
        Vertices (x, y, z), (n, 3), each on an edge of the grid: two of its numbers are whole; and
        faces (m, 3), whose corners turn left as seen from outside where x, y and z are
        right-handed.
    """
    outside_mm = np.float32(-4 * max(field.spacing_mm))
    depth = np.full(tuple(count + 2 for count in field.depth_mm.shape), outside_mm)
    inner = depth[1:-1, 1:-1, 1:-1]
    np.subtract(field.depth_mm, np.float32(level_mm), out=inner)
    np.maximum(inner, outside_mm, out=inner)
    least_mm = np.float32(_LEAST * min(field.spacing_mm))
    _mend_checkerboards(depth, least_mm)
    vertices, faces = _flying_edges(depth)
    vertices -= 1  # the border that has been added
    if field.sides and len(vertices):
        _place_by_sides(vertices, field, level_mm, least_mm)
    return vertices, faces


def placed(
    places: NDArray[np.float64], faces: NDArray[np.int64], affine: NDArray[np.float64]
) -> Surface:
    """A surface given as voxel indices (x, y, z), (n, 3), where an affine (4, 4) puts it."""
    vertices_mm = places @ affine[:3, :3].T + affine[:3, 3]
    if np.linalg.det(affine[:3, :3]) < 0:
        faces = faces[:, ::-1]
    return Surface(vertices_mm.astype(np.float32), np.ascontiguousarray(faces))


def _mend_checkerboards(depth: Depths, least_mm: np.float32) -> None:
    """Keep depths away from zero, and leave no face of a cube whose signs alternate round it."""
    inside = depth > 0
    np.copyto(depth, least_mm, where=inside & (depth < least_mm))
    np.copyto(depth, -least_mm, where=~inside & (depth > -least_mm))
    part = (slice(0, None), slice(0, None), slice(0, None))
    for _ in range(_MOST_ROUNDS):
        filled = [
            each + np.array([[at.start] for at in part])
            for axes in ((0, 1), (0, 2), (1, 2))
            for each in _fill_checkerboards(depth[part], inside[part], axes, least_mm)
        ]
        if not filled:
            break
        corners = np.concatenate(filled, axis=1)
        part = _round_about(corners)  # only faces at these corners can have come to alternate


def _round_about(corners: NDArray[np.intp]) -> tuple[slice, slice, slice]:
    """The part of a grid that holds grid points (3, n) and their neighbours."""
    low, high = np.maximum(corners.min(axis=1) - 1, 0), corners.max(axis=1) + 2
    z, y, x = (slice(int(first), int(behind)) for first, behind in zip(low, high, strict=True))
    return z, y, x


def _fill_checkerboards(
    depth: Depths, inside: NDArray[np.bool_], axes: tuple[int, int], least_mm: np.float32
) -> list[NDArray[np.intp]]:
    """Take the weaker outer corner of each alternating face inside.

    Returns:
        Which were taken, (3, n), once if there were any.
    """
    signs = np.moveaxis(inside, axes, (0, 1))
    down = signs[1:] ^ signs[:-1]
    alternating = down[:, 1:] & down[:, :-1]
    alternating &= signs[:-1, 1:] ^ signs[:-1, :-1]
    if not alternating.any():
        return []
    depths = np.moveaxis(depth, axes, (0, 1))
    row, column, rest = np.nonzero(alternating)
    below = signs[row, column, rest].astype(np.intp)  # else the first corner is an outer one
    corners = ((row + below, column, rest), (row + 1 - below, column + 1, rest))
    values = [depths[corner] for corner in corners]
    nearer = values[1] > values[0]
    weak = tuple(np.where(nearer, *pair) for pair in zip(corners[1], corners[0], strict=True))
    depths[weak] = np.maximum(depths[weak], least_mm)
    signs[weak] = True
    order = (*axes, 3 - sum(axes))
    return [np.stack([weak[order.index(axis)] for axis in range(3)])]


def _place_by_sides(
    vertices: NDArray[np.float64], field: DepthField, level_mm: float, least_mm: np.float32
) -> None:
    """Move vertices along their edges of the grid to where the outermost side ends.

    In a wall of a few grid points, the depth at the inner end of an edge is that below the other
    side of the wall, which says nothing about the side that the edge passes. Where the same side
    is the nearest at both ends, the vertex is where it should be.

    Args:
        vertices: Grid indices (x, y, z), (n, 3); changed.
        field: With sides.
        level_mm: The depth that the surface lies at.
        least_mm: How far from zero depths are kept.
    """
    rows, lower, ends = _between_sides(vertices, field)
    depth = field.depth_mm.reshape(-1)[ends]
    sides = np.stack([side.reshape(-1)[ends] for side in field.sides])  # (sides, 2 ends, n)
    overlap = (sides.min(axis=0) == depth).all(axis=0)  # not where an end of the labels cuts it
    overlap &= depth.max(axis=0) > level_mm  # nor at a corner that was taken inside
    turned = depth[0] < depth[1]  # the upper end lies inside
    sides = np.where(turned, sides[:, ::-1], sides) - np.float32(level_mm)
    inner = np.maximum(sides[:, 0], least_mm)
    outer = np.minimum(sides[:, 1], -least_mm)
    share = np.where(sides[:, 1] < 0, inner / (inner - outer), 1 - _CLOSEST).min(axis=0)
    share = share.clip(_CLOSEST, 1 - _CLOSEST)
    along = np.where(turned, 1 - share, share)[:, None]
    at = vertices[rows]
    moved = lower + along * (at > lower)
    vertices[rows[overlap]] = moved[overlap]


def _between_sides(
    vertices: NDArray[np.float64], field: DepthField
) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.intp]]:
    """The vertices on edges of the grid at whose ends different sides are the nearest.

    Returns:
        Their rows (n,), the lower ends of their edges (x, y, z), (n, 3), and both ends as places
        in the flat grid, (2, n).
    """
    nearest, least = np.zeros(field.depth_mm.shape, np.uint8), field.sides[0]
    for number, side in enumerate(field.sides[1:], 1):
        np.copyto(nearest, np.uint8(number), where=side < least)
        least = np.minimum(side, least)
    depth, height, width = field.depth_mm.shape
    lower, upper = np.floor(vertices), np.ceil(vertices)
    strides = np.array([1.0, width, height * width])
    ends = np.stack([lower @ strides, upper @ strides]).astype(np.intp)
    within = (lower[:, 0] >= 0) & (lower[:, 1] >= 0) & (lower[:, 2] >= 0)
    within &= (upper[:, 0] < width) & (upper[:, 1] < height) & (upper[:, 2] < depth)
    numbers = nearest.reshape(-1).take(ends, mode="clip")
    rows = np.flatnonzero(within & (numbers[0] != numbers[1]))
    return rows, lower[rows], ends[:, rows]


def _flying_edges(depth: Depths) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Vertices (n, 3) as grid indices (x, y, z) and faces (m, 3) where the depth is zero."""
    from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
    from vtkmodules.vtkCommonDataModel import vtkImageData
    from vtkmodules.vtkFiltersCore import vtkFlyingEdges3D

    image = vtkImageData()
    image.SetDimensions(depth.shape[2], depth.shape[1], depth.shape[0])
    image.GetPointData().SetScalars(numpy_to_vtk(np.ascontiguousarray(depth).ravel()))  # type: ignore[no-untyped-call]
    edges = vtkFlyingEdges3D()
    edges.SetInputData(image)
    edges.SetValue(0, 0.0)
    edges.ComputeNormalsOff()
    edges.ComputeGradientsOff()
    edges.ComputeScalarsOff()
    edges.Update()
    mesh = edges.GetOutput()
    if mesh.GetNumberOfPolys() == 0:
        return np.zeros((0, 3)), np.zeros((0, 3), np.int64)
    vertices = vtk_to_numpy(mesh.GetPoints().GetData()).astype(np.float64)  # type: ignore[no-untyped-call]
    faces = vtk_to_numpy(mesh.GetPolys().GetConnectivityArray()).reshape(-1, 3)  # type: ignore[no-untyped-call]
    return vertices, faces.astype(np.int64)
