"""Labels saved beside the images: they come back, and nothing else is ever overwritten."""

import json
import os
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from engine.errors import CannotSaveError, GridMismatchError, UnreadableStudyError
from engine.io.label_store import default_place, load_labels, save_labels
from engine.io.study_folder import read_study
from engine.labelmap import LabelMap
from engine.progress import run_to_end
from engine.study import Origin, Provenance, StoredLabels, Study

MADE = Provenance(Origin.CORRECTED, "unet", "abc", "Dr Übung", ((0, 1), (2, 3)), "predicted before")


def write_cine(path: Path, *, value: int = 0) -> Path:
    voxels = (np.arange(5 * 6 * 4 * 3) + value).astype(np.int16).reshape(5, 6, 4, 3)
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nib.Nifti1Image(voxels, np.diag([1.5, 1.5, 8, 1]))
    image.header.set_xyzt_units("mm", "sec")
    nib.save(image, path)
    return path


def read(path: Path) -> Study:
    return run_to_end(read_study(path))


def labels_of(study: Study, *, stack: int = 0, add: int = 0) -> LabelMap:
    cine = study.stacks[stack].cine
    return LabelMap(((cine.voxels + add) % 4).astype(np.uint8), cine.geometry)


def save(study: Study, *, stack: int = 0, path: Path | None = None, add: int = 0) -> StoredLabels:
    labels = labels_of(study, stack=stack, add=add)
    return run_to_end(save_labels(study, stack, labels, MADE, path=path))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_cine(tmp_path / "patient" / "heart.nii.gz")
    return tmp_path / "patient"


def test_labels_and_their_provenance_come_back(folder: Path) -> None:
    study = read(folder)
    stored = save(study)
    assert stored.files[0] == folder / "heartseg" / "labels.nii.gz"
    again = read(folder)
    assert len(again.stacks) == 1  # the label file is no image
    (found,) = again.labels
    np.testing.assert_array_equal(found.labels.voxels, labels_of(study).voxels)
    assert found.provenance == MADE


def test_the_note_says_what_a_reader_needs(folder: Path) -> None:
    """Freezes the file format: other programs and later versions read this."""
    save(read(folder))
    note = json.loads((folder / "heartseg" / "labels.json").read_text(encoding="utf-8"))
    assert set(note) == {"program", "schema", "sha256", "stack", "provenance", "values"}
    assert (note["program"], note["schema"]) == ("HeartSeg", 1)
    assert note["stack"] == {"name": "heart", "shape_tzyx": [3, 4, 6, 5], "files": ["heart.nii.gz"]}
    assert note["provenance"]["corrected_slices"] == [[0, 1], [2, 3]]
    assert note["values"] == {"0": "background", "1": "RV", "2": "myocardium", "3": "LV"}


def test_equal_labels_give_equal_files(folder: Path) -> None:
    study = read(folder)
    save(study)
    first = (folder / "heartseg" / "labels.nii.gz").read_bytes()
    save(study)
    assert (folder / "heartseg" / "labels.nii.gz").read_bytes() == first


def test_saving_again_replaces_and_leaves_nothing_behind(folder: Path) -> None:
    study = read(folder)
    save(study)
    save(study, add=1)
    assert sorted(path.name for path in (folder / "heartseg").iterdir()) == [
        "labels.json",
        "labels.nii.gz",
    ]
    (found,) = read(folder).labels
    np.testing.assert_array_equal(found.labels.voxels, labels_of(study, add=1).voxels)


def test_originals_are_never_written_to(folder: Path) -> None:
    before = (folder / "heart.nii.gz").read_bytes()
    with pytest.raises(CannotSaveError, match="an image of the study"):
        save(read(folder), path=folder / "heart.nii.gz")
    assert (folder / "heart.nii.gz").read_bytes() == before


def test_a_file_of_someone_else_is_not_overwritten(folder: Path) -> None:
    study = read(folder)
    other = folder / "other.nii.gz"
    other.write_bytes(b"precious")
    with pytest.raises(CannotSaveError, match="not written by HeartSeg"):
        save(study, path=other)
    assert other.read_bytes() == b"precious"


def test_changed_labels_block_instead_of_opening_empty_and_are_kept(folder: Path) -> None:
    study = read(folder)
    save(study)
    path = folder / "heartseg" / "labels.nii.gz"
    path.write_bytes(path.read_bytes()[:-30])
    damaged = path.read_bytes()
    again = read(folder)
    assert again.labels == ()
    (problem,) = [problem for problem in again.problems if problem.blocking]
    assert "changed or damaged" in problem.what
    with pytest.raises(CannotSaveError):
        save(again, path=path)
    assert path.read_bytes() == damaged
    elsewhere = save(again)
    assert elsewhere.files[0] != path


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"program": "HeartSeg"}', "nonsense"])
def test_a_damaged_note_blocks(folder: Path, content: str) -> None:
    save(read(folder))
    (folder / "heartseg" / "labels.json").write_text(content)
    again = read(folder)
    assert again.labels == ()
    assert any("labels.json is damaged" in problem.what for problem in again.problems)


def test_a_missing_note_blocks(folder: Path) -> None:
    save(read(folder))
    (folder / "heartseg" / "labels.json").unlink()
    assert any(problem.blocking for problem in read(folder).problems)


def test_a_power_cut_between_labels_and_note_loses_nothing(folder: Path) -> None:
    """The labels are in place, the note still waits under its first name."""
    study = read(folder)
    save(study)
    old_note = (folder / "heartseg" / "labels.json").read_bytes()
    save(study, add=1)
    note = folder / "heartseg" / "labels.json"
    note.rename(note.with_name(".new-labels.json"))
    note.write_bytes(old_note)
    (found,) = read(folder).labels
    np.testing.assert_array_equal(found.labels.voxels, labels_of(study, add=1).voxels)


def test_labels_of_images_that_are_gone_block(folder: Path) -> None:
    save(read(folder))
    (folder / "heart.nii.gz").rename(folder / "liver.nii.gz")
    again = read(folder)
    assert again.labels == ()
    assert any("not in this study any more" in problem.what for problem in again.problems)


def test_each_stack_keeps_its_own_labels(folder: Path) -> None:
    write_cine(folder / "second.nii.gz", value=2)
    study = read(folder)
    save(study, stack=0)
    save(study, stack=1)
    again = read(folder)
    assert sorted(stored.stack for stored in again.labels) == [0, 1]
    for stored in again.labels:
        np.testing.assert_array_equal(
            stored.labels.voxels, labels_of(again, stack=stored.stack).voxels
        )


def test_two_files_opened_one_by_one_keep_their_labels_apart(folder: Path) -> None:
    second = write_cine(folder / "second.nii.gz", value=2)
    for path in (folder / "heart.nii.gz", second):
        save(read(path))
    for path in (folder / "heart.nii.gz", second):
        study = read(path)
        (stored,) = study.labels
        np.testing.assert_array_equal(stored.labels.voxels, labels_of(study).voxels)
        assert not any(problem.blocking for problem in study.problems)
    assert len(read(folder).labels) == 2


def test_labels_on_another_grid_are_not_saved(folder: Path) -> None:
    study = read(folder)
    other = LabelMap.empty(2, study.stacks[0].cine.geometry)
    with pytest.raises(GridMismatchError):
        run_to_end(save_labels(study, 0, other, MADE))
    assert not (folder / "heartseg").exists() or not list((folder / "heartseg").iterdir())


def test_a_folder_that_cannot_be_written_to_is_said_so(folder: Path) -> None:
    study = read(folder)
    (folder / "heartseg").write_text("a file stands where the folder should be")
    with pytest.raises(CannotSaveError) as caught:
        save(study)
    assert caught.value.hint


@pytest.mark.skipif(os.name != "posix", reason="folder rights as POSIX knows them")
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_said_so(folder: Path) -> None:
    study = read(folder)
    folder.chmod(0o555)
    try:
        with pytest.raises(CannotSaveError):
            save(study)
    finally:
        folder.chmod(0o755)


def test_a_full_disk_leaves_the_old_labels(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = read(folder)
    save(study)

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CannotSaveError, match="No space left"):
        save(study, add=1)
    monkeypatch.undo()
    (found,) = read(folder).labels
    np.testing.assert_array_equal(found.labels.voxels, labels_of(study).voxels)
    assert len(list((folder / "heartseg").iterdir())) == 2


def test_saved_labels_are_no_study_of_their_own(folder: Path) -> None:
    stored = save(read(folder))
    with pytest.raises(UnreadableStudyError, match="no images"):
        read(stored.files[0])


def test_labels_saved_elsewhere_are_loaded_with_their_provenance(
    folder: Path, tmp_path: Path
) -> None:
    study = read(folder)
    stored = save(study, path=tmp_path / "out" / "labels.nii.gz")
    loaded = run_to_end(load_labels(stored.files[0], study.stacks[0]))
    assert loaded.provenance == MADE
    np.testing.assert_array_equal(loaded.labels.voxels, labels_of(study).voxels)


def test_the_default_place_does_not_change_while_labels_are_there(folder: Path) -> None:
    study = read(folder)
    before = default_place(study, 0)
    save(study)
    assert default_place(study, 0) == before
