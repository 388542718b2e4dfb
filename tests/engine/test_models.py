"""Models on disk: the user's folder, names, checksums, weights that do not fit, pickled files."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from engine.cli import main
from engine.errors import ModelError
from engine.learning import survey
from engine.learning.checkpoint import build_network, load_model, save_weights
from engine.learning.checksums import write_checksums
from engine.learning.models import (
    DEFAULT_MODEL,
    find_model,
    list_models,
    model_places,
    user_models_folder,
)
from engine.learning.survey import ListedModel, survey_for_heart, survey_models
from engine.progress import run_to_end
from resources import resource_path
from tests.discs import disc_patients, tiny_recipe, write_disc_patients

needs_shipped = pytest.mark.skipif(not list_models(), reason="no model lies in resources/models")


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder of models, empty."""
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.setenv("HEARTSEG_MODELS", str(folder))
    return folder


def put_model(folder: Path, *, seed: int = 0, **changes: object) -> Path:
    """A tiny model with a checksum; equal seeds, equal weights."""
    recipe = tiny_recipe(**changes)
    torch.manual_seed(seed)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "recipe.toml").write_text(recipe.to_toml())
    save_weights(build_network(recipe), folder / "weights.safetensors")
    write_checksums(folder)
    return folder


def listed() -> dict[str, ListedModel]:
    return {model.name: model for model in run_to_end(survey_models())}


def why(model: ListedModel) -> str:
    assert model.fault is not None
    assert model.fault.hint.strip()
    return model.fault.what


def test_a_model_dropped_into_the_folder_is_found(mine: Path) -> None:
    before = set(listed())
    put_model(mine / "new one", title="Dropped in")
    found = listed()["new one"]

    assert "new one" not in before
    assert found.usable
    assert (found.title, found.path) == ("Dropped in", mine / "new one")
    assert (
        found.sha256
        == hashlib.sha256((mine / "new one/weights.safetensors").read_bytes()).hexdigest()
    )
    for name in ("new one", "user/new one", mine / "new one"):
        assert load_model(name).hash == found.sha256


def test_a_model_that_was_mended_is_usable_in_the_next_survey(mine: Path) -> None:
    folder = put_model(mine / "m")
    recipe = folder / "recipe.toml"
    good = recipe.read_text()
    recipe.unlink()
    assert "lacks recipe.toml" in why(listed()["m"])
    recipe.write_text(good)

    assert listed()["m"].usable
    (folder / "weights.safetensors").write_bytes(b"other")
    assert not listed()["m"].usable


@needs_shipped
def test_the_plain_name_always_means_the_shipped_model(mine: Path) -> None:
    """The user's model of the same name is found beside it, and keeps its name for good."""
    put_model(mine / DEFAULT_MODEL, title="Mine")
    names = list(listed())

    assert names[0] == DEFAULT_MODEL
    assert f"user/{DEFAULT_MODEL}" in names
    assert find_model(DEFAULT_MODEL).path == resource_path("models") / DEFAULT_MODEL
    assert find_model(None).path == resource_path("models") / DEFAULT_MODEL
    own = load_model(f"user/{DEFAULT_MODEL}")
    assert own.entry.title == "Mine"
    assert own.provenance.model == f"user/{DEFAULT_MODEL}"


@needs_shipped
def test_the_key_of_a_users_model_never_means_another(mine: Path) -> None:
    """It stays right where a later version ships a model of that name."""
    put_model(mine / "later")
    key = listed()["later"].key

    assert key == "user/later"
    assert find_model(key).path == mine / "later"
    assert listed()[DEFAULT_MODEL].key == DEFAULT_MODEL


def test_the_folder_is_where_the_platform_keeps_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEARTSEG_MODELS", raising=False)
    if sys.platform.startswith("linux"):
        monkeypatch.setenv("XDG_DATA_HOME", "/somewhere")
        assert user_models_folder() == Path("/somewhere/heartseg/models")
        monkeypatch.delenv("XDG_DATA_HOME")
        monkeypatch.setenv("HOME", "/home/anna")
        assert user_models_folder() == Path("/home/anna/.local/share/heartseg/models")
    assert user_models_folder().parts[-2:] == ("heartseg", "models")


@pytest.mark.parametrize("what", ["missing", "a file", "hidden and other things"])
def test_a_folder_without_models_spoils_nothing(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "models"
    monkeypatch.setenv("HEARTSEG_MODELS", str(root))
    shipped = [entry.name for entry in list_models()]
    if what == "a file":
        root.write_text("not a folder")
        (fault,) = (why(model) for name, model in listed().items() if name not in shipped)
        assert str(root) in fault
    elif what == "hidden and other things":
        (root / ".git").mkdir(parents=True)
        (root / "notes.txt").write_text("hello")
    assert [model.name for model in listed().values() if model.usable] == shipped


def test_a_folder_that_may_not_be_read_is_named(
    mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_model(mine / "m")
    real = Path.iterdir

    def refuse(path: Path) -> object:
        if path.is_relative_to(mine):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(Path, "iterdir", refuse)
    fault = why(listed()[mine.name])

    assert "Permission denied" in fault
    assert str(mine) in fault


class _Broken:
    """Ways to break a tiny model."""

    @staticmethod
    def no_recipe(folder: Path) -> None:
        (folder / "recipe.toml").unlink()

    @staticmethod
    def unknown_key(folder: Path) -> None:
        recipe = folder / "recipe.toml"
        recipe.write_text("epoch = 3\n" + recipe.read_text())

    @staticmethod
    def no_toml(folder: Path) -> None:
        (folder / "recipe.toml").write_bytes(b"\xff\xfe\x00 nothing")

    @staticmethod
    def deep_toml(folder: Path) -> None:
        (folder / "recipe.toml").write_text("a = " + 5000 * "[" + 5000 * "]")

    @staticmethod
    def no_weights(folder: Path) -> None:
        (folder / "weights.safetensors").unlink()

    @staticmethod
    def other_network(folder: Path) -> None:
        (folder / "recipe.toml").write_text(
            tiny_recipe(network__name="small_unet", network__options={}).to_toml()
        )

    @staticmethod
    def no_such_network(folder: Path) -> None:
        (folder / "recipe.toml").write_text(tiny_recipe(network__name="umet").to_toml())

    @staticmethod
    def other_channels(folder: Path) -> None:
        (folder / "recipe.toml").write_text(tiny_recipe(data__neighbours=3).to_toml())

    @staticmethod
    def other_task(folder: Path) -> None:
        text = tiny_recipe().to_toml().replace('"short_axis"', '"left_atrium"')
        (folder / "recipe.toml").write_text(text)

    @staticmethod
    def other_classes(folder: Path) -> None:
        recipe = tiny_recipe(data__task="left_atrium", network__classes=2)
        (folder / "recipe.toml").write_text(recipe.to_toml())

    @staticmethod
    def cut_short(folder: Path) -> None:
        path = folder / "weights.safetensors"
        path.write_bytes(path.read_bytes()[:-100])
        (folder / "SHA256SUMS").unlink()

    @staticmethod
    def wrong_hash(folder: Path) -> None:
        path = folder / "weights.safetensors"
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)

    @staticmethod
    def odd_sums(folder: Path) -> None:
        (folder / "SHA256SUMS").write_text("abc weights.safetensors\n")

    @staticmethod
    def renamed_pickle(folder: Path) -> None:
        (folder / "SHA256SUMS").unlink()
        (folder / "weights.safetensors").write_bytes(b"PK\x03\x04" + bytes(100))


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("no_recipe", "lacks recipe.toml"),
        ("unknown_key", "no field epoch"),
        ("no_toml", "not valid"),
        ("deep_toml", "nested too deeply"),
        ("no_weights", "holds neither weights.safetensors nor network.onnx"),
        ("other_network", "is missing|no down|has no"),
        ("no_such_network", "'umet'"),
        ("other_channels", "for 1 channels of an image, but the recipe makes 3"),
        ("other_task", "network.classes is 4, but left_atrium has 2 classes"),
        ("other_classes", "tell 4 classes apart, but network.classes in the recipe is 2"),
        ("cut_short", "cannot be used"),
        ("wrong_hash", "not the file that the model was made with"),
        ("odd_sums", "a line that is no checksum"),
        ("renamed_pickle", "pickle file under another name"),
    ],
)
def test_a_broken_model_is_listed_with_the_reason_and_refused(
    how: str, said: str, mine: Path
) -> None:
    """The list and `load_model` say the same; the other models stay usable."""
    put_model(mine / "good")
    getattr(_Broken, how)(put_model(mine / "bad"))
    models = listed()

    assert models["good"].usable
    with pytest.raises(ModelError, match=said):
        raise models["bad"].fault or AssertionError("it counts as usable")
    with pytest.raises(ModelError) as refused:
        load_model("bad")
    assert refused.value.what == why(models["bad"])
    assert str(mine / "bad") in refused.value.what or "umet" in refused.value.what


def test_a_wrong_hash_says_what_where_and_what_to_do(mine: Path) -> None:
    folder = put_model(mine / "m")
    _Broken.wrong_hash(folder)
    with pytest.raises(ModelError) as refused:
        load_model(folder)
    found = hashlib.sha256((folder / "weights.safetensors").read_bytes()).hexdigest()

    assert str(folder / "weights.safetensors") in refused.value.what
    assert found[:12] in refused.value.what
    assert "SHA256SUMS" in refused.value.hint
    (folder / "SHA256SUMS").unlink()
    assert load_model(folder).hash == found


def test_checksums_are_those_of_sha256sum(mine: Path) -> None:
    folder = put_model(mine / "m")
    (folder / "doubt.json").write_text("{}")
    write_checksums(folder)
    lines = (folder / "SHA256SUMS").read_text().splitlines()

    assert [line.split("  ")[1] for line in lines] == ["weights.safetensors", "doubt.json"]
    for line in lines:
        digest, name = line.split("  ")
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    (folder / "SHA256SUMS").write_text(
        "\n"
        + lines[0].upper().replace("WEIGHTS.SAFETENSORS", "weights.safetensors").replace("  ", " *")
        + "\r\n"
    )
    assert load_model(folder).hash == lines[0].split()[0]


@needs_shipped
def test_every_shipped_model_carries_its_checksum() -> None:
    for entry in list_models():
        if entry.path.parent == resource_path("models"):
            assert entry.network_file.name in (entry.path / "SHA256SUMS").read_text()
            assert listed()[entry.name].usable


@pytest.mark.parametrize("suffix", ["pt", "pth", "ckpt", "pkl", "PT", "torchscript"])
@pytest.mark.parametrize("how", ["loose", "in a folder", "by path"])
def test_pickled_files_are_refused_with_a_way_out(
    suffix: str, how: str, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are not even opened."""
    name = f"network.{suffix}"
    path = mine / name if how == "loose" else mine / "theirs" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"\x80\x02cos\nsystem\n")
    real = Path.open

    def guarded(opened: Path, *arguments: Any, **options: Any) -> Any:
        assert opened != path, "it was opened"
        return real(opened, *arguments, **options)

    monkeypatch.setattr(Path, "open", guarded)
    if how == "by path":
        with pytest.raises(ModelError) as refused:
            find_model(path)
        fault = refused.value
    else:
        found = listed()[name if how == "loose" else "theirs"].fault
        assert found is not None
        fault = found

    assert str(path) in fault.what
    assert "can run any program" in fault.what
    assert "torch.onnx.export" in fault.hint
    assert "save_file" in fault.hint


def test_a_loose_file_is_told_to_go_into_a_folder(mine: Path) -> None:
    (mine / "theirs.onnx").write_bytes(b"x")

    assert "a model is a folder" in why(listed()["theirs.onnx"])


def test_weights_that_are_no_numbers_are_refused(mine: Path) -> None:
    folder = put_model(mine / "m")
    path = folder / "weights.safetensors"
    tensors = load_file(path)
    name = next(name for name, value in tensors.items() if value.is_floating_point())
    tensors[name] = tensors[name] * torch.nan
    save_file(tensors, path)
    write_checksums(folder)

    with pytest.raises(ModelError, match="no numbers"):
        load_model(folder)


def test_weights_in_half_precision_are_taken(mine: Path) -> None:
    folder = put_model(mine / "m")
    path = folder / "weights.safetensors"
    save_file(
        {name: v.half() if v.is_floating_point() else v for name, v in load_file(path).items()},
        path,
    )
    write_checksums(folder)
    image = torch.zeros(1, 1, 32, 32)

    assert load_model(folder).network(image).dtype == torch.float32


def test_damaged_scores_and_cards_spoil_no_list(mine: Path) -> None:
    for number, content in enumerate(
        (b"[1, 2]", b"{", b'{"summary": 3, "patients": ["x", 3]}', b"\xff")
    ):
        folder = put_model(mine / f"m{number}")
        (folder / "scores.json").write_bytes(content)
        (folder / "card.md").write_bytes(b"# Card \xff\xfe")
    for model in listed().values():
        if model.path.parent == mine:
            assert model.usable
            assert model.headline == ""
            assert model.card.startswith("# Card")


@pytest.mark.parametrize(
    ("licence", "noncommercial"),
    [
        ("CC BY-NC-SA 4.0 (research use; trained on ACDC)", True),
        ("Creative Commons non-commercial", True),
        ("Research use only", True),
        ("Apache-2.0", False),
        ("CC0", False),
        ("unstated", False),
    ],
)
def test_terms_that_rule_out_commerce_are_known(
    licence: str, noncommercial: bool, mine: Path
) -> None:
    put_model(mine / "m", licence=licence)

    assert listed()["m"].noncommercial is noncommercial


def test_models_for_other_things_are_not_for_the_window(mine: Path) -> None:
    put_model(mine / "polyp", data__task="polyp", network__classes=2)
    put_model(mine / "atrium", data__task="left_atrium", network__classes=2)
    for_window = {model.name: model for model in run_to_end(survey_for_heart())}

    assert listed()["polyp"].usable
    assert "polyp" in why(for_window["polyp"])
    assert for_window["atrium"].usable


def test_a_model_is_checked_again_only_where_it_has_changed(
    mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.learning import checkpoint

    folder = put_model(mine / "m")
    checked = []
    real = checkpoint.check_model
    monkeypatch.setattr(checkpoint, "check_model", lambda e: (checked.append(e.name), real(e))[1])
    survey._check.cache_clear()
    for _ in range(2):
        listed()
    assert checked.count("m") == 1
    save_weights(build_network(tiny_recipe(training__seed=2)), folder / "weights.safetensors")
    listed()

    assert checked.count("m") == 2


def test_listing_without_a_survey_needs_no_torch(mine: Path) -> None:
    put_model(mine / "m")
    code = (
        "import sys; from engine.learning.models import list_models;"
        "print([entry.name for entry in list_models()]); sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert "'m'" in done.stdout


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(list(arguments))
    said = capsys.readouterr()
    return code, said.out, said.err


def test_the_command_lists_good_and_bad(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put_model(mine / "good", licence="CC BY-NC 4.0", title="Good one")
    _Broken.wrong_hash(put_model(mine / "bad"))
    code, out, _ = run(capsys, "models")

    assert code == 0
    for said in ("good: Good one", "Ventricles, short axis", "CC BY-NC 4.0", str(mine / "good")):
        assert said in out
    assert "not for commercial use" in out
    assert "CANNOT BE USED" in out.split("bad: tiny")[1]


def test_the_command_gives_data(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put_model(mine / "good")
    _Broken.no_recipe(put_model(mine / "bad"))
    code, out, _ = run(capsys, "models", "--json")
    rows = {row["name"]: row for row in json.loads(out)}

    assert code == 0
    assert [place.name for place in model_places()] == list(rows)
    good, bad = rows["good"], rows["bad"]
    assert good["usable"]
    assert (good["task"], good["network"], good["origin"]) == ("short_axis", "unet", "user")
    assert (good["path"], good["why_not"]) == (str(mine / "good"), None)
    assert len(good["sha256"]) == 64
    assert not bad["usable"]
    assert "recipe.toml" in bad["why_not"]["what"]
    assert (bad["licence"], bad["task"], bad["sha256"]) == (None, None, None)


def test_the_command_prints_a_card(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (put_model(mine / "m") / "card.md").write_text("# A card\n\n| a | b |\n")
    put_model(mine / "bare")

    assert run(capsys, "models", "--card", "m")[1] == "# A card\n\n| a | b |\n"
    assert "without a card" in run(capsys, "models", "--card", "bare")[1]
    code, _, err = run(capsys, "models", "--card", "nosuch")
    assert code == 2
    assert "nosuch" in err


def test_predict_refuses_a_broken_model_in_two_lines(
    mine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    patient = write_disc_patients(tmp_path / "data", 1) / "p0"
    _Broken.wrong_hash(put_model(mine / "bad"))
    code, _, err = run(
        capsys, "predict", str(patient), "--out", str(tmp_path / "out"), "--model", "bad"
    )

    assert code == 2
    assert len(err.strip().splitlines()) == 2
    assert "SHA-256" in err


def test_a_finished_training_writes_its_checksum(tmp_path: Path) -> None:
    from engine.learning.training import train

    recipe = tiny_recipe(training__epochs=1)
    run_to_end(train(disc_patients(4), recipe, tmp_path / "run", device="cpu"))
    sums = (tmp_path / "run" / "SHA256SUMS").read_text()

    assert load_model(tmp_path / "run").hash in sums
