"""Folders as users have them: ACDC, mixed, many patients, nothing."""

import json
import os
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from engine.errors import UnreadableStudyError
from engine.io.study_folder import read_study
from engine.io.study_summary import describe, summarise
from engine.progress import run_to_end
from engine.study import Origin, Study
from tests.engine.test_dicom import write_cine


def write(path: Path, voxels: np.ndarray) -> None:
    image = nib.Nifti1Image(voxels, np.diag([-1.5, -1.5, 10, 1]))
    image.header.set_xyzt_units("mm", "sec")
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(image, path)


def frame(number: int) -> np.ndarray:
    return (np.arange(5 * 6 * 4).reshape(5, 6, 4) + 100 * number).astype(np.int16)


def write_acdc(folder: Path, *, cine: bool, info: str = "ED: 4\nES: 11\nGroup: RV\n") -> None:
    name = folder.name
    for number in (4, 11):
        write(folder / f"{name}_frame{number:02}.nii.gz", frame(number))
        write(folder / f"{name}_frame{number:02}_gt.nii.gz", (frame(number) % 4).astype(np.uint8))
    if cine:
        voxels = np.stack([frame(number) for number in range(1, 16)], axis=-1)
        write(folder / f"{name}_4d.nii.gz", voxels)
    (folder / "Info.cfg").write_text(info)


def read(path: Path) -> Study:
    return run_to_end(read_study(path))


def test_acdc_frames_are_phases_named_after_them(tmp_path: Path) -> None:
    write_acdc(tmp_path / "patient090", cine=False)
    study = read(tmp_path / "patient090")
    (stack,) = study.stacks
    assert stack.cine.phase_names == ("frame 4", "frame 11")
    assert (stack.ed_phase, stack.es_phase) == (0, 1)
    assert study.patient.group == "RV"
    (stored,) = study.labels
    assert stored.labels.labelled_phases() == [0, 1]
    assert stored.provenance.origin is Origin.REFERENCE
    np.testing.assert_array_equal(stored.labels.voxels, stack.cine.voxels % 4)


def test_in_a_whole_acdc_cine_labels_lie_on_the_phases_of_their_frames(tmp_path: Path) -> None:
    info = "ED: 4\nES: 11\nGroup: DCM\nHeight: 170.0\nNbFrame: 15\nWeight: 65.0\n"
    write_acdc(tmp_path / "patient007", cine=True, info=info)
    study = read(tmp_path / "patient007")
    (stack,) = study.stacks
    assert stack.cine.shape == (15, 4, 6, 5)
    assert (stack.ed_phase, stack.es_phase) == (3, 10)
    (stored,) = study.labels
    assert stored.labels.labelled_phases() == [3, 10]
    np.testing.assert_array_equal(stored.labels.voxels[3], stack.cine.voxels[3] % 4)
    assert (study.patient.height_cm, study.patient.weight_kg) == (170, 65)
    assert study.problems == ()


def test_the_cine_file_alone_brings_its_labels(tmp_path: Path) -> None:
    write_acdc(tmp_path / "patient007", cine=True)
    study = read(tmp_path / "patient007" / "patient007_4d.nii.gz")
    assert study.labels[0].labels.labelled_phases() == [3, 10]
    assert study.stacks[0].es_phase == 10


def test_frames_that_info_names_but_are_not_there_are_told(tmp_path: Path) -> None:
    write_acdc(tmp_path / "p", cine=False, info="ED: 1\nES: 11\n")
    study = read(tmp_path / "p")
    assert study.stacks[0].ed_phase is None
    assert any("end-diastole at frame 1" in problem.what for problem in study.problems)


@pytest.mark.parametrize("info", ["", "ED: x\nES:\n:\n\n", "\x00\xff"])
def test_a_damaged_info_file_is_survived(tmp_path: Path, info: str) -> None:
    write_acdc(tmp_path / "p", cine=False, info=info)
    assert read(tmp_path / "p").stacks[0].ed_phase is None


@pytest.mark.parametrize("line", ["ED: -1", "ED: 0", "ES: 2.5", "ED: first", "NbFrame: -3"])
def test_r2_2_a_frame_number_that_is_none_is_told(tmp_path: Path, line: str) -> None:
    name, value = line.split(": ")
    info = {"ED": "4", "ES": "11"} | {name: value}
    text = "".join(f"{key}: {number}\n" for key, number in info.items())
    write_acdc(tmp_path / "p", cine=False, info=text)
    (problem,) = read(tmp_path / "p").problems
    assert f"gives {name} as {value!r}" in problem.what


def test_a_data_set_of_many_patients_is_not_one_patient(tmp_path: Path) -> None:
    for name in ("patient001", "patient002", "patient003", "patient004"):
        write_acdc(tmp_path / name, cine=False)
    with pytest.raises(UnreadableStudyError, match="4 patients") as caught:
        read(tmp_path)
    assert "patient001, patient002, patient003, ..." in caught.value.hint


def test_folders_with_equally_named_images_are_patients(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path / name / "image.nii.gz", frame(1))
    with pytest.raises(UnreadableStudyError, match="2 patients"):
        read(tmp_path)


def test_dicom_and_nifti_in_one_folder_are_both_read_cines_first(tmp_path: Path) -> None:
    write_cine(tmp_path / "dicom")
    write(tmp_path / "lge.nii.gz", frame(1))
    write(tmp_path / "lge_seg.nii.gz", (frame(1) % 4).astype(np.uint8))
    (tmp_path / "notes.pdf").write_bytes(b"%PDF-1.4")
    study = read(tmp_path)
    assert [stack.cine.name for stack in study.stacks] == ["cine sax", "lge"]
    assert [stored.stack for stored in study.labels] == [1]
    assert study.skipped_files == 1


def test_r2_2_folders_that_are_links_are_looked_into(tmp_path: Path) -> None:
    write_cine(tmp_path / "archive" / "series")
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "series").symlink_to(tmp_path / "archive" / "series")
    (stack,) = read(tmp_path / "study").stacks
    assert stack.cine.shape[:2] == (6, 4)


def test_links_that_go_round_or_meet_are_followed_once(tmp_path: Path) -> None:
    write_cine(tmp_path / "study" / "series")
    for name, target in (
        ("again", tmp_path / "study" / "series"),
        ("self", tmp_path / "study"),
        ("above", tmp_path),
        ("nowhere", tmp_path / "gone"),
    ):
        (tmp_path / "study" / name).symlink_to(target)
    write_cine(tmp_path / "of another patient", PatientID="P2")
    study = read(tmp_path / "study")
    (stack,) = study.stacks
    assert len(stack.files) == 24
    assert not any(problem.blocking for problem in study.problems)
    assert any(problem.what.startswith("nowhere cannot be read") for problem in study.problems)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes in folders as POSIX knows them")
@pytest.mark.parametrize("name", ["pipe", "pipe.nii.gz", "pipe.dcm", "Info.cfg"])
def test_r2_2_a_pipe_is_counted_and_not_waited_for(tmp_path: Path, name: str) -> None:
    write(tmp_path / "heart.nii.gz", frame(1))
    os.mkfifo(tmp_path / name)
    study = read(tmp_path)
    assert (len(study.stacks), study.skipped_files) == (1, 1)
    with pytest.raises(UnreadableStudyError, match="neither a file nor a folder"):
        read(tmp_path / name)


def test_of_many_unreadable_files_the_first_are_named(tmp_path: Path) -> None:
    write(tmp_path / "heart.nii.gz", frame(1))
    for number in range(30):
        (tmp_path / f"IM{number:02}").symlink_to(tmp_path / "gone")
    problems = read(tmp_path).problems
    assert len(problems) == 21
    assert problems[-1].what == "10 more files cannot be read."


@pytest.mark.parametrize("content", [{}, {"notes.txt": "hello"}, {".hidden": "x"}])
def test_a_folder_of_nothing_readable_says_what_can_be_read(
    tmp_path: Path, content: dict[str, str]
) -> None:
    for name, text in content.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(UnreadableStudyError) as caught:
        read(tmp_path)
    assert "DICOM, NIfTI" in caught.value.hint


def test_a_path_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(UnreadableStudyError, match="does not exist"):
        read(tmp_path / "nowhere")


def test_the_summary_is_plain_json_in_patient_terms(tmp_path: Path) -> None:
    write_cine(tmp_path)
    (tmp_path / "z2t3").unlink()
    summary = json.loads(json.dumps(summarise(read(tmp_path)), allow_nan=False))
    (stack,) = summary["stacks"]
    assert (stack["slices"], stack["phases"]) == (4, 6)
    assert stack["spacing_mm"] == [1.25, 1.5, 10.0]
    assert stack["slice_gap_mm"] == 2.0
    assert stack["holes"] == [[3, 2]]
    assert stack["measurable"] is False
    assert len(stack["files"]) == 23
    assert np.array(stack["affine"]).shape == (4, 4)
    assert set(summary) >= {"stacks", "other_views", "labels", "patient", "problems"}
    assert {"what", "where", "hint", "blocking"} == set(summary["problems"][0])


def test_the_description_marks_what_blocks(tmp_path: Path) -> None:
    write_cine(tmp_path)
    (tmp_path / "z2t3").unlink()
    lines = describe(read(tmp_path))
    assert any(line.startswith("Stack 1: cine sax, 4 slices x 6 phases") for line in lines)
    assert any(line.startswith("! ") and "missing" in line for line in lines)


@pytest.mark.real_data
def test_patient090_takes_its_phases_from_info_not_from_frame_names(real_data: Path) -> None:
    study = read(real_data / "acdc" / "training" / "patient090")
    (stack,) = study.stacks
    assert stack.cine.phase_names == ("frame 4", "frame 11")
    assert (stack.ed_phase, stack.es_phase) == (0, 1)
    cavity = [(study.labels[0].labels.voxels[t] == 3).sum() for t in (0, 1)]
    assert cavity[0] > cavity[1]


@pytest.mark.real_data
def test_no_acdc_patient_is_refused_or_blocked(real_data: Path) -> None:
    folders = sorted((real_data / "acdc" / "training").iterdir())
    for folder in folders[::8]:
        study = read(folder)
        assert len(study.labels) == 1
        assert not any(problem.blocking for problem in study.problems)


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["acdc/training", "left_atrium", "lgg/kaggle_3m"])
def test_real_data_sets_are_not_one_patient(real_data: Path, name: str) -> None:
    with pytest.raises(UnreadableStudyError, match="patients, not one"):
        read(real_data / name)
