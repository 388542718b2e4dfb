"""Volumes, phases, physiology and the warnings about them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine.clinical.phases import PhaseChoice, PhaseRule, choose_phases
from engine.clinical.physiology import body_surface_m2, cardiac_output_l_min, indexed
from engine.clinical.plausibility import (
    warn_about_labels,
    warn_about_patient,
    warn_about_volumes,
)
from engine.clinical.volumes import (
    VentricleFunction,
    VolumeCurve,
    make_curve,
    mass_g,
    volume_ml,
)
from engine.errors import UnmeasurableError
from engine.geometry import Geometry
from engine.labelmap import LabelMap
from engine.structures import Structure
from engine.study import Patient
from tests.phantoms import CylinderHeart

HEART = CylinderHeart()
CHOICE = PhaseChoice(0, 2, PhaseRule.LARGEST_AND_SMALLEST)


def _label_map(voxels: NDArray[np.uint8], slice_mm: float = 8.0) -> LabelMap:
    affine = np.diag([1.5, 1.5, slice_mm, 1.0])
    return LabelMap(voxels, Geometry.from_affine(affine, voxels.shape[1:]))


@pytest.mark.parametrize("phase", range(4))
def test_cylinders_have_their_volume(phase: int) -> None:
    labels = HEART.labels()

    def measured_ml(structure: Structure) -> float:
        return volume_ml(labels, structure, phase=phase)

    assert measured_ml(Structure.LV) == pytest.approx(HEART.lv_ml(phase), rel=0.06)
    assert measured_ml(Structure.RV) == pytest.approx(HEART.rv_ml(phase), rel=0.06)
    assert measured_ml(Structure.LV) + measured_ml(Structure.MYOCARDIUM) == pytest.approx(
        HEART.lv_ml(phase) + HEART.myocardium_ml(phase), rel=0.06
    )


def test_one_block_of_voxels_has_its_volume_to_the_last_digit() -> None:
    voxels = np.zeros((1, 3, 10, 10), np.uint8)
    voxels[0, 1, 2:6, 3:8] = Structure.LV

    volume = volume_ml(_label_map(voxels), Structure.LV, phase=0)

    assert volume == pytest.approx(20 * 1.5 * 1.5 * 8.0 / 1000)


label_arrays = st.integers(0, 2**32 - 1).map(
    lambda seed: np.random.default_rng(seed).integers(0, 4, (2, 5, 6, 7), dtype=np.uint8)
)


@settings(max_examples=30, deadline=None)
@given(voxels=label_arrays, order=st.permutations(range(5)))
def test_the_order_of_slices_does_not_change_a_volume(
    voxels: NDArray[np.uint8], order: list[int]
) -> None:
    for structure in Structure:
        sorted_ml = volume_ml(_label_map(voxels), structure, phase=1)
        mixed_ml = volume_ml(_label_map(voxels[:, order]), structure, phase=1)
        assert mixed_ml == pytest.approx(sorted_ml)


@settings(max_examples=30, deadline=None)
@given(voxels=label_arrays, slice_mm=st.floats(1, 20))
def test_twice_the_slice_distance_is_twice_the_volume(
    voxels: NDArray[np.uint8], slice_mm: float
) -> None:
    once_ml = volume_ml(_label_map(voxels, slice_mm), Structure.LV, phase=0)
    twice_ml = volume_ml(_label_map(voxels, 2 * slice_mm), Structure.LV, phase=0)

    assert twice_ml == pytest.approx(2 * once_ml)


@settings(max_examples=30, deadline=None)
@given(voxels=label_arrays)
def test_all_structures_together_fill_the_grid(voxels: NDArray[np.uint8]) -> None:
    labels = _label_map(voxels)
    total_ml = sum(volume_ml(labels, structure, phase=0) for structure in Structure)

    assert total_ml == pytest.approx(voxels[0].size * labels.geometry.voxel_ml)


def test_the_curve_knows_labelled_phases_only() -> None:
    curve = make_curve(HEART.labels([0, 2]), Structure.LV)

    assert curve.phases == (0, 2)
    assert curve.at_ml(1) is None
    assert curve.at_ml(None) is None
    assert curve.at_ml(0) == pytest.approx(HEART.lv_ml(0), rel=0.06)


def test_mass_is_volume_times_density() -> None:
    assert mass_g(100) == pytest.approx(105)


def test_stroke_volume_and_ejection_fraction() -> None:
    lv = VentricleFunction(120, 48)

    assert lv.stroke_volume_ml == 72
    assert lv.ejection_fraction == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("diastole_ml", "systole_ml"), [(50, 60), (None, 60), (60, None), (None, None)]
)
def test_an_odd_ventricle_has_no_ejection_fraction(
    diastole_ml: float | None, systole_ml: float | None
) -> None:
    ventricle = VentricleFunction(diastole_ml, systole_ml)

    assert ventricle.stroke_volume_ml is None
    assert ventricle.ejection_fraction is None


class TestPhases:
    CURVE = VolumeCurve(Structure.LV, (0, 3, 5, 9), (100.0, 70.0, 40.0, 0.0))

    def test_are_the_largest_and_smallest_cavity_that_is_drawn(self) -> None:
        choice = choose_phases(self.CURVE)

        assert choice == PhaseChoice(0, 5, PhaseRule.LARGEST_AND_SMALLEST)

    def test_can_be_chosen_by_hand(self) -> None:
        choice = choose_phases(self.CURVE, ed_phase=3, es_phase=0)

        assert choice == PhaseChoice(3, 0, PhaseRule.BY_HAND)

    def test_one_by_hand_leaves_the_other_to_the_rule(self) -> None:
        assert choose_phases(self.CURVE, ed_phase=5).es == 3
        assert choose_phases(self.CURVE, es_phase=0).ed == 3

    def test_name_the_source_when_the_hand_takes_its_phases(self) -> None:
        choice = choose_phases(self.CURVE, ed_phase=0, es_phase=3, source=(0, 3))

        assert choice.rule == PhaseRule.SOURCE

    @pytest.mark.parametrize("phase", [1, 9])
    def test_without_an_lv_are_refused_with_the_ones_that_have_it(self, phase: int) -> None:
        with pytest.raises(UnmeasurableError) as refusal:
            choose_phases(self.CURVE, es_phase=phase)

        assert "1, 4, 6" in refusal.value.hint

    def test_must_differ(self) -> None:
        with pytest.raises(UnmeasurableError, match="both"):
            choose_phases(self.CURVE, ed_phase=3, es_phase=3)

    def test_of_a_single_labelled_phase(self) -> None:
        curve = VolumeCurve(Structure.LV, (4,), (80.0,))

        assert choose_phases(curve) == PhaseChoice(4, None, PhaseRule.ONLY_ONE)
        assert choose_phases(curve, source=(0, 4)).es == 4
        assert choose_phases(curve, source=(0, 4)).ed is None

    def test_of_nothing_are_refused(self) -> None:
        with pytest.raises(UnmeasurableError, match="no left ventricle"):
            choose_phases(VolumeCurve(Structure.LV, (), ()))


def test_body_surface_after_mosteller() -> None:
    assert body_surface_m2(180, 80) == pytest.approx(2.0)
    assert body_surface_m2(160, 110) == pytest.approx(2.211, abs=0.001)


@pytest.mark.parametrize(
    ("height_cm", "weight_kg"), [(None, 80), (180, None), (1.8, 80), (180, 0), (180, float("nan"))]
)
def test_no_body_surface_from_impossible_facts(
    height_cm: float | None, weight_kg: float | None
) -> None:
    assert body_surface_m2(height_cm, weight_kg) is None


def test_cardiac_output_and_index() -> None:
    assert cardiac_output_l_min(70, 60) == pytest.approx(4.2)
    assert cardiac_output_l_min(70, None) is None
    assert cardiac_output_l_min(None, 60) is None
    assert cardiac_output_l_min(70, 0) is None
    assert indexed(4.2, 2.0) == pytest.approx(2.1)
    assert indexed(4.2, None) is None
    assert indexed(None, 2.0) is None


def _volume_warnings(
    lv: tuple[float | None, float | None] = (120, 60),
    rv: tuple[float | None, float | None] = (130, 70),
    muscle: tuple[float, float] = (100, 100),
) -> str:
    curve = VolumeCurve(Structure.MYOCARDIUM, (0, 2), muscle)
    functions = VentricleFunction(*lv), VentricleFunction(*rv)
    return "\n".join(warn_about_volumes(*functions, curve, CHOICE))


@pytest.mark.parametrize(
    ("faults", "said"),
    [
        ({}, ""),
        ({"rv": (130, 90)}, "stroke volumes differ"),
        ({"muscle": (100, 130)}, "LV mass differs"),
        ({"muscle": (0, 0)}, "no LV mass"),
        ({"lv": (120, 12)}, "90 % is hardly possible"),
        ({"lv": (60, 61)}, "LV is not smaller at ES"),
        ({"rv": (60, 60)}, "RV is not smaller at ES"),
        ({"rv": (None, None)}, "No RV is drawn in"),
        ({"rv": (100, None)}, "No RV is drawn at ES"),
    ],
)
def test_impossible_numbers_are_named(faults: dict[str, tuple[float, float]], said: str) -> None:
    warnings = _volume_warnings(**faults)

    assert said in warnings
    assert bool(said) == bool(warnings)


def _label_warnings(voxels: NDArray[np.uint8]) -> str:
    return "\n".join(warn_about_labels(LabelMap(voxels, HEART.geometry), CHOICE))


def test_sound_labels_get_no_warning() -> None:
    assert _label_warnings(HEART.labels().voxels.copy()) == ""


def test_a_missing_slice_is_named() -> None:
    voxels = HEART.labels().voxels.copy()
    voxels[0, 2][voxels[0, 2] == Structure.LV] = Structure.MYOCARDIUM

    assert "At ED the LV is missing on slice 3" in _label_warnings(voxels)


def test_more_slices_at_es_than_at_ed_are_named() -> None:
    voxels = HEART.labels().voxels.copy()
    voxels[0, 1] = 0

    assert "more slices at ES (4) than at ED (3)" in _label_warnings(voxels)


def test_a_half_drawn_es_is_named() -> None:
    heart = replace(HEART, slice_count=8, last=6)
    voxels = heart.labels().voxels.copy()
    voxels[2, 3:] = 0

    said = "\n".join(warn_about_labels(LabelMap(voxels, heart.geometry), CHOICE))
    assert "6 slices at ED but only 2 at ES" in said


@pytest.mark.parametrize(("first", "last", "ends"), [(0, 4, "first"), (1, 5, "last")])
def test_an_lv_at_the_end_of_the_stack_is_named(first: int, last: int, ends: str) -> None:
    voxels = replace(HEART, first=first, last=last).labels().voxels.copy()

    assert f"At ED the LV reaches the {ends} slice" in _label_warnings(voxels)


def test_a_cavity_without_wall_is_named() -> None:
    voxels = HEART.labels().voxels.copy()
    voxels[2][voxels[2] == Structure.MYOCARDIUM] = 0

    assert "At ES, 100 % of the LV cavity's border" in _label_warnings(voxels)


def test_a_heart_at_the_edge_is_named() -> None:
    voxels = np.roll(HEART.labels().voxels, 20, axis=3)

    assert "touches the edge" in _label_warnings(voxels)


def test_labelled_phases_without_lv_are_named() -> None:
    voxels = HEART.labels().voxels.copy()
    voxels[3][voxels[3] == Structure.LV] = 0

    assert "not counted: phase 4" in _label_warnings(voxels)


def test_impossible_patients_are_named() -> None:
    said = list(warn_about_patient(Patient(height_cm=1.8, weight_kg=900, heart_rate_bpm=0)))

    assert len(said) == 3
    assert not list(warn_about_patient(Patient(height_cm=180, weight_kg=80, heart_rate_bpm=60)))
    assert not list(warn_about_patient(Patient()))
