"""A slice together with the slices beside it, as the channels of one sample."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray


def stack_neighbours(
    image: NDArray[np.float32],
    wanted: Sequence[int],
    *,
    count: int,
    edge: Literal["replicate", "zero"] = "replicate",
    adjacent: bool = True,
) -> NDArray[np.float32]:
    """Slices with their neighbours as channels (Patravali, Jain and Chilamkurthy 2017).

    Args:
        image: (z, y, x), or (z, y, x, c) in colour.
        wanted: The slices in the middle, n of them.
        count: Slices of a sample, odd.
        edge: What stands beyond the first and last slice: that slice again, or zeros.
        adjacent: Whether slices that follow each other are neighbours; where not, all that
            stands beside a slice is as if beyond the edge.

    Returns:
        (n, count * c, y, x); from the lowest slice to the highest, each with all its colours.
    """
    planes = image[:, None] if image.ndim == 3 else image.transpose(0, 3, 1, 2)
    middle = np.asarray(wanted, np.intp)[:, None]
    steps = np.arange(count)[None] - count // 2
    places = middle + steps
    beyond = (places < 0) | (places >= len(planes))
    if not adjacent:
        beyond |= steps != 0
        places = np.broadcast_to(middle, places.shape)
    stacked: NDArray[np.float32] = planes[places.clip(0, len(planes) - 1)]  # (n, count, c, y, x)
    if edge == "zero":
        stacked[beyond] = 0
    joined: NDArray[np.float32] = stacked.reshape(len(middle), -1, *planes.shape[2:])
    return joined
