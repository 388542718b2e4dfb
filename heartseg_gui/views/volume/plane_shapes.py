"""The outlines of slices in space, cropped to a box; numbers only, no graphics."""

import numpy as np
from numpy.typing import NDArray

from heartseg_gui.views.volume.scene_values import ClipBox, Plane

_BEYOND_MM = 12.0  # long-axis slices show a little of what lies beyond the ends of the stack


def corners_mm(plane: Plane) -> NDArray[np.float64]:
    """The slice's corners (4, 3) [mm]: lower left, lower right, upper right, upper left."""
    height, width = plane.grey.shape[:2]
    top, bottom, left, right = -0.5, height - 0.5, -0.5, width - 0.5
    places = ((bottom, left), (bottom, right), (top, right), (top, left))
    return np.array([plane.geometry.position_mm(z=plane.z, y=y, x=x) for y, x in places])


def shape_mm(plane: Plane, clip: ClipBox | None) -> NDArray[np.float64]:
    """What the box leaves of a slice: the corners (n, 3) [mm] of a convex shape, in order.

    Args:
        plane: The slice.
        clip: The box, or None for all of the slice.

    Returns:
        No corners where nothing is left.
    """
    shape = corners_mm(plane)
    if clip is not None and not clip.is_whole:
        for point, inwards in clip.planes(beyond_mm=_BEYOND_MM):
            shape = _cropped(shape, np.array(point), np.array(inwards))
    return shape


def texture_places(shape: NDArray[np.float64], corners: NDArray[np.float64]) -> NDArray[np.float32]:
    """Where points of a slice (n, 3) lie in its picture: shares across and up, (n, 2).

    Args:
        shape: The points [mm].
        corners: The slice's own corners, as `corners_mm` gives them.
    """
    across, up = corners[1] - corners[0], corners[3] - corners[0]
    sides = np.stack([across, up], axis=1)
    places, *_ = np.linalg.lstsq(sides, (shape - corners[0]).T, rcond=None)
    return np.ascontiguousarray(places.T, np.float32)


def _cropped(
    shape: NDArray[np.float64], point: NDArray[np.float64], inwards: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The part of a convex shape on one side of a plane (Sutherland and Hodgman 1974)."""
    if len(shape) == 0:
        return shape
    depth = (shape - point) @ inwards
    found = []
    for here, following in zip(range(len(shape)), [*range(1, len(shape)), 0], strict=True):
        if depth[here] >= 0:
            found.append(shape[here])
        if (depth[here] >= 0) != (depth[following] >= 0):
            share = depth[here] / (depth[here] - depth[following])
            found.append(shape[here] + share * (shape[following] - shape[here]))
    return np.array(found).reshape(-1, 3)
