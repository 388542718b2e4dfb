"""The picture of a scene in space: the mouse and the arrows turn, shift and enlarge it."""

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from heartseg_gui.theme import colours_of
from heartseg_gui.views.volume.artist import Artist, Move, Picture
from heartseg_gui.views.volume.camera_moves import (
    ZOOM_PER_NOTCH,
    move_of_drag,
    move_of_key,
    zoom_by,
)
from heartseg_gui.views.volume.scene_annotations import paint_annotations
from heartseg_gui.views.volume.scene_values import DARK, Quality, pane_at

_NOTCH = 120
_CLICK_PX = 4  # a hand that clicks may move so far
_SLOW_S = 0.08  # quick pictures that take longer are drawn coarser
_COARSE = 2
_SETTLE_MS = 180  # after the last turn of the wheel or key, the picture becomes fine
_INK = QColor(225, 228, 232)


class VolumeCanvas(QWidget):
    """Paints what the artist has drawn off the screen.

    An OpenGL widget would make Qt compose the whole window on the graphics card, which costs
    10 ms for every brush movement where there is none. Reading the picture back costs 2 ms.

    Signals:
        clicked: Pane, and where in the pane: shares from its upper left corner.
    """

    clicked = Signal(int, float, float)

    def __init__(self, artist: Artist, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.hurried = False  # while the cine plays: rather soon than fine
        self.turned = False  # by the reader, since all of it was looked at
        self._artist = artist
        self._message = ""
        self._picture: Picture | None = None  # holds the memory of the image
        self._image = QImage()
        self._quick_s = 0.0  # what a quick picture of full size took last
        self._last: QPointF | None = None
        self._pressed_at: QPointF | None = None  # until it is no click any more
        self._due = QTimer(self)  # several wishes, one picture
        self._due.setSingleShot(True)
        self._due.setInterval(0)
        self._due.timeout.connect(self._order)
        self._settles = QTimer(self)
        self._settles.setSingleShot(True)
        self._settles.setInterval(_SETTLE_MS)
        self._settles.timeout.connect(self.show_anew)
        artist.drawn.connect(self._take)
        self.setMinimumSize(160, 120)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("3-D view")
        self.setAccessibleDescription(
            "Drag to turn, with Shift to shift, the wheel enlarges; a click marks the place "
            "in the slices. Arrows, plus and minus do the same; Home looks from the front."
        )

    @property
    def image(self) -> QImage:
        """What was drawn last, without what is written on it; null before."""
        return self._image

    @property
    def picture(self) -> Picture | None:
        """The same with what it shows; None before."""
        return self._picture

    @property
    def message(self) -> str:
        """The sentence that is shown in place of a picture."""
        return self._message

    @property
    def busy(self) -> bool:
        """Whether a picture is wanted or being drawn."""
        return self._due.isActive() or self._settles.isActive() or self._artist.busy

    def set_message(self, message: str) -> None:
        """Show a sentence in place of a picture."""
        self._message = message
        self.update()

    def show_anew(self) -> None:
        """Have it drawn as soon as the window has nothing else to do."""
        self._due.start()

    def show_soon(self) -> None:
        """The same, quickly first and finely a moment later."""
        self._settles.start()
        self.show_anew()

    def hold(self) -> None:
        """Draw no more until the next wish: what is shown is being changed by a hand."""
        self._due.stop()
        self._settles.stop()

    def move_camera(self, move: Move) -> None:
        """Turn, shift or enlarge, once there is a picture."""
        if self._picture is not None:
            self.turned = True
            self._artist.move(move)
            self.show_soon()

    def _order(self) -> None:
        if not self.isVisible():
            return
        quick = self._last is not None or self.hurried or self._settles.isActive()
        coarse = quick and self._quick_s > _SLOW_S
        ratio = self.devicePixelRatioF() / (_COARSE if coarse else 1)
        self._artist.draw(
            max(16, round(self.width() * ratio)),
            max(16, round(self.height() * ratio)),
            Quality.QUICK if quick else Quality.FINE,
        )

    def _take(self, picture: Picture) -> None:
        pixels = picture.drawn.pixels
        height, width, _ = pixels.shape
        self._image = QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888)
        self._picture = picture
        self._message = ""
        if picture.quality is Quality.QUICK:
            full = self.width() * self.devicePixelRatioF()
            self._quick_s = picture.seconds * (full / width) ** 2
        self.update()

    def _click(self, at: QPointF) -> None:
        if self._picture is not None and self.rect().contains(at.toPoint()):
            panes = len(self._picture.drawn.facts.panes)
            self.clicked.emit(*pane_at(panes, at.x() / self.width(), at.y() / self.height()))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        """Draw the picture, or the sentence; and a frame while the keys come here."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(*DARK))
        if self._message or self._picture is None:
            painter.setPen(_INK)
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(20, 20, -20, -20), flags, self._message)
        else:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(self.rect(), self._image)
            paint_annotations(painter, QRectF(self.rect()), self._picture.drawn.facts)
        if self.hasFocus():
            painter.setPen(QColor(colours_of(self.palette()).accent))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Have it drawn in the new size."""
        super().resizeEvent(event)
        if self._picture is not None:
            self.show_soon()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of the scene."""
        self._last = event.position()
        left = event.button() == Qt.MouseButton.LeftButton
        self._pressed_at = event.position() if left else None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Turn with the left button, shift with the middle one, enlarge with the right one."""
        if self._last is None:
            return
        if self._pressed_at is not None:
            way = event.position() - self._pressed_at
            if way.manhattanLength() <= _CLICK_PX:
                return
            self._pressed_at = None
        by = event.position() - self._last
        self._last = event.position()
        self.move_camera(move_of_drag(event, by, self.height()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go, and the picture becomes fine; without a movement it was a click."""
        if event.buttons() != Qt.MouseButton.NoButton or self._last is None:
            return
        self._last = None
        if self._pressed_at is not None:
            self._pressed_at = None
            self._click(event.position())
        elif self._picture is not None:
            self._settles.stop()
            self.show_anew()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Enlarge or reduce."""
        self.move_camera(zoom_by(ZOOM_PER_NOTCH ** (event.angleDelta().y() / _NOTCH)))
        event.accept()

    def event(self, event: QEvent) -> bool:
        """Claim the keys of the scene, which mean something else in the rest of the window."""
        if event.type() == QEvent.Type.ShortcutOverride:
            assert isinstance(event, QKeyEvent)
            event.setAccepted(move_of_key(event, self.height()) is not None)
            return event.isAccepted()
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Turn with the arrows, shift with Shift and arrows, enlarge with `+`; `Home` resets."""
        move = move_of_key(event, self.height())
        if move is None:
            super().keyPressEvent(event)
        else:
            self.move_camera(move)
