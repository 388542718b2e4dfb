"""Curves, walls, slices, the left atrium and conventions of the open labels."""

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from engine.clinical.measuring import slice_distance_of
from engine.clinical.segments import WallMap
from engine.structures import Structure
from heartseg_gui.documents.display_state import DisplayState
from heartseg_gui.documents.landmarks import LandmarkState
from heartseg_gui.documents.live_measures import LiveMeasures
from heartseg_gui.documents.long_axis_state import LongAxisState
from heartseg_gui.documents.quantity_state import Measured, QuantityState
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.documents.view_state import ViewState
from heartseg_gui.views.quantities.atrium_box import AtriumBox
from heartseg_gui.views.quantities.bullseye_view import BullseyeView
from heartseg_gui.views.quantities.curve_plot import CurvePlot
from heartseg_gui.views.quantities.ledger import Ledger
from heartseg_gui.views.quantities.slice_table import SliceTable
from heartseg_gui.views.quantities.wall_box import WallBox

_REST_MS = 200  # walls take a tenth of a second: not after every move of a brush


_HIGHEST_PX = 520  # higher, curves and circles gain nothing


class QuantityPage(QScrollArea):
    """Shows `QuantityState` while it is in front; where there is no ventricle, the atrium alone.

    Signals:
        phase_wanted: Show this phase (0-based).
        place_wanted: Show this slice, (phase, slice).
    """

    phase_wanted = Signal(int)
    place_wanted = Signal(int, int)

    def __init__(
        self,
        document: StudyDocument,
        view: ViewState,
        display: DisplayState,
        state: QuantityState,
        landmarks: LandmarkState,
        long_axes: LongAxisState,
        measures: LiveMeasures,
    ) -> None:
        super().__init__()
        self._document, self._view, self._state = document, view, state
        self._measures, self._long_axes = measures, long_axes
        self.plot = CurvePlot(display)
        self.wall = WallBox(document, display, landmarks)
        self.atrium = AtriumBox(long_axes, measures)
        self.table, self.ledger = SliceTable(state), Ledger(state.rules)
        self._rates, self._left = QLabel(), QWidget()
        self._slices, self._curves = QWidget(), QWidget()
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self._show_state)
        self._lay_out()
        self.plot.phase_wanted.connect(self.phase_wanted)
        self.wall.place_wanted.connect(self.place_wanted)
        self.table.place_wanted.connect(self.place_wanted)
        for fact in (state.changed, long_axes.changed, document.stack_changed):
            fact.connect(self._refresh)
        view.phase_changed.connect(self._show_place)
        view.slice_changed.connect(self._show_place)
        display.overlay_changed.connect(self.plot.update)

    @property
    def bullseye(self) -> BullseyeView:
        """The segments of the left ventricle."""
        return self.wall.bullseye

    def showEvent(self, event: QShowEvent) -> None:
        """Catch up with what changed while nobody looked."""
        super().showEvent(event)
        self._show_state()

    def _refresh(self) -> None:
        if self.isVisible():
            self._rest.start()

    def _show_place(self) -> None:
        if self.isVisible():
            self.plot.show_measured(self._state.measured, self._view.phase)
            self.wall.show_place((self._view.phase, self._view.slice_index))

    def _show_state(self) -> None:
        measured, alone = self._state.measured, self._measures.atrium_alone
        self.plot.show_measured(measured, self._view.phase)
        self._rates.setText("" if alone else _say_rates(measured))
        wall = WallMap(why_not="No labels yet.") if measured is None else measured.wall
        self.wall.show_wall(wall, (self._view.phase, self._view.slice_index))
        self.table.show_state()
        self.atrium.show_state()
        for part in (self.wall, self._slices):
            part.setVisible(not alone)
        phases = 0 if measured is None else len(measured.volumes.curves[Structure.LV].phases)
        self._left.setVisible(not alone or phases > 1)
        self.ledger.setVisible(not self._document.is_long_axis)
        self.ledger.show_for(atrium_alone=alone)
        stack = self._document.stack
        conventions = self._state.rules.conventions
        if measured is not None and stack is not None:
            rule, distance = measured.volumes.choice.rule, slice_distance_of(stack)
            conventions = conventions.found(rule, distance)
        self.ledger.show_found(conventions)

    def _lay_out(self) -> None:
        page = QWidget()
        columns = QHBoxLayout(page)
        columns.setContentsMargins(18, 14, 18, 14)
        columns.setSpacing(20)
        curves = _column(self._curves)
        curves.addWidget(_heading("Volumes over the heartbeat"))
        curves.addWidget(self.plot, stretch=1)
        self._rates.setWordWrap(True)
        self._rates.setProperty("role", "caption")
        curves.addWidget(self._rates)
        slices = _column(self._slices)
        slices.addWidget(_heading("Slices, base first [ml]"))
        slices.addWidget(self.table, stretch=1)
        left, right = _column(self._left), QVBoxLayout()
        for column, parts in (
            (left, (self._curves, self._slices)),
            (right, (self.wall, self.atrium, self.ledger)),
        ):
            column.setSpacing(12)
            for part in parts:
                column.addWidget(part)
        for part in (self._curves, self.wall):
            part.setMaximumHeight(_HIGHEST_PX)
        for part in (self._curves, self._slices):
            left.setStretchFactor(part, 1)
        left.addStretch(0)
        right.addStretch(1)
        columns.addWidget(self._left, stretch=1)
        columns.addLayout(right, stretch=1)
        self.setWidget(page)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setAccessibleName("Quantities")


def _column(part: QWidget) -> QVBoxLayout:
    column = QVBoxLayout(part)
    column.setContentsMargins(0, 0, 0, 0)
    return column


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "heading")
    return label


def _say_rates(measured: Measured | None) -> str:
    if measured is None:
        return ""
    lines = []
    for name, rates in (("LV", measured.lv_rates), ("RV", measured.rv_rates)):
        if rates.why_not:
            lines.append(f"{name}: no rates. {rates.why_not}")
            continue
        parts = [
            f"{what} {peak.ml_s:.0f} ml/s at {peak.after_ms:.0f} ms after {since}"
            for what, peak, since in (
                ("PER", rates.ejection, "ED"),
                ("PFR", rates.filling, "ES"),
            )
            if peak is not None
        ]
        lines.append(f"{name}: {', '.join(parts)}")
    return "\n".join(lines)
