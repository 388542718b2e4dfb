"""What is written on the picture: place, time, window, directions, scale."""

from collections import OrderedDict

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen, QPixmap

from heartseg_gui.documents.display_state import DisplayState
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.documents.view_state import ViewState
from heartseg_gui.views.slice_rendering import SlicePlane, edge_letters

_MARGIN_PX = 10
_INK = QColor(240, 240, 235)
_ACCENT = QColor(255, 200, 90)
_DARK = QColor(0, 0, 0, 200)
_SCALE_LENGTHS_MM = (1, 2, 5, 10, 20, 50, 100, 200)
_LONGEST_SCALE_SHARE = 0.25  # of the width of the view
_KEPT_TEXTS = 200

_EMPTY_TITLE = "Open a patient folder"
_EMPTY_HINT = "Click here, or drop a folder with DICOM, NIfTI or images"


class TextCache:
    """Texts with a dark halo as pixmaps: drawing outlines anew would cost a millisecond each."""

    def __init__(self) -> None:
        self._pixmaps: OrderedDict[tuple[str, int, int, float], QPixmap] = OrderedDict()

    def pixmap(self, text: str, font: QFont, ink: QColor, ratio: float) -> QPixmap:
        """The text, its lines aligned left, for a screen with `ratio` pixels per point."""
        key = (text, font.pixelSize(), ink.rgb(), ratio)
        if key not in self._pixmaps:
            self._pixmaps[key] = _render(text, font, ink, ratio)
            if len(self._pixmaps) > _KEPT_TEXTS:
                self._pixmaps.popitem(last=False)
        self._pixmaps.move_to_end(key)
        return self._pixmaps[key]


def _render(text: str, font: QFont, ink: QColor, ratio: float) -> QPixmap:
    metrics = QFontMetricsF(font)
    lines = text.split("\n")
    width = max(metrics.horizontalAdvance(line) for line in lines) + 6
    height = metrics.lineSpacing() * len(lines) + 4
    pixmap = QPixmap((QSize(int(width) + 1, int(height) + 1).toSizeF() * ratio).toSize())
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    path = QPainterPath()
    for number, line in enumerate(lines):
        path.addText(QPointF(3, 2 + metrics.ascent() + number * metrics.lineSpacing()), font, line)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.strokePath(path, QPen(_DARK, 3.0, j=Qt.PenJoinStyle.RoundJoin))
    painter.fillPath(path, ink)
    painter.end()
    return pixmap


class SliceAnnotations:
    """Writes on the viewport, in device-independent pixels."""

    def __init__(self, document: StudyDocument, view: ViewState, display: DisplayState) -> None:
        self._document, self._view, self._display = document, view, display
        self._texts = TextCache()
        self._font = QFont()
        self._font.setPixelSize(13)
        self._letter_font = QFont(self._font)
        self._letter_font.setPixelSize(15)
        self._letter_font.setBold(True)
        self._title_font = QFont(self._font)
        self._title_font.setPixelSize(20)

    def paint(
        self, painter: QPainter, viewport: QRect, exposed: QRectF, pixels_per_mm: float
    ) -> None:
        """Write everything that lies in the exposed part."""
        if self._document.cine is None:
            self._paint_empty(painter, viewport)
            return
        inner = viewport.adjusted(_MARGIN_PX, _MARGIN_PX, -_MARGIN_PX, -_MARGIN_PX)
        self._paint_corners(painter, inner, exposed)
        self._paint_letters(painter, inner, exposed)
        self._paint_scale(painter, inner, exposed, pixels_per_mm)

    def paint_number(self, painter: QPainter, at: QPoint, slice_index: int) -> None:
        """Write the number of a slice of the montage."""
        self._draw(painter, str(slice_index + 1), self._font, at)

    def slice_text(self) -> str:
        """Which slice this is, and where it lies along the stack's normal."""
        cine = self._document.cine
        assert cine is not None
        index = min(self._view.slice_index, cine.slice_count - 1)
        centre_mm = cine.geometry.position_mm(
            z=index, y=(cine.shape[2] - 1) / 2, x=(cine.shape[3] - 1) / 2
        )
        position_mm = float(centre_mm @ cine.geometry.slice_normal)
        return f"Slice {index + 1}/{cine.slice_count}   {_signed(position_mm)} mm"

    def phase_text(self) -> str:
        """Which phase this is, and when after the R wave."""
        cine = self._document.cine
        assert cine is not None
        phase = min(self._view.phase, cine.phase_count - 1)
        text = f"Phase {phase + 1}/{cine.phase_count}"
        time_ms = cine.time_ms(phase)
        return text if time_ms is None else f"{text}   {time_ms:.0f} ms"

    def badge_text(self) -> str:
        """`ED`, `ES` or nothing."""
        phase = self._view.phase
        named = (("ED", self._document.ed_phase), ("ES", self._document.es_phase))
        return "  ".join(name for name, key_phase in named if key_phase == phase)

    def window_text(self) -> str:
        """Window width and level, or nothing for pictures in colour."""
        cine = self._document.cine
        if cine is None or cine.colour is not None:
            return ""
        digits = 0 if self._display.width >= 20 else 2
        return f"W {self._display.width:.{digits}f}   L {self._display.level:.{digits}f}"

    def _paint_corners(self, painter: QPainter, inner: QRect, exposed: QRectF) -> None:
        study, cine = self._document.study, self._document.cine
        assert cine is not None
        names = [study.name] if study else []
        names.append(cine.name)
        if not self._view.montage:
            names.append(self.slice_text())
        else:
            names.append(f"{cine.slice_count} slices")
        self._put(painter, "\n".join(names), inner, exposed, corner=Qt.Corner.TopLeftCorner)
        phase = self._put(
            painter, self.phase_text(), inner, exposed, corner=Qt.Corner.TopRightCorner
        )
        if self.badge_text():
            below = inner.adjusted(0, round(phase.height()) + 2, 0, 0)
            self._put_badge(painter, self.badge_text(), below)
        if self.window_text():
            self._put(
                painter, self.window_text(), inner, exposed, corner=Qt.Corner.BottomLeftCorner
            )

    def _paint_letters(self, painter: QPainter, inner: QRect, exposed: QRectF) -> None:
        cine = self._document.cine
        assert cine is not None
        letters = edge_letters(cine.geometry, SlicePlane.of(cine.geometry))
        places = ((0.0, 0.5), (1.0, 0.5), (0.5, 0.0), (0.5, 1.0))
        for text, (across, down) in zip(letters, places, strict=True):
            pixmap = self._texts.pixmap(text, self._letter_font, _INK, _ratio(painter))
            size = pixmap.deviceIndependentSize()
            at = QPointF(
                inner.x() + across * (inner.width() - size.width()),
                inner.y() + down * (inner.height() - size.height()),
            )
            if exposed.intersects(QRectF(at, size)):
                painter.drawPixmap(at, pixmap)

    def _paint_scale(
        self, painter: QPainter, inner: QRect, exposed: QRectF, pixels_per_mm: float
    ) -> None:
        fitting = [
            length
            for length in _SCALE_LENGTHS_MM
            if length * pixels_per_mm <= _LONGEST_SCALE_SHARE * inner.width()
        ]
        if not fitting:
            return
        length_mm = fitting[-1]
        text = f"{length_mm // 10} cm" if length_mm >= 10 else f"{length_mm} mm"
        label = self._put(painter, text, inner, exposed, corner=Qt.Corner.BottomRightCorner)
        y = label.top() - 2.0
        left, right = inner.right() - length_mm * pixels_per_mm, float(inner.right())
        if not exposed.intersects(QRectF(left - 3, y - 8, right - left + 6, 12)):
            return
        path = QPainterPath(QPointF(left, y - 5))
        for corner in (QPointF(left, y), QPointF(right, y), QPointF(right, y - 5)):
            path.lineTo(corner)
        painter.strokePath(path, QPen(_DARK, 4))
        painter.strokePath(path, QPen(_INK, 1.5))

    def _put(
        self, painter: QPainter, text: str, inner: QRect, exposed: QRectF, *, corner: Qt.Corner
    ) -> QRectF:
        """Write a text into a corner; returns where it stands."""
        pixmap = self._texts.pixmap(text, self._font, _INK, _ratio(painter))
        size = pixmap.deviceIndependentSize()
        area = QRectF(QPointF(inner.topLeft()), size)
        if corner in (Qt.Corner.TopRightCorner, Qt.Corner.BottomRightCorner):
            area.moveRight(inner.right())
        if corner in (Qt.Corner.BottomLeftCorner, Qt.Corner.BottomRightCorner):
            area.moveBottom(inner.bottom())
        if exposed.intersects(area):
            painter.drawPixmap(area.topLeft(), pixmap)
        return area

    def _put_badge(self, painter: QPainter, text: str, inner: QRect) -> None:
        pixmap = self._texts.pixmap(text, self._letter_font, _ACCENT, _ratio(painter))
        size = pixmap.deviceIndependentSize()
        painter.drawPixmap(QPointF(inner.right() - size.width(), inner.top()), pixmap)

    def _draw(self, painter: QPainter, text: str, font: QFont, at: QPoint) -> None:
        painter.drawPixmap(at, self._texts.pixmap(text, font, _INK, _ratio(painter)))

    def _paint_empty(self, painter: QPainter, viewport: QRect) -> None:
        middle = viewport.center().y()
        target = QRectF(0, 0, min(440, viewport.width() - 20), 130)
        target.moveCenter(QPointF(viewport.center()))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(_INK.darker(300), 1.5, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(target, 12, 12)
        painter.setPen(_INK)
        painter.setFont(self._title_font)
        flags = Qt.AlignmentFlag.AlignHCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(viewport.adjusted(20, middle - 34, -20, 0), flags, _EMPTY_TITLE)
        painter.setPen(_INK.darker(150))
        painter.setFont(self._font)
        painter.drawText(viewport.adjusted(20, middle + 2, -20, 0), flags, _EMPTY_HINT)


def _ratio(painter: QPainter) -> float:
    return painter.device().devicePixelRatioF()


def _signed(value_mm: float) -> str:
    return f"{value_mm:.1f}".replace("-", "−")
