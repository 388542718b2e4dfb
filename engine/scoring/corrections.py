"""Where a reader would put the brush: parts of a slice that are wrong by more than a line."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LEAST_HALF_WIDTH_MM = 2.0
"""Differences up to twice as thick are left alone.

Contours of two trained readers of the same slice lie 1 to 2 mm apart on average (Bai et al. 2018, J
Cardiovasc Magn Reson 20:65): a band of that width is no mistake.
"""


def parts_to_correct(
    found: NDArray[np.uint8], reference: NDArray[np.uint8], spacing_mm: Sequence[float]
) -> tuple[NDArray[np.bool_], int]:
    """Wrong parts of a slice that a reader would correct, one stroke or contour each.

    A part is a set of voxels that touch, corners included, whose structure is wrong, and in which
    a voxel lies more than `LEAST_HALF_WIDTH_MM` from the nearest voxel that is right.

    Args:
        found: Structure numbers of a slice (y, x).
        reference: What they should be, of the same shape.
        spacing_mm: Of rows and columns (y, x) [mm].

    Returns:
        The voxels (y, x) of these parts, and how many parts there are.
    """
    from scipy.ndimage import distance_transform_edt, label, maximum

    wrong = np.pad(found != reference, 1)
    if not wrong.any():
        return wrong[1:-1, 1:-1], 0
    parts, count = label(wrong, structure=np.ones((3, 3)))
    depth_mm = distance_transform_edt(wrong, sampling=tuple(spacing_mm))
    numbers = np.arange(1, count + 1)
    thick = numbers[np.asarray(maximum(depth_mm, parts, numbers)) > LEAST_HALF_WIDTH_MM]
    return np.isin(parts, thick)[1:-1, 1:-1], len(thick)
