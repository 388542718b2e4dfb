"""All models with their cards: what they learned from, how well they do, under which terms."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QItemSelectionModel, Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QListView,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from heartseg_gui.documents.model_choice import ModelChoice
from heartseg_gui.views.models.card_view import CardView
from heartseg_gui.views.models.model_rows import ModelRowPainter, ModelRows, breakable

if TYPE_CHECKING:
    from engine.learning.survey import ListedModel

_SIZE = (980, 660)  # where the screen has room
_LIST_WIDTH = (190, 340)  # least and most


class ModelDialog(QDialog):
    """A list of models beside the card of the one that is looked at.

    Signals:
        model_chosen: The key of the model to predict with.
        look_again_wanted: The reader has put a model into the folder.
        folder_wanted: The reader wants to see the folder of their own models.
    """

    model_chosen = Signal(str)
    look_again_wanted = Signal()
    folder_wanted = Signal()

    def __init__(self, choice: ModelChoice, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._choice = choice
        self._shown = choice.chosen
        self._rows = ModelRows(all_choosable=True)
        self._list = QListView()
        self._title, self._facts = QLabel(), QLabel()
        self._terms = QLabel("Not for commercial use")
        self._fault, self._fault_frame = QLabel(), QFrame()
        self._card = CardView()
        self._use = QPushButton("Use this model")
        self._again = QPushButton("Look again")
        self._folder = QPushButton("Open my models")
        self._lay_out()
        self._list.setModel(self._rows)
        self._list.selectionModel().currentChanged.connect(self._show_current)
        self._list.doubleClicked.connect(self._tell_choice)
        self._use.clicked.connect(self._tell_choice)
        self._again.clicked.connect(self.look_again_wanted)
        self._folder.clicked.connect(self.folder_wanted)
        choice.models_changed.connect(self._show_models)
        choice.choice_changed.connect(self._show_current)
        self._show_models()

    @property
    def current(self) -> "ListedModel | None":
        """The model whose card is shown."""
        row = self._list.currentIndex().row()
        return self._choice.models[row] if 0 <= row < len(self._choice.models) else None

    def show_model(self, row: int) -> None:
        """Show the card of a model by its place in the list."""
        select = QItemSelectionModel.SelectionFlag.ClearAndSelect
        self._list.selectionModel().setCurrentIndex(self._rows.index(row, 0), select)

    def _lay_out(self) -> None:
        self.setWindowTitle("Models")
        room = self.screen().availableSize()
        self.resize(min(_SIZE[0], room.width() - 40), min(_SIZE[1], room.height() - 60))
        self._list.setItemDelegate(ModelRowPainter(self._list))
        self._list.setAccessibleName("Models")
        self._list.setMinimumWidth(_LIST_WIDTH[0])
        self._list.setMaximumWidth(_LIST_WIDTH[1])
        self._list.setResizeMode(QListView.ResizeMode.Adjust)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._title.setProperty("role", "heading")
        self._terms.setProperty("role", "badge")
        self._facts.setProperty("role", "caption")
        for label in (self._title, self._facts, self._fault):
            label.setWordWrap(True)
        self._fault_frame.setProperty("role", "warning")
        QVBoxLayout(self._fault_frame).addWidget(self._fault)
        self._again.setToolTip("Look into the folder of your own models again")
        self._folder.setToolTip("Show the folder for models of your own")
        card = QVBoxLayout()
        card.setSpacing(8)
        for widget in (self._title, self._facts):
            card.addWidget(widget)
        card.addWidget(self._terms, alignment=Qt.AlignmentFlag.AlignLeft)
        card.addWidget(self._fault_frame)
        card.addWidget(self._card, stretch=1)
        both = QHBoxLayout()
        both.setSpacing(14)
        both.addWidget(self._list, stretch=4)
        both.addLayout(card, stretch=7)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 14)
        layout.setSpacing(12)
        layout.addLayout(both, stretch=1)
        layout.addWidget(self._make_buttons())

    def _make_buttons(self) -> QDialogButtonBox:
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        role = QDialogButtonBox.ButtonRole
        buttons.addButton(self._use, role.ActionRole)
        buttons.addButton(self._again, role.ResetRole)
        buttons.addButton(self._folder, role.ResetRole)
        for button in (self._use, self._again, self._folder):
            button.setAutoDefault(False)  # Enter in the list must not look again
        buttons.rejected.connect(self.reject)
        return buttons

    def _show_models(self) -> None:
        """Show the list anew; the model that was looked at stays so, or else the chosen one is."""
        keys, shown = [model.key for model in self._choice.models], self._shown
        self._rows.show_models(self._choice.models)
        self.show_model(keys.index(shown) if shown in keys else max(self._choice.index, 0))
        self._show_current()

    def _show_current(self) -> None:
        model = self.current
        chosen = model is not None and model is self._choice.current
        self._shown = model.key if model else self._choice.chosen
        self._use.setText("In use" if chosen else "Use this model")
        self._use.setEnabled(model is not None and model.usable and not chosen)
        self._title.setText(model.title if model else "No models were found.")
        self._terms.setVisible(model is not None and model.noncommercial)
        self._fault_frame.setVisible(model is not None and not model.usable)
        if model is None:
            self._facts.clear()
            self._card.show_card("")
            return
        lines = [f"Licence of the weights: {model.licence}", f"Finds: {model.task}"]
        if model.headline:
            lines.append(f"Unseen patients: {model.headline} (EF error in points, bias ± SD)")
        lines.append(f"Lies in {model.path}")
        self._facts.setText(breakable("\n".join(lines)))
        if model.fault is not None:
            self._fault.setText(breakable(f"{model.fault.what}\n{model.fault.hint}"))
        self._card.show_card(model.card)

    def _tell_choice(self) -> None:
        model = self.current
        if model is not None and model.usable:
            self.model_chosen.emit(model.key)
