"""Losses for labels that leave open what some pixels are.

A target pixel is a set of structures, as bits: bit c is set where the pixel may be structure c.
A fully labelled pixel has one bit; a background pixel of a data set that never labels the RV has
two. Unknown is thus never learned as background.
"""

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from engine.learning.losses.target import class_logits


def partial_cross_entropy(logits: Tensor, possible: Tensor) -> Tensor:
    """Mean negative log of the probability given to what a pixel may be.

    With one bit a pixel this is the ordinary cross-entropy; with more it is the marginal
    likelihood of the set (Fidon et al. 2021, label-set losses).

    Args:
        logits: (b, c, [z,] y, x).
        possible: Bits, (b, [z,] y, x) integer, at least one bit a pixel.

    Returns:
        A scalar, 0 or more.
    """
    scores = class_logits(logits)
    allowed = (possible[:, None] & _bits(scores, possible)) != 0  # (b, c, [z,] y, x)
    log_probability = scores.log_softmax(dim=1)
    set_probability = log_probability.masked_fill(~allowed, -torch.inf).logsumexp(dim=1)
    return -set_probability.mean()


def partial_dice_loss(
    logits: Tensor, possible: Tensor, *, smooth: Annotated[float, Field(gt=0)] = 1.0
) -> Tensor:
    """One minus the soft Dice, pooled over the batch, averaged over the heart's structures.

    For each structure only pixels count for which it is certain whether they belong to it.

    Args:
        logits: (b, c, [z,] y, x).
        possible: Bits, (b, [z,] y, x) integer.
        smooth: Added above and below the fraction [pixels].

    Returns:
        A scalar between 0, perfect overlap, and 1.
    """
    scores = class_logits(logits)
    probability = scores.softmax(dim=1)
    bits = _bits(scores, possible)
    truth = (possible[:, None] == bits).to(probability.dtype)  # (b, c, [z,] y, x)
    certain = ((possible[:, None] & bits) == 0).to(probability.dtype) + truth
    every_pixel = [0, *range(2, probability.ndim)]
    overlap = (probability * truth).sum(dim=every_pixel)
    size = (probability * certain + truth).sum(dim=every_pixel)
    dice = (2 * overlap + smooth) / (size + smooth)
    return 1 - dice[1:].mean()  # the background, class 0, would drown the heart


def _bits(scores: Tensor, possible: Tensor) -> Tensor:
    """The bit of every class, (1, c, 1, ...), in the integer type of the target."""
    classes = torch.arange(scores.shape[1], device=possible.device)
    return (1 << classes).to(possible.dtype).view(1, -1, *[1] * (scores.ndim - 2))
