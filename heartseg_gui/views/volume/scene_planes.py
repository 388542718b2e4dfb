"""Slices of one pane of a scene, each where it lies in the patient."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from heartseg_gui.views.volume.plane_shapes import corners_mm, shape_mm, texture_places
from heartseg_gui.views.volume.scene_values import ClipBox, Plane

_FRAME_PX = 2.0


class ScenePlanes:
    """The slices of one pane."""

    def __init__(self, renderer: Any) -> None:
        self._renderer = renderer
        self._shown: list[tuple[Plane, list[Any]]] = []
        self._clip: ClipBox | None = None  # of what is shown

    def show(self, planes: tuple[Plane, ...], clip: ClipBox | None) -> None:
        """Draw these slices and no others.

        Args:
            planes: A plane that is shown already stays as it is.
            clip: What lies outside is cropped; frames go round what is left.
        """
        kept = {id(plane): actors for plane, actors in self._shown if self._clip is clip}
        staying = {id(plane) for plane in planes} & kept.keys()
        for plane, actors in self._shown:
            if id(plane) not in staying:
                for actor in actors:
                    self._renderer.RemoveActor(actor)
        self._clip = clip
        self._shown = [
            (plane, kept[id(plane)] if id(plane) in staying else self._add(plane, clip))
            for plane in planes
        ]

    def close(self) -> None:
        """Take all away."""
        self.show((), None)

    def _add(self, plane: Plane, clip: ClipBox | None) -> list[Any]:
        shape = shape_mm(plane, clip)
        if len(shape) == 0 or plane.opacity <= 0:
            return []
        actors = [_picture(plane, shape)]
        if plane.frame is not None:
            actors.append(_frame(plane.frame, shape))
        for actor in actors:
            self._renderer.AddActor(actor)
        return actors


def _outline(shape: NDArray[np.float64], *, filled: bool) -> Any:
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonCore import vtkPoints
    from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData

    points, cells, mesh = vtkPoints(), vtkCellArray(), vtkPolyData()
    points.SetData(numpy_to_vtk(shape, deep=True))  # type: ignore[no-untyped-call]
    numbers = [*range(len(shape)), *([] if filled else [0])]
    cells.InsertNextCell(len(numbers), numbers)
    mesh.SetPoints(points)
    if filled:
        mesh.SetPolys(cells)
    else:
        mesh.SetLines(cells)
    return mesh


def _picture(plane: Plane, shape: NDArray[np.float64]) -> Any:
    """An actor that carries the slice, neither lit nor shaded: its grey means something."""
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper

    mesh = _outline(shape, filled=True)
    places = texture_places(shape, corners_mm(plane))
    mesh.GetPointData().SetTCoords(numpy_to_vtk(places, deep=True))  # type: ignore[no-untyped-call]
    mapper, actor = vtkPolyDataMapper(), vtkActor()
    mapper.SetInputData(mesh)
    actor.SetMapper(mapper)
    actor.SetTexture(_texture(plane.grey))
    actor.GetProperty().LightingOff()
    actor.GetProperty().SetOpacity(plane.opacity)
    return actor


def _texture(grey: NDArray[np.uint8]) -> Any:
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonDataModel import vtkImageData
    from vtkmodules.vtkRenderingCore import vtkTexture

    colours = grey if grey.ndim == 3 else np.repeat(grey[..., None], 3, axis=2)
    height, width = colours.shape[:2]
    image, texture = vtkImageData(), vtkTexture()
    image.SetDimensions(width, height, 1)
    flat = np.ascontiguousarray(colours[::-1]).reshape(-1, 3)  # a texture begins below
    image.GetPointData().SetScalars(numpy_to_vtk(flat, deep=True))  # type: ignore[no-untyped-call]
    texture.SetInputData(image)
    texture.InterpolateOn()
    texture.SetColorModeToDirectScalars()
    return texture


def _frame(colour: tuple[int, int, int], shape: NDArray[np.float64]) -> Any:
    from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper

    mapper, actor = vtkPolyDataMapper(), vtkActor()
    mapper.SetInputData(_outline(shape, filled=False))
    actor.SetMapper(mapper)
    look = actor.GetProperty()
    look.LightingOff()
    look.SetColor([part / 255 for part in colour])
    look.SetLineWidth(_FRAME_PX)
    return actor
