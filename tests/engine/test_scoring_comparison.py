"""What a correction changed, and the three kinds of Dice."""

import numpy as np
import pytest

from engine.errors import GridMismatchError
from engine.geometry import Geometry
from engine.labelmap import LabelMap
from engine.scoring.basal import BasalCriterion
from engine.scoring.comparison import (
    ChangedSlice,
    changed_slices,
    compare_correction,
    simulate_correction,
)
from engine.scoring.overlap import dice_per_volume, dice_pooled_hard, dice_soft_mean, soft_dice
from engine.structures import Structure
from tests.phantoms import CylinderHeart


def spoilt(heart: CylinderHeart) -> LabelMap:
    """The LV of phase 0 is missing on slice 1; phase 2 has a blob too many on slice 4."""
    voxels = heart.labels().voxels.copy()
    voxels[0, 1][voxels[0, 1] == Structure.LV] = 0
    voxels[2, 4, :3, :5] = Structure.RV
    return LabelMap(voxels, heart.geometry)


def test_a_correction_is_scored_before_and_after() -> None:
    heart = CylinderHeart()
    reference = heart.labels()
    found = compare_correction(spoilt(heart), reference, reference)

    lv = found["phases"]["0"]["lv"]
    assert lv["after"]["dice"] == 1.0
    assert lv["before"]["dice"] == pytest.approx(2 * 3 / 7)  # 3 of 4 equal slices
    assert lv["difference"]["dice"] == pytest.approx(1 - 6 / 7)
    assert lv["difference"]["hausdorff_mm"] == pytest.approx(-heart.slice_mm)
    assert found["phases"]["2"]["rv"]["difference"]["hausdorff_mm"] < -20
    assert found["phases"]["1"]["lv"]["difference"]["dice"] == 0
    assert found["mean_dice"]["after"] == 1.0 > found["mean_dice"]["before"]


def test_a_correction_that_makes_it_worse_is_told_as_it_is() -> None:
    heart = CylinderHeart()
    found = compare_correction(heart.labels(), spoilt(heart), heart.labels())

    assert found["mean_dice"]["difference"] < 0
    assert found["phases"]["0"]["lv"]["difference"]["volume_ml"] < 0


def test_the_changed_slices_are_listed_with_their_voxels() -> None:
    heart = CylinderHeart()
    before, after = spoilt(heart).voxels, heart.labels().voxels
    lost = int((after[0, 1] == Structure.LV).sum())

    assert changed_slices(before, after) == (ChangedSlice(0, 1, lost), ChangedSlice(2, 4, 15))
    assert changed_slices(after, after) == ()


def test_maps_of_another_grid_are_refused() -> None:
    heart = CylinderHeart()
    labels = heart.labels()
    other = LabelMap(labels.voxels, Geometry.from_affine(np.diag([2, 2, 8, 1.0]), (6, 64, 64)))

    with pytest.raises(GridMismatchError):
        compare_correction(other, labels, labels)
    with pytest.raises(GridMismatchError):
        compare_correction(labels, other, labels)


def test_a_simulated_correction_replaces_bad_slices_alone_and_says_so() -> None:
    heart = CylinderHeart()
    reference = heart.labels().voxels[0]
    predicted = spoilt(heart).voxels[0].copy()
    predicted[3, 0, 0] = Structure.RV  # a small fault stays
    done = simulate_correction(predicted, reference, below=0.9)

    assert done.slices == (1,)
    assert np.array_equal(done.labels[1], reference[1])
    assert done.labels[3, 0, 0] == Structure.RV
    assert "Simulated" in done.note
    assert "No physician" in done.note
    assert np.count_nonzero(predicted[1] == Structure.LV) == 0, "the input is untouched"


def test_a_simulated_correction_of_the_base_leaves_the_other_slices() -> None:
    heart = CylinderHeart()
    reference = heart.labels().voxels[0]
    predicted = np.zeros_like(reference)
    at_base = simulate_correction(predicted, reference, below=0.5, basal=BasalCriterion.FULL)
    everywhere = simulate_correction(predicted, reference, below=0.5)

    assert at_base.slices == (heart.first,)
    assert "basal" in at_base.note
    assert everywhere.slices == tuple(range(heart.first, heart.last + 1))
    assert np.array_equal(everywhere.labels, reference)
    nothing = simulate_correction(reference * 0, reference * 0, below=1.0)
    assert nothing.slices == ()


def test_the_three_kinds_of_dice_differ_where_pictures_are_empty() -> None:
    """One picture of 10 of 20 pixels found, one empty in both, one with 5 invented pixels."""
    truth, found = np.zeros((3, 10, 10), bool), np.zeros((3, 10, 10), bool)
    truth[0, :2], found[0, :1], found[2, 0, :5] = True, True, True
    pairs = [(found[number], truth[number]) for number in range(3)]

    assert dice_pooled_hard(pairs) == pytest.approx(20 / (10 + 20 + 5))
    assert dice_per_volume(pairs) == pytest.approx((20 / 30 + 1 + 0) / 3)
    soft = dice_soft_mean([(found.astype(np.float32), truth)], smooth=1.0)
    assert soft == pytest.approx((21 / 31 + 1 + 1 / 6) / 3)
    assert dice_soft_mean([(found[:1] * 0.5, truth[:1])], smooth=0.0) == pytest.approx(10 / 25)


def test_dice_of_nothing_has_no_value_but_empty_pictures_agree() -> None:
    empty = np.zeros((2, 4, 4), bool)

    assert dice_pooled_hard([(empty, empty)]) is None
    assert dice_pooled_hard([]) is dice_per_volume([]) is dice_soft_mean([]) is None
    assert soft_dice(empty * 0.0, empty, smooth=0.0).tolist() == [1.0, 1.0]
