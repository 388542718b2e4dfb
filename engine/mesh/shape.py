"""The shape of a structure as depth fields, from the labels of a stack."""

from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engine.geometry import Geometry
from engine.mesh.depth import DepthField, Depths, depths_mm, distance_mm
from engine.mesh.layers import End, Stack, runs_of
from engine.structures import Structure

_ROOM = 4  # voxels round a structure in plane
_STEP_MM = 1.2  # finer pixels are thinned out after they have been smoothed
_SMOOTHING_PIXELS = 1.2
_REACH_MM = 12.0  # of depths in plane: outlines of two slices may lie twice as far apart
_REACH_STEPS = 4  # of depths in space
_LAYER_STEPS = 1.6  # how much thicker than a step in plane a layer may be
_THINNEST_STEPS = 1.02  # of a closed wall in plane
_OVERLAP_STEPS = 0.25  # by which a hole stays inside the outline of the layers beside it
_THIN_PART = 5  # percentile of a wall's thickness that its cut is rounded by

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """A structure between slices: what it fills, its hole and where its labels end.

    Attributes:
        filled: How deep points lie inside the outline, its hole included.
        hole: How deep they lie inside the hole of a wall, (z, y, x) [mm]; None where there is none.
        across: The same as `filled`, going on across the ends, (z, y, x) [mm].
        uncut: The same, going on across the flat ends only, (z, y, x) [mm].
        hole_bound: How deep the hole's points may lie at most when the outline lies at 0, so that
            it does not pierce the wall, (z, y, x) [mm]; None where nothing bounds it.
        filled_voxels: How many voxels the structure and its hole have together.
        voxels: How many of them are the structure's own.
        stack: The layers of the grid; None where slices lie so close that there are none.
        ends: Where the labels end.
    """

    filled: DepthField
    hole: Depths | None = field(repr=False)
    across: Depths = field(repr=False)
    uncut: Depths = field(repr=False)
    hole_bound: Depths | None = field(repr=False)
    filled_voxels: int
    voxels: int
    stack: Stack | None = None
    ends: tuple[End, ...] = ()

    def depth(self, filled_mm: float, hole_mm: float) -> DepthField:
        """The structure when its outline lies at one depth [mm] and its hole's at another."""
        if self.hole is None:
            return replace(self.filled, depth_mm=self.filled.depth_mm - np.float32(filled_mm))
        within = self.uncut - np.float32(filled_mm)
        beside = np.float32(hole_mm) - self.hole
        if self.hole_bound is not None:
            np.maximum(beside, np.float32(filled_mm) - self.hole_bound, out=beside)
        depth = np.minimum(within, beside)
        for end in self.ends:
            if end.flat and self.stack is not None:
                self.stack.close(depth, end)
        return replace(self.filled, depth_mm=depth, sides=(within, beside))

    def to_end_mm(self, layers: NDArray[np.float64]) -> NDArray[np.float64]:
        """How far places lie from the nearest plane where the labels end, (n,) [mm].

        Args:
            layers: The places, as layers of the grid, (n,).
        """
        away = np.full(len(layers), np.inf)
        for end in self.ends:
            if end.flat and self.stack is not None:
                inside_mm = self.stack.inside_mm(end)
                across_mm = np.interp(layers, np.arange(len(inside_mm)), inside_mm)
                np.minimum(away, np.abs(across_mm), out=away)
        return away


@dataclass(frozen=True, slots=True, eq=False)
class _Outlines:
    """Masks of a structure's part of the grid, with room in plane; (z, y, x)."""

    filled: Mask = field(repr=False)
    hole: Mask | None = field(repr=False)
    closed: NDArray[np.bool_] = field(repr=False)  # of each slice: whether the wall is a ring
    start: tuple[int, int, int]


def shape_of(labels: NDArray[np.uint8], geometry: Geometry, structure: Structure) -> Shape | None:
    """The shape of a structure in one phase.

    Args:
        labels: (z, y, x).
        geometry: Their grid.
        structure: Whose; the myocardium is a wall round a hole, everything else is filled.

    Returns:
        None where there is nothing of it.
    """
    mask = labels == structure
    if not mask.any():
        return None
    outlines = _outlines(labels, mask, structure)
    voxels = int(np.count_nonzero(mask))
    in_plane_mm = max(
        stride * mm for stride, mm in zip(_strides(geometry), geometry.spacing_mm[1:], strict=True)
    )
    layers = max(1, round(geometry.spacing_mm[0] / (_LAYER_STEPS * in_plane_mm)))
    if layers == 1:
        return _shape_in_space(outlines, geometry, voxels)
    return _shape_of_slices(outlines, geometry, layers, voxels)


def _outlines(labels: NDArray[np.uint8], mask: Mask, structure: Structure) -> _Outlines:
    """Cut out a structure; of the myocardium what it encloses as well."""
    plane = np.logical_or.reduce(mask, axis=0)
    z, y, x = (np.flatnonzero(at) for at in (mask.any(axis=(1, 2)), plane.any(1), plane.any(0)))
    box = tuple(slice(int(at[0]), int(at[-1]) + 1) for at in (z, y, x))
    start = (int(z[0]), int(y[0]) - _ROOM, int(x[0]) - _ROOM)
    room = ((0, 0), (_ROOM, _ROOM), (_ROOM, _ROOM))
    mask = np.pad(mask[box], room)
    if structure != Structure.MYOCARDIUM:
        return _Outlines(mask, None, np.zeros(len(mask), bool), start)
    blood = np.pad(labels[box] == Structure.LV, room)
    return _wall_outlines(mask, blood, start)


def _wall_outlines(muscle: Mask, blood: Mask, start: tuple[int, int, int]) -> _Outlines:
    """The wall as what its outside encloses, and the hole.

    Where the ring is open, as at the outflow tract, the hole goes on through the gap: it takes all
    that lies nearer to the blood than to the muscle. So no film closes the gap.
    """
    closed: NDArray[np.bool_] = np.logical_or.reduce(muscle, axis=(1, 2))
    blood = blood & closed[:, None, None]
    filled = _without_holes(muscle | blood)
    hole = filled & ~muscle
    grown = hole.copy()
    for low, high in ((slice(1, None), slice(-1)), (slice(-1), slice(1, None))):
        grown[:, low] |= hole[:, high]
        grown[..., low] |= hole[..., high]
    for number in np.flatnonzero((grown & ~filled).any(axis=(1, 2))):
        closed[number] = False
        reach = float(_REACH_MM)
        to_blood = distance_mm(~hole[number], (1.0, 1.0), reach)
        to_muscle = distance_mm(~muscle[number], (1.0, 1.0), reach)
        hole[number] |= ~filled[number] & (to_blood < to_muscle)
    return _Outlines(filled, hole, closed, start)


def _without_holes(mask: Mask) -> Mask:
    """The mask (z, y, x) with what each slice encloses; nothing of it lies in a slice's corner."""
    from scipy.ndimage import label

    beside = np.zeros((3, 3, 3), bool)
    beside[1, :, 1] = beside[1, 1, :] = True  # slices are nobody's neighbours
    parts, _ = label(~mask, beside)
    filled: Mask = parts != parts[:, :1, :1]
    return filled


def _shape_of_slices(outlines: _Outlines, geometry: Geometry, layers: int, voxels: int) -> Shape:
    """By interpolation between the outlines of the slices."""
    stack = Stack(len(outlines.filled), layers, geometry.spacing_mm[0])
    areas = np.count_nonzero(outlines.filled, axis=(1, 2))
    runs = runs_of(areas > 0)
    depths = _smooth_depths(outlines.filled, geometry)
    row, column = _strides(geometry)
    step = (1 / layers, float(row), float(column))
    spacing_mm = _spacing_mm(geometry, step)
    across = stack.between(depths, runs, elsewhere_mm=-_REACH_MM)
    ends = [end for run in runs for end in run.ends(areas, depths, stack.slice_mm)]
    hole = bound = None
    if outlines.hole is not None and outlines.hole.any():
        hole_depths = _smooth_depths(outlines.hole, geometry)
        ends = [_cut(end, outlines, depths, hole_depths, (row, column)) for end in ends]
        edges = {end.edge for end in ends}
        hole = _hole_layers(stack, outlines.hole, hole_depths, edges)
        bound = _hole_bound(across, stack.where_all(outlines.closed), max(spacing_mm[1:]))
    uncut = across.copy()
    for end in ends:
        if not end.flat:
            stack.close(uncut, end)
    filled = uncut.copy()
    for end in ends:
        if end.flat:
            stack.close(filled, end)
    first = _first(outlines, stack.at[0])
    field = DepthField(filled, first, step, spacing_mm)
    enclosed = int(np.count_nonzero(outlines.filled))
    return Shape(field, hole, across, uncut, bound, enclosed, voxels, stack, tuple(ends))


def _cut(
    end: End, outlines: _Outlines, depths: Depths, hole: Depths, strides: tuple[int, int]
) -> End:
    """The end of a wall: as of anything else, or where the hole goes on through it, a cut."""
    assert outlines.hole is not None
    if not outlines.hole[end.outer].any():
        return end
    ring = outlines.filled[end.outer] & ~outlines.hole[end.outer]
    row, column = strides
    thickness_mm = (depths[end.outer] - hole[end.outer])[ring[::row, ::column]]
    return end.cut_through(float(np.percentile(thickness_mm, _THIN_PART)))


def _hole_layers(stack: Stack, mask: Mask, depths: Depths, open_edges: set[int]) -> Depths:
    """The hole of a wall: closed where it ends inside the wall, open where the wall ends too."""
    areas = np.count_nonzero(mask, axis=(1, 2))
    runs = runs_of(areas > 0)
    layers = stack.between(depths, runs, elsewhere_mm=-_REACH_MM)
    for run in runs:
        for end in run.ends(areas, depths, stack.slice_mm):
            if end.edge not in open_edges:
                stack.close(layers, end)
    return layers


def _hole_bound(across: Depths, closed: NDArray[np.bool_], step_mm: float) -> Depths:
    """How deep a hole may be so that points inside and outside a wall are never neighbours.

    Neighbours are the six next points of the grid: in a layer the wall is thicker than a step, and
    no point of the hole lies over one outside the wall.

    Args:
        across: Depths inside the outline, (z, y, x) [mm].
        closed: Where the wall is a ring, (z,).
        step_mm: How far points lie apart in a layer.
    """
    bound = across - np.float32(_THINNEST_STEPS * step_mm)
    over = across - np.float32(_OVERLAP_STEPS * step_mm)
    np.minimum(bound[1:], over[:-1], out=bound[1:], where=closed[:-1, None, None])
    np.minimum(bound[:-1], over[1:], out=bound[:-1], where=closed[1:, None, None])
    bound[~closed] = np.inf
    return bound


def _shape_in_space(outlines: _Outlines, geometry: Geometry, voxels: int) -> Shape:
    """By distances in all three directions, where slices lie as close as pixels."""
    room = _REACH_STEPS
    row, column = _strides(geometry)

    def depths(mask: Mask, *, goes_on: bool) -> Depths:
        ends = ((room, room), (0, 0), (0, 0))
        padded = np.pad(mask, ends, mode="edge") if goes_on else np.pad(mask, ends)
        return _smooth_depths(padded, geometry, in_space=True)

    filled = depths(outlines.filled, goes_on=False)
    step = (1.0, float(row), float(column))
    field = DepthField(filled, _first(outlines, -room), step, _spacing_mm(geometry, step))
    hole = bound = None
    across = filled
    if outlines.hole is not None and outlines.hole.any():
        hole = depths(outlines.hole, goes_on=True)
        across = depths(outlines.filled, goes_on=True)
        closed = np.pad(outlines.closed, room)
        bound = _hole_bound(across, closed, max(field.spacing_mm))
    enclosed = int(np.count_nonzero(outlines.filled))
    return Shape(field, hole, across, filled, bound, enclosed, voxels)


def _smooth_depths(mask: Mask, geometry: Geometry, *, in_space: bool = False) -> Depths:
    """Depths without the steps of the pixels, on the rows and columns of the grid.

    Args:
        mask: (z, y, x) voxels.
        geometry: Their grid.
        in_space: Whether distances are measured across slices too.

    Returns:
        (z, y, x) [mm], thinned out in plane.
    """
    if in_space:
        depth = depths_mm(mask, geometry.spacing_mm, _REACH_STEPS * max(geometry.spacing_mm))
        depth = np.tensordot(_blur(len(mask), 1), depth, axes=(1, 0))
    else:
        depth = depths_mm(mask, geometry.spacing_mm[1:], _REACH_MM)
    row, column = _strides(geometry)
    smooth = _blur(mask.shape[1], row) @ depth @ _blur(mask.shape[2], column).T
    return np.asarray(smooth, np.float32)


@lru_cache(maxsize=128)
def _blur(count: int, stride: int) -> Depths:
    """What each point of a row adds to every so many of them when it is smoothed by a Gaussian.

    A product of matrices is several times as quick as a convolution that goes on at the ends.

    Args:
        count: Points in the row.
        stride: Every so many are wanted; what is thinned out is smoothed more.

    Returns:
        (wanted, count); rows add up to 1.
    """
    from scipy.ndimage import gaussian_filter1d

    weights = gaussian_filter1d(np.eye(count), _SMOOTHING_PIXELS * max(1.0, 0.8 * stride), axis=0)
    wanted: Depths = weights[::stride].astype(np.float32)
    wanted.setflags(write=False)
    return wanted


def _strides(geometry: Geometry) -> tuple[int, int]:
    """How many pixels (y, x) lie in a step of the grid: fine ones are thinned out."""
    row, column = (max(1, round(_STEP_MM / pixel_mm)) for pixel_mm in geometry.spacing_mm[1:])
    return row, column


def _first(outlines: _Outlines, layer: float) -> tuple[float, float, float]:
    """Where a grid begins whose first layer lies so many slices above the first slice."""
    z, y, x = outlines.start
    return z + layer, float(y), float(x)


def _spacing_mm(geometry: Geometry, step: tuple[float, float, float]) -> tuple[float, float, float]:
    z, y, x = (n * mm for n, mm in zip(step, geometry.spacing_mm, strict=True))
    return z, y, x
