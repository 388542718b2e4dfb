"""Cleaning up a prediction: what is not attached to the heart is not heart."""

import numpy as np
from numpy.typing import NDArray

from engine.structures import HEART_STRUCTURES, Structure


def keep_largest_components(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Keep the largest 26-connected piece of the heart, then of each structure.

    Args:
        labels: One phase, (z, y, x), `Structure` numbers.

    Returns:
        The same shape; everything else becomes background.
    """
    heart = _largest(labels > 0)
    cleaned = np.zeros_like(labels)
    for structure in HEART_STRUCTURES:
        cleaned[_largest((labels == structure) & heart)] = structure
    return cleaned


def _largest(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The largest 26-connected component of a (z, y, x) mask; searched in its bounding box."""
    from scipy.ndimage import find_objects
    from scipy.ndimage import label as number_components

    box = find_objects(mask.view(np.uint8))
    if not box or box[0] is None:
        return mask
    numbers, count = number_components(mask[box[0]], structure=np.ones((3, 3, 3)))
    if count <= 1:
        return mask
    sizes = np.bincount(numbers.reshape(-1))
    sizes[0] = 0
    kept = np.zeros_like(mask)
    kept[box[0]] = numbers == sizes.argmax()
    return kept


def structures_in(labels: NDArray[np.uint8]) -> tuple[Structure, ...]:
    """The structures that occur in a label array of any shape."""
    present = np.bincount(labels.reshape(-1), minlength=len(Structure))
    return tuple(s for s in HEART_STRUCTURES if present[s])
