"""The surfaces of all phases of a heartbeat, each handed out as soon as it is made."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from engine.labelmap import LabelMap
from engine.mesh.shaping import surface
from engine.mesh.surface import Surface
from engine.progress import Progress, Steps
from engine.structures import Structure


@dataclass(frozen=True, slots=True, eq=False)
class PhaseMade(Progress):
    """Progress that brings the surfaces of a phase.

    Attributes:
        phase: Which (0-based).
        surfaces: By structure; those that are absent in it lack.
    """

    phase: int
    surfaces: dict[Structure, Surface] = field(repr=False)


def beat(labels: LabelMap, structures: Iterable[Structure], *, first: int) -> Steps[None]:
    """The surfaces of every phase, in the order in which they will be wanted.

    Args:
        labels: All phases; a copy, where someone may change them meanwhile.
        structures: Which.
        first: The phase (0-based) that is on the screen; those next to it in the heartbeat, which
            goes round, follow.

    Returns:
        Nothing: each phase comes as a `PhaseMade` among the other progress.
    """
    wanted = tuple(structures)
    phases = nearest_first(labels.shape[0], first)
    for done, phase in enumerate(phases):
        doing = f"Surfaces of phase {phase + 1}"
        found: dict[Structure, Surface] = {}
        for structure in wanted:
            yield Progress(done, len(phases), doing)
            made = surface(labels.voxels[phase], labels.geometry, structure)
            if made is not None:
                found[structure] = made
        yield PhaseMade(done + 1, len(phases), doing, phase, found)


def nearest_first(count: int, first: int) -> list[int]:
    """All of `count` phases, the nearest to `first` in a heartbeat first, later before earlier."""
    return sorted(range(count), key=lambda phase: _order(phase, first, count))


def _order(phase: int, first: int, count: int) -> tuple[int, int]:
    later = (phase - first) % count
    return min(later, count - later), later
