"""Operations on one slice, against voxels that follow from formulas."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from engine.correction.rules import EditRules
from engine.correction.slices import (
    contract,
    exchange,
    expand,
    fill_holes,
    flood,
    keep_island,
    keep_largest,
    on_phase,
    remove_island,
    shift,
    smooth,
)
from engine.correction.wall import keep_wall, open_cavity
from engine.structures import HEART_STRUCTURES, SHORT_AXIS_CLASSES, Structure
from tests.planes import Plane, areas, disc, heart_plane

BACKGROUND, RV, MYOCARDIUM, LV = SHORT_AXIS_CLASSES
HEART = heart_plane()
MIDDLE = (24, 27)
SMALL_PLANES = arrays(np.uint8, (9, 11), elements=st.integers(0, 4))
SMOOTH = partial(smooth, radius_mm=3.0, spacing_mm=(1.0, 1.0))


def with_specks(**specks: tuple[Structure, tuple[int, int]]) -> Plane:
    plane = HEART.copy()
    for structure, place in specks.values():
        plane[place] = structure
    return plane


def without_lv(plane: Plane) -> Plane:
    return np.where(plane == LV, np.uint8(BACKGROUND), plane)


# Holes


def test_a_hole_is_filled_whatever_lies_in_it() -> None:
    plane = with_specks(gap=(BACKGROUND, (24, 27)), papillary=(MYOCARDIUM, (22, 25)))
    assert np.array_equal(fill_holes(plane, LV), HEART)


def test_filling_the_wall_leaves_the_cavity() -> None:
    """Of the myocardium's ring only the gaps in it and beside the LV are filled."""
    plane = with_specks(in_wall=(BACKGROUND, (24, 37)), speck=(RV, (34, 27)))
    plane[24, 35] = BACKGROUND  # the last voxel of the LV
    expected = HEART.copy()
    expected[24, 35] = MYOCARDIUM
    assert np.array_equal(fill_holes(plane, MYOCARDIUM), expected)


def test_a_ring_without_its_lv_stays_a_ring() -> None:
    ring = without_lv(heart_plane(right=0))
    dotted = ring.copy()
    dotted[24, 37] = BACKGROUND
    assert np.array_equal(fill_holes(dotted, MYOCARDIUM), ring)


def test_a_pinhole_in_a_solid_apex_is_filled() -> None:
    solid = heart_plane(cavity=0, right=0)
    dotted = solid.copy()
    dotted[MIDDLE] = BACKGROUND
    assert np.array_equal(fill_holes(dotted, MYOCARDIUM), solid)


def test_a_bay_open_to_the_edge_of_the_image_is_no_hole() -> None:
    plane = np.zeros((5, 5), np.uint8)
    plane[1:4, 1:4] = RV
    plane[2, :3] = BACKGROUND
    assert np.array_equal(fill_holes(plane, RV), plane)
    assert np.array_equal(fill_holes(plane, LV), plane)


# Islands


@pytest.fixture
def islands() -> Plane:
    """The heart with a fleck of LV in its wall, one outside, and one between wall and RV."""
    return with_specks(in_wall=(LV, (24, 37)), outside=(LV, (3, 3)), seam=(LV, (24, 15)))


def test_the_wall_closes_over_an_island_and_background_over_the_rest(islands: Plane) -> None:
    expected = HEART.copy()
    expected[24, 15] = BACKGROUND  # it touched two structures: nobody knows whose it is
    assert np.array_equal(keep_largest(islands, LV), expected)
    assert np.array_equal(keep_island(islands, MIDDLE), expected)


def test_a_click_removes_the_one_island_under_it(islands: Plane) -> None:
    expected = islands.copy()
    expected[24, 37] = MYOCARDIUM
    assert np.array_equal(remove_island(islands, (24, 37)), expected)
    assert np.array_equal(remove_island(HEART, MIDDLE), without_lv(HEART))


def test_a_click_keeps_a_small_island_too(islands: Plane) -> None:
    kept = keep_island(islands, (3, 3))
    assert np.argwhere(kept == LV).tolist() == [[3, 3]]
    assert np.array_equal(kept == RV, islands == RV)


@pytest.mark.parametrize("at", [(0, 0), (-1, 5), (48, 5), (5, 99)])
def test_a_click_on_nothing_does_nothing(islands: Plane, at: tuple[int, int]) -> None:
    assert np.array_equal(keep_island(islands, at), islands)
    assert np.array_equal(remove_island(islands, at), islands)


def test_pieces_hang_together_by_corners_and_across_slices() -> None:
    volume = np.zeros((3, 6, 6), np.uint8)
    volume[0, 1, 1] = volume[1, 2, 2] = volume[2, 2, 3] = RV
    volume[0, 5, 5] = volume[0, 5, 4] = RV
    kept = keep_largest(volume, RV)
    assert kept.sum() == 3
    assert not kept[0, 5].any()
    assert np.array_equal(remove_island(volume, (0, 5, 4)), kept)


# Smoothing


@pytest.mark.parametrize("structure", HEART_STRUCTURES)
def test_smoothing_leaves_what_is_smooth(structure: Structure) -> None:
    """Discs keep each voxel; the sharp tips of the RV's crescent may lose some."""
    smoothed = SMOOTH(HEART, structure)
    assert (smoothed != HEART).sum() <= (6 if structure is RV else 0)


@pytest.mark.parametrize(("structure", "radius"), [(LV, 8), (MYOCARDIUM, 12)])
def test_smoothing_takes_a_spike_off_and_fills_a_notch(structure: Structure, radius: int) -> None:
    """Three voxels too many at the top and three too few at the right: nearly the disc is left."""
    clean = heart_plane(right=0)
    plane = clean.copy()
    plane[24, 27 + radius - 2 : 27 + radius + 1] = MYOCARDIUM if structure is LV else BACKGROUND
    plane[24 - radius - 3 : 24 - radius, 27] = structure
    assert (plane != clean).sum() == 6
    smoothed = SMOOTH(plane, structure)
    assert (smoothed != clean).sum() <= 3
    assert abs(areas(smoothed)[LV] - areas(plane)[LV]) <= 2


@pytest.mark.parametrize("structure", HEART_STRUCTURES)
def test_smoothing_again_and_again_does_not_shrink_a_structure(structure: Structure) -> None:
    """Twenty times, with half the LV's radius; a Gaussian cut at one half would take a sixth."""
    plane = HEART
    for _ in range(20):
        plane = smooth(plane, structure, radius_mm=4.0, spacing_mm=(1.0, 1.0))
    assert abs(areas(plane)[structure] / areas(HEART)[structure] - 1) < 0.03
    assert not open_cavity(plane).any()


@pytest.mark.parametrize("wall", [9.0, 9.5, 10.5])
def test_smoothing_keeps_the_thinnest_ring_closed(wall: float) -> None:
    plane = heart_plane(wall=wall)
    jagged = plane.copy()
    rough = np.random.default_rng(4).random(plane.shape) < 0.3
    jagged[rough & (plane == LV) & ~disc(6, middle=MIDDLE)] = MYOCARDIUM
    assert not open_cavity(jagged).any()
    for structure in HEART_STRUCTURES:
        smoothed = smooth(jagged, structure, radius_mm=8.0, spacing_mm=(1.0, 1.0))
        assert not open_cavity(smoothed).any()
        assert set(np.unique(smoothed)) == {0, 1, 2, 3}


def test_smoothing_measures_in_millimetres() -> None:
    """A disc on voxels of 1 x 2 mm is round for it and stays."""
    plane = np.zeros((48, 48), np.uint8)
    plane[disc(14, spacing_mm=(1.0, 2.0))] = LV
    smoothed = smooth(plane, LV, radius_mm=6, spacing_mm=(1.0, 2.0))
    assert (smoothed != plane).sum() <= 0.03 * (plane > 0).sum()


@pytest.mark.parametrize("structure", HEART_STRUCTURES)
def test_smoothing_is_the_same_at_the_edge_of_the_image(structure: Structure) -> None:
    """A heart that the image cuts through its middle keeps a straight cut."""
    half = HEART[:, 27:]
    assert (SMOOTH(half, structure) != half).sum() <= 6


def test_a_tiny_apex_is_not_smoothed_away() -> None:
    plane = heart_plane(cavity=1, wall=3, right=0)
    for structure in (LV, MYOCARDIUM):
        assert areas(smooth(plane, structure, radius_mm=10, spacing_mm=(1, 1)))[structure] > 0


# Growing and shrinking


@pytest.mark.parametrize("spacing", [0.8, 1.0, 1.5])
@pytest.mark.parametrize("by_mm", [0.3, 1.0, 2.0, 3.7])
def test_a_straight_edge_moves_by_the_distance(spacing: float, by_mm: float) -> None:
    """The border lies half-way between two centres; those within the distance change sides."""
    plane = np.zeros((30, 40), np.uint8)
    plane[:, :20] = LV
    layers = int(np.floor(by_mm / spacing + 0.5))
    grown = expand(plane, LV, by_mm=by_mm, spacing_mm=(1.0, spacing))
    shrunk = contract(plane, LV, by_mm=by_mm, spacing_mm=(1.0, spacing))
    assert (grown == LV).sum(axis=1).tolist() == [20 + layers] * 30
    assert (shrunk == LV).sum(axis=1).tolist() == [20 - layers] * 30


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (1.0, 1.5)])
@pytest.mark.parametrize("by_mm", [-4.0, -2.5, -1.0, 1.0, 2.5, 4.0, 6.0])
def test_a_disc_grows_and_shrinks_to_a_disc(by_mm: float, spacing: tuple[float, float]) -> None:
    """Its radius changes by the distance, to a third of a voxel all around."""
    draw = partial(disc, size=64, middle=(32.2, 31.7), spacing_mm=spacing)
    plane = draw(15.0).astype(np.uint8) * LV
    operation = expand if by_mm > 0 else contract
    found = operation(plane, LV, by_mm=abs(by_mm), spacing_mm=spacing) == LV
    radius = np.sqrt(found.sum() * np.prod(spacing) / np.pi)
    assert abs(radius - (15 + by_mm)) < 0.3 * max(spacing)
    assert not (found & ~draw(15 + by_mm + 0.8 * max(spacing))).any()
    assert not (draw(15 + by_mm - 0.8 * max(spacing)) & ~found).any()


def test_the_lv_grows_over_what_the_rules_leave_to_it() -> None:
    grow = partial(expand, HEART, LV, by_mm=6, spacing_mm=(1.0, 1.0))
    assert np.array_equal(grow(rules=EditRules.protecting_others(LV)), HEART)
    only_wall = grow(rules=EditRules.only_inside(MYOCARDIUM))
    assert np.array_equal(only_wall == LV, disc(12, middle=MIDDLE))
    assert np.array_equal(only_wall == RV, HEART == RV)
    over_all = grow()
    assert (over_all == LV).sum() > (only_wall == LV).sum()
    grey = np.tile(np.arange(48), (48, 1))
    left_alone = grow(rules=EditRules(grey_range=(27, 99)), grey=grey)
    assert np.array_equal(left_alone[:, :27], HEART[:, :27])
    assert np.array_equal(left_alone[:, 27:], over_all[:, 27:])


def test_what_shrinks_gives_way_to_its_neighbours() -> None:
    """The LV to its wall, so that the ring grows thicker; the RV to the septum and outwards."""
    smaller = contract(HEART, LV, by_mm=2, spacing_mm=(1.0, 1.0))
    assert np.array_equal(smaller > RV, HEART > RV)
    assert 0 < areas(smaller)[LV] < areas(HEART)[LV]
    thin = contract(HEART, RV, by_mm=2, spacing_mm=(1.0, 1.0))
    assert areas(thin)[MYOCARDIUM] > areas(HEART)[MYOCARDIUM]
    assert areas(thin)[BACKGROUND] > areas(HEART)[BACKGROUND]
    protected = EditRules.only_inside(BACKGROUND, MYOCARDIUM)
    assert np.array_equal(
        contract(HEART, RV, by_mm=2, spacing_mm=(1.0, 1.0), rules=protected), HEART
    )


@pytest.mark.parametrize("operation", [expand, contract])
def test_no_distance_and_nothing_there_change_nothing(operation: partial[Plane]) -> None:
    assert np.array_equal(operation(HEART, LV, by_mm=0, spacing_mm=(1, 1)), HEART)
    empty = np.zeros((8, 8), np.uint8)
    assert np.array_equal(operation(empty, LV, by_mm=3, spacing_mm=(1, 1)), empty)
    full = np.full((8, 8), LV, np.uint8)
    assert np.array_equal(operation(full, LV, by_mm=3, spacing_mm=(1, 1)), full)


# Shift, exchange, flood


@given(plane=SMALL_PLANES, by_y=st.integers(-12, 12), by_x=st.integers(-14, 14))
@settings(max_examples=60, deadline=None)
def test_a_shift_moves_each_voxel(plane: Plane, by_y: int, by_x: int) -> None:
    moved = shift(plane, by_y, by_x)
    for y, x in np.ndindex(plane.shape):
        from_y, from_x = y - by_y, x - by_x
        there = 0 <= from_y < 9 and 0 <= from_x < 11
        assert moved[y, x] == (plane[from_y, from_x] if there else BACKGROUND)


@given(plane=SMALL_PLANES, pair=st.permutations(list(Structure)))
def test_an_exchange_is_undone_by_itself(plane: Plane, pair: list[Structure]) -> None:
    first, second = pair[:2]
    swapped = exchange(plane, first, second)
    assert np.array_equal(swapped == first, plane == second)
    assert np.array_equal(exchange(swapped, second, first), plane)


def test_flooding_fills_a_patch_and_stops_at_the_rules() -> None:
    ring = without_lv(HEART)
    assert np.array_equal(flood(ring, MIDDLE, LV), HEART)
    assert np.array_equal(flood(ring, MIDDLE, LV, EditRules.only_inside(RV)), ring)
    grey = np.tile(np.arange(48), (48, 1))
    half = flood(ring, MIDDLE, LV, EditRules(grey_range=(27, 99)), grey)
    assert np.array_equal(half == LV, (HEART == LV) & (grey >= 27))


def test_flooding_does_not_run_out_of_a_broken_ring() -> None:
    broken = without_lv(HEART)
    broken[24, 30:] = BACKGROUND
    assert np.array_equal(flood(broken, MIDDLE, LV), broken)
    assert np.array_equal(flood(broken, (60, 3), LV), broken)


# The wall, and every slice of a phase


def test_the_wall_is_given_back_where_it_was() -> None:
    """Whether the LV came out, the RV came in, or both met in the middle."""
    came_out = np.where(disc(14, middle=MIDDLE), np.uint8(LV), HEART)
    kept = keep_wall(HEART, came_out)
    assert not open_cavity(kept).any()
    assert (kept == LV).sum() > (HEART == LV).sum()
    came_in = HEART.copy()
    came_in[:, :24] = RV
    kept = keep_wall(HEART, came_in)
    assert not open_cavity(kept).any()
    assert np.array_equal(kept[:, 24:], HEART[:, 24:])
    assert np.array_equal(kept == RV, came_in == RV) is False


def test_a_wall_that_was_open_may_stay_so() -> None:
    base = HEART.copy()
    base[:20][base[:20] == MYOCARDIUM] = BACKGROUND
    assert open_cavity(base).any()
    assert np.array_equal(keep_wall(base, base), base)


def test_a_phase_is_its_slices() -> None:
    volume = np.stack([HEART, np.zeros_like(HEART), with_specks(hole=(BACKGROUND, MIDDLE))])
    filled = on_phase(volume, partial(fill_holes, structure=LV))
    assert np.array_equal(filled, [HEART, np.zeros_like(HEART), HEART])


OPERATIONS = {
    "fill holes": fill_holes,
    "keep largest": keep_largest,
    "smooth": SMOOTH,
    "expand": partial(expand, by_mm=1.2, spacing_mm=(1.0, 1.3)),
    "contract": partial(contract, by_mm=1.2, spacing_mm=(1.0, 1.3)),
}


@pytest.mark.parametrize("name", OPERATIONS)
@given(plane=SMALL_PLANES, structure=st.sampled_from(HEART_STRUCTURES))
@settings(max_examples=40, deadline=None)
def test_any_plane_gives_a_plane_of_structures(
    name: str, plane: NDArray[np.uint8], structure: Structure
) -> None:
    """Whatever was drawn, up to the edges; the plane itself is never touched."""
    before = plane.copy()
    after = OPERATIONS[name](plane, structure)
    assert np.array_equal(plane, before)
    assert after.dtype == np.uint8
    assert after.shape == plane.shape
    assert after.max() <= max(Structure)
    if name in ("fill holes", "expand"):
        assert (after[plane == structure] == structure).all()
    if name in ("keep largest", "contract"):
        assert (plane[after == structure] == structure).all()
