"""A slice as small as a stamp: the heart, cut out, with its labels."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPainterPath, QPixmap

from heartseg_gui.documents.display_state import DisplayState
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.slice_rendering import (
    Box,
    GreyTable,
    SlicePlane,
    box_of,
    image_over,
    overlay_table,
    to_pixels,
)

_MARGIN_SHARE = 0.25  # around the heart, of its size
_LEAST_VOXELS = 16


class Thumbnails:
    """Draws slices of the open stack; the part of the picture is the same for a whole phase."""

    def __init__(self, document: StudyDocument, display: DisplayState) -> None:
        self._document, self._display = document, display
        self._boxes: dict[int, Box] = {}

    def forget(self) -> None:
        """Look anew where the heart lies."""
        self._boxes.clear()

    def draw(self, phase: int, slice_index: int, side_px: int, ratio: float) -> QPixmap:
        """A square picture.

        Args:
            phase: 0-based.
            slice_index: 0-based.
            side_px: Length of its sides [device-independent pixels].
            ratio: Pixels of the screen for each of them.
        """
        pixmap = empty_stamp(side_px, ratio)
        cine = self._document.cine
        if cine is None or phase >= cine.phase_count or slice_index >= cine.slice_count:
            return pixmap
        top, bottom, left, right = self._box(phase)
        part = np.s_[top:bottom, left:right]
        grey = np.empty((bottom - top, right - left), np.uint8)
        table = GreyTable(self._display.level, self._display.width, cine.voxels.dtype)
        table.draw(np.ascontiguousarray(cine.voxels[phase, slice_index][part]), grey)
        labels = self._document.labels
        over = None if labels is None else labels.voxels[phase, slice_index][part]
        paint_stamp(pixmap, grey, over, SlicePlane.of(cine.geometry), self._display)
        return pixmap

    def _box(self, phase: int) -> Box:
        if phase not in self._boxes:
            self._boxes[phase] = self._find_box(phase)
        return self._boxes[phase]

    def _find_box(self, phase: int) -> Box:
        """A square around the heart of a phase, in millimetres; all of the slice without one."""
        cine, labels = self._document.cine, self._document.labels
        assert cine is not None
        _, height, width = cine.geometry.shape
        heart = None
        if labels is not None:
            heart = box_of(np.bitwise_or.reduce(labels.voxels[phase], axis=0))
        if heart is None:
            return 0, height, 0, width
        _, row_mm, column_mm = cine.geometry.spacing_mm
        top, bottom, left, right = heart
        side_mm = max((bottom - top) * row_mm, (right - left) * column_mm, _LEAST_VOXELS * row_mm)
        side_mm *= 1 + 2 * _MARGIN_SHARE
        rows = _span((top + bottom) / 2, side_mm / row_mm, height)
        columns = _span((left + right) / 2, side_mm / column_mm, width)
        return (*rows, *columns)


def empty_stamp(side_px: int, ratio: float) -> QPixmap:
    """A square that nothing is drawn on."""
    pixmap = QPixmap(QSize(side_px, side_px) * ratio)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    return pixmap


def paint_stamp(
    pixmap: QPixmap,
    grey: NDArray[np.uint8],
    labels: NDArray[np.uint8] | None,
    plane: SlicePlane,
    display: DisplayState,
) -> None:
    """Draw a part of a slice, both (y, x) in the order of the file, as it lies on the screen."""
    size = pixmap.deviceIndependentSize()
    whole = QRectF(0, 0, size.width(), size.height())
    height, width = grey.shape[0] * plane.row_mm, grey.shape[1] * plane.column_mm
    scale = max(whole.width() / width, whole.height() / height)  # it fills the square
    target = QRectF(0, 0, width * scale, height * scale)
    target.moveCenter(whole.center())
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    path = QPainterPath()
    path.addRoundedRect(whole, 5, 5)
    painter.setClipPath(path)
    pixels = np.empty(grey.shape, np.uint32)
    to_pixels(np.ascontiguousarray(plane.turn(grey)), pixels)
    painter.drawImage(target, image_over(pixels, QImage.Format.Format_RGB32))
    if labels is not None:
        colours = np.ascontiguousarray(overlay_table(display)[plane.turn(labels)])
        form = QImage.Format.Format_ARGB32_Premultiplied
        painter.drawImage(target, image_over(colours, form))
    painter.end()


def _span(middle: float, length: float, size: int) -> tuple[int, int]:
    """From and to, about a middle, moved inwards where it would reach over the edge."""
    length = min(length, size)
    start = min(max(round(middle - length / 2), 0), size - round(length))
    return start, start + round(length)
