"""The grey values of one slice as an image, smoothed between voxels at little cost."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from heartseg_gui.slice_rendering import (
    Pixels,
    SlicePlane,
    draw_colour,
    image_over,
    to_pixels,
)

_MOST_ENLARGED_PIXELS = 1_600_000


class SlicePicture:
    """Paints one slice.

    Qt's own smooth scaling costs 7 ms for a view of 900 x 900, whatever the image. Doubling the
    8-bit image until it has a pixel for each of the screen, and drawing that without smoothing,
    looks the same and costs a fifth. Where that would become too large, Qt smooths.
    """

    def __init__(self, plane: SlicePlane) -> None:
        self._plane = plane
        self._grey: NDArray[np.uint8] = np.zeros((plane.height, plane.width), np.uint8)
        self._colour: NDArray[np.uint8] | None = None
        self._pixels: Pixels = np.zeros((plane.height, plane.width), np.uint32)
        self._image = image_over(self._pixels, QImage.Format.Format_RGB32)
        self._doubling: list[Doubling] = []
        self._hurried = False
        self._doublings: int | None = None  # of the pixels; None where they are out of date

    @property
    def grey(self) -> NDArray[np.uint8]:
        """Where to write the grey values, (y, x) in the order of the screen; then `renew`."""
        return self._grey

    def renew(self, colour: NDArray[np.uint8] | None = None, *, hurried: bool = False) -> None:
        """Take over what was written, or a slice in colour (y, x, 3).

        Args:
            colour: The slice, if it is in colour.
            hurried: Draw it a little coarser, until `sharpen` is called.
        """
        self._colour = colour
        self._hurried = hurried
        self._doublings = None

    def sharpen(self) -> bool:
        """Draw as well as can be from now on; whether that makes a difference."""
        hurried, self._hurried = self._hurried, False
        return hurried

    def paint(self, painter: QPainter, *, smooth: bool) -> None:
        """Draw the slice, whose coordinates are millimetres on the screen."""
        wanted = self._wanted_doublings(painter) if smooth else 0
        by_qt = smooth and wanted == 0
        if self._hurried and wanted:
            wanted -= 1
        if wanted != self._doublings:
            self._fill(wanted)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, by_qt)
        painter.drawImage(self._target(wanted), self._image, QRectF(self._image.rect()))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)

    def _wanted_doublings(self, painter: QPainter) -> int:
        """How often to double for a pixel on each of the screen; 0 leaves the work to Qt."""
        if self._colour is not None:
            return 0
        device_per_mm = painter.worldTransform().m11() * painter.device().devicePixelRatioF()
        finest_mm = max(self._plane.row_mm, self._plane.column_mm)
        doublings = int(np.ceil(np.log2(max(1.0, device_per_mm * finest_mm))))
        enlarged = self._grey.size * 4**doublings
        return doublings if enlarged <= _MOST_ENLARGED_PIXELS else 0

    def _target(self, doublings: int) -> QRectF:
        """Where the image lies [mm]: its outer samples stay at the centres of their voxels."""
        row_mm, column_mm = self._plane.row_mm, self._plane.column_mm
        inset = 0.5 - 0.5 / 2**doublings  # voxels
        width, height = self._plane.size_mm
        return QRectF(
            inset * column_mm,
            inset * row_mm,
            width - 2 * inset * column_mm,
            height - 2 * inset * row_mm,
        )

    def _fill(self, doublings: int) -> None:
        self._doublings = doublings
        grey = self._grey
        for number in range(doublings):
            if number == len(self._doubling):
                self._doubling.append(Doubling(*grey.shape))
            grey = self._doubling[number].of(grey)
        if grey.shape != self._pixels.shape:
            self._pixels = np.empty(grey.shape, np.uint32)
            self._image = image_over(self._pixels, QImage.Format.Format_RGB32)
        if self._colour is None:
            to_pixels(grey, self._pixels)
        else:
            draw_colour(self._colour, self._pixels)


class Doubling:
    """Puts a sample between any two of an image, in memory that is taken once.

    Fresh arrays of this size would cost as much as the arithmetic, in page faults.
    """

    def __init__(self, height: int, width: int) -> None:
        self._wide = np.empty((height, 2 * width - 1), np.uint8)
        self._both = np.empty((2 * height - 1, 2 * width - 1), np.uint8)
        self._across = np.empty((2, height, width - 1), np.uint8)
        self._down = np.empty((2, height - 1, 2 * width - 1), np.uint8)

    def of(self, grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The image (2 y - 1, 2 x - 1) of an image (y, x); overwritten by the next call."""
        wide, both = self._wide, self._both
        wide[:, ::2] = grey
        _mean(grey[:, :-1], grey[:, 1:], self._across, out=wide[:, 1::2])
        both[::2] = wide
        _mean(wide[:-1], wide[1:], self._down, out=both[1::2])
        return both


def _mean(
    one: NDArray[np.uint8],
    other: NDArray[np.uint8],
    spare: NDArray[np.uint8],
    *,
    out: NDArray[np.uint8],
) -> None:
    """The mean of bytes without leaving bytes."""
    differ, agree = spare  # each in one piece: only the last step writes with gaps
    np.bitwise_xor(one, other, out=differ)
    np.right_shift(differ, 1, out=differ)
    np.bitwise_and(one, other, out=agree)
    np.add(agree, differ, out=out)
