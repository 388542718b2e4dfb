"""The scale bar and the colour bar of a picture of a scene."""

from math import floor, log10

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPen

from heartseg_gui.views.volume.scene_values import CameraPose, ColourScale
from heartseg_gui.views.volume.scene_writing import Writing
from heartseg_gui.views.volume.transfer_functions import colour_map

_LENGTHS_MM = (1, 2, 5, 10, 20, 50, 100, 200)
_LONGEST_SHARE = 0.3  # of a pane's width
_BAR_SHARE, _BAR_WIDTH = 0.42, 0.9  # of a pane's height; in heights of a letter
_MOST_TICKS = 5


def paint_scale_bar(writing: Writing, area: QRectF, pose: CameraPose, pane_width: float) -> None:
    """A bar of a round length in the lower right corner.

    Args:
        writing: How letters look.
        area: The whole picture.
        pose: The camera; without perspective the bar holds everywhere.
        pane_width: Width of a pane.
    """
    size, painter = writing.font_px, writing.painter
    px_per_mm = area.height() / (2 * pose.half_height_mm)
    length_mm = scale_length_mm(_LONGEST_SHARE * pane_width / px_per_mm)
    right = QPointF(area.right() - 1.4 * size, area.bottom() - 1.3 * size)
    left = right - QPointF(length_mm * px_per_mm, 0)
    tick = QPointF(0, 0.35 * size)
    for ink, width in ((writing.halo, 0.34 * size), (writing.ink, 0.14 * size)):
        painter.setPen(QPen(ink, width, c=Qt.PenCapStyle.FlatCap))
        painter.drawPolyline([left - tick, left, right, right - tick])
    text = QRectF(left.x() - 4 * size, left.y() - 1.9 * size, right.x() - left.x() + 8 * size, size)
    writing.write(text, scale_text(length_mm), Qt.AlignmentFlag.AlignCenter, growth=0.95)


def scale_length_mm(longest_mm: float) -> int:
    """The longest round length that is not longer than this."""
    fitting = [length for length in _LENGTHS_MM if length <= longest_mm]
    return fitting[-1] if fitting else _LENGTHS_MM[0]


def scale_text(length_mm: int) -> str:
    """A length as people say it."""
    return f"{length_mm // 10} cm" if length_mm % 10 == 0 else f"{length_mm} mm"


def paint_colour_bar(writing: Writing, pane: QRectF, scale: ColourScale) -> None:
    """The colours from low to high along the right side of a pane, with round numbers."""
    size, painter = writing.font_px, writing.painter
    height = _BAR_SHARE * pane.height()
    bar = QRectF(0, 0, _BAR_WIDTH * size, height)
    bar.moveTo(pane.right() - 4.2 * size, pane.center().y() - height / 2)
    image = _strip(scale)
    painter.drawImage(bar, image)
    painter.setPen(QPen(writing.quiet_ink, 1.0))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(bar)
    for value in ticks(scale.low, scale.high):
        share = (value - scale.low) / (scale.high - scale.low)
        at = QPointF(bar.right(), bar.bottom() - share * height)
        painter.setPen(QPen(writing.ink, 1.0))
        painter.drawLine(at, at + QPointF(0.3 * size, 0))
        box = QRectF(at.x() + 0.5 * size, at.y() - size, 3.4 * size, 2 * size)
        where = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        writing.write(box, _number_text(value), where, growth=0.95)
    title = QRectF(bar.left() - 8 * size, bar.top() - 3.2 * size, 11.2 * size, 2.8 * size)
    where = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom
    writing.write(title, f"{scale.title} [{scale.unit}]", where, growth=0.95)


def ticks(low: float, high: float) -> list[float]:
    """A few round numbers between two values, at most five; with both ends where they are round."""
    span = high - low
    if span <= 0:
        return []
    found = []
    for factor in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0):
        step = factor * 10.0 ** floor(log10(span))
        first, last = np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9)
        if 2 <= last - first + 1 <= _MOST_TICKS:
            found.append([float(number * step) for number in np.arange(first, last + 1)])
    with_ends = [some for some in found if np.allclose((some[0], some[-1]), (low, high))]
    return next(iter([*with_ends, *found]), [low, high])


def _number_text(value: float) -> str:
    return f"{value:g}".replace("-", "−") if value else "0"


def _strip(scale: ColourScale) -> QImage:
    """The colour map as an image one pixel wide, high values above."""
    colours = colour_map(scale.colours)[::-1]
    image = QImage(1, len(colours), QImage.Format.Format_RGB32)
    for row, (red, green, blue) in enumerate(colours):
        image.setPixelColor(0, row, QColor(int(red), int(green), int(blue)))
    return image
