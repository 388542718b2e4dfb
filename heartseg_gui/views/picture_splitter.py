"""Slices and 3-D view in one frame, side by side or below each other."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter

_LEAST_ACROSS_PX = 640  # room for both side by side


class PictureSplitter(QSplitter):
    """Pictures side by side, or below each other where two would be too narrow."""

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setChildrenCollapsible(False)

    def share(self) -> None:
        """Give the first picture three fifths of the room, the second the rest."""
        self.setSizes([3000, 2000])  # far more than there is: shares
        self.setStretchFactor(0, 3)
        self.setStretchFactor(1, 2)

    def minimumSizeHint(self) -> QSize:
        """As narrow as one picture, or the window could not become narrow."""
        pictures = filter(None, map(self.widget, range(self.count())))
        width = max(picture.minimumSizeHint().width() for picture in pictures)
        return QSize(width, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Turn where the room asks for it."""
        super().resizeEvent(event)
        across, down = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
        wanted = down if event.size().width() < _LEAST_ACROSS_PX else across
        if wanted != self.orientation():
            self.setOrientation(wanted)
            self.share()
