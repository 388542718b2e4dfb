"""What a loss is told about each pixel, and the network's answer in the same form.

The target is `possible`: bits (b, [z,] y, x), bit c set where the pixel may be class c. A network
with one output per pixel answers with the logit of class 1 against class 0; written as the two
class logits (0, z) its softmax is exactly the sigmoid of z, so that a loss needs one form only.
"""

import torch
from torch import Tensor

from engine.errors import ModelError


def are_certain(possible: Tensor) -> bool:
    """Whether every pixel has exactly one bit, so that it has one label."""
    return bool(((possible > 0) & ((possible & (possible - 1)) == 0)).all())


def labels_of(possible: Tensor) -> Tensor:
    """The class number of every pixel, for certain labels (see `are_certain`).

    Args:
        possible: Bits, (b, [z,] y, x) integer, one bit a pixel.

    Returns:
        int64, the same shape. A pixel without any bit becomes -1, which every loss refuses.
    """
    # A power of two is 0.5 * 2^e in floating point: the exponent is exact, a logarithm may not be.
    return torch.frexp(possible.float()).exponent.long() - 1


def one_hot(possible: Tensor, classes: int) -> Tensor:
    """Certain labels as one channel per class; the background is (1, 0, 0, 0).

    Args:
        possible: Bits, (b, [z,] y, x) integer, one bit a pixel.
        classes: Number of channels c.

    Returns:
        (b, c, [z,] y, x) float32 of zeros and ones, summing to one over the channels.
    """
    labels = labels_of(possible)[:, None]
    shape = (labels.shape[0], classes, *labels.shape[2:])
    return torch.zeros(shape, device=labels.device).scatter_(1, labels, 1.0)


def class_logits(logits: Tensor) -> Tensor:
    """Logits of at least two classes, in at least 32 bits.

    Args:
        logits: (b, c, [z,] y, x); with c = 1 the logit of class 1 against class 0.

    Returns:
        (b, max(c, 2), [z,] y, x). Half precision cannot hold the sum over a batch of pixels.
    """
    logits = in_full_precision(logits)
    if logits.shape[1] > 1:
        return logits
    return torch.cat([torch.zeros_like(logits), logits], dim=1)


def in_full_precision(values: Tensor) -> Tensor:
    """The values in 32 bits where they came in 16; 32 and 64 bits stay."""
    return values.float() if values.dtype in (torch.float16, torch.bfloat16) else values


def fitting_weights(class_weights: Tensor, scores: Tensor) -> Tensor:
    """The class weights where the scores (b, c, ...) are, in their precision: (c,).

    Raises:
        ModelError: There is not one weight for each class.
    """
    classes = scores.shape[1]
    if class_weights.shape != (classes,):
        raise ModelError(
            f"There are {class_weights.numel()} class weights for {classes} classes.",
            hint="Give class_weights one number for each class, the background first.",
        )
    return class_weights.to(device=scores.device, dtype=scores.dtype)
