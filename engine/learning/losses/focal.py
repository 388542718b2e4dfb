"""Focal losses: pixels that are already right count little (Lin et al. 2017)."""

from typing import Annotated

from pydantic import AfterValidator, Field
from torch import Tensor

from engine.learning.losses.cross_entropy import one_logit
from engine.learning.losses.target import class_logits, labels_of, one_hot


def _differentiable(gamma: float) -> float:
    """Refuse powers whose slope is infinite at p = 1, where a pixel is right beyond rounding."""
    if 0 < gamma < 1:
        raise ValueError("gamma must be 0, or 1 and more")
    return gamma


def binary_focal(
    logits: Tensor,
    possible: Tensor,
    *,
    gamma: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 2.0,
) -> Tensor:
    """Mean over the pixels of -(1 - p_t)^gamma log p_t (Lin et al. 2017; Ehab and Li 2023).

    Args:
        logits: (b, 1, [z,] y, x), of class 1 against class 0.
        possible: Bits, (b, [z,] y, x) integer, one bit a pixel.
        gamma: 0 gives the binary cross-entropy.

    Raises:
        ModelError: The network has more than one output.
    """
    from monai.losses.focal_loss import FocalLoss

    logits = one_logit(logits, "binary_focal")[:, None]
    truth = labels_of(possible)[:, None].to(logits.dtype)
    loss: Tensor = FocalLoss(gamma=gamma)(logits, truth)
    return loss


def categorical_focal(
    logits: Tensor,
    possible: Tensor,
    *,
    alpha: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 0.25,
    gamma: Annotated[
        float, Field(ge=0, allow_inf_nan=False), AfterValidator(_differentiable)
    ] = 2.0,
) -> Tensor:
    """Mean over the pixels of -alpha (1 - p_t)^gamma log p_t, p_t that of the true class.

    As Keras has it: alpha multiplies every class, the background too (Ehab and Li 2023 with
    Keras' defaults).

    Args:
        logits: (b, c, [z,] y, x).
        possible: Bits, (b, [z,] y, x) integer, one bit a pixel.
        alpha: Factor of the whole loss.
        gamma: 0, or at least 1.
    """
    from monai.losses.focal_loss import FocalLoss

    scores = class_logits(logits)
    # MONAI's own scalar alpha weighs the background by 1 - alpha, and its mean divides by c too.
    focal = FocalLoss(gamma=gamma, use_softmax=True, reduction="none")
    per_class: Tensor = focal(scores, one_hot(possible, scores.shape[1]))
    return alpha * per_class.sum(dim=1).mean()
