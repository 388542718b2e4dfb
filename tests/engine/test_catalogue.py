"""Foreign numbers land on the same structures, unknown stays unknown, and every layout is read."""

import json
import logging
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from engine.datasets.catalogue import classes_by_name, read_labelled
from engine.datasets.generated import labelled_phantoms
from engine.datasets.labelled import LabelledPatient, LabelledVolume, bits_of, everything
from engine.datasets.nnunet import write_nnunet
from engine.datasets.phantom import make_phantom, write_phantom
from engine.datasets.sunnybrook import read_sunnybrook
from engine.errors import CannotSaveError, HeartSegError, ModelError
from engine.io.label_values import LABELS_OF, NAMES_OF
from engine.progress import run_to_end
from engine.structures import SHORT_AXIS_CLASSES, Structure
from engine.tasks import TASKS
from tests.discs import disc_patient, disc_patients, write_disc_patients

HEART = ("acdc", "mnms", "ukbb")


def read(folder: Path, **how: str) -> list[LabelledPatient]:
    return run_to_end(read_labelled(folder, **how))


def write_nifti(
    path: Path, voxels: np.ndarray, *, spacing_mm: tuple[float, float, float] = (8.0, 1.4, 1.2)
) -> None:
    """Write (z, y, x) with slices as the third axis of the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    affine = np.diag([*spacing_mm[::-1], 1.0])
    nib.save(nib.Nifti1Image(voxels.transpose(2, 1, 0), affine), path)


def grey(shape: tuple[int, ...] = (4, 12, 10)) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 900, shape).astype(np.int16)


def labels(numbers: tuple[int, ...], shape: tuple[int, ...] = (4, 12, 10)) -> np.ndarray:
    """A map in which each number fills rows of its own."""
    drawn = np.zeros(shape, np.uint8)
    for row, number in enumerate(numbers, start=1):
        drawn[:, row] = number
    return drawn


def same(one: LabelledPatient, other: LabelledPatient) -> None:
    assert (one.name, one.group, one.task) == (other.name, other.group, other.task)
    assert len(one.volumes) == len(other.volumes)
    for ours, theirs in zip(one.volumes, other.volumes, strict=True):
        assert (ours.name, ours.phase) == (theirs.name, theirs.phase)
        assert ours.adjacent == theirs.adjacent
        assert ours.spacing_mm == pytest.approx(theirs.spacing_mm)
        assert ours.image.dtype == theirs.image.dtype
        assert np.array_equal(ours.image, theirs.image)
        assert np.array_equal(ours.possible, theirs.possible)


def test_acdc_mnms_and_ukbb_land_on_the_same_structures() -> None:
    """Fact of the data sets: ACDC counts the RV as 1, M&Ms and UK Biobank the LV."""
    assert LABELS_OF["acdc"][1] is Structure.RV
    assert LABELS_OF["acdc"][3] is Structure.LV
    assert LABELS_OF["mnms"][1] is LABELS_OF["ukbb"][1] is Structure.LV
    assert LABELS_OF["mnms"][3] is LABELS_OF["ukbb"][4] is Structure.RV
    for name in HEART:
        assert set(LABELS_OF[name].values()) == set(SHORT_AXIS_CLASSES)


def test_every_class_of_every_task_is_known_by_its_own_name() -> None:
    assert set(NAMES_OF) == set(TASKS)
    for task in TASKS.values():
        for number, name in enumerate(task.classes):
            assert name.replace("_", " ") in NAMES_OF[task.name][number]
        numbers = {name: 10 + n for n, name in enumerate(task.classes)}
        found = classes_by_name(numbers, where=Path("dataset.json"))
        assert found == (task.name, {10 + n: n for n in range(len(task.classes))})


def test_names_of_other_data_sets_are_understood() -> None:
    mnms = {"background": 0, "LVBP": 1, "LVM": 2, "RV": 3}
    acdc = {"background": 0, "RV": 1, "MLV": 2, "LVC": 3}

    assert classes_by_name(mnms, where=Path("d"))[1] == LABELS_OF["mnms"]
    assert classes_by_name(acdc, where=Path("d"))[1] == LABELS_OF["acdc"]
    assert classes_by_name({"background": 0, "Left-Atrium": 1}, where=Path("d")) == (
        "left_atrium",
        {0: 0, 1: 1},
    )
    with pytest.raises(ModelError, match="liver"):
        classes_by_name({"background": 0, "liver": 1}, where=Path("dataset.json"))


def test_r2_8_certain_labels_have_one_bit() -> None:
    """R2-8: the background is a class like every other."""
    assert bits_of(np.array([0, 1, 2, 3], np.uint8)).tolist() == [1, 2, 4, 8]
    assert everything("short_axis") == 15
    assert everything("left_atrium") == 3


def write_slices(path: Path) -> None:
    """Two slices of one patient: with and without an epicardial contour."""
    label = np.zeros((2, 16, 16), np.uint8)
    label[:, 6:10, 6:10] = 3
    label[0][(label[0] == 0) & (np.hypot(*np.mgrid[-8:8, -8:8]) < 6)] = 2
    np.savez(
        path,
        image=np.full((2, 16, 16), 100, np.uint16),
        label=label,
        patient=np.array(["SC-HF-I-01", "SC-HF-I-01"]),
        index=np.arange(2),
    )


def test_sunnybrook_background_may_be_rv_and_wall_where_no_one_drew_it(tmp_path: Path) -> None:
    write_slices(tmp_path / "slices.npz")
    (patient,) = read(tmp_path)
    possible = patient.volumes[0].possible

    assert patient.group == "SCD-HF-I"
    assert not patient.volumes[0].complete
    assert not patient.volumes[0].adjacent
    assert possible[0, 0, 0] == 0b0011  # background or RV
    assert possible[1, 0, 0] == 0b0111  # background, RV or myocardium
    assert (possible[:, 7, 7] == 0b1000).all()


def test_far_from_the_cavity_there_is_certainly_background(tmp_path: Path) -> None:
    """90 mm are 65.7 pixels of 1.37 mm from the edge of the cavity."""
    label = np.zeros((1, 16, 160), np.uint8)
    label[0, 4:12, :11] = 3  # its last column is 10
    np.savez(
        tmp_path / "slices.npz",
        image=np.full(label.shape, 100, np.uint16),
        label=label,
        patient=np.array(["SC-N-02"]),
        index=np.arange(1),
    )
    (patient,) = read(tmp_path)

    assert patient.volumes[0].possible[0, 8, 75] == 0b0111
    assert patient.volumes[0].possible[0, 8, 76] == 0b0001


def test_sunnybrook_slices_are_sorted_into_phases_where_a_manifest_names_them(
    tmp_path: Path,
) -> None:
    label = np.zeros((5, 16, 16), np.uint8)
    for number, side in enumerate((2, 6, 3, 7, 5)):
        label[number, :side, :side] = 3
    np.savez(
        tmp_path / "slices.npz",
        image=np.arange(5, dtype=np.uint16)[:, None, None] * np.ones((1, 16, 16), np.uint16),
        label=label,
        patient=np.array(["SC-N-02"] * 5),
        index=np.arange(5),
    )
    places = [(7, 4), (19, 4), (7, 3), (19, 3), (19, 5)]  # phase, slice
    rows = "".join(f"SC-N-02,0,{z},{phase},0,\n" for phase, z in places)
    (tmp_path / "manifest.csv").write_text("patient,instance,slice,phase,lv_area_px,epi\n" + rows)
    (patient,) = read(tmp_path)

    assert [volume.phase for volume in patient.volumes] == ["ED", "ES"]
    assert [volume.name for volume in patient.volumes] == ["SC-N-02 ED", "SC-N-02 ES"]
    assert all(volume.adjacent for volume in patient.volumes)
    assert [v.image[:, 0, 0].tolist() for v in patient.volumes] == [[3, 1, 4], [2, 0]]


@pytest.mark.parametrize(
    "manifest",
    [
        "patient,phase,slice\nSC-N-99,1,1\nSC-N-99,1,2\n",  # of other patients
        "patient,phase,slice\nSC-HF-I-01,one,1\nSC-HF-I-01,1,2\n",
        "something else",
    ],
)
def test_a_manifest_that_does_not_fit_is_not_used(tmp_path: Path, manifest: str) -> None:
    write_slices(tmp_path / "slices.npz")
    (tmp_path / "manifest.csv").write_text(manifest)
    (patient,) = read(tmp_path)

    assert len(patient.volumes) == 1
    assert not patient.volumes[0].adjacent


def test_damaged_sunnybrook_slices_are_told(tmp_path: Path) -> None:
    (tmp_path / "slices.npz").write_bytes(b"no zip file")

    with pytest.raises(ModelError, match=r"slices\.npz"):
        read_sunnybrook(tmp_path / "slices.npz")


def test_a_folder_without_labels_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    with pytest.raises(ModelError, match="No labelled patients"):
        read(tmp_path)


def test_acdc_folders_come_back_with_group_and_phases(tmp_path: Path) -> None:
    for folder in (write_disc_patients(tmp_path / "a", 2), tmp_path / "a"):
        for found, drawn in zip(read(folder), disc_patients(2), strict=True):
            assert (found.name, found.group, found.task) == (drawn.name, "DISC", "short_axis")
            assert [v.phase for v in found.volumes] == ["ED", "ES"]
            for ours, theirs in zip(found.volumes, drawn.volumes, strict=True):
                assert np.array_equal(ours.possible, theirs.possible)
                assert ours.spacing_mm == pytest.approx(theirs.spacing_mm)


def test_mnms_folders_are_recognised_by_their_file_names(tmp_path: Path) -> None:
    """M&Ms counts the LV as 1; read like ACDC its ventricles would be exchanged."""
    image = np.stack([grey(), grey()])
    drawn = np.stack([labels((1, 2, 3))] * 2)
    for place in ("A0S9V9", "B1"):
        folder = tmp_path / place
        folder.mkdir()
        affine = np.diag([1.2, 1.4, 8.0, 1.0])
        for name, voxels in ((f"{place}_sa", image), (f"{place}_sa_gt", drawn)):
            nib.save(nib.Nifti1Image(voxels.transpose(3, 2, 1, 0), affine), folder / f"{name}.nii")
    for patient in read(tmp_path):
        assert len(patient.volumes) == 2
        for volume in patient.volumes:
            assert (volume.labels()[:, 1] == Structure.LV).all()
            assert (volume.labels()[:, 3] == Structure.RV).all()
    assert (read(tmp_path, numbering="acdc")[0].volumes[0].labels()[:, 1] == Structure.RV).all()
    with pytest.raises(ModelError, match="numbering"):
        read(tmp_path, numbering="nosuch")


@pytest.mark.parametrize("kind", ["heart", "atrium", "polyp"])
def test_an_nnunet_data_set_comes_back_as_it_was_written(kind: str, tmp_path: Path) -> None:
    if kind == "heart":
        patients = [disc_patient("a b/c", seed=1), disc_patient("patient_ED", seed=2)]
    else:
        task, colours = ("left_atrium", ()) if kind == "atrium" else ("polyp", (3,))
        image = np.random.default_rng(0).integers(0, 255, (5, 20, 16, *colours), np.uint8)
        volume = LabelledVolume(
            "one", image, bits_of(labels((1,), (5, 20, 16))), (0.7, 0.6, 0.6), adjacent=False
        )
        patients = [LabelledPatient("one", "g", (volume,), task)]
    folder = run_to_end(write_nnunet(patients, tmp_path / "Dataset101_Heart"))
    described = json.loads((folder / "dataset.json").read_text())
    files = sorted(path.name for path in (folder / "imagesTr").iterdir())

    assert set(described) >= {"channel_names", "labels", "numTraining", "file_ending"}
    assert described["labels"] == {c: n for n, c in enumerate(TASKS[patients[0].task].classes)}
    assert described["numTraining"] == len(list((folder / "labelsTr").iterdir()))
    assert len(files) == described["numTraining"] * len(described["channel_names"])
    assert all(len(nib.load(path).shape) == 3 for path in (folder / "imagesTr").iterdir())
    for one, other in zip(read(folder), patients, strict=True):
        same(one, other)


def test_open_labels_become_nnunets_ignored_ones(tmp_path: Path) -> None:
    folder = run_to_end(write_nnunet([disc_patient("a", possible=0b0011)], tmp_path / "d"))
    described = json.loads((folder / "dataset.json").read_text())
    (patient,) = read(folder)

    assert described["labels"]["ignore"] == 4
    assert set(np.unique(patient.volumes[0].possible)) == {2, 4, 8, 15}


def test_a_data_set_is_never_written_over_another(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "x").write_text("mine")

    with pytest.raises(CannotSaveError, match="not empty"):
        run_to_end(write_nnunet(disc_patients(1), tmp_path / "d"))
    with pytest.raises(ModelError, match="one task"):
        run_to_end(write_nnunet([], tmp_path / "e"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d"]


def write_decathlon(folder: Path, names: dict[str, str], drawn: np.ndarray) -> None:
    for number in (3, 10):
        write_nifti(folder / "imagesTr" / f"la_{number:03d}.nii.gz", grey())
        write_nifti(folder / "labelsTr" / f"la_{number:03d}.nii.gz", drawn)
    (folder / "labelsTr" / "._la_003.nii.gz").write_bytes(b"left by a Mac")
    (folder / "dataset.json").write_text(json.dumps({"labels": names, "modality": {"0": "MRI"}}))


def test_the_decathlons_heart_is_read(tmp_path: Path) -> None:
    write_decathlon(tmp_path, {"0": "background", "1": "left atrium"}, labels((1,)))
    patients = read(tmp_path)

    assert [p.name for p in patients] == ["la_003", "la_010"]
    assert {p.task for p in patients} == {"left_atrium"}
    volume = patients[0].volumes[0]
    assert np.array_equal(volume.image, grey())
    assert np.array_equal(volume.possible, bits_of(labels((1,))))
    assert volume.spacing_mm == pytest.approx((8.0, 1.4, 1.2))


def test_phases_of_one_patient_are_put_together(tmp_path: Path) -> None:
    """As the ACDC data come in nnU-Net's own folders."""
    for case in ("patient001_frame01", "patient001_frame12", "patient002_ED", "patient002_ES"):
        write_nifti(tmp_path / "imagesTr" / f"{case}_0000.nii.gz", grey())
        write_nifti(tmp_path / "labelsTr" / f"{case}.nii.gz", labels((1, 2, 3)))
    names = {"background": 0, "RV": 1, "MLV": 2, "LVC": 3}
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": names}))
    patients = read(tmp_path)

    assert [(p.name, len(p.volumes)) for p in patients] == [("patient001", 2), ("patient002", 2)]
    assert [v.phase for v in patients[1].volumes] == ["ED", "ES"]


@pytest.mark.parametrize(
    ("names", "drawn", "told"),
    [
        ({"0": "background", "1": "left atrium"}, labels((1, 2)), "la_003"),
        ({"0": "background", "1": "spleen"}, labels((1,)), "spleen"),
        ({"background": 0, "heart": [1, 2]}, labels((1,)), "single numbers"),
        (None, labels((1,)), "single numbers"),
    ],
)
def test_labels_without_a_known_meaning_end_the_reading(
    names: dict[str, str], drawn: np.ndarray, told: str, tmp_path: Path
) -> None:
    write_decathlon(tmp_path, names, drawn)

    with pytest.raises(HeartSegError, match=told) as error:
        read(tmp_path)
    assert error.value.hint


def test_a_damaged_dataset_json_and_missing_images_are_told(tmp_path: Path) -> None:
    write_decathlon(tmp_path, {"0": "background", "1": "left atrium"}, labels((1,)))
    (tmp_path / "imagesTr" / "la_010.nii.gz").unlink()
    with pytest.raises(ModelError, match="la_010"):
        read(tmp_path)
    (tmp_path / "dataset.json").write_text("{")
    with pytest.raises(ModelError, match=r"dataset\.json"):
        read(tmp_path)


def test_images_with_nan_are_refused_by_file(tmp_path: Path) -> None:
    image = grey().astype(np.float32)
    image[0, 0, 0] = np.nan
    write_nifti(tmp_path / "a" / "image.nii.gz", image)
    write_nifti(tmp_path / "a" / "label.nii.gz", labels((1,)))

    with pytest.raises(ModelError, match=r"a/image\.nii\.gz"):
        read(tmp_path)


def test_folders_of_one_image_and_one_label_are_left_atria(tmp_path: Path) -> None:
    for place, most in (("X1", 1), ("X2", 255)):
        write_nifti(tmp_path / place / "image.nii.gz", grey())
        write_nifti(tmp_path / place / "label.nii.gz", labels((most,)))
    patients = read(tmp_path)

    assert [(p.name, p.task) for p in patients] == [("X1", "left_atrium"), ("X2", "left_atrium")]
    assert np.array_equal(patients[0].volumes[0].possible, patients[1].volumes[0].possible)
    assert read(tmp_path / "X1")[0].name == "X1"


def test_pairs_in_one_folder_are_patients_of_their_own(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("s1", "s2"):
        write_nifti(tmp_path / f"{name}.nii.gz", grey())
        write_nifti(tmp_path / f"{name}_gt.nii.gz", labels((1, 2, 4)))
    write_nifti(tmp_path / "s3.nii.gz", grey())
    write_nifti(tmp_path / "s3_gt.nii.gz", labels((1, 2, 4)), spacing_mm=(8.0, 1.4, 1.3))

    with pytest.raises(ModelError, match=r"s1_gt\.nii\.gz"):
        read(tmp_path)
    with caplog.at_level(logging.WARNING):
        patients = read(tmp_path, numbering="ukbb")
    assert [(p.name, p.task) for p in patients] == [("s1", "short_axis"), ("s2", "short_axis")]
    assert (patients[0].volumes[0].labels()[:, 3] == Structure.RV).all()
    assert "s3 is left out" in caplog.text


def test_a_task_may_be_named_where_the_folder_does_not_tell(tmp_path: Path) -> None:
    for name in ("s1", "s2"):
        write_nifti(tmp_path / f"{name}.nii.gz", grey())
        write_nifti(tmp_path / f"{name}_seg.nii.gz", labels((1,)))

    assert read(tmp_path)[0].task == "left_atrium"
    assert read(tmp_path, task="short_axis")[0].task == "short_axis"


def write_picture(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def photograph(seed: int, shape: tuple[int, int] = (20, 24)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3), np.uint8)


def mask(shape: tuple[int, int] = (20, 24)) -> np.ndarray:
    drawn = np.zeros(shape, np.uint8)
    drawn[4:9, 5:12] = 255
    drawn[9, 5:12] = 127  # a grey edge does not count
    return drawn


def test_lgg_slices_become_coloured_volumes(tmp_path: Path) -> None:
    for place, numbers in (("TCGA_CS_1_19960909", (9, 10, 11)), ("TCGA_DU_2_1997", (2, 7))):
        for number in numbers:
            start = tmp_path / "kaggle_3m" / place / f"{place}_{number}"
            write_picture(start.with_name(f"{start.name}.tif"), photograph(number))
            write_picture(start.with_name(f"{start.name}_mask.tif"), mask())
    first, second = read(tmp_path)

    assert (first.name, first.group, first.task) == ("TCGA_CS_1_19960909", "CS", "brain_tumour")
    assert second.group == "DU"
    image = first.volumes[0].image
    assert np.array_equal(image, np.stack([photograph(n) for n in (9, 10, 11)]))
    assert np.array_equal(first.volumes[0].possible[1], np.where(mask() > 127, 2, 1))
    assert first.volumes[0].adjacent
    assert not second.volumes[0].adjacent


def test_lgg_slices_of_two_sizes_or_in_grey_are_refused_by_name(tmp_path: Path) -> None:
    for number, shape in ((1, (20, 24)), (2, (16, 16))):
        write_picture(tmp_path / "p" / f"p_{number}.tif", photograph(1, shape))
        write_picture(tmp_path / "p" / f"p_{number}_mask.tif", mask(shape))
    with pytest.raises(ModelError, match=r"p_2\.tif"):
        read(tmp_path)
    for number in (1, 2):
        write_picture(tmp_path / "p" / f"p_{number}.tif", photograph(1)[..., 0])
        write_picture(tmp_path / "p" / f"p_{number}_mask.tif", mask())
    with pytest.raises(ModelError, match="grey"):
        read(tmp_path)
    write_picture(tmp_path / "p" / "p_2_mask.tif", mask((16, 16)))
    with pytest.raises(ModelError, match="p_2_mask"):
        read(tmp_path)


def test_polyp_frames_are_kept_together_by_video(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Facts of the data set: frames 1-25 are the first video, 26-50 the second, 612 the last."""
    names = ("1", "25", "26", "612", "9999", "odd")
    for name in names:
        write_picture(tmp_path / "PNG" / "Original" / f"{name}.png", photograph(len(name)))
        rgb = np.repeat(mask()[..., None], 3, axis=2)
        write_picture(tmp_path / "PNG" / "Ground Truth" / f"{name}.png", rgb)
    write_picture(tmp_path / "PNG" / "Original" / "30.png", photograph(3))  # without a mask
    with caplog.at_level(logging.WARNING):
        patients = read(tmp_path)
    frames = {p.name: [v.name for v in p.volumes] for p in patients}

    assert frames == {
        "sequence 01": ["frame 1", "frame 25"],
        "sequence 02": ["frame 26"],
        "sequence 29": ["frame 612"],
        "frame 9999": ["frame 9999"],
        "frame odd": ["frame odd"],
    }
    volume = patients[-1].volumes[0]
    assert volume.image.shape == (1, 20, 24, 3)
    assert np.array_equal(volume.possible[0], np.where(mask() > 127, 2, 1))
    assert {p.task for p in patients} == {"polyp"}
    assert "30.png" in caplog.text


def test_phantoms_are_labelled_from_their_seed(tmp_path: Path) -> None:
    phantom = make_phantom(4, phases=4, slices=6, shape_yx=(56, 64))
    made = run_to_end(labelled_phantoms([4, 5], phases=4, slices=6, shape_yx=(56, 64)))
    ed, es = made[0].volumes

    assert [p.name for p in made] == ["phantom004", "phantom005"]
    assert (ed.phase, es.phase) == ("ED", "ES")
    assert np.array_equal(ed.image, phantom.cine.voxels[phantom.ed_phase])
    assert np.array_equal(es.labels(), phantom.labels.voxels[phantom.es_phase])
    cavity_ml = [(v.labels() == 3).sum() * np.prod(v.spacing_mm) / 1000 for v in (ed, es)]
    truth = (phantom.truth.lv_ed_ml, phantom.truth.lv_es_ml)
    assert cavity_ml == pytest.approx(truth, rel=0.1)


def test_a_written_phantom_is_read_with_its_labels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder holds no label files; the drawing is made small here, to be fast."""
    import functools

    from engine.datasets import generated, phantom

    small = functools.partial(phantom.phantom_steps, phases=5, slices=6, shape_yx=(48, 56))
    monkeypatch.setattr(phantom, "phantom_steps", small)
    monkeypatch.setattr(generated, "phantom_steps", small)
    folder = run_to_end(write_phantom(tmp_path / "all" / "ph7", 7))
    (patient,) = read(tmp_path / "all")
    stored = np.asarray(nib.load(folder / "ph7_4d.nii.gz").dataobj).transpose(3, 2, 1, 0)

    assert (patient.name, patient.group) == ("ph7", "PHANTOM")
    assert np.array_equal(patient.volumes[0].image, stored[0])
    assert patient.volumes[0].complete
    assert set(np.unique(patient.volumes[0].labels())) == {0, 1, 2, 3}
    (folder / "truth.json").write_text("{}")
    with pytest.raises(ModelError, match="seed"):
        read(tmp_path / "all")


def test_colours_and_certainty_of_a_volume() -> None:
    volume = disc_patient("a").volumes[0]

    assert volume.colours == 1
    assert replace(volume, image=np.zeros((3, 48, 48, 3))).colours == 3
    assert volume.complete
    assert not replace(volume, possible=np.zeros((3, 48, 48), np.uint8)).complete


@pytest.mark.real_data
def test_acdc_patients_come_with_group_and_both_phases(real_data: Path, tmp_path: Path) -> None:
    (tmp_path / "patient090").symlink_to(real_data / "acdc" / "training" / "patient090")
    (patient,) = read(tmp_path)

    assert patient.name == "patient090"
    assert patient.group
    assert [volume.phase for volume in patient.volumes] == ["ED", "ES"]
    assert all(volume.complete for volume in patient.volumes)
    first, second = (int((v.possible == 8).sum()) for v in patient.volumes)
    assert first > second, "patient090's ED is not its first frame: Info.cfg must be read"


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("folder", "task", "patients", "shape"),
    [
        ("left_atrium", "left_atrium", 8, (88, 140, 183)),
        ("lgg", "brain_tumour", 5, (14, 256, 256, 3)),
        ("cvc_clinicdb", "polyp", 2, (1, 288, 384, 3)),
        ("mscmr_lge", "short_axis", 5, (15, 512, 512)),
    ],
)
def test_the_public_data_are_read(
    folder: str, task: str, patients: int, shape: tuple[int, ...], real_data: Path
) -> None:
    """Of the six late-enhancement patients one has labels that lie elsewhere; it is left out."""
    found = read(real_data / folder)

    assert len(found) == patients
    assert {p.task for p in found} == {task}
    assert found[0].volumes[0].image.shape == shape
    assert all(v.complete for p in found for v in p.volumes)
    assert "subject43_DE" not in {p.name for p in found}
