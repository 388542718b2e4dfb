"""The image of one pane of a scene as a fog, dense where it is bright."""

from typing import Any

import numpy as np

from heartseg_gui.views.volume.fog_voxels import Cut, drawn_grey, part_inside
from heartseg_gui.views.volume.scene_cuts import SceneCuts, cut_off
from heartseg_gui.views.volume.scene_values import ClipBox, Fog, Quality
from heartseg_gui.views.volume.transfer_functions import LAYER_MM, transfer_function

_STEP_MM = {Quality.QUICK: 3.0, Quality.FINE: 2.0, Quality.PRINT: 1.0}
_MOST_RAYS = {Quality.QUICK: 90_000, Quality.FINE: 360_000}


class SceneFog:
    """The fog of one pane."""

    def __init__(self, renderer: Any) -> None:
        self._renderer = renderer
        self._volume: Any = None
        self._drawn: tuple[object, ...] = ()
        self._look: tuple[object, ...] = ()

    def show(self, fog: Fog | None, clip: ClipBox | None, cuts: SceneCuts) -> None:
        """Draw this fog inside the box, or none.

        Args:
            fog: The image.
            clip: Along the image's own axes it costs nothing: what lies outside is left out.
            cuts: Those of the box, and of the cutting plane.
        """
        if fog is None or fog.opacity <= 0:
            self.close()
            return
        if self._volume is None:
            self._volume = _new_volume()
            self._renderer.AddVolume(self._volume)
        cut = part_inside(fog, clip)
        drawn = (fog.voxels, fog.geometry, fog.near, fog.window, cut)
        if not _same(self._drawn, drawn):
            self._drawn = drawn
            self._volume.GetMapper().SetInputData(_image(fog, cut))
            self._volume.SetUserMatrix(_to_mm(fog, cut))
        if self._look != (fog.transfer, fog.opacity):
            self._look = (fog.transfer, fog.opacity)
            _dress(self._volume.GetProperty(), fog)
        cut_off(self._volume.GetMapper(), cuts.of_fog(fog.geometry))

    def take_care(self, quality: Quality, pixels: int) -> None:
        """Choose how many rays are sent, and how often to look along them.

        Rays are what takes time without a graphics card: large panes get no more of them than
        middling ones, or a reader who moves the scene on would wait for seconds.

        Args:
            quality: Of the picture.
            pixels: Of the pane.
        """
        if self._volume is not None:
            most = _MOST_RAYS.get(quality, pixels)
            mapper = self._volume.GetMapper()
            mapper.SetImageSampleDistance(max(1.0, float(np.sqrt(pixels / most))))
            mapper.SetSampleDistance(_STEP_MM[quality])

    def close(self) -> None:
        """Take it away."""
        if self._volume is not None:
            self._renderer.RemoveVolume(self._volume)
            self._volume, self._drawn, self._look = None, (), ()


def _new_volume() -> Any:
    from vtkmodules.vtkRenderingCore import vtkVolume
    from vtkmodules.vtkRenderingVolumeOpenGL2 import vtkOpenGLGPUVolumeRayCastMapper

    mapper, volume = vtkOpenGLGPUVolumeRayCastMapper(), vtkVolume()
    mapper.AutoAdjustSampleDistancesOff()
    mapper.SetUseJittering(True)  # noise is seen less than the rings of too few samples
    volume.SetMapper(mapper)
    volume.GetProperty().SetInterpolationTypeToLinear()
    volume.GetProperty().SetScalarOpacityUnitDistance(LAYER_MM)
    return volume


def _same(one: tuple[object, ...], other: tuple[object, ...]) -> bool:
    """Arrays and grids are never changed, so they are compared by being the same."""
    if len(one) != len(other):
        return False
    same_objects = all(a is b for a, b in zip(one[:3], other[:3], strict=True))
    return same_objects and one[3:] == other[3:]


def _image(fog: Fog, cut: Cut) -> Any:
    """VTK's image of 8 bits in voxel millimetres, its first voxel at the origin."""
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonDataModel import vtkImageData

    grey = drawn_grey(fog, cut)
    if grey.shape[0] == 1:  # a single slice has no depth to look through
        grey = np.repeat(grey, 2, axis=0)
    image = vtkImageData()
    image.SetDimensions(grey.shape[2], grey.shape[1], grey.shape[0])
    image.SetSpacing(fog.geometry.spacing_mm[::-1])
    flat = np.ascontiguousarray(grey).ravel()
    image.GetPointData().SetScalars(numpy_to_vtk(flat, deep=True))  # type: ignore[no-untyped-call]
    return image


def _to_mm(fog: Fog, cut: Cut) -> Any:
    """From the image's own millimetres to the patient's."""
    from vtkmodules.vtkCommonMath import vtkMatrix4x4

    matrix = np.array(fog.geometry.affine)
    first = np.array([axis.start or 0 for axis in cut[::-1]])
    matrix[:3, 3] += matrix[:3, :3] @ first
    matrix[:3, :3] /= fog.geometry.spacing_mm[::-1]
    made = vtkMatrix4x4()
    made.DeepCopy(matrix.ravel().tolist())
    return made


def _dress(look: Any, fog: Fog) -> None:
    from vtkmodules.vtkCommonDataModel import vtkPiecewiseFunction
    from vtkmodules.vtkRenderingCore import vtkColorTransferFunction

    opacity, colour = vtkPiecewiseFunction(), vtkColorTransferFunction()
    for grey, opaque, *rgb in transfer_function(fog.transfer).points:
        opacity.AddPoint(255 * grey, opaque * fog.opacity)
        colour.AddRGBPoint(255 * grey, *rgb)
    look.SetScalarOpacity(opacity)
    look.SetColor(colour)
