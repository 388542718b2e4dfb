"""The model's doubt in stored labels and reports."""

from pathlib import Path

import numpy as np
import pytest

from engine.clinical.export import report_csv, report_facts
from engine.clinical.pdf import make_pdf
from engine.clinical.report import Report, make_report
from engine.doubt import UNFAMILIAR, EfSpread, PhaseDoubt, ef_interval
from engine.io.label_store import load_labels, save_labels
from engine.progress import run_to_end
from engine.structures import HEART_STRUCTURES, Structure
from engine.study import Origin, Provenance
from tests.phantoms import CylinderHeart

ERRORS_ML = np.array([0.0, 3.0, 1.0, 0.5, 0.5, 0.0])


def doubt(*, sd_ml: float = 6.0, unfamiliarity: float = 0.4) -> PhaseDoubt:
    return PhaseDoubt(
        expected_dice=np.linspace(0.7, 0.95, 6),
        expected_error_ml=ERRORS_ML,
        volume_sd_ml=dict.fromkeys(HEART_STRUCTURES, sd_ml),
        unfamiliarity=unfamiliarity,
        spread={s: EfSpread(0.5, 0.0, 1.6) for s in (Structure.LV, Structure.RV)},
    )


def report(**changes: object) -> Report:
    heart = CylinderHeart()
    made = {"origin": Origin.PREDICTED, "model": "m", "doubt": {0: doubt(), 2: doubt()}} | changes
    study = heart.study(Path("/nowhere/anna"))
    labels = heart.labels([0, 2])
    return make_report(study, 0, labels, Provenance(**made), program_version="1")  # type: ignore[arg-type]


def test_the_ejection_fraction_has_the_range_that_the_volumes_give() -> None:
    made = report()
    assert made.lv.end_diastolic_ml is not None
    assert made.lv.end_systolic_ml is not None
    volumes = (made.lv.end_diastolic_ml, made.lv.end_systolic_ml)
    low, high = ef_interval(doubt(), doubt(), *volumes, Structure.LV)

    assert made.lv_ef_range == pytest.approx((low / 100, high / 100))
    facts = report_facts(made)
    assert facts["lv"]["ef_low_percent"] == pytest.approx(low)
    assert facts["lv"]["ef_high_percent"] == pytest.approx(high)
    assert (
        facts["lv"]["ef_low_percent"] < facts["lv"]["ef_percent"] < facts["lv"]["ef_high_percent"]
    )
    assert [row["expected_error_ml"] for row in facts["slices"][:6]] == ERRORS_ML.tolist()
    assert "ef_range" in facts["conventions"]
    assert "ef_low_percent" in report_csv(made)
    assert make_pdf(made).startswith(b"%PDF")


def test_corrected_slices_narrow_the_range_in_proportion_to_their_error() -> None:
    """3 of 5 ml are seen to in both phases: SD 6 becomes 2.4 ml."""
    wide, narrow = report(), report(corrected_slices=((0, 1), (2, 1)))
    left = doubt(sd_ml=6.0 * 2 / 5)
    volumes = (narrow.lv.end_diastolic_ml, narrow.lv.end_systolic_ml)
    low, high = ef_interval(left, left, *volumes, Structure.LV)  # type: ignore[arg-type]

    assert narrow.lv_ef_range == pytest.approx((low / 100, high / 100))
    assert wide.lv_ef_range is not None
    assert narrow.lv_ef_range[0] > wide.lv_ef_range[0]
    assert report_facts(narrow)["slices"][1]["expected_error_ml"] == 0


def test_no_range_where_nothing_is_left_in_doubt_or_nothing_is_known() -> None:
    every = tuple((phase, z) for phase in (0, 2) for z in range(6))

    assert report(corrected_slices=every).lv_ef_range is None
    for known in ({}, {0: doubt()}):
        made = report(doubt=known)
        assert made.lv_ef_range is None
        assert "ef_range" not in report_facts(made)["conventions"]
    assert report_facts(report(doubt={}))["slices"][0]["expected_error_ml"] is None


@pytest.mark.parametrize(("unfamiliarity", "said"), [(0.9, False), (1.2, True)])
def test_unfamiliar_images_are_the_first_warning(unfamiliarity: float, said: bool) -> None:
    strange = doubt(unfamiliarity=unfamiliarity)
    made = report(doubt={0: strange, 2: strange})

    assert (UNFAMILIAR in made.warnings) == said
    if said:
        assert made.warnings[0] == UNFAMILIAR


def test_doubt_is_stored_with_the_labels(tmp_path: Path) -> None:
    study = CylinderHeart().study(tmp_path / "anna")
    made = Provenance(Origin.PREDICTED, "m", doubt={2: doubt()})
    place = tmp_path / "labels.nii.gz"
    run_to_end(save_labels(study, 0, CylinderHeart().labels([0, 2]), made, path=place))
    stored = run_to_end(load_labels(place, study.stacks[0]))
    again = stored.provenance.doubt[2]

    assert list(stored.provenance.doubt) == [2]
    assert again.as_json() == doubt().as_json()


def test_a_stack_in_the_other_order_has_its_doubt_in_the_other_order() -> None:
    turned = doubt().upside_down()

    assert turned.expected_error_ml.tolist() == ERRORS_ML[::-1].tolist()
    assert turned.expected_dice[0] == 0.95


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: content.pop("spread"),
        lambda content: content.update(unfamiliarity="much"),
        lambda content: content.update(expected_dice=[0.5]),
        lambda content: content["volume_sd_ml"].update(lv=float("nan")),
        lambda content: content["volume_sd_ml"].update(lung=1.0),
    ],
)
def test_damaged_doubt_is_not_read(spoil: object) -> None:
    content = doubt().as_json()
    spoil(content)  # type: ignore[operator]

    with pytest.raises((KeyError, ValueError, TypeError)):
        PhaseDoubt.from_json(content)
