"""From a slice as it was acquired to what a network sees, and back."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


def scale_intensity(
    voxels: NDArray[np.generic], *, low_percentile: float, high_percentile: float
) -> NDArray[np.float32]:
    """Map the given percentiles to 0 and 1 and cut off what lies beyond.

    Args:
        voxels: Any shape; the percentiles are taken over all of it.
        low_percentile: Becomes 0.
        high_percentile: Becomes 1.

    Returns:
        The same shape. A constant image becomes 0.
    """
    values = np.asarray(voxels, dtype=np.float32)
    low, high = (float(v) for v in np.percentile(values, (low_percentile, high_percentile)))
    if high <= low:
        return np.zeros_like(values)
    scaled: NDArray[np.float32] = np.clip((values - low) / (high - low), 0, 1)
    return scaled


@dataclass(frozen=True, slots=True)
class Resampling:
    """How a plane of pixels is brought to square pixels of a wanted size, and back.

    Attributes:
        shape: The plane as acquired (y, x).
        resampled: The plane as the network sees it (y, x), before padding.
        padded: The same, padded at the far sides to the network's stride (y, x).
    """

    shape: tuple[int, int]
    resampled: tuple[int, int]
    padded: tuple[int, int]


def plan_resampling(
    shape: tuple[int, int],
    spacing_mm: tuple[float, float],
    *,
    wanted_mm: float,
    stride: int,
) -> Resampling:
    """Plan the way to pixels of `wanted_mm` and to multiples of `stride`."""
    resampled = tuple(
        max(1, round(size * mm / wanted_mm)) for size, mm in zip(shape, spacing_mm, strict=True)
    )
    padded = tuple(-(-size // stride) * stride for size in resampled)
    return Resampling(shape, (resampled[0], resampled[1]), (padded[0], padded[1]))
