"""The picture of a scene in space: the mouse and the arrows turn, shift and enlarge it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, QPointF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from engine.progress import Progress, Steps
from heartseg_gui.jobs import Job, JobQueue, Lane
from heartseg_gui.theme import colours_of
from heartseg_gui.views.volume.volume_scene import VolumeScene

_NOTCH = 120
_ZOOM_PER_NOTCH = 1.15
_ZOOM_DRAG_PX = 150.0
_SLOW_S = 0.04  # a picture that takes longer is drawn coarser while it must be quick
_COARSE = 2
_AXES_PX = 34
_DIRECTIONS = "RAH"
_SHORTEST_NAMED_AXIS = 0.3  # of its length; shorter ones point at the reader
_INK = QColor(225, 228, 232)
_KEY_STEP_PX = 20
_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
_ZOOM_KEYS = {Qt.Key.Key_Plus: 1, Qt.Key.Key_Equal: 1, Qt.Key.Key_Minus: -1}
_SHIFT = Qt.KeyboardModifier.ShiftModifier


Move = Callable[[VolumeScene], None]
"""Something that the camera does."""


class Content(Protocol):
    """What stands in the scene, made of values that nobody changes."""

    def put_into(self, scene: VolumeScene) -> None:
        """Put it there; called on the drawing thread."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A scene as it was rendered.

    Attributes:
        pixels: (y, x, 3) uint8.
        axes: Where right, anterior and superior point: (3, 2), across and up.
        seconds: How long it took [s].
    """

    pixels: NDArray[np.uint8] = field(repr=False)
    axes: NDArray[np.float64]
    seconds: float


class Artist(QObject):
    """Draws on a thread of its own, which alone touches the scene.

    Rendering in software takes a tenth of a second; neither a stroke nor the cine may feel it.
    What is wished while a picture is being drawn goes into the next one; contents that nobody has
    drawn yet are dropped for newer ones.

    Signals:
        drawn: A `Picture`.
        failed: Why there is none.
    """

    drawn = Signal(Picture)
    failed = Signal(Exception)

    def __init__(
        self, jobs: JobQueue, make_scene: Callable[[], VolumeScene], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._make_scene = make_scene
        self._scene: VolumeScene | None = None  # made and used on the drawing thread
        self._content: Content | None = None
        self._moves: list[Move] = []
        self._size: tuple[int, int] | None = None
        self._job: Job | None = None

    @property
    def busy(self) -> bool:
        """Whether a picture is being drawn."""
        return self._job is not None

    def show(self, content: Content) -> None:
        """Put this into the next picture."""
        self._content = content

    def move(self, move: Move) -> None:
        """Move the camera before the next picture."""
        self._moves.append(move)

    def draw(self, width: int, height: int) -> None:
        """Draw a picture of this size, after the one that is being drawn."""
        self._size = (width, height)
        if self._job is None:
            self._start(width, height)

    def _start(self, width: int, height: int) -> None:
        steps = self._draw_steps(self._content, self._moves, (width, height))
        self._content, self._moves, self._size = None, [], None
        self._job = self._jobs.add("Drawing in 3-D", steps, lane=Lane.DRAWING, quiet=True)
        self._job.succeeded.connect(self.drawn)
        self._job.failed.connect(self.failed)
        self._job.ended.connect(self._go_on)

    def _go_on(self) -> None:
        self._job = None
        if self._size is not None:
            self._start(*self._size)

    def _draw_steps(
        self,
        content: Content | None,
        moves: list[Move],
        size: tuple[int, int],
    ) -> Steps[Picture]:
        yield Progress(0, 1, "Drawing in 3-D")
        if self._scene is None:
            self._scene = self._make_scene()
        start = time.perf_counter()
        if content is not None:
            content.put_into(self._scene)
        for move in moves:
            move(self._scene)
        pixels = self._scene.render(*size)
        return Picture(pixels, self._scene.axes_on_screen(), time.perf_counter() - start)


class VolumeCanvas(QWidget):
    """Paints what the artist has drawn off the screen.

    An OpenGL widget would make Qt compose the whole window on the graphics card, which costs
    10 ms for every brush movement where there is none. Reading the picture back costs 2 ms.
    """

    def __init__(self, artist: Artist, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.hurried = False  # while the cine plays: rather soon than fine
        self._artist = artist
        self._message = ""
        self._picture: Picture | None = None  # holds the memory of the image
        self._image = QImage()
        self._fine_s = 0.0  # what a picture of full size took last
        self._last: QPointF | None = None
        self._due = QTimer(self)  # several wishes, one picture
        self._due.setSingleShot(True)
        self._due.setInterval(0)
        self._due.timeout.connect(self._order)
        artist.drawn.connect(self._take)
        self.setMinimumSize(160, 120)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("3-D view")

    @property
    def image(self) -> QImage:
        """What was drawn last; null before."""
        return self._image

    @property
    def message(self) -> str:
        """The sentence that is shown in place of a picture."""
        return self._message

    @property
    def busy(self) -> bool:
        """Whether a picture is wanted or being drawn."""
        return self._due.isActive() or self._artist.busy

    @property
    def seconds(self) -> float:
        """What the last picture took [s]; 0 before."""
        return 0.0 if self._picture is None else self._picture.seconds

    def set_message(self, message: str) -> None:
        """Show a sentence in place of a picture."""
        self._message = message
        self.update()

    def show_anew(self) -> None:
        """Have it drawn as soon as the window has nothing else to do."""
        self._due.start()

    def move_camera(self, move: Move) -> None:
        """Turn, shift or enlarge, once there is a picture."""
        if self._picture is not None:
            self._artist.move(move)
            self.show_anew()

    def _order(self) -> None:
        if not self.isVisible():
            return
        quick = (self._last is not None or self.hurried) and self._fine_s > _SLOW_S
        ratio = self.devicePixelRatioF() / (_COARSE if quick else 1)
        self._artist.draw(
            max(16, round(self.width() * ratio)), max(16, round(self.height() * ratio))
        )

    def _take(self, picture: Picture) -> None:
        height, width, _ = picture.pixels.shape
        self._image = QImage(
            picture.pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888
        )
        self._picture = picture
        self._message = ""
        if width > 0.9 * self.width() * self.devicePixelRatioF():  # not a coarser one
            self._fine_s = picture.seconds
        self.update()

    def _drag(self, event: QMouseEvent, by: QPointF) -> None:
        buttons = event.buttons()
        if buttons & Qt.MouseButton.MiddleButton or event.modifiers() & _SHIFT:
            self.move_camera(self._pan_by(by))
        elif buttons & Qt.MouseButton.RightButton:
            self.move_camera(_zoom_by(float(np.exp(-by.y() / _ZOOM_DRAG_PX))))
        else:
            self.move_camera(_orbit_by(by))

    def _pan_by(self, by: QPointF) -> Move:
        right, down = by.x() / self.height(), by.y() / self.height()
        return partial(VolumeScene.pan, right=right, down=down)

    def _paint_axes(self, painter: QPainter, axes: NDArray[np.float64]) -> None:
        """Where the patient's directions point, in the lower left corner."""
        origin = QPointF(_AXES_PX + 18, self.height() - _AXES_PX - 18)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for letter, (across, up) in zip(_DIRECTIONS, axes, strict=True):
            way = QPointF(across * _AXES_PX, -up * _AXES_PX)
            painter.setPen(QPen(_INK, 1.5))
            painter.drawLine(origin, origin + way)
            if np.hypot(across, up) >= _SHORTEST_NAMED_AXIS:
                middle = origin + way * 1.3
                area = (int(middle.x()) - 8, int(middle.y()) - 8, 16, 16)
                painter.drawText(*area, Qt.AlignmentFlag.AlignCenter, letter)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        """Draw the picture, or the sentence; and a frame while the keys come here."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(13, 15, 20))
        if self._message or self._picture is None:
            painter.setPen(_INK)
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(20, 20, -20, -20), flags, self._message)
        else:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(self.rect(), self._image)
            self._paint_axes(painter, self._picture.axes)
        if self.hasFocus():
            painter.setPen(QColor(colours_of(self.palette()).accent))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Have it drawn in the new size."""
        super().resizeEvent(event)
        if self._picture is not None:
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
            if self._picture is not None:
                self.show_anew()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Enlarge or reduce."""
        self.move_camera(_zoom_by(_ZOOM_PER_NOTCH ** (event.angleDelta().y() / _NOTCH)))
        event.accept()

    def event(self, event: QEvent) -> bool:
        """Claim the keys of the scene, which mean something else in the rest of the window."""
        if event.type() == QEvent.Type.ShortcutOverride:
            assert isinstance(event, QKeyEvent)
            event.setAccepted(self._move_of(event) is not None)
            return event.isAccepted()
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Turn with the arrows, shift with Shift and arrows, enlarge with `+`; `Home` resets."""
        move = self._move_of(event)
        if move is None:
            super().keyPressEvent(event)
        else:
            self.move_camera(move)

    def _move_of(self, event: QKeyEvent) -> Move | None:
        """What a key does to the camera; None where it is no key of the scene."""
        key, modifiers = Qt.Key(event.key()), event.modifiers()
        if modifiers & ~(_SHIFT | Qt.KeyboardModifier.KeypadModifier):
            return None
        if key in _ARROWS:
            by = QPointF(*_ARROWS[key]) * _KEY_STEP_PX
            return self._pan_by(by) if modifiers & _SHIFT else _orbit_by(by)
        if key in _ZOOM_KEYS:
            return _zoom_by(_ZOOM_PER_NOTCH ** _ZOOM_KEYS[key])
        return VolumeScene.look_from_front if key == Qt.Key.Key_Home else None


def _orbit_by(by: QPointF) -> Move:
    return partial(VolumeScene.orbit, right_px=by.x(), down_px=by.y())


def _zoom_by(factor: float) -> Move:
    return partial(VolumeScene.zoom, factor=factor)
