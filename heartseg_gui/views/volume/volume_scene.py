"""A scene in space, rendered into arrays; no widget, no window on the screen.

With the modules `scene_*` beside it, this is the window's only door to VTK, which is imported when
the first scene is made: run `import_steps` on a pool thread before. A scene may be used by one
thread at a time only.
"""

import importlib
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.progress import Progress, Steps
from heartseg_gui.views.volume import picking
from heartseg_gui.views.volume.graphics_check import demand_graphics
from heartseg_gui.views.volume.plane_shapes import corners_mm
from heartseg_gui.views.volume.scene_camera import SceneCamera
from heartseg_gui.views.volume.scene_cuts import SceneCuts
from heartseg_gui.views.volume.scene_fog import SceneFog
from heartseg_gui.views.volume.scene_marks import SceneMark
from heartseg_gui.views.volume.scene_planes import ScenePlanes
from heartseg_gui.views.volume.scene_surfaces import SceneSurfaces
from heartseg_gui.views.volume.scene_values import (
    CameraPose,
    ClipBox,
    Fog,
    PaneContent,
    Point,
    Quality,
    SceneContent,
    SceneFacts,
    ScenePicture,
    Viewpoint,
)
from heartseg_gui.views.volume.scene_window import OffscreenWindow

_MODULES = (
    "scipy.ndimage",
    "vtkmodules.util.numpy_support",
    "vtkmodules.vtkFiltersCore",
    "vtkmodules.vtkFiltersSources",
    "vtkmodules.vtkRenderingOpenGL2",
    "vtkmodules.vtkRenderingVolumeOpenGL2",
)


def import_steps() -> Steps[None]:
    """Import what the first scene needs, and make sure that there is OpenGL; takes seconds.

    Raises:
        NoGraphicsError: Nothing can be drawn on this computer.
    """
    yield Progress(0, 2, "Loading the 3-D view")
    for name in _MODULES:
        importlib.import_module(name)
    _use_cores()
    yield Progress(1, 2, "Loading the 3-D view")
    demand_graphics()


def _use_cores() -> None:
    """Let VTK's filters use the cores, but leave one to the window."""
    from vtkmodules.vtkCommonCore import vtkSMPTools

    vtkSMPTools.SetBackend("STDThread")
    vtkSMPTools.Initialize(max(1, (os.cpu_count() or 1) - 1))


class _Pane:
    """What stands in one of the pictures side by side."""

    def __init__(self, renderer: Any) -> None:
        self._surfaces = SceneSurfaces(renderer)
        self._planes = ScenePlanes(renderer)
        self._mark = SceneMark(renderer)
        self.fog = SceneFog(renderer)

    def show(self, shown: PaneContent, content: SceneContent, cuts: SceneCuts) -> None:
        """Draw this and nothing else."""
        self._surfaces.show(shown.surfaces, shown.scale, cuts)
        self._planes.show(shown.planes, content.clip)
        self._mark.show(None if shown.message else content.mark_mm)
        self.fog.show(shown.fog, content.clip, cuts)

    def close(self) -> None:
        """Take all away."""
        for part in (self._surfaces, self._planes, self._mark, self.fog):
            part.close()


class VolumeScene:
    """What stands in space, and the camera. Millimetres, right-anterior-superior."""

    def __init__(self) -> None:
        self._window = OffscreenWindow()
        self._camera = SceneCamera()
        self._panes: list[_Pane] = []
        self._content = SceneContent()
        self._cuts = SceneCuts(None, None)
        self._size = (64, 64)
        self.show(self._content)

    def show(self, content: SceneContent) -> None:
        """Put this into the scene in place of what was there; what is the same stays.

        Surfaces, planes and arrays are compared by being the same objects: they never change.
        """
        self._content = content
        self._have_panes(len(content.panes))
        self._window.set_background(content.background)
        if not self._cuts.is_of(content.clip, content.cut):
            self._cuts = SceneCuts(content.clip, content.cut)
        for pane, shown in zip(self._panes, content.panes, strict=True):
            pane.show(shown, content, self._cuts)

    def picture(self, width: int, height: int, quality: Quality = Quality.FINE) -> ScenePicture:
        """Render all panes side by side.

        Args:
            width: Of the whole picture, in pixels.
            height: In pixels.
            quality: How much care to take.
        """
        self._size = (width, height)
        for pane in self._panes:
            pane.fog.take_care(quality, width * height // len(self._panes))
        pose = self.camera
        pixels = self._window.picture(width, height, pose, quality)
        panes = tuple((pane.title, pane.message, pane.scale) for pane in self._content.panes)
        shown = self._content
        facts = SceneFacts(
            pose, panes, shown.heart, shown.mark_mm, shown.is_oriented, shown.background
        )
        return ScenePicture(pixels, facts)

    def pick(self, pane: int, across: float, down: float) -> Point | None:
        """The place in the patient under a place in the last picture.

        Args:
            pane: From 0, left to right.
            across: Share of the pane's width, from the left.
            down: Share of the pane's height, from the top.

        Returns:
            None where there is nothing.
        """
        ray = picking.ray_through(self.camera, self._aspect, across, down)
        return picking.pick(self._content, pane, ray)

    @property
    def drawn_by(self) -> str:
        """What draws, by its own name, e.g. `llvmpipe` for the processor."""
        return self._window.drawn_by

    @property
    def camera(self) -> CameraPose:
        """Where the eye is, for panes of the shape of the last picture's."""
        return self._camera.pose(self._aspect)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the last picture [pixels]."""
        return self._size

    def set_camera(self, pose: CameraPose, size: tuple[int, int] | None = None) -> None:
        """Stand where a pose says.

        Args:
            pose: Of a picture.
            size: Of that picture [pixels]; None where the last one was of its shape.
        """
        self._size = self._size if size is None else size
        self._camera.take_pose(pose, self._aspect)

    def look_from(self, viewpoint: Viewpoint) -> None:
        """Frame what there is from here: the surfaces; without any, slices and image."""
        self._camera.look_from(viewpoint, self._content.heart)
        self._camera.frame(_cloud(self._content))

    def look_from_front(self) -> None:
        """Look as one does who faces the patient, head up, from a little above.

        Where nobody knows how the patient lay, the heart is stood upright.
        """
        self.look_from(Viewpoint.FRONT if self._content.is_oriented else Viewpoint.HEART)

    def orbit(self, right_px: float, down_px: float) -> None:
        """Turn the scene with the mouse."""
        self._camera.orbit(right_px, down_px)

    def pan(self, right: float, down: float) -> None:
        """Shift the scene by shares of the picture's height."""
        self._camera.pan(right, down, self._aspect)

    def zoom(self, factor: float) -> None:
        """Enlarge about the middle."""
        self._camera.zoom(factor)

    def close(self) -> None:
        """Give the graphics memory back."""
        self._have_panes(0)
        self._content = SceneContent()
        self._window.close()

    @property
    def _aspect(self) -> float:
        width, height = self._size
        return width / max(1, len(self._panes)) / height

    def _have_panes(self, count: int) -> None:
        while len(self._panes) > count:
            self._panes.pop().close()
        self._window.have_panes(count)
        for renderer in self._window.renderers[len(self._panes) :]:
            self._panes.append(_Pane(renderer))


def _cloud(content: SceneContent) -> list[NDArray[np.floating]]:
    """Points of what is to be framed."""
    surfaces = [
        drawn.surface.vertices_mm
        for pane in content.panes
        for drawn in pane.surfaces
        if drawn.opacity > 0
    ]
    if any(len(vertices) for vertices in surfaces):
        return [*surfaces]
    fogs = [pane.fog for pane in content.panes if pane.fog is not None]
    if fogs:
        return [_places_of(fog, content.clip) for fog in fogs]
    return [corners_mm(plane) for pane in content.panes for plane in pane.planes]


def _places_of(fog: Fog, clip: ClipBox | None) -> NDArray[np.float64]:
    """Points (n, 3) [mm] round which the fog is."""
    if fog.near is None or not fog.near.any():
        return (ClipBox(fog.geometry) if clip is None else clip).corners_mm()
    found = np.argwhere(fog.near)[:, ::-1]
    to_mm = fog.geometry.affine
    places: NDArray[np.float64] = found @ to_mm[:3, :3].T + to_mm[:3, 3]
    return places
