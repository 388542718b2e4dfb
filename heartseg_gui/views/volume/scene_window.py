"""A render window that is on no screen: panes side by side, one camera, pictures as arrays."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from heartseg_gui.views.volume.scene_values import CameraPose, Colour, Quality

KIND_OF_WINDOW = "VTK_DEFAULT_OPENGL_WINDOW"
"""The environment variable by which VTK is told which of its windows to make."""

_SUPERSAMPLING = 2  # each way, for print
_MOST_PIXELS = 4_000_000  # of a picture that is supersampled: memory grows with its square
_BRIGHTER_ABOVE = 1.9  # the dark background becomes a little lighter upwards
_LIGHT_BACKGROUND = 100
_SLACK_MM = 1.0


class OffscreenWindow:
    """VTK's window, its panes and their light."""

    def __init__(self) -> None:
        from vtkmodules import vtkRenderingOpenGL2, vtkRenderingVolumeOpenGL2  # noqa: F401
        from vtkmodules.vtkRenderingCore import vtkCamera, vtkRenderWindow

        self._camera: Any = vtkCamera()
        self._camera.ParallelProjectionOn()
        self._window: Any = vtkRenderWindow()
        self._window.SetOffScreenRendering(True)
        self._window.SetMultiSamples(0)  # software rendering pays for each
        self._window.SetSize(64, 64)
        self._renderers: list[Any] = []

    @property
    def renderers(self) -> tuple[Any, ...]:
        """VTK's renderers, one a pane, left to right."""
        return tuple(self._renderers)

    @property
    def drawn_by(self) -> str:
        """What draws, by its own name, e.g. `llvmpipe`; empty before the first picture."""
        lines = self._window.ReportCapabilities().splitlines()
        named = [line.partition(":")[2] for line in lines if "renderer string" in line]
        return named[0].split("(")[0].strip() if named else ""

    def have_panes(self, count: int) -> None:
        """Divide the window; what stands in panes that go is dropped."""
        while len(self._renderers) > count:
            gone = self._renderers.pop()
            gone.RemoveAllViewProps()
            self._window.RemoveRenderer(gone)
        while len(self._renderers) < count:
            made = _new_renderer(self._camera)
            self._renderers.append(made)
            self._window.AddRenderer(made)
        for number, renderer in enumerate(self._renderers):
            renderer.SetViewport(number / count, 0.0, (number + 1) / count, 1.0)

    def set_background(self, colour: Colour) -> None:
        """Paint this behind everything."""
        below = [part / 255 for part in colour]
        is_light = sum(colour) / 3 > _LIGHT_BACKGROUND
        above = below if is_light else [min(1.0, part * _BRIGHTER_ABOVE) for part in below]
        for renderer in self._renderers:
            renderer.SetBackground(below)
            renderer.SetBackground2(above)
            renderer.SetGradientBackground(not is_light)

    def picture(
        self, width: int, height: int, pose: CameraPose, quality: Quality
    ) -> NDArray[np.uint8]:
        """Render, and read the picture back: (height, width, 3)."""
        fits = width * height <= _MOST_PIXELS
        factor = _SUPERSAMPLING if quality is Quality.PRINT and fits else 1
        self._window.SetSize(width * factor, height * factor)
        self._aim(pose)
        for renderer in self._renderers:
            renderer.SetUseFXAA(quality is not Quality.QUICK and factor == 1)
        self._window.Render()
        pixels = self._read_back(width * factor, height * factor)
        self._window.ReleaseCurrent()  # the next one may come from another thread
        return _shrunk(pixels, factor)

    def close(self) -> None:
        """Give the graphics memory back."""
        self.have_panes(0)
        self._window.Finalize()
        self._window = None

    def _aim(self, pose: CameraPose) -> None:
        self._camera.SetPosition(pose.position_mm)
        self._camera.SetFocalPoint(pose.focus_mm)
        self._camera.SetViewUp(pose.up)
        self._camera.SetParallelScale(pose.half_height_mm)
        depths = [_depths(renderer, pose) for renderer in self._renderers]
        found = [depth for depth in depths if depth is not None]
        if found:
            near = max(min(low for low, _ in found) - _SLACK_MM, _SLACK_MM)
            far = max(max(high for _, high in found) + _SLACK_MM, near + _SLACK_MM)
            self._camera.SetClippingRange(near, far)

    def _read_back(self, width: int, height: int) -> NDArray[np.uint8]:
        from vtkmodules.util.numpy_support import vtk_to_numpy
        from vtkmodules.vtkCommonCore import vtkUnsignedCharArray

        read = vtkUnsignedCharArray()
        self._window.GetPixelData(0, 0, width - 1, height - 1, 0, read, 0)
        flat: NDArray[np.uint8] = vtk_to_numpy(read)  # type: ignore[no-untyped-call]
        return np.ascontiguousarray(flat.reshape(height, width, 3)[::-1])


def _new_renderer(camera: Any) -> Any:
    from vtkmodules.vtkRenderingCore import vtkLight, vtkRenderer

    renderer = vtkRenderer()
    renderer.SetActiveCamera(camera)
    renderer.AutomaticLightCreationOff()
    light = vtkLight()
    light.SetLightTypeToHeadlight()  # surfaces bring light of their own
    renderer.AddLight(light)
    return renderer


def _depths(renderer: Any, pose: CameraPose) -> tuple[float, float] | None:
    """How near and how far from the eye anything in a pane is [mm]; None for an empty one."""
    limits = np.array(renderer.ComputeVisiblePropBounds()).reshape(3, 2)
    if (limits[:, 0] > limits[:, 1]).any():
        return None
    corners = np.array([(x, y, z) for x in limits[0] for y in limits[1] for z in limits[2]])
    depths = (np.array(pose.position_mm) - corners) @ pose.axes()[2]
    return float(depths.min()), float(depths.max())


def _shrunk(pixels: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """The mean of each square of pixels."""
    if factor == 1:
        return pixels
    parts = [
        pixels[row::factor, column::factor] for row in range(factor) for column in range(factor)
    ]
    summed = np.stack(parts).sum(axis=0, dtype=np.uint16)
    mean: NDArray[np.uint8] = ((summed + factor * factor // 2) // (factor * factor)).astype(
        np.uint8
    )
    return mean
