"""Volumes, phases, physiology and the warnings about them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine.clinical.body import body_surface_m2
from engine.clinical.phases import PhaseChoice, PhaseRule, choose_phases
from engine.clinical.physiology import cardiac_output_l_min, indexed
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
from tests.phantoms import CylinderHeart

HEART = CylinderHeart()


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
