"""The page of the learning loop: begin or open one, see where it stands, decide, read on."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QScrollArea,
    QSplitter,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from heartseg_gui.documents.learning_loop import LoopState
from heartseg_gui.documents.model_choice import ModelChoice
from heartseg_gui.documents.reading_list import ReadingList
from heartseg_gui.views.looping.begin_form import BeginForm
from heartseg_gui.views.looping.loop_header import LoopHeader
from heartseg_gui.views.looping.read_next import ReadNextPanel
from heartseg_gui.views.looping.rounds_plot import RoundsPlot
from heartseg_gui.views.looping.rounds_table import RoundsTable
from heartseg_gui.views.looping.rules_form import RulesForm
from heartseg_gui.views.looping.verdict_view import VerdictView

_ACROSS_LETTERS = 190  # from this width on the rounds and the verdict stand side by side


class LoopPage(QScrollArea):
    """Holds its parts, whose wishes are heard by `heartseg_gui.introductions.looping`.

    Attributes:
        form: Shown while no loop is open.
        header: Where the loop stands, and what can be done.
        rounds: All rounds.
        verdict: The one that is looked at, in full.
        plot: Measures over the rounds.
        rules: The settings of the loop.
        next: What to read next.
    """

    def __init__(
        self,
        state: LoopState,
        reading: ReadingList,
        choice: ModelChoice,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._state = state
        self.form, self.header = BeginForm(state, choice), LoopHeader(state)
        self.rounds, self.verdict = RoundsTable(state), VerdictView(state)
        self.plot, self.rules = RoundsPlot(state), RulesForm(state)
        self.next = ReadNextPanel(reading)
        self.tabs, self._rounds_page = QTabWidget(), QWidget()
        self._split = QSplitter(Qt.Orientation.Horizontal)
        self._lay_out()
        state.standing_changed.connect(self._show_standing)
        for wish in (self.rounds.round_wanted, self.plot.round_wanted):
            wish.connect(state.choose_round)
        self._show_standing()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Rounds and verdict side by side, or below each other where both would be too narrow."""
        super().resizeEvent(event)
        across = event.size().width() >= _ACROSS_LETTERS * self.fontMetrics().averageCharWidth()
        way = Qt.Orientation.Horizontal if across else Qt.Orientation.Vertical
        if way != self._split.orientation():
            self._split.setOrientation(way)
            self._split.setSizes([1000, 1000 if across else 3000])

    def _lay_out(self) -> None:
        self._lay_out_rounds()
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setFocusPolicy(Qt.FocusPolicy.TabFocus)
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(14, 12, 14, 12)
        layout.setSpacing(10)
        layout.addWidget(self.form)
        layout.addWidget(self.header)
        layout.addWidget(self.tabs, stretch=1)
        self.setWidget(page)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)

    def _lay_out_rounds(self) -> None:
        self._split.setChildrenCollapsible(False)
        self._split.addWidget(self.rounds)
        self._split.addWidget(self.verdict)
        self._split.setSizes([1000, 1000])  # far more than there is: shares
        layout = QVBoxLayout(self._rounds_page)
        layout.setContentsMargins(0, 10, 0, 0)
        layout.setSpacing(12)
        layout.addWidget(self._split, stretch=3)
        layout.addWidget(self.plot, stretch=2)

    def _show_standing(self) -> None:
        """Rounds and rules of a loop; what to read next needs none."""
        there = self._state.standing is not None
        self.rounds.setVisible(self._state.shown_round is not None)
        wanted: list[tuple[str, QWidget]] = [("What to read next", self.next)]
        if there:
            wanted = [("Rounds", self._rounds_page), ("Rules", self.rules), *wanted]
        if self.tabs.count() != len(wanted):
            current = self.tabs.currentWidget()
            self.tabs.clear()
            for title, widget in wanted:
                self.tabs.addTab(widget, title)
            if current is self.rules and there:
                self.tabs.setCurrentWidget(self.rules)
        self.form.setVisible(not there)
        self.header.setVisible(there)
