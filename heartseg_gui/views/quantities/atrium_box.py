"""The left atrium: from its label, and by area-length from the long axes."""

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from engine.clinical.area_length import LongAxisAtrium, long_axis_conventions
from engine.clinical.long_axis import AtriumPlane, AtriumView
from engine.clinical.physiology import indexed
from engine.clinical.quantities import AtriumFunction
from engine.review.landmarks import ChamberView
from heartseg_gui.documents.live_measures import LiveMeasures
from heartseg_gui.documents.long_axis_state import LongAxisState

_HOW = (
    "Draw the left atrium (Alt+4) on the 2- and the 4-chamber view, where it is largest and where "
    "it is smallest, without veins and appendage, and save. The ends of the mitral annulus can be "
    "dragged."
)


class AtriumBox(QWidget):
    """Largest and smallest volume, emptying fraction, and which view is which.

    Signals:
        view_wanted: The long axis on the screen is this one, a value of `ChamberView`.
    """

    view_wanted = Signal(str)

    def __init__(
        self, state: LongAxisState, measures: LiveMeasures, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._state, self._measures = state, measures
        self.chambers = QComboBox()
        for view in ChamberView:
            self.chambers.addItem(f"{view} view" if view is not ChamberView.OTHER else view.value)
            self.chambers.setItemData(self.chambers.count() - 1, view.value)
        self.chambers.setAccessibleName("Which long axis this is")
        self.chambers.setToolTip("Which chambers the long axis on the screen cuts")
        self.chambers.activated.connect(self._tell)
        self._this = QWidget()
        row = QHBoxLayout(self._this)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(QLabel("The view on the screen is"))
        row.addWidget(self.chambers)
        row.addStretch(1)
        self.values, self.notes = QLabel(), QLabel()
        heading = QLabel("Left atrium")
        heading.setProperty("role", "heading")
        self.notes.setProperty("role", "caption")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for widget in (heading, self._this, self.values, self.notes):
            layout.addWidget(widget)
        for label in (self.values, self.notes):
            label.setWordWrap(True)

    def show_state(self) -> None:
        """Write what is so now; nothing where there is neither atrium nor long axis."""
        found, label = self._state.found, self._measures.measure_atrium()
        self.setVisible(found is not None or label is not None or self._state.is_shown)
        self._this.setVisible(self._state.is_shown)
        with QSignalBlocker(self.chambers):
            self.chambers.setCurrentIndex(self.chambers.findData(self._state.chambers.value))
        lines = [] if label is None else [_say_label(label)]
        if found is not None:
            lines += _say_area_length(found, self._state.body_surface_m2)
        self.values.setText("\n".join(lines))
        notes = list(() if found is None else found.notes)
        if self._state.is_shown and found is None:
            notes.append(_HOW)
        notes += [each.text for each in long_axis_conventions(found)]
        self.notes.setText("\n".join(notes))
        self.notes.setVisible(bool(notes))

    def _tell(self) -> None:
        self.view_wanted.emit(str(self.chambers.currentData()))


def _say_label(found: AtriumFunction) -> str:
    if found.smallest_ml is None:
        return f"From the label: {found.largest_ml:.1f} ml"
    parts = [f"largest {found.largest_ml:.1f} ml", f"smallest {found.smallest_ml:.1f} ml"]
    if found.emptying_fraction is not None:
        parts.append(f"emptying fraction {100 * found.emptying_fraction:.0f}\u00a0%")
    return f"From the label: {', '.join(parts)}"


def _say_area_length(found: LongAxisAtrium, bsa_m2: float | None) -> list[str]:
    """The volumes with their method, then a line for each view."""
    lines = []
    if found.method is not None and found.largest_ml is not None:
        index = indexed(found.largest_ml, bsa_m2)
        per_m2 = "" if index is None else f" ({index:.0f} ml/m²)"
        parts = [f"largest {found.largest_ml:.1f} ml{per_m2}"]
        if found.smallest_ml is not None:
            parts.append(f"smallest {found.smallest_ml:.1f} ml")
        if found.emptying_fraction is not None:
            parts.append(f"emptying fraction {100 * found.emptying_fraction:.0f}\u00a0%")
        lines.append(f"Area-length, {found.method}: {', '.join(parts)}")
    return [*lines, *(_say_view(view) for view in found.views if view.planes)]


def _say_view(view: AtriumView) -> str:
    """Areas and lengths of a view, and whose annulus they stand on."""
    shown = [view.largest] if len(view.planes) == 1 else [view.largest, view.smallest]
    told = "; ".join(_say_plane(each) for each in shown)
    by_reader = sum(each.by_reader for each in shown)
    whose = {0: "annulus found", len(shown): "annulus set by the reader"}
    return f"{view.drawn.chambers}: {told} ({whose.get(by_reader, 'annulus set in one phase')})"


def _say_plane(plane: AtriumPlane) -> str:
    contour = plane.contour
    area_cm2, length_mm = contour.area_mm2 / 100, contour.length_mm
    return f"phase {plane.phase + 1}: {area_cm2:.1f}\u00a0cm², {length_mm:.0f}\u00a0mm"
