"""Runs that are killed, stopped and resumed end as if nothing had happened."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from engine.cli import learning, main
from engine.errors import ModelError
from engine.learning.checkpoint import load_tensors, save_tensors
from engine.learning.training import train
from engine.progress import Progress, run_to_end
from engine.recipe import Recipe
from tests.discs import disc_patients, tiny_recipe, write_disc_patients

ROOT = Path(__file__).parents[2]

RECIPE = tiny_recipe(
    network__options={"widths": (4, 8), "dropout": 0.3},
    augmentation__rotation_degrees=20.0,
    augmentation__noise=0.1,
    split__validation="held_out",
    training__epochs=4,
    training__average=0.9,
    training__schedule="plateau",
    training__patience=1,
    training__smallest_change=0.5,
    training__learning_rate=1e-2,
    training__keep="best",
)
"""Everything that remembers something: dropout, augmentation, Adam, mean, plateau, best epoch."""

_KILLED = """
import os, signal, sys
from pathlib import Path
from engine.learning.training import train
from engine.progress import run_to_end
from engine.recipe import read_recipe
from tests.discs import disc_patients

def kill_in_the_middle_of_epoch_3(progress):
    if progress.doing.startswith("Epoch 3") and progress.done % 4 == 2:
        os.kill(os.getpid(), signal.SIGKILL)

recipe = read_recipe(Path(sys.argv[1]))
steps = train(disc_patients(4), recipe, Path(sys.argv[2]), device="cpu", threads=1)
run_to_end(steps, tell=kill_in_the_middle_of_epoch_3)
"""


def run(recipe: Recipe, out: Path, *, resume: bool = False) -> Path:
    return run_to_end(train(disc_patients(4), recipe, out, device="cpu", threads=1, resume=resume))


def learned(out: Path) -> list[dict[str, Any]]:
    """The log without what depends on the machine."""
    rows = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    for row in rows:
        for name in ("seconds", "samples_per_second", "peak_memory_mb"):
            del row[name]
    return rows


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(RECIPE, tmp_path_factory.mktemp("whole") / "run")


def assert_ended_like(whole: Path, out: Path) -> None:
    assert learned(out) == learned(whole)
    for name in ("weights.safetensors", "last.safetensors"):
        assert (out / name).exists() == (whole / name).exists()
        if (whole / name).exists():
            ours, theirs = load_file(out / name), load_file(whole / name)
            for key, value in theirs.items():
                assert torch.equal(ours[key], value), key


def test_a_killed_run_goes_on_to_the_same_last_bit(whole: Path, tmp_path: Path) -> None:
    """SIGKILL in the middle of an epoch; nothing in the process had a chance to tidy up."""
    (tmp_path / "recipe.toml").write_text(RECIPE.to_toml())
    out = tmp_path / "killed"
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, str(tmp_path / "recipe.toml"), str(out)],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert [row["epoch"] for row in learned(out)] == [1, 2]

    assert_ended_like(whole, run(RECIPE, out, resume=True))
    assert len(json.loads((out / "environment.json").read_text())) == 2


def test_a_kill_between_the_log_and_the_state_repeats_the_epoch(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log is then one epoch ahead of the state; it must not get the epoch twice."""
    out = tmp_path / "run"
    calls = []

    def die_at_the_third(*arguments: Any, **_: Any) -> None:
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        save_tensors(*arguments)

    monkeypatch.setattr("engine.learning.recording.save_tensors", die_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        run(RECIPE, out)
    monkeypatch.undo()
    assert len(learned(out)) == 3

    assert_ended_like(whole, run(RECIPE, out, resume=True))


def test_a_run_stopped_while_it_is_scored_is_scored_again(tmp_path: Path) -> None:
    out = tmp_path / "run"
    steps = train(disc_patients(4), RECIPE, out, device="cpu", threads=1)
    next(progress for progress in steps if progress.doing.startswith("Scoring"))
    steps.close()
    assert not (out / "scores.json").exists()

    run(RECIPE, out, resume=True)
    assert (out / "scores.json").exists()
    assert not (out / "state.safetensors").exists()


def test_ctrl_c_ends_the_command_and_keeps_the_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "recipe.toml").write_text(RECIPE.to_toml())
    out, data = tmp_path / "run", write_disc_patients(tmp_path / "data", 4)
    arguments = ["train", tmp_path / "recipe.toml", "--data", data, "--out", out]
    arguments += ["--device", "cpu", "--threads", "1"]

    def press(progress: Progress) -> None:
        if progress.doing.startswith("Epoch 2"):
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(learning, "drive", lambda steps: run_to_end(steps, tell=press))
    # A shell that starts the tests in the background has Ctrl-C ignored, and Python keeps it so.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        code = main([str(argument) for argument in arguments])
    finally:
        signal.signal(signal.SIGINT, before)
    said = capsys.readouterr().err
    assert code == 2
    assert said.splitlines() == [
        "error: Stopped.",
        "Give --resume to go on where the last whole epoch ended.",
    ]
    assert [row["epoch"] for row in learned(out)] == [1]

    monkeypatch.undo()
    assert main([*map(str, arguments), "--resume"]) == 0
    assert [row["epoch"] for row in learned(out)] == [1, 2, 3, 4]


@pytest.fixture
def stopped(tmp_path: Path) -> Path:
    """A run that was closed in its second epoch."""
    steps = train(disc_patients(4), RECIPE, tmp_path / "stopped", device="cpu", threads=1)
    next(progress for progress in steps if progress.doing.startswith("Epoch 2"))
    steps.close()
    return tmp_path / "stopped"


def test_a_run_of_another_recipe_is_not_resumed(stopped: Path) -> None:
    before = (stopped / "state.safetensors").read_bytes()

    with pytest.raises(ModelError, match="another recipe"):
        run(tiny_recipe(training__epochs=9), stopped, resume=True)
    assert (stopped / "state.safetensors").read_bytes() == before


def test_a_stopped_run_is_not_overwritten(stopped: Path) -> None:
    with pytest.raises(ModelError, match="was stopped") as caught:
        run(RECIPE, stopped)
    assert "--resume" in caught.value.hint


def test_a_state_that_does_not_fit_is_refused_in_a_line(stopped: Path) -> None:
    tensors, notes = load_tensors(stopped / "state.safetensors")
    tensors["network.head.weight"] = tensors["network.head.weight"][:2]
    save_tensors(tensors, stopped / "state.safetensors", notes)

    with pytest.raises(ModelError, match="does not fit its recipe") as caught:
        run(RECIPE, stopped, resume=True)
    assert len(caught.value.what.splitlines()) == 1


def test_a_damaged_state_is_refused_in_a_line(stopped: Path) -> None:
    (stopped / "state.safetensors").write_bytes(b"nonsense")

    with pytest.raises(ModelError, match="damaged") as caught:
        run(RECIPE, stopped, resume=True)
    assert len(caught.value.what.splitlines()) == 1


def test_to_resume_what_was_never_begun_is_to_begin(tmp_path: Path) -> None:
    out = run(tiny_recipe(training__epochs=1), tmp_path / "run", resume=True)

    assert (out / "weights.safetensors").is_file()
