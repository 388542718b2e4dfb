"""Making a doubt model from runs and patients, by a network whose errors are known."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.cli import main
from engine.datasets.labelled import LabelledPatient, LabelledVolume, bits_of
from engine.errors import ModelError
from engine.learning.checkpoint import Model
from engine.learning.doubt import calibrating, trees
from engine.learning.doubt.calibrating import calibrate, doubt_section, sides_of
from engine.learning.doubt.collecting import Watcher, observe
from engine.learning.doubt.fitting import cross_fit, deal, fit_volume_spread, tabulate
from engine.learning.doubt.measuring import auroc, share_in_first
from engine.learning.doubt.model import read_doubt
from engine.learning.doubt.strangers import made_up, read_strangers
from engine.learning.models import ModelEntry
from engine.progress import run_to_end
from engine.recipe import Recipe, change_recipe
from engine.structures import HEART_STRUCTURES, Structure

CPU = torch.device("cpu")
GREYS = np.array([0.05, 0.65, 0.35, 0.95])  # of background, RV, myocardium, LV
SIZE = 48


class ByGrey(torch.nn.Module):
    """Calls each pixel the structure whose grey value is nearest; noise makes it err."""

    stride = 4

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        centres = torch.tensor(GREYS, dtype=torch.float32)[None, :, None, None]
        smooth = torch.nn.functional.avg_pool2d(image, 3, stride=1, padding=1)
        return -60 * (smooth - centres).square()


def recipe() -> Recipe:
    return change_recipe(
        Recipe(title="by grey"),
        {"image.scale": "none", "image.size": [32, 32], "image.spacing_mm": 2.0},
    )


def labels_of(radius: float, depth: int = 5) -> np.ndarray:
    rows, columns = np.indices((SIZE, SIZE))
    labels = np.zeros((depth, SIZE, SIZE), np.uint8)
    for z, plane in enumerate(labels[:-1]):
        inner = radius * (1 - 0.12 * z)
        plane[np.hypot(rows - 24, columns - 12) < 0.7 * inner] = Structure.RV
        plane[np.hypot(rows - 24, columns - 26) < inner + 4] = Structure.MYOCARDIUM
        plane[np.hypot(rows - 24, columns - 26) < inner] = Structure.LV
    return labels


def patient(number: int, *, sunnybrook: bool = False) -> LabelledPatient:
    random = np.random.default_rng(number)
    volumes = []
    for phase, radius in (("ED", random.uniform(8, 11)), ("ES", random.uniform(4, 7))):
        labels = labels_of(radius)
        noise = random.uniform(0.05, 0.5, len(labels))[:, None, None]
        image = GREYS[labels] + noise * random.normal(size=labels.shape)
        bits = bits_of(labels)
        if sunnybrook:  # the RV is nowhere drawn
            outside = labels <= Structure.RV
            bits[outside] = (1 << Structure.BACKGROUND) | (1 << Structure.RV)
        volumes.append(
            LabelledVolume(
                f"{number} {phase}", image.astype(np.float32), bits, (8.0, 2.0, 2.0), phase
            )
        )
    return LabelledPatient(f"{'sc' if sunnybrook else 'p'}{number}", "", tuple(volumes))


PATIENTS = [("full", patient(n)) for n in range(12)] + [
    ("partial", patient(n, sunnybrook=True)) for n in range(12, 16)
]


def make_run(path: Path, held_out: Sequence[int]) -> Path:
    path.mkdir()
    names = [each.name for _, each in PATIENTS]
    split = {
        "trained": [name for n, name in enumerate(names) if n not in held_out],
        "validated": [],
        "held_out": [name for n, name in enumerate(names) if n in held_out],
    }
    (path / "split.json").write_text(json.dumps(split))
    return path


def entry_of(path: Path, made: Recipe) -> ModelEntry:
    return ModelEntry(path.name, path, made)


def load(path: Path) -> Model:
    return Model(entry_of(path, recipe()), ByGrey(), path.name.ljust(64, "0"))


@pytest.fixture(autouse=True)
def known_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibrating, "load_model", load)
    monkeypatch.setattr(calibrating, "GROUPS", 3)
    monkeypatch.setattr(trees, "_TREES", 40)  # quick, and enough for what is known here


def test_what_was_observed_is_what_reader_and_network_drew() -> None:
    found = run_to_end(observe(load(Path("one")), PATIENTS[:1] + PATIENTS[-1:], CPU, doing="x"))
    full, partial = found[0], found[-1]
    assert [stack.phase for stack in found] == ["ED", "ES", "ED", "ES"]
    labels = labels_of(np.random.default_rng(0).uniform(8, 11))
    for column, structure in enumerate(HEART_STRUCTURES):
        area = (labels == structure).sum(axis=(1, 2)) * 4 / 100
        assert full.true_cm2[:, column] == pytest.approx(area)
    assert (full.shared_cm2 <= np.minimum(full.true_cm2, full.called_cm2) + 1e-9).all()
    assert full.known.all()
    assert not partial.known[:, HEART_STRUCTURES.index(Structure.RV)].any()
    assert partial.known[:, HEART_STRUCTURES.index(Structure.LV)].all()
    assert set(full.values) == {"facts", "grey"}  # this network gives no deep values
    table = tabulate(found)
    assert table.complete.tolist() == [True] * 10 + [False] * 10
    assert np.isnan(table.errors_cm2[10:, HEART_STRUCTURES.index(Structure.RV)]).all()
    nothing = np.zeros_like(full.called_cm2)
    silent = tabulate([replace(full, called_cm2=nothing, shared_cm2=nothing)])
    assert silent.mean_dice.tolist() == [0, 0, 0, 0, 1]  # the last slice has no heart to miss


def test_stacks_are_turned_with_their_labels() -> None:
    plain, turned = (
        run_to_end(observe(load(Path("one")), PATIENTS, CPU, doing="x", turned=way))
        for way in (False, True)
    )
    backwards = 0
    for one, other in zip(plain, turned, strict=True):
        assert sorted(other.true_cm2[:, 0]) == pytest.approx(sorted(one.true_cm2[:, 0]))
        assert other.shared_cm2.sum() == pytest.approx(one.shared_cm2.sum(), rel=0.02)
        backwards += int(other.true_cm2[-1].any())  # the slice without a heart is not last
    assert 0 < backwards < len(plain)


def test_noisy_slices_are_expected_to_be_wrong_by_a_head_that_never_saw_the_patient() -> None:
    found = run_to_end(observe(load(Path("one")), PATIENTS, CPU, doing="x"))
    table = tabulate(found)
    expected = cross_fit(table, deal([stack.patient for stack in found], groups=3))
    rows = table.complete
    true = table.errors_cm2[rows].sum(axis=1)
    assert np.corrcoef(expected.errors_cm2[rows].sum(axis=1), true)[0, 1] > 0.6
    assert expected.errors_cm2[rows].sum() == pytest.approx(true.sum(), rel=0.3)


def test_calibrating_writes_what_judges_and_measures_it(tmp_path: Path) -> None:
    halves = [range(0, 16, 2), range(1, 16, 2)]
    runs = [make_run(tmp_path / f"run{n}", half) for n, half in enumerate(halves)]
    (runs[0] / "scores.json").write_text(json.dumps({"patients": [], "note": 1}))
    strangers = [each for each in made_up() if each.name in ("zeros", "rough 0", "smooth 9")]
    figures = run_to_end(calibrate(runs, PATIENTS, runs[0], strangers=strangers, device="cpu"))
    assert figures["patients"] == 16
    assert figures["lv_ef"]["patients"] == 16
    assert figures["rv_ef"]["patients"] == 12
    assert 0.5 <= figures["lv_ef"]["coverage"] <= 1
    assert {name: len(v) for name, v in figures["unfamiliarity_of_held_out"].items()} == {
        "full": 12,
        "partial": 4,
    }
    assert min(figures["unfamiliarity_of_others"]["empty image"]) > 1
    assert min(figures["unfamiliarity_of_others"]["noise"]) > 1
    shares = figures["first_fifth"]["missed"]
    assert shares["by_error"] <= shares["ceiling"] <= 1
    scores = json.loads((runs[0] / "scores.json").read_text())
    assert scores["note"] == 1
    assert scores["doubt"] == doubt_section(figures)
    model = read_doubt(runs[0], weights="run0".ljust(64, "0"))
    assert model is not None
    assert len(model.made["held_out_patients"]) == 16
    stranger = patient(40)
    seen = Watcher(load(runs[0]), CPU).look_at(stranger, stranger.volumes[0])
    judged = model.judge(seen.facts, None)
    assert judged.expected_error_ml.shape == (5,)
    assert judged.unfamiliarity < 2
    assert not (runs[1] / "doubt.json").exists()


def test_a_patient_held_out_twice_is_refused(tmp_path: Path) -> None:
    runs = [make_run(tmp_path / f"run{n}", [0, 1, 2, 3, 4]) for n in range(2)]
    with pytest.raises(ModelError, match="held out by more than one run"):
        run_to_end(calibrate(runs, PATIENTS, runs[0], device="cpu"))
    assert not (runs[0] / "doubt.json").exists()


def test_too_few_patients_are_refused(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", [0, 1])
    with pytest.raises(ModelError, match="too few"):
        run_to_end(calibrate([run], PATIENTS, run, device="cpu"))


def test_models_of_something_else_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(tmp_path / "run", [0, 1])
    atrium = change_recipe(recipe(), {"data.task": "left_atrium", "network.classes": 2})
    monkeypatch.setattr(
        calibrating, "load_model", lambda path: replace(load(path), entry=entry_of(path, atrium))
    )
    with pytest.raises(ModelError, match="left atrium"):
        run_to_end(calibrate([run], PATIENTS, run, device="cpu"))


def test_data_that_a_model_was_not_trained_on_are_refused(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", [0, 1])
    with pytest.raises(ModelError, match="not in the data"):
        sides_of(load(run), PATIENTS[1:])
    (run / "split.json").write_text('{"trained": 3}')
    with pytest.raises(ModelError, match="damaged"):
        sides_of(load(run), PATIENTS)
    (run / "split.json").unlink()
    trained, held_out = sides_of(load(run), PATIENTS)
    assert sorted(each.name for _, each in (*trained, *held_out)) == sorted(
        each.name for _, each in PATIENTS
    )
    (run / "scores.json").write_text(json.dumps({"patients": [{"patient": "p0"}]}))
    with pytest.raises(ModelError, match="other data"):
        sides_of(load(run), PATIENTS)


def test_the_share_in_the_first_fifth() -> None:
    amounts = np.array([0, 0, 0, 0, 0, 0, 0, 5.0, 3.0, 2.0])
    assert share_in_first(amounts, amounts) == pytest.approx(0.8)
    assert share_in_first(-amounts, amounts) == 0
    assert share_in_first(amounts, np.zeros(10)) == 0


def test_auroc_is_the_share_of_pairs_in_order() -> None:
    order, wanted = np.array([3.0, 1.0, 2.0, 2.0]), np.array([True, False, True, False])
    assert auroc(order, wanted) == pytest.approx((2 + 1 + 0.5) / 4)
    assert auroc(order, np.zeros(4, bool)) is None


def test_volumes_without_any_error_still_have_a_spread() -> None:
    from engine.learning.doubt.fitting import StackVolume

    same = [StackVolume(str(n), "ED", 100.0 + n, 100.0, 100.0 + n, 5.0) for n in range(5)]
    assert fit_volume_spread(same).sd_ml(5, 100) > 0


def test_strangers_are_read_from_pictures_and_what_is_none_is_left_out(tmp_path: Path) -> None:
    from PIL import Image

    random = np.random.default_rng(0)
    for name in ("a", "b"):
        Image.fromarray(random.integers(0, 255, (20, 30), np.uint8)).save(tmp_path / f"{name}.png")
    Image.fromarray(np.eye(30, dtype=np.uint8)).save(tmp_path / "labels.png")
    (tmp_path / "notes.txt").write_text("nothing to see")
    found = run_to_end(read_strangers(tmp_path))
    assert [each.kind for each in found] == [f"{tmp_path.parent.name}/{tmp_path.name}"] * 2
    assert found[0].phases[0].shape == (1, 20, 30)


def test_the_command_says_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["calibrate", str(tmp_path / "no"), "--data", str(tmp_path), "--out", "x"]
    assert main(arguments) == 2
    assert "There is no folder" in capsys.readouterr().err
