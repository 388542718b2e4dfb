"""Surfaces of labels that look like a heart and hold what the voxels hold."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.geometry import Geometry
from engine.mesh.contouring import placed, zero_level
from engine.mesh.depth import DepthField, Depths
from engine.mesh.shape import Shape, shape_of
from engine.mesh.surface import Part, Surface
from engine.progress import Progress, Steps
from engine.structures import Structure

_ENOUGH = 0.002  # of the volume
_MOST_TRIES = 12
_WALL_LOSS = 0.002  # of a wall's volume, about, lies between its grid points and its triangles
_LEAST_AREA_MM2 = 1.0

Places = NDArray[np.float64]
Faces = NDArray[np.int64]


def solid(labels: NDArray[np.uint8], geometry: Geometry, structure: Structure) -> DepthField | None:
    """How deep points lie inside a structure in one phase; it ends where that is 0.

    For what is made of a structure before there are triangles, as a body for a printer.

    Args:
        labels: (z, y, x).
        geometry: Their grid.
        structure: Which.

    Returns:
        The depths whose zero level is `surface`; None where there is nothing of the structure.
    """
    shape = shape_of(labels, geometry, structure)
    if shape is None:
        return None
    _, _, depths, _, _ = _fitted(shape)
    return depths


def surface(labels: NDArray[np.uint8], geometry: Geometry, structure: Structure) -> Surface | None:
    """The smooth surface of a structure in one phase.

    Slices lie far apart, so the depths of their outlines are interpolated and smoothed; nothing is
    done to the triangles afterwards. The level is then chosen so that the surface encloses as many
    millilitres as the voxels do: it shows what is reported.

    Args:
        labels: (z, y, x).
        geometry: Their grid.
        structure: What to draw; the myocardium is a wall round a hole that is open at the base.

    Returns:
        Closed, manifold and without folds, its `parts` known; None where there is nothing of it.
    """
    shape = shape_of(labels, geometry, structure)
    if shape is None:
        return None
    at, faces, _, filled_mm, hole_mm = _fitted(shape)
    made = placed(shape.filled.voxel_places(at), faces, geometry.affine)
    return Surface(made.vertices_mm, made.faces, _parts(shape, at, filled_mm, hole_mm))


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


def changed_with(changed: Iterable[Structure]) -> set[Structure]:
    """The structures whose surfaces change where labels of these have changed.

    The cavity bounds the hole of the wall round it, so that the myocardium changes with it.
    """
    found = set(changed)
    return found | {Structure.MYOCARDIUM} if Structure.LV in found else found


def _levels(shape: Shape) -> tuple[float, float]:
    """The depths [mm] of outline and hole that enclose as many grid points as they should."""
    points = 1 / float(np.prod(shape.filled.step))  # that stand for a voxel
    depth = shape.filled.depth_mm
    filled_mm = _level_of(depth, round(shape.filled_voxels * points))
    if shape.hole is None:
        return filled_mm, 0.0
    inside = depth > filled_mm
    wall = shape.voxels * (1 + _WALL_LOSS)
    wanted = int(np.count_nonzero(inside)) - round(wall * points)
    return filled_mm, _level_of(shape.hole[inside], wanted)


def _level_of(depth: Depths, points: int) -> float:
    """The depth [mm] that exactly so many points exceed."""
    flat = depth.ravel()
    rank = min(max(flat.size - max(points, 1), 1), flat.size - 1)
    parted = np.partition(flat, rank)
    return float(parted[:rank].max() + parted[rank]) / 2


def _fitted(shape: Shape) -> tuple[Places, Faces, DepthField, float, float]:
    """The surface that encloses what the voxels hold, its field, and the levels [mm] it has.

    Its vertices are in steps of the field's grid.

    Newton's method: moved outwards everywhere by a little, a surface gains its area times that.
    Where that leads beyond what was tried before, as with a few voxels, the middle is taken.
    """
    filled_mm, hole_mm = _levels(shape)
    step_mm = np.array(shape.filled.spacing_mm[::-1], np.float32)
    wanted_ml = shape.voxels * shape.filled.voxel_ml / float(np.prod(shape.filled.step))
    moved_mm, least_mm, most_mm = 0.0, -np.inf, np.inf  # outwards
    for _ in range(_MOST_TRIES):
        levels_mm = filled_mm - moved_mm, hole_mm + moved_mm
        depths = shape.depth(*levels_mm)
        at, faces = zero_level(depths)
        body = Surface(at.astype(np.float32) * step_mm, faces)
        lacking_ml = wanted_ml - body.volume_ml
        if abs(lacking_ml) <= _ENOUGH * wanted_ml:
            break
        if lacking_ml > 0:
            least_mm = moved_mm
        else:
            most_mm = moved_mm
        moved_mm += 1000 * lacking_ml / max(body.area_mm2, _LEAST_AREA_MM2)
        if not least_mm < moved_mm < most_mm:
            moved_mm = (least_mm + most_mm) / 2
    return at, faces, depths, *levels_mm


def _parts(shape: Shape, at: Places, filled_mm: float, hole_mm: float) -> NDArray[np.uint8]:
    """What each vertex lies on: whatever is zero there, or nearest to it."""
    on_edge = _OnEdges.of(at, shape.across.shape)
    outer = np.abs(on_edge.take(shape.filled.depth_mm) - filled_mm)
    side = np.abs(on_edge.take(shape.across) - filled_mm)
    parts = np.full(len(at), Part.OUTER, np.uint8)
    if shape.hole is not None:
        inner = np.abs(on_edge.take(shape.hole) - hole_mm)
        parts[inner < outer] = Part.INNER
        side = np.minimum(side, inner)
    if shape.stack is None:  # the outline goes on where the labels end
        parts[(outer < side) & (side > min(shape.filled.spacing_mm))] = Part.CAP
    else:
        parts[shape.to_end_mm(at[:, 2]) < side] = Part.CAP
    return parts


@dataclass(frozen=True, slots=True, eq=False)
class _OnEdges:
    """Points on edges of a grid: between which two grid points each lies, and where."""

    lower: NDArray[np.int64] = field(repr=False)
    upper: NDArray[np.int64] = field(repr=False)
    share: NDArray[np.float32] = field(repr=False)

    @classmethod
    def of(cls, at: Places, shape: tuple[int, ...]) -> "_OnEdges":
        """Points (x, y, z), (n, 3), in steps of a grid of `shape`; those outside are moved in."""
        depth, height, width = shape
        inside = np.minimum(np.maximum(at, 0), (width - 1, height - 1, depth - 1))
        lower, upper = np.floor(inside), np.ceil(inside)
        share = (inside - lower) @ np.ones(3)  # two of three are zero
        strides = np.array([1.0, width, height * width])
        first, behind = lower @ strides, upper @ strides
        return cls(first.astype(np.int64), behind.astype(np.int64), share.astype(np.float32))

    def take(self, depth: Depths) -> Depths:
        """The depths at the points, (n,)."""
        flat = depth.reshape(-1)
        low = flat[self.lower]
        found: Depths = low + self.share * (flat[self.upper] - low)
        return found
