"""Planning a training: recipes with their papers, the form, and what it would be."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSplitter, QVBoxLayout, QWidget

from heartseg_gui.documents.training_plan import TrainingPlan
from heartseg_gui.settings import Settings
from heartseg_gui.views.training.outlook_panel import OutlookPanel
from heartseg_gui.views.training.paper_table import PaperTable
from heartseg_gui.views.training.recipe_form import RecipeForm
from heartseg_gui.views.training.recipe_list import RecipeList


class PlanPanel(QWidget):
    """Three columns: recipes and paper, form, data and outlook."""

    def __init__(
        self, plan: TrainingPlan, settings: Settings, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._plan = plan
        self.recipes, self.paper = RecipeList(), PaperTable()
        self.form = RecipeForm(plan)
        self.outlook = OutlookPanel(plan, settings)
        left = QSplitter(Qt.Orientation.Vertical)
        left.addWidget(_titled("Recipe", self.recipes))
        left.addWidget(self.paper)
        left.setSizes([430, 330])
        columns = QSplitter(Qt.Orientation.Horizontal)
        for widget, share in ((left, 3), (self.form, 4), (self.outlook, 3)):
            columns.addWidget(widget)
            columns.setStretchFactor(columns.count() - 1, share)
        columns.setSizes([270, 450, 340])
        columns.setChildrenCollapsible(False)
        columns.setHandleWidth(14)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(columns)
        plan.recipe_changed.connect(self._show_recipe)
        self._show_recipe()

    def _show_recipe(self) -> None:
        self.recipes.choose(self._plan.source)
        self.paper.setVisible(bool(self._plan.source))
        if self._plan.source:
            self.paper.show_recipe(self._plan.recipe)


def _titled(title: str, widget: QWidget) -> QWidget:
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 0, 0, 0)
    heading = QLabel(title)
    heading.setProperty("role", "heading")
    column.addWidget(heading)
    column.addWidget(widget, stretch=1)
    return holder
