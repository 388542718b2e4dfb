"""The values that colour a surface, kept while the surfaces are the same."""

from collections.abc import Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from engine.mesh.surface import Surface
from engine.structures import Structure
from heartseg_gui.documents.space_state import Colouring
from heartseg_gui.views.volume.kept import Kept
from heartseg_gui.views.volume.scene_values import ColourScale

_MOST_KEPT = 400

SCALES: Mapping[Colouring, ColourScale] = {
    Colouring.DIFFERENCE: ColourScale("Outside (+) or inside the other", -6, 6, "difference"),
    Colouring.THICKNESS: ColourScale("Wall thickness", 0, 18, "thickness"),
    Colouring.MOTION: ColourScale("Moved inwards since ED", 0, 15, "motion"),
}
"""What values are drawn in which colours: the same for every heart, so that hearts compare."""

Surfaces = Mapping[Structure, Surface]


class VertexValues:
    """Computes the values of surfaces; for one thread, that which draws."""

    def __init__(self) -> None:
        self._kept = Kept(_MOST_KEPT)

    def of(
        self, colouring: Colouring, structure: Structure, surfaces: Surfaces, other: Surfaces | None
    ) -> NDArray[np.float32] | None:
        """The value at every vertex of a structure's surface [mm], (n,); None for its own colour.

        Args:
            colouring: What the values say.
            structure: Whose surface.
            surfaces: Of the phase.
            other: Those of the other labels, or those at end-diastole; None where there are none.
        """
        parts = _parts(colouring, structure, surfaces, other)
        if parts is None:
            return None
        return self._kept.of(parts, colouring, partial(_compute, colouring, parts))


def _parts(
    colouring: Colouring, structure: Structure, surfaces: Surfaces, other: Surfaces | None
) -> tuple[Surface | None, ...] | None:
    """The surfaces that the values depend on, the coloured one first."""
    if colouring is Colouring.STRUCTURE:
        return None
    if colouring is Colouring.THICKNESS:
        wall = structure is Structure.MYOCARDIUM
        return (surfaces[structure], surfaces.get(Structure.LV)) if wall else None
    return (surfaces[structure], (other or {}).get(structure))


def _compute(colouring: Colouring, parts: tuple[Surface | None, ...]) -> NDArray[np.float32]:
    from engine.mesh.colouring import distance_mm, motion_mm, thickness_mm  # bring scipy

    surface, other = parts
    assert surface is not None
    if other is None:
        return np.full(len(surface.vertices_mm), np.nan, np.float32)
    if colouring is Colouring.DIFFERENCE:
        return distance_mm(surface, other)
    return (
        motion_mm(surface, other) if colouring is Colouring.MOTION else thickness_mm(surface, other)
    )
