"""Surfaces of many phases as VTP files with a `.pvd` that names their times, as ParaView opens."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np

from engine.cine import Cine
from engine.drawing.rendering import Triangles
from engine.mesh.formats import MADE_BY, Axes, NamedSurface, rgb_of


def vtp_bytes(part: NamedSurface, *, axes: Axes = Axes.PATIENT) -> bytes:
    """The part as VTK's XML [mm], with its colour and its values at every vertex."""
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkIOXML import vtkXMLPolyDataWriter

    mesh = polydata(part.surface)
    count = len(part.surface.vertices_mm)
    colours = np.broadcast_to(np.array(rgb_of(part.colour), np.uint8), (count, 3))
    for name, numbers in (*part.values.items(), ("colour", colours)):
        array = numpy_to_vtk(np.ascontiguousarray(numbers), deep=True)  # type: ignore[no-untyped-call]
        array.SetName(name)
        mesh.GetPointData().AddArray(array)
    writer = vtkXMLPolyDataWriter()
    writer.SetInputData(mesh)
    writer.SetDataModeToAppended()
    writer.EncodeAppendedDataOff()
    writer.WriteToOutputStringOn()
    writer.Write()
    text: bytes | str = writer.GetOutputString()
    content = text.encode("utf-8") if isinstance(text, str) else text  # str where it happens to be
    return f"<!-- made by {MADE_BY}, {axes}, unit mm -->\n".encode("ascii") + content


def pvd_bytes(files: Sequence[tuple[float, str, str]]) -> bytes:
    """The list of a series of VTP files, as ParaView's `.pvd`.

    Args:
        files: For each file the time it is of [s], the part of the scene and its path beside
            the list.
    """
    parts = list(dict.fromkeys(part for _, part, _ in files))
    rows = [
        f'    <DataSet timestep="{time_s:.6g}" group="" part="{parts.index(part)}"'
        f" name={quoteattr(part)} file={quoteattr(path)}/>"
        for time_s, part, path in files
    ]
    lines = [
        '<?xml version="1.0"?>',
        f"<!-- made by {MADE_BY}; times in seconds -->",
        '<VTKFile type="Collection" version="0.1" byte_order="LittleEndian">',
        "  <Collection>",
        *rows,
        "  </Collection>",
        "</VTKFile>",
    ]
    return ("\n".join(lines) + "\n").encode("utf-8")


def beat_times_s(cine: Cine, phases: Sequence[int]) -> list[float]:
    """When each phase of a beat begins, and when the beat ends [s]; one more than phases.

    From 0. The beat lasts a second, in equal parts, where the images do not say when they were
    taken, or where only some of their phases are shown.
    """
    times_ms, count = cine.phase_times_ms, len(phases)
    rising = all(earlier < later for earlier, later in pairwise(times_ms))
    if count < cine.phase_count or count == 1 or not times_ms or not rising:
        return [number / count for number in range(count + 1)]
    frame_ms = (times_ms[-1] - times_ms[0]) / (count - 1)
    return [(ms - times_ms[0]) / 1000 for ms in (*times_ms, times_ms[-1] + frame_ms)]


def polydata(surface: Triangles) -> Any:
    """The surface as VTK's own, `vtkPolyData`."""
    from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
    from vtkmodules.vtkCommonCore import vtkPoints
    from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData

    points = vtkPoints()
    points.SetData(numpy_to_vtk(np.ascontiguousarray(surface.vertices_mm), deep=True))  # type: ignore[no-untyped-call]
    cells = vtkCellArray()
    corners = np.ascontiguousarray(surface.faces, np.int64)
    cells.SetData(3, numpy_to_vtkIdTypeArray(corners.ravel(), deep=True))  # type: ignore[no-untyped-call]
    mesh = vtkPolyData()
    mesh.SetPoints(points)
    mesh.SetPolys(cells)
    return mesh
