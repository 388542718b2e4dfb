"""Where the base of a heart is, and its most basal slice that counts.

How far the myocardium must enclose the cavity, is said in `engine.datasets.basal`, since slices
are left out of training by the same criteria.
"""

import numpy as np
from numpy.typing import NDArray

from engine.datasets.basal import (
    BasalCriterion,
    is_enclosed,
    kept_slices,
    meets,
    myocardial_coverage,
)
from engine.structures import Structure

__all__ = [
    "BasalCriterion",
    "basal_slice",
    "base_comes_first",
    "is_enclosed",
    "kept_slices",
    "larger_end_first",
    "meets",
    "myocardial_coverage",
]


def base_comes_first(labels: NDArray[np.uint8]) -> bool:
    """Whether the base lies towards slice 0; the order of slices is no fixed one.

    The base is the end with the larger LV area in the outer third of the slices that show the
    LV. At a tie, or without LV, slice 0 is taken for the base.

    Args:
        labels: One phase, (z, y, x), `Structure` numbers.
    """
    return larger_end_first(np.count_nonzero(labels == Structure.LV, axis=(1, 2)))


def larger_end_first(area: NDArray[np.integer]) -> bool:
    """`base_comes_first`, from the LV's area (or voxels) on each slice alone, (z,)."""
    drawn = np.flatnonzero(area)
    if drawn.size == 0:
        return True
    ventricle = area[drawn[0] : drawn[-1] + 1]
    third = max(1, len(ventricle) // 3)
    return bool(ventricle[:third].sum() >= ventricle[-third:].sum())


def basal_slice(
    labels: NDArray[np.uint8], criterion: BasalCriterion, *, gap: int = 0
) -> int | None:
    """The most basal slice of a phase that shows the LV and counts under a criterion.

    Args:
        labels: The reference, (z, y, x), `Structure` numbers.
        criterion: How much myocardium is asked for.
        gap: See `myocardial_coverage`.

    Returns:
        0-based; None where no slice with LV counts.
    """
    return most_basal(labels, kept_slices(labels, criterion, gap=gap))


def most_basal(labels: NDArray[np.uint8], kept: NDArray[np.bool_]) -> int | None:
    """The most basal of the `kept` slices, (z,), that shows the LV in `labels`, (z, y, x)."""
    counted = np.flatnonzero((labels == Structure.LV).any(axis=(1, 2)) & kept)
    if counted.size == 0:
        return None
    return int(counted[0] if base_comes_first(labels) else counted[-1])
