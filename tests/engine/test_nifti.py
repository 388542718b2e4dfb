"""NIfTI files: every axis order there and back, and what the geometry guard refuses."""

from contextlib import suppress
from itertools import permutations, product
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from engine.errors import HeartSegError, UnreadableStudyError
from engine.io.label_store import load_labels, save_labels
from engine.io.nifti import write_labels
from engine.io.study_folder import read_study
from engine.labelmap import LabelMap
from engine.progress import run_to_end
from engine.study import Origin, Provenance, Study

TILT = np.array([[0.8, -0.6, 0.0], [0.48, 0.64, -0.6], [0.36, 0.48, 0.8]])  # a rotation


def write(
    path: Path,
    voxels: np.ndarray,
    affine: np.ndarray | None = None,
    *,
    sform: int = 1,
    qform: int = 0,
    unit: str = "mm",
) -> Path:
    image = nib.Nifti1Image(voxels, np.diag([1.5, 1.5, 8, 1]) if affine is None else affine)
    image.header.set_xyzt_units(unit, "sec")
    image.set_sform(image.affine, sform)
    image.set_qform(image.affine, qform)
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(image, path)
    return path


def read(path: Path) -> Study:
    return run_to_end(read_study(path))


def blocking(study: Study) -> list[str]:
    return [problem.what for problem in study.problems if problem.blocking]


def told(study: Study) -> str:
    return " ".join(problem.what for problem in study.problems)


def heart(shape: tuple[int, ...] = (5, 6, 4)) -> np.ndarray:
    return np.arange(np.prod(shape), dtype=np.int16).reshape(shape)


AXES = [(order, signs) for order in permutations(range(3)) for signs in product((1, -1), repeat=3)]


@pytest.mark.parametrize(("order", "signs"), AXES)
def test_labels_come_back_voxel_for_voxel_in_every_axis_order(
    tmp_path: Path, order: tuple[int, int, int], signs: tuple[int, int, int]
) -> None:
    """Six orders of the patient axes times eight directions: all determinant signs."""
    for slices in range(3):  # whichever file axis counts the slices
        spacing = np.array([1.25, 1.25, 1.25])
        spacing[slices] = 8
        affine = np.eye(4)
        affine[:3, :3] = TILT @ np.eye(3)[:, list(order)] @ np.diag(signs) @ np.diag(spacing)
        affine[:3, 3] = (-70.5, 33.25, 12)
        folder = tmp_path / str(slices)
        stored = heart((3, 4, 5, 2))
        source = write(folder / "heart.nii.gz", stored, affine)
        study = read(folder)
        (stack,) = study.stacks
        assert stack.cine.geometry.spacing_mm[0] == pytest.approx(8)
        assert stack.cine.slice_count == stored.shape[slices]

        labels = LabelMap((stack.cine.voxels % 4).astype(np.uint8), stack.cine.geometry)
        saved = run_to_end(save_labels(study, 0, labels, Provenance(Origin.CORRECTED)))

        written = nib.load(saved.files[0])
        np.testing.assert_array_equal(written.affine, nib.load(source).affine)
        np.testing.assert_array_equal(np.asarray(written.dataobj), stored % 4)
        (again,) = read(folder).labels
        np.testing.assert_array_equal(again.labels.voxels, labels.voxels)
        assert again.provenance.origin is Origin.CORRECTED


@pytest.mark.parametrize(("order", "signs"), AXES)
def test_voxels_stay_at_their_place_in_the_patient(
    tmp_path: Path, order: tuple[int, int, int], signs: tuple[int, int, int]
) -> None:
    """The second file axis counts slices, so the reader has to turn the image."""
    affine = np.eye(4)
    affine[:3, :3] = TILT @ np.eye(3)[:, list(order)] @ np.diag(signs) @ np.diag([1, 9, 1.5])
    affine[:3, 3] = (5, -6, 7)
    stored = heart((3, 4, 5))
    write(tmp_path / "heart.nii", stored, affine)
    (stack,) = read(tmp_path).stacks
    cine = stack.cine
    for i, j, k in ((0, 0, 0), (2, 3, 4), (1, 2, 3)):
        z, y, x = j, k, i
        assert cine.voxels[0, z, y, x] == stored[i, j, k]
        np.testing.assert_allclose(
            cine.geometry.position_mm(z=z, y=y, x=x), (affine @ (i, j, k, 1))[:3], atol=1e-4
        )


def test_slices_along_another_file_axis_are_told_without_blocking(tmp_path: Path) -> None:
    study = read(write(tmp_path / "a.nii", heart(), np.diag([8, 1.5, 1.5, 1])))
    assert "first axis of the file" in told(study)
    assert blocking(study) == []


def test_a_four_dimensional_file_gives_phases_and_their_times(tmp_path: Path) -> None:
    image = nib.Nifti1Image(heart((4, 5, 3, 6)), np.diag([1.5, 1.5, 8, 1]))
    image.header.set_xyzt_units("mm", "sec")
    image.header.set_zooms((1.5, 1.5, 8, 0.04))
    nib.save(image, tmp_path / "cine.nii.gz")
    (stack,) = read(tmp_path).stacks
    assert stack.cine.shape == (6, 3, 5, 4)
    np.testing.assert_allclose(stack.cine.phase_times_ms, 40 * np.arange(6), rtol=1e-6)


def test_an_impossible_time_step_is_told_and_not_used(tmp_path: Path) -> None:
    image = nib.Nifti1Image(heart((4, 5, 3, 6)), np.diag([1.5, 1.5, 8, 1]))
    image.header.set_xyzt_units("mm", "sec")
    image.header.set_zooms((1.5, 1.5, 8, 2000))
    nib.save(image, tmp_path / "cine.nii.gz")
    study = read(tmp_path)
    assert study.stacks[0].cine.phase_times_ms == ()
    assert "too long for a heartbeat" in told(study)


@pytest.mark.parametrize("suffix", ["gt", "seg", "label", "manual"])
def test_a_label_file_beside_the_image_is_found(tmp_path: Path, suffix: str) -> None:
    image = write(tmp_path / "heart.nii.gz", heart())
    labels = (heart() % 4).astype(np.uint8)
    write(tmp_path / f"heart_{suffix}.nii.gz", labels)
    for path in (tmp_path, image):
        study = read(path)
        assert [stack.cine.name for stack in study.stacks] == ["heart"]
        (stored,) = study.labels
        np.testing.assert_array_equal(stored.labels.voxels[0].transpose(2, 1, 0), labels)
        assert blocking(study) == []


def test_label_beside_image_is_found_by_its_bare_name(tmp_path: Path) -> None:
    write(tmp_path / "image.nii.gz", heart())
    write(tmp_path / "label.nii.gz", (heart() % 4).astype(np.uint8))
    assert len(read(tmp_path).labels) == 1


def test_nnunet_folders_give_a_stack_for_each_case(tmp_path: Path) -> None:
    for case in ("la_003", "la_007"):
        write(tmp_path / "imagesTr" / f"{case}_0000.nii.gz", heart())
        write(tmp_path / "labelsTr" / f"{case}.nii.gz", (heart() % 4).astype(np.uint8))
    study = read(tmp_path)
    assert [stack.cine.name for stack in study.stacks] == ["la_003", "la_007"]
    assert [stored.stack for stored in study.labels] == [0, 1]
    alone = read(tmp_path / "imagesTr" / "la_007_0000.nii.gz")
    assert [stored.name for stored in alone.labels] == ["la_007.nii.gz"]


def test_labels_on_another_grid_are_refused_and_the_image_opens(tmp_path: Path) -> None:
    write(tmp_path / "heart.nii.gz", heart())
    moved = np.diag([1.5, 1.5, 8, 1.0])
    moved[0, 3] = 0.2
    write(tmp_path / "heart_gt.nii.gz", (heart() % 4).astype(np.uint8), moved)
    study = read(tmp_path)
    assert len(study.stacks) == 1
    assert study.labels == ()
    assert any("do not lie where the image lies" in what for what in blocking(study))
    assert study.stacks[0].problems == ()


def test_labels_of_another_size_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "heart.nii.gz", heart())
    write(tmp_path / "heart_gt.nii.gz", np.zeros((5, 6, 3), np.uint8))
    study = read(tmp_path)
    assert study.labels == ()
    assert any("5 x 6 x 3" in what for what in blocking(study))


def test_foreign_label_values_are_refused_by_name(tmp_path: Path) -> None:
    write(tmp_path / "heart.nii.gz", heart())
    labels = np.zeros((5, 6, 4), np.uint8)
    labels[0, 0, :3] = (1, 200, 85)
    write(tmp_path / "heart_gt.nii.gz", labels)
    study = read(tmp_path)
    assert study.labels == ()
    assert any("85, 200" in what for what in blocking(study))


def test_whole_numbers_stored_as_floats_are_labels(tmp_path: Path) -> None:
    write(tmp_path / "heart.nii.gz", heart())
    write(tmp_path / "heart_gt.nii.gz", (heart() % 4).astype(np.float64))
    assert len(read(tmp_path).labels) == 1
    write(tmp_path / "heart_gt.nii.gz", (heart() % 4 + 0.5).astype(np.float32))
    assert read(tmp_path).labels == ()


def test_a_binary_mask_becomes_structure_one_and_that_is_told(tmp_path: Path) -> None:
    write(tmp_path / "heart.nii.gz", heart())
    write(tmp_path / "heart_gt.nii.gz", np.where(heart() > 9, 255, 0).astype(np.uint8))
    study = read(tmp_path)
    assert set(np.unique(study.labels[0].labels.voxels)) == {0, 1}
    assert "shown as structure 1" in told(study)
    assert blocking(study) == []


def test_differing_sform_and_qform_are_told_and_block_where_the_spacing_differs(
    tmp_path: Path,
) -> None:
    for name, affine, blocks in (
        ("moved", [1.5, 1.5, 8, 4.0], False),
        ("spaced", [1.5, 1.5, 9, 0.0], True),
    ):
        image = nib.Nifti1Image(heart(), np.diag([1.5, 1.5, 8, 1]))
        image.header.set_xyzt_units("mm")
        other = np.diag([*affine[:3], 1.0])
        other[0, 3] = affine[3]
        image.set_qform(other, 1)
        image.set_sform(np.diag([1.5, 1.5, 8, 1]), 1)
        nib.save(image, tmp_path / f"{name}.nii")
        study = read(tmp_path / f"{name}.nii")
        assert "sform, qform" in told(study)
        assert bool(blocking(study)) is blocks


def test_a_file_without_position_keeps_its_spacing_and_says_so(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii", heart(), sform=0, qform=0)
    study = read(path)
    np.testing.assert_allclose(study.stacks[0].cine.geometry.spacing_mm, (8, 1.5, 1.5))
    assert "sform and qform code 0" in told(study)
    assert blocking(study) == []


def test_a_matrix_that_contradicts_the_spacing_blocks(tmp_path: Path) -> None:
    image = nib.Nifti1Image(heart(), np.eye(4))
    image.header.set_xyzt_units("mm")
    image.header.set_zooms((1.5, 1.5, 8))
    image.header["sform_code"] = 1
    image.header["srow_x"], image.header["srow_y"] = (1, 0, 0, 0), (0, 1, 0, 0)
    image.header["srow_z"] = (0, 0, 1, 0)
    raw = image.header.binaryblock + b"\0" * 4 + heart().tobytes(order="F")
    header = bytearray(raw)
    header[344:348] = b"n+1\0"
    np.frombuffer(header, np.float32, 1, 108)[:] = 352
    (tmp_path / "a.nii").write_bytes(bytes(header))
    assert any("its matrix 1 x 1 x 1" in what for what in blocking(read(tmp_path / "a.nii")))


def test_lengths_in_metres_and_absurd_spacing_block(tmp_path: Path) -> None:
    assert blocking(read(write(tmp_path / "m.nii", heart(), unit="meter")))
    assert blocking(read(write(tmp_path / "s.nii", heart(), np.diag([45, 45, 80, 1.0]))))


def test_a_sheared_grid_measures_slices_along_their_normal(tmp_path: Path) -> None:
    affine = np.diag([1.5, 1.5, 8, 1.0])
    affine[0, 2] = 6  # each slice shifted sideways; the columns are then 10 mm long
    study = read(write(tmp_path / "a.nii", heart(), affine))
    assert study.stacks[0].cine.geometry.spacing_mm[0] == pytest.approx(8)
    assert "shifted against each other" in told(study)
    labels = LabelMap(
        (study.stacks[0].cine.voxels % 4).astype(np.uint8), study.stacks[0].cine.geometry
    )
    write_labels(tmp_path / "out" / "l.nii.gz", labels)
    written = nib.load(tmp_path / "out" / "l.nii.gz")
    np.testing.assert_allclose(written.affine, affine)
    assert int(written.header["qform_code"]) == 0


def test_voxels_that_are_no_numbers_are_counted_and_shown_as_zero(tmp_path: Path) -> None:
    voxels = heart().astype(np.float32)
    voxels[1, 1, 1], voxels[2, 2, 2] = np.nan, np.inf
    study = read(write(tmp_path / "a.nii.gz", voxels))
    assert study.stacks[0].cine.voxels[0, 1, 1, 1] == 0
    assert "2 voxels are not numbers" in told(study)


def test_stored_scaling_is_applied(tmp_path: Path) -> None:
    image = nib.Nifti1Image(heart(), np.diag([1.5, 1.5, 8, 1]))
    image.header.set_slope_inter(0.5, 3)
    nib.save(image, tmp_path / "a.nii.gz")
    stored = nib.load(tmp_path / "a.nii.gz").get_fdata()
    (stack,) = read(tmp_path).stacks
    np.testing.assert_allclose(stack.cine.voxels[0].transpose(2, 1, 0), stored)


def test_big_endian_and_two_dimensional_files_open(tmp_path: Path) -> None:
    big = nib.Nifti1Image(heart().astype(">i2"), np.diag([1.5, 1.5, 8, 1]))
    big.header.set_data_dtype(">i2")
    nib.save(big, tmp_path / "big.nii")
    write(tmp_path / "flat.nii", heart((7, 9)))
    flat, swapped = read(tmp_path / "flat.nii"), read(tmp_path / "big.nii")
    assert flat.stacks[0].cine.shape == (1, 1, 9, 7)
    assert swapped.stacks[0].cine.voxels.dtype.isnative
    np.testing.assert_array_equal(swapped.stacks[0].cine.voxels[0].transpose(2, 1, 0), heart())


@pytest.mark.parametrize(
    "voxels",
    [
        np.zeros((3, 3, 3, 2, 2), np.uint8),
        np.zeros((3, 3, 3), np.complex64),
    ],
)
def test_what_is_no_grey_image_is_refused(tmp_path: Path, voxels: np.ndarray) -> None:
    with pytest.raises(UnreadableStudyError):
        read(write(tmp_path / "a.nii", voxels))


def test_damaged_files_are_refused_in_words(tmp_path: Path) -> None:
    whole = write(tmp_path / "whole.nii.gz", heart((30, 30, 30))).read_bytes()
    plain = write(tmp_path / "whole.nii", heart((30, 30, 30))).read_bytes()
    packed_wrong = bytearray(whole)
    packed_wrong[len(whole) // 2 :] = bytes(len(whole) - len(whole) // 2)
    for name, content in (
        ("half.nii.gz", whole[: len(whole) // 2]),
        ("wrong.nii.gz", bytes(packed_wrong)),
        ("half.nii", plain[: len(plain) // 2]),
        ("head.nii", plain[:200]),
        ("empty.nii", b""),
        ("empty.nii.gz", b""),
        ("text.nii", b"no image at all" * 50),
        ("text.nii.gz", b"no image at all" * 50),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(HeartSegError) as caught:
            read(tmp_path / name)
        assert caught.value.hint


def test_one_damaged_file_does_not_hide_the_others(tmp_path: Path) -> None:
    write(tmp_path / "good.nii.gz", heart())
    (tmp_path / "bad.nii.gz").write_bytes(b"nothing")
    study = read(tmp_path)
    assert [stack.cine.name for stack in study.stacks] == ["good"]
    assert any("bad.nii.gz" in what for what in blocking(study))


def test_labels_given_by_hand_must_have_the_phases_of_the_image(tmp_path: Path) -> None:
    (stack,) = read(write(tmp_path / "cine.nii", heart((5, 6, 4, 3)))).stacks
    three = write(tmp_path / "l.nii.gz", np.ones((5, 6, 4), np.uint8))
    with pytest.raises(HeartSegError, match="1 phases"):
        run_to_end(load_labels(three, stack))
    (still,) = read(write(tmp_path / "still.nii", heart())).stacks
    assert run_to_end(load_labels(three, still)).labels.shape == (1, 4, 6, 5)


@pytest.mark.real_data
def test_the_label_of_subject43_is_refused_and_the_other_five_open(real_data: Path) -> None:
    study = read(real_data / "mscmr_lge")
    assert len(study.stacks) == 6
    assert [stored.stack for stored in study.labels] == [0, 1, 2, 3, 4]
    (what,) = blocking(study)
    (where,) = [problem.where for problem in study.problems if problem.blocking]
    assert "do not lie where the image lies" in what
    assert "subject43_DE_manual" in where
    codes = {stack.cine.geometry.axis_codes for stack in study.stacks}
    assert codes == {"LSP", "PSR"}


@pytest.mark.real_data
def test_every_odd_file_opens_or_is_refused_in_words(real_data: Path) -> None:
    odd = real_data / "odd_files"
    opened = []
    for path in sorted([odd, *odd.rglob("*")]):
        with suppress(HeartSegError):  # any other error fails the test
            study = read(path)
            assert study.stacks or study.other_views
            opened.append(path.name)
    assert {"MR_Explicit_Little_MultiFrame.dcm", "circle_000.dcm", "functional.nii"} <= set(opened)
    assert {"rtstruct.dcm", "row_major.dconn.nii"}.isdisjoint(opened)


def set_spacing(path: Path, *spacing: float) -> None:
    """Write the spacing into the header itself; nibabel would put 1 for 0."""
    content = bytearray(path.read_bytes())
    content[80 : 80 + 4 * len(spacing)] = np.array(spacing, "<f4").tobytes()
    path.write_bytes(content)


@pytest.mark.parametrize("spacing", [(0, 1.5, 8), (1.5, 0, 8), (1.5, 1.5, 0), (0, 0, 0)])
@pytest.mark.parametrize("qform", [0, 1])
def test_r2_2_a_spacing_of_zero_is_never_taken_as_one(
    tmp_path: Path, spacing: tuple[float, ...], qform: int
) -> None:
    path = write(tmp_path / "heart.nii", heart(), sform=0, qform=qform)
    set_spacing(path, *spacing)
    study = read(path)
    assert any("no matrix (sform) with their true size" in what for what in blocking(study))


def test_a_spacing_of_zero_is_no_fault_where_the_sform_gives_it(tmp_path: Path) -> None:
    path = write(tmp_path / "heart.nii", heart())
    set_spacing(path, 0, 0, 0)
    study = read(path)
    assert blocking(study) == []
    assert study.stacks[0].size_known
    assert study.stacks[0].cine.geometry.spacing_mm == pytest.approx((8, 1.5, 1.5))


def test_a_plane_without_a_thickness_has_no_known_size(tmp_path: Path) -> None:
    plane = write(tmp_path / "plane.nii", heart((5, 6)), sform=0)
    flat = write(tmp_path / "flat.nii", heart((5, 6, 1)), sform=0)
    set_spacing(flat, 1.5, 1.5, 0)
    placed = write(tmp_path / "placed.nii", heart((5, 6)))
    known = [read(path).stacks[0].size_known for path in (plane, flat, placed)]
    assert known == [False, False, True]
    assert not any(blocking(read(path)) for path in (plane, flat, placed))
