"""`heartseg mesh`: a study and its labels as surfaces, from the command line."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import trimesh

from engine.cli import main
from engine.io.label_store import save_labels
from engine.io.study_folder import read_study
from engine.labelmap import LabelMap
from engine.progress import run_to_end
from engine.structures import Structure
from engine.study import Provenance
from tests.phantoms import CylinderHeart

HEART = CylinderHeart()


def write_study(folder: Path) -> Path:
    folder.mkdir(parents=True)
    cine = HEART.cine()
    image = nib.Nifti1Image(
        np.ascontiguousarray(cine.voxels.transpose(3, 2, 1, 0)), cine.geometry.affine
    )
    image.header.set_xyzt_units("mm", "msec")
    nib.save(image, folder / "heart.nii.gz")
    return folder


def write_labels(study: Path, path: Path, phases: tuple[int, ...] | None = None) -> Path:
    opened = run_to_end(read_study(study))
    labels = LabelMap(HEART.labels(phases).voxels, opened.stacks[0].cine.geometry)
    run_to_end(save_labels(opened, 0, labels, Provenance(), path=path))
    return path


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_study(tmp_path_factory.mktemp("study") / "anna")


@pytest.fixture(scope="module")
def labels(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_labels(study, tmp_path_factory.mktemp("labels") / "labels.nii.gz")


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    code = main(["mesh", *map(str, arguments)])
    told = capsys.readouterr()
    return code, told.out, told.err


def voxels_ml(phase: int) -> float:
    """What the labels of the LV hold in a phase."""
    voxels = HEART.labels().voxels[phase] == Structure.LV
    return float(np.count_nonzero(voxels)) * HEART.geometry.voxel_ml


def assert_moved_mm(path: Path, expected: float) -> None:
    """The side of the cylinder has moved so far since end-diastole."""
    values = trimesh.load(path).metadata["_ply_raw"]["vertex"]["data"]["motion_mm"]
    assert np.percentile(np.asarray(values), 90) == pytest.approx(expected, abs=0.7)


def ml(path: Path) -> float:
    read = trimesh.load(path, force="mesh")
    assert read.is_watertight
    return float(read.volume) / 1000


def test_one_closed_file_for_each_structure_at_end_diastole(
    study: Path, labels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(capsys, study, "--labels", labels, "--out", tmp_path)

    assert code == 0
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"rv.stl", "lv.stl", "myocardium.stl", "heart.glb"}
    assert ml(tmp_path / "lv.stl") == pytest.approx(voxels_ml(0), rel=0.005)
    scene = trimesh.load_scene(tmp_path / "heart.glb")
    assert set(scene.graph.nodes_geometry) == {"rv", "lv", "myocardium"}
    assert "Left ventricle" in out
    assert out.count(" yes ") == 3  # closed


@pytest.mark.parametrize(("phase", "shown"), [("es", 2), ("ED", 0), ("4", 3)])
def test_the_phase_that_was_asked_for(
    study: Path,
    labels: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    phase: str,
    shown: int,
) -> None:
    code, _, _ = run(capsys, study, "--labels", labels, "--out", tmp_path, "--phase", phase)

    assert code == 0
    assert ml(tmp_path / "lv.stl") == pytest.approx(voxels_ml(shown), rel=0.005)


def test_all_phases_in_the_formats_that_were_asked_for(
    study: Path, labels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(
        capsys, study, "--labels", labels, "--out", tmp_path, "--phase", "all",
        "--format", "ply", "--format", "vtp",
    )  # fmt: skip

    assert code == 0
    assert (tmp_path / "heart.pvd").is_file()
    assert_moved_mm(tmp_path / "phase_3" / "lv.ply", 7.0)  # 25 mm at ED, 18 mm at ES
    assert_moved_mm(tmp_path / "phase_1" / "lv.ply", 0.0)
    assert b"property float thickness_mm" in (tmp_path / "phase_1/myocardium.ply").read_bytes()
    volumes = [ml(tmp_path / f"phase_{number}" / "lv.ply") for number in (1, 2, 3, 4)]
    assert volumes == pytest.approx([voxels_ml(phase) for phase in range(4)], rel=0.005)
    assert not list(tmp_path.rglob("*.stl"))
    assert f"Wrote 25 files to {tmp_path}" in out


def test_bodies_for_the_printer_lie_beside(
    study: Path, labels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(
        capsys, study, "--labels", labels, "--out", tmp_path, "--print", "--wall", "4",
        "--format", "stl",
    )  # fmt: skip

    assert code == 0
    assert {path.name for path in tmp_path.glob("print_*")} == {
        "print_heart.stl", "print_myocardium.stl", "print_rv.stl",
    }  # fmt: skip
    assert trimesh.load(tmp_path / "print_heart.stl").is_watertight
    assert "Thinnest wall" in out


def test_a_left_atrium_has_its_own_name(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    opened = run_to_end(read_study(study))
    voxels = np.where(HEART.labels().voxels == Structure.LV, np.uint8(Structure.LEFT_ATRIUM), 0)
    voxels[1:] = 0
    atrium = LabelMap(voxels.astype(np.uint8), opened.stacks[0].cine.geometry)
    path = tmp_path / "atrium.nii.gz"
    run_to_end(save_labels(opened, 0, atrium, Provenance(), path=path))

    code, _, _ = run(capsys, study, "--labels", path, "--out", tmp_path / "out")

    assert code == 0
    assert {each.name for each in (tmp_path / "out").iterdir()} == {
        "left_atrium.stl", "heart.glb",
    }  # fmt: skip
    assert ml(tmp_path / "out" / "left_atrium.stl") == pytest.approx(voxels_ml(0), rel=0.005)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--phase", "9"], "There is no phase 9; the study has 4."),
        (["--phase", "3"], "Nothing is labelled in phase 3"),
        (["--phase", "es"], "Only one phase"),
        (["--phase", "late"], "not 'late'"),
        (["--format", "3ds"], "3ds"),
        (["--print", "--wall", "0.1"], "--wall"),
        (["--stack", "2"], "There is no stack 2"),
    ],
)
def test_what_the_user_can_cause_ends_with_two_and_writes_nothing(
    study: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    more: list[str],
    said: str,
) -> None:
    only_one = write_labels(study, tmp_path / "labels.nii.gz", phases=(0,))
    out = tmp_path / "out"

    code, _, err = run(capsys, study, "--labels", only_one, "--out", out, *more)

    assert code == 2
    assert said in err
    assert len(err.strip().splitlines()) == 2  # what, and what to do
    assert not list(out.rglob("*.*"))


def test_bodies_of_all_phases_are_refused(
    study: Path, labels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(
        capsys, study, "--labels", labels, "--out", tmp_path / "o", "--phase", "all", "--print"
    )
    assert code == 2
    assert "one phase" in err


def test_files_of_others_are_not_replaced(
    study: Path, labels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "lv.stl").write_text("solid mine\nendsolid\n")

    code, _, err = run(capsys, study, "--labels", labels, "--out", tmp_path)

    assert code == 2
    assert "lv.stl is there already" in err
    assert [path.name for path in tmp_path.iterdir()] == ["lv.stl"]


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("folder", "names"),
    [
        ("acdc/training/patient001", {"rv", "lv", "myocardium"}),
        ("left_atrium", {"left_atrium"}),
    ],
)
def test_real_hearts_become_closed_files_of_the_labels_volume(
    real_data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    folder: str,
    names: set[str],
) -> None:
    place = real_data / folder
    if not (place / "Info.cfg").is_file():
        place = min(path for path in place.iterdir() if path.is_dir())
    stored = run_to_end(read_study(place)).labels[0].labels
    first = stored.voxels[stored.labelled_phases()[0]]

    code, _, _ = run(capsys, place, "--out", tmp_path, "--phase", "1", "--format", "stl")

    assert code == 0
    assert {path.stem for path in tmp_path.iterdir()} == names
    for name in names:
        held_ml = np.count_nonzero(first == Structure[name.upper()]) * stored.geometry.voxel_ml
        assert ml(tmp_path / f"{name}.stl") == pytest.approx(held_ml, rel=0.02)
