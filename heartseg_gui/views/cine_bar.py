"""Sliders over the phases of the heartbeat and the slices, and playing."""

from PySide6.QtCore import (
    QElapsedTimer,
    QEvent,
    QObject,
    QPointF,
    QRectF,
    QSignalBlocker,
    QSize,
    Qt,
    QTimer,
)
from PySide6.QtGui import QColor, QIcon, QPainter, QPaintEvent, QPixmap, QPolygonF, QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QSlider,
    QSpinBox,
    QStyle,
    QStyleOptionSlider,
    QToolButton,
    QWidget,
)

from heartseg_gui.actions import show_tip
from heartseg_gui.documents.patient_terms import phase_time_text
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.documents.view_state import ViewState
from heartseg_gui.mouse_moves import Deed

_ICON_PX = 18
_MARK_HEIGHT = 12
_MARK_TIP = 14  # from the slider's middle to the top of the mark
_MARK_TEXT = 18  # room for `ED`, with a gap
_WIDE_PX = 520  # below, what can be done otherwise goes
_ED_COLOUR = QColor(245, 160, 40)
_ES_COLOUR = QColor(70, 150, 245)


class CinePlayer(QObject):
    """Shows the phases in time.

    The phase follows a clock, not the number of ticks: where painting is too slow for the rate
    phases are left out, and the heart still beats at the right speed.
    """

    def __init__(self, view: ViewState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view = view
        self._clock = QElapsedTimer()
        self._first_phase = 0
        self._shown = 0
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        view.playing_changed.connect(self._start_or_stop)
        view.frame_rate_changed.connect(self._start_or_stop)

    @property
    def active(self) -> bool:
        """Whether the clock runs."""
        return self._timer.isActive()

    def show_at(self, elapsed_ms: float) -> None:
        """Show the phase that is due so long after playing began."""
        view = self._view
        if view.phase != self._shown:  # somebody moved the slider: go on from there
            self._restart_clock()
            elapsed_ms = 0.0
        passed = int(elapsed_ms * view.frame_rate_hz / 1000)
        self._shown = (self._first_phase + passed) % view.phase_count
        view.set_phase(self._shown)

    def _start_or_stop(self) -> None:
        self._timer.stop()
        if self._view.playing:
            self._restart_clock()
            self._timer.start(max(1, round(1000 / self._view.frame_rate_hz)))

    def _restart_clock(self) -> None:
        self._first_phase = self._shown = self._view.phase
        self._clock.start()

    def _tick(self) -> None:
        self.show_at(float(self._clock.elapsed()))


class PhaseSlider(QSlider):
    """A slider with marks where the heart is full (ED) and empty (ES)."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._marks: tuple[tuple[str, int, QColor], ...] = ()
        self.setMinimumHeight(2 * (_MARK_TIP + _MARK_HEIGHT))  # marks above, and as much below
        self.setMinimumWidth(110)
        self.setPageStep(1)

    @property
    def marks(self) -> dict[str, int]:
        """Phase (0-based) of each mark."""
        return {name: phase for name, phase, _ in self._marks}

    def set_marks(self, *, ed_phase: int | None, es_phase: int | None) -> None:
        """Mark end-diastole and end-systole, where they are known."""
        wanted = (("ED", ed_phase, _ED_COLOUR), ("ES", es_phase, _ES_COLOUR))
        self._marks = tuple(
            (name, phase, colour) for name, phase, colour in wanted if phase is not None
        )
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the slider, then its marks."""
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = self.font()
        font.setPixelSize(10)
        font.setBold(True)
        painter.setFont(font)
        middle = self.height() / 2
        for _, phase, colour in self._marks:
            x, tip = self._x_of(phase), middle - _MARK_TIP + 5
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawPolygon(_polygon((x - 4, tip - 5), (x + 4, tip - 5), (x, tip)))
        painter.setPen(self.palette().windowText().color())
        centres = _apart([self._x_of(phase) for _, phase, _ in self._marks], self.width())
        for (name, _, _), x in zip(self._marks, centres, strict=True):
            area = QRectF(x - 14, middle - _MARK_TIP - _MARK_HEIGHT, 28, _MARK_HEIGHT)
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, name)

    def _x_of(self, phase: int) -> float:
        """Where the handle's middle stands at a phase."""
        option = QStyleOptionSlider()
        self.initStyleOption(option)
        style, control = self.style(), QStyle.ComplexControl.CC_Slider
        groove = style.subControlRect(control, option, QStyle.SubControl.SC_SliderGroove, self)
        handle = style.subControlRect(control, option, QStyle.SubControl.SC_SliderHandle, self)
        room = groove.width() - handle.width()
        offset = QStyle.sliderPositionFromValue(self.minimum(), self.maximum(), phase, room)
        return groove.x() + offset + handle.width() / 2


class CineBar(QWidget):
    """Where in the heartbeat and in the heart the reader is, and how to go elsewhere."""

    def __init__(
        self, document: StudyDocument, view: ViewState, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._document, self._view = document, view
        self._player = CinePlayer(view, self)
        self._play = QToolButton()
        self._phases = PhaseSlider()
        self._time = QLabel()
        self._rate = QSpinBox()
        self._slices = QSlider(Qt.Orientation.Horizontal)
        self._slice = QLabel()
        self._caption = QLabel("Slice")
        self._row = QHBoxLayout(self)
        self._prepare_widgets()
        self._lay_out()
        self._show_less(True)  # until it is known how much room there is
        self._connect()
        self._fix_widths()
        self._show_marks()
        self._show_state()

    def _prepare_widgets(self) -> None:
        self._play.setCheckable(True)
        self._play.setAutoRaise(True)
        self._play.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        show_tip(self._phases, "Phase of the heartbeat", Deed.PHASE, "phase_back", "phase_on")
        self._phases.setAccessibleName("Phase")
        show_tip(self._slices, "Slice", Deed.SLICE, "slice_up", "slice_down")
        self._slices.setAccessibleName("Slice")
        self._slices.setPageStep(1)
        self._slices.setMinimumWidth(50)
        self._rate.setRange(1, 60)
        self._rate.setSuffix(" /s")
        show_tip(self._rate, "Pictures a second while playing", "slower", "faster")
        self._rate.setAccessibleName("Pictures a second")
        self._rate.setKeyboardTracking(False)
        for slider in (self._phases, self._slices):  # a click leaves the keys with the picture
            slider.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def _lay_out(self) -> None:
        self._row.setContentsMargins(8, 0, 8, 0)
        for widget, stretch in (
            (self._play, 0),
            (self._phases, 3),
            (self._time, 0),
            (self._rate, 0),
            (self._caption, 0),
            (self._slices, 1),
            (self._slice, 0),
        ):
            self._row.addWidget(widget, stretch)

    def _connect(self) -> None:
        view, document = self._view, self._document
        self._play.toggled.connect(view.set_playing)
        self._phases.valueChanged.connect(view.set_phase)
        self._slices.valueChanged.connect(view.set_slice)
        self._rate.valueChanged.connect(view.set_frame_rate)
        for fact in (
            view.extent_changed,
            view.phase_changed,
            view.slice_changed,
            view.frame_rate_changed,
            view.playing_changed,
            document.stack_changed,
        ):
            fact.connect(self._show_state)
        for fact in (document.key_phases_changed, document.stack_changed):
            fact.connect(self._show_marks)
        view.extent_changed.connect(self._fix_widths)

    def minimumSizeHint(self) -> QSize:
        """That of the narrow bar, or the window could not become narrow."""
        size = super().minimumSizeHint()
        shown = [widget for widget in (self._rate, self._caption) if not widget.isHidden()]
        gaps = len(shown) * self._row.spacing()
        width = sum(widget.minimumSizeHint().width() for widget in shown)
        return QSize(size.width() - width - gaps, size.height())

    def _show_less(self, narrow: bool) -> None:
        for widget in (self._rate, self._caption):
            widget.setHidden(narrow)

    def _fix_widths(self) -> None:
        """Give the labels room for the longest text.

        Were their size free, each new text would have the whole page laid out anew, twenty times a
        second while the cine plays.
        """
        phases, slices = str(self._view.phase_count), str(self._view.slice_count)
        for label, longest in (
            (self._time, f"{phases}/{phases}  0000 ms"),
            (self._slice, f"{slices}/{slices}"),
        ):
            metrics = label.fontMetrics()
            label.setFixedSize(metrics.horizontalAdvance(longest) + 4, metrics.height())

    def _show_marks(self) -> None:
        document = self._document
        self._phases.set_marks(ed_phase=document.ed_phase, es_phase=document.es_phase)

    def _show_state(self) -> None:
        view = self._view
        with QSignalBlocker(self._phases), QSignalBlocker(self._slices):
            self._phases.setMaximum(view.phase_count - 1)
            self._phases.setValue(view.phase)
            self._slices.setMaximum(view.slice_count - 1)
            self._slices.setValue(view.slice_index)
        with QSignalBlocker(self._rate):
            self._rate.setValue(round(view.frame_rate_hz))
        self._time.setText(self._time_text())
        self._slice.setText(f"{view.slice_index + 1}/{view.slice_count}")
        open_study = self._document.cine is not None
        self._slices.setEnabled(open_study and view.slice_count > 1)
        for widget in (self._play, self._phases, self._rate):
            widget.setEnabled(open_study and view.phase_count > 1)
        self._show_playing()

    def _show_playing(self) -> None:
        playing = self._view.playing
        if playing != self._play.isChecked() or self._play.icon().isNull():
            with QSignalBlocker(self._play):
                self._play.setChecked(playing)
            self._draw_play_button()

    def _draw_play_button(self) -> None:
        playing, palette = self._view.playing, self.palette()
        name = "Pause" if playing else "Play"
        self._play.setIcon(_play_icon(playing, palette.windowText().color(), self._ratio()))
        show_tip(self._play, f"{name} the heartbeat", "play")
        self._play.setAccessibleName(name)

    def _time_text(self) -> str:
        view, cine = self._view, self._document.cine
        text = f"{view.phase + 1}/{view.phase_count}"
        if cine is None or view.phase >= cine.phase_count:
            return text
        return f"{text}  {phase_time_text(cine, view.phase)}".rstrip()

    def _ratio(self) -> float:
        return self.devicePixelRatioF()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave the room of a narrow bar to the sliders; the speed has keys and a setting."""
        super().resizeEvent(event)
        self._show_less(event.size().width() < _WIDE_PX)

    def changeEvent(self, event: QEvent) -> None:
        """Draw the button in the colours of another theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._draw_play_button()


def _play_icon(playing: bool, colour: QColor, ratio: float) -> QIcon:
    pixmap = QPixmap(round(_ICON_PX * ratio), round(_ICON_PX * ratio))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    if playing:
        painter.drawRect(QRectF(4, 3, 4, 12))
        painter.drawRect(QRectF(10, 3, 4, 12))
    else:
        painter.drawPolygon(_polygon((4, 2), (15, 9), (4, 16)))
    painter.end()
    return QIcon(pixmap)


def _apart(centres: list[float], width: int) -> list[float]:
    """Where to write the marks, so that they touch neither each other nor the ends."""
    placed = [min(max(x, _MARK_TEXT / 2), width - _MARK_TEXT / 2) for x in centres]
    if len(placed) < 2 or abs(placed[1] - placed[0]) >= _MARK_TEXT:
        return placed
    first, last = (0, 1) if centres[0] <= centres[1] else (1, 0)
    middle = min(max(sum(placed) / 2, _MARK_TEXT), width - _MARK_TEXT)
    placed[first], placed[last] = middle - _MARK_TEXT / 2, middle + _MARK_TEXT / 2
    return placed


def _polygon(*corners: tuple[float, float]) -> QPolygonF:
    return QPolygonF([QPointF(x, y) for x, y in corners])
