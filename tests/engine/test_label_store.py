"""Labels saved beside the images: they come back, and nothing else is ever overwritten."""

import json
import os
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from engine.errors import CannotSaveError, GridMismatchError, UnreadableStudyError
from engine.io.label_store import default_place, load_labels, refuse_foreign, save_labels
from engine.io.nifti import write_labels
from engine.io.study_folder import read_study
from engine.labelmap import LabelMap
from engine.progress import run_to_end
from engine.study import Origin, Provenance, StoredLabels, Study
from tests.plain_user import as_plain_user

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
    assert set(note) == {
        *("program", "schema", "sha256", "stack", "provenance"),
        *("phases_by_hand", "review", "values"),
    }
    assert (note["program"], note["schema"]) == ("HeartSeg", 1)
    assert note["stack"] == {"name": "heart", "shape_tzyx": [3, 4, 6, 5], "files": ["heart.nii.gz"]}
    assert note["provenance"]["corrected_slices"] == [[0, 1], [2, 3]]
    assert note["phases_by_hand"] == {"ed": None, "es": None}
    assert note["values"] == {
        **{"0": "background", "1": "RV", "2": "myocardium", "3": "LV"},
        "4": "left atrium",
    }


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


def test_a_read_only_folder_is_said_so(folder: Path) -> None:
    study = read(folder)
    folder.chmod(0o555)
    try:
        with as_plain_user(), pytest.raises(CannotSaveError):
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


def test_phases_chosen_by_hand_come_back_with_the_labels(folder: Path) -> None:
    study = read(folder)
    stored = run_to_end(save_labels(study, 0, labels_of(study), MADE, phases_by_hand=(2, None)))
    assert stored.phases_by_hand == (2, None)
    (found,) = read(folder).labels
    assert (found.ed_phase, found.es_phase) == (2, None)
    loaded = run_to_end(load_labels(stored.files[0], study.stacks[0]))
    assert loaded.phases_by_hand == (2, None)


def change_note(folder: Path, **changes: object) -> None:
    path = folder / "heartseg" / "labels.json"
    note = json.loads(path.read_text(encoding="utf-8")) | changes
    path.write_text(json.dumps({key: value for key, value in note.items() if value is not None}))


def test_a_note_of_an_earlier_version_has_no_phases_by_hand(folder: Path) -> None:
    save(read(folder))
    change_note(folder, phases_by_hand=None)
    (found,) = read(folder).labels
    assert found.phases_by_hand == (None, None)
    assert found.provenance == MADE


@pytest.mark.parametrize("phases", [{"ed": 3}, {"es": -1}, {"ed": "x"}, [1, 2]])
def test_a_note_with_phases_that_are_not_there_is_damaged(folder: Path, phases: object) -> None:
    save(read(folder))
    change_note(folder, phases_by_hand=phases)
    assert any("labels.json is damaged" in problem.what for problem in read(folder).problems)


def test_an_export_never_replaces_an_image_whatever_it_is_called(folder: Path) -> None:
    study = read(folder)
    image = folder / "heart.nii.gz"
    (folder / "link.nii.gz").symlink_to(image)
    for place in (image, folder / "link.nii.gz", folder / ".." / folder.name / "heart.nii.gz"):
        with pytest.raises(CannotSaveError, match="an image of the study"):
            refuse_foreign(place, study, exporting=True)


def test_an_export_replaces_an_earlier_one_and_nothing_else(folder: Path) -> None:
    study = read(folder)
    exported = folder / "exported.nii.gz"
    refuse_foreign(exported, study, exporting=True)
    write_labels(exported, labels_of(study))
    refuse_foreign(exported, study, exporting=True)
    with pytest.raises(CannotSaveError, match="not written by HeartSeg"):
        refuse_foreign(exported, study)  # saving would have to know that nobody changed it
    write_cine(folder / "other.nii.gz")
    with pytest.raises(CannotSaveError, match="not written by HeartSeg"):
        refuse_foreign(folder / "other.nii.gz", study, exporting=True)
    with pytest.raises(CannotSaveError, match="no name for labels"):
        refuse_foreign(folder / "labels.png", study, exporting=True)


def test_an_export_does_not_part_saved_labels_from_their_note(folder: Path) -> None:
    study = read(folder)
    stored = save(study)
    with pytest.raises(CannotSaveError, match=r"saved together with labels\.json"):
        refuse_foreign(stored.files[0], study, exporting=True)
    refuse_foreign(stored.files[0], study)  # saving replaces both


def test_r2_2_a_note_of_another_program_is_not_overwritten(folder: Path, tmp_path: Path) -> None:
    study = read(folder)
    (tmp_path / "labels.json").write_text('{"labels": ["precious"]}')
    with pytest.raises(CannotSaveError, match=r"labels\.json was not written by HeartSeg"):
        save(study, path=tmp_path / "labels.nii.gz")
    assert (tmp_path / "labels.json").read_text() == '{"labels": ["precious"]}'
    assert not (tmp_path / "labels.nii.gz").exists()


def test_two_label_files_never_share_a_note(folder: Path, tmp_path: Path) -> None:
    study = read(folder)
    save(study, path=tmp_path / "labels.nii.gz")
    with pytest.raises(CannotSaveError, match="would belong to"):
        save(study, path=tmp_path / "labels.nii")


@pytest.mark.parametrize("place", ["labels.nii.gz", "results/day 1/prediction.nii"])
def test_r2_2_labels_saved_among_the_images_are_labels(folder: Path, place: str) -> None:
    save(read(folder), path=folder / place)
    again = read(folder)
    assert [stack.cine.name for stack in again.stacks] == ["heart"]
    (found,) = again.labels
    assert found.provenance == MADE
    assert not any(problem.blocking for problem in again.problems)
    (alone,) = read(folder / "heart.nii.gz").labels if "/" not in place else (found,)
    assert alone.provenance == MADE


def test_damaged_labels_among_the_images_are_no_image_either(folder: Path) -> None:
    stored = save(read(folder), path=folder / "mine.nii.gz")
    path = stored.files[0]
    path.write_bytes(path.read_bytes()[:-30])
    again = read(folder)
    assert len(again.stacks) == 1
    assert again.labels == ()
    (problem,) = again.unusable_labels
    assert problem.blocking
    assert problem in again.problems


def test_labels_of_another_study_are_told_and_not_used(folder: Path, tmp_path: Path) -> None:
    write_cine(tmp_path / "other" / "liver.nii.gz")
    save(read(tmp_path / "other"), path=folder / "results" / "labels.nii.gz")
    again = read(folder)
    assert (len(again.stacks), again.labels, again.unusable_labels) == (1, (), ())
    assert any("labels of liver" in problem.what for problem in again.problems)


def test_damaged_labels_of_one_image_do_not_block_the_other(folder: Path) -> None:
    second = write_cine(folder / "second.nii.gz", value=2)
    stored = save(read(folder / "heart.nii.gz"), path=folder / "results.nii.gz")
    stored.files[0].write_bytes(stored.files[0].read_bytes()[:-30])
    assert read(second).unusable_labels == ()
    assert len(read(folder / "heart.nii.gz").unusable_labels) == 1


def test_a_json_beside_an_image_makes_it_no_labels(folder: Path) -> None:
    """BIDS keeps the facts of an image in a .json of its name."""
    (folder / "heart.json").write_text('{"RepetitionTime": 2.0}')
    assert len(read(folder).stacks) == 1


def test_a_folder_of_saved_labels_alone_says_what_to_open(folder: Path, tmp_path: Path) -> None:
    save(read(folder), path=tmp_path / "out" / "labels.nii.gz")
    for place in (tmp_path / "out", tmp_path / "out" / "labels.nii.gz"):
        with pytest.raises(UnreadableStudyError, match="no images") as caught:
            read(place)
        assert "images they were made on" in caught.value.hint


def test_what_a_killed_save_left_goes_with_the_next_one_unless_it_may_still_grow(
    folder: Path,
) -> None:
    study = read(folder)
    save(study)
    old, new, other = (
        folder / "heartseg" / name
        for name in (
            "..new-labels.nii.gz.0123abcd.part",
            "..new-labels.nii.gz.4567abcd.part",
            "..new-labels.nii.gz.notes.part",
        )
    )
    two_hours_ago = time.time() - 7200
    for path in (old, new, other):
        path.write_bytes(b"half")
    for path in (old, other):
        os.utime(path, (two_hours_ago, two_hours_ago))
    save(study, add=1)
    assert [path.exists() for path in (old, new, other)] == [False, True, True]
    assert len(read(folder).labels) == 1


def test_paths_are_absolute_wherever_the_program_was_started(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    study = read(Path(folder.name))
    assert study.folder == folder
    save(study, path=Path("labels.nii.gz"))
    loaded = run_to_end(load_labels(Path("labels.nii.gz"), study.stacks[0]))
    assert loaded.files[0] == folder.parent / "labels.nii.gz"
    monkeypatch.chdir(folder)
    assert read(Path()).name == folder.name
    assert read(Path("..") / folder.name).folder == folder
