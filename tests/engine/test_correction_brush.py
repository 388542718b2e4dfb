"""The voxels under a brush, and the patch that paints them."""

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.correction.brush import (
    BrushForm,
    adaptive_mark,
    ball_mark,
    brush_mark,
    grey_at,
    paint,
    paint_volume,
)
from engine.correction.rules import EditRules
from engine.geometry import Geometry
from engine.labelmap import LabelMap
from engine.structures import Structure
from tests.planes import disc

SHAPE = (40, 50)
PLACES = st.tuples(*(st.integers(-150, end).map(lambda n: n / 10) for end in (550, 650)))
SPACINGS = st.tuples(st.sampled_from([0.7, 1.0, 1.4, 3.0]), st.sampled_from([0.7, 1.0, 2.0]))


def picture(mark: np.ndarray, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask.reshape(-1)[mark] = True
    return mask


def to_segment(points: np.ndarray, start: Any, end: Any) -> np.ndarray:
    """Distance of points (..., axes) from a segment, by looking for the nearest place on it."""
    start, way = np.asarray(start), np.subtract(end, start)
    squared = way @ way
    part = (
        np.clip((points - start) @ way / squared, 0, 1) if squared else np.zeros(points.shape[:-1])
    )
    return np.linalg.norm(points - start - part[..., None] * way, axis=-1)


def centres(shape: tuple[int, ...], spacing: Any) -> np.ndarray:
    return np.stack(np.indices(shape), axis=-1) * np.asarray(spacing)


def clear_of(distance: np.ndarray, radius: float) -> np.ndarray:
    """Voxels that rounding cannot move over the rim."""
    return np.abs(distance - radius) > 1e-6


@pytest.mark.parametrize("form", BrushForm)
@pytest.mark.parametrize(
    ("radius_mm", "rows", "columns"), [(0.1, 0, 0), (2.0, 2, 1), (3.9, 3, 1), (4.0, 4, 2)]
)
def test_a_dab_reaches_as_far_as_its_radius(
    form: BrushForm, radius_mm: float, rows: int, columns: int
) -> None:
    """On voxels of 1 x 2 mm; a centre exactly on the rim belongs to the mark."""
    mark = brush_mark(
        (20, 20), (20, 20), radius_mm=radius_mm, spacing_mm=(1.0, 2.0), shape=SHAPE, form=form
    )
    y, x = np.nonzero(picture(mark))
    assert (y.min(), y.max()) == (20 - rows, 20 + rows)
    assert (x.min(), x.max()) == (20 - columns, 20 + columns)
    if form is BrushForm.SQUARE:
        assert len(mark) == (2 * rows + 1) * (2 * columns + 1)


@given(start=PLACES, end=PLACES, radius=st.floats(2.2, 12), spacing=SPACINGS)
@settings(max_examples=80, deadline=None)
def test_a_stroke_is_every_voxel_within_the_radius_of_the_way(
    start: Any, end: Any, radius: float, spacing: Any
) -> None:
    """The formula, voxel by voxel, wherever the way lies: across the edges of the image too."""
    found = picture(brush_mark(start, end, radius_mm=radius, spacing_mm=spacing, shape=SHAPE))
    scale = np.asarray(spacing)
    distance = to_segment(centres(SHAPE, spacing), start * scale, end * scale)
    clear = clear_of(distance, radius)
    assert np.array_equal(found[clear], (distance <= radius)[clear])


@given(start=PLACES, end=PLACES, radius=st.floats(2.2, 12), spacing=SPACINGS)
@settings(max_examples=80, deadline=None)
def test_a_square_stroke_is_every_voxel_the_square_passes(
    start: Any, end: Any, radius: float, spacing: Any
) -> None:
    """The greatest of both offsets is convex along the way: it is least where they cross."""
    found = picture(
        brush_mark(
            start, end, radius_mm=radius, spacing_mm=spacing, shape=SHAPE, form=BrushForm.SQUARE
        )
    )
    way = np.subtract(end, start) * spacing
    off = centres(SHAPE, spacing) - np.multiply(start, spacing)
    with np.errstate(divide="ignore", invalid="ignore"):
        crossings = [
            off[..., 0] / way[0],
            off[..., 1] / way[1],
            (off[..., 0] - off[..., 1]) / (way[0] - way[1]),
            (off[..., 0] + off[..., 1]) / (way[0] + way[1]),
        ]
    parts = [np.zeros(SHAPE), *(np.clip(np.nan_to_num(part), 0, 1) for part in crossings)]
    parts.append(np.ones(SHAPE))
    distance = np.min([np.abs(off - part[..., None] * way).max(axis=-1) for part in parts], axis=0)
    clear = clear_of(distance, radius)
    assert np.array_equal(found[clear], (distance <= radius)[clear])


@given(start=PLACES, end=PLACES, radius=st.floats(0.01, 3), form=st.sampled_from(BrushForm))
@example(start=(0.0, 8.5), end=(0.4, 6.5), radius=0.25, form=BrushForm.CIRCLE)
@settings(max_examples=80, deadline=None)
def test_a_stroke_has_no_gaps_and_ends_under_the_cursor(
    start: Any, end: Any, radius: float, form: BrushForm
) -> None:
    """However small the brush and however fast the mouse: one piece, by faces and corners."""
    from scipy.ndimage import label

    mark = brush_mark(start, end, radius_mm=radius, spacing_mm=(1.0, 1.4), shape=SHAPE, form=form)
    assert np.array_equal(mark, np.unique(mark))
    found = picture(mark)
    assert label(found, structure=np.ones((3, 3)))[1] <= 1
    y, x = round(end[0]), round(end[1])
    if 0 <= y < SHAPE[0] and 0 <= x < SHAPE[1]:
        assert found[y, x]


def test_a_stroke_beside_the_image_marks_nothing() -> None:
    mark = brush_mark((-30, 5), (-20, 60), radius_mm=5, spacing_mm=(1, 1), shape=SHAPE)
    assert mark.size == 0


VOLUME = (6, 30, 32)


@given(
    start=st.tuples(st.floats(-1, 6), st.floats(-5, 34), st.floats(-5, 36)),
    end=st.tuples(st.floats(-1, 6), st.floats(-5, 34), st.floats(-5, 36)),
    radius=st.floats(5.5, 20),
    flat=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_a_ball_is_round_in_millimetres(start: Any, end: Any, radius: float, flat: bool) -> None:
    """Every voxel within the radius of the way, on slices six times as far apart as voxels."""
    spacing = np.array([8.0, 1.3, 1.4])
    if flat:  # as a mouse moves: within one slice
        end = (start[0], *end[1:])
    found = picture(
        ball_mark(start, end, radius_mm=radius, spacing_mm=tuple(spacing), shape=VOLUME), VOLUME
    )
    distance = to_segment(centres(VOLUME, spacing), start * spacing, end * spacing)
    clear = clear_of(distance, radius)
    assert np.array_equal(found[clear], (distance <= radius)[clear])


def test_a_ball_cuts_slices_in_discs_of_the_right_size() -> None:
    mark = ball_mark((3, 15, 15), (3, 15, 15), radius_mm=10, spacing_mm=(8, 1, 1), shape=VOLUME)
    found = picture(mark, VOLUME)
    assert np.array_equal(found[3], disc(10, middle=(15, 15))[:30, :32])
    for z in (2, 4):
        assert np.array_equal(found[z], disc(6, middle=(15, 15))[:30, :32])  # 6-8-10
    assert not found[[0, 1, 5]].any()


def test_the_smallest_ball_paints_one_voxel() -> None:
    mark = ball_mark((2, 7, 8), (2, 7, 8), radius_mm=0.1, spacing_mm=(8, 1, 1), shape=VOLUME)
    assert mark.tolist() == [np.ravel_multi_index((2, 7, 8), VOLUME)]


def cine_labels() -> LabelMap:
    geometry = Geometry((3, 20, 24), (8.0, 1.0, 1.0), np.diag([1.0, 1.0, 8.0, 1.0]))
    labels = LabelMap.empty(2, geometry)
    wanted = np.zeros((2, 3, 20, 24), np.uint8)
    wanted[:, :, 5:15, 5:15] = Structure.MYOCARDIUM
    wanted[:, :, 8:12, 8:12] = Structure.LV
    labels.apply(labels.patch_to(wanted))
    return labels


def test_painting_keeps_to_its_slice_and_to_the_rules() -> None:
    labels = cine_labels()
    mark = np.arange(20 * 24)
    patch = paint(
        labels,
        mark,
        phase=1,
        slice_index=2,
        structure=Structure.RV,
        rules=EditRules.protecting_others(Structure.RV),
    )
    assert patch.slices(labels.shape) == {(1, 2)}
    assert len(patch) == 20 * 24 - 100
    labels.apply(patch)
    assert np.array_equal(
        labels.voxels[1, 2] == Structure.RV, cine_labels().voxels[1, 2] == Structure.BACKGROUND
    )
    labels.apply(patch.inverse())
    assert np.array_equal(labels.voxels, cine_labels().voxels)


def test_painting_looks_at_the_grey_value_of_each_voxel() -> None:
    labels = cine_labels()
    cine = np.arange(3 * 20 * 24).reshape(3, 24, 20).transpose(0, 2, 1)  # no plain memory order
    mark = brush_mark((10, 10), (10, 10), radius_mm=4, spacing_mm=(1, 1), shape=(20, 24))
    rules = EditRules(grey_range=(680, 705))
    patch = paint(
        labels, mark, phase=0, slice_index=1, structure=Structure.RV, rules=rules, grey=cine[1]
    )
    changed = np.zeros((20, 24), bool)
    changed.reshape(-1)[patch.indices - 20 * 24] = True
    expected = (cine[1] >= 680) & (cine[1] <= 705) & picture(mark, (20, 24))
    assert expected.any()
    assert np.array_equal(changed, expected)


def test_painting_a_volume_looks_at_the_grey_value_of_each_voxel() -> None:
    labels = cine_labels()
    grey = np.random.default_rng(1).integers(0, 100, (3, 20, 24))
    mark = ball_mark((1, 10, 10), (1, 10, 12), radius_mm=9, spacing_mm=(8, 1, 1), shape=(3, 20, 24))
    rules = EditRules.only_inside(Structure.LV, grey_range=(50, 100))
    patch = paint_volume(labels, mark, phase=1, structure=Structure.RV, rules=rules, grey=grey)
    labels.apply(patch)
    before = cine_labels().voxels[1]
    expected = picture(mark, (3, 20, 24)) & (before == Structure.LV) & (grey >= 50)
    assert len(patch.slices(labels.shape)) == 3
    assert np.array_equal(labels.voxels[1] != before, expected)


def test_painting_what_is_there_is_no_change() -> None:
    labels = cine_labels()
    mark = np.array([10 * 24 + 10])
    assert len(paint(labels, mark, phase=0, slice_index=0, structure=Structure.LV)) == 0


SIDE = (48, 48)
WHOLE = brush_mark((24, 20), (24, 20), radius_mm=10, spacing_mm=(1, 1), shape=SIDE)


def noisy(mask: np.ndarray, *, sigma: float = 8.0) -> np.ndarray:
    """Bright (200) in a mask and dark (80) outside, with noise, as the scanner stores it."""
    noise = np.random.default_rng(3).normal(0, sigma, mask.shape)
    return (np.where(mask, 200, 80) + noise).astype(np.uint16)


@pytest.mark.parametrize("inside", [True, False])
def test_the_adaptive_brush_stops_at_a_straight_edge(inside: bool) -> None:
    """Voxel for voxel, on the bright side and on the dark one."""
    bright = np.zeros(SIDE, bool)
    bright[:, :24] = True
    found = picture(adaptive_mark(WHOLE, (24, 20), grey=noisy(bright == inside)), SIDE)
    assert np.array_equal(found, picture(WHOLE, SIDE) & bright)


def test_the_adaptive_brush_finds_a_disc() -> None:
    blood = disc(7, middle=(24, 20))
    found = picture(adaptive_mark(WHOLE, (24, 20), grey=noisy(blood)), SIDE)
    assert (found ^ blood).sum() <= 0.05 * blood.sum()


def test_the_adaptive_brush_does_not_jump_a_thin_wall() -> None:
    """A septum of two voxels between two bright ventricles."""
    bright = np.ones(SIDE, bool)
    bright[:, 24:26] = False
    found = picture(adaptive_mark(WHOLE, (24, 20), grey=noisy(bright)), SIDE)
    assert not found[:, 24:].any()
    assert found[:, :24].sum() == picture(WHOLE, SIDE)[:, :24].sum()


def test_the_adaptive_brush_paints_all_of_one_tissue() -> None:
    even = np.full(SIDE, 120)
    assert np.array_equal(adaptive_mark(WHOLE, (24, 20), grey=even), WHOLE)
    ramp = np.tile(np.arange(SIDE[1]) * 3, (SIDE[0], 1))
    assert np.array_equal(adaptive_mark(WHOLE, (24, 20), grey=ramp), WHOLE)


def test_a_stroke_can_keep_to_the_tissue_it_began_in() -> None:
    bright = np.zeros(SIDE, bool)
    bright[:, :24] = True
    grey = noisy(bright)
    blood = grey_at(grey, (24, 10))
    assert 190 < blood < 210
    over_muscle = brush_mark((24, 30), (24, 30), radius_mm=10, spacing_mm=(1, 1), shape=SIDE)
    assert adaptive_mark(over_muscle, (24, 30), grey=grey, like=blood).size == 0
    assert adaptive_mark(over_muscle, (24, 30), grey=grey, like=blood, tolerance=40).size == 0
    deep_in_muscle = brush_mark((24, 36), (24, 36), radius_mm=10, spacing_mm=(1, 1), shape=SIDE)
    assert adaptive_mark(deep_in_muscle, (24, 36), grey=grey, like=blood).size == 0
    air = np.where(np.arange(48) > 38, 5, grey)
    assert adaptive_mark(deep_in_muscle, (24, 36), grey=air, like=blood).size == 0
    deep_in_blood = brush_mark((24, 10), (24, 10), radius_mm=9, spacing_mm=(1, 1), shape=SIDE)
    for other in (blood, 0.9 * blood):
        assert adaptive_mark(deep_in_blood, (24, 10), grey=grey, like=other).size > 230
    found = picture(adaptive_mark(WHOLE, (24, 20), grey=grey, like=blood, tolerance=60), SIDE)
    assert np.array_equal(found, picture(WHOLE, SIDE) & bright)


@given(
    y=st.integers(-3, 50),
    x=st.integers(-3, 50),
    radius=st.floats(0.5, 12),
    seed=st.integers(0, 99),
)
@settings(max_examples=60, deadline=None)
def test_the_adaptive_mark_is_one_piece_of_the_mark_under_the_cursor(
    y: int, x: int, radius: float, seed: int
) -> None:
    """At the edges of the image and on plain noise as well."""
    from scipy.ndimage import label

    grey = np.random.default_rng(seed).normal(100, 30, SIDE)
    mark = brush_mark((y, x), (y, x), radius_mm=radius, spacing_mm=(1, 1), shape=SIDE)
    found = adaptive_mark(mark, (y, x), grey=grey)
    assert np.isin(found, mark).all()
    if 0 <= y < SIDE[0] and 0 <= x < SIDE[1]:
        assert y * SIDE[1] + x in found
        assert label(picture(found, SIDE))[1] == 1
    else:
        assert found.size == 0
