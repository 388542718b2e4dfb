"""Which place in the patient lies under a place in the picture; numbers only, no graphics."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from heartseg_gui.views.volume.fog_voxels import drawn_grey, part_inside
from heartseg_gui.views.volume.plane_shapes import shape_mm
from heartseg_gui.views.volume.scene_values import (
    CameraPose,
    ClipBox,
    CuttingPlane,
    DrawnSurface,
    Fog,
    PaneContent,
    Point,
    SceneContent,
    as_point,
)
from heartseg_gui.views.volume.transfer_functions import LAYER_MM, transfer_function

_SEEN_OPACITY = 0.05  # what is thinner is looked through
_FOG_HIT = 0.5  # so much must be hidden by the fog for the eye to rest there
_FOG_STEP_MM = 1.0
_EDGE = 1e-9
_FEWEST_CORNERS = 3

Ray = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Where it starts and where it goes (a unit vector), patient coordinates."""


def ray_through(pose: CameraPose, aspect: float, across: float, down: float) -> Ray:
    """The ray of the eye through a place in a pane.

    Args:
        pose: The camera; it sees without perspective, so all rays are parallel.
        aspect: Width of the pane by its height.
        across: Share of the pane's width, from the left.
        down: Share of the pane's height, from the top.
    """
    to_right, up, back = pose.axes()
    height_mm = 2 * pose.half_height_mm
    start = np.array(pose.position_mm) + height_mm * (
        (across - 0.5) * aspect * to_right + (0.5 - down) * up
    )
    return start, -back


def pick(content: SceneContent, pane: int, ray: Ray) -> Point | None:
    """The first place that the ray meets: on a surface, on a slice or in the fog."""
    shown = content.panes[pane]
    hits = [*_solid_hits(content, shown, ray), *_fog_hits(content, shown.fog, ray)]
    if not hits:
        return None
    start, way = ray
    return as_point(start + min(hits) * way)


def _solid_hits(content: SceneContent, shown: PaneContent, ray: Ray) -> Iterator[float]:
    start, way = ray
    for drawn in shown.surfaces:
        if drawn.opacity >= _SEEN_OPACITY:
            depths = _meet_surface(drawn, ray)
            points = start + depths[:, None] * way
            kept = _is_kept(points, content.clip, content.cut)
            yield from (float(depth) for depth in depths[kept])
    for plane in shown.planes:
        if plane.opacity >= _SEEN_OPACITY:
            depth = _meet_shape(shape_mm(plane, content.clip), ray)
            if depth is not None:
                yield depth


def _is_kept(
    points: NDArray[np.float64], clip: ClipBox | None, cut: CuttingPlane | None
) -> NDArray[np.bool_]:
    """Whether each point (n, 3) is drawn."""
    kept = np.ones(len(points), bool)
    if clip is not None:
        for at, inwards in clip.planes():
            kept &= (points - at) @ np.array(inwards) >= -1e-6
    if cut is not None:
        kept &= (points - cut.point_mm) @ np.array(cut.normal) <= 1e-6
    return kept


def _meet_surface(drawn: DrawnSurface, ray: Ray) -> NDArray[np.float64]:
    """Depths [mm] of all triangles that the ray meets.

    Seen along the ray, a triangle is met where the point lies on the same side of its three edges
    (barycentric coordinates of the same sign).
    """
    start, way = ray
    one = np.cross(way, [1.0, 0.0, 0.0] if abs(way[0]) < 0.9 else [0.0, 1.0, 0.0])
    one /= np.linalg.norm(one)
    seen = (drawn.surface.vertices_mm - start) @ np.stack([one, np.cross(way, one), way], axis=1)
    around = drawn.surface.faces
    for part in (0, 1):  # the ray is at 0; few triangles have corners on both sides of it
        over = seen[:, part] > 0
        first = over[around[:, 0]]
        around = around[(over[around[:, 1]] != first) | (over[around[:, 2]] != first)]
    a, b, c = (seen[around[:, corner], :2] for corner in range(3))
    sides = np.stack([_side(b, c), _side(c, a), _side(a, b)], axis=1)
    area = sides.sum(axis=1)
    met = ((sides >= 0).all(axis=1) | (sides <= 0).all(axis=1)) & (np.abs(area) > _EDGE)
    depth = seen[:, 2][around[met]]
    found: NDArray[np.float64] = (sides[met] * depth).sum(axis=1) / area[met]
    return found[found > 0]


def _side(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    crossed: NDArray[np.float64] = one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]
    return crossed


def _meet_shape(shape: NDArray[np.float64], ray: Ray) -> float | None:
    """Depth [mm] at which the ray meets a flat convex shape (n, 3)."""
    if len(shape) < _FEWEST_CORNERS:
        return None
    start, way = ray
    edges = np.roll(shape, -1, axis=0) - shape
    normal = np.cross(shape, np.roll(shape, -1, axis=0)).sum(axis=0)
    normal = normal / max(float(np.linalg.norm(normal)), _EDGE)
    if abs(way @ normal) < _EDGE:  # seen from the edge
        return None
    depth = float((shape[0] - start) @ normal / (way @ normal))
    sides = np.cross(edges, start + depth * way - shape) @ normal
    inside = (sides >= 0).all() or (sides <= 0).all()
    return depth if inside and depth > 0 else None


def _fog_hits(content: SceneContent, fog: Fog | None, ray: Ray) -> Iterator[float]:
    """Where the fog has hidden half of what lies behind it."""
    if fog is None or fog.opacity <= 0:
        return
    depths = _depths_in(fog, ray)
    if depths.size == 0:
        return
    start, way = ray
    points = start + depths[:, None] * way
    kept = _is_kept(points, content.clip, content.cut)
    opaque = np.where(kept, _opacity_at(fog, content.clip, points), 0.0)
    clear = np.cumprod((1 - opaque) ** (_FOG_STEP_MM / LAYER_MM))
    hidden = np.flatnonzero(clear < 1 - _FOG_HIT)
    if hidden.size:
        yield float(depths[hidden[0]])


def _depths_in(fog: Fog, ray: Ray) -> NDArray[np.float64]:
    """Depths [mm] along the ray at which it is inside the stack."""
    start, way = ray
    to_index = np.linalg.inv(fog.geometry.affine)
    at, step = to_index[:3, :3] @ start + to_index[:3, 3], to_index[:3, :3] @ way
    last = np.array(fog.geometry.shape[::-1]) - 1.0
    step = np.where(np.abs(step) < _EDGE, _EDGE, step)
    ends = np.sort(np.stack([-at / step, (last - at) / step]), axis=0)
    near, far = max(float(ends[0].max()), 0.0), float(ends[1].min())
    return np.arange(near, far, _FOG_STEP_MM)


def _opacity_at(fog: Fog, clip: ClipBox | None, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Opacity of a layer of the fog at each point (n, 3), between voxels interpolated."""
    from scipy.ndimage import map_coordinates

    to_index = np.linalg.inv(fog.geometry.affine)
    index = points @ to_index[:3, :3].T + to_index[:3, 3]
    part = part_inside(fog, clip)
    at = index.T[::-1] - np.array([[axis.start or 0] for axis in part])
    grey = map_coordinates(drawn_grey(fog, part), at, output=np.float32, order=1)
    table = transfer_function(fog.transfer).points
    opaque: NDArray[np.float64] = np.interp(grey / 255, table[:, 0], table[:, 1]) * fog.opacity
    return opaque
