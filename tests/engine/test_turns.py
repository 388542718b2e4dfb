"""Trainings of the command line wait for whoever has the device."""

import threading
from pathlib import Path

import pytest

from engine.cli.patient import DeviceChoice
from engine.cli.turns import in_turn
from engine.learning.apart.places import claim_of_device, claimed
from engine.progress import Cancelled


@pytest.fixture(autouse=True)
def claims(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEARTSEG_TRAININGS", str(tmp_path))
    monkeypatch.setattr("engine.learning.apart.steps._WAIT_S", 0.01)
    for name in ("RANK", "LOCAL_RANK", "NODE_RANK"):
        monkeypatch.delenv(name, raising=False)


def is_free() -> bool:
    with claimed(claim_of_device("cpu")) as free:
        return free


def test_the_device_is_ours_until_the_end_and_nobody_is_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with in_turn(DeviceChoice.CPU, beside=False):
        assert not is_free()
    assert is_free()
    assert capsys.readouterr() == ("", "")


def test_whoever_comes_second_says_so_and_waits(capsys: pytest.CaptureFixture[str]) -> None:
    order: list[str] = []

    def second() -> None:
        with in_turn(DeviceChoice.CPU, beside=False):
            order.append("second")

    with in_turn(DeviceChoice.CPU, beside=False):
        waiting = threading.Thread(target=second)
        waiting.start()
        waiting.join(timeout=0.5)
        assert waiting.is_alive()
        order.append("first")
    waiting.join(timeout=30)
    assert order == ["first", "second"]
    assert "Another training has this device" in capsys.readouterr().err
    assert is_free()


def test_a_failure_lets_go_of_the_device() -> None:
    with pytest.raises(Cancelled), in_turn(DeviceChoice.CPU, beside=False):
        raise Cancelled
    assert is_free()


def test_beside_neither_waits_nor_is_waited_for() -> None:
    with in_turn(DeviceChoice.CPU, beside=False), in_turn(DeviceChoice.CPU, beside=True):
        assert not is_free()
    with in_turn(DeviceChoice.CPU, beside=True):
        assert is_free()


def test_the_other_processes_of_a_training_do_not_wait_for_their_own_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with in_turn(DeviceChoice.CPU, beside=False):
        monkeypatch.setenv("LOCAL_RANK", "1")
        with in_turn(DeviceChoice.CPU, beside=False):
            pass
