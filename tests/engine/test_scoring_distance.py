"""Surface distances against MONAI, and what there is to say about empty masks."""

import warnings

import numpy as np
import pytest

from engine.scoring.cleaning import largest_components
from engine.scoring.distance import (
    hausdorff95_mm,
    hausdorff_mm,
    mean_surface_distance_mm,
    slice_distances,
    surface_distances_mm,
    union_box,
)
from engine.scoring.structure_scores import score_structures

ATRIUM = ("background", "left_atrium")


def blobs(seed: int, shape: tuple[int, ...], *, border: bool = False) -> np.ndarray:
    """A smooth random shape of several pieces; with `border` it reaches the edge of the image."""
    from scipy.ndimage import gaussian_filter

    random = np.random.default_rng(seed)
    field = gaussian_filter(random.normal(size=shape), [1.0] * (len(shape) - 2) + [3.0, 3.0])
    mask = field > np.quantile(field, 0.85)
    if not border:
        inside = np.zeros(shape, bool)
        inside[(slice(1, -1),) * len(shape)] = True
        mask &= inside
    return mask


@pytest.mark.parametrize("border", [False, True])
@pytest.mark.parametrize(
    ("shape", "spacing_mm"),
    [((9, 40, 37), (10.0, 1.5, 1.25)), ((40, 52), (0.7, 1.3)), ((12, 24, 24), (1.0, 1.0, 1.0))],
    ids=["anisotropic", "in the plane", "isotropic"],
)
def test_r1_12_distances_are_those_of_monai(
    shape: tuple[int, ...], spacing_mm: tuple[float, ...], border: bool
) -> None:
    import torch
    from monai.metrics import compute_average_surface_distance, compute_hausdorff_distance

    for seed in range(3):
        predicted, reference = blobs(seed, shape, border=border), blobs(seed + 50, shape)
        ours = surface_distances_mm(predicted, reference, spacing_mm=spacing_mm)
        assert ours is not None
        pair = [torch.from_numpy(mask)[None, None] for mask in (predicted, reference)]
        with warnings.catch_warnings():
            # MONAI 1.6 calls a function of its own by an argument it has deprecated.
            warnings.filterwarnings(
                "ignore", message=".*always_return_as_numpy", category=FutureWarning
            )
            whole, part = (
                compute_hausdorff_distance(
                    *pair, include_background=True, spacing=spacing_mm, percentile=percentile
                ).item()
                for percentile in (None, 95)
            )
            mean = compute_average_surface_distance(
                *pair, include_background=True, spacing=spacing_mm, symmetric=True
            ).item()

        assert np.float32(hausdorff_mm(ours)) == np.float32(whole)
        assert hausdorff95_mm(ours) == pytest.approx(part, rel=1e-5)  # float32 inside
        assert mean_surface_distance_mm(ours) == pytest.approx(mean, rel=1e-6)


def test_distances_in_the_plane_are_those_of_each_slice_alone() -> None:
    predicted, reference = blobs(1, (6, 40, 30)), blobs(2, (6, 40, 30))
    predicted[2] = False  # one side empty: counted
    predicted[4] = reference[4] = False  # both empty: no matter
    planes = slice_distances(predicted, reference, spacing_mm=(8.0, 0.7, 1.3))

    for number, value in enumerate(planes.hausdorff_mm):
        alone = surface_distances_mm(predicted[number], reference[number], spacing_mm=(0.7, 1.3))
        assert value == (None if alone is None else pytest.approx(hausdorff_mm(alone)))
    one_sided = [a.any() != b.any() for a, b in zip(predicted, reference, strict=True)]
    assert planes.excluded == sum(one_sided) >= 1
    assert planes.median_mm == pytest.approx(np.median(planes.known_mm))


def test_r3_9_the_distance_in_the_plane_is_the_median_over_slices() -> None:
    """Squares shifted by 1, 2 and 9 pixels of 1.5 mm: median 3 mm, whatever the slice gap is."""
    reference = np.zeros((5, 40, 40), bool)
    reference[:4, 10:20, 10:20] = True
    predicted = np.zeros_like(reference)
    for number, shift in enumerate((1, 2, 9)):
        predicted[number] = np.roll(reference[number], shift, axis=1)
    planes = slice_distances(predicted, reference, spacing_mm=(30.0, 1.5, 1.5))

    assert planes.hausdorff_mm == (1.5, 3.0, 13.5, None, None)
    assert planes.median_mm == 3.0
    assert planes.excluded == 1


def test_of_empty_masks_two_agree_and_one_has_no_distance() -> None:
    empty = np.zeros((3, 8, 8), np.uint8)
    drawn = empty.copy()
    drawn[1, 2:5, 2:5] = 1

    def scores(predicted: np.ndarray, reference: np.ndarray) -> dict[str, float | None]:
        found = score_structures(predicted, reference, classes=ATRIUM, spacing_mm=(8, 1, 1))
        return found["left_atrium"].as_json()

    both, one, other = scores(empty, empty), scores(empty, drawn), scores(drawn, empty)
    distances = ("hausdorff_mm", "hausdorff95_mm", "mean_surface_distance_mm", "hausdorff_2d_mm")
    for name in distances:
        assert (both[name], one[name], other[name]) == (0.0, None, None)
    assert (both["dice"], one["dice"], other["dice"]) == (1.0, 0.0, 0.0)
    assert (both["precision"], one["recall"], other["recall"]) == (None, 0.0, None)
    assert (one["slices_excluded"], both["slices_excluded"]) == (1, 0)


def test_a_picture_has_no_surface_towards_its_depth() -> None:
    """A ring and its filled disc: the hole's middle is far from the border of the disc alone."""
    rows, columns = np.indices((41, 41)) - 20
    radius = np.hypot(rows, columns)
    disc, ring = radius <= 15, (radius <= 15) & (radius > 5)
    flat = surface_distances_mm(disc, ring, spacing_mm=(1.0, 1.0))
    deep = surface_distances_mm(disc[None], ring[None], spacing_mm=(1.0, 1.0, 1.0))

    assert flat is not None
    assert deep is not None
    assert hausdorff_mm(flat) == hausdorff_mm(deep) > 8


def test_a_strip_one_pixel_wide_is_all_surface() -> None:
    """Cutting the picture to what it holds must not make it flat."""
    strip = np.zeros((5, 30, 30), np.uint8)
    strip[1:4, 5:20, 10] = 1
    short = strip.copy()
    short[:, 10:15] = 0
    scores = score_structures(short, strip, classes=ATRIUM, spacing_mm=(10.0, 1.0, 1.0))

    assert scores["left_atrium"].as_json()["hausdorff_mm"] == 3.0
    assert scores["left_atrium"].as_json()["hausdorff_2d_mm"] == 3.0


def test_the_union_box_is_tight() -> None:
    mask = np.zeros((4, 9, 9), bool)
    assert union_box(mask) is None
    mask[1, 2, 3] = True
    other = np.zeros_like(mask)
    other[2, 7, 1] = True

    assert union_box(mask, other) == np.s_[1:3, 2:8, 1:4]


def test_r1_16_without_a_far_speckle_the_distance_falls_and_dice_does_not() -> None:
    labels = np.zeros((6, 60, 60), np.uint8)
    labels[1:5, 20:40, 20:40] = 2
    labels[1:5, 25:35, 25:35] = 3
    labels[1:5, 22:38, 8:20] = 1
    predicted = labels.copy()
    predicted[0, 2, 2], predicted[5, 55:57, 55:57], predicted[2, 3:5, 50:52] = 1, 2, 3
    names = ("background", "rv", "myocardium", "lv")

    def scores(prediction: np.ndarray) -> dict[str, dict[str, float | None]]:
        found = score_structures(prediction, labels, classes=names, spacing_mm=(10, 1.5, 1.5))
        return {name: score.as_json() for name, score in found.items()}

    before, after = scores(predicted), scores(largest_components(predicted))
    for name in names[1:]:
        far, near = before[name]["hausdorff_mm"], after[name]["hausdorff_mm"]
        worse, better = before[name]["dice"], after[name]["dice"]
        assert far is not None
        assert worse is not None
        assert better is not None
        assert near == 0.0 < far
        assert better > worse


def test_pieces_that_touch_at_a_corner_are_one() -> None:
    labels = np.zeros((3, 9, 9), np.uint8)
    labels[0, 1:4, 1:4] = 1
    labels[1, 4, 4] = 1  # a corner neighbour of the last voxel
    labels[2, 7, 7] = 1  # no neighbour of anything
    cleaned = largest_components(labels)

    assert cleaned[1, 4, 4] == 1
    assert cleaned[2, 7, 7] == 0
    assert labels[2, 7, 7] == 1, "the input is untouched"
    assert not largest_components(np.zeros_like(labels)).any()
