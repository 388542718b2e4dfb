"""What stands in space, from values that nobody changes to the content of the scene."""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from engine.geometry import Geometry
from engine.structures import Structure
from engine.turning import is_oriented
from heartseg_gui.documents.space_state import Box, Colouring, SpaceLook
from heartseg_gui.views.volume.fog_voxels import windowed
from heartseg_gui.views.volume.long_axis_planes import planes_of
from heartseg_gui.views.volume.scene_values import (
    CameraPose,
    ClipBox,
    Colour,
    CuttingPlane,
    DrawnSurface,
    Fog,
    PaneContent,
    Plane,
    SceneContent,
)
from heartseg_gui.views.volume.space_basis import PaneFacts, SpaceBasis
from heartseg_gui.views.volume.surface_store import Extent

_NET: Colour = (255, 255, 255)
_NET_OPACITY = 0.2
_SLICE_FRAME: Colour = (90, 156, 248)
_ROOM_MM = 20.0  # round the labels
_BESIDE_VALUES = 0.3  # opacity of what has no values while others have
_DIMMED = 0.35  # of the opacity of what belongs to another phase


@dataclass(frozen=True, slots=True, eq=False)
class SpaceFacts:
    """One phase in space, with its surfaces.

    Attributes:
        basis: All but the surfaces.
        panes: One or three.
    """

    basis: SpaceBasis
    panes: tuple[PaneFacts, ...]

    @property
    def has_surfaces(self) -> bool:
        """Whether anything but the image is seen."""
        return any(pane.made is not None and pane.made.surfaces for pane in self.panes)

    def content(self) -> SceneContent:
        """What the scene shall show; on the drawing thread, for it may take its time."""
        heart = next((pane.made.heart for pane in self.panes if pane.made is not None), None)
        basis, planes = self.basis, self._planes()
        geometry, look = basis.cine.geometry, basis.look
        return SceneContent(
            tuple(self._pane(pane, planes) for pane in self.panes),
            clip=basis.shelf.boxes.of((geometry,), self._box_key(), self._clip),
            cut=CuttingPlane.of_slice(geometry, basis.slice_index) if look.cut else None,
            mark_mm=basis.mark_mm,
            heart=heart,
            is_oriented=is_oriented(geometry),
        )

    def _box_key(self) -> tuple[object, ...]:
        extent = self.basis.extent
        return self.basis.look.box, None if extent is None else tuple(map(int, extent.flat))

    def _clip(self) -> ClipBox | None:
        return _clip(self.basis.cine.geometry, self.basis.look.box, self.basis.extent)

    def _pane(self, facts: PaneFacts, planes: tuple[Plane, ...]) -> PaneContent:
        pane = PaneContent(title=facts.title, message=facts.message)
        if facts.message and not facts.fog:
            return pane
        return replace(
            pane,
            surfaces=(*self._surfaces(facts), *self._net(facts)),
            planes=planes,
            fog=self._fog() if facts.fog else None,
            scale=facts.scale,
        )

    def _fog(self) -> Fog:
        """The image; where there are labels and no more is wished for, only what is near them."""
        basis, shelf, cine = self.basis, self.basis.shelf, self.basis.cine
        made = next((pane.made for pane in self.panes if pane.made is not None), None)
        near = None
        if basis.look.focus and made is not None:
            near = shelf.near.of((made,), None, partial(made.labels_in, cine.geometry.shape))
        voxels = shelf.images.of((cine,), basis.phase, lambda: cine.voxels[basis.phase])
        return Fog(voxels, cine.geometry, basis.window, basis.look.transfer, near=near)

    def _surfaces(self, facts: PaneFacts) -> list[DrawnSurface]:
        made, basis = facts.made, self.basis
        if made is None:
            return []
        other = None if facts.other is None else facts.other.surfaces
        drawn = []
        for structure, surface in made.surfaces.items():
            if structure not in basis.colours:
                continue
            values = basis.shelf.values.of(facts.colouring, structure, made.surfaces, other)
            opacity = _opacity(basis.look, facts.colouring, structure, valued=values is not None)
            opacity *= _DIMMED if facts.dimmed else 1.0
            drawn.append(DrawnSurface(surface, basis.colours[structure], opacity, values=values))
        return drawn

    def _net(self, facts: PaneFacts) -> list[DrawnSurface]:
        if facts.net is None:
            return []
        return [
            DrawnSurface(surface, _NET, _NET_OPACITY, net=True)
            for structure, surface in facts.net.surfaces.items()
            if structure in self.basis.colours
        ]

    def _planes(self) -> tuple[Plane, ...]:
        basis, kept = self.basis, self.basis.shelf.planes
        cine, place = basis.cine, (basis.phase, basis.slice_index)
        planes: list[Plane] = []
        if basis.look.slice_shown:
            planes.append(kept.of((cine,), (place, basis.window), self._slice))
        for stack in basis.long_axes:
            make = partial(planes_of, stack.cine, basis.phase, cine.phase_count)
            planes += kept.of((stack.cine,), basis.phase, make)
        return tuple(planes)

    def _slice(self) -> Plane:
        basis, cine = self.basis, self.basis.cine
        grey = windowed(cine.voxels[basis.phase, basis.slice_index], basis.window)
        return Plane(grey, cine.geometry, basis.slice_index, _SLICE_FRAME)


def facing(content: SceneContent, pose: CameraPose) -> SceneContent:
    """The content, cut open on the side from which it is looked at."""
    cut = content.cut
    if cut is None or float(np.dot(pose.axes()[2], cut.normal)) >= 0:
        return content
    x, y, z = cut.normal
    return replace(content, cut=CuttingPlane(cut.point_mm, (-x, -y, -z)))


def _clip(geometry: Geometry, box: Box, extent: Extent | None) -> ClipBox | None:
    """The part of the stack that is drawn; None for all of it."""
    if box.is_all and extent is None:
        return None
    counts = np.array(geometry.shape)
    low, high = np.zeros(3), np.ones(3)
    if extent is not None:
        room = _ROOM_MM / np.array(geometry.spacing_mm)
        low, high = (extent[0] - room) / counts, (extent[1] + 1 + room) / counts
        low, high = np.clip(low, 0, 1), np.clip(high, 0, 1)
    shares = np.array([box.z, box.y, box.x])  # (axis, begin and end)
    ends = low[:, None] + shares * (high - low)[:, None]
    z, y, x = ((float(begin), float(end)) for begin, end in ends)
    return ClipBox(geometry, x, y, z)


def _opacity(look: SpaceLook, colouring: Colouring, structure: Structure, *, valued: bool) -> float:
    """Opacity of a surface; colours that are read off must not be seen through each other."""
    if colouring is Colouring.STRUCTURE or structure in look.opacities:
        return look.opacity_of(structure)
    return 1.0 if valued else min(_BESIDE_VALUES, look.opacity_of(structure))
