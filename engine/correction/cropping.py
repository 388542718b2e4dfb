"""The window of an image in which something lies: work is done there and nowhere else."""

import numpy as np
from numpy.typing import NDArray


def window_around(mask: NDArray[np.bool_], margin: int) -> tuple[slice, slice] | None:
    """The smallest window of a slice that holds a mask, with a margin where the image has one.

    Args:
        mask: (y, x).
        margin: Voxels added on each side, cut off at the edges of the image.

    Returns:
        Rows and columns, or None where the mask is empty.
    """
    rows = np.flatnonzero(mask.any(axis=1))
    if rows.size == 0:
        return None
    columns = np.flatnonzero(mask[rows[0] : rows[-1] + 1].any(axis=0))
    return (
        slice(max(0, int(rows[0]) - margin), int(rows[-1]) + 1 + margin),
        slice(max(0, int(columns[0]) - margin), int(columns[-1]) + 1 + margin),
    )
