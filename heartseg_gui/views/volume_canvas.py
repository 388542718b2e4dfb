"""The picture of a scene in space: the mouse turns, shifts and enlarges it."""

import time

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QSize, Qt, QTimer
from PySide6.QtGui import (
    QColor,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from heartseg_gui.views.volume_scene import VolumeScene

_NOTCH = 120
_ZOOM_PER_NOTCH = 1.15
_ZOOM_DRAG_PX = 150.0
_SLOW_S = 0.04  # a frame that takes longer is drawn coarser while the mouse drags
_COARSE = 2
_AXES_PX = 34
_DIRECTIONS = "RAH"
_SHORTEST_NAMED_AXIS = 0.3  # of its length; shorter ones point at the reader
_INK = QColor(225, 228, 232)


class VolumeCanvas(QWidget):
    """Paints what the scene rendered off the screen.

    An OpenGL widget would make Qt compose the whole window on the graphics card, which costs
    10 ms for every brush movement where there is none. Reading the picture back costs 2 ms.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: VolumeScene | None = None
        self._message = ""
        self._picture: NDArray[np.uint8] | None = None  # the memory of the image
        self._image = QImage()
        self._render_s = 0.0
        self._last: QPointF | None = None
        self._due = QTimer(self)  # several wishes, one picture
        self._due.setSingleShot(True)
        self._due.setInterval(0)
        self._due.timeout.connect(self._render)
        self.setMinimumSize(160, 160)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName("3-D view")

    @property
    def image(self) -> QImage:
        """What was rendered last; null before."""
        return self._image

    @property
    def message(self) -> str:
        """The sentence that is shown in place of a picture."""
        return self._message

    def set_scene(self, scene: VolumeScene) -> None:
        """Show a scene from now on."""
        self._scene = scene
        self._message = ""
        self.show_anew()

    def set_message(self, message: str) -> None:
        """Show a sentence in place of a picture."""
        self._message = message
        self.update()

    def show_anew(self) -> None:
        """Render as soon as the window has nothing else to do."""
        self._due.start()

    def _render(self) -> None:
        if self._scene is None or not self.isVisible():
            return
        dragging = self._last is not None
        coarse = _COARSE if dragging and self._render_s > _SLOW_S else 1
        ratio = self.devicePixelRatioF() / coarse
        size = QSize(max(16, round(self.width() * ratio)), max(16, round(self.height() * ratio)))
        start = time.perf_counter()
        self._picture = self._scene.render(size.width(), size.height())
        if coarse == 1:
            self._render_s = time.perf_counter() - start
        height, width, _ = self._picture.shape
        self._image = QImage(
            self._picture.data, width, height, 3 * width, QImage.Format.Format_RGB888
        )
        self.update()

    def _drag(self, event: QMouseEvent, by: QPointF) -> None:
        scene, buttons = self._scene, event.buttons()
        if scene is None:
            return
        shifts = buttons & Qt.MouseButton.MiddleButton
        if shifts or event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            scene.pan(by.x() / self.height(), by.y() / self.height())
        elif buttons & Qt.MouseButton.RightButton:
            scene.zoom(float(np.exp(-by.y() / _ZOOM_DRAG_PX)))
        else:
            scene.orbit(by.x(), by.y())
        self.show_anew()

    def _paint_axes(self, painter: QPainter, scene: VolumeScene) -> None:
        """Where the patient's directions point, in the lower left corner."""
        origin = QPointF(_AXES_PX + 18, self.height() - _AXES_PX - 18)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for letter, (across, up) in zip(_DIRECTIONS, scene.axes_on_screen(), strict=True):
            way = QPointF(across * _AXES_PX, -up * _AXES_PX)
            painter.setPen(QPen(_INK, 1.5))
            painter.drawLine(origin, origin + way)
            if np.hypot(across, up) >= _SHORTEST_NAMED_AXIS:
                middle = origin + way * 1.3
                area = (int(middle.x()) - 8, int(middle.y()) - 8, 16, 16)
                painter.drawText(*area, Qt.AlignmentFlag.AlignCenter, letter)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        """Draw the picture, or the sentence."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(13, 15, 20))
        if self._message or self._scene is None:
            painter.setPen(_INK)
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(20, 20, -20, -20), flags, self._message)
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(self.rect(), self._image)
        self._paint_axes(painter, self._scene)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Render in the new size."""
        super().resizeEvent(event)
        self.show_anew()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of the scene."""
        self._last = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Turn with the left button, shift with the middle one, enlarge with the right one."""
        if self._last is not None:
            by = event.position() - self._last
            self._last = event.position()
            self._drag(event, by)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go; the picture becomes sharp."""
        if event.buttons() == Qt.MouseButton.NoButton:
            self._last = None
            self.show_anew()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Enlarge or reduce."""
        if self._scene is not None:
            self._scene.zoom(_ZOOM_PER_NOTCH ** (event.angleDelta().y() / _NOTCH))
            self.show_anew()
        event.accept()
