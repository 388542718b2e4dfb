"""Surfaces of one pane of a scene: solid, like glass, or coloured by values."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from heartseg_gui.views.volume.scene_cuts import SceneCuts, corners_of, cut_off
from heartseg_gui.views.volume.scene_values import ColourScale, DrawnSurface
from heartseg_gui.views.volume.transfer_functions import colours_of_values

_SOLID = 0.995
_AMBIENT, _DIFFUSE = 0.34, 0.72
_AMBIENT_OF_VALUES, _DIFFUSE_OF_VALUES = 0.56, 0.44  # flatter: the colour is to be read
_WARM_SHADE = np.array([1.0, 0.72, 0.55])  # shadows of living tissue are red, not black
_LIGHT = "//VTK::Light::Impl"
_LIT = (
    "//VTK::Light::Impl\n"
    "  vec3 n = normalVCVSOutput;\n"
    "  float key = max(0.0, dot(n, vec3(-0.353, 0.510, 0.784)));\n"
    "  float fill = max(0.0, dot(n, vec3(0.743, -0.131, 0.656)));\n"
    "  float shine = max(0.0, dot(n, vec3(-0.187, 0.270, 0.944)));\n"
    "  shine = pow(shine, 28.0);\n"
    "  vec3 lit = ambientColor + diffuseColor * (0.82 * key + 0.30 * fill) + 0.2 * shine;\n"
    "  fragOutput0 = vec4(lit, {alpha});\n"
)
"""A key light from the upper left and a fill from the right, both fixed to the reader.

VTK's own sum over its lights takes half as long again in software.
"""

_GLASS_ALPHA = "clamp(opacity * (0.6 + 2.6 * (1.0 - abs(n.z)) * (1.0 - abs(n.z))), 0.0, 1.0)"
"""Glass hides least where it faces the reader: it shows its form and what lies in it at once."""


class SceneSurfaces:
    """The surfaces of one pane."""

    def __init__(self, renderer: Any) -> None:
        self._renderer = renderer
        self._shown: list[_SurfaceActor] = []

    def show(
        self, surfaces: tuple[DrawnSurface, ...], scale: ColourScale | None, cuts: SceneCuts
    ) -> None:
        """Draw these and no others.

        Args:
            surfaces: Those without opacity are left out.
            scale: For those with values.
            cuts: What is taken from them.
        """
        wanted = [drawn for drawn in surfaces if drawn.opacity > 0 and len(drawn.surface.faces)]
        wanted.sort(key=_paint_order)
        while len(self._shown) > len(wanted):
            self._renderer.RemoveActor(self._shown.pop().actor)
        while len(self._shown) < len(wanted):
            self._shown.append(_SurfaceActor())
            self._renderer.AddActor(self._shown[-1].actor)
        for shown, drawn in zip(self._shown, wanted, strict=True):
            shown.show(drawn, scale)
            shown.cut(cuts)

    def close(self) -> None:
        """Take all away."""
        self.show((), None, SceneCuts(None, None))


class _SurfaceActor:
    """One surface, made anew only where something has changed."""

    def __init__(self) -> None:
        from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper

        self.actor: Any = vtkActor()
        self._mapper: Any = vtkPolyDataMapper()
        self._mapper.SetColorModeToDirectScalars()
        self.actor.SetMapper(self._mapper)
        self._drawn: DrawnSurface | None = None
        self._scale: ColourScale | None = None
        self._corners: NDArray[np.floating] = np.empty((0, 3))
        self._alpha = ""

    def show(self, drawn: DrawnSurface, scale: ColourScale | None) -> None:
        if not self._has_mesh_of(drawn, scale):
            self._mapper.SetInputData(_mesh(drawn, scale))
            self._corners = corners_of(drawn.surface.bounds_mm)
        self._drawn, self._scale = drawn, scale
        self._dress(drawn, with_values=drawn.values is not None and scale is not None)

    def cut(self, cuts: SceneCuts) -> None:
        cut_off(self._mapper, cuts.of(self._corners))

    def _has_mesh_of(self, drawn: DrawnSurface, scale: ColourScale | None) -> bool:
        last = self._drawn
        if last is None or last.surface is not drawn.surface or last.values is not drawn.values:
            return False
        return drawn.values is None or self._scale == scale

    def _dress(self, drawn: DrawnSurface, *, with_values: bool) -> None:
        """Colour and opacity; glass is drawn on the side towards the reader only."""
        look, colour = self.actor.GetProperty(), np.array(drawn.colour) / 255
        is_glass = drawn.opacity < _SOLID and not drawn.net
        self._mapper.SetScalarVisibility(with_values)
        look.SetDiffuseColor(colour)
        look.SetAmbientColor(colour * _WARM_SHADE)
        look.SetAmbient(_AMBIENT_OF_VALUES if with_values else _AMBIENT)
        look.SetDiffuse(_DIFFUSE_OF_VALUES if with_values else _DIFFUSE)
        look.SetOpacity(drawn.opacity)
        look.SetBackfaceCulling(is_glass)
        look.SetLighting(not drawn.net)
        if drawn.net:
            look.SetRepresentationToWireframe()
        else:
            look.SetRepresentationToSurface()
        self._shade("" if drawn.net else _GLASS_ALPHA if is_glass else "opacity")

    def _shade(self, alpha: str) -> None:
        """Light it by our own code; a net is not lit. Changing this compiles it anew."""
        if alpha == self._alpha:
            return
        self._alpha = alpha
        shading = self.actor.GetShaderProperty()
        shading.ClearAllFragmentShaderReplacements()
        if alpha:
            code = _LIT.replace("{alpha}", alpha)
            shading.AddFragmentShaderReplacement(_LIGHT, False, code, False)


def _paint_order(drawn: DrawnSurface) -> tuple[bool, float]:
    """Glass is painted over what is there: what lies inside comes first, nets come last."""
    if drawn.opacity >= _SOLID:
        return drawn.net, 0.0
    low_mm, high_mm = drawn.surface.bounds_mm
    return drawn.net, float(np.prod(high_mm - low_mm))


def _mesh(drawn: DrawnSurface, scale: ColourScale | None) -> Any:
    """VTK's mesh; vertices and faces are shared with the surface, not copied."""
    from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
    from vtkmodules.vtkCommonCore import vtkPoints
    from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData

    vertices = np.ascontiguousarray(drawn.surface.vertices_mm, np.float32)
    faces = np.ascontiguousarray(drawn.surface.faces, np.int64)
    points, triangles, mesh = vtkPoints(), vtkCellArray(), vtkPolyData()
    points.SetData(numpy_to_vtk(vertices))  # type: ignore[no-untyped-call]
    triangles.SetData(3, numpy_to_vtkIdTypeArray(faces.ravel()))  # type: ignore[no-untyped-call]
    mesh.SetPoints(points)
    mesh.SetPolys(triangles)
    mesh = _with_normals(mesh)
    if drawn.values is not None and scale is not None:
        colours = colours_of_values(drawn.values, scale.low, scale.high, scale.colours)
        mesh.GetPointData().SetScalars(numpy_to_vtk(colours, deep=True))  # type: ignore[no-untyped-call]
    return mesh


def _with_normals(mesh: Any) -> Any:
    """The mesh with unit normals at its vertices: those of the faces round them, by area."""
    from vtkmodules.vtkFiltersCore import vtkTriangleMeshPointNormals

    normals = vtkTriangleMeshPointNormals()
    normals.SetInputData(mesh)
    normals.Update()
    return normals.GetOutput()
