"""The surfaces of a heartbeat come in the order in which they are wanted."""

import pytest

from engine.mesh.beat import PhaseMade, beat, nearest_first
from engine.mesh.shaping import surface
from engine.progress import Cancelled, Progress, run_to_end
from engine.structures import HEART_STRUCTURES, Structure
from tests.phantoms import CylinderHeart

_HEART = CylinderHeart()


def _run(first: int) -> list[Progress]:
    told: list[Progress] = []
    run_to_end(beat(_HEART.labels(), HEART_STRUCTURES, first=first), tell=told.append)
    return told


def test_every_phase_comes_once_and_the_nearest_come_first() -> None:
    made = [progress for progress in _run(3) if isinstance(progress, PhaseMade)]

    assert [each.phase for each in made] == [3, 0, 2, 1]  # the beat goes round
    assert [(each.done, each.total) for each in made] == [(n, 4) for n in range(1, 5)]


def test_phases_hold_the_surfaces_of_their_labels() -> None:
    for each in _run(0):
        if isinstance(each, PhaseMade):
            assert set(each.surfaces) == set(HEART_STRUCTURES)
            own = surface(_HEART.labels().voxels[each.phase], _HEART.geometry, Structure.LV)
            assert own is not None
            assert each.surfaces[Structure.LV].volume_ml == own.volume_ml


def test_progress_never_runs_backwards() -> None:
    done = [progress.done for progress in _run(1)]

    assert done == sorted(done)


def test_a_phase_without_labels_has_no_surface() -> None:
    told: list[Progress] = []

    run_to_end(beat(_HEART.labels([1]), (Structure.LV,), first=0), tell=told.append)

    made = {each.phase: each.surfaces for each in told if isinstance(each, PhaseMade)}
    assert {phase: set(found) for phase, found in made.items()} == {
        0: set(), 1: {Structure.LV}, 2: set(), 3: set(),
    }  # fmt: skip


def test_the_first_phase_is_there_before_the_others_are_begun() -> None:
    """It can be shown while the others are made, and the work can be stopped at any time."""
    told: list[Progress] = []

    with pytest.raises(Cancelled):
        run_to_end(
            beat(_HEART.labels(), HEART_STRUCTURES, first=2),
            tell=told.append,
            stop=lambda: isinstance(told[-1], PhaseMade),
        )

    assert isinstance(told[-1], PhaseMade)
    assert told[-1].phase == 2


def test_order_of_an_odd_number_of_phases() -> None:
    assert nearest_first(5, 1) == [1, 2, 0, 3, 4]
    assert nearest_first(1, 0) == [0]
