"""A loop over several rounds: what was decided, going on, changing rules, what is in use."""

import json
import shutil
from pathlib import Path

import pytest

from engine.cli import main
from engine.errors import CannotSaveError, ModelError
from engine.learning.active_model import active_model
from engine.learning.models import find_model
from engine.loop.apart import round_to_end
from engine.loop.beginning import begin_loop, seen_by, told_of_seen
from engine.loop.collection import latest_versions
from engine.loop.following import follow, is_in_use, put_in_use
from engine.loop.gate import Verdict, decide
from engine.loop.loop_folder import LoopFolder, LoopSettings, change_settings, open_loop
from engine.loop.round_plan import plan_round, set_round_aside, stopped_round
from engine.loop.rounds import run_round
from engine.loop.rules import Rules
from engine.loop.standing import CORRECTIONS, MEAN_DICE, Fate, LoopStanding, read_standing
from engine.progress import run_to_end
from tests.loops import (
    approve,
    begun_loop,
    judged,
    study_facts,
    take,
    training_that,
    unchanged,
    untrained_model,
    write_readings,
    write_round,
)


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return untrained_model(tmp_path_factory.mktemp("start") / "first")


@pytest.fixture(scope="module")
def readings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_readings(tmp_path_factory.mktemp("readings"))


@pytest.fixture
def patients(readings: Path, tmp_path: Path) -> Path:
    return shutil.copytree(readings, tmp_path / "data")


@pytest.fixture
def loop(patients: Path, start: Path) -> LoopFolder:
    return begun_loop(patients, start, new_studies=2, folders=(str(patients / "read"),))


@pytest.fixture(autouse=True)
def own_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in use here is nobody else's business."""
    monkeypatch.setenv("HEARTSEG_MODELS", str(tmp_path / "models"))


def standing_of(loop: LoopFolder) -> LoopStanding:
    return run_to_end(read_standing(loop.path))


def test_rounds_are_told_with_what_became_of_their_candidates(loop: LoopFolder) -> None:
    first, second = (
        study_facts("a", slices=20, corrected=10),
        study_facts("b", slices=10, corrected=2),
    )
    write_round(loop, judged("first", dice=0.80), judged("c1", dice=0.85), [first])
    write_round(loop, judged("c1", dice=0.85), judged("c2", dice=0.84), [first, second])
    write_round(loop, judged("c1", dice=0.85), judged("c3", dice=0.90), [first, second])
    write_round(loop, judged("c3", dice=0.90), judged("c4", dice=0.93), [first, second])
    loop.roll_back()

    standing = standing_of(loop)
    assert [each.fate for each in standing.rounds] == [
        Fate.ADOPTED,
        Fate.REFUSED,
        Fate.ACTIVE,
        Fate.ROLLED_BACK,
    ]
    assert standing.in_use_since == 3
    assert standing.active is not None
    assert standing.active.path == loop.candidate(3)
    assert standing.can_roll_back
    one = standing.rounds[0]
    assert one.values(MEAN_DICE) == pytest.approx((0.80, 0.85))
    assert one.values(CORRECTIONS) == pytest.approx((20.0, 20.0))
    assert one.values("lv_ef_limits")[0] == pytest.approx(1.96 * 0.3**0.5)
    assert [each.readers_corrected for each in standing.rounds] == [50.0, 20.0, None, None]


def test_a_verdict_comes_back_from_the_history_as_it_was() -> None:
    verdict = decide(judged("a", dice=0.8), judged("b", dice=0.9, error_ml=7), Rules())
    assert Verdict.from_json(json.loads(json.dumps(verdict.as_json()))) == verdict


def test_a_damaged_round_is_told(loop: LoopFolder) -> None:
    loop.append("round", round=1, candidate="candidates/x", verdict={"adopted": False}, studies=[])
    with pytest.raises(ModelError, match="damaged at round 1"):
        standing_of(loop)
    (loop.path / "history.jsonl").write_text('{"event": "round"}\n')
    with pytest.raises(ModelError, match="not known which model is active"):
        standing_of(loop)


def test_a_model_that_is_gone_leaves_the_rest_to_be_seen(loop: LoopFolder) -> None:
    write_round(loop, judged("first", dice=0.80), judged("c1", dice=0.85))
    shutil.rmtree(loop.candidate(1))
    standing = standing_of(loop)
    assert standing.active is None
    assert "round-001" in standing.fault
    assert standing.can_roll_back


def test_collecting_counts_what_readers_changed_and_waits_for_a_round(
    loop: LoopFolder, patients: Path
) -> None:
    assert not standing_of(loop).is_due
    take(loop, patients / "read")
    standing = standing_of(loop)
    assert [each.name for each in standing.waiting] == ["p4", "p5", "p6", "p7"]
    assert [(each.slices, each.corrected) for each in standing.waiting] == [(6, 2)] * 4
    assert standing.is_due


# --- beginning


def begun(patients: Path, start: Path, data: Path) -> LoopFolder:
    settings = LoopSettings(start=str(start), test=(str(patients / "test"),), data=(str(data),))
    return run_to_end(begin_loop(patients / "loop", settings))


@pytest.mark.parametrize("name", ["p1", "renamed"])
def test_base_data_that_hold_a_locked_patient_are_refused_at_once(
    patients: Path, start: Path, name: str
) -> None:
    shutil.copytree(patients / "test" / "p1", patients / "base" / name)
    with pytest.raises(ModelError, match=r"locked test set overlaps.*shares"):
        begun(patients, start, patients / "base")
    assert not (patients / "loop").exists()


def test_base_data_that_come_to_overlap_later_are_refused_by_the_round(
    patients: Path, start: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[str]] = []
    monkeypatch.setattr("engine.learning.training.train", training_that(unchanged, seen))
    loop = begun(patients, start, patients / "read")
    take(loop, patients / "read")
    shutil.copytree(patients / "test" / "p2", patients / "read" / "other")
    with pytest.raises(ModelError, match="shares 6 slices with p2"):
        run_to_end(run_round(loop, device="cpu"))
    assert seen == []


def test_a_used_folder_is_refused_before_anything_is_read(patients: Path, start: Path) -> None:
    (patients / "loop").mkdir()
    (patients / "loop" / "mine.txt").write_text("mine")
    with pytest.raises(CannotSaveError):
        begun(patients, start, patients / "nowhere")


def test_a_model_that_has_seen_locked_patients_is_told(
    loop: LoopFolder, start: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(start, tmp_path / "seen")
    (copy / "split.json").write_text('{"trained": ["p1", "p9"], "held_out": ["p2"]}')
    assert seen_by(find_model(copy), loop.locked) == ["p1"]
    assert "p1" in told_of_seen(find_model(copy), ["p1"])
    (copy / "split.json").write_text("no json")
    assert seen_by(find_model(copy), loop.locked) == []


# --- rounds that stop


def stop_round(loop: LoopFolder) -> None:
    """Leave what a training leaves that is stopped after an epoch."""
    plan_round(loop)
    loop.candidate(1).mkdir(parents=True)
    (loop.candidate(1) / "state.safetensors").write_bytes(b"")


def test_a_stopped_round_is_set_aside_and_nothing_is_deleted(
    loop: LoopFolder, patients: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(loop, patients / "read" / "p4")
    stop_round(loop)
    take(loop, patients / "read" / "p5")
    stopped = stopped_round(loop)
    assert stopped is not None
    assert [each.name for each in stopped.studies] == ["p4"]

    aside = set_round_aside(loop)
    assert aside is not None
    assert (aside / "state.safetensors").is_file()
    assert stopped_round(loop) is None
    seen: list[list[str]] = []
    monkeypatch.setattr("engine.learning.training.train", training_that(unchanged, seen))
    done = run_to_end(run_round(loop, device="cpu"))
    assert (done.number, seen) == (1, [["p4", "p5"]])


def test_a_stopped_round_whose_plan_is_damaged_can_still_be_set_aside(
    loop: LoopFolder, patients: Path
) -> None:
    take(loop, patients / "read" / "p4")
    stop_round(loop)
    (loop.path / "under_way.json").write_text("[]")
    assert "damaged" in standing_of(loop).fault
    with pytest.raises(ModelError, match="cannot go on"):
        run_to_end(run_round(loop, device="cpu"))
    set_round_aside(loop)
    assert standing_of(loop).fault == ""


def test_a_stopped_round_needs_the_versions_it_began_with(loop: LoopFolder, patients: Path) -> None:
    take(loop, patients / "read" / "p4")
    stop_round(loop)
    shutil.rmtree(latest_versions(loop.collection)[0].folder)
    with pytest.raises(ModelError, match="version 1 of p4, which is gone"):
        stopped_round(loop)


def test_one_round_at_a_time(
    loop: LoopFolder, patients: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.learning.training.train", training_that(unchanged))
    take(loop, patients / "read")
    first = run_round(loop, device="cpu")
    next(first)
    with pytest.raises(ModelError, match="under way already"):
        run_to_end(run_round(open_loop(loop.path), device="cpu"))
    assert run_to_end(first).number == 1


def test_a_round_is_ordered_in_plain_data(
    loop: LoopFolder, patients: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.learning.training.train", training_that(unchanged))
    take(loop, patients / "read")
    order = {"loop": str(loop.path), "device": "cpu", "threads": 1}
    assert run_to_end(round_to_end(json.loads(json.dumps(order)))) == {"round": 1, "adopted": False}
    with pytest.raises(ModelError, match="order of a round"):
        run_to_end(round_to_end({"loop": str(loop.path)}))


# --- rules, and what is in use


def test_changed_rules_are_written_down_and_count(loop: LoopFolder) -> None:
    rules = {**Rules().model_dump(), "error_ml": 2.5}
    change_settings(loop, rules=rules, batch=2)
    again = open_loop(loop.path)
    assert (again.settings.rules.error_ml, again.settings.batch) == (2.5, 2)
    event = again.history[-1]
    assert event["event"] == "settings"
    assert event["changed"]["batch"] == [None, 2]
    assert change_settings(again, batch=2) is again
    change_settings(again, batch=None)
    assert open_loop(loop.path).settings.batch is None


def test_wrong_rules_change_nothing(loop: LoopFolder) -> None:
    before = (loop.path / "loop.toml").read_bytes()
    with pytest.raises(ModelError, match="epochs"):
        change_settings(loop, epochs=0)
    assert (loop.path / "loop.toml").read_bytes() == before


def test_the_program_follows_the_loop_only_if_it_is_told_to(loop: LoopFolder, start: Path) -> None:
    write_round(loop, judged("first", dice=0.80), judged("c1", dice=0.85))
    assert follow(loop) is None
    assert active_model() is None
    follower = change_settings(loop, use_adopted=True)
    assert follow(follower) is not None
    assert is_in_use(loop.active)
    assert follow(follower) is None  # it does already
    loop.roll_back()
    assert not is_in_use(loop.active)
    assert put_in_use(loop).path == start
    assert is_in_use(loop.active)


# --- the commands


def test_collecting_by_the_settings_runs_a_round_that_is_due(
    loop: LoopFolder,
    patients: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("engine.learning.training.train", training_that(unchanged))
    called = ["finetune", "collect", str(loop.path)]
    assert main(called) == 0
    assert "Enough for a round" in capsys.readouterr().out
    approve(patients / "read" / "p4", shift=1)
    approve(patients / "read" / "p5", shift=1)
    assert main([*called, "--run", "--device", "cpu"]) == 0
    out = capsys.readouterr().out
    assert "2 new versions" in out
    assert "NOT ADOPTED" in out
    assert main(["finetune", "status", str(loop.path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["waiting"] == []
    assert main(["finetune", "use", str(loop.path)]) == 0
    assert "predicts with first" in capsys.readouterr().out


def test_a_stopped_round_is_begun_anew_on_the_command_line(
    loop: LoopFolder, patients: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.learning.training.train", training_that(unchanged))
    take(loop, patients / "read")
    stop_round(loop)
    assert main(["finetune", "run", str(loop.path), "--anew", "--device", "cpu"]) == 0
    assert (loop.path / "candidates" / "round-001-stopped-1").is_dir()
    assert len(standing_of(loop).rounds) == 1


def test_locked_patients_are_not_suggested(
    loop: LoopFolder, patients: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(patients / "test" / "p1", patients / "unread" / "new name")
    called = ["select", str(patients / "unread"), "--loop", str(loop.path), "--device", "cpu"]
    assert main(called) == 2  # nobody is left
    assert "locked away as p1" in capsys.readouterr().err
