"""What a scene in space is made of: plain values that nobody changes, without any graphics."""

from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from engine.geometry import Geometry
from engine.mesh.heart_axes import HeartAxes
from engine.mesh.surface import Surface

Colour = tuple[int, int, int]
"""Red, green, blue, 0 to 255."""

Point = tuple[float, float, float]
"""Patient coordinates (right, anterior, superior) [mm]."""

Share = tuple[float, float]
"""From and to, as shares of a whole, 0 to 1."""

_ALL: Share = (0.0, 1.0)
DARK: Colour = (13, 15, 20)


class Quality(Enum):
    """How much care a picture gets."""

    QUICK = "quick"  # while something moves
    FINE = "fine"  # at rest: smooth edges, more rays through the fog
    PRINT = "print"  # for files: from four times as many points, unless there are very many


class Viewpoint(Enum):
    """Where the eye is. Those of the heart need its axes."""

    FRONT = "from the front"
    BACK = "from the back"
    RIGHT = "from the right"
    LEFT = "from the left"
    HEAD = "from the head"
    FEET = "from the feet"
    APEX = "from the apex"
    BASE = "from the base"
    SEPTUM = "onto the right ventricle"
    LATERAL_WALL = "onto the lateral wall"
    ANTERIOR_WALL = "onto the anterior wall"
    INFERIOR_WALL = "onto the inferior wall"
    HEART = "as in a textbook"


@dataclass(frozen=True, slots=True)
class ColourScale:
    """Which value has which colour.

    Attributes:
        title: What the values are, e.g. "Wall thickness".
        low: Value of the first colour, in `unit`; so have all below.
        high: Value of the last colour, in `unit`; so have all above.
        colours: Name of a colour map in `resources/transfer_functions.toml`.
        unit: Shown beside the numbers.
    """

    title: str
    low: float
    high: float
    colours: str = "thickness"
    unit: str = "mm"


@dataclass(frozen=True, slots=True, eq=False)
class DrawnSurface:
    """A surface and how it looks.

    Attributes:
        surface: The triangles.
        colour: Of all of it, unless there are `values`.
        opacity: 0 (not drawn) to 1.
        net: Whether only the edges of its triangles are drawn, as for a reference over labels.
        values: One for each vertex, (n,), in the unit of the pane's scale; NaN is drawn grey.
    """

    surface: Surface
    colour: Colour
    opacity: float = 1.0
    net: bool = False
    values: NDArray[np.float32] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """A slice that stands where it lies in the patient.

    Attributes:
        grey: Windowed grey (y, x), or colours (y, x, 3); uint8.
        geometry: Of its stack.
        z: Which slice of the stack it is.
        frame: Colour of the line round it, or None for no line.
        opacity: 0 to 1.
    """

    grey: NDArray[np.uint8] = field(repr=False)
    geometry: Geometry
    z: int = 0
    frame: Colour | None = None
    opacity: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Fog:
    """The image itself, dense where it is bright.

    Attributes:
        voxels: Grey values of a phase (z, y, x).
        geometry: Their grid.
        window: Level and width, as in the slice view.
        transfer: Key of a transfer function, see `transfer_functions.names`.
        opacity: Thins the fog, 0 to 1.
        near: Labels (z, y, x) uint8 whose surroundings alone are shown, or None for all.
    """

    voxels: NDArray[np.generic] = field(repr=False)
    geometry: Geometry
    window: tuple[float, float]
    transfer: str = "bssfp"
    opacity: float = 1.0
    near: NDArray[np.uint8] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class ClipBox:
    """Nothing is drawn outside this box, which lies along the axes of a stack.

    Attributes:
        geometry: Of the stack.
        x: From and to, as shares of the stack's columns.
        y: From and to, as shares of the stack's rows.
        z: From and to, as shares of the stack's slices.
    """

    geometry: Geometry
    x: Share = _ALL
    y: Share = _ALL
    z: Share = _ALL

    @classmethod
    def around(
        cls, labels: NDArray[np.uint8], geometry: Geometry, *, margin_mm: float = 20.0
    ) -> "ClipBox":
        """The box round all structures; the whole stack where there are none.

        Args:
            labels: (z, y, x).
            geometry: Their grid.
            margin_mm: Room on every side.
        """
        shares: list[Share] = []
        for axis in range(3):
            others = tuple(other for other in range(3) if other != axis)
            found = np.flatnonzero((labels != 0).any(axis=others))
            count = labels.shape[axis]
            if found.size == 0:
                return cls(geometry)
            room = margin_mm / geometry.spacing_mm[axis]
            low, high = (found[0] - room) / count, (found[-1] + 1 + room) / count
            shares.append((max(0.0, float(low)), min(1.0, float(high))))
        z, y, x = shares
        return cls(geometry, x, y, z)

    @property
    def is_whole(self) -> bool:
        """Whether the box holds the whole stack."""
        return (self.x, self.y, self.z) == (_ALL, _ALL, _ALL)

    def limits(self) -> NDArray[np.float64]:
        """From and to in voxel indices, (x, y, z) by (low, high); voxels end at ± 0.5."""
        counts = np.array(self.geometry.shape[::-1])[:, None]
        limits: NDArray[np.float64] = np.array([self.x, self.y, self.z]) * counts - 0.5
        return limits

    def corners_mm(self) -> NDArray[np.float64]:
        """The eight corners (8, 3), patient coordinates."""
        x, y, z = self.limits()
        places = np.array([(a, b, c) for a in x for b in y for c in z])
        affine = self.geometry.affine
        corners: NDArray[np.float64] = places @ affine[:3, :3].T + affine[:3, 3]
        return corners

    def planes(self, *, beyond_mm: float | None = None) -> list[tuple[Point, Point]]:
        """Point [mm] and unit normal of each side; normals point into the box.

        Args:
            beyond_mm: How far beyond the stack those sides stand that are the stack's own ends;
                None to leave them out: surfaces may stand a little over them.
        """
        to_mm, found = self.geometry.affine, []
        from_mm = np.linalg.inv(to_mm)
        shares = (self.x, self.y, self.z)
        for axis, (low, high) in enumerate(self.limits()):
            first, last = shares[axis]
            for at, sign, is_end in ((low, 1.0, first <= 0), (high, -1.0, last >= 1)):
                if is_end and beyond_mm is None:
                    continue
                index = np.zeros(3)
                index[axis] = at
                across = from_mm[axis, :3]  # voxel axes need not be at right angles
                normal: NDArray[np.float64] = sign * across / np.linalg.norm(across)
                out_mm = beyond_mm if is_end and beyond_mm is not None else 0.0
                point = to_mm[:3, :3] @ index + to_mm[:3, 3] - out_mm * normal
                found.append((as_point(point), as_point(normal)))
        return found


@dataclass(frozen=True, slots=True)
class CuttingPlane:
    """Opens fog and surfaces; slices stay.

    Attributes:
        point_mm: Where the plane lies.
        normal: What lies on the side to which it points is not drawn.
    """

    point_mm: Point
    normal: Point

    @classmethod
    def of_slice(
        cls, geometry: Geometry, z: int, *, towards: Point | None = None
    ) -> "CuttingPlane":
        """The plane of a slice of a stack.

        Args:
            geometry: Of the stack.
            z: The slice.
            towards: A point of the side that is taken away, e.g. the base of the heart; None for
                the side of the higher slices.
        """
        _, height, width = geometry.shape
        middle = geometry.position_mm(z=z, y=(height - 1) / 2, x=(width - 1) / 2)
        normal = geometry.slice_normal
        if towards is not None and (np.array(towards) - middle) @ normal < 0:
            normal = -normal
        return cls(as_point(middle), as_point(normal))


@dataclass(frozen=True, slots=True, eq=False)
class PaneContent:
    """What stands in one of the pictures side by side.

    Attributes:
        surfaces: Any number.
        planes: Slices in space.
        fog: The image as a fog, or None.
        scale: For surfaces with values.
        title: In the upper left corner.
        message: In the middle, e.g. why there is nothing.
    """

    surfaces: tuple[DrawnSurface, ...] = ()
    planes: tuple[Plane, ...] = ()
    fog: Fog | None = None
    scale: ColourScale | None = None
    title: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class SceneContent:
    """Everything that stands in space.

    Attributes:
        panes: Side by side, seen by one camera; usually one, or image, label and prediction.
        clip: Nothing is drawn outside it.
        cut: Opens fog and surfaces.
        mark_mm: A place that is marked in every pane, seen through everything.
        heart: Where base, apex and walls are; None where that cannot be known.
        is_oriented: Whether the directions in the patient are known, see `is_oriented`.
        background: Behind it all.
    """

    panes: tuple[PaneContent, ...] = (PaneContent(),)
    clip: ClipBox | None = None
    cut: CuttingPlane | None = None
    mark_mm: Point | None = None
    heart: HeartAxes | None = None
    is_oriented: bool = True
    background: Colour = DARK


@dataclass(frozen=True, slots=True)
class CameraPose:
    """Where the eye is and what it sees, without perspective.

    Attributes:
        position_mm: Of the eye.
        focus_mm: What it looks at.
        up: Unit vector that points up in the picture.
        half_height_mm: Half of what a pane is high.
    """

    position_mm: Point
    focus_mm: Point
    up: Point
    half_height_mm: float

    def axes(self) -> NDArray[np.float64]:
        """Unit vectors across, up and towards the reader, the rows of (3, 3)."""
        back = np.array(self.position_mm) - np.array(self.focus_mm)
        back = back / np.linalg.norm(back)
        across = np.cross(self.up, back)
        across = across / np.linalg.norm(across)
        return np.stack([across, np.cross(back, across), back])


@dataclass(frozen=True, slots=True)
class SceneFacts:
    """What a picture of a scene shows, for whoever writes on it.

    Attributes:
        pose: The camera's.
        panes: Title, message and colour scale of each.
        heart: Where base, apex and walls are, or None.
        mark_mm: The marked place, or None.
        is_oriented: Whether the directions in the patient are known.
        background: Colour behind the scene.
    """

    pose: CameraPose
    panes: tuple[tuple[str, str, ColourScale | None], ...]
    heart: HeartAxes | None = field(default=None, repr=False)
    mark_mm: Point | None = None
    is_oriented: bool = True
    background: Colour = DARK


@dataclass(frozen=True, slots=True, eq=False)
class ScenePicture:
    """A scene as it was rendered.

    Attributes:
        pixels: (y, x, 3) uint8.
        facts: What it shows.
    """

    pixels: NDArray[np.uint8] = field(repr=False)
    facts: SceneFacts


def as_point(vector: NDArray[np.float64]) -> Point:
    """Three plain numbers, which can be compared."""
    x, y, z = (float(part) for part in vector)
    return x, y, z


def pane_at(panes: int, x: float, y: float) -> tuple[int, float, float]:
    """Which pane a place in the picture belongs to, and where in the pane it is.

    Args:
        panes: How many stand side by side.
        x: Share of the whole picture's width, from the left.
        y: Share of its height, from the top.

    Returns:
        The pane from 0, and shares of the pane from its upper left corner.
    """
    pane = min(max(int(x * panes), 0), panes - 1)
    return pane, x * panes - pane, y
