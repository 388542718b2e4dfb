"""Cross-entropies of certain labels: plain, weighted by class, and of one sigmoid output."""

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from engine.errors import ModelError
from engine.learning.losses.border import border_map
from engine.learning.losses.target import (
    class_logits,
    fitting_weights,
    in_full_precision,
    labels_of,
)


def ce(logits: Tensor, possible: Tensor) -> Tensor:
    """Mean over the pixels of -log p of the true class.

    Args:
        logits: (b, c, [z,] y, x).
        possible: Bits, (b, [z,] y, x) integer, one bit a pixel.
    """
    return F.cross_entropy(class_logits(logits), labels_of(possible))


def weighted_ce(
    logits: Tensor,
    possible: Tensor,
    *,
    class_weights: Tensor,
    reduction: Literal["mean", "sum", "weighted_mean"] = "mean",
    border: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0,
    border_sigma: Annotated[float, Field(gt=0, le=50)] = 5.0,
) -> Tensor:
    """-log p of the true class, times the weight of that class (Patravali et al. 2017, eq. 1).

    With `border` each pixel's weight is that of its class plus that of the U-Net's border map,
    which had 10 and a sigma of 5 pixels (Ronneberger et al. 2015).

    Args:
        logits: (b, c, [z,] y, x).
        possible: Bits, (b, [z,] y, x) integer, one bit a pixel.
        class_weights: (max(c, 2),).
        reduction: `sum` over all pixels as printed; `mean`: the sum by the number of pixels;
            `weighted_mean`: the sum by the sum of the pixels' weights, as torch has it.
        border: Weight where two structures touch; 0 is no border map.
        border_sigma: How fast it falls off [pixels].
    """
    scores, labels = class_logits(logits), labels_of(possible)
    weights = fitting_weights(class_weights, scores)
    total = F.cross_entropy(scores, labels, weight=weights, reduction="sum")
    of_borders = None
    if border:
        of_borders = border_map(labels, scores.shape[1], weight=border, sigma=border_sigma)
        total = total + (of_borders * F.cross_entropy(scores, labels, reduction="none")).sum()
    if reduction == "sum":
        return total
    if reduction == "mean":
        return total / labels.numel()
    all_weights = weights[labels].sum() + (0 if of_borders is None else of_borders.sum())
    # Where a batch shows only classes of weight 0, torch's own mean is 0 / 0.
    return total / all_weights.clamp_min(torch.finfo(weights.dtype).tiny)


def bce(logits: Tensor, possible: Tensor) -> Tensor:
    """Binary cross-entropy, the mean over the pixels.

    Args:
        logits: (b, 1, [z,] y, x), of class 1 against class 0.
        possible: Bits, (b, [z,] y, x) integer, one bit a pixel.

    Raises:
        ModelError: The network has more than one output.
    """
    logits = one_logit(logits, "bce")
    return F.binary_cross_entropy_with_logits(logits, labels_of(possible).to(logits.dtype))


def weighted_bce(
    logits: Tensor,
    possible: Tensor,
    *,
    class_weights: Tensor | None = None,
    pos_weight: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None,
) -> Tensor:
    """Binary cross-entropy in which a foreground pixel counts `pos_weight` times.

    Without a given value it is the foreground's class weight by the background's: with inverse
    frequencies (1 - f) / f, where f is the share of foreground pixels.

    Args:
        logits: (b, 1, [z,] y, x), of class 1 against class 0.
        possible: Bits, (b, [z,] y, x) integer, one bit a pixel.
        class_weights: (2,), background and foreground; unused where `pos_weight` is given.
        pos_weight: What a foreground pixel counts.

    Raises:
        ModelError: The network has more than one output, or there is no usable weight.
    """
    logits = one_logit(logits, "weighted_bce")
    if pos_weight is None:
        pos_weight = _pos_weight_from(class_weights)
    return F.binary_cross_entropy_with_logits(
        logits,
        labels_of(possible).to(logits.dtype),
        pos_weight=torch.tensor(pos_weight, device=logits.device, dtype=logits.dtype),
    )


def _pos_weight_from(class_weights: Tensor | None) -> float:
    if class_weights is None or class_weights.shape != (2,) or not class_weights[0] > 0:
        raise ModelError(
            "weighted_bce has no weight for the foreground.",
            hint="Give two class weights, the background's above 0, or "
            "[loss.options.weighted_bce] pos_weight.",
        )
    return float(class_weights[1] / class_weights[0])


def one_logit(logits: Tensor, term: str) -> Tensor:
    """The only channel, (b, [z,] y, x), in at least 32 bits.

    Raises:
        ModelError: There are more channels; `term` is the loss named in the message.
    """
    if logits.shape[1] != 1:
        raise ModelError(
            f"The loss {term} needs a network with one output, not {logits.shape[1]}.",
            hint="Set network.classes to 1, or use ce, weighted_ce or categorical_focal.",
        )
    return in_full_precision(logits[:, 0])
