"""Two readings of a study: prediction, readers, reference, in any pair."""

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from heartseg_gui.actions import Actions
from heartseg_gui.documents.at_rest import AtRest
from heartseg_gui.documents.comparison import Comparison
from heartseg_gui.documents.display_state import DisplayState
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.documents.view_state import ViewState
from heartseg_gui.views.review.comparison_picture import DIFFERENCE_COLOURS, ComparisonPicture
from heartseg_gui.views.review.comparison_table import DifferenceTable
from heartseg_gui.widgets.choice_box import choice_box

_RENEW_MS = 400
_ACROSS_LETTERS = 125  # from this width on the table stands beside the picture
_WALKING = ("slice_up", "slice_down", "phase_back", "phase_on")
_BLINDED = "The first reading is hidden until this second reading is approved."
_DIFFERENCE_COLUMN = 4


class ComparisonPage(QScrollArea):
    """Outlines together, a difference map, a table to walk through.

    Signals:
        renew_wanted: The page is seen, and what it shows is not known or not true any more.
        place_wanted: Phase and slice to look at; either may be None.
        place_chosen: Phase and slice to work on.
    """

    renew_wanted = Signal()
    place_wanted = Signal(object, object)
    place_chosen = Signal(object, object)

    def __init__(
        self,
        document: StudyDocument,
        view: ViewState,
        display: DisplayState,
        comparison: Comparison,
        actions: Actions,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._view, self._comparison = document, view, comparison
        self._first, self._second = choice_box("First reading"), choice_box("Second reading")
        self._swap = QPushButton("Swap")
        self._differences = QCheckBox("Difference map")
        self._note, self._legend = QLabel(), QLabel()
        self.picture = ComparisonPicture(document, view, display, comparison)
        self.totals = DifferenceTable("Totals of each phase")
        self.slices = DifferenceTable("Each slice", sorted_by=_DIFFERENCE_COLUMN)
        self._body = QSplitter(Qt.Orientation.Vertical)
        self._soon = AtRest(_RENEW_MS, self)
        self.picture.addActions([actions[name] for name in _WALKING])
        self._lay_out()
        self._connect()
        self._show_readings()
        self._show_result()

    def _connect(self) -> None:
        comparison = self._comparison
        comparison.readings_changed.connect(self._show_readings)
        comparison.choice_changed.connect(self._show_readings)
        comparison.result_changed.connect(self._show_result)
        self._soon.due.connect(self._ask_where_seen)
        for box in (self._first, self._second):
            box.activated.connect(self._tell_choice)
        self._swap.clicked.connect(self._tell_swapped)
        self._differences.toggled.connect(self.picture.show_differences)
        for table in (self.totals, self.slices):
            table.place_wanted.connect(self.place_wanted)
            table.place_chosen.connect(self.place_chosen)
        self.picture.opened.connect(self._tell_here)

    def showEvent(self, event: QShowEvent) -> None:
        """Compare as soon as somebody looks."""
        super().showEvent(event)
        if self._comparison.stale:
            self._soon.wish()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Picture and table side by side, or below each other where both would be too narrow."""
        super().resizeEvent(event)
        across = event.size().width() >= _ACROSS_LETTERS * self.fontMetrics().averageCharWidth()
        way = Qt.Orientation.Horizontal if across else Qt.Orientation.Vertical
        if way != self._body.orientation():
            self._body.setOrientation(way)
            self._body.setSizes([1000, 1150])  # far more than there is: shares

    def _show_readings(self) -> None:
        readings = self._comparison.readings
        for box, key in zip((self._first, self._second), self._comparison.choice, strict=True):
            with QSignalBlocker(box):
                box.clear()
                for reading in readings:
                    box.addItem(reading.name, reading.key)
                box.setCurrentIndex(next((n for n, r in enumerate(readings) if r.key == key), -1))
            box.setEnabled(bool(readings))
        self._note.setText(_BLINDED if self._comparison.blinded else "")
        self._note.setVisible(self._comparison.blinded)
        self._swap.setEnabled(bool(readings))
        self._show_legend()

    def _show_result(self) -> None:
        result = self._comparison.result
        names = {self._document.ed_phase: "ED", self._document.es_phase: "ES"}
        known = {phase: name for phase, name in names.items() if phase is not None}
        self.totals.show_rows(result.totals if result else (), known)
        self.slices.show_rows(result.slices if result else (), known)
        if self._comparison.stale:
            self._soon.wish()

    def _show_legend(self) -> None:
        first, second = self._comparison.first, self._comparison.second
        if first is None or second is None:
            self._legend.setText("Open a study with labels to compare them.")
            return
        signs = {code: _square(colour) for code, colour in DIFFERENCE_COLOURS.items()}
        self._legend.setText(
            f"<b>━</b> {first.name} &nbsp; <b>╌</b> {second.name}<br>"
            f"{signs[1]} only the first &nbsp; {signs[2]} only the second &nbsp; "
            f"{signs[3]} another structure"
        )

    def _lay_out(self) -> None:
        self._differences.setChecked(True)
        self._differences.setToolTip("Colour what only one of the two has")
        self._swap.setToolTip("The second first")
        self._note.setProperty("role", "badge")
        self._legend.setProperty("role", "caption")
        self._legend.setWordWrap(True)
        versus = QLabel("against")
        versus.setProperty("role", "caption")
        for widget in (self._first, self._second, self._swap, self._differences):
            widget.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addWidget(self._first, 1)
        row.addWidget(versus)
        row.addWidget(self._second, 1)
        row.addWidget(self._swap)
        self._body.setChildrenCollapsible(False)
        self._body.addWidget(self._left())
        self._body.addWidget(self._right())
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(14, 12, 14, 12)
        layout.setSpacing(8)
        layout.addLayout(row)
        layout.addWidget(self._note, alignment=Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self._body, stretch=1)
        self.setWidget(page)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)

    def _left(self) -> QWidget:
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.picture, stretch=1)
        column.addWidget(self._legend)
        column.addWidget(self._differences)
        return left

    def _right(self) -> QWidget:
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(4, 0, 0, 0)
        column.setSpacing(5)
        for table, stretch in ((self.totals, 2), (self.slices, 5)):
            column.addWidget(table, stretch)
        return right

    def _ask_where_seen(self) -> None:
        if self.isVisible() and self._comparison.stale:
            self.renew_wanted.emit()

    def _tell_choice(self) -> None:
        self._comparison.choose(str(self._first.currentData()), str(self._second.currentData()))

    def _tell_swapped(self) -> None:
        first, second = self._comparison.choice
        self._comparison.choose(second, first)

    def _tell_here(self) -> None:
        self.place_chosen.emit(self._view.phase, self._view.slice_index)


def _square(colour: tuple[int, int, int]) -> str:
    red, green, blue = colour
    return f'<span style="color: rgb({red},{green},{blue})">■</span>'
