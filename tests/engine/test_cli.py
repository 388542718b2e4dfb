"""The command line, as a user calls it: exit codes, one line what, one line what to do."""

import csv
import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from engine.cli import main
from engine.learning.models import list_models
from engine.progress import run_to_end

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


@pytest.mark.parametrize(
    "command", ["info", "predict", "report", "train", "evaluate", "models", "phantom"]
)
def test_every_command_shows_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, command, "--help")

    assert code == 0
    assert f"heartseg {command}" in out.split("Example")[1]


def test_models_are_listed_as_data(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "models", "--json")

    assert code == 0
    assert [entry["name"] for entry in json.loads(out)] == [e.name for e in list_models()]
