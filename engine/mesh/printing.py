"""Bodies for a 3-D printer: hollow, on a base plate, with walls that a printer can make.

What is asked of the body is done to its depth field, before there are triangles: walls grow, base
and plate are cut, cavities are opened. The surface of the field is closed and manifold then.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import UnmeasurableError
from engine.geometry import Geometry
from engine.mesh.block import Block
from engine.mesh.contouring import contour, isosurface
from engine.mesh.depth import Depths, distance_mm
from engine.mesh.heart_axes import heart_axes
from engine.mesh.shaping import solid
from engine.mesh.surface import Surface
from engine.progress import Progress, Steps
from engine.structures import ALL_STRUCTURES, Structure

_CAVITIES = (Structure.LV, Structure.RV, Structure.LEFT_ATRIUM)
_OPENING_SHARE = 0.5  # of its largest section: a part opens where its end has become so wide
_ATRIUM_OPENING_SHARE = 0.25  # its lower end is round
_SPARE = 0.2  # of a step, that walls are made thicker: their sides lie between points
_NOTHING_MM = 1e-3  # rounding: distances end at their reach
_ABOVE_END_MM = 1.5  # caps are rounded: what goes on straight is taken this far inside


@dataclass(frozen=True, slots=True)
class PrintPreset:
    """What a body for the printer has to be like.

    Attributes:
        wall_mm: No wall round a cavity is thinner.
        plate_mm: Thickness of the base plate; 0 for none.
        margin_mm: How far the plate reaches beyond the body.
        step_mm: Of the grid that the body is made on, at most; a wall takes two steps.
    """

    wall_mm: float = 1.5
    plate_mm: float = 3.0
    margin_mm: float = 4.0
    step_mm: float = 0.75

    @property
    def grid_mm(self) -> float:
        """The step, finer where the walls ask for it [mm]."""
        return min(self.step_mm, self.wall_mm / 2)


@dataclass(frozen=True, slots=True, eq=False)
class PrintBody:
    """A body as it stands on the printer's plate: z is up, from the base to the apex.

    Attributes:
        name: `heart`, `myocardium`, `rv` or `left_atrium`.
        surface: In the printer's coordinates [mm]; the lowest point is z = 0.
        thinnest_mm: The thinnest wall round its cavities, as measured on the surface.
    """

    name: str
    surface: Surface = field(repr=False)
    thinnest_mm: float

    @property
    def file_name(self) -> str:
        """Without an ending; beside the files of the structures themselves."""
        return f"print_{self.name}"

    @property
    def size_mm(self) -> tuple[float, float, float]:
        """Width, depth and height."""
        x, y, z = np.ptp(self.surface.vertices_mm, axis=0)
        return float(x), float(y), float(z)


def print_bodies(
    labels: NDArray[np.uint8], geometry: Geometry, preset: PrintPreset = PrintPreset()
) -> Steps[list[PrintBody]]:
    """The bodies of one phase: the whole heart, and each of its parts by itself.

    The myocardium is hollow; the right ventricle and the left atrium, of which the labels know the
    blood only, get a wall of the preset's thickness. Each cavity is open through the plate, so that
    neither powder nor resin stays inside. Between the labels' end and the plate the outlines go on
    straight.

    Args:
        labels: (z, y, x).
        geometry: Their grid.
        preset: What the bodies have to be like.

    Raises:
        UnmeasurableError: Nothing is labelled.
    """
    yield Progress(0, 0, "Shapes for the printer")
    solids = {
        structure: made
        for structure in ALL_STRUCTURES
        if (made := solid(labels, geometry, structure)) is not None
    }
    if not solids:
        raise UnmeasurableError(
            "Nothing is labelled in this phase, so there is nothing to print.",
            hint="Choose another phase, or predict or draw the heart first.",
        )
    wall_mm = preset.wall_mm + _SPARE * preset.grid_mm
    room_mm = wall_mm + preset.margin_mm + 2 * preset.grid_mm
    block = Block.around(
        labels, geometry, _upwards(labels, geometry),
        step_mm=preset.grid_mm, room_mm=room_mm, below_mm=preset.plate_mm,
    )  # fmt: skip
    parts: dict[Structure, Depths] = {}
    for number, (structure, made) in enumerate(solids.items()):
        yield Progress(number, 2 * len(solids), "Shapes for the printer")
        is_atrium = structure is Structure.LEFT_ATRIUM
        share = _ATRIUM_OPENING_SHARE if is_atrium else _OPENING_SHARE
        part = _down_to_the_plate(_largest(block.sample(made, geometry)), block, share)
        if structure in _CAVITIES:
            part = _in_space(part, block.step_mm, wall_mm)
        parts[structure] = part
    bodies = []
    wanted = _bodies_of(parts)
    for number, (name, structures) in enumerate(wanted.items()):
        yield Progress(len(wanted) + number, 2 * len(wanted), f"Print of the {name}")
        bodies.append(_body(name, {one: parts[one] for one in structures}, block, preset, wall_mm))
    return bodies


def _bodies_of(parts: Mapping[Structure, Depths]) -> dict[str, tuple[Structure, ...]]:
    """What is printed together, by name."""
    left = tuple(one for one in (Structure.MYOCARDIUM, Structure.LV) if one in parts)
    right = tuple(one for one in (Structure.RV,) if one in parts)
    atrium = tuple(one for one in (Structure.LEFT_ATRIUM,) if one in parts)
    named = {
        "heart": left + right if left and right else (),
        "myocardium" if Structure.MYOCARDIUM in parts else "lv": left,
        "rv": right,
        "left_atrium": atrium,
    }
    return {name: structures for name, structures in named.items() if structures}


def _upwards(labels: NDArray[np.uint8], geometry: Geometry) -> NDArray[np.float64]:
    """Across the slices, from the base to the apex; from below to above where that is unknown."""
    normal = geometry.slice_normal
    axes = heart_axes(labels, geometry)
    way = np.array([0.0, 0.0, 1.0]) if axes is None else axes.to_apex
    return normal if normal @ way >= 0 else -normal


def _down_to_the_plate(depth: Depths, block: Block, share: float) -> Depths:
    """The part, going straight down from where it has this share of its largest section."""
    areas = np.count_nonzero(depth > 0, axis=(1, 2))
    lowest = int(np.flatnonzero(areas)[0]) + round(_ABOVE_END_MM / block.step_mm)
    wide = np.flatnonzero(areas >= share * areas.max())
    section = int(wide[wide >= min(lowest, wide[-1])][0])
    depth[:section] = depth[section]
    return depth


def _largest(depth: Depths) -> Depths:
    """The part without what does not hang together with most of it, as specks of labels do."""
    from scipy.ndimage import label

    pieces, count = label(depth > 0)
    if count > 1:
        sizes = np.bincount(pieces.ravel())
        sizes[0] = 0
        depth[(pieces > 0) & (pieces != sizes.argmax())] = depth.min()
    return depth


def _in_space(depth: Depths, step_mm: float, wall_mm: float) -> Depths:
    """A cavity's depths as distances in all directions, as far out as its wall reaches [mm].

    By the distance to the cavity's surface, which is known finer than the grid is: else the outer
    side of a thin wall would show the grid's steps.
    """
    inside_mm, outside_mm = 2 * step_mm, wall_mm + 2 * step_mm
    inner = distance_mm(depth > 0, (step_mm,) * 3, inside_mm)
    outer = distance_mm(depth <= 0, (step_mm,) * 3, outside_mm)
    inside = depth > 0
    near = np.where(inside, inner < inside_mm - _NOTHING_MM, outer < outside_mm - _NOTHING_MM)
    band = np.argwhere(near)
    vertices, _ = isosurface(Block.field_of(depth, step_mm))
    away, _ = _tree(vertices[:, ::-1] * step_mm).query(band * step_mm)
    distance = np.where(inside, np.float32(inside_mm), np.float32(-outside_mm))
    distance[tuple(band.T)] = np.where(inside[tuple(band.T)], away, -away)
    return distance


def _body(
    name: str,
    parts: Mapping[Structure, Depths],
    block: Block,
    preset: PrintPreset,
    wall_mm: float,
) -> PrintBody:
    """One body of the parts; `wall_mm` is that of the preset and what the grid takes away."""
    cavities = _cavities_of(parts, wall_mm)
    solids = [part for structure, part in parts.items() if structure not in _CAVITIES]
    walls = [cavity + np.float32(wall_mm) for cavity in cavities]
    body: Depths = np.maximum.reduce(solids + walls)
    heights = block.heights_mm[:, None, None]
    if preset.plate_mm > 0:
        foot = _foot(body, block.step_mm, preset.margin_mm)
        np.maximum(body, np.minimum(foot, preset.plate_mm - heights), out=body)
    for cavity in cavities:
        np.minimum(body, -cavity, out=body)
    np.minimum(body, heights, out=body)
    surface = _largest_piece(contour(Block.field_of(body, block.step_mm), block.to_printer))
    above_mm = preset.plate_mm + preset.wall_mm
    thinnest = _thinnest_mm(surface, cavities, block, above_mm=above_mm)
    return PrintBody(name, _centred(surface), thinnest)


def _centred(surface: Surface) -> Surface:
    """The surface with the middle of its plate at x = y = 0."""
    middle = (surface.vertices_mm.min(axis=0) + surface.vertices_mm.max(axis=0)) / 2
    middle[2] = 0
    return Surface(surface.vertices_mm - middle, surface.faces)


def _cavities_of(parts: Mapping[Structure, Depths], wall_mm: float) -> list[Depths]:
    """The cavities, each leaving room for the walls of those before it."""
    found: list[Depths] = []
    for structure in (Structure.RV, Structure.LV, Structure.LEFT_ATRIUM):
        if structure in parts:
            room = [-(earlier + np.float32(wall_mm)) for earlier in found]
            found.append(np.minimum.reduce([parts[structure], *room]))
    return found


def _foot(body: Depths, step_mm: float, margin_mm: float) -> Depths:
    """How deep points lie inside the plate's outline, (1, y, x) [mm]: convex, with a margin."""
    from scipy.spatial import ConvexHull

    covered = (body > 0).any(axis=0)
    sides = ConvexHull(np.argwhere(covered) * step_mm).equations  # n . p + d <= 0 inside
    y, x = (np.arange(size) * step_mm for size in covered.shape)
    beyond = np.full(covered.shape, -np.inf)
    for across, along, away in sides:
        np.maximum(beyond, across * y[:, None] + along * x + away, out=beyond)
    foot: Depths = (margin_mm - beyond)[None].astype(np.float32)
    return foot


def _largest_piece(surface: Surface) -> Surface:
    """Without what does not hang together with the body, and with what is closed inside filled."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    count = len(surface.vertices_mm)
    a, b, c = surface.faces.T
    one, other = np.concatenate([a, b]), np.concatenate([b, c])
    graph = coo_array((np.ones(len(one), bool), (one, other)), shape=(count, count))
    pieces, piece = connected_components(graph, directed=False)
    if pieces == 1:
        return surface
    kept = piece == np.bincount(piece[a]).argmax()
    numbers = np.cumsum(kept) - 1
    return Surface(surface.vertices_mm[kept], numbers[surface.faces[kept[a]]])


def _thinnest_mm(
    surface: Surface, cavities: Sequence[Depths], block: Block, *, above_mm: float
) -> float:
    """The shortest way from a cavity's wall to another side of the body.

    Args:
        surface: Of the body, in the printer's coordinates.
        cavities: Depths inside each.
        block: Their grid.
        above_mm: Height above which walls are measured; at the plate's holes there are none.
    """
    vertices = surface.vertices_mm.astype(np.float64)
    shortest = np.inf
    for cavity in cavities:
        sides = contour(Block.field_of(cavity, block.step_mm), block.to_printer).vertices_mm
        on = _tree(sides).query(vertices, distance_upper_bound=block.step_mm)[0] < block.step_mm
        inner = vertices[on & (vertices[:, 2] > above_mm)]
        other = vertices[~on & (vertices[:, 2] > block.step_mm)]
        if len(inner) and len(other):
            shortest = min(shortest, float(_tree(other).query(inner)[0].min()))
    return 0.0 if np.isinf(shortest) else shortest


def _tree(points: NDArray[Any]) -> Any:
    """Points in which the nearest one is looked up, (n, 3)."""
    from scipy.spatial import cKDTree

    # walls that go on straight have points with the same coordinates, which balancing dwells on
    return cKDTree(points, balanced_tree=False, compact_nodes=False)
