"""Wall thickness, RV insertion points and AHA segments on hearts of known shape."""

from math import cos, hypot, radians, sin

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.clinical.insertion import (
    InsertionPoints,
    UpSource,
    find_points,
    points_by_hand,
    widest_run_deg,
)
from engine.clinical.phases import PhaseChoice, PhaseRule
from engine.clinical.segments import (
    SEGMENT_NAMES,
    Level,
    bullseye,
    measure_segments,
    segment_number,
    split_levels,
)
from engine.clinical.wall import measure_wall
from engine.geometry import Geometry
from engine.labelmap import LabelMap
from engine.structures import Structure

SIZE = 128


def heart_slice(
    *,
    inner: float = 22.0,
    wall: float = 10.0,
    septum_deg: float = 180.0,
    half_width_deg: float = 60.0,
    pixel_mm: tuple[float, float] = (1.0, 1.0),
    thicker: float = 0.0,
) -> np.ndarray:
    """A ring with an RV that clings to it on a sector of known ends; all lengths in mm.

    `thicker` moves the cavity to the right, so that the septum is thicker by so much.
    """
    rows, columns = np.indices((SIZE, SIZE)) - (SIZE - 1) / 2
    y, x = rows * pixel_mm[0] - 0.2, columns * pixel_mm[1] + 0.3
    away = np.hypot(y, x)
    angle = np.degrees(np.arctan2(y, x))
    beside = np.abs((angle - septum_deg + 180) % 360 - 180) <= half_width_deg
    plane = np.zeros((SIZE, SIZE), np.uint8)
    plane[(away < inner + wall + 14) & beside] = Structure.RV
    plane[away < inner + wall] = Structure.MYOCARDIUM
    plane[np.hypot(y, x - thicker) < inner] = Structure.LV
    return plane


def grid(
    slices: int = 9, pixel_mm: tuple[float, float] = (1.0, 1.0), affine: np.ndarray | None = None
) -> Geometry:
    plain = np.diag([pixel_mm[1], pixel_mm[0], 8.0, 1.0])
    return Geometry.from_affine(plain if affine is None else affine, (slices, SIZE, SIZE))


def angles_apart(one: float, other: float) -> float:
    return abs((one - other + 180) % 360 - 180)


@settings(max_examples=25, deadline=None)
@given(inner=st.floats(12, 26), wall=st.floats(4, 14))
def test_a_ring_is_as_thick_as_it_was_drawn(inner: float, wall: float) -> None:
    profile = measure_wall(heart_slice(inner=inner, wall=wall), (8.0, 1.0, 1.0))

    assert profile is not None
    assert profile.thickness_mm.mean() == pytest.approx(wall, abs=0.25)
    assert np.abs(profile.thickness_mm - wall).max() < 1.0  # half a pixel at either border


@pytest.mark.parametrize("pixel_mm", [(0.7, 0.7), (1.5, 1.5), (1.6, 1.0), (0.8, 1.4)])
def test_oblong_pixels_do_not_bend_the_thickness(pixel_mm: tuple[float, float]) -> None:
    profile = measure_wall(heart_slice(pixel_mm=pixel_mm), (8.0, *pixel_mm))

    assert profile is not None
    assert profile.thickness_mm.mean() == pytest.approx(10.0, abs=0.25)


def test_a_cavity_off_the_middle_has_its_thick_side_where_it_is() -> None:
    """Circles of radius 22 and 32 whose middles lie 4 mm apart: 14 mm on one side, 6 mm there."""
    profile = measure_wall(heart_slice(thicker=4.0), (8.0, 1.0, 1.0))

    assert profile is not None
    left = profile.thickness_mm[np.abs(profile.angles_deg - 180) < 8]
    right = profile.thickness_mm[np.cos(np.radians(profile.angles_deg)) > 0.99]
    assert left.mean() == pytest.approx(14.0, abs=0.5)
    assert right.mean() == pytest.approx(6.0, abs=0.5)


def test_a_papillary_muscle_does_not_thicken_the_wall() -> None:
    plane = heart_slice()
    with_muscle = plane.copy()
    with_muscle[60:66, 58:64] = Structure.MYOCARDIUM

    one, other = (measure_wall(each, (8.0, 1.0, 1.0)) for each in (plane, with_muscle))
    assert one is not None
    assert other is not None
    assert one.thickness_mm.tolist() == other.thickness_mm.tolist()


def test_without_a_wall_or_a_cavity_there_is_no_thickness() -> None:
    plane = heart_slice()
    for missing in (Structure.LV, Structure.MYOCARDIUM):
        part = np.where(plane == missing, 0, plane).astype(np.uint8)
        assert measure_wall(part, (8.0, 1.0, 1.0)) is None


@settings(max_examples=25, deadline=None)
@given(septum=st.floats(0, 360), half=st.floats(30, 75))
def test_insertion_points_are_the_ends_of_the_septum(septum: float, half: float) -> None:
    points = find_points(heart_slice(septum_deg=septum, half_width_deg=half), grid())

    assert points is not None
    assert points.source is UpSource.PICTURE
    assert angles_apart(points.anterior_deg, septum + half) < 4
    assert angles_apart(points.inferior_deg, septum - half) < 4
    assert abs(points.septum_deg) == pytest.approx(2 * half, abs=7)


@pytest.mark.parametrize("pixel_mm", [(1.6, 1.0), (0.8, 1.4)])
def test_oblong_pixels_do_not_bend_the_directions(pixel_mm: tuple[float, float]) -> None:
    points = find_points(heart_slice(pixel_mm=pixel_mm, septum_deg=215), grid(pixel_mm=pixel_mm))

    assert points is not None
    assert angles_apart(points.anterior_deg, 275) < 4
    assert angles_apart(points.inferior_deg, 155) < 4


def test_a_gap_in_the_rv_does_not_end_the_septum() -> None:
    plane = heart_slice()
    rows, columns = np.indices(plane.shape) - (SIZE - 1) / 2
    angle = np.degrees(np.arctan2(rows, columns)) % 360
    plane[(plane == Structure.RV) & (np.abs(angle - 190) < 7)] = Structure.BACKGROUND

    points = find_points(plane, grid())

    assert points is not None
    assert abs(points.septum_deg) == pytest.approx(120, abs=7)


def test_a_slice_without_a_septum_has_no_insertion_points() -> None:
    plane = heart_slice()
    alone = np.where(plane == Structure.RV, 0, plane).astype(np.uint8)
    far = alone.copy()
    far[:5, :5] = Structure.RV
    ring = heart_slice(half_width_deg=180)

    for each in (alone, far, ring, np.zeros_like(plane)):
        assert find_points(each, grid()) is None


def test_runs_of_directions_go_over_zero() -> None:
    start, end = widest_run_deg(np.array([350.0, 355, 0, 5, 10, 20, 100, 110]))

    assert start % 360 == 350
    assert end - start == pytest.approx(30)


def oblique(*, flipped_rows: bool = False, flipped_columns: bool = False) -> np.ndarray:
    """A short axis as DICOM gives it: seen from the apex, columns to the left and the back."""
    normal = np.array([-0.65, 0.50, -0.57])
    normal /= np.linalg.norm(normal)
    down = np.array([0.0, -1.0, 0.0])
    down -= (down @ normal) * normal
    down /= np.linalg.norm(down)
    right = np.cross(normal, down)
    affine = np.eye(4)
    affine[:3, 0] = right * (-1 if flipped_columns else 1)
    affine[:3, 1] = down * (-1 if flipped_rows else 1)
    affine[:3, 2] = 8 * normal
    return affine


@pytest.mark.parametrize("flipped_rows", [False, True])
@pytest.mark.parametrize("flipped_columns", [False, True])
def test_the_anterior_point_is_that_of_the_patient_however_a_file_is_stored(
    flipped_rows: bool, flipped_columns: bool
) -> None:
    plane = heart_slice(septum_deg=200)
    if flipped_rows:
        plane = plane[::-1]
    if flipped_columns:
        plane = plane[:, ::-1]
    affine = oblique(flipped_rows=flipped_rows, flipped_columns=flipped_columns)
    geometry = grid(affine=affine)

    points = find_points(np.ascontiguousarray(plane), geometry)

    assert points is not None
    assert points.source is UpSource.PATIENT
    places = []
    for angle in (points.anterior_deg, points.inferior_deg):
        y, x = points.place(angle, 32.0, geometry)
        places.append(geometry.position_mm(z=4, y=y, x=x))
    assert places[0][1] > places[1][1]  # further to the front


def test_a_mirrored_file_without_a_position_is_seen_the_other_way_round() -> None:
    plane = heart_slice(septum_deg=180, half_width_deg=60)
    as_stored = find_points(plane, grid(affine=np.diag([-1.0, -1.0, 8.0, 1.0])))
    mirrored = find_points(plane, grid(affine=np.diag([-1.0, 1.0, 8.0, 1.0])))

    assert as_stored is not None
    assert mirrored is not None
    assert angles_apart(as_stored.anterior_deg, mirrored.inferior_deg) < 1e-6


POINTS = InsertionPoints((64.0, 64.0), 240.0, 120.0, UpSource.PICTURE)
"""As on most short axes: the septum on the left, 120 degrees wide."""


@pytest.mark.parametrize(
    ("angle", "number"),
    [(270, 1), (210, 2), (150, 3), (90, 4), (30, 5), (330, 6)],
)
def test_six_segments_go_from_anterior_over_the_septum(angle: float, number: int) -> None:
    """A septum of 120 degrees makes all six equal: the standard circle of the AHA."""
    assert segment_number(angle, Level.BASAL, POINTS) == number
    assert segment_number(angle, Level.MID, POINTS) == number + 6
    mirrored = InsertionPoints((64.0, 64.0), -60.0, 60.0, UpSource.PICTURE)
    assert segment_number(180 - angle, Level.BASAL, mirrored) == number


@pytest.mark.parametrize(("angle", "number"), [(270, 13), (180, 14), (90, 15), (0, 16)])
def test_the_apex_has_four_quarters(angle: float, number: int) -> None:
    for offset in (-40, 0, 40):
        assert segment_number(angle + offset, Level.APICAL, POINTS) == number


@given(
    anterior=st.floats(0, 360),
    width=st.floats(40, 170),
    sense=st.sampled_from((-1, 1)),
    level=st.sampled_from(list(Level)),
)
def test_all_directions_have_a_segment_and_all_segments_a_direction(
    anterior: float, width: float, sense: int, level: Level
) -> None:
    points = InsertionPoints(
        (0.0, 0.0), anterior, (anterior + sense * width) % 360, UpSource.BY_HAND
    )
    numbers = [segment_number(angle, level, points) for angle in range(360)]

    first = {Level.BASAL: 1, Level.MID: 7, Level.APICAL: 13}[level]
    assert set(numbers) == set(range(first, first + (4 if level is Level.APICAL else 6)))
    if level is not Level.APICAL:
        septal = sum(number - first in (1, 2) for number in numbers)
        assert septal == pytest.approx(width, abs=2)


@given(st.integers(3, 20))
def test_thirds_are_even_and_in_order(count: int) -> None:
    levels = list(split_levels(list(range(10, 10 + count))).values())
    counts = [levels.count(level) for level in Level]

    assert levels == sorted(levels, key=list(Level).index)
    assert max(counts) - min(counts) <= 1
    assert min(counts) >= 1


def cone(*, ed: tuple[float, float] = (22, 8), es: tuple[float, float] = (16, 11)) -> LabelMap:
    """Nine slices that taper to an apex; cavity radius and wall at ED and at ES [mm]."""
    voxels = np.zeros((2, 9, SIZE, SIZE), np.uint8)
    for phase, (inner, wall) in enumerate((ed, es)):
        for z in range(9):
            voxels[phase, z] = heart_slice(inner=inner * (1 - 0.05 * z), wall=wall)
    return LabelMap(voxels, grid())


CHOICE = PhaseChoice(0, 1, PhaseRule.BY_HAND)


def everything(labels: LabelMap) -> np.ndarray:
    return np.ones(labels.shape[:2], bool)


def test_an_even_wall_thickens_evenly_in_all_sixteen() -> None:
    labels = cone()
    found = measure_segments(labels, CHOICE, everything(labels))

    assert [each.number for each in found.segments] == list(range(1, 17))
    for each in found.segments:
        assert each.ed_mm == pytest.approx(8.0, abs=0.3)
        assert each.es_mm == pytest.approx(11.0, abs=0.3)
        assert each.thickening == pytest.approx(3 / 8, abs=0.06)
        assert each.name == SEGMENT_NAMES[each.number - 1]
        assert each.place is not None
        assert found.levels is not None
        assert found.levels[each.place].value == each.name.split()[0]
    assert found.mean_ed_mm == pytest.approx(8.0, abs=0.2)


def test_a_thick_septum_is_found_in_the_septum_alone() -> None:
    voxels = cone().voxels.copy()
    for z in range(9):
        voxels[0, z] = heart_slice(inner=22 * (1 - 0.05 * z), wall=10, thicker=4.0)
    labels = LabelMap(voxels, grid())
    by_number = {
        each.number: each.ed_mm or 0
        for each in measure_segments(labels, CHOICE, everything(labels)).segments
    }

    assert min(by_number[n] for n in (2, 3, 8, 9, 14)) > 11.5
    assert max(by_number[n] for n in (5, 6, 11, 12, 16)) < 8.5


def test_the_base_may_lie_at_either_end() -> None:
    labels = cone()
    turned = LabelMap(labels.voxels[:, ::-1], grid())
    one, other = (
        measure_segments(each, CHOICE, everything(each)).segments for each in (labels, turned)
    )

    assert [s.ed_mm for s in one] == pytest.approx([s.ed_mm for s in other])


def test_insertion_points_by_hand_move_the_segments() -> None:
    """A third of a turn further: the septum becomes the inferior and inferolateral wall."""
    voxels = cone().voxels.copy()
    for z in range(9):
        voxels[0, z] = heart_slice(inner=22 * (1 - 0.05 * z), wall=10, thicker=4.0)
    labels = LabelMap(voxels, grid())
    middle = (63.5, 63.5)

    def towards(angle: float) -> tuple[float, float]:
        return middle[0] + 30 * sin(radians(angle)), middle[1] + 30 * cos(radians(angle))

    hand = points_by_hand(middle, towards(0), towards(240), grid())
    found = measure_segments(labels, CHOICE, everything(labels), {(0, z): hand for z in range(9)})
    by_number = {each.number: each.ed_mm or 0 for each in found.segments}

    assert hand.source is UpSource.BY_HAND
    assert hand.anterior_deg == pytest.approx(0)
    assert hand.inferior_deg == pytest.approx(240)
    assert found.source is UpSource.BY_HAND
    assert min(by_number[n] for n in (4, 5)) > 11.5  # 120 to 240 degrees: the thick side
    assert max(by_number[n] for n in (1, 2)) < 8.5


def test_a_slice_without_rv_borrows_its_neighbours_points() -> None:
    voxels = cone().voxels.copy()
    voxels[:, 6:][voxels[:, 6:] == Structure.RV] = Structure.BACKGROUND
    labels = LabelMap(voxels, grid())

    found = measure_segments(labels, CHOICE, everything(labels))

    assert found.points is not None
    assert found.points[0, 8].anterior_deg == found.points[0, 5].anterior_deg
    assert all(each.ed_mm is not None for each in found.segments)


def test_what_has_no_segments_says_why() -> None:
    labels = cone()
    without_rv = LabelMap(np.where(labels.voxels == Structure.RV, 0, labels.voxels), grid())
    open_ring = labels.voxels.copy()
    open_ring[:, :, :, 64:][open_ring[:, :, :, 64:] == Structure.MYOCARDIUM] = 0
    only_es = PhaseChoice(None, 1, PhaseRule.ONLY_ONE)

    for each, choice, why in (
        (without_rv, CHOICE, "RV"),
        (LabelMap(open_ring, grid()), CHOICE, "closed wall"),
        (labels, only_es, "end diastole"),
    ):
        found = measure_segments(each, choice, everything(each))
        assert found.segments == ()
        assert why in found.why_not
        assert found.mean_ed_mm is None


def test_a_single_phase_has_thickness_but_no_thickening() -> None:
    labels = cone()
    found = measure_segments(labels, PhaseChoice(0, None, PhaseRule.ONLY_ONE), everything(labels))

    assert all(each.ed_mm and each.es_mm is None for each in found.segments)
    assert {each.thickening for each in found.segments} == {None}


@pytest.mark.parametrize("count", [16, 17])
def test_a_bullseye_covers_its_disc_once(count: int) -> None:
    sectors = bullseye(count)

    assert [each.number for each in sectors] == list(range(1, count + 1))
    area = sum((s.outer**2 - s.inner**2) * s.span_deg / 360 for s in sectors)
    assert area == pytest.approx(1.0)
    for y, x in np.random.default_rng(1).uniform(-1, 1, (200, 2)):
        radius, angle = hypot(y, x), np.degrees(np.arctan2(y, x)) % 360
        inside = [
            s
            for s in sectors
            if s.inner <= radius < s.outer and (angle - s.start_deg) % 360 < s.span_deg
        ]
        assert len(inside) == (radius < 1)


@pytest.mark.parametrize(
    ("number", "angle"), [(1, 90), (4, 270), (7, 90), (13, 90), (14, 180), (15, 270), (16, 0)]
)
def test_the_anterior_wall_is_on_top_and_the_septum_on_the_left(number: int, angle: float) -> None:
    sector = bullseye()[number - 1]

    assert (angle - sector.start_deg) % 360 == pytest.approx(sector.span_deg / 2)
