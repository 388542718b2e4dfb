"""All scores of a test set at once."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import f1_score

from engine.errors import GridMismatchError, UnmeasurableError, UnusableLabelsError
from engine.progress import Progress, run_to_end
from engine.scoring.cohort import Case, score_cohort
from engine.scoring.evaluation import HEART_CLASSES, ejection_fraction
from engine.structures import Structure
from tests.phantoms import CylinderHeart

ATRIUM = ("background", "left_atrium")


def pair(number: int, *, speckle: bool = False) -> Iterator[Case]:
    """ED and ES of one patient; the prediction's LV is smaller by a pixel in radius."""
    radii = (25.0 - number, 22.0, 17.0 - 0.5 * number, 21.0)
    heart = CylinderHeart(lv_radii_mm=radii)
    small = CylinderHeart(lv_radii_mm=tuple(radius - 2 for radius in radii))
    for phase, index in (("ED", 0), ("ES", 2)):
        predicted = small.labels().voxels[index].copy()
        if speckle:
            predicted[5, 60:63, 60:63] = Structure.LV
        yield Case(
            f"patient{number}",
            "NOR",
            phase,
            predicted,
            heart.labels().voxels[index],
            heart.geometry.spacing_mm,
        )


def cohort(**options: Any) -> list[Case]:
    return [case for number in range(4) for case in pair(number, **options)]


@pytest.fixture(scope="module")
def scores() -> dict[str, Any]:
    return run_to_end(score_cohort(cohort(speckle=True), classes=HEART_CLASSES))


def test_a_cohort_is_scored_by_class_phase_and_patient(scores: dict[str, Any]) -> None:
    block = scores["as_predicted"]
    cases = cohort(speckle=True)
    every_pixel = [
        np.concatenate([getattr(case, side).reshape(-1) for case in cases])
        for side in ("reference", "predicted")
    ]

    assert scores["volumes"] == len(block["volumes"]) == 8
    assert [row["patient"] for row in block["patients"]] == [f"patient{n}" for n in range(4)]
    assert set(block["by_phase"]) == {"all", "ED", "ES"}
    pooled = [block["pooled"]["per_class"][name]["dice"] for name in HEART_CLASSES]
    assert pooled == pytest.approx(f1_score(*every_pixel, average=None))
    single = [row["scores"]["lv"]["dice"] for row in block["volumes"] if row["phase"] == "ES"]
    assert block["by_phase"]["ES"]["lv"]["dice"]["mean"] == pytest.approx(np.mean(single))
    assert block["by_phase"]["all"]["lv"]["dice"]["count"] == 8
    parts = [block["pooled_by_phase"][phase]["counts"] for phase in ("ED", "ES")]
    assert np.array_equal(np.sum(parts, axis=0), block["pooled"]["counts"])


def test_the_file_holds_no_nan_and_survives_json(scores: dict[str, Any]) -> None:
    assert json.loads(json.dumps(scores, allow_nan=False)) == scores


def test_r1_16_the_clean_up_is_reported_beside(scores: dict[str, Any]) -> None:
    plain, clean = (
        scores[name]["by_phase"]["all"]["lv"] for name in ("as_predicted", "largest_component")
    )
    without = run_to_end(score_cohort(cohort(), classes=HEART_CLASSES))

    assert clean["hausdorff_mm"]["mean"] < plain["hausdorff_mm"]["mean"] - 20
    assert clean["dice"]["mean"] > plain["dice"]["mean"]
    assert scores["largest_component"] == without["as_predicted"] == without["largest_component"]


def test_r1_13_quantities_agree_with_those_of_the_labels(scores: dict[str, Any]) -> None:
    block = scores["largest_component"]
    cases = cohort()
    fractions = []
    for ed, es in zip(cases[::2], cases[1::2], strict=True):
        ours, theirs = (
            ejection_fraction(getattr(ed, side), getattr(es, side), Structure.LV)
            for side in ("predicted", "reference")
        )
        assert ours is not None
        assert theirs is not None
        fractions.append(100 * (ours - theirs))

    assert set(block["agreement"]) == {
        *(f"{side}_{what}" for side in ("lv", "rv") for what in ("edv_ml", "esv_ml", "ef_percent")),
        "mass_ed_g",
        "mass_es_g",
    }
    assert block["agreement"]["lv_ef_percent"]["bias"] == pytest.approx(np.mean(fractions))
    assert block["agreement"]["lv_ef_percent"]["bias"] > 0  # a smaller cavity empties further
    assert block["agreement"]["lv_edv_ml"]["bias"] < 0
    assert block["agreement"]["mass_ed_g"]["bias"] > 0
    assert block["agreement"]["rv_edv_ml"]["pearson_r"] is None  # one volume for all
    for found in block["agreement"].values():
        assert found["bias"] == pytest.approx((found["lower_limit"] + found["upper_limit"]) / 2)


def test_the_factor_of_the_limits_can_be_two() -> None:
    wide = run_to_end(score_cohort(cohort(), classes=HEART_CLASSES, limits_factor=2.0))
    found = wide["as_predicted"]["agreement"]["lv_esv_ml"]

    assert found["upper_limit"] - found["bias"] == pytest.approx(2 * found["sd"])


def open_base(case: Case) -> Case:
    """The same with the wall of the first slice drawn on a third of the border only."""
    reference = case.reference.copy()
    plane = reference[1]
    plane[:, :][(plane == Structure.MYOCARDIUM) & (np.indices(plane.shape)[0] > 24)] = 0
    return Case(case.name, case.group, case.phase, case.predicted, reference, case.spacing_mm)


def test_r3_5_basal_scores_follow_the_criterion() -> None:
    found = run_to_end(score_cohort(map(open_base, cohort()), classes=HEART_CLASSES))
    plain = run_to_end(score_cohort(cohort(), classes=HEART_CLASSES))["as_predicted"]["basal"]
    half, full = (found["as_predicted"]["basal"][name] for name in ("half", "full"))

    assert half["slices_left_out"] == full["slices_left_out"] == 8
    assert half["slices_kept"] == 8 * 5
    assert plain["full"]["slices_left_out"] == 0
    assert half["basal_slice"]["lv"]["dice"]["count"] == 8
    assert half["all_slices"]["lv"]["dice"]["count"] == 8 * 3
    assert plain["full"]["all_slices"]["lv"]["dice"]["count"] == 8 * 4
    assert half["basal_slice"]["lv"]["hausdorff_2d_mm"]["median"] <= 2 * 2.0**0.5
    assert half["volumes_without_base"] == 0


def test_other_organs_have_overlap_and_distances_but_no_ejection_fraction() -> None:
    atrium = np.zeros((8, 20, 20), np.uint8)
    atrium[2:6, 5:15, 5:15] = 1
    case = Case("a", "", "", np.roll(atrium, 1, axis=2), atrium, (1.0, 1.0, 1.0))
    block = run_to_end(score_cohort([case], classes=ATRIUM))["as_predicted"]

    assert not {"agreement", "basal"} & set(block)
    assert set(block["by_phase"]) == {"all"}
    assert block["by_phase"]["all"]["left_atrium"]["dice"]["mean"] == pytest.approx(0.9)
    assert block["by_phase"]["all"]["left_atrium"]["hausdorff_mm"]["median"] == 1.0
    assert block["patients"] == [{"patient": "a", "group": "", "mean_dice": pytest.approx(0.9)}]


def test_the_three_kinds_of_dice_stand_side_by_side() -> None:
    truth = np.zeros((2, 10, 10), np.uint8)
    truth[0, :2] = 1
    certain = np.stack([truth != 1, truth == 1]).astype(np.float32)
    unsure = 0.5 + 0.4 * (2 * certain - 1)
    cases = [
        Case(name, "", "", truth, truth, (1.0, 1.0, 1.0), probabilities)
        for name, probabilities in (("a", certain), ("b", unsure))
    ]
    found = run_to_end(score_cohort(cases, classes=ATRIUM, smooth=0.0))["as_predicted"]["dice"]
    # per picture: 1, 1 (nothing in nothing), 2*18/(20+18+8), 0
    expected = (1 + 1 + 36 / 46 + 0) / 4

    assert found["left_atrium"] == {
        "dice_pooled_hard": 1.0,
        "dice_soft_mean": pytest.approx(expected),
        "dice_per_volume": 1.0,
    }
    labels_only = run_to_end(score_cohort([*pair(0)], classes=HEART_CLASSES))["as_predicted"]
    assert labels_only["dice"]["lv"]["dice_soft_mean"] is None


def test_empty_masks_are_counted_and_excluded_from_distances() -> None:
    drawn = np.zeros((3, 9, 9), np.uint8)
    drawn[1, 3:6, 3:6] = 1
    empty = np.zeros_like(drawn)
    cases = [
        Case(name, "", "", predicted, reference, (8.0, 1.0, 1.0))
        for name, predicted, reference in (
            ("both", empty, empty),
            ("missed", empty, drawn),
            ("invented", drawn, empty),
            ("found", drawn, drawn),
        )
    ]
    found = run_to_end(score_cohort(cases, classes=ATRIUM))["as_predicted"]
    atrium = found["by_phase"]["all"]["left_atrium"]

    assert (atrium["both_empty"], atrium["predicted_empty"], atrium["reference_empty"]) == (1, 1, 1)
    assert (atrium["hausdorff_mm"]["count"], atrium["hausdorff_mm"]["excluded"]) == (2, 2)
    assert atrium["dice"]["mean"] == 0.5
    assert (atrium["hausdorff_2d_mm"]["count"], atrium["hausdorff_2d_mm"]["excluded"]) == (1, 2)


def test_patients_without_both_phases_are_not_measured() -> None:
    single = [case for case in cohort() if case.phase == "ED"]
    block = run_to_end(score_cohort(single, classes=HEART_CLASSES))["as_predicted"]

    assert block["agreement"] == {}
    assert all(row["quantities"] is None for row in block["patients"])


def test_no_case_at_all_gives_an_empty_table() -> None:
    found = run_to_end(score_cohort([], classes=HEART_CLASSES))

    assert found["volumes"] == 0
    assert found["as_predicted"]["by_phase"]["all"]["lv"]["dice"]["mean"] is None
    assert json.dumps(found, allow_nan=False)


def test_cases_may_come_one_by_one_and_each_is_told() -> None:
    told: list[Progress] = []
    run_to_end(score_cohort(pair(0), classes=HEART_CLASSES), tell=told.append)

    assert [progress.doing for progress in told] == ["Scoring patient0 ED", "Scoring patient0 ES"]
    assert [progress.total for progress in told] == [0, 0]


def test_cases_that_cannot_be_scored_are_refused() -> None:
    (ed, es) = pair(0)
    cut = Case("a", "", "ED", ed.predicted[:2], ed.reference, ed.spacing_mm)
    odd = Case("a", "", "ED", ed.predicted, ed.reference, ed.spacing_mm, np.zeros((2, 1, 1, 1)))

    with pytest.raises(GridMismatchError):
        run_to_end(score_cohort([cut], classes=HEART_CLASSES))
    with pytest.raises(GridMismatchError):
        run_to_end(score_cohort([odd], classes=HEART_CLASSES))
    with pytest.raises(UnusableLabelsError):
        run_to_end(score_cohort([ed], classes=ATRIUM))
    with pytest.raises(UnmeasurableError, match="more than one"):
        run_to_end(score_cohort([ed, es, ed], classes=HEART_CLASSES))
