"""Curves, bullseye, slices and conventions of the open labels."""

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from engine.clinical.measuring import slice_distance_of
from engine.clinical.segments import WallMap
from heartseg_gui.documents.display_state import DisplayState
from heartseg_gui.documents.quantity_state import Measured, QuantityState
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.documents.view_state import ViewState
from heartseg_gui.views.quantities.bullseye_view import BullseyeView, WallQuantity
from heartseg_gui.views.quantities.curve_plot import CurvePlot
from heartseg_gui.views.quantities.ledger import Ledger
from heartseg_gui.views.quantities.slice_table import SliceTable

_REST_MS = 200  # walls take a tenth of a second: not after every move of a brush


class QuantityPage(QScrollArea):
    """Shows `QuantityState` while it is in front.

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
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._view, self._state = document, view, state
        self.plot, self.bullseye = CurvePlot(display), BullseyeView()
        self.quantity, self.table, self.ledger = QComboBox(), SliceTable(state), Ledger(state.rules)
        self._rates, self._wall = QLabel(), QLabel()
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self._show_state)
        for each in WallQuantity:
            self.quantity.addItem(str(each))
        self._lay_out()
        self.quantity.activated.connect(self._show_wall)
        self.plot.phase_wanted.connect(self.phase_wanted)
        self.bullseye.place_wanted.connect(self.place_wanted)
        self.table.place_wanted.connect(self.place_wanted)
        state.changed.connect(self._refresh)
        view.phase_changed.connect(self._show_phase)
        display.overlay_changed.connect(self.plot.update)

    def showEvent(self, event: QShowEvent) -> None:
        """Catch up with what changed while nobody looked."""
        super().showEvent(event)
        self._show_state()

    def _refresh(self) -> None:
        if self.isVisible():
            self._rest.start()

    def _show_phase(self) -> None:
        if self.isVisible():
            self.plot.show_measured(self._state.measured, self._view.phase)

    def _show_state(self) -> None:
        measured = self._state.measured
        self.plot.show_measured(measured, self._view.phase)
        self._rates.setText(_say_rates(measured))
        self._show_wall()
        self.table.show_state()
        stack = self._document.stack
        conventions = self._state.rules.conventions
        if measured is not None and stack is not None:
            rule, distance = measured.volumes.choice.rule, slice_distance_of(stack)
            conventions = conventions.found(rule, distance)
        self.ledger.show_found(conventions)

    def _show_wall(self) -> None:
        measured = self._state.measured
        wall = WallMap(why_not="No labels yet.") if measured is None else measured.wall
        self.bullseye.show_wall(wall, list(WallQuantity)[self.quantity.currentIndex()])
        self._wall.setText(_say_wall(wall))

    def _lay_out(self) -> None:
        page = QWidget()
        grid = QGridLayout(page)
        grid.setContentsMargins(18, 14, 18, 14)
        grid.setHorizontalSpacing(20)
        grid.setVerticalSpacing(10)
        curves = QVBoxLayout()
        curves.addWidget(_heading("Volumes over the heartbeat"))
        curves.addWidget(self.plot, stretch=1)
        walls = QVBoxLayout()
        head = QHBoxLayout()
        head.addWidget(_heading("Wall by segment"))
        head.addStretch(1)
        head.addWidget(self.quantity)
        walls.addLayout(head)
        walls.addWidget(self.bullseye, stretch=1)
        for label, column in ((self._rates, curves), (self._wall, walls)):
            label.setWordWrap(True)
            label.setProperty("role", "caption")
            column.addWidget(label)
        slices = QVBoxLayout()
        slices.addWidget(_heading("Slices, base first [ml]"))
        slices.addWidget(self.table, stretch=1)
        grid.addLayout(curves, 0, 0)
        grid.addLayout(walls, 0, 1)
        grid.addLayout(slices, 1, 0)
        grid.addWidget(self.ledger, 1, 1, Qt.AlignmentFlag.AlignTop)
        for place in (0, 1):
            grid.setColumnStretch(place, 3 - place)
            grid.setRowStretch(place, 1)
        self.quantity.setAccessibleName("Quantity of the wall")
        self.quantity.setToolTip("What the bullseye shows")
        self.setWidget(page)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setAccessibleName("Quantities")


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


def _say_wall(wall: WallMap) -> str:
    if wall.why_not or wall.mean_ed_mm is None or wall.largest_ed_mm is None:
        return ""
    told = (
        f"At ED {wall.mean_ed_mm:.1f} mm on average, {wall.largest_ed_mm:.1f} mm in the thickest "
        "segment. Click a segment to see its slice."
    )
    known = "" if wall.source is None else f" Front and back are known by the {wall.source}."
    return told + known
