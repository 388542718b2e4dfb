"""Surfaces as bytes of the plain formats: STL, PLY, OBJ. Little endian, float32, triangles."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from engine.drawing.rendering import Triangles

MADE_BY = "HeartSeg"
"""Stands near the start of every file, so that our own can be told from others."""

_STL_HEADER = 80  # bytes, by the format
_GREY = "#b0b0b0"


class MeshFormat(StrEnum):
    """A format, by the ending of its files."""

    STL = "stl"
    PLY = "ply"
    OBJ = "obj"
    GLB = "glb"
    VTP = "vtp"


class Axes(StrEnum):
    """Along what the coordinates of a file run; the text stands in the file."""

    PATIENT = "SPACE=RAS"
    """Right, anterior, superior [mm], in the words that 3D Slicer reads."""
    IMAGE = "axes of the image"
    """[mm] along the axes of an image of which nothing else is known."""
    PRINTER = "axes of the printer, z up"
    """[mm], the plate on z = 0."""


@dataclass(frozen=True, slots=True, eq=False)
class NamedSurface:
    """A surface in a file that holds several.

    Attributes:
        name: As other programs show it: `rv`, `lv`.
        surface: What is written.
        colour: As #rrggbb.
        opacity: 0 to 1, in formats that know it.
        values: By name, a number for every vertex, (n,), in formats that hold them: VTP, PLY.
    """

    name: str
    surface: Triangles = field(repr=False)
    colour: str = _GREY
    opacity: float = 1.0
    values: Mapping[str, NDArray[np.float32]] = field(default_factory=dict, repr=False)


def rgb_of(colour: str) -> tuple[int, int, int]:
    """The parts, 0 to 255, of a colour that is written as #rrggbb."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return red, green, blue


def stl_bytes(surface: Triangles, *, axes: Axes = Axes.PATIENT) -> bytes:
    """The surface as binary STL [mm]; its normals follow from the corners."""
    corners = surface.vertices_mm.astype(np.float64)[surface.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    normals /= np.where(lengths > 0, lengths, 1.0)
    facets = np.zeros(
        len(surface.faces), [("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("of", "<u2")]
    )
    facets["normal"], facets["corners"] = normals, corners
    header = f"{MADE_BY} {axes} unit mm".encode("ascii").ljust(_STL_HEADER)
    return header + struct.pack("<I", len(facets)) + facets.tobytes()


def ply_bytes(part: NamedSurface, *, axes: Axes = Axes.PATIENT) -> bytes:
    """The part as PLY 1.0 [mm]: every vertex with its colour and its values."""
    surface = part.surface
    count = len(surface.vertices_mm)
    named = "".join(f"property float {name}\n" for name in part.values)
    header = (
        "ply\nformat binary_little_endian 1.0\n"
        f"comment made by {MADE_BY}\ncomment {axes}\ncomment unit mm\n"
        f"element vertex {count}\n"
        "property float x\nproperty float y\nproperty float z\n"
        "property uchar red\nproperty uchar green\nproperty uchar blue\n"
        f"{named}"
        f"element face {len(surface.faces)}\n"
        "property list uchar int vertex_indices\nend_header\n"
    )
    columns = [("at", "<f4", 3), ("colour", "u1", 3), *((name, "<f4") for name in part.values)]
    vertices = np.zeros(count, columns)
    vertices["at"], vertices["colour"] = surface.vertices_mm, rgb_of(part.colour)
    for name, numbers in part.values.items():
        vertices[name] = numbers
    faces = np.zeros(len(surface.faces), [("corners", "u1"), ("of", "<i4", 3)])
    faces["corners"], faces["of"] = 3, surface.faces
    return header.encode("ascii") + bytes(vertices.tobytes()) + faces.tobytes()


def obj_bytes(parts: Sequence[NamedSurface], *, materials: str, axes: Axes = Axes.PATIENT) -> bytes:
    """The parts as Wavefront OBJ [mm], an object each, painted by a material of its name.

    Args:
        parts: What is written.
        materials: Name of the file that holds `mtl_bytes` of the same parts.
        axes: Of the coordinates.
    """
    lines = [f"# made by {MADE_BY}", f"# {axes}", "# unit mm", f"mtllib {materials}"]
    before = 1  # OBJ counts from 1, through all objects
    for part in parts:
        corners = part.surface.faces + before
        before += len(part.surface.vertices_mm)
        lines += [f"o {part.name}"]
        lines += [f"v {x:.4f} {y:.4f} {z:.4f}" for x, y, z in part.surface.vertices_mm.tolist()]
        lines += [f"usemtl {part.name}"]
        lines += [f"f {a} {b} {c}" for a, b, c in corners.tolist()]
    return ("\n".join(lines) + "\n").encode("ascii")


def mtl_bytes(parts: Sequence[NamedSurface]) -> bytes:
    """The materials of an OBJ file: each part's colour and opacity, a soft gloss."""
    lines = [f"# made by {MADE_BY}"]
    for part in parts:
        red, green, blue = (value / 255 for value in rgb_of(part.colour))
        lines += [
            f"newmtl {part.name}",
            f"Kd {red:.4f} {green:.4f} {blue:.4f}",
            "Ks 0.1 0.1 0.1",
            "Ns 30",
            f"d {part.opacity:g}",
            "illum 2",
        ]
    return ("\n".join(lines) + "\n").encode("ascii")
