"""Surfaces as one GLB file (glTF 2.0, Khronos 2017): named, coloured, and beating if wished.

The standard fixes unit and axes: metres, y up, the front facing z. So the patient stands upright
and looks at the viewer: right, anterior, superior [mm] become -x, z, y [m].
"""

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.drawing.rendering import vertex_normals
from engine.mesh.formats import MADE_BY, NamedSurface, rgb_of

_TO_GLTF = np.array([[-1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
_M_PER_MM = 1e-3
_FLOAT, _UINT16, _UINT32 = 5126, 5123, 5125  # component types
_VERTICES, _INDICES = 34962, 34963  # what a buffer view is for
_MOST_UINT16 = 65535  # 65535 itself is kept for restarts
_JSON_CHUNK, _BIN_CHUNK = 0x4E4F534A, 0x004E4942
_ROUGHNESS = 0.55


@dataclass(slots=True)
class _File:
    """A glTF document while it is put together."""

    body: bytearray = field(default_factory=bytearray)
    views: list[dict[str, int]] = field(default_factory=list)
    accessors: list[dict[str, Any]] = field(default_factory=list)
    materials: list[dict[str, Any]] = field(default_factory=list)
    meshes: list[dict[str, Any]] = field(default_factory=list)
    nodes: list[dict[str, Any]] = field(default_factory=list)
    animations: list[dict[str, Any]] = field(default_factory=list)

    def add_numbers(self, numbers: NDArray[Any], kind: str, target: int | None = None) -> int:
        """The number of a new accessor of float32, uint16 or uint32; `kind` as glTF names it."""
        components = {"f": _FLOAT, "u2": _UINT16, "u4": _UINT32}
        code = numbers.dtype.str[1:]
        view = {"buffer": 0, "byteOffset": len(self.body), "byteLength": numbers.nbytes}
        self.views.append(view if target is None else {**view, "target": target})
        self.body += np.ascontiguousarray(numbers).tobytes()
        self.body += b"\0" * (-len(self.body) % 4)
        accessor: dict[str, Any] = {
            "bufferView": len(self.views) - 1,
            "componentType": components["f" if code == "f4" else code],
            "count": len(numbers),
            "type": kind,
        }
        if code == "f4":
            flat = numbers.reshape(len(numbers), -1)
            accessor["min"], accessor["max"] = flat.min(axis=0).tolist(), flat.max(axis=0).tolist()
        self.accessors.append(accessor)
        return len(self.accessors) - 1

    def add_material(self, part: NamedSurface) -> int:
        """The number of the part's material, one a name and colour."""
        material: dict[str, Any] = {
            "name": part.name,
            "pbrMetallicRoughness": {
                "baseColorFactor": [*_linear(part.colour), part.opacity],
                "metallicFactor": 0.0,
                "roughnessFactor": _ROUGHNESS,
            },
        }
        if part.opacity < 1:
            material["alphaMode"] = "BLEND"
        if material not in self.materials:
            self.materials.append(material)
        return self.materials.index(material)

    def add_part(self, part: NamedSurface, name: str) -> int:
        """The number of a new node that shows the part."""
        surface = part.surface
        at = surface.vertices_mm.astype(np.float64) @ _TO_GLTF.T * _M_PER_MM
        small = len(at) <= _MOST_UINT16
        corners = surface.faces.astype("<u2" if small else "<u4").ravel()
        primitive = {
            "attributes": {
                "POSITION": self.add_numbers(at.astype("<f4"), "VEC3", _VERTICES),
                "NORMAL": self.add_numbers(_normals(part), "VEC3", _VERTICES),
            },
            "indices": self.add_numbers(corners, "SCALAR", _INDICES),
            "material": self.add_material(part),
        }
        self.meshes.append({"name": name, "primitives": [primitive]})
        self.nodes.append({"name": name, "mesh": len(self.meshes) - 1})
        return len(self.nodes) - 1

    def as_bytes(self, roots: list[int], title: str) -> bytes:
        """The whole file."""
        document: dict[str, Any] = {
            "asset": {"version": "2.0", "generator": MADE_BY, "extras": {"unit": "m"}},
            "scene": 0,
            "scenes": [{"name": title, "nodes": roots}],
            "nodes": self.nodes,
            "meshes": self.meshes,
            "materials": self.materials,
            "accessors": self.accessors,
            "bufferViews": self.views,
            "buffers": [{"byteLength": len(self.body)}],
        }
        if self.animations:
            document["animations"] = self.animations
        text = json.dumps(document, separators=(",", ":"), allow_nan=False).encode("utf-8")
        text += b" " * (-len(text) % 4)
        chunks = struct.pack("<II", len(text), _JSON_CHUNK) + text
        chunks += struct.pack("<II", len(self.body), _BIN_CHUNK) + bytes(self.body)
        return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


def glb_bytes(parts: Sequence[NamedSurface], *, title: str = "heart") -> bytes:
    """The parts as one file, a node each, named and coloured as they are.

    Args:
        parts: At least one; each with faces.
        title: Name of the scene.
    """
    file = _File()
    return file.as_bytes([file.add_part(part, part.name) for part in parts], title)


def beating_glb_bytes(
    phases: Sequence[Sequence[NamedSurface]], times_s: Sequence[float], *, title: str = "heart"
) -> bytes:
    """The parts of every phase as one file with an animation, which viewers play in a loop.

    Surfaces of two phases have other triangles each, so that none can be bent into the next.
    Instead each phase is a node that is there, at scale 1, for its time, and else at scale 0,
    where nothing of it is drawn (glTF 2.0, 5.25.6). Without animation the first phase is seen.

    Args:
        phases: At least two, each with at least one part.
        times_s: When each begins [s], from 0 and rising; and last when the beat ends, so one
            more than there are phases.
        title: Name of the scene.
    """
    file = _File()
    count, digits = len(phases), len(str(len(phases)))
    roots = []
    for number, parts in enumerate(phases):
        mark = f"{number + 1:0{digits}d}"
        children = [file.add_part(part, f"{part.name} {mark}") for part in parts]
        node: dict[str, Any] = {"name": f"phase {mark}", "children": children}
        if number > 0:
            node["scale"] = [0.0, 0.0, 0.0]
        file.nodes.append(node)
        roots.append(len(file.nodes) - 1)
    clock = file.add_numbers(np.asarray(times_s, "<f4"), "SCALAR")
    samplers, channels = [], []
    for number, root in enumerate(roots):
        there = np.zeros((count + 1, 3), "<f4")
        there[number] = 1.0
        there[count] = 1.0 if number == count - 1 else 0.0  # at its end the last one still stands
        samplers.append(
            {"input": clock, "interpolation": "STEP", "output": file.add_numbers(there, "VEC3")}
        )
        channels.append({"sampler": number, "target": {"node": root, "path": "scale"}})
    file.animations.append({"name": "beat", "samplers": samplers, "channels": channels})
    return file.as_bytes(roots, title)


def _normals(part: NamedSurface) -> NDArray[np.float32]:
    """Unit vectors outwards in glTF's axes, (n, 3); what belongs to no triangle looks up."""
    normals = vertex_normals(part.surface) @ _TO_GLTF.T
    lost = np.linalg.norm(normals, axis=1) < 0.5
    normals[lost] = (0.0, 1.0, 0.0)
    small: NDArray[np.float32] = normals.astype("<f4")
    return small


def _linear(colour: str) -> list[float]:
    """The linear parts, 0 to 1, of an sRGB colour (IEC 61966-2-1), as glTF wants them."""
    parts = np.array(rgb_of(colour)) / 255
    straight = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return [round(float(part), 5) for part in straight]
