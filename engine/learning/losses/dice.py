"""Dice losses of certain labels.

Every one of them compares softmax (with one output: sigmoid) probabilities p with the one-hot
truth t. With sums over the pixels of an image or of the whole batch, D = 2 sum(p t) / (sum p +
sum t) for each class; `smooth` is added above and below, so that a class absent from both gives 1.
"""

from typing import Annotated, Literal, TypeAlias

import torch
from pydantic import Field
from torch import Tensor

from engine.learning.losses.target import class_logits, fitting_weights, one_hot

LogDiceForm: TypeAlias = Literal["corrected", "printed", "neg_log"]
Smooth: TypeAlias = Annotated[float, Field(gt=0, allow_inf_nan=False)]
"""Pixels; above 0, or a class that a batch does not show would be 0 / 0."""


def dice(
    logits: Tensor, possible: Tensor, *, smooth: Smooth = 1.0, per_image: bool = False
) -> Tensor:
    """1 - D, averaged over the foreground classes.

    Args:
        logits: (b, c, [z,] y, x).
        possible: Bits, (b, [z,] y, x) integer, one bit a pixel.
        smooth: Added above and below each fraction [pixels].
        per_image: D of every image, then their mean, instead of one D over the batch.
    """
    from monai.losses.dice import DiceLoss

    scores = class_logits(logits)
    measure = DiceLoss(
        include_background=False,
        softmax=True,
        batch=not per_image,
        smooth_nr=smooth,
        smooth_dr=smooth,
    )
    loss: Tensor = measure(scores, one_hot(possible, scores.shape[1]))
    return loss


def pooled_dice(logits: Tensor, possible: Tensor, *, smooth: Smooth = 1e-5) -> Tensor:
    """1 - D with one D jointly over all foreground classes and pixels of the batch.

    1 - 2 sum_c sum_x p t / (sum_c sum_x p + sum_c sum_x t), as in the second training of the
    Monzino network (weighted cross-entropy + 0.2 * this).

    Args:
        logits: (b, c, [z,] y, x).
        possible: Bits, (b, [z,] y, x) integer, one bit a pixel.
        smooth: Added above and below the fraction [pixels].
    """
    from monai.losses.dice import GeneralizedDiceLoss

    scores = class_logits(logits)
    measure = GeneralizedDiceLoss(
        include_background=False,
        softmax=True,
        w_type="uniform",
        batch=True,
        smooth_nr=smooth,
        smooth_dr=smooth,
    )
    loss: Tensor = measure(scores, one_hot(possible, scores.shape[1]))
    return loss


def weighted_dice_sum(
    logits: Tensor, possible: Tensor, *, class_weights: Tensor, smooth: Smooth = 1e-6
) -> Tensor:
    """Sum over all classes, the background too, of w_c (1 - D_c), D_c pooled over the batch.

    Args:
        logits: (b, c, [z,] y, x).
        possible: Bits, (b, [z,] y, x) integer, one bit a pixel.
        class_weights: (max(c, 2),).
        smooth: Added above and below each fraction [pixels].

    Returns:
        A scalar between 0 and the sum of the weights.
    """
    from monai.losses.dice import DiceLoss

    scores = class_logits(logits)
    measure = DiceLoss(
        softmax=True,
        batch=True,
        reduction="sum",
        weight=fitting_weights(class_weights, scores),
        smooth_nr=smooth,
        smooth_dr=smooth,
    )
    loss: Tensor = measure(scores, one_hot(possible, scores.shape[1]))
    return loss


def log_dice(
    logits: Tensor,
    possible: Tensor,
    *,
    class_weights: Tensor | None = None,
    form: LogDiceForm = "corrected",
    smooth: Smooth = 1e-6,
    per_image: bool = False,
    include_background: bool = True,
) -> Tensor:
    """Sum over the classes of w_c log(2 - D_c) (Patravali et al. 2017, eq. 2 and 4).

    Args:
        logits: (b, c, [z,] y, x).
        possible: Bits, (b, [z,] y, x) integer, one bit a pixel.
        class_weights: (max(c, 2),); without them every class counts 1.
        form: See `log_dice_of`.
        smooth: Added above and below each fraction [pixels].
        per_image: D of every image, then the mean of their losses. A structure that an image
            does not show then costs up to log 2 for a few stray pixels.
        include_background: Whether the sum begins with class 0.

    Returns:
        A scalar between 0 and log 2 times the sum of the weights (unbounded for `neg_log`).
    """
    scores = class_logits(logits)
    truth = one_hot(possible, scores.shape[1])
    losses = log_dice_of(
        scores.softmax(dim=1), truth, form=form, smooth=smooth, per_image=per_image
    )
    if class_weights is not None:
        losses = losses * fitting_weights(class_weights, scores)
    if not include_background:
        losses = losses[..., 1:]
    return losses.sum(dim=-1).mean()


def log_dice_of(
    probability: Tensor,
    truth: Tensor,
    *,
    form: LogDiceForm = "corrected",
    smooth: float = 1e-6,
    per_image: bool = False,
) -> Tensor:
    """The logarithmic Dice loss of every class.

    `corrected` is log(2 - D), between 0 for D = 1 and log 2. `printed` is eq. 4 to the letter,
    without the 2 above the fraction: a perfectly found class then costs log 1.5, an absent one 0.
    `neg_log` is -log D, unbounded. The slope of log(2 - D) at a foreground pixel is -1 / (sum p +
    sum t) whatever D is: what is hardly found yet is pulled as much as what is nearly right.

    Args:
        probability: (b, c, [z,] y, x) between 0 and 1.
        truth: Zeros and ones, the same shape.
        form: Which of the three.
        smooth: Added above and below the fraction [pixels].
        per_image: Whether every image has its own D.

    Returns:
        (c,), or (b, c) with `per_image`.
    """
    pixels = list(range(2, probability.ndim)) if per_image else [0, *range(2, probability.ndim)]
    overlap = (probability * truth).sum(dim=pixels)
    size = (probability + truth).sum(dim=pixels) + smooth
    if form == "printed":
        return torch.log(2 - (overlap + smooth) / size)
    if form == "neg_log":
        return torch.log(size) - torch.log(2 * overlap + smooth)
    # 1 - D as a sum of terms that are never negative: rounding cannot push D beyond 1.
    missed = (probability + truth - 2 * probability * truth).sum(dim=pixels)
    return torch.log1p(missed / size)
