"""The study's long-axis images as planes in space: which of them, and in which phase."""

from collections.abc import Sequence

import numpy as np

from engine.cine import Cine
from engine.geometry import Geometry
from engine.study import Stack
from heartseg_gui.views.volume.fog_voxels import windowed
from heartseg_gui.views.volume.scene_values import Colour, Plane

_FRAME: Colour = (150, 156, 166)
_SAME_DEGREES, _SAME_MM = 15.0, 15.0  # two images of one view: a breath lies between them


def distinct(views: Sequence[Stack]) -> tuple[Stack, ...]:
    """The views without those that were taken again later, nearly in the same plane.

    Two images a few millimetres apart hide each other and the heart; whoever takes a view again
    was not content with the first.
    """
    return tuple(
        view
        for number, view in enumerate(views)
        if not any(
            _same_plane(view.cine.geometry, later.cine.geometry) for later in views[number + 1 :]
        )
    )


def planes_of(cine: Cine, phase: int, of_phases: int) -> list[Plane]:
    """The slices of a view at the same time of the heartbeat as a phase of the stack.

    They hide what lies behind: grey that is mixed with colours can neither be read nor compared
    with the border of a surface.

    Args:
        cine: The view.
        phase: Of the stack (0-based).
        of_phases: How many the stack has.
    """
    share = phase / max(1, of_phases)
    own = min(round(share * cine.phase_count), cine.phase_count - 1)
    low, high = (float(part) for part in np.percentile(cine.voxels[own], (1, 99)))
    window = ((low + high) / 2, max(high - low, 1e-6))
    return [
        Plane(windowed(cine.voxels[own, z], window), cine.geometry, z, _FRAME)
        for z in range(cine.slice_count)
    ]


def _same_plane(one: Geometry, other: Geometry) -> bool:
    """Whether two single slices lie in nearly the same plane."""
    if one.shape[0] > 1 or other.shape[0] > 1:
        return False
    normal = one.slice_normal
    if abs(float(normal @ other.slice_normal)) < np.cos(np.radians(_SAME_DEGREES)):
        return False
    return abs(float(normal @ (_middle_mm(other) - _middle_mm(one)))) < _SAME_MM


def _middle_mm(geometry: Geometry) -> np.ndarray:
    _, height, width = geometry.shape
    return geometry.position_mm(z=0, y=(height - 1) / 2, x=(width - 1) / 2)
