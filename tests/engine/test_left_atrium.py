"""The left atrium from files to scores: never taken for a right ventricle, nor for nothing."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine.cine import Cine
from engine.cli import main
from engine.clinical.export import report_csv, report_facts
from engine.clinical.phases import PhaseRule
from engine.clinical.report import Report, make_report
from engine.clinical.result_rows import atrium_rows
from engine.clinical.training_export import as_patient, gather_studies, write_as_patients
from engine.correction.between import fill_gaps
from engine.correction.contour import Boundary, contours_of, redraw
from engine.correction.prompting import Prompt, resegment
from engine.correction.propagation import carry
from engine.datasets.catalogue import read_labelled
from engine.errors import UnmeasurableError
from engine.geometry import Geometry
from engine.io.label_store import load_labels, save_labels
from engine.io.label_values import meaning_of
from engine.io.nifti import write_labels
from engine.io.outlines import outlines_of
from engine.io.study_folder import read_study
from engine.labelmap import LabelMap, keep_others, structures_in
from engine.learning.checkpoint import Model
from engine.learning.inference import predict
from engine.learning.input_check import warn_of_other_view
from engine.learning.models import ModelEntry
from engine.progress import run_to_end
from engine.recipe import Recipe, change_recipe
from engine.scoring.evaluation import compare_labels
from engine.structures import (
    ALL_STRUCTURES,
    HEART_STRUCTURES,
    SHORT_AXIS_CLASSES,
    Structure,
    classes_of,
    classes_up_to,
)
from engine.study import Origin, Provenance, Study
from engine.tasks import TASKS
from tests.atria import EllipsoidAtrium, write_decathlon, write_pair, write_volume

ATRIUM = Structure.LEFT_ATRIUM
ONE = EllipsoidAtrium()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder whose names, and those of the folders above it, say nothing."""
    folder = tmp_path / "a" / "b" / "c" / "d"
    folder.mkdir(parents=True)
    return folder


def read(folder: Path) -> Study:
    return run_to_end(read_study(folder))


def told(study: Study) -> str:
    return " ".join(problem.what for problem in study.problems)


def held(study: Study) -> list[tuple[Structure, ...]]:
    return [structures_in(stored.labels.voxels) for stored in study.labels]


# What numbers mean


@pytest.mark.parametrize(
    ("image", "label"),
    [
        ("left_atrium/x/y/image.nii.gz", "left_atrium/x/y/label.nii.gz"),
        ("LASC2018/p1/image.nii.gz", "LASC2018/p1/label.nii.gz"),
        ("p1/image.nii.gz", "p1/label.nii.gz"),
        ("p1/lgemri.nii.gz", "p1/laendo.nii.gz"),
        ("Task02_Heart/p1.nii.gz", "Task02_Heart/p1_seg.nii.gz"),
        ("p1/la_003.nii", "p1/la_003_gt.nii"),
        ("p1/heart.nii.gz", "p1/heart_atrium_mask.nii.gz"),
    ],
)
@pytest.mark.parametrize("value", [1, 255])
def test_masks_of_an_atrial_data_set_are_the_left_atrium(
    place: Path, image: str, label: str, value: int
) -> None:
    if "atrium_mask" in label:  # such a name belongs to an image called alike
        image = label.replace("_mask", "")
    write_pair(place / image, place / label, value=value)
    study = read((place / label).parent)

    assert held(study) == [(ATRIUM,)]
    assert "read as the left atrium" in told(study)
    assert not any(problem.blocking for problem in study.problems)


@pytest.mark.parametrize("reverse", [False, True])
def test_names_in_a_dataset_json_need_no_guess(place: Path, reverse: bool) -> None:
    folder = write_decathlon(place / "set", reverse=reverse)
    study = read(folder / "imagesTr" / "case_003.nii.gz")

    assert held(study) == [(ATRIUM,)]
    assert study.problems == () or "left atrium" not in told(study)
    assert study.labels[0].provenance.origin is Origin.REFERENCE


def test_names_of_ventricles_are_taken_as_they_stand(place: Path) -> None:
    """Fact of the data sets: M&Ms counts the LV as 1."""
    folder = write_decathlon(place / "set")
    drawn = np.zeros(ONE.voxels().shape[1:], np.uint8)
    drawn[5, 3], drawn[5, 5], drawn[5, 7] = 1, 2, 3
    write_volume(folder / "labelsTr" / "case_003.nii.gz", drawn)
    names = {"background": 0, "LV": 1, "MYO": 2, "RV": 3}
    (folder / "dataset.json").write_text(json.dumps({"labels": names}))
    voxels = read(folder / "imagesTr" / "case_003.nii.gz").labels[0].labels.voxels

    assert (voxels[0, 5, 3] == Structure.LV).all()
    assert (voxels[0, 5, 7] == Structure.RV).all()


def test_a_number_without_a_name_is_refused(place: Path) -> None:
    folder = write_decathlon(place / "set")
    drawn = ONE.mask()[0].astype(np.uint8)
    drawn[0, 0, 0] = 7
    write_volume(folder / "labelsTr" / "case_003.nii.gz", drawn)
    study = read(folder / "imagesTr" / "case_003.nii.gz")

    assert study.labels == ()
    assert "does not name: 7" in told(study)


@pytest.mark.parametrize("name", ["rv_mask.nii.gz", "lv_seg.nii.gz", "wall_label.nii.gz"])
def test_a_mask_named_after_something_else_is_no_atrium(place: Path, name: str) -> None:
    image = place / "left_atrium" / name.replace("_mask", "").replace("_seg", "")
    write_pair(Path(str(image).replace("_label", "")), place / "left_atrium" / name)
    study = read(place / "left_atrium")

    assert held(study) == [(Structure.RV,)]
    assert "shown as structure 1" in told(study)


def test_a_nameless_mask_stays_what_it_was(place: Path) -> None:
    write_pair(place / "heart.nii.gz", place / "heart_gt.nii.gz")

    assert held(read(place)) == [(Structure.RV,)]


@pytest.mark.parametrize("numbers", [(1, 2, 4), (1, 2, 3, 4), (3, 4)])
def test_a_four_of_others_is_refused_beside_other_numbers(
    place: Path, numbers: tuple[int, ...]
) -> None:
    """The UK Biobank code counts the RV as 4, other sets a scar."""
    write_pair(place / "heart.nii.gz", place / "heart_gt.nii.gz")
    drawn = np.zeros(ONE.voxels().shape[1:], np.uint8)
    for row, number in enumerate(numbers):
        drawn[4, 2 * row] = number
    write_volume(place / "heart_gt.nii.gz", drawn)

    assert read(place).labels == ()


def test_numbers_that_are_none_of_a_byte_mean_nothing(place: Path) -> None:
    path = write_volume(place / "x.nii.gz", ONE.mask()[0].astype(np.uint8))
    for values in ([0.0, 0.5], [0.0, np.nan], [-1.0, 1.0], [0, 300]):
        found = meaning_of(path, np.array(values), where="x")
        assert any(problem.blocking for problem in found.problems)


@given(st.sets(st.sampled_from(list(Structure))))
def test_classes_follow_from_what_is_drawn(drawn: set[Structure]) -> None:
    classes = classes_of(drawn)

    assert classes[0] is Structure.BACKGROUND
    assert {*drawn} - {Structure.BACKGROUND} <= {*classes}
    assert (ATRIUM in classes) is (ATRIUM in drawn)
    if ATRIUM not in drawn:
        assert classes == SHORT_AXIS_CLASSES
    assert classes_up_to(max(drawn, default=0)) in (SHORT_AXIS_CLASSES, tuple(Structure))


def test_every_class_of_the_hearts_tasks_is_a_structure() -> None:
    for task in TASKS.values():
        names = [structure.name.lower() for structure in task.structures]
        assert names in ([], list(task.classes))
    assert {each for task in TASKS.values() for each in task.structures} == set(Structure)
    assert set(HEART_STRUCTURES) < set(ALL_STRUCTURES)


# Saving


@pytest.mark.parametrize("beside", [(), (Structure.LV, Structure.RV)])
def test_saved_atria_come_back(place: Path, beside: tuple[Structure, ...]) -> None:
    write_pair(place / "left_atrium" / "image.nii.gz", place / "left_atrium" / "label.nii.gz")
    study = read(place / "left_atrium")
    wanted = study.labels[0].labels.voxels.copy()
    for number, structure in enumerate(beside):
        wanted[0, 3, number] = structure
    labels = LabelMap(wanted, study.stacks[0].cine.geometry)
    run_to_end(save_labels(study, 0, labels, Provenance(Origin.CORRECTED)))
    again = read(place / "left_atrium")

    np.testing.assert_array_equal(again.labels[0].labels.voxels, wanted)
    assert again.labels[0].provenance.origin is Origin.CORRECTED


def test_our_own_right_ventricle_is_none_though_it_is_alone(place: Path) -> None:
    write_pair(place / "left_atrium" / "image.nii.gz", place / "left_atrium" / "label.nii.gz")
    stack = read(place / "left_atrium").stacks[0]
    only_rv = LabelMap((ONE.mask() * Structure.RV).astype(np.uint8), stack.cine.geometry)
    write_labels(place / "left_atrium" / "label_of_ours.nii.gz", only_rv)
    found = run_to_end(load_labels(place / "left_atrium" / "label_of_ours.nii.gz", stack))

    assert structures_in(found.labels.voxels) == (Structure.RV,)


# Data sets


@pytest.mark.parametrize("layout", ["decathlon", "folders", "saved"])
def test_training_reads_atria_as_the_task_has_them(place: Path, layout: str) -> None:
    if layout == "decathlon":
        write_decathlon(place, 2)
    else:
        for name in ("p1", "p2"):
            write_pair(place / name / "image.nii.gz", place / name / "label.nii.gz")
            if layout == "saved":  # more than one image and one label: read as a study
                (place / name / "heartseg").mkdir()
                write_volume(place / name / "other.nii.gz", ONE.cine().voxels[0])
    patients = run_to_end(read_labelled(place))

    assert [patient.task for patient in patients] == ["left_atrium"] * 2
    volume = patients[0].volumes[0]
    np.testing.assert_array_equal(volume.labels() == 1, ONE.mask()[0])


def test_corrected_atria_become_a_data_set_and_patients(place: Path) -> None:
    source = place / "p1"
    write_pair(source / "image.nii.gz", source / "label.nii.gz")
    study = read(source)
    made = Provenance(Origin.CORRECTED, corrected_by="R", corrected_slices=((0, 8),))
    run_to_end(save_labels(study, 0, study.labels[0].labels, made))
    found = run_to_end(gather_studies([source])).studies
    patient = as_patient(found[0])
    run_to_end(write_as_patients(found, place / "out"))

    assert patient.task == "left_atrium"
    np.testing.assert_array_equal(patient.volumes[0].labels() == 1, ONE.mask()[0])
    assert held(read(place / "out" / "p1")) == [(ATRIUM,)]
    assert {each.contour for each in outlines_of(study.labels[0].labels)} == {"atrium"}


# Prediction


class Bright(torch.nn.Module):
    """Calls everything above half the scaled range the last class."""

    stride = 4

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.classes = classes

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        logits = torch.zeros(image.shape[0], self.classes, *image.shape[2:])
        logits[:, -1] = 20 * (image[:, 0] - 0.5)
        return logits


def atrial_model(classes: int = 2) -> Model:
    made = change_recipe(
        Recipe(title="bright"),
        {"data.task": "left_atrium", "network.classes": classes, "scoring.clean_up": "largest"},
    )
    return Model(ModelEntry("bright", Path(), made), Bright(classes), "0" * 64)


@pytest.mark.parametrize("classes", [1, 2])
def test_class_one_of_an_atrial_model_is_the_left_atrium(classes: int) -> None:
    found = run_to_end(predict(atrial_model(classes), ONE.cine(), device="cpu"))

    assert found.phases == (0,)
    assert structures_in(found.voxels) == (ATRIUM,)
    overlap = np.count_nonzero((found.voxels == ATRIUM) & ONE.mask())
    assert 2 * overlap / (np.count_nonzero(found.voxels) + ONE.mask().sum()) > 0.9


def test_the_atrium_is_smallest_at_end_diastole_and_largest_at_end_systole() -> None:
    """Physiology: it fills while the ventricles eject."""
    beating = EllipsoidAtrium(sizes=(0.7, 0.8, 1.0, 0.9, 0.75))
    model, cine = atrial_model(), beating.cine()
    found = run_to_end(predict(model, cine, device="cpu"))
    given_ed = run_to_end(predict(model, cine, key_phases=(3, None), device="cpu"))

    assert found.phases == (0, 2)
    assert given_ed.phases == (2, 3)


@given(
    arrays(np.uint8, 30, elements=st.integers(0, 4)),
    arrays(np.uint8, 30, elements=st.integers(0, 4)),
)
def test_a_prediction_takes_only_what_it_knows(before: np.ndarray, predicted: np.ndarray) -> None:
    after = keep_others(before, predicted)
    known = {*classes_of(structures_in(predicted))}
    left = ~np.isin(before, list(known)) & (predicted == 0)

    np.testing.assert_array_equal(after[left], before[left])
    np.testing.assert_array_equal(after[~left], predicted[~left])


# Scores


def test_one_structure_alone_is_compared_alone() -> None:
    worse = EllipsoidAtrium(sizes=(0.9,)).labels()
    found = compare_labels(worse, ONE.labels())

    assert list(found["phases"]["0"]) == ["left_atrium"]
    assert found["mean_dice"] == pytest.approx(2 * 0.9**3 / (1 + 0.9**3), abs=0.02)
    both = ONE.voxels()
    both[0, 3, :2] = Structure.LV
    mixed = LabelMap(both, ONE.geometry)
    assert set(compare_labels(mixed, mixed)["phases"]["0"]) == {
        *("rv", "myocardium", "lv", "left_atrium")
    }


def test_evaluate_holds_a_plain_mask_against_an_atrium(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = write_volume(place / "atrium" / "p1.nii.gz", ONE.mask()[0].astype(np.uint8))
    ours = write_volume(place / "x" / "y" / "z" / "p1.nii.gz", ONE.mask()[0].astype(np.uint8))
    code = main(["evaluate", str(ours), str(truth), "--out", str(place / "s.json")])
    found = json.loads((place / "s.json").read_text())

    assert code == 0, capsys.readouterr().err
    assert found["mean_dice"] == 1.0
    assert found["pooled"]["classes"] == ["background", "left_atrium"]


# Correcting


def test_contours_prompts_and_neighbours_know_the_atrium() -> None:
    image, plane = ONE.cine().voxels[0, 8], ONE.voxels()[0, 8]
    contour = contours_of(plane)[Boundary.ATRIUM]
    moved = redraw(plane, Boundary.ATRIUM, contour.shifted((0.0, 2.0)), before=contour)
    asked = resegment(image, plane, [Prompt(1, 1, ATRIUM)], pixel_mm=1.25)
    chances = np.stack([plane == 0, *[plane < 0] * 3]).astype(float)  # of a short-axis network
    by_network = resegment(image, plane, [Prompt(1, 1, ATRIUM)], probabilities=chances)
    carried = carry(image, ONE.cine().voxels[0, 9], plane)

    assert (moved != plane).any()
    assert set(np.unique(moved)) <= {0, ATRIUM}
    assert asked[1, 1] == by_network[1, 1] == ATRIUM
    assert np.count_nonzero(carried.plane == ATRIUM) == pytest.approx(
        np.count_nonzero(plane), rel=0.15
    )


def test_a_slice_between_two_of_the_atrium_is_drawn() -> None:
    volume = ONE.voxels()[0]
    gap = volume.copy()
    gap[8] = 0
    filled = fill_gaps(gap)

    assert set(np.unique(filled[8])) == {0, ATRIUM}
    assert np.count_nonzero(filled[8] != volume[8]) < 0.1 * np.count_nonzero(volume[8])


# Measuring


def report_of(atrium: EllipsoidAtrium, voxels: np.ndarray | None = None) -> Report:
    study = atrium.study(Path("atrium"))
    labels = atrium.labels() if voxels is None else LabelMap(voxels, atrium.geometry)
    made = Provenance(Origin.CORRECTED)
    return make_report(study, 0, labels, made, program_version="0")


def test_an_atrium_in_one_phase_has_one_volume_and_no_fractions() -> None:
    report = report_of(ONE)
    assert report.quantities is not None
    found = report.quantities.left_atrium

    assert found is not None
    assert found.largest_ml == pytest.approx(ONE.volume_ml(), rel=0.02)
    assert (found.smallest_ml, found.emptying_fraction) == (None, None)
    assert report.atrium_alone
    assert report.lv.ejection_fraction is None
    assert not any("LV" in said or "RV" in said for said in report.warnings)
    assert [curve.structure for curve in report.curves] == [ATRIUM]
    assert len(report.images) == 3
    assert report.unapproved == tuple((0, z) for z in np.flatnonzero(ONE.mask()[0].any((1, 2))))


def test_a_beating_atrium_is_measured_where_it_is_smallest_and_largest() -> None:
    beating = EllipsoidAtrium(sizes=(0.7, 1.0, 0.85))
    report = report_of(beating)
    facts = report_facts(report)

    assert (report.choice.ed, report.choice.es, report.choice.rule) == (0, 1, PhaseRule.ATRIUM)
    assert facts["la"]["max_ml"] == pytest.approx(beating.volume_ml(1), rel=0.02)
    assert facts["la"]["min_ml"] == pytest.approx(beating.volume_ml(0), rel=0.03)
    assert facts["la"]["ef_percent"] == pytest.approx(100 * (1 - 0.7**3), abs=2)
    assert facts["lv"]["ef_percent"] is None
    assert {"left_atrium_mm2"} < set(facts["slices"][0])
    assert "lv_mm2" not in facts["slices"][0]


def test_a_table_of_an_atrium_has_no_lines_of_ventricles() -> None:
    lines = report_csv(report_of(ONE)).splitlines()
    sections = {line.split(",")[0] for line in lines}

    assert "la" in sections
    assert not sections & {"lv", "rv", "wall", "basal", "normal_ranges"}
    assert not [line for line in lines if "papillary_muscles" in line or "mass" in line]


def test_an_atrium_beside_ventricles_is_added_to_their_numbers() -> None:
    voxels = ONE.voxels()
    voxels[0, 2:9, 2:6, 2:6] = Structure.LV
    report = report_of(ONE, voxels)

    assert not report.atrium_alone
    assert report.lv.end_diastolic_ml == pytest.approx(7 * 16 * 1.25**3 / 1000)
    assert report_facts(report)["la"]["max_ml"] == pytest.approx(ONE.volume_ml(), rel=0.02)
    assert [name for name, *_ in atrium_rows(report)] == ["Left atrial volume"]
    assert "lv_mm2" in report_facts(report)["slices"][0]


def test_a_chosen_phase_without_an_atrium_is_refused_by_name() -> None:
    study = EllipsoidAtrium(sizes=(0.7, 1.0)).study(Path("atrium"))
    voxels = EllipsoidAtrium(sizes=(0.7, 1.0)).voxels()
    voxels[0] = 0
    labels = LabelMap(voxels, ONE.geometry)
    with pytest.raises(UnmeasurableError, match="no left atrium is drawn"):
        make_report(study, 0, labels, Provenance(), ed_phase=0, program_version="0")


def test_the_command_reports_an_atrium(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_pair(place / "p1" / "image.nii.gz", place / "p1" / "label.nii.gz")
    code = main(["report", str(place / "p1"), "--out", str(place / "out")])
    said = capsys.readouterr().out

    assert code == 0
    assert "Left atrium: 10.0 ml" in said
    assert "EF" not in said
    assert (place / "out" / "report.pdf").read_bytes().startswith(b"%PDF")


# Real data


@pytest.mark.real_data
def test_the_challenges_atria_are_read_as_such(
    real_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = real_data / "left_atrium" / "06SR5RBREL16DQ6M8LWS"
    assert main(["info", str(folder), "--json"]) == 0
    (stored,) = json.loads(capsys.readouterr().out)["labels"]

    assert stored["structures"] == ["LEFT_ATRIUM"]


@pytest.mark.real_data
def test_an_atrium_of_the_challenge_is_measured(
    real_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Fact of the data: 154296 voxels of 0.625 mm, nominal."""
    folder = real_data / "left_atrium" / "06SR5RBREL16DQ6M8LWS"
    assert main(["report", str(folder), "--out", str(tmp_path / "out")]) == 0
    facts = json.loads((tmp_path / "out" / "report.json").read_text())

    assert facts["la"]["max_ml"] == pytest.approx(154296 * 0.625**3 / 1000)
    assert "Left atrium: 37.7 ml" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("task", "slice_mm", "count", "told"),
    [
        ("short_axis", 0.625, 88, "as volumes of the atria"),
        ("short_axis", 8.0, 12, ""),
        ("short_axis", 2.5, 12, ""),  # a short axis cut finely
        ("left_atrium", 10.0, 10, "as those of a short axis"),
        ("left_atrium", 1.25, 60, ""),
    ],
)
def test_a_model_is_told_of_stacks_cut_unlike_its_own(
    task: str, slice_mm: float, count: int, told: str
) -> None:
    geometry = Geometry.from_affine(np.diag([1.0, 1.0, slice_mm, 1.0]), (count, 4, 4))
    cine = Cine("image", np.zeros((1, count, 4, 4), np.int16), geometry)

    changes = {"data.task": task, "network.classes": len(TASKS[task].classes)}
    warned = warn_of_other_view(cine, change_recipe(Recipe(title="any"), changes))

    assert bool(warned) == bool(told)
    assert told in " ".join(warned)
