"""Simple surfaces of known answer for tests, and a reader independent of the program."""

import numpy as np
from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
from vtkmodules.vtkCommonCore import vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData

from engine.mesh.surface import Surface

_CUBE = np.array([[x, y, z] for z in (0, 1) for y in (0, 1) for x in (0, 1)], np.float32)
_SQUARES = [(0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5)]


def cube(size_mm: float = 10.0, corner_mm: tuple[float, float, float] = (0, 0, 0)) -> Surface:
    """Twelve triangles."""
    faces = [corners for a, b, c, d in _SQUARES for corners in ((a, b, c), (a, c, d))]
    vertices = (_CUBE * size_mm + np.array(corner_mm)).astype(np.float32)
    return Surface(vertices, np.array(faces, np.int64))


def sphere(
    radius_mm: float, middle_mm: tuple[float, float, float] = (0, 0, 0), *, rounds: int = 4
) -> Surface:
    """An octahedron whose triangles were halved and put on a sphere, again and again."""
    vertices = np.concatenate([np.eye(3), -np.eye(3)])
    faces = np.array(
        [(0, 1, 2), (1, 3, 2), (3, 4, 2), (4, 0, 2), (1, 0, 5), (3, 1, 5), (4, 3, 5), (0, 4, 5)]
    )
    for _ in range(rounds):
        edges = np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
        edges, number = np.unique(edges, axis=0, return_inverse=True)
        halves = (len(vertices) + number).reshape(-1, 3)  # of the edges 01, 12, 20
        vertices = np.concatenate([vertices, vertices[edges].mean(axis=1)])
        vertices /= np.linalg.norm(vertices, axis=1, keepdims=True)
        a, b, c = faces.T
        ab, bc, ca = halves.T
        faces = np.concatenate(
            [
                np.stack(three, axis=1)
                for three in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))
            ]
        )
    at = vertices * radius_mm + np.array(middle_mm)
    return Surface(at.astype(np.float32), faces.astype(np.int64))


def joined(*surfaces: Surface) -> Surface:
    """Surfaces as one, their vertices kept apart."""
    before = np.cumsum([0, *(len(one.vertices_mm) for one in surfaces[:-1])])
    vertices = np.concatenate([one.vertices_mm for one in surfaces])
    faces = [one.faces + start for one, start in zip(surfaces, before, strict=True)]
    return Surface(vertices, np.concatenate(faces))


def euler_number(surface: Surface) -> int:
    """Vertices less edges plus triangles: 2 for each ball, 2 less for each handle."""
    edges = np.sort(surface.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    vertices = len(np.unique(surface.faces))
    return vertices - len(np.unique(edges, axis=0)) + len(surface.faces)


def vtk_mesh(surface: Surface) -> vtkPolyData:
    """For VTK's own filters."""
    mesh, points, triangles = vtkPolyData(), vtkPoints(), vtkCellArray()
    points.SetData(numpy_to_vtk(surface.vertices_mm, deep=True))
    triangles.SetData(3, numpy_to_vtkIdTypeArray(surface.faces.ravel(), deep=True))
    mesh.SetPoints(points)
    mesh.SetPolys(triangles)
    return mesh
