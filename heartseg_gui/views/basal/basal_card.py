"""One slice at the base: its picture, how far it is enclosed, what it is worth."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QFrame, QLabel, QSizePolicy, QVBoxLayout, QWidget

from engine.clinical.basal import BasalRule
from engine.clinical.basal_overview import BasalSlice
from engine.clinical.volumes import VentricleFunction
from engine.labelmap import SlicePlace
from heartseg_gui.documents.display_state import DisplayState
from heartseg_gui.views.basal.slice_picture import SlicePicture


class BasalCard(QFrame):
    """Shows a `BasalSlice`.

    Signals:
        chosen: The reader points at its slice, (phase, slice).
        toggled: It is to count, or not to count, (phase, slice).
    """

    chosen = Signal(int, int)
    toggled = Signal(int, int)

    def __init__(self, display: DisplayState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self.picture = SlicePicture(display)
        self.counts = QCheckBox()
        self.counts.setToolTip("Whether this slice counts for the LV; its labels stay")
        self.counts.setAccessibleName("Slice counts")
        self._coverage, self._worth = QLabel(), QLabel()
        self._place: SlicePlace | None = None
        for label in (self._coverage, self._worth):
            label.setProperty("role", "caption")
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(4)
        layout.addWidget(self.picture, stretch=1)
        for widget in (self.counts, self._coverage, self._worth):
            layout.addWidget(widget)
        self.picture.clicked.connect(self._tell_chosen)
        self.picture.double_clicked.connect(self._tell_toggled)
        self.counts.clicked.connect(self._tell_toggled)

    @property
    def place(self) -> SlicePlace | None:
        """The slice that is shown, (phase, slice)."""
        return self._place

    def show_slice(self, each: BasalSlice, now: VentricleFunction, *, ef_digits: int) -> None:
        """Show what a slice is worth; `now` is the LV's function as things are."""
        base = each.base
        self._place = (base.phase, base.slice_index)
        name = f"Slice {base.slice_index + 1}, phase {base.phase + 1}"
        self.counts.setText(f"{name} counts")
        self.counts.setAccessibleName(f"{name} counts")
        self.counts.setChecked(each.counted)
        self.picture.setAccessibleName(name)
        self._coverage.setText(_say_coverage(each))
        self._worth.setText(_say_worth(each, now, ef_digits))

    def _tell_chosen(self) -> None:
        if self._place is not None:
            self.chosen.emit(*self._place)

    def _tell_toggled(self) -> None:
        if self._place is not None:
            self.toggled.emit(*self._place)


def _say_coverage(each: BasalSlice) -> str:
    base = each.base
    if base.coverage is None:
        return "No myocardium in this phase."
    half, full = ("✓" if base.meets(rule) else "✗" for rule in (BasalRule.HALF, BasalRule.FULL))
    return f"Myocardium {100 * base.coverage:.0f} %   ≥ 50 % {half}   100 % {full}"


def _say_worth(each: BasalSlice, now: VentricleFunction, digits: int) -> str:
    """`LV 21 ml. Without it EF 48 → 45 %`, with the volume that changes."""
    other = each.otherwise
    word = "Without it" if each.counted else "If included"
    parts = [
        f"{name} {_shown(new, 0)} ml"
        for name, old, new in (
            ("EDV", now.end_diastolic_ml, other.end_diastolic_ml),
            ("ESV", now.end_systolic_ml, other.end_systolic_ml),
        )
        if new != old
    ]
    fraction = other.ejection_fraction
    percent = None if fraction is None else 100 * fraction
    parts.append(f"EF {_shown(percent, digits)} %")
    return f"LV {each.lv_ml:.1f} ml\n{word}: {', '.join(parts)}"


def _shown(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
