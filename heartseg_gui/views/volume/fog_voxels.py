"""Which voxels of an image stand in space as a fog, and how bright; numbers only, no graphics."""

import numpy as np
from numpy.typing import NDArray

from heartseg_gui.views.volume.scene_cuts import lies_along
from heartseg_gui.views.volume.scene_values import ClipBox, Fog

_NEAR_MM, _FADE_MM = 14.0, 8.0  # where fog near labels ends, and how wide the fading is

Cut = tuple[slice, slice, slice]


def part_inside(fog: Fog, clip: ClipBox | None) -> Cut:
    """The voxels that the box touches; all of them where the box lies along other axes."""
    if clip is None or not lies_along(clip, fog.geometry):
        return slice(None), slice(None), slice(None)
    cuts = []
    for (low, high), count in zip(clip.limits()[::-1], fog.voxels.shape, strict=True):
        first = min(max(0, int(np.floor(low + 0.5))), count - 2)
        last = max(min(count, int(np.ceil(high + 0.5))), first + 2)
        cuts.append(slice(max(first, 0), last))
    z, y, x = cuts
    return z, y, x


def drawn_grey(fog: Fog, cut: Cut) -> NDArray[np.uint8]:
    """Grey of a part of the fog as it is drawn, (z, y, x): windowed, and faded where it ends."""
    grey = windowed(fog.voxels[cut], fog.window)
    share = _shown_share(fog, cut)
    return grey if share is None else (grey * share).astype(np.uint8)


def windowed(voxels: NDArray[np.generic], window: tuple[float, float]) -> NDArray[np.uint8]:
    """Grey of 8 bits, in any shape.

    Args:
        voxels: Grey values of the image.
        window: Level and width; black and white are half a width from the level.
    """
    level, width = window
    grey = (voxels.astype(np.float32) - (level - width / 2)) * (255 / max(width, 1e-6))
    clipped: NDArray[np.uint8] = np.clip(grey, 0, 255).astype(np.uint8)
    return clipped


def _shown_share(fog: Fog, cut: Cut) -> NDArray[np.float32] | None:
    """How much of each voxel is shown: all near the labels, less and less farther away.

    Fog that ends at once, as a sawn block, looks like a thing of its own. The other reason to fade
    is the border of the box.
    """
    shares = []
    _, row_mm, column_mm = fog.geometry.spacing_mm
    if fog.near is not None and fog.near[cut].any():
        from scipy.ndimage import distance_transform_edt

        away = distance_transform_edt(fog.near[cut] == 0, sampling=fog.geometry.spacing_mm)
        shares.append(np.clip((_NEAR_MM - away) / _FADE_MM, 0, 1))
    _, height, width = fog.voxels[cut].shape
    if (height, width) != fog.voxels.shape[1:]:
        from_rim = np.minimum(_from_rim(height, row_mm)[:, None], _from_rim(width, column_mm))
        shares.append(np.clip(from_rim / _FADE_MM, 0, 1)[None])
    if not shares:
        return None
    share: NDArray[np.float32] = np.prod(np.broadcast_arrays(*shares), axis=0).astype(np.float32)
    return share


def _from_rim(count: int, spacing_mm: float) -> NDArray[np.float64]:
    """Distance of each voxel of a line from its nearer end [mm]."""
    at = np.arange(count)
    return np.minimum(at, count - 1 - at) * spacing_mm
