"""How readers, models and corrections agree, over many studies."""

from PySide6.QtCore import QEvent, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QGridLayout,
    QLabel,
    QScrollArea,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from heartseg_gui.documents.agreement import AgreementState
from heartseg_gui.theme import DARK, colours_of
from heartseg_gui.views.agreement.marks import group_colour
from heartseg_gui.views.agreement.notes import note_lines
from heartseg_gui.views.agreement.plots import CorrelationPlot, DifferencePlot
from heartseg_gui.views.agreement.source_bar import SourceBar
from heartseg_gui.views.agreement.statistics_table import StatisticsTable
from heartseg_gui.widgets.choice_box import choice_box

_ACROSS_LETTERS = 96  # from this width on the plots stand side by side
_SIGNS = ("●", "■", "▲", "◆", "▼")


class AgreementPage(QScrollArea):
    """Correlation, Bland-Altman, and the numbers of all patients and of each group.

    Signals:
        study_wanted: Open the study of this name.
    """

    study_wanted = Signal(str)

    def __init__(self, state: AgreementState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._first, self._second = _box("Reading"), _box("Reference")
        self._quantity, self._limits = _box("Quantity"), _box("Limits of agreement")
        self.sources, self._choices = SourceBar(), QWidget()
        self._note, self._legend = QLabel(), QLabel()
        self.correlation, self.differences = CorrelationPlot(), DifferencePlot()
        self.table = StatisticsTable()
        self._plots = QSplitter(Qt.Orientation.Horizontal)
        self._lay_out()
        self._connect()
        self._show_conventions()
        self._show_readings()
        self._show_result()

    def changeEvent(self, event: QEvent) -> None:
        """Draw the legend in the colours of another theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._show_legend()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Plots side by side, or below each other where both would be too narrow."""
        super().resizeEvent(event)
        across = event.size().width() >= _ACROSS_LETTERS * self.fontMetrics().averageCharWidth()
        way = Qt.Orientation.Horizontal if across else Qt.Orientation.Vertical
        if way != self._plots.orientation():
            self._plots.setOrientation(way)
            self._plots.setSizes([1000, 1350])  # far more than there is: shares

    def _connect(self) -> None:
        state = self._state
        state.readings_changed.connect(self._show_readings)
        state.choice_changed.connect(self._show_choice)
        state.result_changed.connect(self._show_result)
        state.mark_changed.connect(self._show_mark)
        state.conventions_changed.connect(self._show_conventions)
        for box in (self._first, self._second, self._quantity, self._limits):
            box.activated.connect(self._tell_choice)
        for plot in (self.correlation, self.differences):
            plot.marked.connect(state.set_mark)
            plot.chosen.connect(self.study_wanted)
        self.table.group_wanted.connect(self._tell_group)

    def _show_readings(self) -> None:
        readings = self._state.readings
        names = () if readings is None else readings.readings
        keys = () if readings is None else readings.quantities
        for box in (self._first, self._second):
            _fill(box, [(name, name) for name in names])
        if keys:
            from engine.scoring.quantities import quantity_of

            titles = [(quantity_of(key), key) for key in keys]
            _fill(self._quantity, [(_titled(each.title, each.unit), key) for each, key in titles])
        else:
            _fill(self._quantity, [])
        self._choices.setVisible(len(names) > 1)
        self.sources.show_count(len(names))
        self._show_choice()

    def _show_conventions(self) -> None:
        self.sources.conventions.show_conventions(self._state.conventions)

    def _show_choice(self) -> None:
        choice = self._state.choice
        for box, value in (
            (self._first, choice.first),
            (self._second, choice.second),
            (self._quantity, choice.quantity),
            (self._limits, choice.limits_factor),
        ):
            with QSignalBlocker(box):
                box.setCurrentIndex(box.findData(value))

    def _show_result(self) -> None:
        result, groups = self._state.result, self._state.groups
        pairs, unit = result.shown_pairs, ""
        if pairs is not None:
            from engine.scoring.quantities import quantity_of

            unit = quantity_of(pairs.quantity).unit
        for plot in (self.correlation, self.differences):
            plot.show_pairs(pairs, result.shown_summary, groups, unit)
        self.table.show_summaries(result.summaries, result.choice.group)
        self.table.updateGeometry()
        has_points = pairs is not None and bool(pairs.points)
        self._plots.setVisible(has_points)
        self.table.setVisible(has_points)
        self._show_legend()
        self._show_note(has_points)

    def _show_note(self, has_points: bool) -> None:
        lines = note_lines(self._state, has_points=has_points)
        self._note.setText("<br>".join(lines))
        self._note.setVisible(bool(lines))

    def _show_legend(self) -> None:
        dark = colours_of(self.palette()) is DARK
        groups = self._state.groups
        signs = [
            f'<span style="color: {group_colour(number, dark=dark).name()}">'
            f"{_SIGNS[number % len(_SIGNS)]}</span> {group}"
            for number, group in enumerate(groups)
        ]
        self._legend.setText(" &nbsp; ".join(signs))
        self._legend.setVisible(bool(signs) and not self._plots.isHidden())

    def _show_mark(self) -> None:
        for plot in (self.correlation, self.differences):
            plot.show_mark(self._state.mark)

    def _tell_choice(self) -> None:
        self._state.choose(
            first=self._first.currentData(),
            second=self._second.currentData(),
            quantity=self._quantity.currentData(),
            limits_factor=self._limits.currentData(),
        )

    def _tell_group(self, group: str) -> None:
        self._state.choose(group=group)

    def _lay_out(self) -> None:
        for text, factor in (("± 1.96 SD", 1.96), ("± 2 SD", 2.0)):
            self._limits.addItem(text, factor)
        self._note.setWordWrap(True)
        self._note.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._plots.setChildrenCollapsible(False)
        for plot in (self.correlation, self.differences):
            self._plots.addWidget(plot)
        self._plots.setSizes([1000, 1350])
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(14, 12, 14, 12)
        layout.setSpacing(8)
        layout.addWidget(self.sources)
        self._lay_out_choices()
        layout.addWidget(self._choices)
        layout.addWidget(self._note)
        layout.addWidget(self._plots, stretch=5)
        layout.addWidget(self._legend)
        layout.addWidget(self.table, stretch=1)
        layout.addStretch()
        self.setWidget(page)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)

    def _lay_out_choices(self) -> None:
        against = QLabel("against")
        against.setProperty("role", "caption")
        grid = QGridLayout(self._choices)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(8)
        grid.addWidget(self._quantity, 0, 0, 1, 2)
        grid.addWidget(self._limits, 0, 2)
        grid.addWidget(self._first, 1, 0)
        grid.addWidget(against, 1, 1)
        grid.addWidget(self._second, 1, 2)
        for column in (0, 2):
            grid.setColumnStretch(column, 1)


def _box(name: str) -> QComboBox:
    box = choice_box(name)
    box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return box


def _fill(box: QComboBox, items: list[tuple[str, str]]) -> None:
    with QSignalBlocker(box):
        box.clear()
        for text, key in items:
            box.addItem(text, key)


def _titled(title: str, unit: str) -> str:
    return f"{title} [{unit}]" if unit else title
