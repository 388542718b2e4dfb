"""The volumes over the heartbeat; a click goes to the phase."""

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from engine.structures import Structure
from heartseg_gui.documents.display_state import DisplayState
from heartseg_gui.documents.quantity_state import Measured
from heartseg_gui.views.quantities.curve_painting import CurvePainter, CurveScale

_LEFT, _RIGHT, _TOP, _BOTTOM = 52.0, 14.0, 26.0, 40.0


class CurvePlot(QWidget):
    """Draws LV and RV over time, ED and ES, the steepest points, and the phase in view.

    Signals:
        phase_wanted: Show this phase (0-based).
    """

    phase_wanted = Signal(int)

    def __init__(self, display: DisplayState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._display = display
        self._measured: Measured | None = None
        self._phase, self._hovered = 0, -1
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Volumes over the heartbeat")

    def sizeHint(self) -> QSize:
        """Wide enough for thirty phases."""
        return QSize(520, 300)

    def minimumSizeHint(self) -> QSize:
        """Still readable."""
        return QSize(260, 180)

    def show_measured(self, measured: Measured | None, phase: int) -> None:
        """Show curves, and the phase in view (0-based)."""
        self._measured, self._phase = measured, phase
        self.update()

    def phase_at(self, x: float) -> int | None:
        """The labelled phase nearest to a place [px]."""
        scale = self._scale()
        if scale is None:
            return None
        return min(scale.positions, key=lambda phase: abs(scale.x(scale.positions[phase]) - x))

    def place_of(self, phase: int, structure: Structure) -> QPointF | None:
        """Where a point of a curve is drawn, for whoever wants to click it."""
        scale = self._scale()
        if scale is None or self._measured is None:
            return None
        volume_ml = self._measured.volumes.curves[structure].at_ml(phase)
        return None if volume_ml is None else scale.place(phase, volume_ml)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go to the nearest phase."""
        phase = self.phase_at(event.position().x())
        if phase is not None and event.button() == Qt.MouseButton.LeftButton:
            self.phase_wanted.emit(phase)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Say what the nearest point is; with the button held, go along the curve."""
        phase = self.phase_at(event.position().x())
        self._hovered = -1 if phase is None else phase
        if phase is not None and event.buttons() & Qt.MouseButton.LeftButton:
            self.phase_wanted.emit(phase)
        self.update()

    def leaveEvent(self, _event: QEvent) -> None:
        """Say no more."""
        self._hovered = -1
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and right go along the curve."""
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        scale = self._scale()
        if step is None or scale is None:
            super().keyPressEvent(event)
            return
        phases = sorted(scale.positions)
        at = min(range(len(phases)), key=lambda number: abs(phases[number] - self._phase))
        self.phase_wanted.emit(phases[(at + step) % len(phases)])

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw axes, curves, marks and words."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        scale, measured = self._scale(), self._measured
        if scale is None or measured is None:
            painter.setPen(self.palette().placeholderText().color())
            text = "No curve yet. Predict or draw the heart."
            painter.drawText(QRectF(self.rect()), Qt.AlignmentFlag.AlignCenter, text)
            return
        brush = CurvePainter(painter, scale, measured, self._display, self.palette())
        brush.paint(self._phase, self._hovered)

    def _scale(self) -> CurveScale | None:
        measured = self._measured
        if measured is None or not measured.volumes.curves[Structure.LV].phases:
            return None
        if not measured.drawn:
            return None
        curves = [measured.volumes.curves[each] for each in measured.drawn]
        phases = curves[0].phases
        timed = measured.times_ms
        positions = {phase: timed[phase] if timed else phase + 1.0 for phase in phases}
        whole = list(timed) or [1.0, *positions.values()]
        frame = QRectF(_LEFT, _TOP, self.width() - _LEFT - _RIGHT, self.height() - _TOP - _BOTTOM)
        top_ml = 1.08 * max(max(curve.volumes_ml) for curve in curves)
        return CurveScale(frame, positions, min(whole), max(whole), max(top_ml, 1.0))
