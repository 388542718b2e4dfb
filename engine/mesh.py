"""Closed surfaces of structures; the only door to VTK's filters."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.geometry import Geometry
from engine.progress import Progress, Steps
from engine.structures import Structure

_ROOM = 2  # voxels around a structure, so that its surface closes
_SMOOTHING_VOXELS = 0.8  # of the outlines, in plane
_SMOOTHING_STEPS = 15
_PASS_BAND = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """A closed surface of triangles, seen from outside.

    Attributes:
        vertices_mm: Patient coordinates (right, anterior, superior) [mm], (n, 3) float32.
        faces: Numbers of the three corners of each triangle, (m, 3), turning left as seen from
            outside.
    """

    vertices_mm: NDArray[np.float32] = field(repr=False)
    faces: NDArray[np.int64] = field(repr=False)

    @property
    def volume_ml(self) -> float:
        """The enclosed volume [ml], by the divergence theorem."""
        if len(self.faces) == 0:
            return 0.0
        corners = self.vertices_mm[self.faces].astype(np.float64)  # (m, 3, 3)
        corners -= corners.reshape(-1, 3).mean(axis=0)
        normals = np.cross(corners[:, 1], corners[:, 2])
        return float((corners[:, 0] * normals).sum() / 6 / 1000)


def surface(labels: NDArray[np.uint8], geometry: Geometry, structure: Structure) -> Surface | None:
    """The smooth surface of a structure in one phase.

    Slices lie far apart, so outlines are interpolated between them by their distance maps
    (shape-based interpolation). The level is then chosen so that the surface encloses as many
    millilitres as the voxels do: it shows what is reported.

    Args:
        labels: (z, y, x).
        geometry: Their grid.
        structure: What to draw.

    Returns:
        None where there is nothing of it.
    """
    mask = labels == structure
    if not mask.any():
        return None
    start, cut = _cut_out(mask)
    _, row_mm, column_mm = geometry.spacing_mm
    fine = max(1, round(geometry.spacing_mm[0] / (2 * max(row_mm, column_mm))))  # layers a slice
    depth = _between_slices(_depths_mm(cut, (row_mm, column_mm)), fine)
    level = _level_of_volume(depth, int(cut.sum()) * fine)
    vertices, faces = _isosurface(depth - level)
    vertices[:, 2] = (vertices[:, 2] + 0.5) / fine - 0.5  # layers back to slices
    vertices += (start[2], start[1], start[0])
    vertices_mm = vertices @ geometry.affine[:3, :3].T + geometry.affine[:3, 3]
    if np.linalg.det(geometry.affine[:3, :3]) < 0:
        faces = faces[:, ::-1]
    return Surface(vertices_mm.astype(np.float32), np.ascontiguousarray(faces))


def surfaces(
    labels: NDArray[np.uint8], geometry: Geometry, structures: Iterable[Structure]
) -> Steps[dict[Structure, Surface]]:
    """The surfaces of several structures in one phase (z, y, x); those that are absent lack."""
    wanted = tuple(structures)
    found: dict[Structure, Surface] = {}
    for done, structure in enumerate(wanted):
        yield Progress(done, len(wanted), f"Surface of the {structure.title.lower()}")
        made = surface(labels, geometry, structure)
        if made is not None:
            found[structure] = made
    return found


def _cut_out(mask: NDArray[np.bool_]) -> tuple[tuple[int, int, int], NDArray[np.bool_]]:
    """The part of a mask that holds something, with room in plane; and where it begins."""
    z, y, x = (np.flatnonzero(mask.any(axis=other)) for other in ((1, 2), (0, 2), (0, 1)))
    cut = mask[z[0] : z[-1] + 1, y[0] : y[-1] + 1, x[0] : x[-1] + 1]
    room = ((0, 0), (_ROOM, _ROOM), (_ROOM, _ROOM))
    return (int(z[0]), int(y[0]) - _ROOM, int(x[0]) - _ROOM), np.pad(cut, room)


def _depths_mm(mask: NDArray[np.bool_], spacing_mm: tuple[float, float]) -> NDArray[np.float32]:
    """How deep each voxel lies inside its slice's outline [mm], negative outside, (z, y, x)."""
    from scipy.ndimage import distance_transform_edt, gaussian_filter

    depths = np.empty(mask.shape, np.float32)
    farthest_mm = float(np.hypot(mask.shape[1] * spacing_mm[0], mask.shape[2] * spacing_mm[1]))
    for number, plane in enumerate(mask):
        if not plane.any():
            depths[number] = -farthest_mm / 4
            continue
        inside = distance_transform_edt(plane, sampling=spacing_mm)
        outside = distance_transform_edt(~plane, sampling=spacing_mm)
        depths[number] = gaussian_filter(inside - outside, _SMOOTHING_VOXELS)
    return depths


def _between_slices(depths: NDArray[np.float32], fine: int) -> NDArray[np.float32]:
    """`fine` layers for every slice, the outer ones like the slice itself, (z * fine, y, x)."""
    count = depths.shape[0]
    at = np.clip((np.arange(count * fine) + 0.5) / fine - 0.5, 0, count - 1)
    below = np.minimum(at.astype(int), max(0, count - 2))
    above = np.minimum(below + 1, count - 1)
    share = (at - below).astype(np.float32)[:, None, None]
    layers: NDArray[np.float32] = depths[below] * (1 - share) + depths[above] * share
    return layers


def _level_of_volume(depth: NDArray[np.float32], voxels: int) -> float:
    """The depth [mm] that exactly as many voxels exceed as the structure has."""
    flat = depth.ravel()
    rank = min(max(flat.size - voxels, 0), flat.size - 1)
    return float(np.partition(flat, rank)[rank])


def _isosurface(depth: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Vertices (n, 3) in voxels (x, y, z) and faces (m, 3) where the depth is zero."""
    from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
    from vtkmodules.vtkCommonDataModel import vtkImageData
    from vtkmodules.vtkFiltersCore import vtkFlyingEdges3D, vtkWindowedSincPolyDataFilter

    # one layer of outside all round: the ends are capped half a layer beyond the last
    closed = np.pad(depth, 1, constant_values=-1.0)
    closed[1:-1, 1:-1, 1:-1] = np.clip(depth, -1.0, 1.0)  # flat caps: deep voxels pull no further
    image = vtkImageData()
    image.SetDimensions(closed.shape[2], closed.shape[1], closed.shape[0])
    image.GetPointData().SetScalars(numpy_to_vtk(closed.ravel(), deep=True))  # type: ignore[no-untyped-call]
    edges = vtkFlyingEdges3D()
    edges.SetInputData(image)
    edges.SetValue(0, 0.0)
    edges.ComputeNormalsOff()
    edges.ComputeScalarsOff()
    smooth = vtkWindowedSincPolyDataFilter()
    smooth.SetInputConnection(edges.GetOutputPort())
    smooth.SetNumberOfIterations(_SMOOTHING_STEPS)
    smooth.SetPassBand(_PASS_BAND)
    smooth.NormalizeCoordinatesOn()
    smooth.BoundarySmoothingOff()
    smooth.Update()
    mesh = smooth.GetOutput()
    vertices = vtk_to_numpy(mesh.GetPoints().GetData()).astype(np.float64) - 1.0  # type: ignore[no-untyped-call]
    faces = vtk_to_numpy(mesh.GetPolys().GetConnectivityArray()).reshape(-1, 3)  # type: ignore[no-untyped-call]
    return vertices, faces.astype(np.int64)
