"""Zooming and panning a graphics view without surprises."""

from PySide6.QtCore import QPoint, QRectF
from PySide6.QtGui import QTransform
from PySide6.QtWidgets import QGraphicsView

_LARGEST_PIXELS_PER_MM = 100.0
_SMALLEST_SHARE_OF_FIT = 0.25


class SliceCamera:
    """Which part of the scene a view shows; it stays fitted until the reader zooms or pans."""

    def __init__(self, view: QGraphicsView) -> None:
        self.fitted = True
        self._view = view
        self._content = QRectF()
        view.setTransformationAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        view.setResizeAnchor(QGraphicsView.ViewportAnchor.AnchorViewCenter)

    @property
    def pixels_per_mm(self) -> float:
        """Size of a millimetre on the screen [device-independent pixels]."""
        return float(self._view.transform().m11())

    def show(self, content: QRectF) -> None:
        """Look at a new content, all of it."""
        self._content = content
        # room on all sides, so that every corner of the picture can be brought to the middle
        self._view.setSceneRect(
            content.adjusted(-content.width(), -content.height(), content.width(), content.height())
        )
        self.fit()

    def fit(self) -> None:
        """Show all of the content, as large as it goes."""
        self.fitted = True
        if not self._content.isEmpty():
            scale = self._fitting_scale()
            self._view.setTransform(QTransform.fromScale(scale, scale))
            self._view.centerOn(self._content.center())

    def zoom(self, factor: float, at: QPoint) -> None:
        """Enlarge about a point of the viewport, which stays where it is."""
        if self._content.isEmpty():
            return
        old = self.pixels_per_mm
        smallest = self._fitting_scale() * _SMALLEST_SHARE_OF_FIT
        new = min(max(old * factor, smallest), _LARGEST_PIXELS_PER_MM)
        if new == old:
            return
        self.fitted = False
        anchor = self._view.mapToScene(at)
        self._view.setTransform(QTransform.fromScale(new, new))
        moved = self._view.mapFromScene(anchor) - at
        self._scroll(moved.x(), moved.y())

    def pan(self, by: QPoint) -> None:
        """Move the picture by pixels."""
        self.fitted = False
        self._scroll(-by.x(), -by.y())

    def _scroll(self, across: int, down: int) -> None:
        for bar, by in (
            (self._view.horizontalScrollBar(), across),
            (self._view.verticalScrollBar(), down),
        ):
            bar.setValue(bar.value() + by)

    def _fitting_scale(self) -> float:
        size = self._view.viewport().size()
        return min(size.width() / self._content.width(), size.height() / self._content.height())
