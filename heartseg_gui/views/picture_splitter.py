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
        self._wide = False

    def share(self) -> None:
        """Give the first picture three fifths of the room, the second the rest; or half each."""
        first, second = (1, 1) if self._wide else (3, 2)
        self.setSizes([1000 * first, 1000 * second])  # far more than there is: shares
        self.setStretchFactor(0, first)
        self.setStretchFactor(1, second)

    def set_wide(self, wide: bool) -> None:
        """Put the second picture below the first because it is wide, or where there is room."""
        if wide != self._wide:
            self._wide = wide
            self._turn()
            self.share()

    def minimumSizeHint(self) -> QSize:
        """As narrow as one picture, or the window could not become narrow."""
        pictures = filter(None, map(self.widget, range(self.count())))
        width = max(picture.minimumSizeHint().width() for picture in pictures)
        return QSize(width, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Turn where the room asks for it."""
        super().resizeEvent(event)
        self._turn()

    def _turn(self) -> None:
        across, down = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
        wanted = down if self._wide or self.width() < _LEAST_ACROSS_PX else across
        if wanted != self.orientation():
            self.setOrientation(wanted)
            self.share()
