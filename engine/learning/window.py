"""The part of a stack's slices that a network is shown."""

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.recipe import ImageRecipe

_MARGIN_MM = 25.0  # around the heart of the middle slices: the base is wider
_RIM = 2  # pixels: labels this near to the border of a window may go on beyond it

Voxel = TypeVar("Voxel", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Window:
    """A box of pixels as acquired, the same in every slice; it may reach beyond the image.

    Attributes:
        y: First row.
        x: First column.
        height: Rows.
        width: Columns.
    """

    y: int
    x: int
    height: int
    width: int

    def cut(self, image: NDArray[Voxel]) -> NDArray[Voxel]:
        """The box out of an image (z, y, x) or (z, y, x, c); zeros beyond it."""
        inner, inside = self._shared(image.shape[1:3])
        if inside == (slice(0, self.height), slice(0, self.width)):
            return image[:, inner[0], inner[1]]
        part = np.zeros((len(image), self.height, self.width, *image.shape[3:]), image.dtype)
        part[:, inside[0], inside[1]] = image[:, inner[0], inner[1]]
        return part

    def paste(self, part: NDArray[Voxel], onto: NDArray[Voxel]) -> None:
        """Put what lies in the box, (..., height, width), into an image (..., y, x)."""
        inner, inside = self._shared(onto.shape[-2:])
        onto[(..., *inner)] = part[(..., *inside)]

    def holds_all(self, labels: NDArray[np.uint8]) -> bool:
        """Whether labels (z, y, x) end before the border wherever the image goes on beyond it."""
        (rows, columns), _ = self._shared(labels.shape[-2:])
        part: NDArray[np.bool_] = np.any(labels[:, rows, columns] > 0, axis=0)
        height, width = labels.shape[-2:]
        rims = (
            (rows.start > 0, part[:_RIM]),
            (rows.stop < height, part[-_RIM:]),
            (columns.start > 0, part[:, :_RIM]),
            (columns.stop < width, part[:, -_RIM:]),
        )
        return not any(goes_on and rim.any() for goes_on, rim in rims)

    def _shared(self, shape: tuple[int, ...]) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
        """What the box and an image of (y, x) pixels share: its place in the one and the other."""
        first = (max(0, self.y), max(0, self.x))
        last = (min(shape[0], self.y + self.height), min(shape[1], self.x + self.width))
        y, x = (slice(low, max(low, high)) for low, high in zip(first, last, strict=True))
        return (y, x), (
            slice(y.start - self.y, y.stop - self.y),
            slice(x.start - self.x, x.stop - self.x),
        )


def whole_slices(shape: tuple[int, ...]) -> Window:
    """The window that is all of an image (z, y, x)."""
    return Window(0, 0, shape[1], shape[2])


def around_heart(
    labels: NDArray[np.uint8],
    spacing_mm: tuple[float, float, float],
    recipe: ImageRecipe,
    *,
    stride: int,
) -> Window | None:
    """The window around a heart that was found in some slices; None if none was.

    It is no smaller than the patches the network was trained on, and fills whole strides of the
    network. Its middle lies on a pixel, so that padding or cutting the image moves it along.

    Args:
        labels: (z, y, x), `Structure` numbers, cleaned up.
        spacing_mm: (z, y, x) [mm].
        recipe: `size` and `spacing_mm` of the patches.
        stride: Of the network.
    """
    found: NDArray[np.bool_] = np.any(labels > 0, axis=0)
    if not found.any():
        return None
    sides = []
    for axis in (0, 1):
        places = np.flatnonzero(np.any(found, axis=1 - axis))
        mm = spacing_mm[axis + 1]
        pixel_mm = recipe.spacing_mm or mm
        wanted_mm = (places[-1] - places[0] + 1) * mm + 2 * _MARGIN_MM
        pixels = max(recipe.size[axis], math.ceil(wanted_mm / pixel_mm))
        length = math.floor(math.ceil(pixels / stride) * stride * pixel_mm / mm)
        middle = (int(places[0]) + int(places[-1])) // 2
        sides.append((middle - length // 2, length))
    (y, height), (x, width) = sides
    return Window(y, x, height, width)
