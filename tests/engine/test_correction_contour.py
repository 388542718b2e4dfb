"""Editable contours: from masks, by hand, and back into labels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.correction.contour import (
    Boundary,
    Contour,
    contour_of,
    contours_of,
    drawn_anew,
    redraw,
)
from engine.correction.rules import EditRules
from engine.correction.spline import blend_weights
from engine.datasets.phantom import make_phantom
from engine.structures import Structure

SHAPE = (80, 90)
ROWS, COLUMNS = np.indices(SHAPE)


def disc(y: float, x: float, radius: float) -> np.ndarray:
    return np.hypot(ROWS - y, COLUMNS - x) <= radius


def ellipse(y: float, x: float, a: float, b: float, turn: float) -> np.ndarray:
    down, right = ROWS - y, COLUMNS - x
    along, across = (
        down * np.cos(turn) + right * np.sin(turn),
        right * np.cos(turn) - down * np.sin(turn),
    )
    return (along / a) ** 2 + (across / b) ** 2 <= 1


def changed(mask: np.ndarray, contour: Contour) -> int:
    return int((contour.mask(mask.shape) ^ mask).sum())


def heart() -> np.ndarray:
    plane = np.zeros(SHAPE, np.uint8)
    plane[disc(40, 28, 17)] = Structure.RV
    plane[disc(40, 50, 20)] = Structure.MYOCARDIUM
    plane[disc(40, 50, 13)] = Structure.LV
    plane[disc(67, 78, 8)] = Structure.LEFT_ATRIUM
    return plane


@given(st.floats(30, 50), st.floats(30, 60), st.floats(6, 25))
@settings(max_examples=10, deadline=None)
def test_discs_keep_99_percent_of_their_voxels_with_few_points(
    y: float, x: float, radius: float
) -> None:
    mask = disc(y, x, radius)
    contour = contour_of(mask)
    assert contour is not None
    assert changed(mask, contour) <= 0.01 * mask.sum()
    assert len(contour) <= 20
    # Sub-pixel: the curve runs where the circle ran, not along the stairs of the voxels.
    apart = np.abs(np.hypot(*(contour.curve() - (y, x)).T) - radius)
    assert apart.mean() < 0.35


@given(st.floats(12, 25), st.floats(6, 12), st.floats(0, np.pi))
@settings(max_examples=8, deadline=None)
def test_ellipses_keep_99_percent_of_their_voxels(a: float, b: float, turn: float) -> None:
    mask = ellipse(40, 45, a, b, turn)
    contour = contour_of(mask)
    assert contour is not None
    assert changed(mask, contour) <= 0.01 * mask.sum()
    assert len(contour) <= 24


@given(st.floats(15, 22), st.floats(8, 16))
@settings(max_examples=6, deadline=None)
def test_crescents_keep_99_percent_of_their_voxels(radius: float, apart: float) -> None:
    crescent = disc(40, 40, radius) & ~disc(40, 40 + apart, radius)
    mask, left_out = crescent, 0
    contour = contour_of(mask)
    assert contour is not None
    assert contour.left_out == left_out
    assert changed(mask, contour) <= 0.01 * mask.sum()
    assert len(contour) <= 40


@pytest.mark.parametrize(
    "voxels",
    [[(5, 5)], [(5, 5), (5, 6)], [(5, 5), (5, 6), (6, 5), (6, 6)], [(5, 5), (6, 6), (7, 7)],
     [(0, 0), (0, 1), (1, 0), (1, 1)]],
)  # fmt: skip
def test_regions_of_a_few_voxels_stay_exactly_as_they_are(voxels: list) -> None:
    mask = np.zeros((12, 12), bool)
    mask[tuple(np.transpose(voxels))] = True
    contour = contour_of(mask)
    assert contour is not None
    assert changed(mask, contour) == 0


@pytest.mark.parametrize("centre", [(0, 0), (0, 45), (79, 89), (40, 89)])
def test_regions_at_the_border_of_the_image_keep_their_voxels(centre: tuple) -> None:
    mask = disc(*centre, 18)
    contour = contour_of(mask)
    assert contour is not None
    assert changed(mask, contour) <= 0.01 * mask.sum()


def test_a_thin_ring_is_traced_on_its_outside() -> None:
    ring = disc(40, 45, 20) & ~disc(40, 45, 18.5)
    contour = contour_of(ring)
    assert contour is not None
    filled = disc(40, 45, 20)
    assert changed(filled, contour) <= 0.01 * filled.sum()


def test_of_several_pieces_the_largest_is_traced_and_the_rest_counted() -> None:
    small = disc(15, 15, 4)
    contour = contour_of(disc(50, 50, 12) | small)
    assert contour is not None
    assert contour.left_out == small.sum()
    assert not contour.mask(SHAPE)[15, 15]
    assert contour_of(np.zeros(SHAPE, bool)) is None


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_frayed_masks_are_outlined_as_a_whole(seed: int) -> None:
    from scipy.ndimage import gaussian_filter

    noise = gaussian_filter(np.random.default_rng(seed).normal(size=SHAPE), 1.5)
    mask = disc(40, 45, 18) & (noise > -0.12)
    contour = contour_of(mask)
    assert contour is not None
    traced = contour.mask(SHAPE)
    assert (mask & ~traced).sum() - contour.left_out <= 0.03 * traced.sum()


def test_a_broken_ring_is_outlined_as_if_it_were_whole() -> None:
    thin = disc(40, 45, 20) & ~disc(40, 45, 18.7)
    cavity = disc(40, 43, 17)  # touches the ring on one side
    thin[39:42, 60:] = False
    contour = contour_of(thin | cavity)
    assert contour is not None
    assert len(contour) < 40
    assert changed(disc(40, 45, 20), contour) <= 0.04 * disc(40, 45, 20).sum()


def test_contours_of_the_phantom_hearts_have_few_points() -> None:
    phantom = make_phantom(3, phases=4, slices=6)
    counted = 0
    for plane in phantom.labels.voxels[:2].reshape(-1, *phantom.labels.shape[2:]):
        for boundary, contour in contours_of(plane).items():
            counted += 1
            assert len(contour) <= (40 if boundary is Boundary.RV else 24)
    assert counted > 15


def test_a_slice_has_the_contours_of_what_it_holds() -> None:
    assert set(contours_of(heart())) == set(Boundary)
    alone = np.where(heart() == Structure.LV, Structure.LV, 0).astype(np.uint8)
    assert set(contours_of(alone)) == {Boundary.ENDO}
    apex = np.where(heart() == Structure.MYOCARDIUM, Structure.MYOCARDIUM, 0).astype(np.uint8)
    assert set(contours_of(apex)) == {Boundary.EPI}
    assert contours_of(np.zeros(SHAPE, np.uint8)) == {}


def octagon(radius: float = 15, y: float = 40, x: float = 45) -> Contour:
    angles = np.arange(8) * np.pi / 4
    return Contour(np.stack([y + radius * np.sin(angles), x + radius * np.cos(angles)], axis=1))


def test_weights_of_the_spline_sum_to_one_and_reproduce_the_points() -> None:
    contour = octagon()
    span = np.repeat(np.arange(8), 5)
    weights = blend_weights(contour.points, span, np.tile(np.linspace(0, 0.99, 5), 8))
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    np.testing.assert_allclose(contour.curve(8)[::8], contour.points)


def test_the_curvature_of_the_spline_has_no_jumps() -> None:
    random = np.random.default_rng(0)
    contour = Contour(octagon().points + random.normal(0, 2, (8, 2)))
    fine = 400
    curve = contour.curve(fine)
    speed = (np.roll(curve, -1, axis=0) - np.roll(curve, 1, axis=0)) / 2 * fine
    bend = (np.roll(curve, -1, axis=0) - 2 * curve + np.roll(curve, 1, axis=0)) * fine**2
    bent = (speed[:, 0] * bend[:, 1] - speed[:, 1] * bend[:, 0]) / np.hypot(*speed.T) ** 3
    # Differences across a knot mix two speeds; just beside it both curvatures must agree.
    before, after = bent[np.arange(8) * fine - 2], bent[np.arange(8) * fine + 2]
    np.testing.assert_allclose(before, after, atol=0.02 * np.abs(bent).max())


def test_a_moved_point_bends_four_spans_and_no_more() -> None:
    angles = np.arange(12) * np.pi / 6
    contour = Contour(np.stack([40 + 15 * np.sin(angles), 45 + 15 * np.cos(angles)], axis=1))
    moved = contour.moved(5, (50.0, 20.0))
    same = np.isclose(contour.curve(), moved.curve()).all(axis=1).reshape(12, -1).all(axis=1)
    np.testing.assert_array_equal(np.flatnonzero(~same), [3, 4, 5, 6])
    np.testing.assert_array_equal(moved.points[5], (50.0, 20.0))


def test_a_nudge_pushes_its_place_and_leaves_what_is_out_of_reach() -> None:
    contour = octagon()
    place = (40.0, 60.0)
    nudged = contour.nudged(place, (0.0, 3.0), 8.0)
    assert nudged.distance((40.0, 63.0)) < 0.3
    assert contour.distance((40.0, 63.0)) == pytest.approx(3.0, abs=0.2)
    far = np.hypot(*(contour.curve() - place).T) > 22
    for point in contour.curve()[far]:
        assert nudged.distance(tuple(point)) < 0.15


def test_a_point_can_be_set_and_taken_without_moving_the_curve_much() -> None:
    contour = octagon()
    more = contour.with_point((55.0, 52.0))
    assert len(more) == 9
    index, _ = more.nearest((55.0, 52.0))
    assert max(contour.distance(tuple(point)) for point in more.curve()) < 0.3
    np.testing.assert_allclose(more.without_point(index).points, contour.points)


def test_three_points_are_the_least() -> None:
    triangle = Contour(np.array([[0.0, 0.0], [0.0, 9.0], [9.0, 0.0]]))
    assert triangle.without_point(1) is triangle


def test_nearest_names_the_point_and_its_distance() -> None:
    index, distance = octagon().nearest((40.0, 62.0))
    assert index == 0
    assert distance == pytest.approx(2.0)


def test_shifting_moves_every_point() -> None:
    np.testing.assert_allclose(octagon().shifted((2.0, -1.0)).points, octagon(15, 42, 44).points)


@pytest.mark.parametrize("boundary", list(Boundary))
def test_a_contour_that_did_not_move_changes_no_voxel(boundary: Boundary) -> None:
    contour = contours_of(heart())[boundary]
    np.testing.assert_array_equal(redraw(heart(), boundary, contour, before=contour), heart())


@pytest.mark.parametrize("boundary", list(Boundary))
def test_voxels_far_from_a_dragged_point_never_change(boundary: Boundary) -> None:
    contour = contours_of(heart())[boundary]
    y, x = contour.points[0]
    moved = contour.moved(0, (y + 4, x - 4))
    after = redraw(heart(), boundary, moved, before=contour)
    differs = after != heart()
    between = contour.mask(SHAPE) ^ moved.mask(SHAPE)
    assert differs.any()
    assert not (differs & ~between).any()


def test_endo_moves_the_border_between_cavity_and_wall() -> None:
    plane = heart()
    for by in (-4.0, 4.0):
        wanted = Contour(40 + (octagon().points - (40, 45)) * (13 + by) / 15)
        wanted = wanted.shifted((0.0, 10.0))
        after = redraw(plane, Boundary.ENDO, wanted)
        cavity = wanted.mask(SHAPE)
        lv_now = after == Structure.LV
        assert (lv_now ^ cavity).sum() <= 0.02 * cavity.sum()
        union = np.isin(plane, (Structure.LV, Structure.MYOCARDIUM))
        np.testing.assert_array_equal(np.isin(after, (Structure.LV, Structure.MYOCARDIUM)), union)


def test_a_cavity_without_a_wall_shrinks_into_the_background() -> None:
    plane = np.zeros(SHAPE, np.uint8)
    plane[disc(40, 45, 15)] = Structure.LV
    after = redraw(plane, Boundary.ENDO, octagon(10))
    assert not (after == Structure.MYOCARDIUM).any()
    assert (after == Structure.LV).sum() < (plane == Structure.LV).sum()


def test_epi_gives_the_wall_voxels_and_keeps_the_cavity() -> None:
    plane = heart()
    wider = Contour((octagon(23).points - (40, 45)) + (40, 50))
    after = redraw(plane, Boundary.EPI, wider)
    np.testing.assert_array_equal(after == Structure.LV, plane == Structure.LV)
    inside = wider.mask(SHAPE)
    assert np.isin(after[inside], (Structure.LV, Structure.MYOCARDIUM)).mean() > 0.99


def test_the_rv_takes_no_wall_unless_the_rules_say_so() -> None:
    plane = heart()
    contour = Contour((octagon(20).points - (40, 45)) + (40, 36))
    usual = redraw(plane, Boundary.RV, contour)
    union = (Structure.LV, Structure.MYOCARDIUM)
    np.testing.assert_array_equal(np.isin(usual, union) | ~np.isin(plane, union), True)
    free = redraw(plane, Boundary.RV, contour, EditRules())
    assert (np.isin(plane, union) & (free == Structure.RV)).sum() > 50


def test_rules_protect_other_structures() -> None:
    plane = heart()
    wide = Contour((octagon(28).points - (40, 45)) + (40, 50))
    rules = EditRules(over=frozenset({Structure.BACKGROUND, Structure.MYOCARDIUM}))
    after = redraw(plane, Boundary.EPI, wide, rules)
    np.testing.assert_array_equal(after == Structure.RV, plane == Structure.RV)


def test_other_pieces_outlive_a_redrawn_contour_but_not_a_new_one() -> None:
    plane = heart()
    plane[5:9, 5:9] = Structure.RV
    contour = contours_of(plane)[Boundary.RV]
    assert contour.left_out == 16
    kept = redraw(plane, Boundary.RV, contour.shifted((-2.0, 0.0)))
    assert (kept[5:9, 5:9] == Structure.RV).all()
    anew = drawn_anew(plane, Boundary.RV, contour.shifted((-2.0, 0.0)))
    assert not anew[5:9, 5:9].any()


def test_a_heart_can_be_drawn_from_nothing() -> None:
    plane = np.zeros(SHAPE, np.uint8)
    endo, epi = octagon(12), octagon(18)
    plane = drawn_anew(plane, Boundary.ENDO, endo)
    plane = drawn_anew(plane, Boundary.EPI, epi)
    np.testing.assert_array_equal(plane == Structure.LV, endo.mask(SHAPE))
    np.testing.assert_array_equal(
        plane == Structure.MYOCARDIUM, epi.mask(SHAPE) & ~endo.mask(SHAPE)
    )
