"""The command line, as a user calls it: exit codes, one line what, one line what to do."""

import csv
import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from engine.cine import Cine
from engine.cli import main
from engine.io.label_store import load_labels, save_labels
from engine.io.nifti import write_labels
from engine.io.study_folder import read_study
from engine.labelmap import LabelMap
from engine.learning.models import list_models
from engine.progress import Progress, Steps, run_to_end
from engine.study import Origin, Provenance, Study

needs_model = pytest.mark.skipif(not list_models(), reason="no model lies in resources/models")


@pytest.fixture(scope="module")
def phantom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from engine.datasets.phantom import write_phantom

    return run_to_end(write_phantom(tmp_path_factory.mktemp("data") / "phantom", 11))


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    code = main([str(argument) for argument in arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_info_describes_the_phantom_as_data(
    phantom: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(capsys, "info", phantom, "--json")
    content = json.loads(out)

    assert code == 0
    stack = content["stacks"][0]
    assert stack["phases"] == 25
    assert len(stack["spacing_mm"]) == 3
    assert np.array(stack["affine"]).shape == (4, 4)
    assert content["other_views"] == []
    assert not any(problem["blocking"] for problem in content["problems"])


def test_phantoms_of_one_seed_are_equal_and_overwrite_nothing(
    tmp_path: Path, phantom: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, "phantom", tmp_path / "phantom", "--seed", "11")[0] == 0
    for name in ("phantom_4d.nii.gz", "truth.json", "Info.cfg"):
        assert (tmp_path / "phantom" / name).read_bytes() == (phantom / name).read_bytes()

    code, _, err = run(capsys, "phantom", tmp_path / "phantom", "--seed", "12")
    assert code == 2
    assert len(err.strip().splitlines()) == 2


@needs_model
def test_predict_finds_the_phantoms_ejection_fraction(
    phantom: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The shipped model against a heart of known volume: LV EF within 5 points."""
    code, _, _ = run(capsys, "predict", phantom, "--out", tmp_path, "--device", "cpu")
    truth = json.loads((phantom / "truth.json").read_text())
    report = json.loads((tmp_path / "report.json").read_text())
    labels = nib.load(tmp_path / "labels.nii.gz")
    image = nib.load(next(phantom.glob("*_4d.nii.gz")))

    assert code == 0
    assert labels.shape == image.shape
    assert np.allclose(labels.affine, image.affine)
    assert abs(report["lv"]["ef_percent"] - truth["lv"]["ef_percent"]) <= 5
    found = {key: report["phases"][key] for key in ("ed", "es")}
    assert found == truth["phases"]
    written = np.asarray(labels.dataobj)
    predicted = {t for t in range(labels.shape[3]) if written[..., t].any()}
    assert predicted == set(found.values())


@needs_model
def test_report_tells_that_a_model_made_the_labels(
    phantom: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "predict", phantom, "--out", tmp_path / "p", "--device", "cpu")
    code, _, _ = run(
        capsys, "report", phantom, "--labels", tmp_path / "p/labels.nii.gz", "--out", tmp_path / "r"
    )
    first = json.loads((tmp_path / "p/report.json").read_text())
    second = json.loads((tmp_path / "r/report.json").read_text())

    assert code == 0
    assert (tmp_path / "r/report.pdf").read_bytes().startswith(b"%PDF")
    assert list(
        csv.reader((tmp_path / "r/report.csv").read_text(encoding="utf-8-sig").splitlines())
    )
    assert second["lv"] == first["lv"]
    assert second["provenance"]["model"] == list_models()[0].name


def test_evaluate_gives_perfect_scores_to_equal_maps(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    voxels = np.zeros((20, 20, 5, 2), np.uint8)
    voxels[5:15, 5:15, 1:4] = 2
    voxels[8:12, 8:12, 1:4] = 3
    voxels[5:8, 5:8, 1:4] = 1
    nib.save(nib.Nifti1Image(voxels, np.diag([1.5, 1.5, 8, 1])), tmp_path / "a_gt.nii.gz")
    nib.save(nib.Nifti1Image(voxels, np.diag([1.5, 1.5, 8, 1])), tmp_path / "a.nii.gz")
    code, _, _ = run(
        capsys,
        *("evaluate", tmp_path / "a.nii.gz", tmp_path / "a_gt.nii.gz"),
        *("--out", tmp_path / "scores.json"),
    )
    scores = json.loads((tmp_path / "scores.json").read_text())

    assert code == 0
    assert scores["mean_dice"] == 1.0
    assert scores["pairs"]["a"]["phases"]["0"]["lv"]["hausdorff_mm"] == 0.0
    assert scores["pairs"]["a"]["phases"]["1"]["lv"]["volume_ml"] == pytest.approx(
        4 * 4 * 3 * 1.5 * 1.5 * 8 / 1000
    )


def test_evaluate_refuses_maps_of_different_images(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    voxels = np.ones((8, 8, 3), np.uint8)
    nib.save(nib.Nifti1Image(voxels, np.diag([1.5, 1.5, 8, 1])), tmp_path / "a.nii.gz")
    nib.save(nib.Nifti1Image(voxels, np.diag([1.5, 1.5, 9, 1])), tmp_path / "b.nii.gz")
    code, _, err = run(
        capsys,
        *("evaluate", tmp_path / "a.nii.gz", tmp_path / "b.nii.gz"),
        *("--out", tmp_path / "s.json"),
    )

    assert code == 2
    assert not (tmp_path / "s.json").exists()
    assert len(err.strip().splitlines()) == 2


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nosuchcommand"],
        ["info"],
        ["info", "/nonexistent/folder"],
        ["predict", "/nonexistent/folder", "--out", "/tmp/never"],
        ["train", "nosuchrecipe", "--data", "/tmp", "--out", "/tmp/never"],
        ["evaluate", "/nonexistent/a", "/nonexistent/b", "--out", "/tmp/never.json"],
        ["phantom", "/proc/never/phantom"],
    ],
    ids=" ".join,
)
def test_what_the_user_can_cause_ends_with_two_and_no_traceback(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(capsys, *arguments)

    assert code == 2
    assert "Traceback" not in err


def test_a_fault_of_ours_ends_with_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("engine.io.study_folder.read_study", None)
    code, _, err = run(capsys, "info", ".")

    assert code == 1
    assert "mistake in the program" in err


def test_r2_6_ctrl_c_says_that_it_stopped(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_path: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("engine.io.study_folder.read_study", interrupted)
    code, _, err = run(capsys, "info", ".")
    assert code == 2
    assert err.startswith("error: Stopped.")
    assert len(err.strip().splitlines()) == 2


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError(13, "Permission denied", "/x/y"), "/x/y: Permission denied."),
        (OSError(28, "No space left on device"), "No space left on device."),
        (OSError("odd"), "odd."),
    ],
)
def test_r2_6_what_the_system_refuses_ends_with_two(
    error: OSError,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def refused(_path: Path) -> None:
        raise error

    monkeypatch.setattr("engine.io.study_folder.read_study", refused)
    code, _, err = run(capsys, "info", ".")
    assert code == 2
    assert err.splitlines()[0] == f"error: {said}"
    assert len(err.strip().splitlines()) == 2


def write_maps(folder: Path) -> Path:
    """A label map and its equal reference."""
    voxels = np.zeros((12, 12, 4), np.uint8)
    voxels[3:9, 3:9, 1:3] = 3
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("a.nii.gz", "a_gt.nii.gz"):
        nib.save(nib.Nifti1Image(voxels, np.diag([1.5, 1.5, 8, 1])), folder / name)
    return folder


@pytest.mark.parametrize("name", ["a_gt.nii.gz", "a.nii.gz", "scores.txt", "scores", "other.json"])
def test_r2_2_scores_never_replace_another_file(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_maps(tmp_path)
    out = folder / name
    (folder / "other.json").write_text('{"name": "precious", "pairs": 3}')
    before = out.read_bytes() if out.exists() else None
    code, _, err = run(
        capsys, "evaluate", folder / "a.nii.gz", folder / "a_gt.nii.gz", "--out", out
    )
    assert code == 2
    assert len(err.strip().splitlines()) == 2
    assert (out.read_bytes() if out.exists() else None) == before


def test_earlier_scores_are_replaced_and_folders_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_maps(tmp_path)
    out = folder / "new" / "folder" / "scores.json"
    for _ in range(2):
        code, _, _ = run(
            capsys, "evaluate", folder / "a.nii.gz", folder / "a_gt.nii.gz", "--out", out
        )
        assert code == 0
    (folder / "file").write_text("x")
    code, _, err = run(
        capsys,
        *("evaluate", folder / "a.nii.gz", folder / "a_gt.nii.gz"),
        *("--out", folder / "file" / "scores.json"),
    )
    assert (code, "could not be made" in err) == (2, True)


@pytest.fixture
def blind_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that finds nothing."""
    from engine.learning.inference import Prediction

    def find_nothing(_model: object, cine: Cine, **_options: object) -> Steps[Prediction]:
        yield Progress(0, 1, "Looking")
        return Prediction(np.zeros(cine.shape, np.uint8), (0,), Provenance(Origin.PREDICTED))

    monkeypatch.setattr("engine.learning.checkpoint.load_model", lambda _name: None)
    monkeypatch.setattr("engine.learning.inference.predict", find_nothing)


def write_heart(folder: Path, shape: tuple[int, ...] = (8, 9, 5, 3)) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    voxels = np.arange(np.prod(shape), dtype=np.int16).reshape(shape)
    image = nib.Nifti1Image(voxels, np.diag([1.5, 1.5, 8, 1]))
    image.header.set_xyzt_units("mm", "sec")
    nib.save(image, folder / "heart.nii.gz")
    return folder


@pytest.mark.usefixtures("blind_model")
@pytest.mark.parametrize("shape", [(8, 9, 5, 3), (8, 9, 1), (8, 9)])
def test_r2_6_a_prediction_without_a_heart_is_a_report_of_nulls(
    tmp_path: Path, shape: tuple[int, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    study = write_heart(tmp_path / "study", shape)
    code, out, err = run(capsys, "predict", study, "--out", tmp_path / "out")
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert code == 0
    assert set(report["lv"].values()) == {None}
    assert "no left ventricle" in report["warnings"][0]
    assert report["warnings"][0] in err
    assert "nan" not in out.lower()
    assert (tmp_path / "out" / "labels.nii.gz").is_file()


@pytest.mark.usefixtures("blind_model")
def test_r2_5_a_prediction_on_photographs_has_no_millilitres(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from PIL import Image

    (tmp_path / "study").mkdir()
    Image.fromarray(np.zeros((6, 8), np.uint8)).save(tmp_path / "study" / "1.png")
    code, _, err = run(capsys, "predict", tmp_path / "study", "--out", tmp_path / "out")
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert code == 0
    assert "size of a pixel is not known" in err
    assert {report[side][key] for side in ("lv", "rv") for key in report[side]} == {None}


@pytest.mark.usefixtures("blind_model")
@pytest.mark.parametrize("name", ["labels.nii.gz", "labels.json", "report.json"])
def test_r2_2_a_prediction_replaces_no_file_of_others(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    study = write_heart(tmp_path / "study")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).write_text('{"mine": 1}')
    code, _, err = run(capsys, "predict", study, "--out", tmp_path / "out")
    assert code == 2
    assert len(err.strip().splitlines()) == 2
    assert [path.name for path in (tmp_path / "out").iterdir()] == [name]
    assert (tmp_path / "out" / name).read_text() == '{"mine": 1}'


@pytest.mark.usefixtures("blind_model")
def test_r2_2_a_prediction_into_the_study_comes_back_as_labels(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = write_heart(tmp_path / "study")
    for out in (study, study / "results"):
        assert run(capsys, "predict", study, "--out", out)[0] == 0
    content = json.loads(run(capsys, "info", study, "--json")[1])
    assert [stack["name"] for stack in content["stacks"]] == ["heart"]
    assert [labels["origin"] for labels in content["labels"]] == ["predicted", "predicted"]
    assert not any(problem["blocking"] for problem in content["problems"])


def save_hearts(folder: Path, *, phases_by_hand: tuple[int | None, int | None]) -> Study:
    """A study with saved labels whose LV shrinks from phase to phase."""
    study = run_to_end(read_study(write_heart(folder)))
    cine = study.stacks[0].cine
    voxels = np.zeros(cine.shape, np.uint8)
    for phase in range(3):
        voxels[phase, 1:4, 1 : 7 - phase, 1:7] = 3
    labels = LabelMap(voxels, cine.geometry)
    made = Provenance(Origin.CORRECTED, corrected_by="A. Reader")
    run_to_end(save_labels(study, 0, labels, made, phases_by_hand=phases_by_hand))
    return study


@pytest.mark.parametrize(
    ("kept", "options", "expected"),
    [
        ((None, None), (), (0, 2)),
        ((1, 2), (), (1, 2)),
        ((None, 1), (), (0, 1)),
        ((1, 2), ("--ed", "1"), (0, 2)),
        ((1, 2), ("--ed", "1", "--es", "2"), (0, 1)),
    ],
)
def test_r2_5_the_report_measures_the_phases_chosen_when_the_labels_were_saved(
    tmp_path: Path,
    kept: tuple[int | None, int | None],
    options: tuple[str, ...],
    expected: tuple[int, int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    save_hearts(tmp_path / "study", phases_by_hand=kept)
    code, _, _ = run(capsys, "report", tmp_path / "study", "--out", tmp_path / "out", *options)
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert code == 0
    assert (report["phases"]["ed"], report["phases"]["es"]) == expected


def test_r2_5_the_report_names_the_study_by_its_whole_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    save_hearts(tmp_path / "study", phases_by_hand=(None, None))
    monkeypatch.chdir(tmp_path)
    run(capsys, "report", "study", "--labels", "study/heartseg/labels.nii.gz", "--out", "out")
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["study"]["path"] == str(tmp_path / "study")


def test_r2_5_damaged_labels_are_not_silently_replaced_by_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = save_hearts(tmp_path / "study", phases_by_hand=(None, None))
    own = tmp_path / "study" / "heartseg" / "labels.nii.gz"
    reference = tmp_path / "study" / "heart_gt.nii.gz"
    write_labels(reference, run_to_end(load_labels(own, study.stacks[0])).labels)
    own.write_bytes(own.read_bytes()[:-50])
    code, _, err = run(capsys, "report", tmp_path / "study", "--out", tmp_path / "out")
    assert code == 2
    assert "changed or damaged" in err
    assert "--labels" in err
    assert not (tmp_path / "out").exists()

    code, _, err = run(
        capsys, "report", tmp_path / "study", "--labels", reference, "--out", tmp_path / "out"
    )
    assert code == 0
    assert "changed or damaged" in err  # among the warnings


@pytest.mark.parametrize(
    "command",
    [
        *("info", "predict", "report", "train", "evaluate", "models", "phantom"),
        *("queue", "export", "compare"),
    ],
)
def test_every_command_shows_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, command, "--help")

    assert code == 0
    assert f"heartseg {command}" in out.split("Example")[1]


def test_models_are_listed_as_data(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "models", "--json")

    assert code == 0
    assert [entry["name"] for entry in json.loads(out)] == [e.name for e in list_models()]
