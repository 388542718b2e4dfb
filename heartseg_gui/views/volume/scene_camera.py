"""The eye of a scene: an orthographic camera of plain numbers, the same for all panes."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from engine.mesh.heart_axes import HeartAxes
from heartseg_gui.views.volume.scene_values import CameraPose, Viewpoint, as_point

_ORBIT_DEGREES_PER_PX = 0.5
_ROOM = 1.0  # of the ball round everything; it is seldom filled to its rim
_BALL_STEPS, _BALL_POINTS = 40, 4000
_SMALLEST_MM, _LARGEST_MM = 2.0, 2000.0  # half of what a pane is high
_FARTHEST_MM = 2000.0

_RIGHT, _FRONT, _HEAD = np.eye(3)
_FIXED = {
    Viewpoint.FRONT: (_FRONT, _HEAD),
    Viewpoint.BACK: (-_FRONT, _HEAD),
    Viewpoint.RIGHT: (_RIGHT, _HEAD),
    Viewpoint.LEFT: (-_RIGHT, _HEAD),
    Viewpoint.HEAD: (_HEAD, -_FRONT),
    Viewpoint.FEET: (-_HEAD, _FRONT),
}
"""Where the eye is, seen from the heart, and what points up; right, anterior, superior."""

_ABOVE_DEGREES = {
    Viewpoint.FRONT: 30.0,  # level, most of the heart hides behind its front
    Viewpoint.HEART: 24.0,
    Viewpoint.SEPTUM: 15.0,
    Viewpoint.LATERAL_WALL: 15.0,
    Viewpoint.ANTERIOR_WALL: 15.0,
    Viewpoint.INFERIOR_WALL: 15.0,
}
"""How far the eye stands above."""


class SceneCamera:
    """Turns, shifts and enlarges; knows what it has to frame."""

    def __init__(self) -> None:
        self._focus = np.zeros(3)
        self._back, self._up = _FRONT.copy(), _HEAD.copy()
        self._radius_mm = 100.0  # of the ball that fits into the picture at zoom 1
        self._zoom = 1.0

    def pose(self, aspect: float) -> CameraPose:
        """The camera for panes of this shape.

        Args:
            aspect: Width of a pane by its height; narrow panes show as much from side to side.
        """
        half_mm = self._half_height_mm(aspect)
        return CameraPose(
            as_point(self._focus + _FARTHEST_MM * self._back),
            as_point(self._focus),
            as_point(self._up),
            half_mm,
        )

    def take_pose(self, pose: CameraPose, aspect: float) -> None:
        """Stand where a pose says, in panes of this shape."""
        _, up, back = pose.axes()
        self._focus = np.array(pose.focus_mm)
        self._back, self._up = back, up
        self._zoom = 1.0
        self._radius_mm = pose.half_height_mm * min(1.0, aspect)

    def frame(self, points_mm: Iterable[NDArray[np.floating]]) -> None:
        """Look at the middle of these points, (n, 3) each, from far enough to see all of them.

        The ball round them is framed, so that nothing leaves the picture while it turns.
        """
        clouds = [np.asarray(cloud, np.float64) for cloud in points_mm if len(cloud)]
        if clouds:
            self._focus, radius_mm = _smallest_ball(np.concatenate(clouds))
            self._radius_mm = max(radius_mm, _SMALLEST_MM) * _ROOM
            self._zoom = 1.0

    def look_from(self, viewpoint: Viewpoint, heart: HeartAxes | None) -> None:
        """Turn the eye; views of the heart whose axes are not known are replaced by the front."""
        chosen = _FIXED.get(viewpoint) or _heart_view(viewpoint, heart)
        if chosen is None:
            viewpoint, chosen = Viewpoint.FRONT, _FIXED[Viewpoint.FRONT]
        self._look(*chosen)
        self._tilt(_ABOVE_DEGREES.get(viewpoint, 0.0))

    def orbit(self, right_px: float, down_px: float) -> None:
        """Turn the scene with the mouse, about what is looked at."""
        self._turn_about(self._up, -right_px * _ORBIT_DEGREES_PER_PX)
        self._tilt(down_px * _ORBIT_DEGREES_PER_PX)

    def pan(self, right: float, down: float, aspect: float) -> None:
        """Shift the scene by shares of a pane's height."""
        across, up, _ = self.axes()
        height_mm = 2 * self._half_height_mm(aspect)
        self._focus = self._focus + height_mm * (down * up - right * across)

    def zoom(self, factor: float) -> None:
        """Enlarge about the middle."""
        half_mm = self._radius_mm / (self._zoom * factor)
        self._zoom = self._radius_mm / min(max(half_mm, _SMALLEST_MM), _LARGEST_MM)

    def axes(self) -> NDArray[np.float64]:
        """Unit vectors across, up and towards the reader, the rows of (3, 3)."""
        return np.stack([np.cross(self._up, self._back), self._up, self._back])

    def _half_height_mm(self, aspect: float) -> float:
        return self._radius_mm / self._zoom / min(1.0, aspect)

    def _look(self, back: NDArray[np.float64], up: NDArray[np.float64]) -> None:
        self._back = back / np.linalg.norm(back)
        level = up - (up @ self._back) * self._back
        self._up = level / np.linalg.norm(level)

    def _turn_about(self, axis: NDArray[np.float64], degrees: float) -> None:
        turn = _rotation(axis, degrees)
        self._look(turn @ self._back, turn @ self._up)

    def _tilt(self, degrees: float) -> None:
        """Raise the eye over the scene."""
        across = np.cross(self._up, self._back)
        self._turn_about(across, -degrees)


def _smallest_ball(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Middle and radius of the smallest ball round points (n, 3), to about 1 %.

    Going ever shorter ways to the farthest point (Badoiu and Clarkson 2003).
    """
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    some = points[:: max(1, len(points) // _BALL_POINTS)]
    for step in range(2, _BALL_STEPS):
        farthest = some[np.square(some - middle).sum(axis=1).argmax()]
        middle = middle + (farthest - middle) / step
    return middle, float(np.sqrt(np.square(points - middle).sum(axis=1).max()))


def _rotation(axis: NDArray[np.float64], degrees: float) -> NDArray[np.float64]:
    """The matrix (3, 3) of a turn about a unit vector (Rodrigues)."""
    angle = np.deg2rad(degrees)
    x, y, z = axis
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    turn: NDArray[np.float64] = (
        np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    )
    return turn


def _heart_view(
    viewpoint: Viewpoint, heart: HeartAxes | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Where the eye is, seen from the heart, and what points up; None where that is unknown."""
    if heart is None:
        return None
    to_apex, septum, anterior = heart.to_apex, heart.to_septum, heart.to_anterior
    # where the file is mirrored no wall is anterior, but the picture has an upper side all the same
    upper = np.cross(to_apex, _FRONT if septum is None else -septum)
    if viewpoint in {Viewpoint.APEX, Viewpoint.BASE}:
        return (to_apex if viewpoint is Viewpoint.APEX else -to_apex), upper
    if viewpoint is Viewpoint.HEART:
        return (upper if septum is None else 0.8 * septum + 0.6 * upper), -to_apex
    walls = {
        Viewpoint.SEPTUM: septum,
        Viewpoint.LATERAL_WALL: None if septum is None else -septum,
        Viewpoint.ANTERIOR_WALL: anterior,
        Viewpoint.INFERIOR_WALL: None if anterior is None else -anterior,
    }
    wall = walls[viewpoint]
    return None if wall is None else (wall, -to_apex)
