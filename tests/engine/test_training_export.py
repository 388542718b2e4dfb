"""Corrected studies as training sets that `heartseg train` reads, and outlines that come back."""

import csv
import json
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import tomli_w
from numpy.typing import NDArray

from engine.cli import main
from engine.clinical.training_export import (
    approved_phases,
    corrected_phases,
    gather_studies,
    write_as_patients,
)
from engine.datasets.catalogue import read_labelled
from engine.datasets.labelled import LabelledPatient
from engine.errors import CannotSaveError, UnusableLabelsError
from engine.io.contours import inside, read_points
from engine.io.label_store import save_labels
from engine.io.outlines import CSV_HEADINGS, outline, outlines_csv
from engine.io.study_folder import read_study
from engine.labelmap import LabelMap, SlicePlace
from engine.progress import run_to_end
from engine.recipe import Recipe
from engine.review.states import Review
from engine.structures import Structure
from engine.study import Origin, Provenance, StoredLabels
from tests.discs import tiny_recipe, write_disc_patients
from tests.engine.test_dicom import write_cine
from tests.phantoms import CylinderHeart

HEART = CylinderHeart()
AT = "2026-11-21T15:00:00+00:00"


def correct(
    folder: Path,
    *,
    slices: tuple[SlicePlace, ...] = ((0, 1), (1, 2)),
    review: Review | None = None,
) -> NDArray[np.uint8]:
    """Save a study's reference with one slice changed, as a reader's correction of it."""
    study = run_to_end(read_study(folder))
    stored = study.labels[0]
    voxels = stored.labels.voxels.copy()
    voxels[0, 1, 20:24, 20:24] = Structure.MYOCARDIUM
    made = Provenance(Origin.CORRECTED, "unet", "ab" * 32, "A. Reader", slices)
    labels = LabelMap(voxels, stored.labels.geometry)
    run_to_end(save_labels(study, 0, labels, made, review=review))
    return voxels


@pytest.fixture
def patients(tmp_path: Path) -> Path:
    """Eight patients of discs in ACDC's layout, all corrected."""
    folder = write_disc_patients(tmp_path / "patients", 8)
    for place in sorted(folder.iterdir()):
        correct(place)
    return folder


def export(folder: Path, out: Path, layout: str, *more: str) -> int:
    return main(["export", str(folder), "--out", str(out), "--layout", layout, *more])


def labels_by_phase(patient: LabelledPatient) -> dict[str, NDArray[np.uint8]]:
    return {volume.phase: volume.labels() for volume in patient.volumes}


@pytest.mark.parametrize("layout", ["nnunet", "heartseg"])
def test_a_training_set_holds_images_and_corrected_labels_voxel_by_voxel(
    patients: Path, tmp_path: Path, layout: str
) -> None:
    out = tmp_path / "set"
    assert export(patients, out, layout) == 0
    read = run_to_end(read_labelled(out))

    assert [patient.name for patient in read] == [f"p{number}" for number in range(8)]
    assert {patient.group for patient in read} == {"DISC"}
    for patient in read:
        study = run_to_end(read_study(patients / patient.name))
        (own,) = [s for s in study.labels if s.provenance.origin is Origin.CORRECTED]
        wanted = {"ED": own.labels.voxels[0], "ES": own.labels.voxels[1]}
        found = labels_by_phase(patient)
        assert set(found) == set(wanted)
        for phase, labels in wanted.items():
            assert np.array_equal(found[phase], labels)
        assert (found["ED"][1, 20:24, 20:24] == Structure.MYOCARDIUM).all()
        for number, volume in enumerate(patient.volumes):
            assert np.array_equal(volume.image, study.stacks[0].cine.voxels[number])
            assert volume.spacing_mm == pytest.approx(study.stacks[0].cine.geometry.spacing_mm)


@pytest.mark.parametrize("layout", ["nnunet", "heartseg"])
def test_heartseg_train_learns_from_a_training_set(
    patients: Path, tmp_path: Path, layout: str, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe: Recipe = tiny_recipe(training__epochs=1)
    (tmp_path / "tiny.toml").write_text(
        tomli_w.dumps(recipe.model_dump(mode="json", exclude_none=True)), encoding="utf-8"
    )
    assert export(patients, tmp_path / "set", layout) == 0
    arguments = ["train", str(tmp_path / "tiny.toml"), "--data", str(tmp_path / "set")]
    code = main([*arguments, "--out", str(tmp_path / "run"), "--device", "cpu"])

    assert code == 0, capsys.readouterr().err
    scores = json.loads((tmp_path / "run" / "scores.json").read_text(encoding="utf-8"))
    assert {patient["patient"] for patient in scores["patients"]} <= {f"p{n}" for n in range(8)}
    assert all("ED" in patient["phases"] for patient in scores["patients"])


def test_our_own_layout_opens_as_a_study_and_says_who_made_the_labels(
    patients: Path, tmp_path: Path
) -> None:
    assert export(patients, tmp_path / "set", "heartseg") == 0
    study = run_to_end(read_study(tmp_path / "set" / "p3"))
    source = json.loads((tmp_path / "set" / "p3" / "source.json").read_text(encoding="utf-8"))

    assert not any(problem.blocking for problem in study.problems)
    assert (study.stacks[0].ed_phase, study.stacks[0].es_phase) == (0, 1)
    assert study.labels[0].provenance.origin is Origin.REFERENCE
    assert (source["corrected_by"], source["model"]) == ("A. Reader", "unet")
    assert source["phases"]["0"]["corrected"] == [1]
    assert source["approved_by"] is None


def stored_with(
    *, corrected: tuple[SlicePlace, ...] = (), review: Review | None = None
) -> StoredLabels:
    made = Provenance(Origin.CORRECTED, corrected_slices=corrected)
    return StoredLabels("x", 0, HEART.labels([0, 2]), made, review=review or Review())


def test_a_phase_counts_as_corrected_where_a_person_touched_a_slice() -> None:
    assert corrected_phases(stored_with()) == ()
    assert corrected_phases(stored_with(corrected=((2, 3), (1, 1)))) == (2,)
    assert corrected_phases(stored_with(review=Review().propagate([(0, 2)]))) == (0,)
    assert corrected_phases(stored_with(review=Review().approve_slices([(0, 2), (2, 2)]))) == (0, 2)


def test_a_phase_counts_as_approved_where_every_slice_of_it_is() -> None:
    ed = [(0, z) for z in range(1, 5)]
    approved = Review().approve(ed, reader="A", at=AT)

    assert approved_phases(stored_with(review=approved)) == (0,)
    assert approved_phases(stored_with(review=approved.approve_slices([(2, 1)]))) == (0,)
    assert approved_phases(stored_with(review=Review().approve_slices(ed))) == ()
    assert approved_phases(stored_with(review=Review().approve(ed[1:], reader="A", at=AT))) == ()


def test_only_approved_phases_are_exported_on_demand_and_the_rest_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_disc_patients(tmp_path / "patients", 3)
    whole = [(phase, z) for phase in (0, 1) for z in range(3)]
    correct(folder / "p0", review=Review().approve(whole, reader="A. Reader", at=AT))
    correct(folder / "p1")
    assert export(folder, tmp_path / "set", "heartseg", "--approved") == 0
    said = capsys.readouterr()

    assert sorted(path.name for path in (tmp_path / "set").iterdir()) == ["p0"]
    assert "p1 is left out: no reader has approved its labels." in said.err
    assert "p2 is left out" in said.err
    assert "Wrote 1 studies, 2 phases" in said.out


def test_studies_nobody_corrected_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_disc_patients(tmp_path / "patients", 2)

    assert export(folder, tmp_path / "set", "nnunet") == 2
    assert "nobody has corrected it" in capsys.readouterr().err
    assert not (tmp_path / "set").exists()


def test_two_studies_of_one_name_are_kept_apart(tmp_path: Path) -> None:
    for parent in ("a", "b"):
        correct(write_disc_patients(tmp_path / parent, 1) / "p0")
    gathered = run_to_end(gather_studies([tmp_path / "a" / "p0", tmp_path / "b" / "p0"]))

    assert [each.name for each in gathered.studies] == ["p0", "p0-2"]


@pytest.mark.parametrize("name", ["1.2.840.113619", "Jane Doe (2)", "p.nii.gz-copy"])
@pytest.mark.parametrize("layout", ["nnunet", "heartseg"])
def test_odd_names_of_folders_come_back(tmp_path: Path, name: str, layout: str) -> None:
    place = (write_disc_patients(tmp_path / "patients", 1) / "p0").rename(tmp_path / name)
    correct(place)
    assert export(place, tmp_path / "set", layout) == 0
    (patient,) = run_to_end(read_labelled(tmp_path / "set"))

    assert [volume.phase for volume in patient.volumes] == ["ED", "ES"]
    assert patient.name
    assert "." not in patient.name


@pytest.mark.parametrize("layout", ["nnunet", "heartseg", "sunnybrook", "csv"])
def test_nothing_is_ever_overwritten(patients: Path, tmp_path: Path, layout: str) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "mine.txt").write_text("mine")

    assert export(patients, tmp_path / "set", layout) == 2
    assert [path.name for path in (tmp_path / "set").iterdir()] == ["mine.txt"]


def test_a_stopped_export_leaves_nothing(patients: Path, tmp_path: Path) -> None:
    gathered = run_to_end(gather_studies([patients]))
    steps = write_as_patients(gathered.studies, tmp_path / "set")
    next(steps)
    next(steps)
    steps.close()

    assert sorted(path.name for path in tmp_path.iterdir()) == ["patients"]


def test_a_place_that_cannot_be_written_is_told(patients: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    gathered = run_to_end(gather_studies([patients / "p0"]))

    with pytest.raises(CannotSaveError):
        run_to_end(write_as_patients(gathered.studies, tmp_path / "file" / "set"))


def test_a_folder_without_labels_is_told(tmp_path: Path) -> None:
    write_cine(tmp_path / "dicom")

    with pytest.raises(UnusableLabelsError, match="holds no labels"):
        run_to_end(gather_studies([tmp_path / "dicom"]))


def filled(loops: list[NDArray[np.float64]], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Even-odd over all loops: holes stay holes."""
    mask = np.zeros(shape, bool)
    for points in loops:
        mask ^= inside(points, shape)
    return mask


@pytest.mark.parametrize("seed", range(12))
def test_an_outline_gives_the_very_same_pixels_back(seed: int) -> None:
    random = np.random.default_rng(seed)
    mask = random.random((17, 13)) < random.uniform(0.05, 0.95)

    assert np.array_equal(filled(outline(mask), mask.shape), mask)


def test_the_largest_piece_is_outlined_first_and_nothing_has_no_outline() -> None:
    mask = np.zeros((20, 20), bool)
    mask[2:4, 2:4] = mask[8:16, 6:18] = True
    first, second = outline(mask)

    assert np.array_equal(filled([first], mask.shape)[8:16, 6:18], mask[8:16, 6:18])
    assert len(first) > len(second)
    assert outline(np.zeros((4, 4), bool)) == []


def test_outlines_at_the_edge_of_the_picture_are_closed() -> None:
    mask = np.ones((5, 6), bool)
    (points,) = outline(mask)

    assert points.min() == -0.5
    assert np.array_equal(inside(points, mask.shape), mask)


def save_heart(folder: Path, voxels: NDArray[np.uint8]) -> None:
    study = run_to_end(read_study(folder))
    labels = LabelMap(voxels, study.stacks[0].cine.geometry)
    run_to_end(save_labels(study, 0, labels, Provenance(Origin.CORRECTED)))


def test_sunnybrook_contours_of_a_dicom_study_are_read_back_as_the_same_labels(
    tmp_path: Path,
) -> None:
    """Text contours know no RV and only closed rings; instance numbers are those of the images."""
    write_cine(tmp_path / "study" / "dicom")
    study = run_to_end(read_study(tmp_path / "study"))
    shape = study.stacks[0].cine.shape
    voxels = np.zeros(shape, np.uint8)
    middle = shape[2] // 2, shape[3] // 2
    rows, columns = np.indices(shape[2:])
    for phase, z, radius in ((0, 0, 1.6), (shape[0] - 1, shape[1] - 1, 1.0)):
        apart = np.hypot(rows - middle[0], columns - middle[1])
        voxels[phase, z][apart < radius + 1] = Structure.MYOCARDIUM
        voxels[phase, z][apart < radius] = Structure.LV
    save_heart(tmp_path / "study", voxels)
    assert export(tmp_path / "study", tmp_path / "out", "sunnybrook") == 0

    write_cine(tmp_path / "again" / "dicom")
    (tmp_path / "out" / "study").rename(tmp_path / "again" / "contours")
    (stored,) = run_to_end(read_study(tmp_path / "again")).labels
    assert np.array_equal(stored.labels.voxels, voxels)
    assert stored.provenance.origin is Origin.REFERENCE


def test_images_without_numbers_are_counted_and_listed(patients: Path, tmp_path: Path) -> None:
    assert export(patients / "p0", tmp_path / "out", "sunnybrook") == 0
    listed = (tmp_path / "out" / "p0" / "images.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(StringIO(listed)))
    places = {int(row["image"]): (int(row["phase"]), int(row["slice"])) for row in rows}
    study = run_to_end(read_study(patients / "p0"))
    voxels = study.labels[0].labels.voxels

    assert sorted(places) == list(range(1, 7))
    for file in sorted((tmp_path / "out" / "p0" / "i-contours").iterdir()):
        plane = voxels[places[int(file.name.split("-")[2])]]
        mask = inside(read_points(file), plane.shape)
        assert np.array_equal(mask, plane == Structure.LV)
    assert len(list((tmp_path / "out" / "p0" / "o-contours").iterdir())) == 6


def test_a_table_of_outlines_has_the_rv_and_patient_coordinates() -> None:
    labels = HEART.labels([2])
    rows = list(csv.DictReader(StringIO(outlines_csv(labels))))

    assert tuple(rows[0]) == CSV_HEADINGS
    assert {row["contour"] for row in rows} == {"endo", "epi", "rv"}
    assert {(row["phase"], row["slice"]) for row in rows} == {("2", str(z)) for z in range(1, 5)}
    for row in rows[::50]:
        at = labels.geometry.position_mm(
            z=float(row["slice"]), y=float(row["y_pixel"]), x=float(row["x_pixel"])
        )
        found = [float(row[f"{name}_mm"]) for name in ("right", "anterior", "superior")]
        assert found == pytest.approx(at.tolist(), abs=1e-3)
    loops = [row for row in rows if (row["contour"], row["slice"]) == ("rv", "2")]
    points = np.array([[float(row["x_pixel"]), float(row["y_pixel"])] for row in loops])
    assert np.array_equal(inside(points, (64, 64)), labels.voxels[2, 2] == Structure.RV)


def test_tables_are_written_for_every_labelled_phase(patients: Path, tmp_path: Path) -> None:
    assert export(patients, tmp_path / "out", "csv") == 0

    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        f"p{number}.csv" for number in range(8)
    ]
