"""Any work of the engine in a process of its own: told, stopped, awaited, its faults told."""

import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from engine.errors import ModelError
from engine.learning.apart.order import TrainingNews
from engine.learning.apart.places import claim_of_device, claimed
from engine.learning.apart.running import run_apart
from engine.learning.apart.steps import await_turn, steps_to_end
from engine.loop.apart import TARGET
from engine.progress import Progress, Steps, run_to_end

CLOSED: list[str] = []


def count(order: Mapping[str, Any]) -> Steps[Mapping[str, Any]]:
    """Counts to a number."""
    try:
        for number in range(order["to"]):
            yield Progress(number, order["to"], f"at {number}")
        return {"sum": sum(range(order["to"]))}
    finally:
        CLOSED.append("closed")


@pytest.fixture
def target() -> Iterator[str]:
    """A module of the engine, as far as the worker can see."""
    module = ModuleType("engine.counting")
    module.count = count  # type: ignore[attr-defined]
    sys.modules["engine.counting"] = module
    CLOSED.clear()
    yield "engine.counting:count"
    del sys.modules["engine.counting"]


class Told:
    def __init__(self) -> None:
        self.news: list[TrainingNews] = []

    def tell(self, news: TrainingNews) -> None:
        self.news.append(news)


class Ears:
    def __init__(self) -> None:
        self.paused = self.stopped = self.keeping = False
        self.news = threading.Event()


def test_steps_are_told_and_their_result_comes_back(target: str) -> None:
    told = Told()
    assert steps_to_end(target, {"to": 3}, told, Ears()) == {"sum": 3}
    assert [news.doing for news in told.news] == ["at 0", "at 1", "at 2"]
    assert CLOSED == ["closed"]


def test_stopping_closes_the_work_after_the_step(target: str) -> None:
    ears = Ears()

    class Stops(Told):
        def tell(self, news: TrainingNews) -> None:
            super().tell(news)
            ears.stopped = news.done == 1

    told = Stops()
    assert steps_to_end(target, {"to": 9}, told, ears) == {}
    assert len(told.news) == 2
    assert CLOSED == ["closed"]


def test_nothing_but_the_engine_is_run() -> None:
    with pytest.raises(AssertionError):
        steps_to_end("os:system", {}, Told(), Ears())


def test_a_device_that_another_has_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEARTSEG_TRAININGS", str(tmp_path))
    monkeypatch.setattr("engine.learning.apart.steps._WAIT_S", 0.0)
    with ExitStack() as mine:
        waiting = await_turn("cpu", mine)
        with claimed(claim_of_device("cpu")) as first:
            assert first
            assert "Waiting" in next(waiting).doing
        run_to_end(waiting)
        with claimed(claim_of_device("cpu")) as again:
            assert not again, "it is ours"


def test_a_fault_of_the_other_process_is_told_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEARTSEG_TRAININGS", str(tmp_path))
    with pytest.raises(ModelError, match="order of a round is damaged"):
        run_to_end(run_apart(TARGET, {"loop": "somewhere"}))
