"""Overlap and distances with answers known by formula."""

import numpy as np
import pytest

from engine.geometry import Geometry
from engine.labelmap import LabelMap
from engine.scoring.distance import hausdorff95_mm, hausdorff_mm, surface_distances_mm
from engine.scoring.evaluation import compare_labels, compare_phase
from engine.scoring.overlap import dice


def box(*bounds: tuple[int, int]) -> np.ndarray:
    mask = np.zeros((6, 40, 40), bool)
    mask[tuple(slice(*bound) for bound in bounds)] = True
    return mask


def test_dice_of_half_overlapping_boxes_is_a_half() -> None:
    assert dice(box((0, 2), (0, 10), (0, 10)), box((0, 2), (5, 15), (0, 10))) == 0.5


def test_two_empty_masks_agree_and_one_empty_mask_does_not() -> None:
    empty = np.zeros((2, 3, 3), bool)

    assert dice(empty, empty) == 1.0
    assert dice(empty, ~empty) == 0.0
    assert surface_distances_mm(empty, ~empty, spacing_mm=(1, 1, 1)) is None


def test_the_hausdorff_distance_is_in_millimetres() -> None:
    """Two boxes on 40 x 40 x 6 voxels of 1.5 x 1.5 x 10 mm: 12.5897 mm by their corners."""
    first = box((1, 4), (10, 20), (10, 20))
    second = box((1, 5), (9, 20), (12, 25))
    distances = surface_distances_mm(first, second, spacing_mm=(10.0, 1.5, 1.5))

    assert distances is not None
    assert hausdorff_mm(distances) == pytest.approx(12.5897, abs=1e-3)
    assert hausdorff95_mm(distances) <= hausdorff_mm(distances)


def test_a_shift_by_one_slice_is_one_slice_distance() -> None:
    first, second = box((1, 3), (10, 20), (10, 20)), box((2, 4), (10, 20), (10, 20))
    distances = surface_distances_mm(first, second, spacing_mm=(8.0, 1.0, 1.0))

    assert distances is not None
    assert hausdorff_mm(distances) == 8.0


def test_volumes_of_a_phase_are_in_millilitres() -> None:
    labels = np.zeros((4, 20, 20), np.uint8)
    labels[1:3, 5:15, 5:15] = 3
    scores = compare_phase(labels, labels, spacing_mm=(8.0, 1.5, 1.5))

    assert scores["lv"]["volume_ml"] == pytest.approx(200 * 8 * 1.5 * 1.5 / 1000)
    assert scores["rv"]["hausdorff_mm"] is None


def cine_labels(*labelled: int) -> LabelMap:
    """Four phases with a cavity in the given ones."""
    voxels = np.zeros((4, 2, 12, 12), np.uint8)
    voxels[list(labelled), :, 3:9, 3:9] = 3
    return LabelMap(voxels, Geometry.from_affine(np.diag([1.5, 1.5, 8.0, 1.0]), (2, 12, 12)))


def test_phases_that_were_not_predicted_are_named_not_counted() -> None:
    result = compare_labels(cine_labels(0, 2), cine_labels(0, 1, 2, 3))

    assert sorted(result["phases"]) == ["0", "2"]
    assert result["not_predicted"] == [1, 3]
    assert result["mean_dice"] == 1.0


def test_a_prediction_that_shares_no_phase_with_the_reference_has_missed() -> None:
    result = compare_labels(cine_labels(), cine_labels(0, 2))

    assert result["not_predicted"] == []
    assert result["phases"]["0"]["lv"]["dice"] == 0.0
