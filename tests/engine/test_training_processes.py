"""Training through the command line, with one process and with two."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from engine.cli import main
from tests.discs import tiny_recipe, write_disc_patients

ROOT = Path(__file__).parents[2]

RECIPE = tiny_recipe(
    network__name="small_unet",  # without normalisation, which would see half a batch
    loss__sum="1.0 * ce",
    training__optimiser="sgd",
    training__learning_rate=0.05,
    training__clip_gradient=1.0,
    split__validation="held_out",
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_disc_patients(tmp_path_factory.mktemp("data") / "discs", 4)


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    (tmp_path / "recipe.toml").write_text(RECIPE.to_toml())
    return tmp_path / "recipe.toml"


def command(recipe: Path, data: Path, out: Path, *further: str) -> list[str]:
    given = ["train", str(recipe), "--data", str(data), "--out", str(out)]
    return [*given, "--device", "cpu", "--threads", "1", *further]


def test_two_processes_learn_what_one_learns(recipe: Path, data: Path, tmp_path: Path) -> None:
    """Each takes half of every batch; the mean of their gradients is that of the whole."""
    two = tmp_path / "two"
    done = subprocess.run(
        [sys.executable, "-m", "engine.cli", *command(recipe, data, two, "--devices", "2")],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert main(command(recipe, data, tmp_path / "one")) == 0

    single = load_file(tmp_path / "one" / "weights.safetensors")
    shared = load_file(two / "weights.safetensors")
    for name, value in single.items():
        assert torch.allclose(value, shared[name], atol=1e-5), name
    first, second = (read_log(tmp_path / name) for name in ("one", "two"))
    for ours, theirs in zip(first, second, strict=True):
        for name in ("loss", "val_loss", "val_dice", "val_iou"):
            assert theirs[name] == pytest.approx(ours[name], abs=1e-3)
    (environment,) = json.loads((two / "environment.json").read_text())
    assert environment["processes"] == 2
    assert done.stdout.count("Model:") == 1, "the first process alone tells"


def read_log(out: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


def test_the_command_line_changes_the_recipe(recipe: Path, data: Path, tmp_path: Path) -> None:
    changes = ["--epochs", "1", "--fold", "2", "--set", "training.batch=6"]
    changes += ["--set", "network.options.widths=[2, 4]", "--set", "training.optimiser=adam"]
    assert main(command(recipe, data, tmp_path / "run", *changes)) == 0

    written = (tmp_path / "run" / "recipe.toml").read_text()
    for line in ("epochs = 1", "fold = 2", "batch = 6", 'optimiser = "adam"'):
        assert line in written.splitlines()
    assert load_file(tmp_path / "run" / "weights.safetensors")["head.weight"].shape[1] == 2


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("training.batch=0", "training.batch"),
        ("training.btach=4", "batch"),
        ("trainig.batch=4", "training"),
        ("title.batch=4", "title has no fields"),
        ("training.batch", "section.field=value"),
        ("training.optimiser=newton", "optimiser"),
        ("split.fold=9", "folds count from 0"),
    ],
)
def test_a_change_that_makes_no_recipe_is_told_in_two_lines(
    change: str,
    told: str,
    recipe: Path,
    data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(command(recipe, data, tmp_path / "run", "--set", change)) == 2
    said = capsys.readouterr().err
    assert told in said
    assert len(said.strip().splitlines()) == 2
    assert not (tmp_path / "run").exists()


def test_a_full_disk_ends_with_two(
    recipe: Path,
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("engine.learning.checkpoint.save_file", full)
    assert main(command(recipe, data, tmp_path / "run")) == 2
    assert "No space left on device" in capsys.readouterr().err


def test_a_batch_must_be_shared_out_evenly(
    recipe: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from engine.errors import ModelError
    from engine.learning.training_data import check_recipe

    with pytest.raises(ModelError, match="cannot be shared out evenly to 3"):
        check_recipe(RECIPE, processes=3)
