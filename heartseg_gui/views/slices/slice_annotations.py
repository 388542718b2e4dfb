"""What is written on the picture: place, time, window, directions, scale."""

from collections import OrderedDict
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen, QPixmap

from engine.cine import Cine
from engine.geometry import Geometry
from engine.review.states import SliceState
from engine.turning import is_oriented
from heartseg_gui.documents.display_state import DisplayState
from heartseg_gui.documents.review_state import STATE_NAMES
from heartseg_gui.documents.slice_states import SliceStates
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.documents.view_state import ViewState
from heartseg_gui.slice_rendering import SlicePlane, edge_letters
from heartseg_gui.views.slices.slice_badges import SliceBadges, state_ink
from heartseg_gui.views.slices.slice_texts import (
    deserves_a_look,
    doubt_text,
    key_phase_text,
    phase_text,
    scale_length_mm,
    scale_text,
    slice_text,
    window_text,
)

_MARGIN_PX = 10
_INK = QColor(240, 240, 235)
_ACCENT = QColor(255, 200, 90)
_QUIET = QColor(190, 190, 185)
_DARK = QColor(0, 0, 0, 200)
_EDGES = ((0.0, 0.5), (1.0, 0.5), (0.5, 0.0), (0.5, 1.0))  # left, right, top, bottom
_LONGEST_SCALE_SHARE = 0.25  # of the width of the view
_KEPT_TEXTS = 200
_ROOM_PX = 6  # between two texts side by side

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


@dataclass(frozen=True, slots=True)
class _Mark:
    """A text and where it stands in the viewport."""

    pixmap: QPixmap
    area: QRectF


class SliceAnnotations:
    """Writes on the viewport, in device-independent pixels.

    Texts are laid out anew when something changed, not at every paint: a brush stroke paints a
    thousand times and changes none of them.
    """

    def __init__(
        self,
        document: StudyDocument,
        view: ViewState,
        display: DisplayState,
        states: SliceStates,
    ) -> None:
        self._document, self._view, self._display = document, view, display
        self._states = states
        self._texts = TextCache()
        self._font = _font(13)
        self._badges = SliceBadges(_font(12))
        self._letter_font = _font(15, bold=True)
        self._badge_font = _font(13, bold=True)
        self._title_font = _font(20)
        self._marks: list[_Mark] = []
        self._laid_out_for: object = None
        self._said: tuple[object, ...] = ()
        self._letters: tuple[Geometry, tuple[str, str, str, str]] | None = None
        self._scale_bar = QPainterPath()

    def renew(self) -> None:
        """Write something else from now on."""
        self._laid_out_for = None

    def paint(
        self, painter: QPainter, viewport: QRect, exposed: QRectF, pixels_per_mm: float
    ) -> None:
        """Write everything that lies in the exposed part."""
        if self._document.cine is None:
            self._paint_empty(painter, viewport)
            return
        ratio = painter.device().devicePixelRatioF()
        key = (viewport.getRect(), pixels_per_mm, ratio)
        if key != self._laid_out_for:
            self._laid_out_for = key
            self._lay_out(viewport, pixels_per_mm, ratio)
        for mark in self._marks:
            if exposed.intersects(mark.area):
                painter.drawPixmap(mark.area.topLeft(), mark.pixmap)
        if exposed.intersects(self._scale_bar.boundingRect().adjusted(-3, -3, 3, 3)):
            painter.strokePath(self._scale_bar, QPen(_DARK, 4))
            painter.strokePath(self._scale_bar, QPen(_INK, 1.5))

    def paint_number(self, painter: QPainter, area: QRect, slice_index: int) -> None:
        """Write the number of a slice of the montage, in the colour of its state."""
        ratio = painter.device().devicePixelRatioF()
        state = self._state_of(slice_index)
        beside = self._badges.paint(painter, area, slice_index + 1, state or SliceState.EMPTY)
        if doubt := doubt_text(self._document, self._view.phase, slice_index):
            ink = self._doubt_ink(slice_index)
            painter.drawPixmap(beside, self._texts.pixmap(doubt, self._font, ink, ratio))

    def said(self) -> tuple[object, ...]:
        """What is said about the slices on the screen: their states, and the doubt about them."""
        view = self._view
        shown = range(view.slice_count) if view.montage else (view.slice_index,)
        doubts = tuple(doubt_text(self._document, view.phase, number) for number in shown)
        return (*doubts, *(self._state_of(number) for number in shown))

    def said_changed(self) -> bool:
        """Whether something else is to be said about them than was laid out last."""
        return self.said() != self._said

    def _state_of(self, slice_index: int) -> SliceState | None:
        return self._states.at((self._view.phase, slice_index))

    def _doubt_ink(self, slice_index: int) -> QColor:
        """Bright where a look is worth most; else every number would cry."""
        first = deserves_a_look(self._document, self._view.phase, slice_index)
        return _ACCENT if first else _QUIET

    def _lay_out(self, viewport: QRect, pixels_per_mm: float, ratio: float) -> None:
        cine = self._document.cine
        assert cine is not None
        self._said = self.said()
        inner = QRectF(viewport.adjusted(_MARGIN_PX, _MARGIN_PX, -_MARGIN_PX, -_MARGIN_PX))
        upper_right = [
            (phase_text(cine, self._view.phase), self._font, _INK),
            (key_phase_text(self._document, self._view.phase), self._letter_font, _ACCENT),
        ]
        if not self._view.montage:
            number = self._view.slice_index
            upper_right += self._state_and_doubt(number)
        width, level = self._display.width, self._display.level
        hidden = cine.colour is not None or self._view.montage  # there it stands above
        window = "" if hidden else window_text(width, level)
        length_mm = scale_length_mm(_LONGEST_SCALE_SHARE * inner.width() / pixels_per_mm)
        scale = self._mark(scale_text(length_mm), self._font, _INK, ratio, inner, (1.0, 1.0))
        self._marks = [
            self._mark(self._upper_left(cine), self._font, _INK, ratio, inner, (0.0, 0.0)),
            self._mark(window, self._font, _INK, ratio, inner, (0.0, 1.0)),
        ]
        if self._view.montage and (states := self._states.of_phase(self._view.phase)):
            told = [state for state in SliceState if state in states]
            self._marks.append(_below(self._marks[0], self._badges.legend(told, ratio)))
        scale = _out_of_the_way(scale, self._marks, inner)
        self._marks.append(scale)
        top = QRectF(inner)
        for text, font, ink in upper_right:
            mark = self._mark(text, font, ink, ratio, top, (1.0, 0.0))
            self._marks.append(_out_of_the_way(mark, self._marks, inner))
            top.setTop(self._marks[-1].area.bottom() + 2)
        for text, place in zip(self._letters_of(cine.geometry), _EDGES, strict=True):
            letter = self._mark(text, self._letter_font, _INK, ratio, inner, place)
            self._marks.append(_out_of_the_way(letter, self._marks, inner))
        self._scale_bar = _bracket(
            inner.right() - length_mm * pixels_per_mm, inner.right(), scale.area.top() - 2
        )

    def _state_and_doubt(self, number: int) -> list[tuple[str, QFont, QColor]]:
        state = self._state_of(number)
        said = doubt_text(self._document, self._view.phase, number)
        doubt = (said, self._font, self._doubt_ink(number))
        if state is None:
            return [doubt]
        return [(STATE_NAMES[state], self._badge_font, state_ink(state)), doubt]

    def _letters_of(self, geometry: Geometry) -> tuple[str, str, str, str]:
        if self._letters is None or self._letters[0] is not geometry:
            known = is_oriented(geometry)
            letters = edge_letters(geometry, SlicePlane.of(geometry))
            self._letters = (geometry, letters if known else ("", "", "", ""))
        return self._letters[1]

    def _upper_left(self, cine: Cine) -> str:
        names = [self._document.study.name] if self._document.study else []
        names.append(cine.name)
        if self._view.montage:
            names.append(self._slices_text(cine))
            if cine.colour is None:
                names.append(window_text(self._display.width, self._display.level))
        else:
            names.append(slice_text(cine, self._view.slice_index))
        return "\n".join(names)

    def _slices_text(self, cine: Cine) -> str:
        if not self._view.left_only or self._document.labels is None:
            return f"{cine.slice_count} slices"
        left = len(self._states.left_in(self._view.phase))
        if not left:
            return "Every slice of this phase is approved"
        return f"{left} of {cine.slice_count} slices left to approve"

    def _mark(
        self,
        text: str,
        font: QFont,
        ink: QColor,
        ratio: float,
        inner: QRectF,
        place: tuple[float, float],
    ) -> _Mark:
        """A text that stands at a share of the way across and down."""
        pixmap = self._texts.pixmap(text, font, ink, ratio)
        size = pixmap.deviceIndependentSize()
        left = inner.x() + place[0] * (inner.width() - size.width())
        top = inner.y() + place[1] * (inner.height() - size.height())
        return _Mark(pixmap, QRectF(QPointF(round(left), round(top)), size))

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


def _below(mark: _Mark, pixmap: QPixmap) -> _Mark:
    at = mark.area.bottomLeft() + QPointF(0, _ROOM_PX)
    return _Mark(pixmap, QRectF(at, pixmap.deviceIndependentSize()))


def _out_of_the_way(mark: _Mark, others: list[_Mark], inner: QRectF) -> _Mark:
    """A text moved up or down, inwards, until it touches no other one: in a narrow view."""
    area = QRectF(mark.area)
    inwards = 1 if area.center().y() < inner.center().y() else -1
    for _ in others:
        room = area.adjusted(-_ROOM_PX, 0, _ROOM_PX, 0)
        touched = [mark.area for mark in others if mark.area.intersects(room)]
        if not touched:
            break
        if inwards > 0:
            area.moveTop(max(other.bottom() for other in touched))
        else:
            area.moveBottom(min(other.top() for other in touched))
    return _Mark(mark.pixmap, area)


def _font(pixels: int, *, bold: bool = False) -> QFont:
    font = QFont()
    font.setPixelSize(pixels)
    font.setBold(bold)
    return font


def _bracket(left: float, right: float, y: float) -> QPainterPath:
    """The scale bar, with an upright stroke at both ends."""
    path = QPainterPath(QPointF(left, y - 5))
    for corner in (QPointF(left, y), QPointF(right, y), QPointF(right, y - 5)):
        path.lineTo(corner)
    return path
