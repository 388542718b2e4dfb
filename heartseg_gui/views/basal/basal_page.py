"""The basal workbench: ED and ES side by side, the long axis, and both published criteria."""

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtGui import QColor, QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from engine.clinical.basal import BasalRule
from engine.clinical.basal_overview import BasalSlice, RuleResult
from engine.clinical.crossing import crossing_line
from engine.clinical.volumes import VentricleFunction
from heartseg_gui.documents.basal_state import BasalState
from heartseg_gui.documents.display_state import DisplayState
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.documents.view_state import ViewState
from heartseg_gui.views.basal.basal_card import BasalCard
from heartseg_gui.views.basal.rules_table import RULE_NAMES, RulesTable, texts_of
from heartseg_gui.views.basal.slice_picture import LineInVoxels, SlicePicture

_CARDS = 2  # at each phase; one more can be brought into view
_ED_COLOUR, _ES_COLOUR = QColor(90, 200, 250), QColor(255, 170, 60)


class BasalPage(QScrollArea):
    """Shows `BasalState`; a click goes to a slice, its box decides whether it counts.

    Signals:
        place_wanted: Show this slice, (phase, slice).
        toggle_wanted: Leave this slice out, or count it in, (phase, slice).
        rule_wanted: Follow another basal rule, a value of `BasalRule`.
    """

    place_wanted = Signal(int, int)
    toggle_wanted = Signal(int, int)
    rule_wanted = Signal(str)

    def __init__(
        self,
        document: StudyDocument,
        view: ViewState,
        display: DisplayState,
        state: BasalState,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._view, self._state = document, view, state
        self.rule = QComboBox()
        self.cards = tuple(tuple(BasalCard(display) for _ in range(_CARDS)) for _ in range(2))
        self.long_axis, self.axis_choice = SlicePicture(display), QComboBox()
        self.further = QCheckBox("One slice further to the apex")
        self._now, self._note, self._axis_note = QLabel(), QLabel(), QLabel()
        self._headings = (QLabel(), QLabel())
        self.rules = RulesTable()
        self._lay_out()
        for rule in BasalRule:
            self.rule.addItem(RULE_NAMES[rule], str(rule))
        self.rule.setAccessibleName("Basal rule")
        self.rule.setToolTip("Which slices at the base belong to the left ventricle")
        self.further.setToolTip("Show the next slices towards the apex")
        self.axis_choice.setToolTip("Which long-axis view is shown")
        self.rule.activated.connect(self._tell_rule)
        self.axis_choice.activated.connect(self._show_long_axis)
        self.further.toggled.connect(self._refresh)
        for column in self.cards:
            for card in column:
                card.chosen.connect(self.place_wanted)
                card.toggled.connect(self.toggle_wanted)
        state.changed.connect(self._refresh)
        document.stack_changed.connect(self._take_views)
        for fact in (view.slice_changed, view.phase_changed, display.window_changed):
            fact.connect(self._refresh)
        self._take_views()

    def showEvent(self, event: QShowEvent) -> None:
        """Catch up with what changed while nobody looked."""
        super().showEvent(event)
        self._show_state()

    def _refresh(self) -> None:
        if self.isVisible():
            self._show_state()

    def _show_state(self) -> None:
        overview, volumes = self._state.overview, self._state.volumes
        now = VentricleFunction(None, None) if volumes is None else volumes.lv
        conventions = self._state.rules.conventions
        with QSignalBlocker(self.rule):
            self.rule.setCurrentIndex(self.rule.findData(str(conventions.basal)))
        ed, es = (None, None) if volumes is None else (volumes.choice.ed, volumes.choice.es)
        for heading, name, phase in zip(
            self._headings, ("End diastole", "End systole"), (ed, es), strict=True
        ):
            heading.setText(name if phase is None else f"{name}, phase {phase + 1}")
        self._now.setText(_say_now(now, conventions.ef_digits))
        self._note.setVisible(volumes is None)
        for cards, slices in zip(self.cards, (overview.ed, overview.es), strict=True):
            shown = slices[1:] if self.further.isChecked() else slices
            for card, each in zip(cards, [*shown, *[None] * _CARDS], strict=False):
                self._show_card(card, each, now)
        self.rules.show_rules(overview.rules, conventions)
        self._show_long_axis()

    def _show_card(self, card: BasalCard, each: BasalSlice | None, now: VentricleFunction) -> None:
        card.setVisible(each is not None)
        if each is None:
            return
        phase, z = each.base.phase, each.base.slice_index
        card.show_slice(each, now, ef_digits=self._state.rules.conventions.ef_digits)
        here = (self._view.phase, self._view.slice_index) == (phase, z)
        card.picture.show_slice(
            self._document.cine,
            self._document.labels,
            phase,
            z,
            pale=not each.counted,
            marked=here,
        )

    def _take_views(self) -> None:
        views = self._state.long_axes
        self.axis_choice.clear()
        for number, view in enumerate(views):
            self.axis_choice.addItem(view.cine.name or f"View {number + 1}")
        self.axis_choice.setVisible(len(views) > 1)
        self._refresh()

    def _show_long_axis(self) -> None:
        """The view at end diastole, or at end systole if the reader looks at that."""
        views, stack, volumes = self._state.long_axes, self._document.stack, self._state.volumes
        at = self.axis_choice.currentIndex()
        there = stack is not None and volumes is not None and 0 <= at < len(views)
        self.long_axis.setVisible(there)
        self._axis_note.setText("" if there else "No long-axis view in this study.")
        if not there or stack is None or volumes is None:
            return
        choice, cine = volumes.choice, views[at].cine
        in_systole = choice.es is not None and self._view.phase == choice.es
        phase = choice.es if in_systole or choice.ed is None else choice.ed
        overview = self._state.overview
        slices, colour = (overview.es, _ES_COLOUR) if in_systole else (overview.ed, _ED_COLOUR)
        same_time = round((phase or 0) / stack.cine.phase_count * cine.phase_count)
        shown = min(same_time, cine.phase_count - 1)
        self.long_axis.show_slice(cine, None, shown, 0)
        lines: list[LineInVoxels] = []
        for each in slices:
            z = each.base.slice_index
            line = crossing_line(stack.cine.geometry, z, cine.geometry)
            lines += [] if line is None else [(*line, colour, str(z + 1))]
        self.long_axis.show_lines(lines)
        name = "End systole" if in_systole else "End diastole"
        self._axis_note.setText(f"{name}, phase {shown + 1} of this view")

    def _tell_rule(self) -> None:
        self.rule_wanted.emit(str(self.rule.currentData()))

    def _lay_out(self) -> None:
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(18, 14, 18, 14)
        layout.setSpacing(10)
        head = QHBoxLayout()
        title = QLabel("Base of the left ventricle")
        title.setProperty("role", "heading")
        head.addWidget(title)
        head.addStretch(1)
        head.addWidget(self.further)
        head.addSpacing(16)
        head.addWidget(QLabel("Basal slices count by"))
        head.addWidget(self.rule)
        layout.addLayout(head)
        self._now.setProperty("role", "figure")
        self._note.setText("Nothing can be measured yet. Predict or draw the left ventricle.")
        for label in (self._now, self._note):
            layout.addWidget(label)
        layout.addWidget(self.rules)
        columns = QHBoxLayout()
        columns.setSpacing(10)
        for heading, cards in zip(self._headings, self.cards, strict=True):
            columns.addLayout(self._column(heading, cards), stretch=1)
        columns.addLayout(self._long_axis_column(), stretch=1)
        layout.addLayout(columns, stretch=1)
        self.setWidget(page)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setAccessibleName("Base of the left ventricle")

    def _column(self, heading: QLabel, cards: tuple[BasalCard, ...]) -> QVBoxLayout:
        column = QVBoxLayout()
        heading.setProperty("role", "heading")
        column.addWidget(heading)
        for card in cards:
            column.addWidget(card, stretch=1)
        column.addStretch(0)
        return column

    def _long_axis_column(self) -> QVBoxLayout:
        column = QVBoxLayout()
        heading = QLabel("Long axis")
        heading.setProperty("role", "heading")
        self.axis_choice.setAccessibleName("Long-axis view")
        self._axis_note.setProperty("role", "caption")
        self._axis_note.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        for widget in (heading, self.axis_choice):
            column.addWidget(widget)
        column.addWidget(self.long_axis, stretch=1)
        column.addWidget(self._axis_note)
        column.addStretch(0)  # takes the room where there is no picture
        return column


def _say_now(now: VentricleFunction, digits: int) -> str:
    edv, esv, ef, *_ = texts_of(RuleResult(BasalRule.READER, now, None, 0, 0), digits)
    return f"EDV {edv}   ESV {esv}   EF {ef}"
