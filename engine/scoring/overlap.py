"""Overlap of two label maps."""

import numpy as np
from numpy.typing import NDArray


def dice(predicted: NDArray[np.bool_], reference: NDArray[np.bool_]) -> float:
    """The Dice coefficient 2|A and B| / (|A| + |B|) of two masks of any equal shape, 0 to 1.

    Two empty masks agree: 1.
    """
    size = int(predicted.sum()) + int(reference.sum())
    if size == 0:
        return 1.0
    return 2 * int((predicted & reference).sum()) / size
