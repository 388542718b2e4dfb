"""Volumes that follow the brush."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.clinical.tally import VoxelTally
from engine.clinical.volumes import make_curve
from engine.geometry import Geometry
from engine.labelmap import LabelMap
from engine.structures import ALL_STRUCTURES, Structure

SHAPE = (3, 4, 6, 5)
GEOMETRY = Geometry.from_affine(np.diag([1.5, 2.0, 8.0, 1.0]), SHAPE[1:])


def random_map(seed: int) -> LabelMap:
    voxels = np.random.default_rng(seed).integers(0, 4, SHAPE).astype(np.uint8)
    return LabelMap(voxels, GEOMETRY)


def test_a_tally_measures_what_slice_summation_measures() -> None:
    labels = random_map(1)

    tally = VoxelTally(labels)

    for structure in ALL_STRUCTURES:
        counted, summed = tally.curve(structure), make_curve(labels, structure)
        assert counted.phases == summed.phases
        assert counted.volumes_ml == pytest.approx(summed.volumes_ml)


@given(
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 4), st.integers(1, 300)), max_size=8)
)
@settings(max_examples=40, deadline=None)
def test_patches_keep_it_equal_to_a_tally_made_anew(
    edits: list[tuple[int, int, int]],
) -> None:
    labels = LabelMap.empty(SHAPE[0], GEOMETRY)
    tally = VoxelTally(labels)

    for seed, structure, size in edits:
        places = np.random.default_rng(seed).choice(np.prod(SHAPE), size, replace=False)
        patch = labels.patch_at(np.sort(places), structure)
        labels.apply(patch)
        tally.take(patch)

    anew = VoxelTally(labels)
    assert tally.labelled_phases() == anew.labelled_phases()
    for structure in ALL_STRUCTURES:
        assert tally.curve(structure) == anew.curve(structure)


def test_a_slice_is_area_times_distance() -> None:
    labels = LabelMap.empty(1, GEOMETRY)
    patch = labels.patch_at(np.arange(7), Structure.RV)  # 7 pixels of 3 mm^2, 8 mm apart
    labels.apply(patch)
    tally = VoxelTally(LabelMap.empty(1, GEOMETRY))

    tally.take(patch)

    assert tally.slice_ml(0, 0, Structure.RV) == pytest.approx(7 * 3 * 8 / 1000)
    assert tally.slices_ml(0, Structure.LV).tolist() == [0, 0, 0, 0]


def test_an_empty_patch_changes_nothing() -> None:
    labels = random_map(2)
    tally = VoxelTally(labels)

    tally.take(labels.patch_at(np.empty(0, np.intp), 1))

    assert tally.curve(Structure.LV) == VoxelTally(labels).curve(Structure.LV)
