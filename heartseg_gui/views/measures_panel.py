"""Volumes and ejection fractions while one edits, beside what is on the screen."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from engine.clinical.volumes import VentricleFunction
from engine.structures import Structure
from heartseg_gui.documents.live_measures import LiveMeasures
from heartseg_gui.documents.view_state import ViewState

_UNKNOWN = "–"
_COLUMNS = ("", "LV", "RV")
_ROWS = ("EDV", "ESV", "SV", "EF", "90 %")
_UNITS = ("ml", "ml", "ml", "%", "%")
_HERE = (Structure.LV, Structure.MYOCARDIUM, Structure.RV)  # of the ventricles, in this order


class MeasuresPanel(QWidget):
    """A small table that follows every stroke: ventricles, mass, left atrium, the slice at hand.

    What the study does not have is not listed: no ventricles where the left atrium alone is drawn,
    no left atrium where there is none.
    """

    def __init__(
        self, measures: LiveMeasures, view: ViewState, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._measures, self._view = measures, view
        self._cells: dict[tuple[int, int], QLabel] = {}
        self._table = QWidget()
        self._mass = QLabel()
        self._atrium = QLabel()
        self._here = QLabel()
        self._lay_out()
        measures.changed.connect(self.show_state)
        view.slice_changed.connect(self._show_here)
        view.phase_changed.connect(self._show_here)
        self.show_state()

    def show_state(self) -> None:
        """Write what is so now."""
        found = self._measures.measure()
        ventricles = ((found.lv, found.lv_ef_range), (found.rv, found.rv_ef_range))
        for column, (ventricle, ef_range) in enumerate(ventricles, start=1):
            digits = self._measures.rules.conventions.ef_digits
            for row, text in enumerate(_texts_of(ventricle, ef_range, digits)):
                self._cells[row, column].setText(text)
        mass = _UNKNOWN if found.mass_g is None else f"{found.mass_g:.0f} g"
        at = self._measures.rules.conventions.mass_phase
        self._mass.setText(f"LV mass at {at} {mass}")
        for part in (self._table, self._mass):
            part.setVisible(not self._measures.atrium_alone)
        self._show_here()

    def _show_here(self) -> None:
        self._show_atrium()
        if not self._measures.known:
            self._here.setText("")
            return
        phase, number = self._view.phase, self._view.slice_index
        shown = [] if self._measures.atrium_alone else list(_HERE)
        shown += [] if self._measures.measure_atrium() is None else [Structure.LEFT_ATRIUM]
        parts = (
            f"{each.short_title} {self._measures.slice_ml(phase, number, each):.1f}"
            for each in shown
        )
        self._here.setText(f"This slice [ml]: {', '.join(parts)}")

    def _show_atrium(self) -> None:
        found = self._measures.measure_atrium()
        area_cm2 = self._measures.atrium_area_cm2(self._view.phase)
        self._atrium.setVisible(found is not None or area_cm2 is not None)
        if area_cm2 is not None:
            self._atrium.setText(f"Left atrium {area_cm2:.1f} cm² on this view")
        if found is None:
            return
        here_ml = self._measures.phase_ml(self._view.phase, Structure.LEFT_ATRIUM)
        lines = [f"Left atrium {here_ml:.1f} ml" if here_ml else "Left atrium: not in this phase"]
        if found.smallest_ml is not None:
            lines.append(f"Largest {found.largest_ml:.1f} ml, smallest {found.smallest_ml:.1f} ml")
        if found.emptying_fraction is not None:
            lines.append(f"Emptying fraction {100 * found.emptying_fraction:.0f} %")
        self._atrium.setText("\n".join(lines))

    def _lay_out(self) -> None:
        heading = QLabel("Measures")
        heading.setProperty("role", "heading")
        grid = QGridLayout(self._table)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(2)
        right = Qt.AlignmentFlag.AlignRight
        for column, text in enumerate(_COLUMNS):
            caption = QLabel(text)
            caption.setProperty("role", "caption")
            grid.addWidget(caption, 0, column, right if column else Qt.AlignmentFlag.AlignLeft)
        for row, (text, unit) in enumerate(zip(_ROWS, _UNITS, strict=True)):
            name = QLabel(f"{text} [{unit}]" if text != "90 %" else "EF, 90 % range")
            name.setProperty("role", "caption")
            grid.addWidget(name, row + 1, 0)
            for column in (1, 2):
                cell = self._cells[row, column] = QLabel(_UNKNOWN)
                cell.setAccessibleName(f"{_COLUMNS[column]} {text}")
                cell.setAlignment(right)
                grid.addWidget(cell, row + 1, column)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(2, 1)
        for label in (self._mass, self._atrium, self._here):
            label.setProperty("role", "caption")
            label.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(5)
        for widget in (heading, self._table, self._mass, self._atrium, self._here):
            layout.addWidget(widget)


def _texts_of(
    ventricle: VentricleFunction, ef_range: tuple[float, float] | None, ef_digits: int
) -> tuple[str, ...]:
    """The cells of one ventricle, from top to bottom."""
    volumes = (
        ventricle.end_diastolic_ml,
        ventricle.end_systolic_ml,
        ventricle.stroke_volume_ml,
    )
    fraction = ventricle.ejection_fraction
    return (
        *(_UNKNOWN if ml is None else f"{ml:.0f}" for ml in volumes),
        _UNKNOWN if fraction is None else f"{100 * fraction:.{ef_digits}f}",
        _UNKNOWN if ef_range is None else f"{100 * ef_range[0]:.0f} to {100 * ef_range[1]:.0f}",
    )
