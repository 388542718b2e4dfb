"""Surfaces, slice plane and image volume in space, rendered into an array; no widget, no window.

This is the window's only door to pyvista, which is imported when the first scene is made: call
`import_steps` on a pool thread before. A scene may be used by one thread at a time only.
"""

import importlib
import os
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.geometry import Geometry
from engine.mesh import Surface
from engine.progress import Progress, Steps
from engine.structures import Structure

Colour = tuple[int, int, int]

_BACKGROUND = (0.05, 0.06, 0.08)
_MYOCARDIUM_OPACITY = 0.45  # the cavities lie inside
_REFERENCE_OPACITY = 0.15
_FROM_ABOVE_DEGREES = 30
_ROOM_SHARE = 0.25  # round the heart in the picture
_ORBIT_DEGREES_PER_PX = 0.5


def import_steps() -> Steps[None]:
    """Import what the first scene needs, which takes seconds."""
    yield Progress(0, 1, "Loading the 3-D view")
    for name in ("scipy.ndimage", "vtkmodules.vtkFiltersCore", "pyvista"):
        importlib.import_module(name)


class VolumeScene:
    """What stands in space, and the camera. Millimetres, right-anterior-superior."""

    def __init__(self) -> None:
        if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
            os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")
        self._pyvista: Any = importlib.import_module("pyvista")
        self._plotter: Any = self._pyvista.Plotter(off_screen=True, window_size=(64, 64))
        self._plotter.render_window.SetMultiSamples(0)  # software rendering pays for each
        self._plotter.set_background(_BACKGROUND)
        self._plotter.enable_parallel_projection()
        self._drawn: dict[str, tuple[object, ...]] = {}  # what each surface was made from

    def show_surfaces(
        self, surfaces: Mapping[Structure, Surface], colours: Mapping[Structure, Colour]
    ) -> None:
        """Draw the surfaces that have a colour, and no others."""
        for structure in (Structure.LV, Structure.RV, Structure.MYOCARDIUM):
            made, colour = surfaces.get(structure), colours.get(structure)
            opacity = _MYOCARDIUM_OPACITY if structure is Structure.MYOCARDIUM else 1.0
            self._show_surface(structure.name, made, colour, opacity=opacity, smooth_shading=True)

    def show_reference(self, surfaces: Mapping[Structure, Surface]) -> None:
        """Draw reference surfaces as a net, or none."""
        for structure in (Structure.LV, Structure.RV, Structure.MYOCARDIUM):
            self._show_surface(
                f"reference {structure.name}",
                surfaces.get(structure),
                (255, 255, 255),
                opacity=_REFERENCE_OPACITY,
                style="wireframe",
                lighting=False,
            )

    def show_slice(self, grey: NDArray[np.uint8] | None, geometry: Geometry, z: int) -> None:
        """Draw a slice (y, x) where it lies in the patient, or none."""
        if grey is None:
            self._plotter.remove_actor("slice", render=False)
            return
        height, width = grey.shape
        top, bottom, left, right = -0.5, height - 0.5, -0.5, width - 0.5
        corners = [
            geometry.position_mm(z=z, y=y, x=x)
            for y, x in ((bottom, left), (bottom, right), (top, right), (top, left))
        ]
        plane = self._pyvista.PolyData(np.array(corners), faces=np.array([4, 0, 1, 2, 3]))
        plane.active_texture_coordinates = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float32)
        texture = self._pyvista.Texture(np.repeat(grey[..., None], 3, axis=2))
        texture.InterpolateOn()
        self._plotter.add_mesh(
            plane, texture=texture, lighting=False, name="slice", render=False, reset_camera=False
        )

    def show_volume(
        self, voxels: NDArray[np.generic] | None, geometry: Geometry, window: tuple[float, float]
    ) -> None:
        """Draw the grey values of a phase (z, y, x) as a fog that is dense where bright.

        Args:
            voxels: The phase, or None to draw no fog.
            geometry: Its grid.
            window: Level and width of what is shown.
        """
        if voxels is None:
            self._plotter.remove_actor("volume", render=False)
            return
        level, width = window
        grid = self._pyvista.ImageData(dimensions=voxels.shape[::-1])
        low = level - width / 2
        grey = np.clip((voxels.astype(np.float32) - low) * (255 / width), 0, 255)
        grid.point_data["grey"] = grey.astype(np.uint8).ravel()
        fog = self._plotter.add_volume(
            grid,
            scalars="grey",
            cmap="gray",
            clim=(0, 255),
            opacity=[0.0, 0.0, 0.02, 0.08, 0.2],
            show_scalar_bar=False,
            name="volume",
            render=False,
            reset_camera=False,
        )
        fog.user_matrix = geometry.affine

    def look_from_front(self) -> None:
        """Look at the heart as one does who faces the patient, head up, from a little above."""
        self._plotter.camera_position = "xz"
        camera = self._plotter.camera
        camera.azimuth = 180
        camera.Elevation(_FROM_ABOVE_DEGREES)
        camera.OrthogonalizeViewUp()
        hearts = [name for name in self._plotter.actors if name in Structure.__members__]
        bounds = [self._plotter.actors[name].bounds for name in hearts]
        if bounds:
            low, high = np.min(bounds, axis=0)[::2], np.max(bounds, axis=0)[1::2]
            room = _ROOM_SHARE * (high - low)
            limits = np.stack([low - room, high + room], axis=1)
            self._plotter.reset_camera(render=False, bounds=limits.ravel().tolist())
        else:
            self._plotter.reset_camera(render=False)

    def orbit(self, right_px: float, down_px: float) -> None:
        """Turn the scene with the mouse."""
        camera = self._plotter.camera
        camera.Azimuth(-right_px * _ORBIT_DEGREES_PER_PX)
        camera.Elevation(down_px * _ORBIT_DEGREES_PER_PX)
        camera.OrthogonalizeViewUp()

    def pan(self, right: float, down: float) -> None:
        """Shift the scene by shares of the picture's height."""
        camera = self._plotter.camera
        height_mm = 2 * camera.parallel_scale
        across, up = self._camera_axes()
        way = height_mm * (down * up - right * across)
        camera.focal_point = tuple(np.array(camera.focal_point) + way)
        camera.position = tuple(np.array(camera.position) + way)

    def zoom(self, factor: float) -> None:
        """Enlarge about the middle."""
        self._plotter.camera.zoom(factor)

    def axes_on_screen(self) -> NDArray[np.float64]:
        """Where right, anterior and superior point on the screen: (3, 2), across and up."""
        across, up = self._camera_axes()
        return np.stack([across, up], axis=1)

    def render(self, width: int, height: int) -> NDArray[np.uint8]:
        """The picture, (height, width, 3)."""
        if tuple(self._plotter.window_size) != (width, height):
            self._plotter.window_size = (width, height)
        self._plotter.renderer.ResetCameraClippingRange()
        self._plotter.render()
        picture: NDArray[np.uint8] = self._plotter.screenshot(return_img=True)
        self._plotter.render_window.ReleaseCurrent()  # the next one may come from another thread
        return np.ascontiguousarray(picture[..., :3])

    def close(self) -> None:
        """Give the graphics memory back."""
        self._plotter.close()

    def _camera_axes(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Unit vectors across and up the screen, in patient coordinates."""
        camera = self._plotter.camera
        ahead = np.array(camera.focal_point) - np.array(camera.position)
        across = np.cross(ahead, camera.up)
        across /= np.linalg.norm(across)
        up = np.cross(across, ahead)
        return across, up / np.linalg.norm(up)

    def _show_surface(
        self, name: str, made: Surface | None, colour: Colour | None, **options: object
    ) -> None:
        if made is None or colour is None:
            self._plotter.remove_actor(name, render=False)
            self._drawn.pop(name, None)
            return
        if self._drawn.get(name) == (made, colour):  # a surface never changes
            return
        self._drawn[name] = (made, colour)
        mesh = self._pyvista.PolyData.from_regular_faces(made.vertices_mm, made.faces)
        self._plotter.add_mesh(
            mesh,
            color=[part / 255 for part in colour],
            name=name,
            render=False,
            reset_camera=False,
            **options,
        )
