"""The border map of the U-Net: pixels where two structures come close count more."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

_REACH = 4.0  # in sigmas; beyond it the map is below 0.04 % of its largest value


def border_map(labels: Tensor, classes: int, *, weight: float, sigma: float) -> Tensor:
    """w0 exp(-(d1 + d2)^2 / (2 sigma^2)) for each pixel (Ronneberger et al. 2015, eq. 2).

    d1 and d2 are the distances to the borders of the nearest and the second nearest structure on
    the pixel's slice; every class but the background is one. A pixel of the border itself is 0
    away, so the map is largest where two structures touch. It is 0 on slices that show fewer
    than two.

    Args:
        labels: (b, [z,] y, x) int64.
        classes: With the background.
        weight: w0.
        sigma: [pixels].

    Returns:
        The same shape as the labels, float32.
    """
    if classes < 3:
        return torch.zeros(labels.shape, device=labels.device)
    slices = labels.flatten(0, -3)  # (n, y, x)
    structures = torch.arange(1, classes, device=labels.device)[:, None, None]
    borders = _inner_border(slices[:, None] == structures)  # (n, c - 1, y, x)
    nearest = _distances(borders, reach=math.ceil(_REACH * sigma)).topk(2, dim=1, largest=False)
    apart = nearest.values.sum(dim=1)
    return (weight * torch.exp(-(apart**2) / (2 * sigma**2))).reshape(labels.shape)


def _inner_border(masks: Tensor) -> Tensor:
    """The pixels of each mask (n, c, y, x) that have one outside beside them."""
    outside = (~masks).float()
    # Beyond the image nothing is outside: a structure that the edge cuts off does not end there.
    across = F.max_pool2d(outside, (1, 3), stride=1, padding=(0, 1))
    down = F.max_pool2d(outside, (3, 1), stride=1, padding=(1, 0))
    return masks & (torch.maximum(across, down) > 0)


def _distances(masks: Tensor, *, reach: int) -> Tensor:
    """The distance of every pixel to the nearest of each mask (n, c, y, x) [pixels].

    Exact up to `reach`, infinite beyond it: first along rows, then, of the squares, along columns.
    """
    squares = torch.zeros(masks.shape, device=masks.device).masked_fill_(~masks, math.inf)
    for axis in (3, 2):
        near = squares.clone()
        length = squares.shape[axis]
        for step in range(1, min(reach, length - 1) + 1):
            rest = length - step
            for here, there in ((0, step), (step, 0)):  # both ways along the axis
                part = near.narrow(axis, here, rest)
                torch.minimum(part, squares.narrow(axis, there, rest) + step**2, out=part)
        squares = near
    return squares.sqrt()
