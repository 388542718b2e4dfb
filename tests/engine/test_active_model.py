"""The active model: noted in the user's folder, honoured where no model is named."""

import json
from pathlib import Path

import pytest

from engine.cli import main
from engine.cli.model_option import named_or_active
from engine.errors import CannotSaveError, ModelError
from engine.learning.active_model import active_model, set_active_model
from engine.learning.models import DEFAULT_MODEL, default_place, find_model, list_models
from engine.learning.own_models import ACTIVE_NOTE
from tests.engine.test_models import listed, mine, needs_shipped, put_model, why

__all__ = ["mine"]


def test_without_a_note_the_shipped_default_predicts(mine: Path) -> None:
    put_model(mine / "aaa")
    assert active_model() is None
    if list_models()[0].name == DEFAULT_MODEL:
        assert find_model(None).name == DEFAULT_MODEL
    else:
        assert default_place() is None


@pytest.mark.parametrize("where", ["in the user's folder", "elsewhere"])
def test_the_active_model_predicts_where_none_is_named(
    where: str, mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = put_model((mine if where.startswith("in") else tmp_path / "runs") / "better")
    monkeypatch.chdir(folder.parent)
    entry = set_active_model(Path(folder.name))  # a relative path
    monkeypatch.chdir(tmp_path)

    assert active_model() == ("user/better" if where.startswith("in") else str(folder))
    assert entry.path.resolve() == folder
    assert find_model(None).path == folder
    first = next(iter(listed().values()))
    assert (first.path, first.usable) == (folder, True)
    assert [model.path for model in listed().values()].count(folder) == 1

    if list_models()[-1].path != list_models()[0].path:  # a shipped one is there
        for _ in range(2):  # also where there is nothing to remove
            assert set_active_model(None).path != folder
        assert active_model() is None


@needs_shipped
def test_a_run_that_is_called_like_a_shipped_model_does_not_take_its_name(
    mine: Path, tmp_path: Path
) -> None:
    folder = put_model(tmp_path / DEFAULT_MODEL, title="Mine")
    set_active_model(folder)

    assert find_model(None).title == "Mine"
    assert find_model(DEFAULT_MODEL).title != "Mine"
    assert set_active_model(DEFAULT_MODEL).title != "Mine"
    assert find_model(None).path == find_model(DEFAULT_MODEL).path


@pytest.mark.parametrize("inside", [True, False])
def test_an_active_model_that_is_gone_is_told_and_nothing_takes_its_place(
    inside: bool, mine: Path, tmp_path: Path
) -> None:
    folder = put_model((mine if inside else tmp_path) / "lost")
    set_active_model(folder)
    folder.rename(tmp_path / "moved")

    with pytest.raises(ModelError, match="is gone") as caught:
        find_model(None)
    assert "--use" in caught.value.hint
    first = next(iter(listed().values()))
    assert first.path == folder
    assert str(folder) in why(first)


def test_what_cannot_be_used_does_not_become_active(mine: Path, tmp_path: Path) -> None:
    good = put_model(mine / "good")
    set_active_model(good)
    damaged = put_model(tmp_path / "damaged")
    (damaged / "weights.safetensors").write_bytes(b"other")
    other = put_model(tmp_path / "polyps", data__task="polyp", network__classes=2)

    with pytest.raises(ModelError, match="weights"):
        set_active_model(damaged)
    with pytest.raises(ModelError, match="other things"):
        set_active_model(other)
    with pytest.raises(ModelError, match="no model"):
        set_active_model("nosuch")
    assert active_model() == "user/good"


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xff\xfe\x00", b"nosuch\n"])
def test_a_note_that_was_spoilt_is_ignored_or_told(content: bytes, mine: Path) -> None:
    (mine / ACTIVE_NOTE).write_bytes(content)
    if content.strip():
        with pytest.raises(ModelError, match="is gone"):
            find_model(None)
    else:
        assert active_model() is None
    assert listed() is not None


def test_a_note_that_cannot_be_written_is_told(mine: Path, tmp_path: Path) -> None:
    folder = put_model(tmp_path / "m")
    (mine / ACTIVE_NOTE).mkdir()
    with pytest.raises(CannotSaveError):
        set_active_model(folder)
    with pytest.raises(CannotSaveError):
        set_active_model(None)
    assert active_model() is None


def test_a_command_without_a_model_says_that_it_takes_the_active_one(
    mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert named_or_active(None) is None
    assert capsys.readouterr().err == ""
    put_model(mine / "chosen")
    set_active_model("chosen")
    assert named_or_active("another") == "another"
    assert named_or_active(None) == "user/chosen"
    assert "The active model is used: user/chosen" in capsys.readouterr().err


def test_the_command_line_makes_models_active_and_marks_them(
    mine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = put_model(tmp_path / "adopted")
    assert main(["models", "--use", str(folder)]) == 0
    assert "adopted" in capsys.readouterr().out

    assert main(["models"]) == 0
    text = capsys.readouterr().out
    assert text.count("ACTIVE") == 1
    assert text.startswith("adopted")
    assert main(["models", "--json"]) == 0
    active = [one["path"] for one in json.loads(capsys.readouterr().out) if one["active"]]
    assert active == [str(folder)]

    assert main(["models", "--use", "default"]) == 0 if list_models() else True
    assert main(["models", "--use", "nosuch"]) == 2
