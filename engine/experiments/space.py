"""Labelled volumes as surfaces in space: a figure, and files for other programs."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from engine.datasets.labelled import LabelledVolume
from engine.drawing.colours import class_colours
from engine.drawing.rendering import Triangles
from engine.drawing.solids import make_solids_figure
from engine.experiments.examples import Labels
from engine.geometry import Geometry
from engine.progress import Progress, Steps
from engine.structures import Structure
from engine.tasks import Task

SOLID_TASKS = ("short_axis", "left_atrium")
"""Tasks whose volumes have millimetres in all three directions."""

_KINDS = (".ply", ".stl")

Sides = Mapping[str, Mapping[str, Triangles]]
"""Surfaces by class name, by side: reference, prediction."""


def surfaces_of(volume: LabelledVolume, labels: Mapping[str, Labels], task: Task) -> Sides:
    """The surface of every class, in the volume that its voxels have.

    Args:
        volume: Where the labels lie; coordinates are [mm] along its own axes.
        labels: By side, (z, y, x).
        task: One of `SOLID_TASKS`.

    Returns:
        By side and class name; what a side does not show is left out.
    """
    from engine.mesh.shaping import surface

    geometry = _grid_of(volume)
    sides: dict[str, dict[str, Triangles]] = {}
    for side, voxels in labels.items():
        sides[side] = {}
        for number, name in enumerate(task.classes[1:], start=1):
            found = surface(voxels, geometry, Structure(number))  # numbers alone, of any task
            if found is not None and len(found.faces) > 0:
                sides[side][name] = found
    return sides


def draw_in_space(volume: LabelledVolume, sides: Sides, task: Task) -> Figure:
    """The image and every side's surfaces beside each other."""
    return make_solids_figure(volume.image, _grid_of(volume), sides, classes=task.classes)


def mesh_names(labels: Mapping[str, Labels], task: Task) -> list[str]:
    """The files that `write_meshes` writes of labels, by side."""
    return [
        f"{side}-{name}{kind}"
        for side, voxels in labels.items()
        for number, name in enumerate(task.classes[1:], start=1)
        if (voxels == number).any()
        for kind in _KINDS
    ]


def write_meshes(folder: Path, sides: Sides, task: Task) -> Steps[None]:
    """Write every surface as PLY in its colour and as STL: `reference-lv.ply` and so on."""
    from engine.mesh.files import write_mesh
    from engine.mesh.formats import Axes

    colours = class_colours(task.classes)
    pairs = [(side, name) for side, surfaces in sides.items() for name in surfaces]
    for number, (side, name) in enumerate(pairs):
        yield Progress(number, len(pairs), "Writing surfaces")
        for kind in _KINDS:
            path = folder / f"{side}-{name}{kind}"
            write_mesh(sides[side][name], path, colour=colours[name], axes=Axes.IMAGE)


def _grid_of(volume: LabelledVolume) -> Geometry:
    z_mm, y_mm, x_mm = volume.spacing_mm
    z, y, x = volume.image.shape[:3]
    return Geometry.from_affine(np.diag([x_mm, y_mm, z_mm, 1.0]), (z, y, x))
