"""DICOM objects written by pydicom, read back as stacks and views."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    EnhancedMRImageStorage,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MRImageStorage,
    RLELossless,
    generate_uid,
)

from engine.errors import UnreadableStudyError
from engine.io.study_folder import read_study
from engine.progress import Cancelled, run_to_end
from engine.study import Stack, Study

ROW = np.array([0.8, 0.6, 0.0])
COLUMN = np.array([0.0, 0.0, -1.0])
NORMAL = np.cross(ROW, COLUMN)
ORIGIN = np.array([-100.0, 20.0, 30.0])
SHAPE = (6, 8)  # rows, columns


def pixels_of(z: int, t: int) -> np.ndarray:
    """An image that tells its slice and phase by its values."""
    return (np.arange(48).reshape(SHAPE) + 1000 * z + 50 * t).astype(np.uint16)


def dataset(z: int, t: int, **changes: Any) -> FileDataset:
    """A classic MR image of slice z and phase t, slices 8 mm thick and 10 mm apart."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = MRImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = MRImageStorage, meta.MediaStorageSOPInstanceUID
    data.PatientID, data.PatientName = "P1", "Made^Up"
    data.StudyInstanceUID, data.SeriesInstanceUID = "1.2.3", "1.2.3.4"
    data.Modality, data.SeriesDescription = "MR", "cine sax"
    data.SeriesNumber, data.InstanceNumber = 5, 1 + t + 100 * z
    data.ImageType = ["ORIGINAL", "PRIMARY", "M"]
    data.Rows, data.Columns = SHAPE
    data.PixelSpacing = [1.5, 1.25]
    data.SliceThickness = 8
    data.ImageOrientationPatient = [*ROW, *COLUMN]
    data.ImagePositionPatient = list((ORIGIN + 10 * z * NORMAL).round(6))
    data.TriggerTime = 40.0 * t
    data.NominalInterval = 800
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, 16, 15
    data.PixelRepresentation = 0
    data.PixelData = pixels_of(z, t).tobytes()
    for name, value in changes.items():
        if value is None:
            del data[name]
        else:
            setattr(data, name, value)
    return data


def save(data: Dataset, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    data.save_as(path, enforce_file_format=True)


def write_cine(folder: Path, *, slices: int = 4, phases: int = 6, **changes: Any) -> None:
    for z in range(slices):
        for t in range(phases):
            save(dataset(z, t, **changes), folder / f"z{z}t{t}")


def read(folder: Path) -> Study:
    return run_to_end(read_study(folder))


def only_stack(study: Study) -> Stack:
    (stack,) = study.stacks
    return stack


def blocking(study: Study) -> list[str]:
    return [problem.what for problem in study.problems if problem.blocking]


def assert_is_the_cine(stack: Stack, *, slices: int = 4, phases: int = 6) -> None:
    """Slices lie by position along the normal, phases by time, each voxel in its place."""
    expected = np.array([[pixels_of(z, t) for z in range(slices)] for t in range(phases)])
    np.testing.assert_array_equal(stack.cine.voxels, expected)
    np.testing.assert_allclose(stack.cine.geometry.spacing_mm, (10, 1.5, 1.25), atol=1e-4)
    left_posterior = np.array([-1, -1, 1]) * (ORIGIN + 10 * NORMAL + 2 * 1.5 * COLUMN + 1.25 * ROW)
    np.testing.assert_allclose(
        stack.cine.geometry.position_mm(z=1, y=2, x=1), left_posterior, atol=1e-4
    )


def test_one_series_for_all_becomes_one_stack(tmp_path: Path) -> None:
    write_cine(tmp_path / "deep" / "below")
    study = read(tmp_path)
    assert_is_the_cine(only_stack(study))
    assert only_stack(study).cine.phase_times_ms == (0, 40, 80, 120, 160, 200)
    assert blocking(study) == []


def test_the_distance_between_centres_counts_not_the_slice_thickness(tmp_path: Path) -> None:
    write_cine(tmp_path)
    study = read(tmp_path)
    assert only_stack(study).acquisition.slice_thickness_mm == 8
    assert any("gap of 2.0 mm" in problem.what for problem in study.problems)


def test_one_series_per_slice_becomes_one_stack_and_a_long_axis_stays_out(tmp_path: Path) -> None:
    for z in range(4):
        for t in range(6):
            uid, number = f"1.2.3.{10 + z}", 10 + z
            save(
                dataset(z, t, SeriesInstanceUID=uid, SeriesNumber=number),
                tmp_path / f"{z}_{t}.IMA",
            )
    for t in range(6):
        long_axis = dataset(0, t, SeriesInstanceUID="1.9", SeriesDescription="4ch")
        long_axis.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
        save(long_axis, tmp_path / f"lax{t}.dcm")
    study = read(tmp_path)
    assert_is_the_cine(only_stack(study))
    assert [(view.cine.name, view.cine.shape[:2]) for view in study.other_views] == [
        ("4ch", (6, 1))
    ]


def test_trigger_times_may_start_anywhere_and_step_differently_in_each_slice(
    tmp_path: Path,
) -> None:
    for z in range(4):
        for t in range(6):
            time = 13.0 * z + (40.0 + z) * t
            save(dataset(z, t, TriggerTime=time, InstanceNumber=99 - t), tmp_path / f"{z}{t}")
    stack = only_stack(read(tmp_path))
    assert_is_the_cine(stack)
    np.testing.assert_allclose(stack.cine.phase_times_ms, 41.5 * np.arange(6))


def test_without_trigger_times_instance_numbers_order_the_phases(tmp_path: Path) -> None:
    write_cine(tmp_path, TriggerTime=None)
    stack = only_stack(read(tmp_path))
    assert_is_the_cine(stack)
    assert stack.cine.phase_times_ms == ()


def test_a_missing_image_leaves_a_hole_in_its_own_place(tmp_path: Path) -> None:
    write_cine(tmp_path)
    (tmp_path / "z2t3").unlink()
    study = read(tmp_path)
    stack = only_stack(study)
    assert stack.holes == ((3, 2),)
    assert not stack.cine.voxels[3, 2].any()
    np.testing.assert_array_equal(stack.cine.voxels[4, 2], pixels_of(2, 4))
    assert blocking(study) == ["An image is missing: phase 4 of slice 3."]


def test_a_missing_first_phase_is_told_from_a_missing_last_one(tmp_path: Path) -> None:
    write_cine(tmp_path)
    (tmp_path / "z1t0").unlink()
    (tmp_path / "z3t5").unlink()
    assert only_stack(read(tmp_path)).holes == ((0, 1), (5, 3))


def test_a_file_cut_short_is_a_hole_and_is_named(tmp_path: Path) -> None:
    write_cine(tmp_path)
    save(dataset(1, 1, PixelData=b"\0" * 40), tmp_path / "z1t1")
    study = read(tmp_path)
    assert only_stack(study).holes == ((1, 1),)
    assert any(problem.where.endswith("z1t1") for problem in study.problems)
    assert blocking(study)


def test_a_missing_slice_is_a_blocking_gap(tmp_path: Path) -> None:
    write_cine(tmp_path, slices=5)
    for path in tmp_path.glob("z2*"):
        path.unlink()
    (what,) = blocking(read(tmp_path))
    assert "20.0 mm between slices 2 and 3" in what
    assert "missing" in what


def test_copies_are_dropped_and_told(tmp_path: Path) -> None:
    write_cine(tmp_path)
    save(dataset(0, 0, SeriesInstanceUID="1.5"), tmp_path / "copy")
    study = read(tmp_path)
    assert_is_the_cine(only_stack(study))
    assert any("shows the same as" in problem.what for problem in study.problems)
    assert blocking(study) == []


def test_two_stacks_at_the_same_place_are_both_offered(tmp_path: Path) -> None:
    write_cine(tmp_path / "a")
    for z in range(4):
        for t in range(6):
            other = dataset(z, t, SeriesInstanceUID="1.5", SeriesNumber=9)
            other.PixelData = (pixels_of(z, t) + 7).tobytes()
            save(other, tmp_path / f"b{z}{t}")
    study = read(tmp_path)
    assert [stack.cine.shape[:2] for stack in study.stacks] == [(6, 4), (6, 4)]
    assert_is_the_cine(study.stacks[0])


def test_the_last_take_of_a_repeated_slice_is_used_and_the_first_kept_as_view(
    tmp_path: Path,
) -> None:
    for z in range(4):
        for t in range(6):
            series = dataset(z, t, SeriesInstanceUID=f"1.{z}", SeriesNumber=20 + z)
            save(series, tmp_path / f"{z}{t}")
            if z == 2:
                early = dataset(z, t, SeriesInstanceUID="1.99", SeriesNumber=3)
                early.PixelData = (pixels_of(z, t) + 9).tobytes()
                save(early, tmp_path / f"early{t}")
    study = read(tmp_path)
    assert_is_the_cine(only_stack(study))
    assert len(study.other_views) == 1
    assert any("slice 3 (series 3)" in problem.what for problem in study.problems)


def test_slices_of_another_size_in_one_series_block(tmp_path: Path) -> None:
    write_cine(tmp_path)
    for t in range(6):
        small = dataset(4, t, Rows=3, Columns=8, PixelSpacing=[3.0, 1.25])
        small.PixelData = pixels_of(4, t)[::2].tobytes()
        save(small, tmp_path / f"small{t}")
    study = read(tmp_path)
    assert only_stack(study).cine.slice_count == 4
    assert any("differ in size" in what for what in blocking(study))


def test_an_end_slice_with_few_phases_blocks(tmp_path: Path) -> None:
    for z in range(5):
        for t in range(6 if z < 4 else 2):
            series = dataset(z, t, SeriesInstanceUID=f"1.{z}", SeriesNumber=20 + z)
            save(series, tmp_path / f"{z}{t}")
    study = read(tmp_path)
    assert only_stack(study).cine.slice_count == 4
    assert any("2 of 6 phases" in what for what in blocking(study))


def test_a_still_stack_is_a_further_candidate(tmp_path: Path) -> None:
    write_cine(tmp_path / "cine")
    for z in range(5):
        late = dataset(z, 0, SeriesInstanceUID="1.7", SeriesDescription="LGE", TriggerTime=600)
        save(late, tmp_path / f"lge{z}")
    names = [(stack.cine.name, stack.cine.phase_count) for stack in read(tmp_path).stacks]
    assert names == [("cine sax", 6), ("LGE", 1)]


def test_phase_maps_are_not_mixed_into_the_magnitude_images(tmp_path: Path) -> None:
    write_cine(tmp_path / "m")
    write_cine(tmp_path / "p", ImageType=["ORIGINAL", "PRIMARY", "P"], SeriesDescription="phase")
    study = read(tmp_path)
    assert [stack.cine.shape[:2] for stack in study.stacks] == [(6, 4), (6, 4)]


def test_gzip_and_missing_preamble_are_no_hindrance(tmp_path: Path) -> None:
    write_cine(tmp_path)
    packed = tmp_path / "z0t0"
    (tmp_path / "z0t0.gz").write_bytes(gzip.compress(packed.read_bytes()))
    packed.unlink()
    bare = tmp_path / "z1t0"
    bare.write_bytes(bare.read_bytes()[132:])
    naked = dataset(1, 1)
    naked.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    naked.save_as(tmp_path / "z1t1", implicit_vr=True, little_endian=True)
    assert_is_the_cine(only_stack(read(tmp_path)))


def test_compressed_pixels_are_decoded(tmp_path: Path) -> None:
    for z in range(4):
        for t in range(6):
            packed = dataset(z, t)
            packed.compress(RLELossless, generate_instance_uid=False)
            save(packed, tmp_path / f"{z}{t}")
    assert_is_the_cine(only_stack(read(tmp_path)))


def test_rescale_and_monochrome1_are_applied(tmp_path: Path) -> None:
    write_cine(tmp_path, RescaleSlope=2, RescaleIntercept=-5)
    voxels = only_stack(read(tmp_path)).cine.voxels
    assert voxels.dtype == np.float32
    np.testing.assert_array_equal(voxels[1, 2], pixels_of(2, 1) * 2.0 - 5)
    write_cine(tmp_path, PhotometricInterpretation="MONOCHROME1")
    voxels = only_stack(read(tmp_path)).cine.voxels
    np.testing.assert_array_equal(voxels[1, 2], 65535 - pixels_of(2, 1))


def test_unused_high_bits_are_cleared(tmp_path: Path) -> None:
    write_cine(tmp_path, BitsStored=12, HighBit=11)
    overlay = dataset(0, 0, BitsStored=12, HighBit=11)
    overlay.PixelData = (pixels_of(0, 0) | 0x8000).tobytes()
    save(overlay, tmp_path / "z0t0")
    assert_is_the_cine(only_stack(read(tmp_path)))


def test_colour_is_shown_grey_and_kept(tmp_path: Path) -> None:
    rgb = np.zeros((*SHAPE, 3), np.uint8)
    rgb[..., 0] = 100
    colour = dataset(0, 0, SamplesPerPixel=3, PhotometricInterpretation="RGB")
    colour.PlanarConfiguration = 0
    colour.BitsAllocated, colour.BitsStored, colour.HighBit = 8, 8, 7
    colour.PixelData = rgb.tobytes()
    save(colour, tmp_path / "colour.dcm")
    (view,) = read(tmp_path).other_views
    assert view.cine.voxels[0, 0, 0, 0] == 30  # 0.299 x 100
    np.testing.assert_array_equal(view.cine.colour[0, 0], rgb)


def enhanced(slices: int, phases: int) -> FileDataset:
    data = dataset(0, 0)
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = EnhancedMRImageStorage
    for name in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "TriggerTime"):
        delattr(data, name)
    shared, measures, plane = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = [1.5, 1.25], 8
    plane.ImageOrientationPatient = [*ROW, *COLUMN]
    shared.PixelMeasuresSequence = Sequence([measures])
    shared.PlaneOrientationSequence = Sequence([plane])
    data.SharedFunctionalGroupsSequence = Sequence([shared])
    items, planes = [], []
    for t in range(phases):
        for z in reversed(range(slices)):
            position, cardiac, item = Dataset(), Dataset(), Dataset()
            position.ImagePositionPatient = list((ORIGIN + 10 * z * NORMAL).round(6))
            cardiac.NominalCardiacTriggerDelayTime = 40.0 * t
            item.PlanePositionSequence = Sequence([position])
            item.CardiacSynchronizationSequence = Sequence([cardiac])
            items.append(item)
            planes.append(pixels_of(z, t))
    data.PerFrameFunctionalGroupsSequence = Sequence(items)
    data.NumberOfFrames = len(items)
    data.PixelData = np.array(planes).tobytes()
    return data


def test_an_enhanced_multi_frame_file_becomes_one_stack(tmp_path: Path) -> None:
    save(enhanced(4, 6), tmp_path / "enhanced.dcm")
    stack = only_stack(read(tmp_path))
    assert_is_the_cine(stack)
    assert stack.cine.phase_times_ms == (0, 40, 80, 120, 160, 200)
    assert stack.files == (tmp_path / "enhanced.dcm",)


def test_patient_and_scanner_are_read(tmp_path: Path) -> None:
    write_cine(
        tmp_path,
        PatientSize="1.75",
        PatientWeight="80.5",
        PatientSex="F",
        PatientAge="063Y",
        Manufacturer="Maker",
        MagneticFieldStrength="1.5",
    )
    study = read(tmp_path)
    patient = study.patient
    assert (patient.height_cm, patient.weight_kg, patient.sex) == (175, 80.5, "F")
    assert (patient.age_years, patient.heart_rate_bpm) == (63, 75)
    acquisition = only_stack(study).acquisition
    assert (acquisition.vendor, acquisition.field_strength_t) == ("Maker", 1.5)


def test_objects_without_pixels_are_counted(tmp_path: Path) -> None:
    write_cine(tmp_path)
    report = dataset(0, 0, Modality="SR", PixelData=None)
    save(report, tmp_path / "report")
    (tmp_path / "readme.txt").write_text("hello")
    assert read(tmp_path).skipped_files == 2


def test_two_patients_in_one_folder_are_refused(tmp_path: Path) -> None:
    write_cine(tmp_path / "a")
    write_cine(tmp_path / "b", PatientID="P2")
    with pytest.raises(UnreadableStudyError, match="P1, P2") as caught:
        read(tmp_path)
    assert str(tmp_path) in caught.value.hint


def test_a_cine_without_pixel_spacing_opens_but_must_not_be_measured(tmp_path: Path) -> None:
    write_cine(tmp_path, PixelSpacing=None)
    study = read(tmp_path)
    assert study.stacks == ()
    assert study.other_views
    assert any("size of a pixel" in what for what in blocking(study))


def test_reading_can_be_stopped(tmp_path: Path) -> None:
    write_cine(tmp_path)
    with pytest.raises(Cancelled):
        run_to_end(read_study(tmp_path), stop=lambda: True)


def test_a_broken_dicom_file_alone_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "broken.dcm"
    save(dataset(0, 0), path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(UnreadableStudyError):
        read(path)
    path.write_bytes(b"")
    with pytest.raises(UnreadableStudyError):
        read(path)


@pytest.mark.real_data
def test_siemens_series_per_slice_is_one_stack_and_five_long_axis_views(real_data: Path) -> None:
    study = read(real_data / "siemens_cine_dicom" / "patient1")
    assert only_stack(study).cine.shape == (25, 6, 208, 256)
    assert len(only_stack(study).files) == 150
    assert [view.cine.shape[:2] for view in study.other_views] == [(25, 1)] * 5
    np.testing.assert_allclose(only_stack(study).cine.geometry.spacing_mm[0], 17.7, atol=0.01)
    assert blocking(study) == []


@pytest.mark.real_data
def test_sunnybrook_contours_become_labels_of_its_twenty_phases(real_data: Path) -> None:
    study = read(real_data / "sunnybrook_dicom")
    stack = only_stack(study)
    assert stack.cine.shape == (20, 12, 256, 256)
    np.testing.assert_allclose(stack.cine.geometry.spacing_mm[0], 10, atol=0.01)
    (stored,) = study.labels
    phases = stored.labels.labelled_phases()
    assert len(phases) == 2
    cavity_ml = [
        (stored.labels.voxels[t] == 3).sum() * stack.cine.geometry.voxel_ml for t in phases
    ]
    # Ischaemic heart failure: a large cavity that empties little (mean EF of the group 25 %).
    assert 120 < min(cavity_ml) < max(cavity_ml) < 350
    assert 0.15 < 1 - min(cavity_ml) / max(cavity_ml) < 0.35
    assert (stored.labels.voxels == 2).any()


@pytest.mark.parametrize(
    ("elements", "sequence"),
    [
        ({"ScanningSequence": "GR", "SequenceVariant": "SS"}, "GR/SS"),
        ({"ScanningSequence": ["GR", "IR"], "SequenceVariant": ["SK", "SP"]}, "GR/IR/SK/SP"),
        ({"ScanningSequence": "SE", "SequenceVariant": "NONE"}, "SE"),
        ({"ScanningSequence": "GR", "ProtocolName": "cine"}, "cine"),
        ({}, ""),
    ],
)
def test_r2_2_a_sequence_without_a_name_is_called_by_its_kind(
    tmp_path: Path, elements: dict[str, Any], sequence: str
) -> None:
    write_cine(tmp_path, slices=3, phases=1, SeriesDescription=None, **elements)
    assert only_stack(read(tmp_path)).acquisition.sequence == sequence


@pytest.mark.parametrize(
    ("elements", "age"),
    [
        ({"PatientBirthDate": "19500601", "StudyDate": "20100601"}, 60.0),
        ({"PatientBirthDate": "1950.06.01", "AcquisitionDate": "20101201"}, 60.5),
        ({"PatientAge": "063Y", "PatientBirthDate": "19500601", "StudyDate": "20100601"}, 63.0),
        ({"PatientBirthDate": "19500601"}, None),
        ({"PatientBirthDate": "20200601", "StudyDate": "20100601"}, None),
        ({"PatientBirthDate": "18000101", "StudyDate": "20100601"}, None),
        ({"PatientBirthDate": "unknown", "StudyDate": "20100601"}, None),
    ],
)
def test_r2_2_the_age_is_counted_where_it_is_not_stated(
    tmp_path: Path, elements: dict[str, Any], age: float | None
) -> None:
    write_cine(tmp_path, slices=3, phases=1, **elements)
    found = read(tmp_path).patient.age_years
    assert found == (None if age is None else pytest.approx(age, abs=0.02))
