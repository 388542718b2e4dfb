"""What to review first: slices by expected error, studies of a folder, and the command."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from engine.cine import Cine
from engine.cli import main
from engine.clinical.lint import choice_of, lint
from engine.clinical.queue import (
    Basis,
    Errors,
    ReviewItem,
    StudyItem,
    paired,
    slice_queue,
    study_queue,
)
from engine.errors import UnreadableStudyError
from engine.io.label_store import save_labels
from engine.io.readings import reading_place
from engine.io.study_folder import read_study
from engine.labelmap import LabelMap
from engine.learning.flips import flip_errors_ml
from engine.learning.inference import Prediction
from engine.progress import Progress, Steps, run_to_end
from engine.review.states import Review
from engine.structures import Structure
from engine.study import Origin, Provenance, Stack, Study
from tests.engine.test_trust import ERRORS_ML, doubt
from tests.phantoms import CylinderHeart

HEART = CylinderHeart()
LABELS = HEART.labels([0, 2])
PREDICTED = Provenance(Origin.PREDICTED, "m", doubt={0: doubt(), 2: doubt()})
AT = "2026-11-21T15:00:00+00:00"


def places(items: Sequence[object]) -> list[tuple[int, int]]:
    return [(item.phase, item.slice_index) for item in items]  # type: ignore[attr-defined]


def test_slices_with_the_largest_expected_error_come_first() -> None:
    """Errors of slices 0 to 5 are 0, 3, 1, 0.5, 0.5, 0 ml; slices 0 and 5 are empty and sure."""
    items = slice_queue(LABELS, PREDICTED, Review())

    assert places(items)[:4] == [(0, 1), (2, 1), (0, 2), (2, 2)]
    assert [item.expected_error_ml for item in items[:4]] == [3.0, 3.0, 1.0, 1.0]
    assert set(places(items)) == {(phase, z) for phase in (0, 2) for z in (1, 2, 3, 4)}
    assert items[0].why == "about 3.0 ml in doubt"


def test_the_phases_of_a_slice_can_follow_each_other() -> None:
    def item(phase: int, z: int, error_ml: float | None) -> ReviewItem:
        return ReviewItem(phase, z, error_ml, "")

    queue = [item(0, 1, 5.0), item(2, 2, 4.0), item(0, 2, 3.0), item(2, 1, 0.5), item(0, 3, None)]

    assert places(paired(queue)) == [(2, 2), (0, 2), (0, 1), (2, 1), (0, 3)]
    # ED of slice 2 was approved and left the queue: its ES is next all the same.
    left = [each for each in queue if (each.phase, each.slice_index) != (0, 2)]
    assert places(paired(left, {(0, 2)})) == [(2, 2), (0, 1), (2, 1), (0, 3)]
    # What was corrected in both phases waits for nobody.
    assert places(paired(left, {(0, 2), (2, 2)})) == [(0, 1), (2, 1), (2, 2), (0, 3)]
    assert places(paired([])) == []


def test_an_empty_slice_that_may_have_been_missed_is_queued() -> None:
    labels = LABELS.voxels.copy()
    labels[0, 1] = 0
    items = slice_queue(LabelMap(labels, HEART.geometry), PREDICTED, Review())

    assert (0, 1) in places(items)


def test_approved_slices_leave_and_corrected_ones_wait_at_the_end() -> None:
    made = Provenance(Origin.CORRECTED, "m", "", "A", ((0, 1),), doubt=PREDICTED.doubt)
    items = slice_queue(LABELS, made, Review().approve_slices([(2, 1)]))

    assert (2, 1) not in places(items)
    assert places(items)[-1] == (0, 1)
    assert items[-1].expected_error_ml == 0
    assert items[-1].why == "corrected, not approved"


def test_without_a_doubt_faults_come_first_then_the_slices_as_they_lie() -> None:
    voxels = LABELS.voxels.copy()
    voxels[2, 3, 31, 40] = 0  # a hole
    labels = LabelMap(voxels, HEART.geometry)
    findings = lint(labels, choice_of(labels))
    items = slice_queue(labels, Provenance(), Review(), findings=findings)

    assert places(items)[:3] == [(2, 3), (0, 1), (0, 2)]
    assert "There is a hole" in items[0].why
    assert {item.expected_error_ml for item in items} == {None}
    hole = next(each for each in findings if each.slice_index == 3)
    aside = Review().ignore(hole.key, "Papillary muscle.", "A")
    assert places(slice_queue(labels, Provenance(), aside, findings=findings))[0] == (0, 1)


def test_estimated_errors_stand_in_where_there_is_no_doubt() -> None:
    errors = {0: np.array([0.0, 1, 4, 2, 3, 0]), 2: np.zeros(6)}
    made = Provenance(Origin.PREDICTED, "m", corrected_slices=((0, 4),))
    items = slice_queue(LABELS, made, Review(), errors_ml=errors)

    assert places(items)[:3] == [(0, 2), (0, 3), (0, 1)]
    assert items[0].expected_error_ml == 4
    assert (0, 4) in places(items)


def write_study(folder: Path) -> Study:
    from engine.io.nifti_image import write_image

    folder.mkdir(parents=True)
    cine = HEART.cine()
    write_image(folder / "heart.nii.gz", cine.voxels, cine.geometry, phase_ms=40)
    return run_to_end(read_study(folder))


def save(folder: Path, made: Provenance, review: Review | None = None, *, number: int = 1) -> None:
    study = run_to_end(read_study(folder)) if folder.exists() else write_study(folder)
    labels = LabelMap(LABELS.voxels, study.stacks[0].cine.geometry)
    path = None if number == 1 else reading_place(study, 0, number)
    run_to_end(save_labels(study, 0, labels, made, path=path, review=review))


@pytest.fixture
def patients(tmp_path: Path) -> Path:
    """Five studies: little doubt, much doubt, approved, no doubt, no labels."""
    much = {t: doubt() for t in (0, 2)}
    whole = frozenset((t, z) for t in (0, 2) for z in range(6))
    save(tmp_path / "p1", Provenance(Origin.CORRECTED, "m", "", "A", ((0, 1), (2, 1)), doubt=much))
    save(tmp_path / "p2", Provenance(Origin.PREDICTED, "m", doubt=much))
    approved = Review().approve(whole, reader="A", at=AT)
    save(tmp_path / "p3", Provenance(Origin.PREDICTED, "m", doubt=much), approved)
    save(tmp_path / "p4", Provenance(Origin.PREDICTED, "other"))
    write_study(tmp_path / "p5")
    return tmp_path


def names(items: Sequence[StudyItem]) -> list[str]:
    return [item.folder.name for item in items]


def test_studies_come_by_expected_error_then_unknown_then_approved(patients: Path) -> None:
    items = run_to_end(study_queue(patients))

    assert names(items) == ["p2", "p1", "p4", "p5", "p3"]
    assert items[0].expected_error_ml == pytest.approx(2 * ERRORS_ML.sum())
    assert items[1].expected_error_ml == pytest.approx(2 * (ERRORS_ML.sum() - 3))
    assert [item.basis for item in items[:3]] == [Basis.DOUBT, Basis.DOUBT, Basis.UNKNOWN]
    assert items[3].problem == "It holds no labels yet."
    assert items[4].approved
    assert items[4].left == 0
    assert places(items[0].worst)[:2] == [(0, 1), (2, 1)]


def test_flips_are_asked_only_where_no_doubt_is_stored(patients: Path) -> None:
    asked: list[str] = []

    def estimate(stack: Stack, labels: LabelMap, phases: Sequence[int]) -> Steps[Errors]:
        asked.append(stack.files[0].parent.name)
        yield Progress(0, 1, "Looking")
        return {phase: np.full(labels.shape[1], 50.0) for phase in phases}

    items = run_to_end(study_queue(patients, estimate=estimate))

    assert asked == ["p4"]
    assert names(items)[0] == "p4"
    assert items[0].basis is Basis.FLIPS
    assert items[0].expected_error_ml == pytest.approx(50 * 12)


def test_one_study_is_a_queue_of_one(patients: Path) -> None:
    assert names(run_to_end(study_queue(patients / "p2"))) == ["p2"]
    assert names(run_to_end(study_queue(patients / "p5"))) == ["p5"]


def test_the_first_reading_is_queued_not_the_second(patients: Path) -> None:
    second = Review().second_reading(reader="B", at=AT)
    save(patients / "p2", Provenance(Origin.CORRECTED, corrected_by="B"), second, number=2)
    study = run_to_end(read_study(patients / "p2"))

    assert [stored.review.is_second_reading for stored in study.labels] == [False, True]
    assert run_to_end(study_queue(patients / "p2"))[0].basis is Basis.DOUBT


def test_a_damaged_study_is_listed_with_its_problem(patients: Path) -> None:
    path = patients / "p2" / "heartseg" / "labels.nii.gz"
    path.write_bytes(path.read_bytes()[:-40])
    items = {item.folder.name: item for item in run_to_end(study_queue(patients))}

    assert "changed or damaged" in items["p2"].problem
    assert items["p2"].expected_error_ml is None


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnreadableStudyError, match="does not exist"):
        run_to_end(study_queue(tmp_path / "nothing"))


def test_the_command_lists_the_queue(patients: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["queue", str(patients), "--json"]) == 0
    content = json.loads(capsys.readouterr().out)

    assert [Path(item["folder"]).name for item in content] == ["p2", "p1", "p4", "p5", "p3"]
    assert content[0]["worst"][0] == {
        "phase": 0,
        "slice": 1,
        "expected_error_ml": 3.0,
        "why": "about 3.0 ml in doubt",
    }
    assert content[2]["expected_error_ml"] is None

    assert main(["queue", str(patients)]) == 0
    out = capsys.readouterr().out
    assert "4 of 5 studies wait for approval." in out
    assert "nan" not in out.lower()


def test_mirrored_images_that_are_labelled_otherwise_are_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A model that sees one voxel too many whenever the left side is bright."""

    def predict(
        _model: object, cine: Cine, *, phases: list[int], **_rest: object
    ) -> Steps[Prediction]:
        yield Progress(0, 1, "Looking")
        voxels = np.zeros(cine.shape, np.uint8)
        voxels[:, 1, 4:8, 4:8] = Structure.LV
        if cine.voxels[0, 0, 0, 0] > 0:
            voxels[:, 1, 0, 0] = Structure.RV
        return Prediction(voxels, tuple(phases), Provenance())

    monkeypatch.setattr("engine.learning.flips.predict", predict)
    heart = CylinderHeart(slice_count=3, first=1, last=1, size=12, pixel_mm=10.0)
    voxels = np.zeros((4, 3, 12, 12), np.int16)
    voxels[..., :6] = 9
    labels = np.zeros((4, 3, 12, 12), np.uint8)
    labels[:, 1, 4:8, 4:8] = Structure.LV
    cine = Cine("half", voxels, heart.geometry)
    steps = flip_errors_ml(None, cine, LabelMap(labels, heart.geometry), [2])  # type: ignore[arg-type]
    errors = run_to_end(steps)

    assert list(errors) == [2]
    # A voxel is 0.9 ml. Mirrored along y the stray one lies elsewhere, two voxels in dispute; along
    # x and along both there is none, one voxel in dispute.
    assert errors[2] == pytest.approx([0, 0.9 * 2.5 * (1 + 2 + 1) / 3, 0])


def test_labels_that_are_not_the_models_own_count_by_how_far_they_are_from_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def find_nothing(
        _model: object, cine: Cine, *, phases: list[int], **_rest: object
    ) -> Steps[Prediction]:
        yield Progress(0, 1, "Looking")
        return Prediction(np.zeros(cine.shape, np.uint8), tuple(phases), Provenance())

    monkeypatch.setattr("engine.learning.flips.predict", find_nothing)
    errors = run_to_end(flip_errors_ml(None, HEART.cine(), HEART.labels(), [0]))  # type: ignore[arg-type]
    heart_ml = np.count_nonzero(HEART.labels().voxels[0], axis=(1, 2)) * HEART.geometry.voxel_ml

    assert errors[0] == pytest.approx(heart_ml)
