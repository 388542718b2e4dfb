"""Small pictures in rows and columns, with their labels over them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from heartseg_gui.theme import colours_of
from heartseg_gui.views.training.class_colours import Colour

_OPACITY = 0.5  # of labels over an image
_UNKNOWN = (150, 150, 150)  # pixels whose label is not certain
_GAP = 4.0  # between pictures [pixels]
_LEAST_PX, _USUAL_PX = 44, 72  # side of a picture


@dataclass(frozen=True, slots=True)
class Grid:
    """Pictures in rows.

    Attributes:
        rows: Pictures of each row.
        row_titles: What stands before each row.
        column_titles: What stands above each column; may be empty.
    """

    rows: Sequence[Sequence[QImage]] = field(default=(), repr=False)
    row_titles: Sequence[str] = ()
    column_titles: Sequence[str] = ()

    @property
    def columns(self) -> int:
        """Of the longest row."""
        return max((len(row) for row in self.rows), default=0)


def picture_of(
    image: NDArray[np.uint8], labels: NDArray[np.uint8] | None, colours: Sequence[Colour]
) -> QImage:
    """An image with labels over it.

    Args:
        image: (y, x), or (y, x, 3) of colours.
        labels: Class numbers (y, x), the background 0; None for none.
        colours: Of the classes from number 1.
    """
    shown = np.repeat(image[..., None], 3, axis=2) if image.ndim == 2 else image
    if labels is not None:
        table = np.full((256, 3), _UNKNOWN, np.float32)
        table[1 : 1 + len(colours)] = colours
        over = labels > 0
        mixed = (1 - _OPACITY) * shown[over] + _OPACITY * table[labels[over]]
        shown = shown.copy()
        shown[over] = mixed.astype(np.uint8)
    shown = np.ascontiguousarray(shown)
    height, width = shown.shape[:2]
    drawn = QImage(shown.data, width, height, 3 * width, QImage.Format.Format_RGB888)
    return drawn.copy()  # the array goes


class PictureGrid(QWidget):
    """Paints a grid as large as it fits."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = Grid()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    @property
    def grid(self) -> Grid:
        """What is shown."""
        return self._grid

    def show_grid(self, grid: Grid, description: str) -> None:
        """Show pictures; `description` says for screen readers what they are."""
        self._grid = grid
        self.setAccessibleName(description)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Room for pictures of a usual size."""
        return self._size(_USUAL_PX)

    def minimumSizeHint(self) -> QSize:
        """Room for pictures in which one still sees something."""
        return self._size(_LEAST_PX)

    def _size(self, side: int) -> QSize:
        left, top = self._margins()
        columns, rows = self._grid.columns, len(self._grid.rows)
        return QSize(int(left + columns * (side + _GAP)), int(top + rows * (side + _GAP)))

    def _margins(self) -> tuple[float, float]:
        letters = self.fontMetrics()
        left = max(map(letters.horizontalAdvance, self._grid.row_titles), default=0)
        top = 1.3 * letters.height() if any(self._grid.column_titles) else 0.0
        return (left + 10.0 if left else 0.0), top

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw all of it."""
        if not self._grid.rows:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setPen(QColor(colours_of(self.palette()).muted))
        left, top = self._margins()
        across = (self.width() - left) / self._grid.columns - _GAP
        down = (self.height() - top) / len(self._grid.rows) - _GAP
        side = max(1.0, min(across, down))
        letters = self.fontMetrics()
        middle = Qt.AlignmentFlag.AlignVCenter
        for number, title in enumerate(self._grid.column_titles):
            box = QRectF(left + number * (side + _GAP), 0, side, top)
            said = letters.elidedText(title, Qt.TextElideMode.ElideMiddle, int(side))
            painter.drawText(box, Qt.AlignmentFlag.AlignHCenter | middle, said)
        for line, row in enumerate(self._grid.rows):
            y = top + line * (side + _GAP)
            if line < len(self._grid.row_titles):
                painter.drawText(QRectF(0, y, left, side), middle, self._grid.row_titles[line])
            for number, picture in enumerate(row):
                box = QRectF(left + number * (side + _GAP), y, side, side)
                painter.drawImage(_fitted(picture, box), picture)


def _fitted(picture: QImage, box: QRectF) -> QRectF:
    """The largest part of a box that has the shape of a picture."""
    scale = min(box.width() / picture.width(), box.height() / picture.height())
    width, height = scale * picture.width(), scale * picture.height()
    return QRectF(box.center().x() - width / 2, box.center().y() - height / 2, width, height)
