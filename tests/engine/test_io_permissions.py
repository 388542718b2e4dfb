"""Files and folders that may not be read: said, never passed over, never a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.cli import main
from engine.clinical.report import make_report
from engine.errors import CannotSaveError, ModelError, UnmeasurableError, UnreadableStudyError
from engine.io.label_store import load_labels, refuse_foreign
from engine.io.study_folder import read_study
from engine.labelmap import LabelMap
from engine.progress import run_to_end
from engine.recipe import read_recipe
from engine.study import Provenance, Study
from tests.engine.test_dicom import dataset, save, write_cine
from tests.engine.test_label_store import save as save_labels_of
from tests.engine.test_label_store import write_cine as write_nifti
from tests.plain_user import as_plain_user


def read(path: Path) -> Study:
    return run_to_end(read_study(path))


@contextmanager
def locked(*paths: Path) -> Iterator[None]:
    """Nobody may read these inside the block."""
    modes = [path.stat().st_mode for path in paths]
    for path in paths:
        path.chmod(0)
    try:
        with as_plain_user():
            yield
    finally:
        for path, mode in zip(paths, modes, strict=True):
            path.chmod(mode)


def write_two_series(folder: Path) -> None:
    """Two halves of one stack, each in a folder of its own."""
    for z in range(6):
        for t in range(3):
            save(dataset(z, t), folder / ("a" if z < 3 else "b") / f"z{z}t{t}")


def test_r2_2_a_folder_that_may_not_be_read_blocks_the_stack_beside_it(tmp_path: Path) -> None:
    write_two_series(tmp_path)
    with locked(tmp_path / "b"):
        study = read(tmp_path)
    (stack,) = study.stacks
    (problem,) = [problem for problem in study.problems if problem.blocking]
    assert "folder b cannot be looked into" in problem.what
    assert "permission" in problem.hint
    labels = LabelMap.empty(stack.cine.phase_count, stack.cine.geometry)
    with pytest.raises(UnmeasurableError, match="folder b"):
        make_report(study, 0, labels, Provenance(), program_version="1")


def test_a_folder_of_which_only_the_names_can_be_read_blocks_once(tmp_path: Path) -> None:
    write_two_series(tmp_path)
    with locked(tmp_path / "b"):
        (tmp_path / "b").chmod(0o444)
        study = read(tmp_path)
    assert [problem.where for problem in study.problems if problem.blocking] == [
        str(tmp_path / "b")
    ]


def test_a_study_folder_that_may_not_be_read_is_said_so(tmp_path: Path) -> None:
    write_cine(tmp_path / "study")
    with locked(tmp_path / "study"), pytest.raises(UnreadableStudyError) as caught:
        read(tmp_path / "study")
    assert "Permission denied" in caught.value.what
    assert "permission" in caught.value.hint


def test_a_study_inside_a_folder_that_may_not_be_entered_is_said_so(tmp_path: Path) -> None:
    image = write_nifti(tmp_path / "x" / "heart.nii.gz")
    with locked(tmp_path / "x"), pytest.raises(UnreadableStudyError, match="Permission denied"):
        read(image)


def test_an_image_without_permission_is_no_reason_to_copy_it_again(tmp_path: Path) -> None:
    image = write_nifti(tmp_path / "heart.nii.gz")
    with locked(image), pytest.raises(UnreadableStudyError, match="Permission denied") as caught:
        read(image)
    assert "permission" in caught.value.hint
    assert "opy" not in caught.value.hint


def test_the_hint_for_dicom_and_photographs_speaks_of_permissions_too(tmp_path: Path) -> None:
    write_cine(tmp_path / "dicom")
    (tmp_path / "dicom" / "z1t1").rename(tmp_path / "dicom" / "z1t1.dcm")
    for name in ("1.png", "2.png"):
        Image.fromarray(np.zeros((6, 8), np.uint8)).save(tmp_path / name)
    with locked(tmp_path / "dicom" / "z1t1.dcm", tmp_path / "dicom" / "z2t2", tmp_path / "2.png"):
        dicom, photographs = read(tmp_path / "dicom"), read(tmp_path)
    hints = {Path(problem.where).name: problem.hint for problem in dicom.problems}
    hints |= {Path(problem.where).name: problem.hint for problem in photographs.problems}
    for name in ("z1t1.dcm", "z2t2", "2.png"):
        assert "permission" in hints[name]


def test_an_image_in_a_folder_whose_names_may_not_be_read_opens_and_says_so(
    tmp_path: Path,
) -> None:
    image = write_nifti(tmp_path / "x" / "heart.nii.gz")
    with locked(tmp_path / "x"):
        (tmp_path / "x").chmod(0o111)
        study = read(image)
    assert len(study.stacks) == 1
    assert any("cannot be looked through" in problem.what for problem in study.problems)


def test_saved_labels_that_may_not_be_read_block(tmp_path: Path) -> None:
    image = write_nifti(tmp_path / "heart.nii.gz")
    save_labels_of(read(tmp_path))
    with locked(tmp_path / "heartseg"):
        study = read(tmp_path)
    (problem,) = study.unusable_labels
    assert problem.blocking
    assert "saved labels cannot be read" in problem.what
    assert image in study.stacks[0].files


def test_labels_in_a_folder_that_may_not_be_entered_are_said_so(tmp_path: Path) -> None:
    write_nifti(tmp_path / "study" / "heart.nii.gz")
    study = read(tmp_path / "study")
    (tmp_path / "x").mkdir()
    place = tmp_path / "x" / "labels.nii.gz"
    with locked(tmp_path / "x"):
        with pytest.raises(UnreadableStudyError, match="Permission denied"):
            run_to_end(load_labels(place, study.stacks[0]))
        with pytest.raises(CannotSaveError, match="Permission denied"):
            refuse_foreign(place, study)


def test_a_recipe_without_permission_is_said_so(tmp_path: Path) -> None:
    recipe = tmp_path / "x" / "recipe.toml"
    recipe.parent.mkdir()
    recipe.write_text("")
    for place in (recipe, recipe.parent):
        with locked(place), pytest.raises(ModelError, match="Permission denied"):
            read_recipe(recipe)


@pytest.mark.parametrize(
    "arguments",
    [
        ("info", "x/heart.nii.gz"),
        ("report", "study", "--labels", "x/labels.nii.gz", "--out", "out"),
        ("predict", "study", "--model", "x/model", "--out", "out"),
        ("predict", "study", "--out", "x/out"),
        ("report", "labelled", "--out", "x/out"),
        ("train", "x/recipe.toml", "--data", "study", "--out", "out"),
        ("evaluate", "labels.nii.gz", "labels.nii.gz", "--out", "x/out/scores.json"),
        ("phantom", "x/phantom"),
    ],
    ids=" ".join,
)
def test_r2_6_a_path_without_permission_ends_with_two_and_two_lines(
    tmp_path: Path,
    arguments: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_nifti(tmp_path / "study" / "heart.nii.gz")
    write_nifti(tmp_path / "labelled" / "heart.nii.gz")
    save_labels_of(read(tmp_path / "labelled"), path=tmp_path / "labels.nii.gz")
    save_labels_of(read(tmp_path / "labelled"))
    (tmp_path / "x").mkdir()
    monkeypatch.chdir(tmp_path)
    with locked(tmp_path / "x"):
        code = main(list(arguments))
    err = capsys.readouterr().err
    assert code == 2
    assert "Traceback" not in err
    assert "ermission" in err
    assert len([line for line in err.splitlines() if not line.startswith("Note: ")]) == 2
