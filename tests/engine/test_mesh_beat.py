"""Phases are wanted from the one on the screen outwards, round the beat."""

import pytest

from engine.mesh.beat import nearest_first


@pytest.mark.parametrize(
    ("count", "first", "order"),
    [(4, 3, [3, 0, 2, 1]), (5, 1, [1, 2, 0, 3, 4]), (1, 0, [0])],
)
def test_the_nearest_phases_of_the_beat_come_first(
    count: int, first: int, order: list[int]
) -> None:
    assert nearest_first(count, first) == order
