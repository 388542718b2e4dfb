"""Drawing the slices between two drawn ones, against shapes that follow from formulas."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine.correction.between import fill_gaps, interpolate
from engine.correction.wall import open_cavity
from engine.structures import HEART_STRUCTURES, SHORT_AXIS_CLASSES, Structure
from tests.planes import Plane, areas, disc, heart_plane

BACKGROUND, RV, MYOCARDIUM, LV = SHORT_AXIS_CLASSES


def stack(first: Plane, last: Plane, *, gap: int = 3) -> np.ndarray:
    """A volume whose first and last slices are drawn."""
    volume = np.zeros((gap + 2, *first.shape), np.uint8)
    volume[0], volume[-1] = first, last
    return volume


def blob(mask: np.ndarray, structure: Structure = RV) -> Plane:
    return mask.astype(np.uint8) * np.uint8(structure)


def draw(first: Plane, last: Plane, *, gap: int = 3) -> np.ndarray:
    return interpolate(stack(first, last, gap=gap), HEART_STRUCTURES, 0, gap + 1)


@pytest.mark.parametrize("gap", [1, 2, 5])
def test_between_equal_slices_lies_the_same_slice(gap: int) -> None:
    heart = heart_plane()
    assert (draw(heart, heart, gap=gap) == heart).all()


@pytest.mark.parametrize(("by_y", "by_x"), [(4, 0), (0, -8), (8, 4), (-4, 12)])
def test_a_heart_that_moves_moves_in_between(by_y: int, by_x: int) -> None:
    """Voxel for voxel, at whole places, even where the drawn shapes hardly overlap."""
    volume = draw(
        heart_plane(size=80, middle=(40, 40)), heart_plane(size=80, middle=(40 + by_y, 40 + by_x))
    )
    for z in range(5):
        middle = (40 + by_y * z / 4, 40 + by_x * z / 4)
        assert np.array_equal(volume[z], heart_plane(size=80, middle=middle))


@pytest.mark.parametrize(("radii", "moved"), [((8, 16), 0.0), ((18, 5), 0.0), ((7, 14), 9.0)])
def test_discs_go_over_into_discs_of_even_areas(radii: tuple[int, int], moved: float) -> None:
    """The radius is the root of the mixed squares, the middle lies on the straight way."""
    middles = ((30.0, 30.0), (30.0, 30.0 + moved))
    first, last = (disc(r, middle=m, size=64) for r, m in zip(radii, middles, strict=True))
    volume = draw(blob(first), blob(last))
    for z in (1, 2, 3):
        part = z / 4
        found = volume[z] == RV
        area = (1 - part) * first.sum() + part * last.sum()
        assert abs(found.sum() - area) <= 8.5  # voxels of equal distance go together
        radius = np.sqrt((1 - part) * radii[0] ** 2 + part * radii[1] ** 2)
        middle = (30.0, 30.0 + part * moved)
        assert not (found & ~disc(radius + 0.8, middle=middle, size=64)).any()
        assert not (disc(radius - 0.8, middle=middle, size=64) & ~found).any()


def test_the_ring_stays_a_ring() -> None:
    """From a wide thin ring to a narrow thick one; both discs go over by themselves."""
    first = heart_plane(cavity=12, wall=14, right=0)
    last = heart_plane(cavity=3, wall=9, right=0, middle=(26.0, 25.0))
    volume = draw(first, last)
    for z in (1, 2, 3):
        part = z / 4
        cavity = (1 - part) * areas(first)[LV] + part * areas(last)[LV]
        both = (1 - part) * sum(areas(first)[2:]) + part * sum(areas(last)[2:])
        assert abs(areas(volume[z])[LV] - cavity) <= 6
        assert abs(sum(areas(volume[z])[2:]) - both) <= 6
        assert not open_cavity(volume[z]).any()


def test_the_rv_stays_at_the_septum() -> None:
    """No seam of background opens between two structures that touch in both slices."""
    first = heart_plane(size=72, middle=(36, 40), wall=15, cavity=10, right=13)
    last = heart_plane(size=72, middle=(39, 37), wall=11, cavity=6, right=8)
    for plane in draw(first, last):
        left_of_wall = plane[int(np.argwhere(plane == LV)[:, 0].mean()), :36]
        runs = left_of_wall[np.flatnonzero(np.diff(left_of_wall, prepend=255))]
        assert runs.tolist()[:3] == [BACKGROUND, RV, MYOCARDIUM]


def test_a_structure_of_one_slice_runs_out_towards_the_other() -> None:
    """The LV above an apex of muscle alone: the area falls evenly, the wall stays closed."""
    base = heart_plane(cavity=8, wall=13, right=0)
    apex = heart_plane(cavity=0, wall=6, right=0, middle=(26.0, 29.0))
    volume = draw(base, apex)
    found = [areas(plane)[LV] for plane in volume]
    assert found == sorted(found, reverse=True)
    for z in (1, 2, 3):
        assert abs(found[z] - found[0] * (1 - z / 4)) <= 4.5
        assert not open_cavity(volume[z]).any()


def test_one_piece_goes_over_into_two() -> None:
    """Both pieces grow towards one another; nothing appears outside the drawn shapes."""
    one = disc(10, middle=(32, 32), size=64)
    two = disc(6, middle=(32, 23), size=64) | disc(6, middle=(32, 41), size=64)
    volume = draw(blob(one), blob(two))
    for z in (1, 2, 3):
        found = volume[z] == RV
        assert not (found & ~(one | two)).any()
        assert found[one & two].all()
    assert volume[1, 32, 32] == RV


def test_thin_tips_of_a_crescent_are_not_lost() -> None:
    """Half-way, at least half of what both crescents do not share is drawn."""
    long = disc(16, size=64, middle=(32, 30)) & ~disc(17, size=64, middle=(32, 36))
    short = disc(11, size=64, middle=(32, 28)) & ~disc(13, size=64, middle=(32, 34))
    found = draw(blob(long), blob(short), gap=1)[1] == RV
    assert abs(found.sum() - (long.sum() + short.sum()) / 2) <= 2


def test_only_what_was_asked_for_changes() -> None:
    volume = stack(heart_plane(), heart_plane(cavity=5, wall=9))
    volume[2] = heart_plane(right=0, cavity=6, wall=10)
    volume[2, 2, 2] = RV
    filled = interpolate(volume, [RV], 4, 0)
    assert np.array_equal(filled[[0, 4]], volume[[0, 4]])
    assert np.array_equal(filled[2] > RV, volume[2] > RV)
    assert filled[2, 2, 2] == BACKGROUND  # what the RV held before is replaced
    for z in (1, 2, 3):
        assert set(np.unique(filled[z])) - set(np.unique(volume[z])) <= {RV}
        assert (filled[z] == RV).any()
    assert np.array_equal(interpolate(volume, [RV], 0, 1), volume)


def test_what_is_in_neither_slice_stays() -> None:
    volume = stack(heart_plane(right=0), heart_plane(right=0))
    volume[2, 2:5, 2:5] = RV
    filled = interpolate(volume, HEART_STRUCTURES, 0, 4)
    assert areas(filled[2]) == areas(volume[2] + heart_plane(right=0))
    empty = np.zeros((3, 8, 8), np.uint8)
    assert not interpolate(empty, HEART_STRUCTURES, 0, 2).any()


def test_gaps_are_filled_structure_by_structure() -> None:
    """The RV misses one slice, LV and wall two; the ends stay empty."""
    volume = np.zeros((8, 48, 48), np.uint8)
    for z in (1, 2, 3, 4, 5):
        volume[z] = heart_plane(cavity=9 - z, wall=14 - z)
    whole = volume.copy()
    volume[2][volume[2] > RV] = BACKGROUND
    volume[3] = BACKGROUND
    filled = fill_gaps(volume)
    drawn = volume > 0
    assert np.array_equal(filled[drawn], volume[drawn])
    assert not filled[[0, 6, 7]].any()
    for structure in HEART_STRUCTURES:
        for z in (2, 3):
            ours, theirs = filled[z] == structure, whole[z] == structure
            assert 2 * (ours & theirs).sum() / (ours.sum() + theirs.sum()) > 0.9
    assert np.array_equal(fill_gaps(filled), filled)


def test_a_missing_lv_is_put_into_its_ring() -> None:
    volume = np.stack([heart_plane(cavity=c) for c in (8, 7, 6)])
    volume[1][volume[1] == LV] = BACKGROUND
    filled = fill_gaps(volume)
    assert np.array_equal(filled[1] == MYOCARDIUM, volume[1] == MYOCARDIUM)
    assert abs(areas(filled[1])[LV] - 150) < 10
    assert not open_cavity(filled[1]).any()


def dice(first: np.ndarray, second: np.ndarray) -> float:
    return float(2 * (first & second).sum() / (first.sum() + second.sum()))


@pytest.mark.real_data
def test_a_left_out_slice_of_a_real_heart_is_drawn_well(real_data: Path) -> None:
    """Every second slice of references is drawn anew, and better than by copying a neighbour."""
    drawn: dict[Structure, list[float]] = {structure: [] for structure in HEART_STRUCTURES}
    copied: dict[Structure, list[float]] = {structure: [] for structure in HEART_STRUCTURES}
    for path in sorted((real_data / "acdc" / "training").glob("*/*_gt.nii.gz"))[::20]:
        volume = np.asarray(nib.load(path).dataobj).T.astype(np.uint8)
        for z in range(1, len(volume) - 1, 2):
            filled = interpolate(volume, HEART_STRUCTURES, z - 1, z + 1)[z]
            for structure in HEART_STRUCTURES:
                truth = volume[z] == structure
                if truth.any() and all((volume[end] == structure).any() for end in (z - 1, z + 1)):
                    drawn[structure].append(dice(filled == structure, truth))
                    copied[structure].append(dice(volume[z - 1] == structure, truth))
            if not any(open_cavity(volume[end]).any() for end in (z - 1, z + 1)):
                assert not open_cavity(filled).any()
    for structure, least in ((LV, 0.88), (MYOCARDIUM, 0.76), (RV, 0.8)):
        assert np.mean(drawn[structure]) > max(least, np.mean(copied[structure]) + 0.05)


@given(
    first=arrays(np.uint8, (8, 9), elements=st.integers(0, 4)),
    last=arrays(np.uint8, (8, 9), elements=st.integers(0, 4)),
    between=arrays(np.uint8, (8, 9), elements=st.integers(0, 4)),
    chosen=st.sets(st.sampled_from(HEART_STRUCTURES)),
)
@settings(max_examples=60, deadline=None)
def test_any_two_slices_give_slices_of_structures(
    first: Plane, last: Plane, between: Plane, chosen: set[Structure]
) -> None:
    """Whatever was drawn, up to the edges: drawn slices and other structures stay."""
    volume = np.stack([first, between, last])
    before = volume.copy()
    filled = interpolate(volume, chosen, 0, 2)
    assert np.array_equal(volume, before)
    assert np.array_equal(filled[[0, 2]], before[[0, 2]])
    others = ~np.isin(before[1], [BACKGROUND, *chosen])
    assert np.array_equal(filled[1][others], before[1][others])
    changed = filled[1] != before[1]
    assert np.isin(filled[1][changed], [BACKGROUND, *chosen]).all()
