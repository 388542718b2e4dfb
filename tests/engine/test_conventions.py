"""The ledger of conventions: what each choice changes, and what it forbids to compare."""

import csv
import json
from dataclasses import replace
from io import StringIO
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from engine.clinical.basal import BasalRule
from engine.clinical.body import BodySurfaceFormula, body_surface_m2
from engine.clinical.conventions import (
    Conventions,
    MassPhase,
    PapillaryRule,
    Quantity,
    RvPhases,
    SliceDistance,
    make_conventions,
    mismatches,
    require_same,
)
from engine.clinical.export import report_csv, report_json
from engine.clinical.measuring import ReaderChoices
from engine.clinical.pdf import make_pdf
from engine.clinical.phases import PhaseRule
from engine.clinical.report import Report, make_report, report_on
from engine.clinical.volumes import DiscRule, EndSlices, disc_heights_mm
from engine.errors import ConventionMismatchError, HeartSegError, UnmeasurableError
from engine.labelmap import LabelMap
from engine.review.states import Review
from engine.structures import Structure
from engine.study import Acquisition, Origin, Provenance
from tests.pages import texts_of
from tests.phantoms import CylinderHeart

HEART = CylinderHeart()
USUAL = Conventions()


def report_by(conventions: Conventions, heart: CylinderHeart = HEART, **choices: object) -> Report:
    study = heart.study()
    stack = replace(study.stacks[0], acquisition=Acquisition(slice_thickness_mm=7.0))
    return report_on(
        replace(study, stacks=(stack,)),
        0,
        heart.labels(),
        Provenance(Origin.REFERENCE),
        ReaderChoices(conventions=conventions, **choices),  # type: ignore[arg-type]
        program_version="1",
    )


def changed(field: str, value: object) -> Conventions:
    return replace(USUAL, **{field: value})


CHANGES = {
    "papillary": (PapillaryRule.MASS, {Quantity.LV_VOLUMES, Quantity.MASS}),
    "basal": (BasalRule.HALF, {Quantity.LV_VOLUMES, Quantity.MASS}),
    "end_slices": (
        EndSlices.HALF_GAP,
        {Quantity.LV_VOLUMES, Quantity.RV_VOLUMES, Quantity.MASS},
    ),
    "body_surface": (BodySurfaceFormula.DUBOIS, {Quantity.INDICES}),
    "rv_phases": (RvPhases.OWN, {Quantity.RV_VOLUMES}),
    "mass_phase": (MassPhase.ES, {Quantity.MASS}),
    "density_g_per_ml": (1.06, {Quantity.MASS}),
}


@pytest.mark.parametrize("field", CHANGES)
@pytest.mark.parametrize("quantity", Quantity)
def test_a_choice_forbids_to_compare_what_it_changes_and_nothing_else(
    field: str, quantity: Quantity
) -> None:
    value, touched = CHANGES[field]
    other = changed(field, value)

    assert bool(mismatches(USUAL, other, [quantity])) == (quantity in touched)
    if quantity in touched:
        with pytest.raises(ConventionMismatchError) as refusal:
            require_same(USUAL, other, [quantity])
        assert str(getattr(USUAL, field)) in refusal.value.what
        assert str(value) in refusal.value.what
        assert str(quantity) in refusal.value.hint
    else:
        require_same(USUAL, other, [quantity])


def test_every_pair_that_differs_is_refused_and_no_other() -> None:
    """128 x 128 pairs: all combinations of the seven choices in two ways each."""
    combinations = [
        replace(
            USUAL,
            **{field: CHANGES[field][0] for field, on in zip(CHANGES, flags, strict=True) if on},
        )
        for flags in product((False, True), repeat=len(CHANGES))
    ]
    for first in combinations:
        for second in combinations:
            assert bool(mismatches(first, second)) == (first != second)


def test_what_was_found_out_forbids_nothing() -> None:
    other = replace(USUAL.found(PhaseRule.BY_HAND, SliceDistance.POSITIONS), ef_digits=1)

    require_same(USUAL, other)


def test_facts_come_back_as_the_same_conventions() -> None:
    some = replace(USUAL, **{field: value for field, (value, _) in CHANGES.items()})

    assert Conventions.from_facts(json.loads(json.dumps(some.as_facts()))) == some
    assert Conventions.from_facts({}) == USUAL


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"papillaries": "mass"}, "papillaries"),
        ({"papillary": "sometimes"}, "sometimes"),
        ({"density_g_per_ml": "heavy"}, "heavy"),
        ({"density_g_per_ml": 1050}, "1050"),
        ({"density_g_per_ml": float("nan")}, "nan"),
        ({"ef_digits": 3}, "3"),
        ({"as_facts": "x"}, "as_facts"),
        ({"basal": None}, "None"),
    ],
)
def test_an_unknown_choice_is_refused_with_what_there_is(
    facts: dict[str, object], told: str
) -> None:
    with pytest.raises(HeartSegError) as refusal:
        Conventions.from_facts(facts)

    assert told in refusal.value.what
    assert refusal.value.hint


def test_body_surface_by_three_formulas() -> None:
    """Two bodies whose surface by both formulas is known: at 160 cm and 110 kg 5 % apart."""
    mosteller, dubois, haycock = BodySurfaceFormula

    assert body_surface_m2(180, 80, mosteller) == pytest.approx(2.0)
    assert body_surface_m2(180, 80, dubois) == pytest.approx(2.0, abs=0.005)
    assert body_surface_m2(160, 110, mosteller) == pytest.approx(2.21, abs=0.005)
    assert body_surface_m2(160, 110, dubois) == pytest.approx(2.10, abs=0.005)
    child = body_surface_m2(100, 15, haycock)
    assert child == pytest.approx(0.646, abs=0.001)


def test_all_formulas_refuse_impossible_facts() -> None:
    for formula in BodySurfaceFormula:
        assert body_surface_m2(0, 80, formula) is None
        assert body_surface_m2(1.8, 80, formula) is None
        assert body_surface_m2(180, -80, formula) is None
        assert body_surface_m2(float("nan"), 80, formula) is None


def test_the_formula_changes_the_index_and_not_the_volume() -> None:
    heart = CylinderHeart()
    mosteller = report_by(USUAL, heart)
    haycock = report_by(changed("body_surface", BodySurfaceFormula.HAYCOCK), heart)

    assert haycock.body_surface_m2 == pytest.approx(0.024265 * 80**0.5378 * 180**0.3964)
    assert haycock.lv == mosteller.lv
    assert haycock.body_surface_m2 != mosteller.body_surface_m2


@pytest.mark.parametrize(
    ("drawn", "heights"),
    [
        ([0, 1, 1, 1, 0], [10, 9, 10, 9, 10]),
        ([1, 1, 1, 1, 1], [9, 10, 10, 10, 9]),
        ([0, 0, 1, 0, 0], [10, 10, 8, 10, 10]),
        ([0, 1, 0, 1, 0], [10, 9, 10, 9, 10]),
        ([0, 0, 0, 0, 0], [10, 10, 10, 10, 10]),
    ],
)
def test_end_slices_lose_the_half_gap_beyond_them(drawn: list[int], heights: list[float]) -> None:
    """8 mm slices with a gap of 2 mm: 10 mm discs, 9 mm at the ends, 8 mm for one alone."""
    mask = np.array(drawn, bool)

    half = disc_heights_mm(mask, 10.0, DiscRule(EndSlices.HALF_GAP, 8.0))
    whole = disc_heights_mm(mask, 10.0, DiscRule())

    assert half.tolist() == heights
    assert whole.tolist() == [10.0] * 5


def test_the_height_of_the_end_slices_changes_volumes_by_the_gap() -> None:
    whole = report_by(USUAL)
    half = report_by(changed("end_slices", EndSlices.HALF_GAP))
    assert whole.lv.end_diastolic_ml is not None

    shares = (4 * HEART.slice_mm - 2 * (HEART.slice_mm - 7) / 2) / (4 * HEART.slice_mm)
    assert half.lv.end_diastolic_ml == pytest.approx(shares * whole.lv.end_diastolic_ml)
    assert half.mass_ed_g == pytest.approx(shares * (whole.mass_ed_g or 0))
    assert half.lv.ejection_fraction == pytest.approx(whole.lv.ejection_fraction)


def test_end_slices_without_a_known_thickness_are_refused() -> None:
    choices = ReaderChoices(conventions=changed("end_slices", EndSlices.HALF_GAP))

    with pytest.raises(UnmeasurableError, match="thickness of a slice is not known"):
        report_on(HEART.study(), 0, HEART.labels(), Provenance(), choices, program_version="1")


def test_the_mass_is_taken_in_the_phase_and_by_the_density_that_are_named() -> None:
    at_es = report_by(replace(USUAL, mass_phase=MassPhase.ES, density_g_per_ml=1.06))

    assert at_es.mass_g == at_es.mass_es_g
    assert at_es.mass_es_g == pytest.approx(1.06 * HEART.myocardium_ml(2), rel=0.06)
    assert report_by(USUAL).mass_g == report_by(USUAL).mass_ed_g


def test_the_rv_may_have_phases_of_its_own() -> None:
    late = CylinderHeart(rv_radii_mm=(18.0, 20.0, 17.0, 15.0))
    own = report_by(changed("rv_phases", RvPhases.OWN), late)
    shared = report_by(USUAL, late)

    assert own.quantities is not None
    assert (own.quantities.volumes.rv_choice.ed, own.quantities.volumes.rv_choice.es) == (1, 3)
    assert own.rv.end_diastolic_ml == pytest.approx(late.rv_ml(1), rel=0.06)
    assert own.rv.end_systolic_ml == pytest.approx(late.rv_ml(3), rel=0.06)
    assert shared.rv.end_diastolic_ml == pytest.approx(late.rv_ml(0), rel=0.06)
    assert own.lv == shared.lv
    assert json.loads(report_json(own))["phases"]["rv_es"] == 3


def test_a_report_prints_the_conventions_it_was_made_by() -> None:
    chosen = replace(
        USUAL, papillary=PapillaryRule.MASS, body_surface=BodySurfaceFormula.DUBOIS, ef_digits=1
    )
    report = report_by(chosen)
    facts = json.loads(report_json(report))
    rows = list(csv.DictReader(StringIO(report_csv(report))))
    printed = " ".join(texts_of(make_pdf(report)))

    assert Conventions.from_facts(facts["choices"]) == report.choices
    assert report.choices.papillary is PapillaryRule.MASS
    assert report.choices.phases is PhaseRule.LARGEST_AND_SMALLEST
    values = {row["quantity"]: row["value"] for row in rows if row["section"] == "choices"}
    assert values["body_surface"] == "dubois"
    assert values["papillary"] == "mass"
    assert "belong to the mass, not to the cavity" in printed
    assert "DuBois" in printed
    fraction = report.lv.ejection_fraction
    assert fraction is not None
    assert f"{100 * fraction:.1f} %" in printed


def test_every_sentence_of_the_ledger_follows_its_choice() -> None:
    """A choice that no sentence tells would be a silent one."""
    usual = {item.key: item.text for item in make_conventions(chosen=USUAL)}
    for field, (value, _) in CHANGES.items():
        told = {item.key: item.text for item in make_conventions(chosen=changed(field, value))}
        assert told != usual, field


def test_the_source_of_the_slice_distance_is_told() -> None:
    assert report_by(USUAL).choices.slice_distance is SliceDistance.UNKNOWN


def test_a_reader_leaves_out_a_basal_slice() -> None:
    """The numbers that change are those of the slice; a criterion does not ask the reader."""
    place = (0, HEART.first)
    left_out = report_by(USUAL, excluded=frozenset({place}))
    whole = report_by(USUAL)
    by_half = report_by(changed("basal", BasalRule.HALF), excluded=frozenset({place}))

    assert left_out.lv.end_diastolic_ml == pytest.approx(0.75 * (whole.lv.end_diastolic_ml or 0))
    assert left_out.lv.end_systolic_ml == whole.lv.end_systolic_ml
    assert left_out.mass_ed_g == pytest.approx(0.75 * (whole.mass_ed_g or 0))
    assert left_out.rv == whole.rv
    assert by_half.lv == whole.lv
    assert json.loads(report_json(left_out))["basal"]["left_out"] == [{"phase": 0, "slice": 1}]


def _half_open_base() -> LabelMap:
    """The cylinders with a wall that covers 30 % of the most basal slice, 75 % of the next."""
    voxels = HEART.labels().voxels.copy()
    rows, columns = np.indices(voxels.shape[2:])
    angle = np.degrees(np.arctan2(rows - 31.5, columns - 40.5)) % 360
    for z, share in ((HEART.last, 0.3), (HEART.last - 1, 0.75)):
        plane = voxels[:, z]
        plane[(plane == Structure.MYOCARDIUM) & (angle >= 360 * share)] = Structure.BACKGROUND
    voxels[:, HEART.first, 20:23, 20:23] = 0
    small = voxels[:, HEART.first]
    small[(small == Structure.LV) & (np.hypot(rows - 31.5, columns - 40.5) > 7)] = (
        Structure.MYOCARDIUM
    )  # the apex, so that the other end is the base
    return LabelMap(voxels, HEART.geometry)


@pytest.mark.parametrize(
    ("rule", "slices"), [(BasalRule.READER, 4), (BasalRule.HALF, 3), (BasalRule.FULL, 2)]
)
def test_r3_5_both_criteria_leave_out_what_they_should(rule: BasalRule, slices: int) -> None:
    labels = _half_open_base()
    choices = ReaderChoices(conventions=changed("basal", rule))
    report = report_on(HEART.study(), 0, labels, Provenance(), choices, program_version="1")
    assert report.quantities is not None

    voxel_ml = HEART.geometry.voxel_ml
    kept = range(HEART.first, HEART.first + slices)
    expected = sum(np.count_nonzero(labels.voxels[0, z] == Structure.LV) for z in kept) * voxel_ml
    assert report.lv.end_diastolic_ml == pytest.approx(expected)
    side_by_side = {row.rule: row for row in report.quantities.basal.rules}
    assert {row.rule: row.slices_ed for row in side_by_side.values()} == {
        BasalRule.READER: 4,
        BasalRule.HALF: 3,
        BasalRule.FULL: 2,
    }
    assert side_by_side[rule].lv == report.lv
    assert side_by_side[rule].mass_g == pytest.approx(report.mass_g)


def test_an_open_ring_below_the_base_is_not_left_out() -> None:
    """A fault of the labels in the middle of the ventricle is no base."""
    voxels = HEART.labels().voxels.copy()
    middle = voxels[:, HEART.first + 1]
    middle[:, :, 41:][middle[:, :, 41:] == Structure.MYOCARDIUM] = Structure.BACKGROUND
    choices = ReaderChoices(conventions=changed("basal", BasalRule.FULL))
    labels = LabelMap(voxels, HEART.geometry)

    report = report_on(HEART.study(), 0, labels, Provenance(), choices, program_version="1")

    assert report.lv == report_by(USUAL).lv


def test_the_workbench_says_what_a_slice_would_change() -> None:
    report = report_by(USUAL)
    assert report.quantities is not None
    first = report.quantities.basal.ed[0]
    without = report_by(USUAL, excluded=frozenset({(first.base.phase, first.base.slice_index)}))

    assert first.counted
    assert first.base.coverage == 1.0
    assert first.otherwise.end_diastolic_ml == pytest.approx(without.lv.end_diastolic_ml)
    assert first.otherwise.ejection_fraction == pytest.approx(without.lv.ejection_fraction)
    assert without.quantities is not None
    back = without.quantities.basal.ed[0]
    assert not back.counted
    assert back.otherwise.end_diastolic_ml == pytest.approx(report.lv.end_diastolic_ml)


def test_criteria_without_any_myocardium_are_refused_not_guessed() -> None:
    """Sunnybrook draws no outer contour at ES: the wall is not drawn there, it is not absent."""
    voxels = HEART.labels().voxels.copy()
    voxels[2][voxels[2] == Structure.MYOCARDIUM] = Structure.BACKGROUND
    labels = LabelMap(voxels, HEART.geometry)

    def report(rule: BasalRule) -> Report:
        choices = ReaderChoices(conventions=changed("basal", rule))
        return report_on(HEART.study(), 0, labels, Provenance(), choices, program_version="1")

    drawn = report(BasalRule.READER)
    assert drawn.lv.ejection_fraction is not None
    assert drawn.quantities is not None
    half = drawn.quantities.basal.rules[1]
    assert half.lv.ejection_fraction is None
    assert "No myocardium is drawn at ES" in half.why_not
    assert drawn.quantities.basal.es[0].base.coverage is None
    with pytest.raises(UnmeasurableError, match="No myocardium is drawn in phase 3"):
        report(BasalRule.HALF)


def test_a_slice_that_was_left_out_is_kept_with_the_labels_and_opens_an_approval() -> None:
    place = (0, HEART.first)
    approved = Review().approve(reader="A. Reader", at="2026-01-01T00:00:00+00:00")
    review = approved.leave_out(
        frozenset({place}), reader="B. Reader", at="2026-01-02T00:00:00+00:00"
    )
    read_back = Review.from_json(json.loads(json.dumps(review.as_json())))

    assert read_back == review
    assert review.left_out == {place}
    assert not review.is_approved
    assert review.events[-1].reader == "B. Reader"
    back = review.leave_out(frozenset(), reader="B. Reader", at="2026-01-03T00:00:00+00:00")
    assert back.left_out == frozenset()
    assert approved.leave_out(frozenset(), reader="B. Reader", at="").is_approved  # nothing changed
    report = make_report(
        HEART.study(), 0, HEART.labels(), Provenance(), review=review, program_version="1"
    )
    assert report.excluded == (place,)
    assert report.lv.end_diastolic_ml == pytest.approx(
        0.75 * (report_by(USUAL).lv.end_diastolic_ml or 0)
    )


def test_conventions_are_named_on_the_command_line() -> None:
    parsed = Conventions.parse(["basal=half", "end_slices = half gap", "ef_digits=1"])

    assert parsed == replace(
        USUAL, basal=BasalRule.HALF, end_slices=EndSlices.HALF_GAP, ef_digits=1
    )
    for text in ("basal", "basal=most", "base=half"):
        with pytest.raises(HeartSegError) as refusal:
            Conventions.parse([text])
        assert refusal.value.hint


def test_the_report_command_measures_by_the_conventions_it_is_given(tmp_path: Path) -> None:
    from engine.cli import main
    from engine.datasets.phantom import make_phantom
    from engine.io.nifti_image import write_image

    phantom = make_phantom(5, phases=4, shape_yx=(70, 80))
    folder = tmp_path / "study"
    folder.mkdir()
    write_image(folder / "cine.nii.gz", phantom.cine.voxels, phantom.cine.geometry, phase_ms=50)
    labels = tmp_path / "labels.nii.gz"
    write_image(labels, phantom.labels.voxels, phantom.cine.geometry, phase_ms=50)
    common = ["report", str(folder), "--labels", str(labels)]

    one, other = tmp_path / "one", tmp_path / "other"
    assert main([*common, "--out", str(one)]) == 0
    assert main([*common, "--out", str(other), "--convention", "mass_phase=ES"]) == 0
    assert main([*common, "--out", str(tmp_path / "no"), "--convention", "mass_phase=now"]) == 2

    facts = [json.loads((each / "report.json").read_text()) for each in (one, other)]
    assert facts[0]["lv"]["mass_g"] == facts[0]["lv"]["mass_ed_g"]
    assert facts[1]["lv"]["mass_g"] == facts[1]["lv"]["mass_es_g"]
    assert [each["choices"]["mass_phase"] for each in facts] == ["ED", "ES"]
    assert facts[0]["choices"]["slice_distance"] == "image file"
