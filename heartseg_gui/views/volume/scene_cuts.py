"""The planes behind which nothing of a scene is drawn, as VTK wants them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.geometry import Geometry
from heartseg_gui.views.volume.scene_values import ClipBox, CuttingPlane, Point

Half = tuple[Point, Point]
"""A point of a plane and its normal, which points to what is kept."""

_MOST_PLANES = 6
_TOUCHING_MM = 1e-3


class SceneCuts:
    """What the clip box and the cutting plane leave of a thing."""

    def __init__(self, clip: ClipBox | None, cut: CuttingPlane | None) -> None:
        self._clip, self._cut = clip, cut
        self._sides = [] if clip is None or clip.is_whole else clip.planes()
        self._cuts = [] if cut is None else [(cut.point_mm, _reversed(cut.normal))]
        self._made: dict[tuple[Half, ...], Any] = {}

    def is_of(self, clip: ClipBox | None, cut: CuttingPlane | None) -> bool:
        """Whether these are the planes of that box and that cut."""
        return self._clip is clip and self._cut == cut

    def of(self, points: NDArray[np.floating]) -> Any:
        """VTK's planes that take something from a thing; None where it stays whole.

        OpenGL knows six planes at most, so those that would take nothing are left out.

        Args:
            points: Of the thing or of a hull of it (n, 3) [mm].
        """
        every = [*self._cuts, *self._sides]
        needed = tuple(half for half in every if _takes_from(half, points))[:_MOST_PLANES]
        if needed not in self._made:
            self._made[needed] = _collection(needed)
        return self._made[needed]

    def of_fog(self, geometry: Geometry) -> Any:
        """As `of`; a fog along the axes of the box has no voxels outside it."""
        corners = ClipBox(geometry).corners_mm()
        if lies_along(self._clip, geometry):
            return SceneCuts(None, self._cut).of(corners)
        return self.of(corners)


def lies_along(clip: ClipBox | None, geometry: Geometry) -> bool:
    """Whether a box is told in the voxels of this grid, or there is none."""
    return clip is None or clip.geometry is geometry or clip.geometry.matches(geometry)


def cut_off(mapper: Any, planes: Any) -> None:
    """Draw nothing behind these planes; None for no planes."""
    if planes is None:
        mapper.RemoveAllClippingPlanes()
    elif mapper.GetClippingPlanes() is not planes:
        mapper.SetClippingPlanes(planes)


def corners_of(box_mm: NDArray[np.floating]) -> NDArray[np.floating]:
    """The corners (8, 3) of an upright box, told by its lowest and highest one, (2, 3)."""
    return np.stack(np.meshgrid(*box_mm.T, indexing="ij"), axis=-1).reshape(-1, 3)


def _takes_from(half: Half, points: NDArray[np.floating]) -> bool:
    point, normal = half
    return bool(((points - np.array(point)) @ np.array(normal) < -_TOUCHING_MM).any())


def _collection(halves: tuple[Half, ...]) -> Any:
    from vtkmodules.vtkCommonDataModel import vtkPlane, vtkPlaneCollection

    if not halves:
        return None
    made = vtkPlaneCollection()
    for point, normal in halves:
        plane = vtkPlane()
        plane.SetOrigin(point)
        plane.SetNormal(normal)
        made.AddItem(plane)
    return made


def _reversed(way: Point) -> Point:
    x, y, z = way
    return -x, -y, -z
