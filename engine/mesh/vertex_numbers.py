"""What is measured at the vertices of surfaces, by name, for files that hold it."""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from engine.mesh.colouring import motion_mm, thickness_mm
from engine.mesh.formats import MeshFormat
from engine.mesh.surface import Surface
from engine.structures import Structure

_HOLDING = frozenset({MeshFormat.PLY, MeshFormat.VTP})

Numbers = Mapping[Structure, Mapping[str, NDArray[np.float32]]]
"""By structure and name a number for every vertex, (n,)."""


def has_room_for_numbers(formats: Iterable[MeshFormat]) -> bool:
    """Whether one of the formats holds a number for every vertex."""
    return not _HOLDING.isdisjoint(formats)


def vertex_numbers(
    surfaces: Mapping[Structure, Surface], *, at_ed: Mapping[Structure, Surface] | None = None
) -> Numbers:
    """Wall thickness and motion since end-diastole [mm].

    Args:
        surfaces: Of one phase.
        at_ed: Those of end-diastole; None where it is not known.

    Returns:
        `thickness_mm` of the myocardium, where there is an LV too; `motion_mm` of what is there at
        end-diastole too. See `engine.mesh.colouring`.
    """
    found: dict[Structure, dict[str, NDArray[np.float32]]] = {one: {} for one in surfaces}
    wall, cavity = surfaces.get(Structure.MYOCARDIUM), surfaces.get(Structure.LV)
    if wall is not None and cavity is not None:
        found[Structure.MYOCARDIUM]["thickness_mm"] = thickness_mm(wall, cavity)
    for structure, surface in surfaces.items():
        before = None if at_ed is None else at_ed.get(structure)
        if before is not None:
            found[structure]["motion_mm"] = motion_mm(surface, before)
    return found
