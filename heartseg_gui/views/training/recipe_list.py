"""The recipes: published systems first, then those of this program."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QWidget

from engine.errors import ModelError
from engine.learning.published import published_papers
from engine.recipe import list_recipes, read_recipe

_NAME = Qt.ItemDataRole.UserRole


class RecipeList(QListWidget):
    """One line for each recipe with whose it is below.

    Signals:
        recipe_wanted: The name of a recipe.
    """

    recipe_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Recipes")
        self.setWordWrap(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        for name, title, said in _entries():
            item = QListWidgetItem(f"{title}\n{said}")
            item.setData(_NAME, name)
            item.setToolTip(name)
            self.addItem(item)
        self.currentItemChanged.connect(self._tell)

    @property
    def names(self) -> list[str]:
        """The recipes in their order."""
        return [str(self.item(number).data(_NAME)) for number in range(self.count())]

    def choose(self, name: str) -> None:
        """Mark a recipe; none where it is a file of the reader's."""
        self.blockSignals(True)
        names = self.names
        self.setCurrentRow(names.index(name) if name in names else -1)
        self.blockSignals(False)

    def sizeHint(self) -> QSize:
        """Narrow."""
        return QSize(230, 300)

    def _tell(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self.recipe_wanted.emit(str(item.data(_NAME)))


def _entries() -> list[tuple[str, str, str]]:
    """Name, title and second line of each recipe, those of papers first."""
    papers, published, own = published_papers(), [], []
    for name in list_recipes():
        try:
            recipe = read_recipe(name)
        except ModelError:
            continue  # of another version of the program
        if recipe.paper in papers:
            published.append((name, recipe.title, papers[recipe.paper].cite))
        else:
            own.append((name, recipe.title, "HeartSeg"))
    return [*published, *own]
