"""The marked place of one pane of a scene: a small ball."""

from typing import Any

from heartseg_gui.views.volume.scene_values import Point

_RADIUS_MM = 2.2
_COLOUR = (0.20, 0.85, 1.0)
_ROUNDNESS = 18


class SceneMark:
    """The ball at the marked place; the ring that is seen through everything is painted later."""

    def __init__(self, renderer: Any) -> None:
        self._renderer = renderer
        self._actor: Any = None

    def show(self, point_mm: Point | None) -> None:
        """Mark this place, or none."""
        if point_mm is None:
            self.close()
            return
        if self._actor is None:
            self._actor = _ball()
            self._renderer.AddActor(self._actor)
        self._actor.SetPosition(point_mm)

    def close(self) -> None:
        """Take it away."""
        if self._actor is not None:
            self._renderer.RemoveActor(self._actor)
            self._actor = None


def _ball() -> Any:
    from vtkmodules.vtkFiltersSources import vtkSphereSource
    from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper

    ball, mapper, actor = vtkSphereSource(), vtkPolyDataMapper(), vtkActor()
    ball.SetRadius(_RADIUS_MM)
    ball.SetThetaResolution(_ROUNDNESS)
    ball.SetPhiResolution(_ROUNDNESS)
    mapper.SetInputConnection(ball.GetOutputPort())
    actor.SetMapper(mapper)
    actor.GetProperty().SetColor(*_COLOUR)
    actor.GetProperty().SetAmbient(0.5)
    return actor
