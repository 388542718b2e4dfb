"""Two readings of one study: per slice and structure, and where they differ."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.cli import main
from engine.clinical.reading_comparison import (
    Difference,
    compare_readings,
    difference_map,
    name_reading,
)
from engine.errors import GridMismatchError
from engine.io.label_store import save_labels
from engine.io.readings import reading_place
from engine.io.study_folder import read_study
from engine.labelmap import LabelMap
from engine.progress import run_to_end
from engine.review.states import Review
from engine.structures import HEART_STRUCTURES, Structure
from engine.study import Origin, Provenance, StoredLabels
from tests.discs import write_disc_patients
from tests.phantoms import CylinderHeart

HEART = CylinderHeart()
VOXEL_ML = 2 * 2 * 9 / 1000
AT = "2026-11-21T15:00:00+00:00"


def with_square(*, phase: int, z: int, size: int, structure: Structure = Structure.LV) -> LabelMap:
    voxels = np.zeros((4, 6, 64, 64), np.uint8)
    voxels[phase, z, 10 : 10 + size, 10:20] = structure
    return LabelMap(voxels, HEART.geometry)


def test_equal_readings_do_not_differ() -> None:
    found = compare_readings(HEART.labels(), HEART.labels())

    assert found.phases == (0, 1, 2, 3)
    assert len(found.slices) == 4 * 4 * 3
    assert {row.dice for row in (*found.slices, *found.totals)} == {1.0}
    assert {row.hausdorff_mm for row in (*found.slices, *found.totals)} == {0.0}
    assert {row.difference_ml for row in found.slices} == {0.0}


def test_a_row_more_is_told_in_dice_millimetres_and_millilitres() -> None:
    """100 against 120 pixels of 2 x 2 mm, slices 9 mm apart; the lower edge lies 4 mm lower."""
    first, second = with_square(phase=1, z=3, size=10), with_square(phase=1, z=3, size=12)
    found = compare_readings(first, second)
    (row,) = found.slices

    assert found.phases == (1,)
    assert (row.phase, row.slice_index, row.structure) == (1, 3, Structure.LV)
    assert row.dice == pytest.approx(2 * 100 / 220)
    assert row.hausdorff_mm == pytest.approx(4.0)
    assert row.first_ml == pytest.approx(100 * VOXEL_ML)
    assert row.difference_ml == pytest.approx(20 * VOXEL_ML)
    total = next(each for each in found.totals if each.structure is Structure.LV)
    assert (total.dice, total.hausdorff_mm) == (row.dice, row.hausdorff_mm)


def test_totals_are_the_sum_of_the_slices() -> None:
    other = CylinderHeart(
        lv_radii_mm=(24.0, 20.0, 16.0, 19.0), rv_radii_mm=(19.0, 19.0, 13.0, 15.0)
    )
    found = compare_readings(HEART.labels([0, 2]), other.labels([0, 2]))

    for total in found.totals:
        rows = [
            row
            for row in found.slices
            if (row.phase, row.structure) == (total.phase, total.structure)
        ]
        assert sum(row.difference_ml for row in rows) == pytest.approx(total.difference_ml)
        assert sum(row.first_ml for row in rows) == pytest.approx(total.first_ml)
    assert len(found.totals) == 2 * len(HEART_STRUCTURES)


def test_what_one_reading_has_alone_has_no_distance() -> None:
    found = compare_readings(with_square(phase=0, z=2, size=5), with_square(phase=0, z=3, size=5))

    assert [row.dice for row in found.slices] == [0.0, 0.0]
    assert [row.hausdorff_mm for row in found.slices] == [None, None]
    assert [row.difference_ml for row in found.slices] == pytest.approx(
        [-50 * VOXEL_ML, 50 * VOXEL_ML]
    )


def test_phases_that_both_label_are_compared_else_all() -> None:
    assert compare_readings(HEART.labels([0, 2]), HEART.labels([0, 3])).phases == (0,)
    assert compare_readings(HEART.labels([1]), HEART.labels([2])).phases == (1, 2)
    assert compare_readings(HEART.labels(), HEART.labels(), phases=[3]).phases == (3,)
    assert compare_readings(HEART.labels([]), HEART.labels([])).slices == ()


def test_the_worst_slices_come_first() -> None:
    other = HEART.labels().voxels.copy()
    other[0, 3][other[0, 3] == Structure.LV] = 0
    other[0, 2, 31, 38:42] = 0
    rows = compare_readings(HEART.labels(), LabelMap(other, HEART.geometry)).worst_first()

    assert [(row.phase, row.slice_index) for row in rows[:2]] == [(0, 3), (0, 2)]


def test_readings_of_two_images_are_refused() -> None:
    with pytest.raises(GridMismatchError):
        compare_readings(HEART.labels(), CylinderHeart(slice_mm=8.0).labels())


def test_a_difference_map_says_who_drew_what() -> None:
    first = np.array([[0, 1, 3], [2, 0, 2]], np.uint8)
    second = np.array([[0, 1, 0], [3, 1, 2]], np.uint8)

    assert difference_map(first, second).tolist() == [
        [Difference.SAME, Difference.SAME, Difference.ONLY_FIRST],
        [Difference.OTHER, Difference.ONLY_SECOND, Difference.SAME],
    ]


def test_the_map_of_the_exchanged_readings_is_exchanged() -> None:
    random = np.random.default_rng(5)
    first, second = random.integers(0, 4, (2, 6, 7, 8), dtype=np.uint8)
    there, back = difference_map(first, second), difference_map(second, first)
    exchanged: NDArray[np.uint8] = np.array([0, 2, 1, 3], np.uint8)

    assert np.array_equal(exchanged[there], back)
    assert np.array_equal(there > 0, first != second)


@pytest.mark.parametrize(
    ("made", "review", "name"),
    [
        (Provenance(Origin.REFERENCE), Review(), "Reference"),
        (Provenance(Origin.PREDICTED, "unet"), Review(), "Prediction (unet)"),
        (Provenance(Origin.CORRECTED, "unet", corrected_by="A. Reader"), Review(), "A. Reader"),
        (
            Provenance(Origin.CORRECTED, corrected_by="B"),
            Review().second_reading(reader="B", at=AT),
            "B, second reading",
        ),
        (Provenance(Origin.UNKNOWN), Review().approve(reader="C", at=AT), "C"),
        (Provenance(Origin.UNKNOWN), Review(), "labels.nii.gz"),
    ],
)
def test_readings_are_called_after_who_made_them(
    made: Provenance, review: Review, name: str
) -> None:
    stored = StoredLabels("labels.nii.gz", 0, HEART.labels(), made, review=review)

    assert name_reading(stored) == name


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A study with its reference, a reader's correction and a second reading."""
    place = write_disc_patients(tmp_path, 1) / "p0"
    study = run_to_end(read_study(place))
    reference = study.labels[0].labels
    voxels = reference.voxels.copy()
    voxels[0, 1][voxels[0, 1] == Structure.LV] = 0
    labels = LabelMap(voxels, reference.geometry)
    first = Provenance(Origin.CORRECTED, corrected_by="A. Reader")
    run_to_end(save_labels(study, 0, labels, first))
    second = Provenance(Origin.CORRECTED, corrected_by="B. Reader")
    review = Review().second_reading(reader="B. Reader", at=AT)
    path = reading_place(study, 0)
    run_to_end(save_labels(study, 0, reference, second, path=path, review=review))
    return place


def test_the_command_compares_any_two_readings(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", str(folder), "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert (content["first"], content["second"]) == ("A. Reader", "B. Reader, second reading")

    names = ["--first", "Reference", "--second", "labels.nii.gz"]
    assert main(["compare", str(folder), *names, "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert (content["first"], content["second"]) == ("Reference", "A. Reader")
    differing = [row for row in content["slices"] if row["difference_ml"]]
    assert [(row["phase"], row["slice"], row["structure"]) for row in differing] == [(0, 1, "lv")]
    assert differing[0]["dice"] == 0
    assert differing[0]["hausdorff_mm"] is None

    assert main(["compare", str(folder), *names, "--worst", "1"]) == 0
    out = capsys.readouterr().out
    assert "A. Reader against Reference" in out
    assert "[ml]" in out
    assert "17 more rows" in out


@pytest.mark.parametrize("names", [["--first", "C. Reader"], ["--second", "C. Reader"]])
def test_a_reading_that_is_not_there_is_told_with_those_that_are(
    folder: Path, names: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", str(folder), *names]) == 2
    err = capsys.readouterr().err
    assert "no reading C. Reader" in err
    assert '"A. Reader" (labels.nii.gz)' in err


def test_one_reading_cannot_be_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = write_disc_patients(tmp_path, 1) / "p0"

    assert main(["compare", str(place)]) == 2
    assert "has no two readings" in capsys.readouterr().err
