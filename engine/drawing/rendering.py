"""A small renderer: shaded surfaces and planes of an image, seen in parallel projection.

matplotlib sorts whole triangles by depth, which tears surfaces that lie inside each other. Here
every pixel keeps what is nearest to the viewer.
"""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.geometry import Geometry

Image = NDArray[np.float64]

_LIGHT = (-0.45, 0.55, 0.70)  # towards the light: to the left, above, at the viewer's side
_AMBIENT, _DIFFUSE, _GLOSS = 0.32, 0.68, 0.14
_STEP_PIXELS = 0.7  # between the points that a triangle is filled with: no pixel is left out
_POINTS_AT_ONCE = 2_000_000


class Triangles(Protocol):
    """A closed surface, as `engine.mesh.shaping` makes it."""

    @property
    def vertices_mm(self) -> NDArray[np.float32]:
        """Patient coordinates [mm], (n, 3)."""

    @property
    def faces(self) -> NDArray[np.int64]:
        """Numbers of each triangle's corners, (m, 3), turning left as seen from outside."""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """From where a scene is seen.

    Attributes:
        middle_mm: Patient coordinates of the picture's middle, (3,).
        reach_mm: Half the width of the picture.
        elevation_degrees: How far above the horizontal plane of the patient the viewer is.
        azimuth_degrees: Where round the vertical axis: 0 is right, 90 in front.
        size: Width and height of the picture [pixels].
    """

    middle_mm: NDArray[np.float64] = field(repr=False)
    reach_mm: float
    elevation_degrees: float = 22.0
    azimuth_degrees: float = 120.0
    size: int = 600

    @property
    def axes(self) -> NDArray[np.float64]:
        """Unit vectors to the right, up, and towards the viewer, (3, 3), patient coordinates."""
        elevation, azimuth = np.radians((self.elevation_degrees, self.azimuth_degrees))
        right = np.array((-np.sin(azimuth), np.cos(azimuth), 0.0))
        flat = np.cos(elevation)
        towards = np.array((flat * np.cos(azimuth), flat * np.sin(azimuth), np.sin(elevation)))
        return np.stack([right, np.cross(towards, right), towards])

    @property
    def pixel_mm(self) -> float:
        """Side of a pixel."""
        return 2 * self.reach_mm / self.size


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """What one thing looks like, each (y, x).

    Attributes:
        depth_mm: Distance from the middle towards the viewer; -inf where it is not.
        bright: 0 to 1.
        facing: Cosine between its outward direction and that to the viewer.
    """

    depth_mm: Image = field(repr=False)
    bright: Image = field(repr=False)
    facing: Image = field(repr=False)


def render_surface(surface: Triangles, view: View) -> Layer:
    """The side of a surface that faces the viewer, smoothly shaded (Gouraud 1971, Phong 1975)."""
    points = (surface.vertices_mm.astype(np.float64) - view.middle_mm) @ view.axes.T  # (n, 3)
    half = view.size / 2
    points[:, 0] = points[:, 0] / view.pixel_mm + half
    points[:, 1] = half - points[:, 1] / view.pixel_mm  # rows count downwards
    normals = vertex_normals(surface) @ view.axes.T
    # column, row, depth, brightness and facing of every vertex, (n, 5)
    known = np.column_stack([points, _brightness(normals), normals[:, 2]])
    depth = np.full(view.size**2, -np.inf)
    looks = np.zeros((2, view.size**2))
    for corners, weights in _fillings(points, surface.faces[_turns_left(points, surface.faces)]):
        at_corners = known[corners].transpose(2, 0, 1).reshape(-1, 3)
        columns, rows, near, *look = (at_corners @ weights.T).reshape(5, -1)
        inside = (columns >= 0) & (columns < view.size) & (rows >= 0) & (rows < view.size)
        pixel = rows[inside].astype(np.int64) * view.size + columns[inside].astype(np.int64)
        near = near[inside]
        np.maximum.at(depth, pixel, near)
        nearest = near == depth[pixel]
        looks[:, pixel[nearest]] = np.stack(look)[:, inside][:, nearest]
    square = (view.size, view.size)
    return Layer(depth.reshape(square), looks[0].reshape(square), looks[1].reshape(square))


def vertex_normals(surface: Triangles) -> NDArray[np.float64]:
    """Unit vectors outwards at each vertex, (n, 3): the mean of the triangles around it."""
    corners = surface.vertices_mm.astype(np.float64)[surface.faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.zeros((len(surface.vertices_mm), 3))
    for corner in range(3):
        for axis in range(3):
            normals[:, axis] += np.bincount(
                surface.faces[:, corner], across[:, axis], minlength=len(normals)
            )
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    normals /= np.where(lengths > 0, lengths, 1.0)
    return normals


def _brightness(normals: NDArray[np.float64]) -> NDArray[np.float64]:
    """How bright a vertex is, (n,), by its normal in the viewer's axes, (n, 3)."""
    light = np.array(_LIGHT) / np.linalg.norm(_LIGHT)
    halfway = light + np.array((0.0, 0.0, 1.0))  # Blinn 1977
    halfway /= np.linalg.norm(halfway)
    diffuse = np.clip(normals @ light, 0, 1)
    gloss = np.clip(normals @ halfway, 0, 1) ** 30
    bright: NDArray[np.float64] = _AMBIENT + _DIFFUSE * diffuse + _GLOSS * gloss
    return bright.clip(0, 1)


def _turns_left(points: NDArray[np.float64], faces: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which triangles face the viewer, (m,); rows count downwards, so left turns look right."""
    first, second, third = (points[faces[:, k], :2] for k in range(3))
    one, other = second - first, third - first
    return (one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]) < 0


def _fillings(
    points: NDArray[np.float64], faces: NDArray[np.int64]
) -> "list[tuple[NDArray[np.int64], NDArray[np.float64]]]":
    """Triangles of like size, (m, 3), with weights of their corners that fill them, (p, 3)."""
    flat = points[:, :2]
    sides = np.stack(
        [np.linalg.norm(flat[faces[:, k]] - flat[faces[:, k - 1]], axis=1) for k in range(3)]
    )
    steps = np.maximum(1, sides.max(axis=0) / _STEP_PIXELS)
    steps = np.ceil(1.25 ** np.ceil(np.log(steps) / np.log(1.25))).astype(int)  # few fillings
    groups = []
    for count in np.unique(steps):
        first, second = np.mgrid[: count + 1, : count + 1].reshape(2, -1)
        inside = first + second <= count
        weights = np.stack([first, second, count - first - second], axis=1)[inside] / count
        chosen = faces[steps == count]
        at_once = max(1, _POINTS_AT_ONCE // len(weights))
        groups += [(chosen[n : n + at_once], weights) for n in range(0, len(chosen), at_once)]
    return groups


def render_planes(image: NDArray[np.generic], geometry: Geometry, view: View) -> Layer:
    """The planes of an image through the picture's middle: one slice, and two across all slices.

    Args:
        image: (z, y, x), any scale; 0 to 1 is shown as black to white.
        geometry: Its grid.
        view: From where.
    """
    from scipy.ndimage import map_coordinates

    to_voxel = np.linalg.inv(geometry.affine)
    middle = (to_voxel @ (*view.middle_mm, 1.0))[:3]  # x, y, z
    size_xyz = np.array(geometry.shape[::-1])
    middle = np.clip(middle, 0, size_xyz - 1)
    middle[2] = round(middle[2])  # a slice as it was acquired
    centre_mm = geometry.affine[:3, :3] @ middle + geometry.affine[:3, 3]
    offset = (np.arange(view.size) + 0.5) * view.pixel_mm - view.reach_mm
    right, up, towards = view.axes
    on_screen = offset[None, :, None] * right - offset[:, None, None] * up + view.middle_mm
    voxels = on_screen @ to_voxel[:3, :3].T + to_voxel[:3, 3]  # (y, x, 3)
    along = to_voxel[:3, :3] @ towards
    inside_mm = view.reach_mm * 0.97
    depth = np.full((view.size, view.size), -np.inf)
    bright = np.zeros((view.size, view.size))
    for axis in range(3):
        if abs(along[axis]) < 1e-9:
            continue  # seen from its edge
        away = (middle[axis] - voxels[..., axis]) / along[axis]
        hit = voxels + away[..., None] * along
        apart_mm = (hit - middle) @ geometry.affine[:3, :3].T
        seen = ((hit >= -0.5) & (hit <= size_xyz - 0.5)).all(axis=-1)
        seen &= np.linalg.norm(apart_mm + (centre_mm - view.middle_mm), axis=-1) < inside_mm
        seen &= away > depth
        grey = map_coordinates(
            image.astype(np.float64), hit[seen][:, ::-1].T, order=1, mode="nearest"
        )
        depth[seen] = away[seen]
        bright[seen] = np.clip(grey, 0, 1)
    return Layer(depth, bright, np.ones_like(bright))


def compose(
    layers: "list[tuple[Layer, tuple[float, float, float], float]]",
) -> NDArray[np.float64]:
    """Put layers together on white: each with its colour and opacity, 0 to 1.

    What is opaque hides what lies behind it; what is not is laid over it, the farthest first, and
    is denser towards its rim, as glass is.

    Returns:
        (y, x, 3), 0 to 1.
    """
    shape = layers[0][0].depth_mm.shape
    picture = np.ones((*shape, 3))
    front = np.full(shape, -np.inf)
    for layer, colour, opacity in layers:
        if opacity >= 1:
            nearer = layer.depth_mm > front
            picture[nearer] = layer.bright[nearer, None] * np.array(colour)
            front[nearer] = layer.depth_mm[nearer]
    clear = [one for one in layers if one[2] < 1]
    for layer, colour, opacity in sorted(clear, key=lambda one: float(np.max(one[0].depth_mm))):
        over = layer.depth_mm > front
        paint = layer.bright[over, None] * np.array(colour)
        dense = opacity + (1 - opacity) * (1 - np.clip(layer.facing[over, None], 0, 1)) ** 2
        picture[over] = (1 - dense) * picture[over] + dense * paint
    return picture
