"""Grey values of every slice where a network saw the heart: other contrasts look different."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

GREY_FACTS: tuple[str, ...] = (
    *(f"{part}_{fact}" for part in ("all", "rv", "myocardium", "lv") for fact in ("mean", "sd")),
    *("steps", "bends"),
)
"""Names of the columns of `grey_facts`."""


@torch.inference_mode()
def grey_facts(images: Tensor, probabilities: Tensor) -> NDArray[np.float64]:
    """Mean and SD of the grey values of each structure, and how rough they are.

    Args:
        images: (z, c, y, x) as the network got them, scaled; of several channels, which are
            neighbouring slices, the middle one is measured.
        probabilities: (z, 4, y, x), the network's softmax, on the same pixels.

    Returns:
        (z, len(GREY_FACTS)), always finite.
    """
    grey = images[:, images.shape[1] // 2].float()  # (z, y, x)
    weights = probabilities.float().clone()
    weights[:, 0] = 1
    total = weights.sum(dim=(2, 3)) + 1e-3
    mean = (weights * grey[:, None]).sum(dim=(2, 3)) / total  # (z, 4)
    square = (weights * grey.square()[:, None]).sum(dim=(2, 3)) / total
    sd = (square - mean.square()).clamp(min=0).sqrt()
    steps = (_mean_size(grey.diff(dim=1)) + _mean_size(grey.diff(dim=2))) / 2
    bends = (_mean_size(grey.diff(n=2, dim=1)) + _mean_size(grey.diff(n=2, dim=2))) / 2
    of_parts = torch.stack([mean, sd], dim=2).flatten(1)
    facts = torch.cat([of_parts, steps[:, None], bends[:, None]], dim=1)
    measured: NDArray[np.float64] = facts.double().cpu().numpy()
    return np.nan_to_num(measured, nan=0.0, posinf=0.0, neginf=0.0)


def _mean_size(values: Tensor) -> Tensor:
    """Mean of the absolute values of each slice, (z, y, x) -> (z,); 0 of none."""
    return values.abs().sum(dim=(1, 2)) / max(1, values[0].numel())
