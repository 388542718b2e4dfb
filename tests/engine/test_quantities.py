"""Proof of the numbers: shapes whose volume is a formula, a beating heart, and bad input."""

from dataclasses import replace
from math import cos, pi, sin, tan
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine.clinical.basal import BasalRule
from engine.clinical.conventions import Conventions, SliceDistance
from engine.clinical.export import report_facts, report_json, write_report
from engine.clinical.measuring import ReaderChoices, bases_for, measure_volumes
from engine.clinical.quantities import Quantities, measure_quantities
from engine.clinical.report import make_report, report_on
from engine.clinical.tally import VoxelTally
from engine.clinical.volumes import DiscRule, disc_volumes_ml, volume_ml
from engine.datasets.phantom import Phantom, make_phantom
from engine.errors import CannotSaveError, UnmeasurableError
from engine.geometry import Geometry
from engine.labelmap import LabelMap, slice_start
from engine.progress import run_to_end
from engine.structures import Structure
from engine.study import Acquisition, Origin, Patient, Provenance, Stack, Study
from tests.phantoms import CylinderHeart

HEART = CylinderHeart()
MADE = Provenance(Origin.REFERENCE)


def voxelise(
    inside, spacing_mm: tuple[float, float, float], size_mm: tuple[float, float, float]
) -> LabelMap:
    """Voxels whose middle lies inside a solid; (z, y, x) are millimetres from its middle."""
    shape = tuple(
        int(np.ceil(size / step)) + 3 for size, step in zip(size_mm, spacing_mm, strict=True)
    )
    axes = [
        (np.arange(n) - (n - 1) / 2 + 0.123) * step
        for n, step in zip(shape, spacing_mm, strict=True)
    ]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    voxels = np.where(inside(z, y, x), Structure.LV, 0).astype(np.uint8)[np.newaxis]
    z_mm, y_mm, x_mm = spacing_mm
    affine = np.diag([x_mm, y_mm, z_mm, 1.0])
    return LabelMap(voxels, Geometry.from_affine(affine, shape))


def bound_ml(
    largest_mm2: float,
    circumference_mm: float,
    length_mm: float,
    spacing_mm: tuple[float, float, float],
) -> float:
    """How far slice summation may be off [ml].

    In the plane a pixel is wrong only where the border crosses it: at most half a pixel's diagonal
    to either side along the circumference. Across, areas that rise to one maximum and fall again
    are summed within one disc of the largest area.
    """
    z_mm, y_mm, x_mm = spacing_mm
    in_plane = circumference_mm * np.hypot(y_mm, x_mm) / 2 * (length_mm + z_mm)
    across = largest_mm2 * z_mm
    return float(in_plane + across) / 1000


spacings = st.tuples(st.floats(3, 10), st.floats(0.8, 2.0), st.floats(0.8, 2.0))


@settings(max_examples=40, deadline=None)
@given(a=st.floats(30, 50), b=st.floats(15, 28), c=st.floats(15, 28), spacing=spacings)
def test_an_ellipsoid_has_its_volume_within_the_bound(
    a: float, b: float, c: float, spacing: tuple[float, float, float]
) -> None:
    labels = voxelise(
        lambda z, y, x: (z / a) ** 2 + (y / b) ** 2 + (x / c) ** 2 < 1,
        spacing,
        (2 * a, 2 * b, 2 * c),
    )
    truth_ml = 4 / 3 * pi * a * b * c / 1000
    allowed_ml = bound_ml(pi * b * c, 2 * pi * max(b, c), 2 * a, spacing)
    found_ml = volume_ml(labels, Structure.LV, phase=0)

    assert abs(found_ml - truth_ml) < allowed_ml
    assert found_ml == pytest.approx(truth_ml, rel=0.06)


@settings(max_examples=40, deadline=None)
@given(wide=st.floats(20, 30), narrow=st.floats(5, 18), length=st.floats(60, 90), spacing=spacings)
def test_a_truncated_cone_has_its_volume_within_the_bound(
    wide: float, narrow: float, length: float, spacing: tuple[float, float, float]
) -> None:
    def inside(z, y, x):
        radius = (wide + narrow) / 2 + (wide - narrow) * z / length
        return (np.abs(z) < length / 2) & (np.hypot(y, x) < radius)

    labels = voxelise(inside, spacing, (length, 2 * wide, 2 * wide))
    truth_ml = pi * length / 3 * (wide**2 + wide * narrow + narrow**2) / 1000

    found_ml = volume_ml(labels, Structure.LV, phase=0)
    allowed_ml = bound_ml(pi * wide**2, 2 * pi * wide, length, spacing)
    assert abs(found_ml - truth_ml) < allowed_ml


@settings(max_examples=30, deadline=None)
@given(tilt=st.floats(-0.4, 0.4), spacing=spacings)
def test_a_tilted_ventricle_keeps_its_volume(
    tilt: float, spacing: tuple[float, float, float]
) -> None:
    """Slices moved sideways against each other (Cavalieri): the long axis leans, areas stay."""
    a, b = 42.0, 24.0

    def inside(z, y, x):
        return (z / a) ** 2 + (y / b) ** 2 + ((x - tan(tilt) * z) / b) ** 2 < 1

    labels = voxelise(inside, spacing, (2 * a, 2 * b, 2 * b + 2 * abs(tan(tilt)) * a))
    truth_ml = 4 / 3 * pi * a * b * b / 1000

    found_ml = volume_ml(labels, Structure.LV, phase=0)
    assert abs(found_ml - truth_ml) < bound_ml(pi * b * b, 2 * pi * b, 2 * a, spacing)


@pytest.mark.parametrize("turn", [0.2, 0.7, 1.3])
def test_a_turned_ellipsoid_keeps_its_volume(turn: float) -> None:
    """Slices that cut the long axis slantwise, as a badly planned stack does."""
    a, b = 42.0, 24.0

    def inside(z, y, x):
        along, across = cos(turn) * z + sin(turn) * x, cos(turn) * x - sin(turn) * z
        return (along / a) ** 2 + (y / b) ** 2 + (across / b) ** 2 < 1

    labels = voxelise(inside, (6.0, 1.2, 1.2), (2 * a, 2 * a, 2 * a))

    found_ml = volume_ml(labels, Structure.LV, phase=0)
    assert found_ml == pytest.approx(4 / 3 * pi * a * b * b / 1000, rel=0.02)


@pytest.mark.parametrize(("thickness_mm", "gap_mm"), [(8.0, 2.0), (6.0, 4.0), (10.0, 0.0)])
def test_the_gap_between_slices_is_counted(thickness_mm: float, gap_mm: float) -> None:
    """8 mm slices 10 mm apart: leaving the gap out would lose a fifth of the volume."""
    distance = thickness_mm + gap_mm
    a, b = 45.0, 25.0
    labels = voxelise(
        lambda z, y, x: (z / a) ** 2 + (y / b) ** 2 + (x / b) ** 2 < 1,
        (distance, 1.0, 1.0),
        (2 * a, 2 * b, 2 * b),
    )

    truth_ml = 4 / 3 * pi * a * b * b / 1000
    assert volume_ml(labels, Structure.LV, phase=0) == pytest.approx(truth_ml, rel=0.02)


def test_finer_voxels_come_closer_to_the_formula() -> None:
    a, b = 40.0, 24.0
    truth_ml = 4 / 3 * pi * a * b * b / 1000

    def error(step: float) -> float:
        offsets = np.linspace(0, 1, 5, endpoint=False)  # the place of the grid must not matter
        errors = []
        for offset in offsets * step:
            labels = voxelise(
                lambda z, y, x, o=offset: (
                    ((z + o) / a) ** 2 + (y / b) ** 2 + ((x + o) / b) ** 2 < 1
                ),
                (2 * step, step, step),
                (2 * a, 2 * b, 2 * b),
            )
            errors.append(volume_ml(labels, Structure.LV, phase=0) / truth_ml - 1)
        return float(np.sqrt(np.mean(np.square(errors))))

    assert error(1.0) < error(4.0)
    assert error(1.0) < 0.002


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_discs_add_up_to_the_volume(seed: int) -> None:
    random = np.random.default_rng(seed)
    voxels = random.integers(0, 4, (2, 5, 6, 7)).astype(np.uint8)
    labels = LabelMap(voxels, Geometry.from_affine(np.diag([1.3, 1.1, 9.0, 1]), (5, 6, 7)))
    counts = VoxelTally(labels).counts

    discs = disc_volumes_ml(counts[..., Structure.RV], labels.geometry, DiscRule())

    assert discs[1].sum() == pytest.approx(volume_ml(labels, Structure.RV, phase=1))


PHASES = 20
SYSTOLE = round(0.37 * PHASES)


@pytest.fixture(scope="module")
def beating() -> tuple[Phantom, Quantities]:
    phantom = make_phantom(11, phases=PHASES, shape_yx=(140, 160))
    stack = Stack(phantom.cine, files=(Path("x.nii.gz"),))
    return phantom, measure_quantities(stack, phantom.labels, phantom.patient)


Beating = tuple[Phantom, Quantities]


def test_the_beating_heart_is_measured_as_it_was_made(beating: Beating) -> None:
    truth, volumes = beating[0].truth, beating[1].volumes

    assert (volumes.choice.ed, volumes.choice.es) == (0, SYSTOLE)
    assert volumes.lv.end_diastolic_ml == pytest.approx(truth.lv_ed_ml, rel=0.03)
    assert volumes.lv.end_systolic_ml == pytest.approx(truth.lv_es_ml, rel=0.04)
    assert volumes.rv.end_diastolic_ml == pytest.approx(truth.rv_ed_ml, rel=0.04)
    assert volumes.rv.end_systolic_ml == pytest.approx(truth.rv_es_ml, rel=0.06)
    fraction = 1 - truth.lv_es_ml / truth.lv_ed_ml
    assert volumes.lv.ejection_fraction == pytest.approx(fraction, abs=0.02)
    assert volumes.mass_g == pytest.approx(truth.mass_g, rel=0.06)
    assert volumes.mass_es_g == pytest.approx(truth.mass_g, rel=0.08)


def test_the_beating_heart_empties_and_fills_as_it_was_made(beating: Beating) -> None:
    """Ejection is a half cosine. The base passes one slice on the way, which leaves the sum of
    discs within one phase: the peak may be higher by that disc over two steps, and no more."""
    phantom, found = beating
    beat_ms = 60_000 / (phantom.patient.heart_rate_bpm or 0)
    stroke_ml = phantom.truth.lv_ed_ml - phantom.truth.lv_es_ml
    systole_ms = SYSTOLE / PHASES * beat_ms
    formula = pi / 2 * stroke_ml / systole_ms * 1000
    disc = max(row.lv_ml for row in found.slices) / (2 * beat_ms / PHASES) * 1000
    rates = found.lv_rates

    assert rates.ejection is not None
    assert rates.filling is not None
    assert 0.9 * formula < rates.ejection.ml_s < formula + disc
    assert 0.15 < rates.ejection.after_ms / systole_ms < 0.85
    assert 0 < rates.filling.after_ms < beat_ms - systole_ms


def test_the_wall_of_the_beating_heart_thickens_everywhere(beating: Beating) -> None:
    """The muscle keeps its volume, so a smaller cavity has a thicker wall."""
    phantom, found = beating
    wall = found.wall

    assert len(wall.segments) == 16
    assert all((each.thickening or 0) > 0.05 for each in wall.segments)
    basal = [each.ed_mm or 0 for each in wall.segments[:6]]
    assert np.mean(basal) == pytest.approx(phantom.heart.wall_mm, rel=0.08)


def test_the_slices_of_the_beating_heart_go_from_base_to_apex(beating: Beating) -> None:
    _, found = beating
    rows = [row for row in found.slices if row.phase == 0]
    drawn = [row for row in rows if row.from_base is not None]

    assert [row.from_base for row in drawn] == list(range(len(drawn)))
    assert drawn[0].lv_ml > drawn[-1].lv_ml
    assert sum(row.lv_ml for row in rows) == pytest.approx(found.volumes.lv.end_diastolic_ml)
    assert found.basal.ed[0].base.slice_index == drawn[0].slice_index
    assert found.conventions.slice_distance is SliceDistance.FILE


def test_output_and_indices_of_both_ventricles() -> None:
    report = make_report(HEART.study(), 0, HEART.labels(), MADE, program_version="1")
    facts = report_facts(report)

    for side in ("lv", "rv"):
        stroke_ml = facts[side]["sv_ml"]
        assert facts[side]["co_l_min"] == pytest.approx(stroke_ml * 60 / 1000)
        assert facts[side]["ci_l_min_m2"] == pytest.approx(stroke_ml * 60 / 1000 / 2)
        assert facts[side]["svi_ml_m2"] == pytest.approx(stroke_ml / 2)
    ratio = facts["lv"]["mass_g"] / facts["lv"]["edv_ml"]
    assert facts["lv"]["mass_volume_g_ml"] == pytest.approx(ratio)


def test_the_left_atrium_is_measured_where_it_is_labelled() -> None:
    voxels = HEART.labels().voxels.copy()
    for phase, size in enumerate((6, 8, 10, 7)):
        voxels[phase, 0, :size, :size] = Structure.LEFT_ATRIUM
    report = make_report(
        HEART.study(), 0, LabelMap(voxels, HEART.geometry), MADE, program_version="1"
    )
    facts = report_facts(report)

    assert facts["la"]["max_ml"] == pytest.approx(100 * HEART.geometry.voxel_ml)
    assert facts["la"]["min_ml"] == pytest.approx(36 * HEART.geometry.voxel_ml)
    assert facts["la"]["ef_percent"] == pytest.approx(64)
    plain = make_report(HEART.study(), 0, HEART.labels(), MADE, program_version="1")
    assert set(report_facts(plain)["la"].values()) == {None}


@pytest.mark.parametrize("rule", BasalRule)
def test_volumes_follow_a_patch_without_a_look_at_the_rest(rule: BasalRule) -> None:
    """What a stroke costs: its own voxels, and the enclosure of the slices that it touches."""
    labels = HEART.labels()
    stack, tally = HEART.study().stacks[0], VoxelTally(labels)
    choices = ReaderChoices(conventions=Conventions(basal=rule))
    random = np.random.default_rng(0)
    for phase, z, structure in ((0, 4, 3), (0, 2, 2), (2, 4, 0), (1, 3, 1), (0, 4, 2)):
        row = int(random.integers(20, 40))
        voxels = np.arange(40) + 64 * row + 10
        patch = labels.patch_at(voxels + slice_start(labels.shape, phase, z), structure)
        labels.apply(patch)
        tally.take(patch)

    followed = measure_volumes(tally.counts, stack, choices, bases_for(labels, tally.counts, rule))
    anew = measure_quantities(stack, labels, Patient(), choices).volumes

    assert followed.lv == anew.lv
    assert followed.rv == anew.rv
    assert followed.mass_g == anew.mass_g
    assert followed.choice == anew.choice


# ---- bad input: told plainly, never a NaN, never a silent default


def _with(labels: NDArray[np.uint8] | None = None, **patient: object) -> tuple[Study, LabelMap]:
    study = HEART.study()
    voxels = HEART.labels().voxels if labels is None else labels
    facts = replace(study.patient, **patient)  # type: ignore[arg-type]
    return replace(study, patient=facts), LabelMap(voxels, HEART.geometry)


@pytest.mark.parametrize(
    ("patient", "told"),
    [
        ({"height_cm": 0.0}, "height of 0 cm"),
        ({"height_cm": 1.8}, "is it in metres?"),
        ({"height_cm": -170.0}, "height of -170 cm"),
        ({"weight_kg": 0.0}, "weight of 0 kg"),
        ({"heart_rate_bpm": -60.0}, "heart rate of -60"),
        ({"heart_rate_bpm": 0.0}, "heart rate of 0"),
    ],
)
def test_impossible_facts_index_nothing_and_are_told(patient: dict[str, float], told: str) -> None:
    study, labels = _with(**patient)
    report = make_report(study, 0, labels, MADE, program_version="1")
    facts = report_facts(report)

    assert any(told in warning for warning in report.warnings)
    if "heart_rate_bpm" in patient:
        assert facts["lv"]["co_l_min"] is facts["rv"]["co_l_min"] is None
    else:
        assert facts["bsa_m2"] is facts["lv"]["edvi_ml_m2"] is None
        assert facts["lv"]["mass_index_g_m2"] is facts["rv"]["ci_l_min_m2"] is None
    assert "NaN" not in report_json(report)


def test_an_rv_without_an_lv_is_refused() -> None:
    voxels = HEART.labels().voxels
    study, labels = _with(np.where(voxels == Structure.RV, voxels, 0).astype(np.uint8))

    with pytest.raises(UnmeasurableError, match="no left ventricle") as refusal:
        make_report(study, 0, labels, MADE, program_version="1")
    assert refusal.value.hint


def test_a_missing_phase_is_told_and_has_no_fraction() -> None:
    study, labels = _with(HEART.labels([2]).voxels)
    report = make_report(study, 0, labels, MADE, es_phase=2, program_version="1")
    facts = report_facts(report)

    assert facts["lv"]["ef_percent"] is None
    assert facts["lv"]["mass_g"] is None  # the mass is taken at ED
    assert facts["wall"]["why_not"] == "There is no end diastole."
    assert any("Only phase 3 is labelled" in warning for warning in report.warnings)


def test_one_slice_is_told_to_be_no_ventricle() -> None:
    heart = CylinderHeart(slice_count=1, first=0, last=0)
    report = make_report(heart.study(), 0, heart.labels(), MADE, program_version="1")
    facts = report_facts(report)

    assert any("only one slice" in warning for warning in report.warnings)
    assert facts["lv"]["edv_ml"] == pytest.approx(heart.lv_ml(0), rel=0.06)
    assert "slices have a closed wall" in facts["wall"]["why_not"]
    assert facts["wall"]["segments"] == []


def test_phases_that_were_not_timed_have_no_rates() -> None:
    study = HEART.study()
    stack = replace(study.stacks[0], cine=replace(HEART.cine(), phase_times_ms=()))
    report = make_report(
        replace(study, stacks=(stack,)), 0, HEART.labels(), MADE, program_version="1"
    )
    facts = report_facts(report)

    assert facts["lv"]["per_ml_s"] is None
    assert "times" in facts["rates"]["lv"]["why_not"]


def test_all_slices_left_out_leave_no_number_and_no_nan() -> None:
    excluded = frozenset((phase, z) for phase in range(4) for z in range(6))
    report = report_on(
        HEART.study(), 0, HEART.labels(), MADE, ReaderChoices(excluded=excluded),
        program_version="1",
    )  # fmt: skip
    facts = report_facts(report)

    assert facts["lv"]["edv_ml"] is facts["lv"]["ef_percent"] is facts["lv"]["mass_g"] is None
    assert facts["rv"]["edv_ml"] is not None
    assert "NaN" not in report_json(report)


def test_a_thickness_that_is_no_thickness_is_refused() -> None:
    study = HEART.study()
    stack = replace(study.stacks[0], acquisition=Acquisition(slice_thickness_mm=0.0))
    from engine.clinical.volumes import EndSlices

    choices = ReaderChoices(conventions=Conventions(end_slices=EndSlices.HALF_GAP))
    with pytest.raises(UnmeasurableError, match="thickness"):
        report_on(
            replace(study, stacks=(stack,)), 0, HEART.labels(), MADE, choices,
            program_version="1",
        )  # fmt: skip


def test_names_of_any_letters_are_written(tmp_path: Path) -> None:
    study = HEART.study()
    named = replace(study, patient=replace(study.patient, identifier="Žofie Łęcka 田中"))
    report = make_report(named, 0, HEART.labels(), MADE, program_version="1")

    run_to_end(write_report(report, tmp_path / "Žofie 田中"))

    text = (tmp_path / "Žofie 田中" / "report.json").read_text(encoding="utf-8")
    assert "Žofie Łęcka 田中" in text


def test_a_folder_that_may_not_be_written_is_told(tmp_path: Path, monkeypatch) -> None:
    report = make_report(HEART.study(), 0, HEART.labels(), MADE, program_version="1")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(CannotSaveError) as refusal:
        run_to_end(write_report(report, tmp_path / "locked" / "deep"))
    assert "locked" in refusal.value.what
    assert refusal.value.hint


def test_a_rule_that_no_slice_meets_is_refused() -> None:
    voxels = HEART.labels().voxels.copy()
    half = voxels[:, :, :, 41:]
    half[half == Structure.MYOCARDIUM] = Structure.BACKGROUND
    study, labels = _with(voxels)
    choices = ReaderChoices(conventions=Conventions(basal=BasalRule.FULL))

    with pytest.raises(UnmeasurableError, match="No slice meets the basal rule"):
        report_on(study, 0, labels, MADE, choices, program_version="1")
