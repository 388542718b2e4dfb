"""Trainings: the list of them, the plan of a new one, and how one goes."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QStackedWidget, QWidget

from heartseg_gui.documents.training_plan import TrainingPlan
from heartseg_gui.documents.training_runs import TrainingRuns
from heartseg_gui.settings import Settings
from heartseg_gui.views.training.live_panel import LivePanel
from heartseg_gui.views.training.plan_panel import PlanPanel
from heartseg_gui.views.training.run_list import RunList


class TrainingPage(QWidget):
    """A list on the left; beside it the plan, or the run that is chosen there.

    Its parts emit the wishes: `runs`, `plan.recipes`, `plan.form`, `plan.outlook`, `live`.
    """

    def __init__(
        self,
        plan: TrainingPlan,
        runs: TrainingRuns,
        settings: Settings,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._state = runs
        self.runs = RunList(runs)
        self.plan, self.live = PlanPanel(plan, settings), LivePanel(runs, settings)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.plan)
        self._stack.addWidget(self.live)
        parts = QSplitter(Qt.Orientation.Horizontal)
        parts.addWidget(self.runs)
        parts.addWidget(self._stack)
        parts.setStretchFactor(1, 1)
        parts.setSizes([215, 1000])
        parts.setChildrenCollapsible(False)
        parts.setHandleWidth(14)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(14, 12, 14, 12)
        layout.addWidget(parts)
        self.setFocusProxy(self.runs)
        runs.chosen_changed.connect(self.show_state)
        self.show_state()

    def show_state(self) -> None:
        """Show the plan, or the chosen run."""
        chosen = self._state.chosen
        self._stack.setCurrentWidget(self.plan if chosen is None else self.live)
