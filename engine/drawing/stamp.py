"""A slice as small as a stamp, for lists of studies."""

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.drawing.colours import class_colours, rgb_of
from engine.structures import Structure

_COVER = 0.4  # how much a label hides of the image


def stamp_png(
    grey: NDArray[np.floating],
    labels: NDArray[np.uint8],
    pixel_mm: tuple[float, float],
    *,
    side_px: int = 128,
) -> bytes:
    """A square PNG of a cut-out slice with its labels in colour.

    Args:
        grey: Signal from 0 to 1, (y, x).
        labels: `Structure` numbers, (y, x).
        pixel_mm: Size of a pixel (y, x).
        side_px: Length of its sides [pixels]; the longer side of the slice fills it.
    """
    assert grey.shape == labels.shape
    names = tuple(structure.name.lower() for structure in Structure)
    shades = np.repeat(255 * np.clip(grey, 0, 1)[..., None], 3, axis=2)
    for number, name in enumerate(names[1:], start=1):
        colour = np.array(rgb_of(class_colours(names)[name]))
        here = labels == number
        shades[here] = (1 - _COVER) * shades[here] + _COVER * colour
    height, width = (size * mm for size, mm in zip(grey.shape, pixel_mm, strict=True))
    scale = side_px / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    picture = Image.fromarray(np.rint(shades).astype(np.uint8)).resize(size)
    square = Image.new("RGB", (side_px, side_px))
    square.paste(picture, ((side_px - size[0]) // 2, (side_px - size[1]) // 2))
    stream = BytesIO()
    square.save(stream, format="PNG")
    return stream.getvalue()
