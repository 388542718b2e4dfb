"""Overlap of masks. Three kinds of Dice go by one name in papers; here each has its own.

`dice_pooled_hard` treats all pixels of a set as one picture and equals the F1 score;
`dice_per_volume` scores every volume by itself and averages; `dice_soft_mean` averages the soft
Dice of probabilities over pictures, which is 1 minus the Dice loss that a training shows. On sets
with many empty pictures they are far apart.
"""

from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Mask: TypeAlias = NDArray[np.bool_]


def dice(predicted: Mask, reference: Mask) -> float:
    """The Dice coefficient 2|A and B| / (|A| + |B|) of two masks of any equal shape, 0 to 1.

    Two empty masks agree: 1.
    """
    size = int(np.count_nonzero(predicted) + np.count_nonzero(reference))
    if size == 0:
        return 1.0
    return 2 * int(np.count_nonzero(predicted & reference)) / size


def dice_pooled_hard(pairs: Iterable[tuple[Mask, Mask]]) -> float | None:
    """One Dice coefficient of all pixels of all (predicted, reference) masks together.

    None where no mask has a pixel.
    """
    shared = size = 0
    for predicted, reference in pairs:
        shared += int(np.count_nonzero(predicted & reference))
        size += int(np.count_nonzero(predicted) + np.count_nonzero(reference))
    return 2 * shared / size if size else None


def dice_per_volume(pairs: Iterable[tuple[Mask, Mask]]) -> float | None:
    """The mean of the Dice coefficients of each (predicted, reference) pair of masks.

    A pair of empty masks counts as 1. None without pairs.
    """
    values = [dice(predicted, reference) for predicted, reference in pairs]
    return float(np.mean(values)) if values else None


def soft_dice(
    probabilities: NDArray[np.floating], reference: NDArray[Any], *, smooth: float = 1.0
) -> NDArray[np.float64]:
    """The soft Dice of each picture: (2 sum(p t) + s) / (sum(p) + sum(t) + s).

    Args:
        probabilities: Of one class, (n, ...), 0 to 1.
        reference: Where the class is, the same shape, 0 or 1.
        smooth: s, above and below the fraction [pixels]. A picture without the class scores
            s / (sum(p) + s), and 1 where the sum is 0.

    Returns:
        (n,).
    """
    places = tuple(range(1, probabilities.ndim))
    truth = reference.astype(bool, copy=False)
    overlap = probabilities.sum(axis=places, where=truth, dtype=np.float64)
    size = probabilities.sum(axis=places, dtype=np.float64) + truth.sum(axis=places)
    value: NDArray[np.float64] = np.divide(
        2 * overlap + smooth, size + smooth, out=np.ones_like(overlap), where=size + smooth > 0
    )
    return value


def dice_soft_mean(
    pairs: Iterable[tuple[NDArray[np.floating], NDArray[Any]]], *, smooth: float = 1.0
) -> float | None:
    """The mean soft Dice over all pictures of all (probabilities, reference) pairs.

    Keras averages its loss over batches; this is that average for batches of one picture.

    Args:
        pairs: Arrays (n, y, x), one picture after the other; see `soft_dice`.
        smooth: See `soft_dice`.

    Returns:
        0 to 1; None without pictures.
    """
    values = [soft_dice(first, second, smooth=smooth) for first, second in pairs]
    pictures = np.concatenate(values) if values else np.empty(0)
    return float(pictures.mean()) if pictures.size else None
