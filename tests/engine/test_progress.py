"""Slow work as generators: a part of a larger work, told as such."""

import pytest

from engine.progress import Cancelled, Progress, Steps, run_to_end, within


def work(closed: list[bool], *, total: int = 4) -> Steps[str]:
    try:
        for number in range(3):
            yield Progress(number, total, f"step {number}")
    finally:
        closed.append(True)
    return "result"


def test_a_part_is_told_as_its_share_of_the_whole() -> None:
    said: list[Progress] = []
    closed: list[bool] = []

    assert run_to_end(within(work(closed), 1, 3, "Second"), tell=said.append) == "result"
    assert said == [
        Progress(100, 300, "Second: step 0"),
        Progress(125, 300, "Second: step 1"),
        Progress(150, 300, "Second: step 2"),
    ]
    assert closed == [True]


def test_a_part_of_unknown_or_outrun_length_stays_within_its_share() -> None:
    said: list[Progress] = []
    run_to_end(within(work([], total=0), 2, 3, "Last"), tell=said.append)
    run_to_end(within(work([], total=1), 0, 3, "First"), tell=said.append)

    assert [progress.done for progress in said] == [200, 200, 200, 0, 100, 100]


def test_stopping_the_whole_closes_the_part() -> None:
    closed: list[bool] = []

    with pytest.raises(Cancelled):
        run_to_end(within(work(closed), 0, 1, "All"), stop=lambda: True)
    assert closed == [True]
