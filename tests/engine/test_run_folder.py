"""The folder of a run: what of the user's is kept, what is begun anew, what is gone on with."""

import errno
import json
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file
from torch import equal

from engine.cli import main
from engine.errors import CannotSaveError, ModelError
from engine.learning.checkpoint import save_tensors, save_weights
from engine.learning.training import train
from engine.progress import run_to_end
from engine.recipe import Recipe, change_recipe, read_recipe
from tests.discs import disc_patients, tiny_recipe, write_disc_patients

RECIPE = tiny_recipe(training__average=0.9)
FULL = CannotSaveError("The disk is full.", hint="Make room.")


def run(recipe: Recipe, out: Path, *, resume: bool = False) -> Path:
    return run_to_end(train(disc_patients(4), recipe, out, device="cpu", threads=1, resume=resume))


def stop_in(recipe: Recipe, out: Path, epoch: int) -> Path:
    steps = train(disc_patients(4), recipe, out, device="cpu", threads=1)
    next(progress for progress in steps if progress.doing.startswith(f"Epoch {epoch}"))
    steps.close()
    return out


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder with a recipe as a user writes it, with a remark and without the defaults."""
    folder = tmp_path / "exp"
    folder.mkdir()
    written = "# tried on Monday\ntitle = 'mine'\nimage = {size = [32, 32], spacing_mm = 1.5}\n"
    written += "network.options.widths = [4, 8]\nsplit.folds = 4\n"
    written += "training = {epochs = 1, batch = 4}\n"
    (folder / "recipe.toml").write_text(written)
    return folder


@pytest.fixture(scope="module")
def discs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_disc_patients(tmp_path_factory.mktemp("data"), 4)


def command(own: Path, discs: Path, *more: str) -> int:
    arguments = ["train", own / "recipe.toml", "--data", discs, "--out", own, "--device", "cpu"]
    return main([*map(str, arguments), "--threads", "1", *more])


def test_the_users_own_recipe_is_trained_where_it_lies_and_stays_as_it_is(
    own: Path, discs: Path
) -> None:
    before = (own / "recipe.toml").read_bytes()

    assert command(own, discs) == 0
    assert (own / "recipe.toml").read_bytes() == before
    assert (own / "scores.json").is_file()


def test_a_recipe_that_differs_from_what_is_trained_is_never_overwritten(
    own: Path, discs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (own / "recipe.toml").read_bytes()

    assert command(own, discs, "--set", "training.batch=2") == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 2
    assert "holds another recipe than the one to be trained" in said[0]
    assert [path.name for path in own.iterdir()] == ["recipe.toml"]
    assert (own / "recipe.toml").read_bytes() == before


def test_what_is_no_recipe_at_all_is_not_overwritten_either(tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text("[soup]\nwater = 2\n")

    with pytest.raises(ModelError, match="another recipe"):
        run(RECIPE, tmp_path)
    assert (tmp_path / "recipe.toml").read_text() == "[soup]\nwater = 2\n"


@pytest.mark.parametrize("name", ["log.csv", "card.md", "scores.json", "environment.json"])
def test_other_files_of_the_users_that_a_run_would_replace_are_kept(
    name: str, own: Path, discs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (own / name).write_text("[1, 2]")

    assert command(own, discs) == 2
    assert f"already holds a {name} of something else" in capsys.readouterr().err
    assert (own / name).read_text() == "[1, 2]"
    assert len(list(own.iterdir())) == 2


def test_files_that_no_run_writes_are_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    run(tiny_recipe(training__epochs=1), tmp_path)

    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_run_stopped_in_its_first_epoch_can_be_begun_again(tmp_path: Path) -> None:
    out = stop_in(RECIPE, tmp_path / "run", epoch=1)
    assert not (out / "state.safetensors").exists()

    other = change_recipe(RECIPE, {"training.batch": 2})
    run(other, out)
    assert (out / "scores.json").is_file()
    assert read_recipe(out / "recipe.toml").to_toml() == other.to_toml()


def test_a_users_recipe_stays_though_its_run_was_stopped_in_the_first_epoch(own: Path) -> None:
    before = (own / "recipe.toml").read_bytes()
    recipe = read_recipe(own / "recipe.toml")
    stop_in(recipe, own, epoch=1)

    with pytest.raises(ModelError, match="another recipe"):
        run(change_recipe(recipe, {"training.batch": 2}), own)
    run(recipe, own)
    assert (own / "recipe.toml").read_bytes() == before


@pytest.mark.parametrize(
    "change",
    [
        {"network.name": "unett"},
        {"network.options": {"width": 3}},
        {"loss.sum": "1.0 * partial_cee"},
        {"training.batch": 400},
        {"data.smallest_foreground": 0.9},  # no slice is left
    ],
    ids=str,
)
def test_what_cannot_be_trained_leaves_no_folder(change: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        run(change_recipe(RECIPE, change), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("failing", ["save_tensors", "save_weights"])
def test_a_disk_that_was_full_in_the_first_epoch_is_no_dead_end(
    failing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state is there before the weights: nothing unfinished looks like a trained model."""

    def refuse(*_: Any) -> None:
        raise FULL

    monkeypatch.setattr(f"engine.learning.recording.{failing}", refuse)
    with pytest.raises(CannotSaveError):
        run(RECIPE, tmp_path / "run")
    monkeypatch.undo()
    assert not (tmp_path / "run" / "weights.safetensors").exists()

    run(RECIPE, tmp_path / "run", resume=True)
    whole = load_file(run(RECIPE, tmp_path / "whole") / "weights.safetensors")
    again = load_file(tmp_path / "run" / "weights.safetensors")
    assert all(equal(again[name], value) for name, value in whole.items())


def test_a_disk_that_is_full_for_the_curves_is_told_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closing their file fails once more; that must not hide what was said first."""

    def refuse(events: Any) -> None:
        events._py_recordio_writer.close()
        raise OSError(errno.ENOSPC, "No space left on device")

    for name in ("flush", "close"):
        monkeypatch.setattr(f"tensorboardX.event_file_writer.EventsWriter.{name}", refuse)
    with pytest.raises(CannotSaveError, match=r"curves in .* could not be written: No space left"):
        run(RECIPE, tmp_path / "run")


def test_weights_that_are_behind_their_state_are_written_when_the_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The best epoch is the second; the disk is full just when its weights are to be written."""
    recipe = tiny_recipe(
        split__validation="held_out",
        training__epochs=3,
        training__keep="best",
        training__monitor="val_dice",
        training__schedule="constant",
        training__average=0.5,
    )
    scores = iter([0.1, 0.9, 0.2])
    monkeypatch.setattr("engine.learning.assessment.Assessment.score", lambda *_: next(scores, 0.2))
    written: list[Path] = []

    def second_time_full(network: Any, path: Path) -> None:
        written.append(path)
        if len(written) == 2:
            raise CannotSaveError("full", hint="") from OSError(errno.ENOSPC, "full")
        save_weights(network, path)

    monkeypatch.setattr("engine.learning.recording.save_weights", second_time_full)
    monkeypatch.setattr("engine.learning.recording.Recorder._row", plain_row)
    with pytest.raises(CannotSaveError):
        run(recipe, tmp_path / "run")
    first = load_file(tmp_path / "run" / "weights.safetensors")
    run(recipe, tmp_path / "run", resume=True)

    second = load_file(tmp_path / "run" / "weights.safetensors")
    last = load_file(tmp_path / "run" / "last.safetensors")
    assert not equal(first["head.weight"], second["head.weight"])
    assert not equal(last["head.weight"], second["head.weight"])
    assert "epoch 2." in (tmp_path / "run" / "card.md").read_text()


def plain_row(recorder: Any, learned: Any, _validated: Any, _seconds: Any) -> dict[str, Any]:
    """A row of the log without scores, which the test makes up."""
    return {"epoch": recorder._course.epoch, "loss": learned.values["loss"], "seconds": 1.0}


# --- going on ---------------------------------------------------------------------------------


def test_a_run_goes_on_though_its_words_were_changed(tmp_path: Path) -> None:
    out = stop_in(RECIPE, tmp_path / "run", epoch=2)
    told = change_recipe(
        RECIPE, {"title": "Better", "licence": "CC0", "description": "d", "limits": ("one",)}
    )
    run(told, out, resume=True)

    assert read_recipe(out / "recipe.toml").to_toml() == told.to_toml()
    assert (out / "card.md").read_text().startswith("# Better\n")


@pytest.mark.parametrize("change", [{"training.epochs": 9}, {"scoring.clean_up": "heart"}])
def test_a_run_does_not_go_on_by_what_would_train_or_score_otherwise(
    change: dict[str, Any], tmp_path: Path
) -> None:
    out = stop_in(RECIPE, tmp_path / "run", epoch=2)
    before = {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()}

    with pytest.raises(ModelError, match="another recipe"):
        run(change_recipe(RECIPE, change), out, resume=True)
    assert {p.name: p.read_bytes() for p in out.iterdir() if p.is_file()} == before


def test_a_recipe_written_by_hand_stays_when_its_run_goes_on_by_other_words(own: Path) -> None:
    recipe = read_recipe(own / "recipe.toml")
    recipe = change_recipe(recipe, {"training.epochs": 2})
    text = (own / "recipe.toml").read_text().replace("epochs = 1", "epochs = 2")
    (own / "recipe.toml").write_text(text)
    stop_in(recipe, own, epoch=2)
    run(change_recipe(recipe, {"title": "Other"}), own, resume=True)

    assert (own / "recipe.toml").read_text() == text


def test_a_stopped_run_without_its_recipe_is_not_guessed_at(tmp_path: Path) -> None:
    out = stop_in(RECIPE, tmp_path / "run", epoch=2)
    (out / "recipe.toml").unlink()

    with pytest.raises(ModelError, match=r"not its recipe\.toml"):
        run(RECIPE, out, resume=True)
    assert not (out / "recipe.toml").exists()


def test_a_state_that_was_saved_is_what_the_next_start_begins_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full at the second state: the first is still there and complete."""
    calls: list[Path] = []

    def second_time_full(tensors: Any, path: Path, notes: Any) -> None:
        calls.append(path)
        if len(calls) == 2:
            raise FULL
        save_tensors(tensors, path, notes)

    monkeypatch.setattr("engine.learning.recording.save_tensors", second_time_full)
    with pytest.raises(CannotSaveError):
        run(RECIPE, tmp_path / "run")
    monkeypatch.undo()
    run(RECIPE, tmp_path / "run", resume=True)

    rows = [json.loads(line) for line in (tmp_path / "run/log.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2]
