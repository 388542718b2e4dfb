"""One slice on the screen: grey values, labels and reference, redrawn where they change."""

import math

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from engine.cine import Cine
from engine.labelmap import LabelMap
from heartseg_gui.documents.display_state import DisplayState, OverlayStyle
from heartseg_gui.slice_rendering import (
    Box,
    GreyTable,
    Pixels,
    SlicePlane,
    box_of,
    cut_boxes,
    image_over,
    join_boxes,
    outline_paths,
    outline_runs,
    overlay_table,
)
from heartseg_gui.views.slices.slice_picture import SlicePicture

_OUTLINE_PX = 1.5
_DASH = [4.0, 3.0]


class SliceItem(QGraphicsItem):
    """Draws two 32-bit buffers and outlines; its coordinates are millimetres on the screen."""

    def __init__(self, plane: SlicePlane, display: DisplayState) -> None:
        super().__init__()
        self.plane = plane
        self.slice_index = 0
        self._display = display
        self._picture = SlicePicture(plane)
        self._overlay: Pixels = np.zeros((plane.height, plane.width), np.uint32)
        self._overlay_image = image_over(self._overlay, QImage.Format.Format_ARGB32_Premultiplied)
        self._labels: NDArray[np.uint8] | None = None  # (y, x), in the order of the screen
        self._label_box: Box | None = None
        self._colours = overlay_table(display)
        self._reference: NDArray[np.uint8] | None = None
        self._reference_paths: list[QPolygonF] | None = None
        self._bounds = QRectF(0, 0, *plane.size_mm)
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption)

    def show_image(self, cine: Cine, phase: int, grey: GreyTable, *, hurried: bool) -> None:
        """Draw the grey values or colours of a phase, coarser at first when hurried."""
        if cine.colour is not None:
            colour = self.plane.turn(cine.colour[phase, self.slice_index])
            self._picture.renew(colour.astype(np.uint8, copy=False))
        else:
            voxels = self.plane.turn(cine.voxels[phase, self.slice_index])
            grey.draw(voxels, self._picture.grey)
            self._picture.renew(hurried=hurried)
        self.update()

    def sharpen(self) -> None:
        """Draw the picture as well as can be."""
        if self._picture.sharpen():
            self.update()

    def show_labels(self, labels: LabelMap | None, phase: int) -> None:
        """Draw the labels of a phase."""
        self._clear_overlay()
        self._labels = self._slice_of(labels, phase)
        self._label_box = None if self._labels is None else box_of(self._labels)
        self._colour_in(self._label_box)
        self.update()

    def show_reference(self, reference: LabelMap | None, phase: int) -> None:
        """Draw the outlines of the reference labels of a phase, while they are wanted."""
        self._reference = self._slice_of(reference, phase)
        self._reference_paths = None
        self.update()

    def show_display(self) -> None:
        """Draw the labels anew in the colours of the display state."""
        self._colours = overlay_table(self._display)
        self._colour_in(self._label_box)
        self.update()

    def show_change(self, box: Box) -> None:
        """Draw anew the labels within a box of the slice, in the order of the file."""
        changed = self.plane.turn_box(box)
        self._label_box = join_boxes(self._label_box, changed)
        self._colour_in(changed)
        top, bottom, left, right = changed
        # one voxel more on every side: its outline may have changed
        self.update(
            QRectF(
                (left - 1) * self.plane.column_mm,
                (top - 1) * self.plane.row_mm,
                (right - left + 2) * self.plane.column_mm,
                (bottom - top + 2) * self.plane.row_mm,
            )
        )

    def _slice_of(self, labels: LabelMap | None, phase: int) -> NDArray[np.uint8] | None:
        if labels is None:
            return None
        turned = self.plane.turn(labels.voxels[phase, self.slice_index])
        return turned.view(np.uint8)

    def _clear_overlay(self) -> None:
        if self._label_box is not None:
            top, bottom, left, right = self._label_box
            self._overlay[top:bottom, left:right] = 0

    def _colour_in(self, box: Box | None) -> None:
        if box is None or self._labels is None:
            return
        top, bottom, left, right = box
        part = np.s_[top:bottom, left:right]
        self._overlay[part] = self._colours[self._labels[part]]

    def _paint_areas(self, painter: QPainter) -> None:
        if self._label_box is None or self._display.style is OverlayStyle.CONTOUR:
            return
        top, bottom, left, right = self._label_box
        source = QRectF(left, top, right - left, bottom - top)
        painter.drawImage(self._in_mm(source), self._overlay_image, source)

    def _paint_outlines(self, painter: QPainter, exposed: QRectF) -> None:
        if self._display.style is OverlayStyle.FILLED or self._labels is None:
            return
        box = self._exposed_box(exposed)
        if box is None:
            return
        top, bottom, left, right = box
        labels = self._labels[top:bottom, left:right]
        for structure in self._display.shown_structures():
            mask = labels == structure
            if mask.any():
                painter.setPen(_pen(painter, QColor(*self._display.colour_of(structure))))
                painter.drawLines(self._lines(mask, top, left))

    def _lines(self, mask: NDArray[np.bool_], top: int, left: int) -> list[QLineF]:
        row_mm, column_mm = self.plane.row_mm, self.plane.column_mm
        lying, upright = outline_runs(mask)
        across = (lying + np.array((top, left, left))) * (row_mm, column_mm, column_mm)
        down = (upright + np.array((left, top, top))) * (column_mm, row_mm, row_mm)
        lines = [QLineF(start, y, end, y) for y, start, end in across.tolist()]
        lines += [QLineF(x, start, x, end) for x, start, end in down.tolist()]
        return lines

    def _exposed_box(self, exposed: QRectF) -> Box | None:
        """The labelled voxels in the exposed part, one more on every side."""
        if self._label_box is None:
            return None
        row_mm, column_mm = self.plane.row_mm, self.plane.column_mm
        exposed_box = (
            max(0, math.floor(exposed.top() / row_mm) - 1),
            min(self.plane.height, math.ceil(exposed.bottom() / row_mm) + 1),
            max(0, math.floor(exposed.left() / column_mm) - 1),
            min(self.plane.width, math.ceil(exposed.right() / column_mm) + 1),
        )
        return cut_boxes(exposed_box, self._label_box)

    def _paint_reference(self, painter: QPainter) -> None:
        if self._reference is None or not self._display.reference_shown:
            return
        if self._reference_paths is None:
            self._reference_paths = self._trace_reference(self._reference)
        under = _pen(painter, QColor(0, 0, 0, 160))
        dashes = _pen(painter, QColor(255, 255, 255))
        dashes.setDashPattern(_DASH)
        dashes.setCapStyle(Qt.PenCapStyle.FlatCap)
        for pen in (under, dashes):
            painter.setPen(pen)
            for path in self._reference_paths:
                painter.drawPolyline(path)

    def _trace_reference(self, labels: NDArray[np.uint8]) -> list[QPolygonF]:
        row_mm, column_mm = self.plane.row_mm, self.plane.column_mm
        return [
            QPolygonF([QPointF(column * column_mm, row * row_mm) for row, column in path])
            for path in outline_paths(labels)
        ]

    def _in_mm(self, voxels: QRectF) -> QRectF:
        row_mm, column_mm = self.plane.row_mm, self.plane.column_mm
        return QRectF(
            voxels.x() * column_mm,
            voxels.y() * row_mm,
            voxels.width() * column_mm,
            voxels.height() * row_mm,
        )

    def boundingRect(self) -> QRectF:
        """The slice [mm]."""
        return self._bounds

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionGraphicsItem,
        widget: QWidget | None = None,  # noqa: ARG002  (Qt's signature)
    ) -> None:
        """Draw image, areas, outlines and reference."""
        self._picture.paint(painter, smooth=self._display.smooth)
        self._paint_areas(painter)
        self._paint_outlines(painter, option.exposedRect)
        self._paint_reference(painter)


def _pen(painter: QPainter, colour: QColor) -> QPen:
    # a cosmetic pen is as wide at every zoom, but counts the screen's own pixels
    pen = QPen(colour, round(_OUTLINE_PX * painter.device().devicePixelRatioF()))
    pen.setCosmetic(True)
    pen.setCapStyle(Qt.PenCapStyle.SquareCap)  # closes the corners
    pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
    return pen
