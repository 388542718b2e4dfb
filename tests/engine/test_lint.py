"""The checks of labels: each finds its fault, names the place, and is silent on sound hearts."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.clinical.findings import (
    Finding,
    FindingKind,
    Severity,
    describe,
    describe_all,
    place_of,
    sort_findings,
)
from engine.clinical.lint import choice_of, lint, lint_patient
from engine.clinical.phases import PhaseChoice, PhaseRule
from engine.clinical.slice_lint import lint_slice
from engine.clinical.study_lint import lint_counts
from engine.clinical.tally import VoxelTally
from engine.labelmap import LabelMap
from engine.structures import Structure
from engine.study import Patient
from tests.phantoms import CylinderHeart

HEART = CylinderHeart(lv_radii_mm=(25.0, 23.5, 22.0, 24.0), rv_radii_mm=(20.0, 18.0, 16.5, 17.0))
CHOICE = PhaseChoice(0, 2, PhaseRule.LARGEST_AND_SMALLEST)
SPACING = (2.0, 2.0)
LV, RV, MYO = Structure.LV, Structure.RV, Structure.MYOCARDIUM


def plane_of(phase: int = 0) -> NDArray[np.uint8]:
    return HEART.labels().voxels[phase, 2].copy()


def check(plane: NDArray[np.uint8]) -> dict[FindingKind, Finding]:
    found = lint_slice(plane, spacing_mm=SPACING, phase=0, slice_index=2)
    assert all((each.phase, each.slice_index) == (0, 2) for each in found)
    return {each.kind: each for each in found}


def study(voxels: NDArray[np.uint8], choice: PhaseChoice = CHOICE) -> list[Finding]:
    return lint(LabelMap(voxels, HEART.geometry), choice)


def kinds(found: list[Finding]) -> set[FindingKind]:
    return {each.kind for each in found}


def test_sound_labels_have_no_finding() -> None:
    assert study(HEART.labels().voxels.copy()) == []
    assert lint_slice(np.zeros((9, 9), np.uint8), spacing_mm=SPACING, phase=0, slice_index=0) == []


class TestSlices:
    def test_a_ring_with_a_gap_is_open(self) -> None:
        plane = plane_of()
        plane[24:40, 50:60][plane[24:40, 50:60] == MYO] = 0  # the free wall, right of the cavity
        found = check(plane)

        assert set(found) == {FindingKind.RING_OPEN}
        assert "of the cavity's border open" in found[FindingKind.RING_OPEN].what

    def test_a_cavity_without_wall_is_open_all_around(self) -> None:
        plane = plane_of()
        plane[plane != LV] = 0

        assert "100 %" in check(plane)[FindingKind.RING_OPEN].what

    def test_a_corner_that_is_open_is_not_told(self) -> None:
        plane = np.zeros((12, 12), np.uint8)
        plane[2:9, 2:9] = MYO
        plane[3:8, 3:8] = LV
        plane[2, 5] = 0  # 2 mm of 40

        assert check(plane) == {}

    def test_the_lv_touching_the_rv_is_told_with_its_length(self) -> None:
        plane = np.zeros((20, 20), np.uint8)
        plane[4:16, 6:18] = MYO
        plane[6:14, 8:16] = LV
        plane[8:12, 2:8] = RV  # through the wall, 4 pixels of 2 mm long
        found = check(plane)

        assert set(found) == {FindingKind.LV_TOUCHES_RV}
        assert "over 8 mm" in found[FindingKind.LV_TOUCHES_RV].what
        assert found[FindingKind.LV_TOUCHES_RV].severity is Severity.FAULT

    @pytest.mark.parametrize("structure", [RV, MYO, LV])
    def test_a_piece_apart_is_told_of_its_structure(self, structure: Structure) -> None:
        plane = plane_of()
        plane[2:5, 2:4] = structure  # 6 pixels of 4 mm^2
        finding = check(plane)[FindingKind.ISLAND]

        assert "(24 mm²)" in finding.what
        assert finding.key == f"island/t0/z2/{structure.name.lower()}"

    def test_several_pieces_are_one_finding(self) -> None:
        plane = plane_of()
        plane[2:5, 2:4] = plane[2:5, 10:12] = RV

        assert "2 pieces" in check(plane)[FindingKind.ISLAND].what

    def test_stray_pixels_and_pixels_that_touch_at_a_corner_are_no_pieces(self) -> None:
        plane = plane_of()
        plane[2, 2] = RV
        assert check(plane) == {}

        corner = np.zeros((12, 12), np.uint8)
        corner[2:5, 2:5] = corner[5:8, 5:8] = RV
        assert check(corner) == {}

    @pytest.mark.parametrize(
        ("at", "owner"),
        [((31, 40), "left ventricle"), ((31, 55), "myocardium"), ((31, 12), "right")],
    )
    def test_a_hole_is_told_with_what_it_is_in(self, at: tuple[int, int], owner: str) -> None:
        plane = plane_of()
        plane[at] = 0
        (finding,) = lint_slice(plane, spacing_mm=SPACING, phase=0, slice_index=2)

        assert finding.kind is FindingKind.HOLE
        assert "4 mm²" in finding.what
        assert owner in finding.what

    def test_a_hole_in_the_cavity_does_not_open_the_ring(self) -> None:
        plane = plane_of()
        plane[28:34, 38:44] = 0

        assert set(check(plane)) == {FindingKind.HOLE}

    def test_a_gap_in_the_septum_opens_the_ring_though_the_rv_shuts_it_in(self) -> None:
        plane = np.zeros((20, 20), np.uint8)
        plane[4:16, 8:18] = MYO
        plane[6:14, 10:16] = LV
        plane[2:18, 2:8] = RV
        plane[8:12, 8:10] = 0
        found = check(plane)

        assert set(found) == {FindingKind.RING_OPEN, FindingKind.HOLE}
        assert "between the ventricles" in found[FindingKind.HOLE].what

    def test_a_small_cleft_between_the_ventricles_is_none(self) -> None:
        plane = np.zeros((20, 20), np.uint8)
        plane[4:16, 8:18] = MYO
        plane[6:14, 10:16] = LV
        plane[4:16, 2:8] = RV
        small, large = plane.copy(), plane.copy()
        small[9:11, 7] = 0  # 8 mm^2, shut in by RV and myocardium
        large[6:14, 7] = 0  # 32 mm^2

        assert check(small) == {}
        assert "between the ventricles" in check(large)[FindingKind.HOLE].what

    @pytest.mark.parametrize("axis", [0, 1])
    @pytest.mark.parametrize("back", [False, True])
    def test_a_heart_at_the_edge_is_noted(self, axis: int, back: bool) -> None:
        plane = np.zeros((30, 30), np.uint8)
        plane[0:10, 12:20] = RV
        plane = plane.T if axis else plane
        found = check(np.ascontiguousarray(plane[::-1, ::-1] if back else plane))

        assert found[FindingKind.PICTURE_EDGE].severity is Severity.NOTE

    def test_millimetres_follow_the_pixels(self) -> None:
        plane = plane_of()
        plane[2:5, 2:4] = RV
        (finding,) = lint_slice(plane, spacing_mm=(1.0, 1.5), phase=0, slice_index=2)

        assert "(9 mm²)" in finding.what
        assert lint_slice(plane, spacing_mm=(0.5, 1.5), phase=0, slice_index=2) == []


class TestStudies:
    def voxels(self) -> NDArray[np.uint8]:
        return HEART.labels().voxels.copy()

    @pytest.mark.parametrize("structure", [RV, MYO, LV])
    def test_a_structure_missing_between_slices_is_a_gap(self, structure: Structure) -> None:
        voxels = self.voxels()
        voxels[0, 2][voxels[0, 2] == structure] = 0
        found = [each for each in study(voxels) if each.kind is FindingKind.GAP]

        assert [(each.phase, each.slice_index) for each in found] == [(0, 2)]
        assert found[0].key == f"gap/t0/z2/{structure.name.lower()}"

    def test_a_slice_at_es_that_ed_has_not_is_told_there(self) -> None:
        voxels = self.voxels()
        voxels[0, 1] = 0
        (finding,) = [each for each in study(voxels) if each.kind is FindingKind.BEYOND_ED]

        assert (finding.phase, finding.slice_index) == (2, 1)
        assert "3 slices at ED, 4 at ES" in finding.hint

    def test_a_half_drawn_es_is_told(self) -> None:
        heart = replace(HEART, slice_count=8, last=6)
        voxels = heart.labels().voxels.copy()
        voxels[2, 3:] = 0
        found = lint(LabelMap(voxels, heart.geometry), CHOICE)

        (lost,) = [each for each in found if each.kind is FindingKind.SLICES_LOST]
        assert "6 slices at ED but only 2 at ES" in lost.what

    @pytest.mark.parametrize(("first", "last", "ends"), [(0, 4, "first"), (1, 5, "last")])
    def test_an_lv_at_the_end_of_the_stack_is_noted(self, first: int, last: int, ends: str) -> None:
        found = study(replace(HEART, first=first, last=last).labels().voxels.copy())

        assert kinds(found) == {FindingKind.STACK_END}
        assert f"At ED the LV reaches the {ends} slice" in found[0].what

    def test_labelled_phases_without_lv_are_told(self) -> None:
        voxels = self.voxels()
        voxels[3][voxels[3] == LV] = 0

        (finding,) = [f for f in study(voxels) if f.kind is FindingKind.PHASE_WITHOUT_LV]
        assert "phase 4" in finding.what

    def test_a_thicker_wall_at_es_is_told_in_grams(self) -> None:
        voxels = replace(HEART, lv_radii_mm=(28.0, 22.0, 10.0, 21.0)).labels().voxels.copy()
        found = study(voxels)
        (finding,) = [each for each in found if each.kind is FindingKind.MASS]

        assert "larger at ES" in finding.what
        assert " g at ED" in finding.what
        unsized = lint(LabelMap(voxels, HEART.geometry), CHOICE, size_known=False)
        (finding,) = [each for each in unsized if each.kind is FindingKind.MASS]
        assert " g at ED" not in finding.what

    def test_without_a_choice_only_slices_are_checked(self) -> None:
        voxels = np.zeros_like(self.voxels())
        voxels[1, 2, 10:20, 10:20] = RV
        labels = LabelMap(voxels, HEART.geometry)
        choice = choice_of(labels)

        assert (choice.ed, choice.es) == (None, None)
        assert kinds(lint(labels, choice)) == {FindingKind.PHASE_WITHOUT_LV}


def counts_of(
    lv: tuple[float, float] = (120, 60),
    rv: tuple[float, float] = (130, 70),
    muscle: tuple[float, float] = (100, 100),
) -> NDArray[np.int64]:
    """Two phases of one slice, so many voxels each."""
    counts = np.zeros((2, 3, len(Structure)), np.int64)
    counts[:, 1, LV], counts[:, 1, RV], counts[:, 1, MYO] = lv, rv, muscle
    return counts


@pytest.mark.parametrize(
    ("faults", "kind", "said"),
    [
        ({"rv": (130, 90)}, FindingKind.STROKE_VOLUMES, "more than 25 % (LV 60 ml, RV 40 ml)"),
        ({"rv": (130, 115)}, FindingKind.STROKE_VOLUMES, "more than 70 %"),
        ({"muscle": (100, 150)}, FindingKind.MASS, "33 % larger at ES"),
        ({"muscle": (100, 80)}, FindingKind.MASS, "20 % smaller at ES"),
        ({"muscle": (0, 0)}, FindingKind.NOT_DRAWN, "no LV mass"),
        ({"lv": (120, 12)}, FindingKind.EJECTION_FRACTION, "90 % is hardly possible"),
        ({"lv": (60, 61)}, FindingKind.NO_SYSTOLE, "LV is not smaller at ES"),
        ({"rv": (60, 60)}, FindingKind.NO_SYSTOLE, "RV is not smaller at ES"),
        ({"rv": (0, 0)}, FindingKind.NOT_DRAWN, "No RV is drawn in"),
        ({"rv": (100, 0)}, FindingKind.NOT_DRAWN, "No RV is drawn at ES"),
    ],
)
def test_impossible_numbers_are_named(
    faults: dict[str, tuple[float, float]], kind: FindingKind, said: str
) -> None:
    choice = PhaseChoice(0, 1, PhaseRule.BY_HAND)
    found = {each.kind: each for each in lint_counts(counts_of(**faults), choice, voxel_ml=1.0)}

    assert said in found[kind].what


def test_numbers_that_references_have_are_no_findings() -> None:
    """Readers draw 12 % more muscle at ES on average; see docs/review.md."""
    choice = PhaseChoice(0, 1, PhaseRule.BY_HAND)
    for muscle in ((100, 90), (100, 100), (100, 112), (100, 140)):
        assert lint_counts(counts_of(muscle=muscle), choice, voxel_ml=1.0) == []


def beat(phases: int = 20) -> NDArray[np.float64]:
    """A volume curve with one minimum: 100 at first, 40 at a third of the beat."""
    at = np.arange(phases) / phases
    return np.where(at < 1 / 3, 100 - 180 * at, 40 + 90 * (at - 1 / 3))


def curve_findings(volumes: NDArray[np.float64]) -> list[Finding]:
    counts = np.zeros((len(volumes), 3, len(Structure)), np.int64)
    counts[:, 1, LV] = np.round(volumes)
    counts[:, 1, MYO] = 100
    choice = PhaseChoice(int(volumes.argmax()), int(volumes.argmin()), PhaseRule.BY_HAND)
    curve = {FindingKind.CURVE_JUMP, FindingKind.CURVE_MINIMA}
    return [each for each in lint_counts(counts, choice, voxel_ml=1.0) if each.kind in curve]


@pytest.mark.parametrize("start", range(0, 20, 3))
def test_a_smooth_beat_is_sound_wherever_it_starts(start: int) -> None:
    assert curve_findings(np.roll(beat(), start)) == []


@pytest.mark.parametrize("phase", [0, 2, 7, 12, 19])
@pytest.mark.parametrize("change", [-25, 25])
def test_one_phase_that_jumps_is_named(phase: int, change: int) -> None:
    volumes = beat()
    volumes[phase] += change
    found = [each for each in curve_findings(volumes) if each.kind is FindingKind.CURVE_JUMP]

    assert [each.phase for each in found] == [phase]


@pytest.mark.parametrize("start", [0, 5, 15])
def test_a_second_minimum_is_named_with_both_phases(start: int) -> None:
    volumes = beat()
    volumes[13:16] -= 30
    (finding,) = curve_findings(np.roll(volumes, start))

    assert finding.kind is FindingKind.CURVE_MINIMA
    for phase in (7, 13):
        assert str((phase + start) % 20 + 1) in finding.what
    assert finding.phase is not None
    assert 13 <= (finding.phase - start) % 20 < 16 or (finding.phase - start) % 20 == 7


def test_few_or_scattered_phases_make_no_curve() -> None:
    jumping = np.array([100.0, 40, 90, 45, 95])
    assert curve_findings(jumping) == []
    assert curve_findings(beat(14)[::2]) == []
    assert curve_findings(np.tile(jumping, 3))

    counts = np.zeros((20, 1, len(Structure)), np.int64)
    counts[::2, 0, LV] = [100, 40, 90, 45, 95, 100, 40, 90, 45, 95]
    choice = PhaseChoice(0, 2, PhaseRule.BY_HAND)
    assert not {FindingKind.CURVE_JUMP} & kinds(lint_counts(counts, choice, voxel_ml=None))


def test_impossible_patients_are_named_and_can_be_set_aside_one_by_one() -> None:
    found = list(lint_patient(Patient(height_cm=1.8, weight_kg=900, heart_rate_bpm=0)))

    assert [each.kind for each in found] == [FindingKind.PATIENT] * 3
    assert len({each.key for each in found}) == 3
    assert not list(lint_patient(Patient(height_cm=180, weight_kg=80, heart_rate_bpm=60)))
    assert not list(lint_patient(Patient()))


def test_checking_by_counts_and_by_labels_is_the_same() -> None:
    voxels = HEART.labels().voxels.copy()
    voxels[0, 2][voxels[0, 2] == LV] = 0
    labels = LabelMap(voxels, HEART.geometry)
    counted = lint_counts(VoxelTally(labels).counts, CHOICE, voxel_ml=labels.geometry.voxel_ml)

    assert counted == lint(labels, CHOICE, phases=[])
    assert FindingKind.GAP in kinds(counted)


def test_keys_stay_the_same_while_a_fault_grows() -> None:
    small, large = plane_of(), plane_of()
    small[31, 40] = 0
    large[29:33, 38:42] = 0
    first, second = (check(plane)[FindingKind.HOLE] for plane in (small, large))

    assert first.key == second.key
    assert first.what != second.what


def test_findings_are_told_with_place_and_remedy_faults_first() -> None:
    plane = plane_of()
    plane[31, 40] = 0
    fault = check(plane)[FindingKind.HOLE]
    note = replace(fault, severity=Severity.NOTE, phase=5, slice_index=None, what="A note.")

    assert sort_findings([note, fault]) == [fault, note]
    assert place_of(fault, CHOICE) == "ED, slice 3"
    assert describe(fault, CHOICE) == (
        "At ED, slice 3: there is a hole of 4 mm² in the left ventricle. Fill it."
    )
    assert describe(note, CHOICE) == "A note. Fill it."
    assert place_of(note, CHOICE) == "phase 6"


def test_slices_with_one_kind_of_fault_are_told_together() -> None:
    voxels = HEART.labels().voxels.copy()
    voxels[0, 1:3, 31, 40] = voxels[2, 3, 31, 40] = 0
    told = describe_all(study(voxels), CHOICE)

    assert told[0] == "At ED, slices 2, 3: there are holes in the labels. Fill it."
    assert told[1].startswith("At ES, slice 4: there is a hole of 4 mm²")
    assert len(told) == 2
