"""Drawing volume curves: axes, points, tangents, words."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPalette, QPen, QPolygonF

from engine.clinical.curves import CurveRates, PeakRate
from engine.clinical.volumes import VolumeCurve
from engine.structures import Structure
from heartseg_gui.documents.display_state import DisplayState
from heartseg_gui.documents.quantity_state import Measured

_NAMES = {Structure.LV: "LV", Structure.RV: "RV", Structure.LEFT_ATRIUM: "LA"}

_DOT_PX = 3.5
_STEPS_ML = (5, 10, 20, 25, 50, 100, 200)


@dataclass(frozen=True, slots=True)
class CurveScale:
    """From phases and millilitres to places.

    Attributes:
        frame: Where curves are drawn [px].
        positions: Time of each labelled phase [ms], or its number.
        first: Time of the first phase.
        last: Time of the last phase.
        top_ml: Volume at the upper edge.
    """

    frame: QRectF
    positions: dict[int, float]
    first: float
    last: float
    top_ml: float

    def x(self, position: float) -> float:
        """Where a time lies across [px]."""
        span = self.last - self.first or 1.0
        return self.frame.left() + (position - self.first) / span * self.frame.width()

    def y(self, volume_ml: float) -> float:
        """Where a volume lies down [px]."""
        return self.frame.bottom() - volume_ml / self.top_ml * self.frame.height()

    def place(self, phase: int, volume_ml: float) -> QPointF:
        """Where a point of a curve lies."""
        return QPointF(self.x(self.positions[phase]), self.y(volume_ml))


class CurvePainter:
    """Draws once, with one painter.

    Args:
        painter: Begun.
        scale: Where everything lies.
        measured: What is drawn.
        display: Gives the colours of the structures.
        palette: Gives the colours of the theme.
    """

    def __init__(
        self,
        painter: QPainter,
        scale: CurveScale,
        measured: Measured,
        display: DisplayState,
        palette: QPalette,
    ) -> None:
        self._painter, self._scale, self._measured = painter, scale, measured
        self._display, self._palette = display, palette

    def paint(self, phase: int, hovered: int) -> None:
        """Draw everything; the phase in view and the one under the mouse (0-based) stand out."""
        self._paint_axes()
        self._paint_marks(phase)
        curves = self._measured.volumes.curves
        for structure in self._measured.drawn:
            self._paint_curve(curves[structure], (phase, hovered))
        if not self._measured.atrium_alone:
            self._paint_rates(self._measured.lv_rates, curves[Structure.LV])
            self._paint_rates(self._measured.rv_rates, curves[Structure.RV])
        self._paint_words(hovered if hovered in self._scale.positions else phase)

    def _muted(self) -> QColor:
        return self._palette.placeholderText().color()

    def _paint_axes(self) -> None:
        painter, scale, measured = self._painter, self._scale, self._measured
        frame, muted = scale.frame, self._muted()
        line = QColor(muted)
        line.setAlpha(70)
        step = next((each for each in _STEPS_ML if scale.top_ml / each <= 6), 500)
        for volume in range(0, int(scale.top_ml) + 1, step):
            y = scale.y(volume)
            painter.setPen(QPen(line, 1))
            painter.drawLine(QPointF(frame.left(), y), QPointF(frame.right(), y))
            painter.setPen(muted)
            box = QRectF(0, y - 9, frame.left() - 8, 18)
            painter.drawText(
                box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, str(volume)
            )
        timed = bool(measured.times_ms)
        ticks = _round_ticks(scale) if timed else _some(sorted(scale.positions.values()))
        for position in ticks:
            box = QRectF(scale.x(position) - 30, frame.bottom() + 3, 60, 16)
            painter.drawText(box, Qt.AlignmentFlag.AlignHCenter, f"{position:.0f}")
        below = QRectF(frame.left(), frame.bottom() + 19, frame.width(), 18)
        name = "Time after the R wave [ms]" if measured.times_ms else "Phase"
        painter.drawText(below, Qt.AlignmentFlag.AlignHCenter, name)
        painter.drawText(QPointF(4, 14), "ml")

    def _paint_marks(self, shown: int) -> None:
        """End diastole, end systole, and the phase in view."""
        painter, scale, measured = self._painter, self._scale, self._measured
        choice = measured.volumes.choice
        for name, phase in (("ED", choice.ed), ("ES", choice.es)):
            if phase in scale.positions:
                assert phase is not None
                x = scale.x(scale.positions[phase])
                painter.setPen(QPen(self._muted(), 1, Qt.PenStyle.DashLine))
                painter.drawLine(QPointF(x, scale.frame.top()), QPointF(x, scale.frame.bottom()))
                beside = x + 3 if x + 24 < scale.frame.right() else x - 21
                painter.drawText(QPointF(beside, scale.frame.top() - 4), name)
        at = measured.times_ms[shown] if measured.times_ms else shown + 1.0
        painter.setPen(QPen(self._palette.highlight().color(), 2))
        x = scale.x(at)
        painter.drawLine(QPointF(x, scale.frame.top()), QPointF(x, scale.frame.bottom()))

    def _paint_curve(self, curve: VolumeCurve, large: Collection[int]) -> None:
        painter, scale = self._painter, self._scale
        drawn = [
            (phase, ml) for phase, ml in zip(curve.phases, curve.volumes_ml, strict=True) if ml > 0
        ]
        points = [scale.place(phase, ml) for phase, ml in drawn]
        colour = self._colour_of(curve.structure)
        painter.setPen(QPen(colour, 2))
        painter.drawPolyline(QPolygonF(points))
        for (phase, _), point in zip(drawn, points, strict=True):
            painter.setBrush(QBrush(colour) if phase in large else self._palette.base())
            radius = _DOT_PX * (1.5 if phase in large else 1.0)
            painter.drawEllipse(point, radius, radius)
        if points:
            name = _NAMES[curve.structure]
            lower = curve.structure is Structure.LV and self._rv_is_larger_at_last()
            painter.drawText(points[-1] + QPointF(-22, 18 if lower else -8), name)

    def _rv_is_larger_at_last(self) -> bool:
        """Whether the name of the LV belongs below its curve."""
        curves = self._measured.volumes.curves
        lv, rv = curves[Structure.LV], curves[Structure.RV]
        return rv.volumes_ml[-1] >= lv.volumes_ml[-1]

    def _colour_of(self, structure: Structure) -> QColor:
        """The structure's colour, dark enough for a light page."""
        colour = QColor(*self._display.colour_of(structure))
        light = self._palette.base().color().lightness() > 128
        return colour.darker(165) if light and colour.lightness() > 110 else colour

    def _paint_rates(self, rates: CurveRates, curve: VolumeCurve) -> None:
        """Tangents at the steepest points; of the LV with their values."""
        painter, scale = self._painter, self._scale
        if not self._measured.times_ms:
            return
        for peak, sign, name in ((rates.ejection, -1, "PER"), (rates.filling, 1, "PFR")):
            volume_ml = None if peak is None else curve.at_ml(peak.phase)
            if peak is None or volume_ml is None:
                continue
            self._paint_tangent(peak, sign, volume_ml, curve.structure)
            if curve.structure is Structure.LV:
                place = scale.place(peak.phase, volume_ml) + QPointF(8, -10 if sign < 0 else 16)
                painter.drawText(place, f"{name} {peak.ml_s:.0f} ml/s, {peak.after_ms:.0f} ms")

    def _paint_tangent(
        self, peak: PeakRate, sign: int, volume_ml: float, structure: Structure
    ) -> None:
        painter, scale = self._painter, self._scale
        half_ms = (scale.last - scale.first) / 14
        at = scale.positions[peak.phase]
        ends = [
            QPointF(
                scale.x(at + part * half_ms),
                scale.y(volume_ml + sign * part * peak.ml_s * half_ms / 1000),
            )
            for part in (-1, 1)
        ]
        painter.setPen(QPen(self._colour_of(structure), 1.5, Qt.PenStyle.DotLine))
        painter.drawLine(*ends)

    def _paint_words(self, phase: int) -> None:
        painter, scale, measured = self._painter, self._scale, self._measured
        if phase not in scale.positions:
            return
        parts = [f"Phase {phase + 1}"]
        if measured.times_ms:
            parts.append(f"{measured.times_ms[phase]:.0f} ms")
        for structure in measured.drawn:
            volume_ml = measured.volumes.curves[structure].at_ml(phase)
            if volume_ml is not None:
                parts.append(f"{_NAMES[structure]} {volume_ml:.0f} ml")
        painter.setPen(self._palette.text().color())
        box = QRectF(scale.frame.left() + 40, 0, scale.frame.width() - 40, 18)
        painter.drawText(box, Qt.AlignmentFlag.AlignRight, "   ".join(parts))


def _some(positions: Sequence[float]) -> list[float]:
    """At most seven of the positions."""
    return list(positions)[:: max(1, -(-len(positions) // 7))]


def _round_ticks(scale: CurveScale) -> list[float]:
    """Round times, at most nine."""
    span = scale.last - scale.first
    step = next((each for each in (25, 50, 100, 200, 250, 500) if span / each <= 8), 1000)
    start = -(-int(scale.first) // step) * step
    return [float(value) for value in range(start, int(scale.last) + 1, step)]
