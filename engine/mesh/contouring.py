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

    Marching cubes (Lorensen and Cline 1987) by VTK's flying edges. Such surfaces meet themselves
    only where the signs on a face of a cube form a checkerboard; there the outer corners are
    taken inside first. A corner that lies on the surface itself would make triangles without an
    area, so that every depth is kept a little away from zero.

    Args:
        field: Depths; beyond the grid everything counts as outside.
        level_mm: The depth that the surface lies at.

    Returns:
        Vertices as voxel indices (x, y, z), (n, 3), and faces (m, 3), whose corners turn left as
        seen from outside where x, y and z are right-handed.
    """
    depth = np.pad(field.depth_mm - np.float32(level_mm), 1, constant_values=-np.inf)
    np.maximum(depth, -4 * max(field.spacing_mm), out=depth)
    least_mm = np.float32(_LEAST * min(field.spacing_mm))
    _mend_checkerboards(depth, least_mm)
    vertices, faces = _flying_edges(depth)
    vertices -= 1
    if field.sides and len(vertices):
        _place_by_sides(vertices, field, level_mm, least_mm)
    return vertices * field.step[::-1] + field.first[::-1], faces


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
    np.copyto(depth, np.where(depth > 0, least_mm, -least_mm), where=np.abs(depth) < least_mm)
    inside = depth > 0
    for _ in range(_MOST_ROUNDS):
        changed = False
        for axes in ((0, 1), (0, 2), (1, 2)):
            changed |= _fill_checkerboards(depth, inside, axes, least_mm)
        if not changed:
            break


def _fill_checkerboards(
    depth: Depths, inside: NDArray[np.bool_], axes: tuple[int, int], least_mm: np.float32
) -> bool:
    """Take the weaker outer corner of each alternating face inside; whether there was one."""
    signs = np.moveaxis(inside, axes, (0, 1))
    down = signs[1:] ^ signs[:-1]
    alternating = down[:, 1:] & down[:, :-1]
    alternating &= signs[:-1, 1:] ^ signs[:-1, :-1]
    if not alternating.any():
        return False
    depths = np.moveaxis(depth, axes, (0, 1))
    row, column, rest = np.nonzero(alternating)
    below = signs[row, column, rest].astype(np.intp)  # else the first corner is an outer one
    corners = ((row + below, column, rest), (row + 1 - below, column + 1, rest))
    values = [depths[corner] for corner in corners]
    nearer = values[1] > values[0]
    weak = tuple(np.where(nearer, *pair) for pair in zip(corners[1], corners[0], strict=True))
    depths[weak] = np.maximum(depths[weak], least_mm)
    signs[weak] = True
    return True


def _place_by_sides(
    vertices: NDArray[np.float64], field: DepthField, level_mm: float, least_mm: np.float32
) -> None:
    """Move vertices along their edges of the grid to where the outermost side ends.

    In a wall of a few grid points, the depth at the inner end of an edge is that below the other
    side of the wall, which says nothing about the side that the edge passes.

    Args:
        vertices: Grid indices (x, y, z), (n, 3); changed.
        field: With sides.
        level_mm: The depth that the surface lies at.
        least_mm: How far from zero depths are kept.
    """
    shape = np.array(field.depth_mm.shape)
    at = vertices[:, ::-1]
    lower, upper = np.floor(at).astype(np.intp), np.ceil(at).astype(np.intp)
    kept = ((lower >= 0) & (upper < shape)).all(axis=1)
    ends = np.stack([lower[kept], upper[kept]]) @ np.array([shape[1] * shape[2], shape[2], 1])
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
    moved = lower[kept] + along * (upper[kept] - lower[kept])
    rows = np.flatnonzero(kept)[overlap]
    vertices[rows] = moved[overlap][:, ::-1]


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
