"""The border map of the U-Net, an option of the weighted cross-entropy."""

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import binary_erosion, distance_transform_edt
from torch.nn import functional as F

from engine.errors import ModelError
from engine.learning.losses import make_loss
from engine.learning.losses.border import border_map
from engine.learning.losses.cross_entropy import weighted_ce

WEIGHTS = torch.tensor([0.1, 2.0, 3.0, 1.5])


def heart(shift: int = 0) -> np.ndarray:
    """A ring around a disc, with a blob that touches it and one slice edge."""
    y, x = np.mgrid[:40, :50]
    labels = np.zeros((40, 50), np.uint8)
    labels[np.hypot(y - 20, x - 8 - shift) < 12] = 1
    labels[np.hypot(y - 20, x - 30) < 11] = 2
    labels[np.hypot(y - 20, x - 30) < 6 - shift] = 3
    return labels


def by_distance_transforms(labels: np.ndarray, weight: float, sigma: float) -> np.ndarray:
    """The same formula by scipy's distance transforms, over the whole slice."""
    distances = []
    for number in range(1, 4):
        mask = np.pad(labels == number, 1, mode="edge")
        border = (mask & ~binary_erosion(mask, border_value=1))[1:-1, 1:-1]
        everywhere = np.full(labels.shape, math.inf)
        distances.append(distance_transform_edt(~border) if border.any() else everywhere)
    nearest, second = np.sort(distances, axis=0)[:2]
    return weight * np.exp(-((nearest + second) ** 2) / (2 * sigma**2))


@pytest.mark.parametrize("sigma", [2.0, 5.0])
def test_r3_2_the_map_is_the_published_formula(sigma: float) -> None:
    slices = np.stack([heart(), heart(2), np.zeros((40, 50), np.uint8)])
    found = border_map(torch.from_numpy(slices).long(), 4, weight=10.0, sigma=sigma).numpy()
    wanted = np.stack([by_distance_transforms(one, 10.0, sigma) for one in slices])

    assert np.allclose(found, wanted, atol=10 * math.exp(-8) + 1e-5)  # what lies out of reach
    assert np.allclose(found[wanted > 0.1], wanted[wanted > 0.1], atol=1e-4)
    assert found.max() == pytest.approx(10 * math.exp(-1 / (2 * sigma**2)))  # 0 and 1 away
    assert not found[2].any()


def test_slices_of_a_volume_have_their_own_map() -> None:
    volume = torch.from_numpy(np.stack([heart(), heart(3)])).long()[None]
    each = [border_map(one[None], 4, weight=1.0, sigma=3.0)[0] for one in volume[0]]

    assert torch.equal(border_map(volume, 4, weight=1.0, sigma=3.0)[0], torch.stack(each))


def test_one_structure_has_no_border_to_another() -> None:
    labels = torch.from_numpy((heart() == 1).astype(np.int64))[None]

    assert not border_map(labels, 2, weight=10.0, sigma=5.0).any()
    assert not border_map(labels, 4, weight=10.0, sigma=5.0).any()


@pytest.mark.parametrize("reduction", ["sum", "mean", "weighted_mean"])
def test_the_map_is_added_to_the_weights_of_the_classes(reduction: str) -> None:
    labels = torch.from_numpy(heart()).long()[None]
    logits = torch.randn(1, 4, 40, 50, generator=torch.Generator().manual_seed(3))
    options = {"reduction": reduction, "border": 10, "border_sigma": 5.0}
    loss = make_loss("weighted_ce", class_weights=WEIGHTS, options={"weighted_ce": options})

    weights = WEIGHTS[labels] + border_map(labels, 4, weight=10.0, sigma=5.0)
    summed = (weights * F.cross_entropy(logits, labels, reduction="none")).sum()
    by = {"sum": 1, "mean": labels.numel(), "weighted_mean": float(weights.sum())}[reduction]
    assert float(loss(logits, 1 << labels)) == pytest.approx(float(summed) / by, rel=1e-5)


def test_without_a_border_weight_nothing_changes() -> None:
    labels = torch.from_numpy(heart()).long()[None]
    logits = torch.randn(1, 4, 40, 50, generator=torch.Generator().manual_seed(3))
    plain = weighted_ce(logits, 1 << labels, class_weights=WEIGHTS)

    assert torch.equal(plain, weighted_ce(logits, 1 << labels, class_weights=WEIGHTS, border=0.0))


@pytest.mark.parametrize(
    "options", [{"border": -1.0}, {"border_sigma": 0.0}, {"border": float("nan")}]
)
def test_an_impossible_border_is_refused(options: dict[str, float]) -> None:
    with pytest.raises(ModelError, match=r"option border.* of the loss weighted_ce is wrong"):
        make_loss("weighted_ce", class_weights=WEIGHTS, options={"weighted_ce": options})
