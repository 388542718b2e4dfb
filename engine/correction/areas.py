"""Cutting a field at the level where it encloses a given area."""

import numpy as np
from numpy.typing import NDArray


def level_enclosing(values: NDArray[np.floating], area: int) -> float:
    """The level below which, itself included, lie as nearly as possible `area` values.

    Equal values stay together, so that a symmetric field gives a symmetric shape. Values that
    differ by rounding alone count as equal; at least one value always lies below the level.

    Args:
        values: A field of any shape.
        area: How many values are wanted, from 1 to all.

    Returns:
        The level; `values <= level` is the shape.
    """
    rising = np.sort(values, axis=None)
    level = rising[area - 1] + 1e-7 * (rising[-1] - rising[0])
    more = int(np.searchsorted(rising, level, side="right"))
    same = rising[area - 1] - 1e-7 * (rising[-1] - rising[0])
    less = int(np.searchsorted(rising, same, side="left"))
    if less == 0 or more - area <= area - less:
        return float(level)
    return float(rising[less - 1] + same) / 2
