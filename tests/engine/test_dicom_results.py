"""DICOM results: what is read back is what was drawn and measured, on the right images."""

import shutil
import subprocess
import zipfile
from pathlib import Path

import highdicom as hd
import numpy as np
import pydicom
import pypdfium2
import pytest
from typer.testing import CliRunner

from engine.cli import app
from engine.clinical.dicom_export import DICOM_FILES, export_report
from engine.clinical.profile import Profile
from engine.clinical.report import Report, make_report
from engine.clinical.template import Form, ReportTemplate
from engine.errors import CannotSaveError
from engine.io.label_store import save_labels
from engine.io.study_folder import read_study
from engine.labelmap import LabelMap
from engine.progress import run_to_end
from engine.review.states import Review
from engine.structures import Structure
from engine.study import Origin, Provenance, Stack, Study
from tests.engine.test_dicom import dataset, enhanced, save, write_cine

ED, ES = 1, 3
HOSPITAL = ReportTemplate(profile=Profile.HOSPITAL)
MODEL = Provenance(Origin.PREDICTED, "made-up", "0123456789abcdef" * 4)


def draw(stack: Stack) -> LabelMap:
    """A heart whose slices and phases all differ."""
    voxels = np.zeros(stack.cine.shape, np.uint8)
    for phase, size in ((ED, 4), (ES, 2)):
        for z in range(1, stack.cine.slice_count):
            voxels[phase, z, 0:5, 1:6] = Structure.MYOCARDIUM
            voxels[phase, z, 0:size, 1 : 1 + min(size, z + 1)] = Structure.LV
            voxels[phase, z, 5, 0 : size + z - 1] = Structure.RV
    return LabelMap(voxels, stack.cine.geometry)


def measure(study: Study, labels: LabelMap, **changes: object) -> Report:
    return make_report(study, 0, labels, MODEL, program_version="9.9", **changes)  # type: ignore[arg-type]


def write(folder: Path, out: Path) -> tuple[Study, LabelMap, Report]:
    study = run_to_end(read_study(folder))
    labels = draw(study.stacks[0])
    report = measure(study, labels)
    exported = run_to_end(export_report(report, study.stacks[0], labels, out, HOSPITAL))
    assert [path.name for path in exported.files][-2:] == list(DICOM_FILES)
    assert exported.note == ""
    return study, labels, report


def segment_numbers(seg: hd.seg.Segmentation) -> dict[str, int]:
    return {item.SegmentLabel: int(item.SegmentNumber) for item in seg.SegmentSequence}


@pytest.mark.parametrize("one_series", [True, False], ids=["one series", "a series a slice"])
def test_each_frame_names_the_image_it_was_drawn_on(tmp_path: Path, one_series: bool) -> None:
    folder = tmp_path / "in"
    for z in range(4):
        for t in range(6):
            series = "1.2.3.4" if one_series else f"1.2.3.4.{z}"
            image = dataset(z, t, SeriesInstanceUID=series, FrameOfReferenceUID="1.2.9")
            save(image, folder / f"z{z}t{t}")
    study, labels, _ = write(folder, tmp_path / "out")

    seg = hd.seg.segread(tmp_path / "out" / "seg.dcm")
    numbers = segment_numbers(seg)
    for moment, phase in (("ED", ED), ("ES", ES)):
        sources = [study.stacks[0].sources[phase, z] for z in range(4)]
        uids = [pydicom.dcmread(source.file).SOPInstanceUID for source in sources]
        for structure in (Structure.RV, Structure.MYOCARDIUM, Structure.LV):
            number = numbers[f"{structure.title}, {moment}"]
            found = seg.get_pixels_by_source_instance(
                uids, segment_numbers=[number], assert_missing_frames_are_empty=True
            )
            np.testing.assert_array_equal(found[..., 0], labels.voxels[phase] == structure)


def test_segments_lie_where_the_images_lie(tmp_path: Path) -> None:
    write_cine(tmp_path / "in", FrameOfReferenceUID="1.2.9")
    study, labels, _ = write(tmp_path / "in", tmp_path / "out")

    seg = hd.seg.segread(tmp_path / "out" / "seg.dcm")
    number = segment_numbers(seg)["Left ventricle, ED"]
    volume = seg.get_volume(segment_numbers=[number])
    z, y, x, _ = np.argwhere(volume.array).T
    at_lps = volume.affine @ np.array([z, y, x, np.ones_like(x)])
    drawn = np.argwhere(labels.voxels[ED] == Structure.LV)
    expected = [study.stacks[0].cine.geometry.position_mm(z=z, y=y, x=x) for z, y, x in drawn]
    centre = np.mean(expected, axis=0) * (-1, -1, 1)

    np.testing.assert_allclose(at_lps[:3].mean(axis=1), centre, atol=1e-3)
    assert str(seg.FrameOfReferenceUID) == "1.2.9"
    assert str(seg.StudyInstanceUID) == "1.2.3"


def test_frames_of_one_file_are_named_by_their_number(tmp_path: Path) -> None:
    image = enhanced(4, 6)
    image.FrameOfReferenceUID = "1.2.9"
    save(image, tmp_path / "in" / "enhanced.dcm")
    study, _, _ = write(tmp_path / "in", tmp_path / "out")

    seg = pydicom.dcmread(tmp_path / "out" / "seg.dcm")
    frames = set()
    for group in seg.PerFrameFunctionalGroupsSequence:
        source = group.DerivationImageSequence[0].SourceImageSequence[0]
        frames.add(int(source.ReferencedFrameNumber))
    sources = study.stacks[0].sources
    assert frames == {sources[phase, z].frame + 1 for phase in (ED, ES) for z in (1, 2, 3)}


def test_the_structured_report_holds_the_reports_numbers(tmp_path: Path) -> None:
    write_cine(tmp_path / "in", FrameOfReferenceUID="1.2.9", PatientSize=1.8, PatientWeight=80)
    _, _, report = write(tmp_path / "in", tmp_path / "out")

    sr = hd.sr.srread(tmp_path / "out" / "sr.dcm")
    regions = sr.content.get_volumetric_roi_measurement_groups()
    found = {
        (group.tracking_identifier, item.name.value): item.value
        for group in regions
        for item in group.get_measurements()
    }
    assert found["Left ventricle, ED", "8821-1"] == pytest.approx(report.lv.end_diastolic_ml)
    assert found["Left ventricle, ES", "8823-7"] == pytest.approx(report.lv.end_systolic_ml)
    assert found["Right ventricle, ED", "8822-9"] == pytest.approx(report.rv.end_diastolic_ml)
    assert found["Myocardium, ED", "18087-7"] == pytest.approx(report.mass_ed_g)
    seg = pydicom.dcmread(tmp_path / "out" / "seg.dcm")
    named = {group.referenced_segment.referenced_sop_instance_uid for group in regions}
    assert named == {seg.SOPInstanceUID}
    beats = sr.content.get_image_measurement_groups()
    values = {
        (group.tracking_identifier, item.name.value): (item.value, item.unit.value)
        for group in beats
        for item in group.get_measurements()
    }
    assert report.lv.ejection_fraction is not None
    assert values["Left ventricle, heartbeat", "8811-2"] == (
        pytest.approx(100 * report.lv.ejection_fraction),
        "%",
    )
    assert values["Left ventricle, heartbeat", "8277-6"][0] == pytest.approx(report.body_surface_m2)


def test_conventions_and_model_are_told(tmp_path: Path) -> None:
    write_cine(tmp_path / "in", FrameOfReferenceUID="1.2.9")
    _, _, report = write(tmp_path / "in", tmp_path / "out")

    content = pydicom.dcmread(tmp_path / "out" / "sr.dcm")
    told = {item.value for item in content.iterall() if item.keyword == "TextValue"}
    assert {convention.text for convention in report.conventions} <= told
    assert any("made-up" in text and MODEL.model_hash in text for text in told)
    seg = pydicom.dcmread(tmp_path / "out" / "seg.dcm")
    assert {item.SegmentAlgorithmType for item in seg.SegmentSequence} == {"AUTOMATIC"}


def test_only_an_approved_report_is_final(tmp_path: Path) -> None:
    write_cine(tmp_path / "in", FrameOfReferenceUID="1.2.9")
    study, labels, _ = write(tmp_path / "in", tmp_path / "out")
    draft = pydicom.dcmread(tmp_path / "out" / "sr.dcm")
    places = frozenset((phase, z) for phase in (ED, ES) for z in range(4))
    at = "2026-01-01T00:00:00+00:00"
    review = Review().approve(places, reader="Ann Reader", at=at)
    approved = measure(study, labels, review=review)
    run_to_end(export_report(approved, study.stacks[0], labels, tmp_path / "out", HOSPITAL))

    final = pydicom.dcmread(tmp_path / "out" / "sr.dcm")
    assert (draft.PreliminaryFlag, draft.CompletionFlag) == ("PRELIMINARY", "PARTIAL")
    assert (final.PreliminaryFlag, final.CompletionFlag) == ("FINAL", "COMPLETE")
    assert "Ann Reader" in str(final)
    assert "Ann Reader" not in str(draft)


def test_odd_facts_of_the_source_do_not_stop_it(tmp_path: Path) -> None:
    """Invalid dates and sexes are left empty; identifiers stay, even with a leading zero."""
    odd = {
        "FrameOfReferenceUID": "1.2.9",
        "PatientBirthDate": "00000000",
        "StudyTime": "noon",
        "PatientSex": "X",
        "PatientName": "Single",
        "StudyInstanceUID": "1.2.03",
    }
    write_cine(tmp_path / "in", **odd)
    write(tmp_path / "in", tmp_path / "out")

    for name in DICOM_FILES:
        made = pydicom.dcmread(tmp_path / "out" / name)
        assert made.PatientBirthDate in ("", None)
        assert made.PatientSex in ("", None)
        assert made.StudyInstanceUID == "1.2.03"
        assert made.PatientName == "Single"


def test_images_without_a_frame_of_reference_give_a_report_and_a_reason(tmp_path: Path) -> None:
    write_cine(tmp_path / "in")
    study = run_to_end(read_study(tmp_path / "in"))
    labels = draw(study.stacks[0])
    report = measure(study, labels)
    exported = run_to_end(
        export_report(report, study.stacks[0], labels, tmp_path / "out", HOSPITAL)
    )

    assert [path.suffix for path in exported.files] == [".json", ".csv", ".pdf"]
    assert "FrameOfReferenceUID" in exported.note
    assert not (tmp_path / "out" / "seg.dcm").exists()


def test_a_file_of_others_is_not_overwritten(tmp_path: Path) -> None:
    write_cine(tmp_path / "in", FrameOfReferenceUID="1.2.9")
    study = run_to_end(read_study(tmp_path / "in"))
    labels = draw(study.stacks[0])
    (tmp_path / "out").mkdir()
    save(dataset(0, 0), tmp_path / "out" / "seg.dcm")
    before = (tmp_path / "out" / "seg.dcm").read_bytes()

    with pytest.raises(CannotSaveError, match=r"seg\.dcm was not written by HeartSeg"):
        run_to_end(export_report(measure(study, labels), study.stacks[0], labels, tmp_path / "out"))
    assert (tmp_path / "out" / "seg.dcm").read_bytes() == before
    assert not (tmp_path / "out" / "report.pdf").exists()


def test_the_command_writes_them(tmp_path: Path) -> None:
    write_cine(tmp_path / "in", FrameOfReferenceUID="1.2.9")
    study = run_to_end(read_study(tmp_path / "in"))
    labels = draw(study.stacks[0])
    run_to_end(save_labels(study, 0, labels, MODEL, path=tmp_path / "labels.nii.gz"))
    called = ["report", str(tmp_path / "in"), "--labels", str(tmp_path / "labels.nii.gz")]
    done = CliRunner().invoke(app, [*called, "--out", str(tmp_path / "out")])

    assert done.exit_code == 0, done.output
    assert {"seg.dcm", "sr.dcm"} <= {path.name for path in (tmp_path / "out").iterdir()}


def test_outside_a_hospital_nothing_names_the_patient(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not a byte of name, identifier, birth date, or date of the examination is in any file."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    secret = {
        "PatientID": "ID4711",
        "PatientName": "Miller^Secret",
        "PatientBirthDate": "19610203",
        "StudyDate": "20240506",
        "StudyTime": "111213",
        "AccessionNumber": "ACC99",
        "InstitutionName": "Clinic Hill",
        "ReferringPhysicianName": "Doctor^Who",
        "StudyDescription": "Miller heart",
        "FrameOfReferenceUID": "1.2.9",
        "SeriesDescription": "cine ID4711",
    }
    write_cine(tmp_path / "ID4711", **secret)
    study = run_to_end(read_study(tmp_path / "ID4711"))
    labels = draw(study.stacks[0])
    every = ReportTemplate(forms=tuple(Form))
    out = tmp_path / "out"
    report = measure(study, labels)
    exported = run_to_end(export_report(report, study.stacks[0], labels, out, every))

    assert len(exported.files) == 9
    assert "HS-" in exported.note
    for path in exported.files:
        content = content_of(path)
        for word in (
            "ID4711",
            "Miller",
            "Secret",
            "19610203",
            "20240506",
            "ACC99",
            "Clinic",
            "Who",
        ):
            assert word.encode() not in content, (path.name, word)
    again = run_to_end(export_report(report, study.stacks[0], labels, out, every))
    assert again.note == exported.note  # the same pseudonym
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "elsewhere"))
    other = run_to_end(export_report(report, study.stacks[0], labels, out, every))
    assert other.note != exported.note


def content_of(path: Path) -> bytes:
    """What a file says, unpacked."""
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as book:
            return b"".join(book.read(name) for name in book.namelist())
    return text_of(path).encode() if path.suffix == ".pdf" else path.read_bytes()


def text_of(pdf: Path) -> str:
    document = pypdfium2.PdfDocument(pdf)
    try:
        texts = []
        for page in document:
            text = page.get_textpage()
            texts.append(text.get_text_range())
            text.close()
            page.close()
        return " ".join([*texts, *document.get_metadata_dict().values()])
    finally:
        document.close()


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dicom3tools are not installed")
def test_an_independent_program_finds_them_valid(tmp_path: Path) -> None:
    write_cine(tmp_path / "in", FrameOfReferenceUID="1.2.9", StudyTime="101010")
    write(tmp_path / "in", tmp_path / "out")

    for name in DICOM_FILES:
        told = subprocess.run(
            ["dciodvfy", str(tmp_path / "out" / name)], capture_output=True, text=True
        )
        assert "Error" not in told.stderr + told.stdout, told.stderr


@pytest.mark.real_data
def test_expert_contours_come_back_from_the_segmentation(real_data: Path, tmp_path: Path) -> None:
    study = run_to_end(read_study(real_data / "sunnybrook_dicom"))
    stack, stored = study.stacks[0], study.labels[0]
    report = make_report(study, 0, stored.labels, stored.provenance, program_version="9.9")
    exported = run_to_end(export_report(report, stack, stored.labels, tmp_path, HOSPITAL))

    assert exported.note == ""
    seg = hd.seg.segread(tmp_path / "seg.dcm")
    ed = report.choice.ed
    assert ed is not None
    uids = [
        pydicom.dcmread(stack.sources[ed, z].file, stop_before_pixels=True).SOPInstanceUID
        for z in range(stack.cine.slice_count)
    ]
    number = segment_numbers(seg)["Left ventricle, ED"]
    found = seg.get_pixels_by_source_instance(
        uids, segment_numbers=[number], assert_missing_frames_are_empty=True
    )
    np.testing.assert_array_equal(found[..., 0], stored.labels.voxels[ed] == Structure.LV)
