"""One slice with the outlines of two readings, and where they differ."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen, QPolygonF, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from engine.labelmap import LabelMap
from engine.structures import Structure
from heartseg_gui.documents.comparison import Comparison, Reading
from heartseg_gui.documents.display_state import DisplayState
from heartseg_gui.documents.patient_terms import phase_time_text
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.documents.view_state import ViewState
from heartseg_gui.slice_rendering import (
    Box,
    GreyTable,
    Pixels,
    SlicePlane,
    box_of,
    fitted,
    image_over,
    join_boxes,
    outline_paths,
    rectangle_of,
    to_pixels,
    widened,
)

_MARGIN_SHARE = 0.35
_NOTCH = 120
_LINE_PX = 2.0
_DASH = [3.0, 2.5]
_ALPHA = 150
DIFFERENCE_COLOURS = {1: (70, 160, 255), 2: (255, 150, 40), 3: (225, 70, 220)}
"""Of `Difference` codes: only in the first, only in the second, another structure."""


class ComparisonPicture(QWidget):
    """Draws the slice of the view state; the wheel goes through slices and phases.

    Signals:
        opened: A double click: the reader wants to work on this slice.
    """

    opened = Signal()

    def __init__(
        self,
        document: StudyDocument,
        view: ViewState,
        display: DisplayState,
        comparison: Comparison,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._view, self._display = document, view, display
        self._comparison = comparison
        self._differences = True
        self._turned = 0
        self.setMinimumSize(160, 140)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Both readings on the slice")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        for fact in (
            document.stack_changed,
            document.labels_changed,
            view.slice_changed,
            view.phase_changed,
            display.window_changed,
            display.overlay_changed,
            comparison.choice_changed,
            comparison.result_changed,
        ):
            fact.connect(self._show_state)

    def show_differences(self, shown: bool) -> None:
        """Colour what only one of the two has, or show outlines alone."""
        self._differences = shown
        self.update()

    def _show_state(self) -> None:
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw grey values, differences, outlines, and what the lines mean."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), Qt.GlobalColor.black)
        cine = self._document.cine
        if cine is None:
            return
        phase = min(self._view.phase, cine.phase_count - 1)
        number = min(self._view.slice_index, cine.slice_count - 1)
        plane = SlicePlane.of(cine.geometry)
        first, second = (
            self._plane_of(reading, phase, number, plane)
            for reading in (self._comparison.first, self._comparison.second)
        )
        box = plane.turn_box(self._box(phase))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        target = fitted(box, plane, self.size())
        grey = np.empty((plane.height, plane.width), np.uint8)
        table = GreyTable(self._display.level, self._display.width, cine.voxels.dtype)
        table.draw(np.ascontiguousarray(cine.voxels[phase, number]), grey)
        self._paint_grey(painter, target, box, np.ascontiguousarray(plane.turn(grey)))
        if first is not None and second is not None and self._differences:
            self._paint_differences(painter, target, box, (first, second))
        for labels, dashed in ((first, False), (second, True)):
            if labels is not None:
                self._paint_outlines(painter, target, box, labels, dashed=dashed)
        self._paint_words(painter, phase, number)

    def _plane_of(
        self, reading: Reading | None, phase: int, number: int, plane: SlicePlane
    ) -> NDArray[np.uint8] | None:
        """A reading's labels of the slice, in the order of the screen."""
        labels = None if reading is None else reading.labels
        if labels is None:
            return None
        return np.ascontiguousarray(plane.turn(labels.voxels[phase, number])).view(np.uint8)

    def _box(self, phase: int) -> Box:
        """The part that holds the heart of both readings in the whole phase, with a margin."""
        cine = self._document.cine
        assert cine is not None
        _, height, width = cine.geometry.shape
        box: Box | None = None
        for reading in (self._comparison.first, self._comparison.second):
            labels = None if reading is None else reading.labels
            if labels is not None:
                box = join_boxes(box, box_of(_projected(labels, phase)))
        return widened(box, height, width, _MARGIN_SHARE)

    def _paint_grey(
        self, painter: QPainter, target: QRectF, box: Box, grey: NDArray[np.uint8]
    ) -> None:
        pixels = np.empty(grey.shape, np.uint32)
        to_pixels(grey, pixels)
        image = image_over(pixels, QImage.Format.Format_RGB32)
        painter.drawImage(target, image, rectangle_of(box))

    def _paint_differences(
        self,
        painter: QPainter,
        target: QRectF,
        box: Box,
        both: tuple[NDArray[np.uint8], NDArray[np.uint8]],
    ) -> None:
        from engine.clinical.reading_comparison import difference_map

        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        over = np.ascontiguousarray(_difference_table()[difference_map(*both)])
        image = image_over(over, QImage.Format.Format_ARGB32_Premultiplied)
        painter.drawImage(target, image, rectangle_of(box))

    def _paint_outlines(
        self,
        painter: QPainter,
        target: QRectF,
        box: Box,
        labels: NDArray[np.uint8],
        *,
        dashed: bool,
    ) -> None:
        top, bottom, left, right = box
        across = target.width() / (right - left)
        down = target.height() / (bottom - top)
        part = labels[top:bottom, left:right]
        for structure in self._display.shown_structures():
            lines = [
                QPolygonF(
                    [
                        QPointF(target.left() + column * across, target.top() + row * down)
                        for row, column in path
                    ]
                )
                for path in outline_paths((part == structure).astype(np.uint8))
            ]
            for pen in self._pens(structure, dashed=dashed):
                painter.setPen(pen)
                for line in lines:
                    painter.drawPolyline(line)

    def _pens(self, structure: Structure, *, dashed: bool) -> tuple[QPen, QPen]:
        """A dark line below the coloured one, so that it shows on any grey."""
        colour = QColor(*self._display.colour_of(structure))
        ink = QPen(colour.lighter(150) if dashed else colour, _LINE_PX)
        if dashed:
            ink.setDashPattern(_DASH)
            ink.setCapStyle(Qt.PenCapStyle.FlatCap)
        return QPen(QColor(0, 0, 0, 170), _LINE_PX + 1.5), ink

    def _paint_words(self, painter: QPainter, phase: int, number: int) -> None:
        cine = self._document.cine
        assert cine is not None
        time = phase_time_text(cine, phase)
        place = f"Slice {number + 1}/{cine.slice_count}   Phase {phase + 1}/{cine.phase_count}"
        painter.setPen(QColor(240, 240, 235))
        painter.drawText(QPointF(10, 20), f"{place}   {time}".rstrip())

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Go through slices; with Shift, through phases."""
        delta = event.angleDelta().y() or event.angleDelta().x()
        self._turned += delta
        steps = int(self._turned / _NOTCH)
        self._turned -= steps * _NOTCH
        if steps and event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._view.step_phase(-steps)
        elif steps:
            self._view.step_slice(-steps)
        event.accept()

    def mouseDoubleClickEvent(self, _event: object) -> None:
        """Work on this slice."""
        self.opened.emit()


def _projected(labels: LabelMap, phase: int) -> NDArray[np.uint8]:
    projected: NDArray[np.uint8] = np.bitwise_or.reduce(labels.voxels[phase], axis=0)
    return projected


def _difference_table() -> Pixels:
    """The premultiplied colour of every `Difference` code, (4,)."""
    table = np.zeros(4, np.uint32)
    for code, colour in DIFFERENCE_COLOURS.items():
        red, green, blue = (round(part * _ALPHA / 255) for part in colour)
        table[code] = _ALPHA << 24 | red << 16 | green << 8 | blue
    return table
