"""Cleaning up a prediction: what is not attached to the heart is not heart."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.scoring.cleaning import largest_components
from engine.structures import HEART_STRUCTURES, Structure


def clean_up(
    labels: NDArray[np.uint8], how: Literal["heart", "largest", "none"]
) -> NDArray[np.uint8]:
    """Clean up the labels of one phase, (z, y, x), as `ScoringRecipe.clean_up` says."""
    if how == "heart":
        return keep_heart(labels)
    return largest_components(labels) if how == "largest" else labels


def keep_heart(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Keep the one 26-connected piece that is the heart, then the largest piece of each structure.

    The heart is the piece with most LV wrapped in myocardium: the larger its smaller one of the
    two, the likelier. Size alone would prefer a liver taken for an RV. Where no piece has both,
    the largest is kept.

    Args:
        labels: One phase, (z, y, x), `Structure` numbers.

    Returns:
        The same shape; everything else becomes background.
    """
    pieces, count = _pieces(labels > 0)
    if count == 0:
        return labels.copy()
    sizes = {
        structure: np.bincount(pieces[labels == structure], minlength=count + 1)
        for structure in HEART_STRUCTURES
    }
    likelihood = np.minimum(sizes[Structure.LV], sizes[Structure.MYOCARDIUM])
    if not likelihood[1:].any():
        likelihood = np.sum(list(sizes.values()), axis=0)
    heart = pieces == 1 + likelihood[1:].argmax()
    return largest_components(np.where(heart, labels, np.uint8(0)))


def _pieces(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int32], int]:
    """Number the 26-connected pieces of a (z, y, x) mask; only its bounding box is searched."""
    from scipy.ndimage import find_objects
    from scipy.ndimage import label as number_pieces

    pieces = np.zeros(mask.shape, np.int32)
    box = find_objects(mask.view(np.uint8))
    if not box or box[0] is None:
        return pieces, 0
    pieces[box[0]], count = number_pieces(mask[box[0]], structure=np.ones((3, 3, 3)))
    return pieces, int(count)
