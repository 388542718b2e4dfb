"""The command evaluate with its richer scores and with a correction."""

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from engine.cli import main


def save(path: Path, voxels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(voxels, np.diag([1.5, 1.5, 8.0, 1.0])), path)
    return path


def heart() -> np.ndarray:
    voxels = np.zeros((20, 20, 5, 2), np.uint8)
    voxels[5:15, 5:15, 1:4] = 2
    voxels[8:12, 8:12, 1:4] = 3
    voxels[1:4, 5:8, 1:4] = 1
    return voxels


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """Predictions of two patients before and after the correction of one, and references."""
    spoilt = heart()
    spoilt[8:12, 8:12, 1, 0] = 0
    for name in ("a", "b"):
        save(tmp_path / f"reference/{name}_gt.nii.gz", heart())
        save(tmp_path / f"after/{name}_pred.nii.gz", heart())
        save(tmp_path / f"before/{name}.nii.gz", spoilt if name == "a" else heart())
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    code = main([str(argument) for argument in arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_evaluate_tells_what_a_correction_changed(
    folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(
        capsys,
        *("evaluate", folders / "after", folders / "reference", "--out", folders / "s.json"),
        *("--before", folders / "before"),
    )
    found = json.loads((folders / "s.json").read_text())

    assert code == 0
    assert "2 label maps on 1 slices" in out
    assert found["corrections"]["a"]["changed_slices"] == [{"phase": 0, "slice": 1, "voxels": 16}]
    lv = found["corrections"]["a"]["phases"]["0"]["lv"]
    assert lv["before"]["dice"] == pytest.approx(2 * 32 / (32 + 48))
    assert lv["after"]["dice"] == 1.0
    assert found["corrections"]["b"]["changed_slices"] == []
    assert found["without_before"] == []


def test_evaluate_pools_the_pixels_of_every_pair(
    folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(
        capsys,
        *("evaluate", folders / "before", folders / "reference", "--out", folders / "s.json"),
    )
    found = json.loads((folders / "s.json").read_text())
    lv = found["pairs"]["a"]["phases"]["0"]["lv"]

    assert "corrections" not in found
    assert (lv["precision"], lv["recall"]) == pytest.approx((1.0, 32 / 48))
    assert lv["iou"] == pytest.approx(32 / 48)
    assert 0 < lv["mean_surface_distance_mm"] < lv["hausdorff_mm"] == 8.0
    # LV voxels: 4 x 4 x 3 slices x 2 phases x 2 patients, of which 16 are called background
    counts = np.array(found["pooled"]["counts"])
    assert counts[3].tolist() == [16, 0, 0, 4 * 48 - 16]
    assert counts.sum() == 2 * heart().size
    assert found["pooled"]["per_class"]["lv"]["recall"] == pytest.approx(176 / 192)
    assert np.array_equal(
        counts, np.sum([row["pooled"]["counts"] for row in found["pairs"].values()], axis=0)
    )


def test_a_pair_of_files_takes_a_file_from_before(
    folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, _ = run(
        capsys,
        *("evaluate", folders / "after/a_pred.nii.gz", folders / "reference/a_gt.nii.gz"),
        *("--out", folders / "s.json", "--before", folders / "before/a.nii.gz"),
    )
    found = json.loads((folders / "s.json").read_text())

    assert code == 0
    assert len(found["corrections"]["a"]["changed_slices"]) == 1


def test_a_pair_without_an_earlier_map_is_named(
    folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folders / "before/b.nii.gz").unlink()
    code, _, err = run(
        capsys,
        *("evaluate", folders / "after", folders / "reference", "--out", folders / "s.json"),
        *("--before", folders / "before"),
    )

    assert code == 0
    assert json.loads((folders / "s.json").read_text())["without_before"] == ["b"]
    assert "b has no label map from before" in err


@pytest.mark.parametrize("before", ["nowhere", "empty", "before/a.nii.gz"])
def test_an_earlier_map_that_does_not_fit_ends_in_one_line(
    before: str, folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folders / "empty").mkdir()
    code, _, err = run(
        capsys,
        *("evaluate", folders / "after", folders / "reference", "--out", folders / "s.json"),
        *("--before", folders / before),
    )

    assert code == 2
    assert len(err.strip().splitlines()) == 2
    assert not (folders / "s.json").exists()


def test_an_earlier_map_of_another_image_is_refused(
    folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(folders / "before/a.nii.gz", heart()[:, :, :4])
    code, _, err = run(
        capsys,
        *("evaluate", folders / "after", folders / "reference", "--out", folders / "s.json"),
        *("--before", folders / "before"),
    )

    assert code == 2
    assert "Traceback" not in err
