"""Surfaces as files that other programs open: PLY (with a colour) and STL, both binary.

Coordinates are right, anterior, superior [mm], which the files say in the way 3D Slicer reads; or
[mm] along the axes of an image of which nothing else is known, which they say as well.
"""

import struct
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.drawing.rendering import Triangles, vertex_normals
from engine.errors import CannotSaveError
from engine.io.atomic_file import write_atomically

_PATIENT, _IMAGE = "SPACE=RAS", "axes of the image"
_ENOUGH = 1e-3  # of a volume
_MOST_STEPS = 20


@dataclass(frozen=True, slots=True, eq=False)
class _Moved:
    vertices_mm: NDArray[np.float32] = field(repr=False)
    faces: NDArray[np.int64] = field(repr=False)


def enclosed_ml(surface: Triangles) -> float:
    """The volume a closed surface encloses [ml], by the divergence theorem."""
    corners = surface.vertices_mm.astype(np.float64)
    corners = (corners - corners.mean(axis=0))[surface.faces]
    return float((corners[:, 0] * np.cross(corners[:, 1], corners[:, 2])).sum() / 6000)


def with_volume(surface: Triangles, volume_ml: float) -> Triangles:
    """The surface moved outwards or inwards, everywhere as far, until it encloses a volume.

    Smoothing shrinks what is thin: of a wall of three voxels by a tenth. The move is a fraction of
    a voxel.

    Args:
        surface: Closed.
        volume_ml: What the voxels hold.
    """
    moved: Triangles = surface
    for _ in range(_MOST_STEPS):
        lacking_ml = volume_ml - enclosed_ml(moved)
        if abs(lacking_ml) <= _ENOUGH * volume_ml:
            break
        corners = moved.vertices_mm.astype(np.float64)[moved.faces]
        across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        area_mm2 = float(np.linalg.norm(across, axis=1).sum() / 2)
        if area_mm2 == 0:  # of a single voxel smoothing leaves a point, which cannot be moved
            break
        step_mm = 1000 * lacking_ml / area_mm2
        vertices = moved.vertices_mm + step_mm * vertex_normals(moved)
        moved = _Moved(vertices.astype(np.float32), moved.faces)
    return moved


def ply_bytes(surface: Triangles, *, colour: str = "#b0b0b0", of_patient: bool = True) -> bytes:
    """The surface as PLY 1.0, little endian, every vertex in one colour; see `write_mesh`."""
    count = len(surface.vertices_mm)
    header = (
        "ply\nformat binary_little_endian 1.0\n"
        f"comment {_PATIENT if of_patient else _IMAGE}\ncomment unit mm\n"
        f"element vertex {count}\n"
        "property float x\nproperty float y\nproperty float z\n"
        "property uchar red\nproperty uchar green\nproperty uchar blue\n"
        f"element face {len(surface.faces)}\n"
        "property list uchar int vertex_indices\nend_header\n"
    )
    vertices = np.zeros(count, [("at", "<f4", 3), ("colour", "u1", 3)])
    vertices["at"] = surface.vertices_mm
    vertices["colour"] = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
    faces = np.zeros(len(surface.faces), [("corners", "u1"), ("of", "<i4", 3)])
    faces["corners"] = 3
    faces["of"] = surface.faces
    return header.encode("ascii") + vertices.tobytes() + faces.tobytes()


def stl_bytes(surface: Triangles, *, of_patient: bool = True) -> bytes:
    """The surface as binary STL; its normals follow from the corners. See `write_mesh`."""
    corners = surface.vertices_mm.astype(np.float64)[surface.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    normals /= np.where(lengths > 0, lengths, 1.0)
    facets = np.zeros(
        len(surface.faces), [("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("of", "<u2")]
    )
    facets["normal"], facets["corners"] = normals, corners
    axes = _PATIENT if of_patient else _IMAGE
    header = f"HeartSeg {axes} unit mm".encode("ascii").ljust(80)
    return header + struct.pack("<I", len(facets)) + facets.tobytes()


def write_mesh(
    surface: Triangles, path: Path, *, colour: str = "#b0b0b0", of_patient: bool = True
) -> None:
    """Write a surface as .ply or .stl.

    Args:
        surface: What is written.
        path: Its ending chooses the format.
        colour: As #rrggbb; STL has none.
        of_patient: Whether its coordinates are the patient's, or along the axes of an image.

    Raises:
        CannotSaveError: The name ends otherwise, or the file cannot be written.
    """
    kind = path.suffix.lower()
    if kind not in (".ply", ".stl"):
        raise CannotSaveError(
            f"A surface cannot be written as {path.name}.",
            hint="Let the name end with .ply or .stl.",
        )
    if kind == ".ply":
        write_atomically(path, ply_bytes(surface, colour=colour, of_patient=of_patient))
    else:
        write_atomically(path, stl_bytes(surface, of_patient=of_patient))
