"""Stacks and labels on pixels of another size, in plane."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import interpolate, one_hot


def resampled(stack: NDArray[np.generic], size: tuple[int, int]) -> NDArray[np.float32]:
    """Grey values (z, y, x) on slices of this height and width."""
    planes = torch.from_numpy(stack.astype(np.float32))[:, None]
    found: NDArray[np.float32] = interpolate(planes, size, mode="bilinear", antialias=True)[
        :, 0
    ].numpy()
    return found


def brought_to(labels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Labels (z, y, x) on slices of this size, each pixel having what fills most of it."""
    if labels.shape[1:] == size:
        return labels
    shares = one_hot(torch.from_numpy(labels.astype(np.int64)), 4).permute(0, 3, 1, 2).float()
    return interpolate(shares, size, mode="area").argmax(dim=1).numpy().astype(np.uint8)
