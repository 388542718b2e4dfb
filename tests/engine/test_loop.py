"""The learning loop: nothing leaks, nothing worse is adopted, nothing is lost."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from engine.cli import main
from engine.datasets.labelled import LabelledPatient, LabelledVolume, bits_of
from engine.errors import CannotSaveError, HeartSegError, ModelError, UnusableLabelsError
from engine.learning.checkpoint import load_model
from engine.learning.checksums import write_checksums
from engine.learning.learner import start_network
from engine.loop.collection import collect, latest_versions, read_collection, versions_of
from engine.loop.judging import basal_slices, judge, judge_patient
from engine.loop.locked import LockedSet, fingerprints, lock
from engine.loop.loop_folder import (
    LoopFolder,
    LoopSettings,
    change_settings,
    make_loop,
    open_loop,
)
from engine.loop.round_plan import new_since_last_round
from engine.loop.rounds import Round, read_locked, run_round
from engine.loop.selection import SeenStudy, pick
from engine.progress import run_to_end
from engine.recipe import change_recipe
from engine.structures import Structure
from tests.discs import SPACING_MM, disc_patient, disc_patients
from tests.loops import (
    approve,
    begun_loop,
    spoilt,
    take,
    training_that,
    unchanged,
    untrained_model,
    write_readings,
)

# --- locked patients


def locked_of(patients: Sequence[LabelledPatient]) -> LockedSet:
    return run_to_end(lock(patients))


def change_image(patient: LabelledPatient, **changes: object) -> LabelledPatient:
    volumes = tuple(replace(volume, **changes) for volume in patient.volumes)  # type: ignore[arg-type]
    return replace(patient, volumes=volumes)


@given(
    locked=st.sets(st.integers(0, 5), min_size=1),
    trained=st.sets(st.integers(0, 5), min_size=1),
    renamed=st.booleans(),
    turned=st.booleans(),
    wide=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_nobody_locked_gets_into_the_training(
    locked: set[int], trained: set[int], renamed: bool, turned: bool, wide: bool
) -> None:
    everybody = disc_patients(6)
    training = []
    for number in sorted(trained):
        patient = everybody[number]
        volumes = []
        for volume in patient.volumes:
            image = volume.image[::-1] if turned else volume.image
            volumes.append(replace(volume, image=image.astype(np.float64) if wide else image))
        name = f"other{number}" if renamed else patient.name
        training.append(LabelledPatient(name, "", tuple(volumes)))
    kept = locked_of([everybody[number] for number in sorted(locked)])

    found = {leak.locked for leak in run_to_end(kept.leaks(training))}
    assert found == {everybody[number].name for number in locked & trained}
    if locked & trained:
        with pytest.raises(ModelError, match="locked test set overlaps"):
            run_to_end(kept.refuse_leaks(training))
    else:
        run_to_end(kept.refuse_leaks(training))


def test_one_slice_in_another_stack_is_enough() -> None:
    secret, other = disc_patient("secret", seed=1), disc_patient("other", seed=2)
    image = other.volumes[0].image.copy()
    image[1] = secret.volumes[1].image[2]
    mixed = replace(other, volumes=(replace(other.volumes[0], image=image),))

    leaks = run_to_end(locked_of([secret]).leaks([mixed]))
    assert [(leak.patient, leak.locked, leak.slices) for leak in leaks] == [("other", "secret", 1)]


@given(
    locked=st.sets(st.integers(0, 11), min_size=1, max_size=5),
    trained=st.lists(st.lists(st.integers(0, 11), min_size=1, max_size=4), min_size=1, max_size=3),
)
@settings(max_examples=60, deadline=None)
def test_no_slice_of_a_locked_patient_gets_into_the_training(
    locked: set[int], trained: list[list[int]]
) -> None:
    """Patients put together from slices at will: who shares one with a locked patient is named."""
    pool = [np.full((4, 4), 10 + n, np.int16) for n in range(12)]
    for n, plane in enumerate(pool):
        plane[0, 0] = n

    def stack(name: str, slices: Sequence[int]) -> LabelledPatient:
        image = np.stack([pool[n] for n in slices])
        labels = bits_of(np.zeros(image.shape, np.uint8))
        return LabelledPatient(name, "", (LabelledVolume(name, image, labels, SPACING_MM),))

    kept = locked_of([stack("secret", sorted(locked))])
    patients = [stack(f"new{n}", slices) for n, slices in enumerate(trained)]
    leaks = run_to_end(kept.leaks(patients))
    assert {(leak.patient, leak.slices) for leak in leaks} == {
        (f"new{n}", len(locked & set(slices)))
        for n, slices in enumerate(trained)
        if locked & set(slices)
    }
    owners = [kept.owner_of(patient.volumes[0].image) for patient in patients]
    assert [owner is not None for owner in owners] == [bool(locked & set(t)) for t in trained]


def test_empty_slices_are_nobodys() -> None:
    blank = np.zeros((2, 8, 8), np.int16)
    labels = bits_of(np.zeros((2, 8, 8), np.uint8))
    one, other = (
        LabelledPatient(name, "", (LabelledVolume(name, blank, labels, SPACING_MM),))
        for name in ("one", "other")
    )
    assert fingerprints(one) == frozenset()
    assert run_to_end(locked_of([one]).leaks([other])) == []


def test_the_same_name_is_a_leak_whatever_the_images() -> None:
    leaks = run_to_end(locked_of([disc_patient("p1", seed=1)]).leaks([disc_patient("p1", seed=2)]))
    assert [leak.slices for leak in leaks] == [0]


# --- judging


def labelled(labels: np.ndarray, phase: str) -> LabelledVolume:
    grey = labels.astype(np.float32)
    return LabelledVolume(phase, grey, bits_of(labels), (10.0, 2.0, 1.0), phase)


def test_a_patient_is_judged_as_counted_by_hand() -> None:
    """Voxels of 0.02 ml; LV 100 and 40 voxels at ED and ES, one phase predicted 10 too small."""
    ed, es = np.zeros((3, 20, 20), np.uint8), np.zeros((3, 20, 20), np.uint8)
    ed[0, :6, :10], ed[1, :4, :10] = Structure.LV, Structure.LV
    es[0, :2, :10], es[1, :2, :10] = Structure.LV, Structure.LV
    found = ed.copy()
    found[1, 3, :10] = 0
    judged = judge_patient("p", [(labelled(ed, "ED"), found), (labelled(es, "ES"), es)])

    assert judged.dice[Structure.LV] == pytest.approx((2 * 90 / 190 + 1) / 2)
    assert judged.error_ml[Structure.LV] == pytest.approx(10 * 0.02 / 2)
    assert judged.ef_percent[Structure.LV] == pytest.approx((100 * 50 / 90, 60.0))
    assert Structure.RV not in judged.ef_percent
    assert judged.basal_dice == pytest.approx((1 + 2 * 30 / 70 + 1 + 1) / 4)
    assert (judged.slices, judged.to_correct) == (4, 0)  # a row of 2 mm is nobody's stroke
    missed = judge_patient("p", [(labelled(ed, "ED"), np.zeros_like(ed)), (labelled(es, "ES"), es)])
    assert (missed.slices, missed.to_correct) == (4, 2)


def test_the_base_is_the_wider_end() -> None:
    labels = np.zeros((6, 20, 20), np.uint8)
    for z in range(1, 6):
        labels[z, : 2 * z, :10] = Structure.LV
    assert basal_slices(labels) == [5, 4]
    assert basal_slices(labels[::-1]) == [0, 1]


# --- starting from weights


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return untrained_model(tmp_path_factory.mktemp("start") / "model")


def test_training_starts_from_the_weights_of_the_model(start: Path) -> None:
    model = load_model(start)
    recipe = change_recipe(
        model.recipe, {"training.start": str(start), "training.start_hash": model.hash}
    )
    begun = start_network(recipe).state_dict()
    for name, value in load_file(start / "weights.safetensors").items():
        assert torch.equal(begun[name], value), name
    drawn = start_network(model.recipe).state_dict()
    assert any(not torch.equal(drawn[name], begun[name]) for name in drawn)


def test_other_weights_than_those_of_the_recipe_are_refused(start: Path, tmp_path: Path) -> None:
    changed = shutil.copytree(start, tmp_path / "changed")
    tensors = {n: v + 1 for n, v in load_file(changed / "weights.safetensors").items()}
    save_file(tensors, changed / "weights.safetensors")
    write_checksums(changed)
    recipe = change_recipe(
        load_model(start).recipe,
        {"training.start": str(changed), "training.start_hash": load_model(start).hash},
    )
    with pytest.raises(ModelError, match="not the file that the recipe starts from"):
        start_network(recipe)
    start_network(recipe, resumed=True)  # a stopped run has weights of its own


# --- whole rounds


@pytest.fixture
def patients(tmp_path: Path) -> Path:
    return write_readings(tmp_path)


@pytest.fixture
def loop(patients: Path, start: Path) -> LoopFolder:
    return begun_loop(patients, start)


@pytest.fixture(scope="module")
def learned(start: Path, tmp_path_factory: pytest.TempPathFactory) -> Round:
    """A round that really trains; its loop lies in the folder above that of the candidates."""
    root = write_readings(tmp_path_factory.mktemp("learned"))
    loop = begun_loop(root, start, epochs=8, learning_rate=2e-2)
    assert take(loop, root / "read") == ["p4", "p5", "p6", "p7"]
    return run_to_end(run_round(loop, device="cpu", threads=1))


def test_a_round_learns_is_judged_and_can_be_rolled_back(learned: Round, start: Path) -> None:
    assert learned.verdict.adopted, learned.verdict.reasons
    again = open_loop(learned.candidate.parents[1])
    assert again.active.path == learned.candidate
    test = run_to_end(read_locked(again))
    assert run_to_end(judge(load_model(learned.candidate), test, device="cpu")) == learned.judged
    split = json.loads((learned.candidate / "split.json").read_text())
    assert set(split["trained"]) == {"p4", "p5", "p6", "p7"}
    again.roll_back()
    assert again.active.path == start
    assert (learned.candidate / "weights.safetensors").is_file()
    with pytest.raises(ModelError, match="no earlier model"):
        again.roll_back()


def test_a_damaged_candidate_is_kept_but_not_adopted(
    loop: LoopFolder, patients: Path, start: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(loop, patients / "read")
    monkeypatch.setattr("engine.learning.training.train", training_that(spoilt))
    done = run_to_end(run_round(loop, device="cpu", threads=1))

    assert not done.verdict.adopted
    assert loop.active.path == start
    assert done.candidate.is_dir()
    assert loop.history[-1]["verdict"]["reasons"] == list(done.verdict.reasons)


def test_without_news_there_is_no_round(
    loop: LoopFolder, patients: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.learning.training.train", training_that(unchanged))
    with pytest.raises(ModelError, match="Nothing new was approved"):
        run_to_end(run_round(loop, device="cpu"))
    take(loop, patients / "read")
    run_to_end(run_round(loop, device="cpu", threads=1))
    assert new_since_last_round(loop) == []
    with pytest.raises(ModelError, match="Nothing new was approved"):
        run_to_end(run_round(loop, device="cpu"))


def test_a_stopped_round_goes_on_with_the_studies_it_began_with(
    patients: Path, start: Path
) -> None:
    loop = begun_loop(patients, start, epochs=2)
    take(loop, *(patients / "read" / name for name in ("p4", "p5", "p6")))
    steps = run_round(loop, device="cpu", threads=1)
    while not (loop.candidate(1) / "state.safetensors").exists():
        next(steps)
    steps.close()
    take(loop, patients / "read" / "p7")
    change_settings(loop, epochs=3)
    done = run_to_end(run_round(open_loop(loop.path), device="cpu", threads=1))
    rows = (done.candidate / "log.jsonl").read_text().splitlines()
    assert (done.number, len(rows)) == (1, 2)
    assert [study.name for study in done.studies] == ["p4", "p5", "p6"]
    assert [study.name for study in new_since_last_round(loop)] == ["p7"]


def test_locked_patients_are_not_collected(loop: LoopFolder, patients: Path) -> None:
    shutil.copytree(patients / "test" / "p1", patients / "read" / "renamed")
    approve(patients / "read" / "renamed")
    found = run_to_end(collect(loop.collection, loop.locked, [patients / "read"]))
    assert "renamed" not in {study.name for study in found.studies}
    assert any("shares" in why and "with p1" in why for why in found.left_out)


def test_changed_labels_are_a_new_version_and_the_old_one_stays(
    loop: LoopFolder, patients: Path
) -> None:
    take(loop, patients / "read")
    before = run_to_end(read_collection(latest_versions(loop.collection)[:1]))
    approve(patients / "read" / "p4", shift=1)
    assert take(loop, patients / "read") == ["p4"]
    versions = versions_of(loop.collection / "p4")
    assert [each.version for each in versions] == [1, 2]
    first, second = (run_to_end(read_collection([each])) for each in versions)
    np.testing.assert_array_equal(
        np.roll(first[0].volumes[0].labels(), 1, axis=2), second[0].volumes[0].labels()
    )
    np.testing.assert_array_equal(first[0].volumes[0].possible, before[0].volumes[0].possible)


def test_what_nobody_approved_is_not_collected(loop: LoopFolder, patients: Path) -> None:
    with pytest.raises(UnusableLabelsError):
        run_to_end(collect(loop.collection, loop.locked, [patients / "test"]))


def test_changed_locked_patients_are_refused(loop: LoopFolder, patients: Path) -> None:
    take(loop, patients / "read")
    image = next((patients / "test" / "p2").glob("*frame01.nii.gz"))
    shutil.copy(next((patients / "test" / "p3").glob("*frame01.nii.gz")), image)
    with pytest.raises(ModelError, match="p2 is not as when they were locked"):
        run_to_end(run_round(loop, device="cpu"))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("loop.toml", 'start = "m"\ntest = []\nepoch = 3\n', "epoch"),
        ("loop.toml", "no toml", "is wrong|cannot be read"),
        ("locked.json", "[1]", "cannot be read"),
    ],
)
def test_a_damaged_loop_is_told(loop: LoopFolder, name: str, content: str, said: str) -> None:
    (loop.path / name).write_text(content)
    with pytest.raises(ModelError, match=said):
        open_loop(loop.path)


def test_a_damaged_history_is_told(loop: LoopFolder) -> None:
    (loop.path / "history.jsonl").write_text("{")
    with pytest.raises(ModelError, match="damaged"):
        _ = loop.active


def test_a_loop_is_not_begun_in_a_used_folder(patients: Path, start: Path) -> None:
    (patients / "used").mkdir()
    (patients / "used" / "mine.txt").write_text("mine")
    with pytest.raises(CannotSaveError):
        run_to_end(make_loop(patients / "used", LoopSettings(start=str(start), test=()), []))


# --- what to read next


def seen(name: str, error_ml: float, *point: float) -> SeenStudy:
    return SeenStudy(Path(name), name, error_ml, None, np.array(point, np.float64))


def test_the_most_doubtful_comes_first_and_its_twin_later() -> None:
    studies = [
        seen("a", 50, 0.0, 0.0),
        seen("twin of a", 49, 0.0, 0.01),
        seen("b", 20, 5.0, 5.0),
        seen("sure", 1, -5.0, 5.0),
    ]
    assert [each.study.name for each in pick(studies, 3)][:2] == ["a", "b"]
    assert [each.rank for each in pick(studies, 9)] == [1, 2, 3, 4]


def test_studies_that_look_alike_are_ranked_by_doubt() -> None:
    studies = [seen(str(error), error, 1.0) for error in (3, 9, 5)]
    assert [each.study.name for each in pick(studies, 3)] == ["9", "5", "3"]


# --- the commands


def test_the_commands_go_the_whole_way(
    patients: Path,
    start: Path,
    learned: Round,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the candidate learns is what a real round has learned."""
    weights = load_file(learned.candidate / "weights.safetensors")
    monkeypatch.setattr("engine.learning.training.train", training_that(lambda _: weights))
    loop = str(patients / "loop")
    begun = ["finetune", "begin", loop, "--start", str(start), "--test", str(patients / "test")]
    assert main([*begun, "--epochs", "15", "--learning-rate", "0.02"]) == 0
    assert main(["finetune", "collect", loop, str(patients / "read")]) == 0
    assert "4 new versions" in capsys.readouterr().out
    assert main(["finetune", "run", loop, "--device", "cpu", "--threads", "1"]) == 0
    assert "ADOPTED" in capsys.readouterr().out
    assert main(["finetune", "status", loop]) == 0
    assert "│ active" in capsys.readouterr().out
    candidate = open_loop(patients / "loop").active.path
    data = ["--data", str(patients / "test"), "--device", "cpu", "--json"]
    told = []
    for command in ("compare-models", "compare"):
        assert main([command, str(start), str(candidate), *data]) == 0
        told.append(json.loads(capsys.readouterr().out))
    assert told[0] == told[1]
    assert told[0]["adopted"]
    assert main(["finetune", "roll-back", loop]) == 0


@pytest.mark.parametrize("rest", [["other"], ["--data", "somewhere"]])
def test_models_are_compared_only_with_patients(
    rest: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", "model", *rest]) == 2
    assert "is missing" in capsys.readouterr().err


def test_the_selection_is_told(
    patients: Path, start: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    called = ["select", str(patients / "test"), str(patients / "read"), "--model", str(start)]
    assert main([*called, "--count", "2", "--device", "cpu", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["studies"]) == 2
    assert len(told["left_out"]) == 4
    assert all("approved" in why for why in told["left_out"])


def test_a_loop_that_is_none_ends_with_2(tmp_path: Path) -> None:
    assert main(["finetune", "status", str(tmp_path)]) == 2
    with pytest.raises(HeartSegError):
        open_loop(tmp_path)


def test_what_the_command_says_of_its_defaults_is_so(
    patients: Path, start: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loop = str(patients / "usual")
    assert (
        main(["finetune", "begin", loop, "--start", str(start), "--test", str(patients / "test")])
        == 0
    )
    made = open_loop(patients / "usual").settings
    assert (made.epochs, made.learning_rate) == (30, 1.5e-3)
    capsys.readouterr()
    assert main(["finetune", "begin", "--help"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "30 if not given" in told
    assert "1.5e-3 if not given" in told
