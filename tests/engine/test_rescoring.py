"""Scoring a model again: on whom it held out and nobody else, and its card made anew."""

import json
import shutil
from pathlib import Path

import pytest

from engine.cli import main
from engine.datasets.catalogue import read_labelled
from engine.errors import ModelError
from engine.learning.checksums import write_checksums
from engine.learning.models import SPLIT, find_model
from engine.learning.rescoring import held_out_by, score_again
from engine.progress import run_to_end
from engine.recipe import change_recipe
from tests.discs import write_disc_patients
from tests.loops import untrained_model


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_disc_patients(tmp_path_factory.mktemp("data") / "discs", 4)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that trained on p0 and p1, and held out p3 and p2."""
    folder = untrained_model(tmp_path_factory.mktemp("models") / "model")
    split = {"trained": ["p0", "p1"], "validated": [], "held_out": ["p3", "p2"]}
    (folder / SPLIT).write_text(json.dumps(split))
    return folder


@pytest.fixture
def model(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made, tmp_path / "model")


def test_only_patients_held_out_are_scored(model: Path, data: Path) -> None:
    patients = run_to_end(read_labelled(data))
    done = run_to_end(score_again(find_model(model), patients, device="cpu"))

    assert [row["patient"] for row in done.scores["patients"]] == ["p3", "p2"]
    assert done.missing == ()
    assert not (model / "scores.json").exists()


def test_the_card_is_made_anew_and_the_model_stays_whole(model: Path, data: Path) -> None:
    assert main(["score", str(model), "--data", str(data), "--device", "cpu", "--renew"]) == 0
    entry = find_model(model)
    assert entry.scores["summary"]["mean_foreground_dice"] is not None
    assert "## Scores on held-out patients" in entry.card
    (model / SPLIT).unlink()  # the scores now say who was held out
    write_checksums(model)
    assert held_out_by(find_model(model)) == ["p3", "p2"]


def test_the_command_prints_what_the_card_would_say(
    model: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["score", str(model), "--data", str(data), "--device", "cpu"]) == 0
    printed = capsys.readouterr().out
    assert main(["score", str(model), "--data", str(data), "--device", "cpu", "--renew"]) == 0
    capsys.readouterr()
    assert printed.strip() in find_model(model).card


def test_some_may_be_missing_but_not_from_a_card(
    model: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(data / "p3", tmp_path / "part" / "p3")
    command = ["score", str(model), "--data", str(tmp_path / "part"), "--device", "cpu"]
    assert main([*command, "--json"]) == 0
    told = capsys.readouterr()
    assert [row["patient"] for row in json.loads(told.out)["patients"]] == ["p3"]
    assert "not scored: p2" in told.err
    assert main([*command, "--renew"]) == 2
    assert "1 of the patients that model held out" in capsys.readouterr().err
    assert not (model / "scores.json").exists()


def test_folders_without_any_of_them_are_refused(model: Path, data: Path) -> None:
    others = [p for p in run_to_end(read_labelled(data)) if p.name in ("p0", "p1")]
    with pytest.raises(ModelError, match="None of the 2 patients"):
        run_to_end(score_again(find_model(model), others, device="cpu"))


def test_a_model_that_does_not_say_whom_it_held_out_is_refused(
    model: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (model / SPLIT).write_text("[]")
    assert main(["score", str(model), "--data", str(data)]) == 2
    assert "does not say which patients" in capsys.readouterr().err


def test_patients_it_never_saw_are_scored_by_themselves(
    model: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    split = {"trained": ["p0"], "validated": ["p1"], "held_out": []}
    (model / SPLIT).write_text(json.dumps(split))
    for name in ("p2", "p3"):
        shutil.copytree(data / name, tmp_path / "elsewhere" / name)
    command = ["score", str(model), "--device", "cpu", "--renew", "--unseen"]
    for _ in range(2):  # a second time it is replaced
        assert main([*command, str(tmp_path / "elsewhere")]) == 0
    assert "## Never seen in training: elsewhere" in capsys.readouterr().out
    entry = find_model(model)
    assert [section["title"] for section in entry.scores["other_data"]] == [
        "Never seen in training: elsewhere"
    ]
    assert entry.scores["other_data"][0]["patients"] == 2
    assert "## Never seen in training: elsewhere" in entry.card
    assert main([*command, str(data)]) == 2
    assert "has learned from 2 of these patients: p0, p1" in capsys.readouterr().err


def test_folds_are_pooled_onto_the_card(
    model: Path, made: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folds = []
    for number, names in enumerate((["p0", "p1"], ["p2", "p3"])):
        folds.append(shutil.copytree(made, tmp_path / f"fold_{number}"))
        (folds[-1] / SPLIT).write_text(json.dumps({"held_out": names}))
        recipe = change_recipe(find_model(made).recipe, {"split.fold": number})
        (folds[-1] / "recipe.toml").write_text(recipe.to_toml())
        assert main(["score", str(folds[-1]), "--data", str(data), "--renew"]) == 0
    wanted = [each for fold in folds for each in ("--folds", str(fold))]
    assert main(["score", str(model), *wanted, "--renew"]) == 0
    card = find_model(model).card
    assert "2 folds, 4 patients" in card
    assert "heartseg score model --folds fold_0 --folds fold_1" in card
    capsys.readouterr()
    assert main(["score", str(model), "--folds", str(folds[0]), "--folds", str(folds[0])]) == 2
    assert "held out by more than one run" in capsys.readouterr().err


def test_trainings_of_another_recipe_are_no_folds_of_a_model(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another fold, and other words, are still the model's recipe; other epochs are not."""
    recipe = find_model(model).recipe
    other = change_recipe(recipe, {"split.fold": 1, "title": "Other words"})
    fold = shutil.copytree(model, tmp_path / "fold")
    for changes, told in (({}, "no scores"), ({"training.epochs": 7}, "training.epochs")):
        (fold / "recipe.toml").write_text(change_recipe(other, changes).to_toml())
        assert main(["score", str(model), "--folds", str(fold)]) == 2
        assert told in capsys.readouterr().err


def test_nothing_asked_for_is_told(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", str(model)]) == 2
    assert "--unseen" in capsys.readouterr().err
