"""Draws the sketch over the slices: lines, contours with handles, marks, proposals."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen, QPolygonF, QTransform
from PySide6.QtWidgets import QWidget

from engine.labelmap import SlicePlace
from engine.structures import ALL_STRUCTURES, Structure
from heartseg_gui.documents.display_state import DisplayState
from heartseg_gui.documents.sketch import Line, Marks, Sketch
from heartseg_gui.slice_rendering import SlicePlane, outline_paths
from heartseg_gui.views.slices.slice_scene import SliceScene

if TYPE_CHECKING:
    from engine.correction.contour import Boundary, Contour
    from engine.correction.propagation import Proposal

_ROOM_PX = 14
_DARK = QColor(0, 0, 0, 190)  # below every colour, so that it shows on any grey
_SHADE = QColor(0, 0, 0, 110)  # below dashes, whose gaps would look black
_PAPER = QColor(250, 250, 250)
_NIGHT = QColor(40, 40, 40)
_DASH = [5.0, 3.0]
_LARGE_PX, _SMALL_PX, _HOT_PX = 4.5, 3.0, 6.5
_MARK_PX = 8.0
_BANNER_PX, _BANNER_DOWN_PX, _BANNER_WIDE_PX = 26, 34, 330.0
_STILL_PX = 0.05  # a point that moves less stays where it is

Pixels = NDArray[np.float64]
"""(n, 2) as (x, y) on the viewport [device-independent pixels]."""


@dataclass(frozen=True, slots=True, eq=False)
class _Stroke:
    """A line on the viewport."""

    places: Pixels
    ink: QColor
    wide: float
    dashed: bool = False
    curved: bool = False

    @property
    def bounds(self) -> QRectF:
        """The smallest box around its middle line."""
        return _box(self.places)

    def within(self, exposed: QRectF) -> Iterator[Pixels]:
        """The pieces of it that run through a part of the viewport; dashes stay in one piece."""
        if self.dashed:
            yield self.places
            return
        low = (exposed.left() - _ROOM_PX, exposed.top() - _ROOM_PX)
        high = (exposed.right() + _ROOM_PX, exposed.bottom() + _ROOM_PX)
        inside = (self.places >= low) & (self.places <= high)
        seen = inside[:, 0] & inside[:, 1]
        seen[:-1] |= seen[1:].copy()  # the sides that lead there, too
        seen[1:] |= seen[:-1].copy()
        steps = np.flatnonzero(np.diff(np.r_[False, seen, False].astype(np.int8)))
        for first, end in steps.reshape(-1, 2):
            yield self.places[first:end]


@dataclass(frozen=True, slots=True)
class _Dot:
    """A handle or a mark on the viewport.

    Attributes:
        at: Its middle.
        radius: Half its width.
        fill: The colour inside.
        edge: The colour of its rim.
        sign: `+`, `-` or nothing.
    """

    at: QPointF
    radius: float
    fill: QColor
    edge: QColor
    sign: str = ""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a slice lies on the viewport."""

    plane: SlicePlane
    left: float
    top: float
    scale: float

    def to_pixels(self, points: NDArray[np.float64]) -> Pixels:
        """From (y, x) voxels to the viewport."""
        return self.plane.to_mm(points) * self.scale + (self.left, self.top)

    @property
    def area(self) -> QRectF:
        """All of the slice, also what lies beside the viewport."""
        width, height = self.plane.size_mm
        return QRectF(self.left, self.top, width * self.scale, height * self.scale)


@dataclass(frozen=True, slots=True)
class _Part:
    """One thing that is drawn, laid out.

    Attributes:
        source: What it was made of; equal sources look the same.
        strokes: Its lines.
        dots: Its handles or marks.
        banner: Where a text stands, and the text.
    """

    source: tuple[object, ...]
    strokes: tuple[_Stroke, ...] = ()
    dots: tuple[_Dot, ...] = ()
    banner: tuple[QRectF, str] | None = None

    @property
    def bounds(self) -> QRectF:
        """All of it, with room for pens."""
        bounds = QRectF()
        for stroke in self.strokes:
            bounds = bounds.united(stroke.bounds)
        if self.dots:
            bounds = bounds.united(_box(np.array([(dot.at.x(), dot.at.y()) for dot in self.dots])))
        if self.banner is not None:
            bounds = bounds.united(self.banner[0])
        return _with_room(bounds)


class SketchLayer:
    """What is drawn on the viewport and is not a label yet; it repaints only where that changes.

    Lines are laid out when the sketch or the camera has changed, not at every paint, and each
    part alone: a contour under the mouse must follow it at once.
    """

    def __init__(
        self, sketch: Sketch, scene: SliceScene, display: DisplayState, viewport: QWidget
    ) -> None:
        self._sketch, self._scene, self._display = sketch, scene, display
        self._viewport = viewport
        self._parts: dict[object, _Part] = {}
        self._laid_out_for: QTransform | None = None

    def renew(self, camera: QTransform) -> None:
        """Lay out what the sketch holds now, and repaint where something differs."""
        for area in self._lay_out(camera):
            if not area.isEmpty():
                self._viewport.update(area.toAlignedRect())

    def paint(self, painter: QPainter, camera: QTransform, exposed: QRectF) -> None:
        """Draw what lies in the exposed part, in device-independent pixels."""
        if camera != self._laid_out_for:
            self._lay_out(camera)
        if not self._parts:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for part in self._parts.values():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            for stroke in part.strokes:
                _draw_stroke(painter, stroke, exposed)
            for dot in part.dots:
                if exposed.adjusted(-_ROOM_PX, -_ROOM_PX, _ROOM_PX, _ROOM_PX).contains(dot.at):
                    _draw_dot(painter, dot)
            if part.banner is not None:
                _draw_banner(painter, *part.banner)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _lay_out(self, camera: QTransform) -> list[QRectF]:
        """Lay out what is new; returns where the picture changes."""
        self._laid_out_for = QTransform(camera)
        before, self._parts = self._parts, {}
        changed = []
        for name, source, make in self._wanted(camera):
            old = before.pop(name, None)
            if old is not None and old.source == source:
                self._parts[name] = old
                continue
            part = self._parts[name] = make()
            changed.append(part.bounds if old is None else _difference(old, part))
        return changed + [part.bounds for part in before.values()]

    def _wanted(
        self, camera: QTransform
    ) -> Iterator[tuple[object, tuple[object, ...], Callable[[], _Part]]]:
        """Everything to be drawn: its name, what it is made of, and how."""
        sketch, inks = self._sketch, self._display.palette
        for proposal in sketch.proposals:
            where = proposal.place
            place = self._place_of(where, camera)
            if place is not None:
                source = (proposal, place, inks, self._viewport.size())
                yield ("proposal", where), source, partial(self._proposal, source, proposal, place)
        contours = sketch.contours
        place = self._place_of(contours.place, camera)
        for boundary, contour in contours.by_boundary.items():
            if place is None:
                break
            hot = contours.hot[1] if contours.hot and contours.hot[0] is boundary else None
            active = boundary is contours.active
            made_of = (contour, active, hot, place, inks)
            yield boundary, made_of, partial(self._contour, made_of, boundary)
        line = sketch.line
        place = None if line is None else self._place_of(line.place, camera)
        if line is not None and place is not None:
            yield "line", (line, place, inks), partial(self._line, line, place)
        place = self._place_of(sketch.marks.place, camera)
        if sketch.marks.prompts and place is not None:
            yield "marks", (sketch.marks, place, inks), partial(self._marks, sketch.marks, place)

    def _place_of(self, place: SlicePlace, camera: QTransform) -> _Place | None:
        """Where a slice lies on the viewport; None where it is not on the screen."""
        item = self._scene.item_of(place[1])
        if item is None or place[0] != self._scene.phase:
            return None
        origin = camera.map(item.scenePos())
        return _Place(item.plane, origin.x(), origin.y(), camera.m11())

    def _line(self, line: Line, place: _Place) -> _Part:
        ink, strokes = self._ink(line.structure), []
        if len(line.points) > 1:
            strokes.append(_Stroke(place.to_pixels(line.points), ink, 2.0))
        ahead = np.vstack([line.points[-1:], line.tail])
        if len(ahead) > 1:
            strokes.append(_Stroke(place.to_pixels(ahead), ink, 1.5))
        if line.closed and len(line.points) > 1:
            back = place.to_pixels(np.vstack([ahead[-1:], line.points[:1]]))
            strokes.append(_Stroke(back, ink, 1.2, dashed=True))
        corners = place.to_pixels(line.corners)
        dots = [_Dot(QPointF(*corner), _SMALL_PX, _PAPER, ink) for corner in corners.tolist()]
        return _Part((line, place, self._display.palette), tuple(strokes), tuple(dots))

    def _contour(
        self, source: "tuple[Contour, bool, int | None, _Place, object]", boundary: "Boundary"
    ) -> _Part:
        contour, active, hot, place, _ = source
        ink = self._ink(boundary.fills)
        curve = contour.curve()
        line = place.to_pixels(np.vstack([curve, curve[:1]]))
        radius = _LARGE_PX if active else _SMALL_PX
        fill = ink if active else _PAPER
        dots = [
            _Dot(QPointF(*at), _HOT_PX, _PAPER, ink)
            if number == hot
            else _Dot(QPointF(*at), radius, fill, _DARK)
            for number, at in enumerate(place.to_pixels(contour.points).tolist())
        ]
        wide = 2.2 if active else 1.4
        return _Part(source, (_Stroke(line, ink, wide, curved=True),), tuple(dots))

    def _marks(self, marks: Marks, place: _Place) -> _Part:
        dots: list[_Dot] = []
        voxels = np.array([(each.y, each.x) for each in marks.prompts], np.float64)
        last: tuple[QPointF, str] | None = None
        for where, prompt, inside in zip(
            place.to_pixels(voxels), marks.prompts, marks.inside, strict=True
        ):
            at, sign = QPointF(*where), "+" if inside else "-"
            structure = Structure(prompt.structure)
            fill = _NIGHT if structure is Structure.BACKGROUND else self._ink(structure)
            if last is not None and last[1] == sign and _apart(at, last[0]) < 2 * _MARK_PX:
                dots.append(_Dot(at, _SMALL_PX, fill, _PAPER))  # the trail of a scribble
            else:
                dots.append(_Dot(at, _MARK_PX, fill, _PAPER, sign))
                last = (at, sign)
        return _Part((marks, place, self._display.palette), (), tuple(dots))

    def _proposal(self, source: tuple[object, ...], proposal: "Proposal", place: _Place) -> _Part:
        strokes = []
        for structure in ALL_STRUCTURES:
            for path in outline_paths((proposal.plane == structure).astype(np.uint8)):
                corners = place.to_pixels(np.array(path, np.float64) - 0.5)
                ink = self._ink(structure)
                strokes.append(_Stroke(corners, ink, 2.0, dashed=True))
        seen = place.area.intersected(QRectF(self._viewport.rect()))
        wide = min(seen.width(), _BANNER_WIDE_PX)
        banner = QRectF(
            seen.center().x() - wide / 2, seen.top() + _BANNER_DOWN_PX, wide, _BANNER_PX
        )
        text = f"Proposed, {100 * proposal.agreement:.0f} % alike"
        keys = ": Return accepts, Esc rejects" if wide == _BANNER_WIDE_PX else ""
        return _Part(source, tuple(strokes), (), (banner, text + keys))

    def _ink(self, structure: Structure) -> QColor:
        if structure is Structure.BACKGROUND:
            return _PAPER
        return QColor(*self._display.colour_of(structure)).lighter(120)


def _with_room(area: QRectF) -> QRectF:
    return QRectF() if area.isEmpty() else area.adjusted(-_ROOM_PX, -_ROOM_PX, _ROOM_PX, _ROOM_PX)


def _box(places: Pixels) -> QRectF:
    (left, top), (right, bottom) = places.min(axis=0), places.max(axis=0)
    return QRectF(left - 1, top - 1, right - left + 2, bottom - top + 2)


def _difference(old: _Part, new: _Part) -> QRectF:
    """Where two states of one part differ: of a line, around the points that moved."""
    pairs = list(zip(old.strokes, new.strokes, strict=False))
    alike = (
        len(old.strokes) == len(new.strokes)
        and len(old.dots) == len(new.dots)
        and all(
            len(was.places) == len(now.places) and (was.ink, was.wide) == (now.ink, now.wide)
            for was, now in pairs
        )
    )
    if not alike:
        return old.bounds.united(new.bounds)
    moved = [
        np.array([(each.at.x(), each.at.y()) for each in (dot, later)])
        for dot, later in zip(old.dots, new.dots, strict=True)
        if dot != later
    ]
    for was, now in pairs:
        differs = np.abs(was.places - now.places).max(axis=1) > _STILL_PX
        around = differs | np.roll(differs, 1) | np.roll(differs, -1)
        moved += [was.places[around], now.places[around]]
    every = np.vstack(moved) if moved else np.empty((0, 2))
    return _with_room(_box(every)) if len(every) else QRectF()


def _polygon(points: Pixels) -> QPolygonF:
    return QPolygonF([QPointF(x, y) for x, y in points.tolist()])


def _apart(one: QPointF, other: QPointF) -> float:
    way: QPointF = one - other
    return math.hypot(way.x(), way.y())


def _draw_stroke(painter: QPainter, stroke: _Stroke, exposed: QRectF) -> None:
    # Corners of a curve are flat: bevelled, they look round and take a quarter less time.
    join = Qt.PenJoinStyle.BevelJoin if stroke.curved else Qt.PenJoinStyle.RoundJoin
    cap = Qt.PenCapStyle.RoundCap
    under = QPen(_SHADE if stroke.dashed else _DARK, stroke.wide + 2, c=cap, j=join)
    over = QPen(stroke.ink, stroke.wide, c=cap, j=join)
    if stroke.dashed:
        over.setDashPattern(_DASH)
        over.setCapStyle(Qt.PenCapStyle.FlatCap)
    for places in stroke.within(exposed):
        line = _polygon(places)
        for pen in (under, over):
            painter.setPen(pen)
            painter.drawPolyline(line)


def _draw_dot(painter: QPainter, dot: _Dot) -> None:
    painter.setPen(QPen(dot.edge, 1.6))
    painter.setBrush(dot.fill)
    painter.drawEllipse(dot.at, dot.radius, dot.radius)
    if dot.sign:
        dark = dot.fill.lightness() < 90
        painter.setPen(QPen(_PAPER if dark else QColor(0, 0, 0), 2))
        arm = dot.radius * 0.55
        painter.drawLine(dot.at - QPointF(arm, 0), dot.at + QPointF(arm, 0))
        if dot.sign == "+":
            painter.drawLine(dot.at - QPointF(0, arm), dot.at + QPointF(0, arm))


def _draw_banner(painter: QPainter, area: QRectF, text: str) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(20, 24, 30, 215))
    painter.drawRoundedRect(area, 6, 6)
    font = QFont()
    font.setPixelSize(13)
    painter.setFont(font)
    painter.setPen(QColor(255, 200, 90))
    painter.drawText(area, Qt.AlignmentFlag.AlignCenter, text)
