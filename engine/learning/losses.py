"""Losses on logits and possible structures.

A target pixel is a set of structures, as bits: bit c is set where the pixel may be structure c.
A fully labelled pixel has one bit; a background pixel of a data set that never labels the RV has
two. Unknown is thus never learned as background.
"""

import torch
from torch import Tensor


def partial_cross_entropy(logits: Tensor, possible: Tensor) -> Tensor:
    """Mean negative log of the probability given to what a pixel may be.

    With one bit a pixel this is the ordinary cross-entropy; with more it is the marginal
    likelihood of the set (Fidon et al. 2021, label-set losses).

    Args:
        logits: (b, c, y, x).
        possible: Bits, (b, y, x) integer, at least one bit a pixel.

    Returns:
        A scalar, 0 or more.
    """
    classes = torch.arange(logits.shape[1], device=logits.device)[None, :, None, None]
    allowed = (possible[:, None] >> classes) & 1  # (b, c, y, x)
    log_probability = logits.log_softmax(dim=1)
    set_probability = log_probability.masked_fill(allowed == 0, -torch.inf).logsumexp(dim=1)
    return -set_probability.mean()


def partial_dice_loss(logits: Tensor, possible: Tensor, *, smooth: float = 1.0) -> Tensor:
    """One minus the soft Dice, pooled over the batch, averaged over the heart's structures.

    For each structure only pixels count for which it is certain whether they belong to it.

    Args:
        logits: (b, c, y, x).
        possible: Bits, (b, y, x) integer.
        smooth: Added above and below the fraction [pixels].

    Returns:
        A scalar between 0, perfect overlap, and 1.
    """
    probability = logits.softmax(dim=1)
    classes = torch.arange(logits.shape[1], device=logits.device)[None, :, None, None]
    bit = 1 << classes
    truth = (possible[:, None] == bit).float()  # (b, c, y, x)
    certain = ((possible[:, None] & bit) == 0).float() + truth
    overlap = (probability * truth).sum(dim=(0, 2, 3))
    size = (probability * certain + truth).sum(dim=(0, 2, 3))
    dice = (2 * overlap + smooth) / (size + smooth)
    return 1 - dice[1:].mean()  # the background, class 0, would drown the heart
