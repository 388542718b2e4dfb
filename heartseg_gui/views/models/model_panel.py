"""Which model predicts, what it is good for, and the button."""

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QListView,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from heartseg_gui.documents.model_choice import ModelChoice
from heartseg_gui.views.models.model_rows import ModelRowPainter, ModelRows, breakable


class ModelBox(QComboBox):
    """The models, each with its licence and scores when the box is open.

    Signals:
        opening: The list is about to be shown.
    """

    opening = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.rows = ModelRows()
        self.setModel(self.rows)
        self.setView(QListView())
        self.setItemDelegate(ModelRowPainter(self))
        self.setToolTip("The model that predicts")
        self.setAccessibleName("Model")
        self.setMinimumContentsLength(8)
        self.setPlaceholderText("Not there any more")

    def showPopup(self) -> None:  # noqa: N802  (Qt's name)
        """Open the list, as wide as its lines."""
        self.opening.emit()
        self.view().setMinimumWidth(self.view().sizeHintForColumn(0) + 12)
        super().showPopup()

    def reopen(self) -> None:
        """Fit the open list to rows that have changed; a closed one stays closed."""
        if self.view().isVisible():
            self.hidePopup()
            super().showPopup()


class ModelPanel(QWidget):
    """A choice of models and the wish to predict.

    Signals:
        model_chosen: The key of the model to predict with.
        look_up_wanted: The list is about to be shown; is it still right?
        card_wanted: The reader wants to read the cards.
    """

    model_chosen = Signal(str)
    look_up_wanted = Signal()
    card_wanted = Signal()

    def __init__(
        self, choice: ModelChoice, predict: QAction, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._choice = choice
        self._predict_action = predict
        self._box = ModelBox()
        self._terms = QLabel("Not for commercial use")
        self._terms.setProperty("role", "badge")
        self._licence, self._scores = _caption(), _caption()
        self._fault = QLabel()
        self._fault_frame = _warning_frame(self._fault)
        self._card = QPushButton("Card")
        self._card.setToolTip("Data, scores and limits of the models")
        self._predict = QPushButton("Predict ED and ES")
        self._predict.setProperty("primary", "true")
        self._predict.setToolTip(predict.toolTip())
        self._lay_out()
        self._box.activated.connect(self._tell_choice)
        self._box.opening.connect(self.look_up_wanted)
        self._card.clicked.connect(self.card_wanted)
        self._predict.clicked.connect(predict.trigger)
        predict.enabledChanged.connect(self._show_enabled)
        choice.models_changed.connect(self._show_models)
        choice.choice_changed.connect(self._show_choice)
        self._show_enabled()
        self._show_models()

    def _lay_out(self) -> None:
        heading = QLabel("Model")
        heading.setProperty("role", "heading")
        row = QHBoxLayout()
        row.addWidget(self._box, stretch=1)
        row.addWidget(self._card)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(heading)
        layout.addLayout(row)
        layout.addWidget(self._fault_frame)
        layout.addWidget(self._licence)
        layout.addWidget(self._terms, alignment=Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self._scores)
        layout.addWidget(self._predict)
        for widget in (self._box, self._card, self._predict):
            widget.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def _show_models(self) -> None:
        with QSignalBlocker(self._box):
            self._box.rows.show_models(self._choice.models)
        self._show_choice()
        self._box.reopen()

    def _show_choice(self) -> None:
        choice, model = self._choice, self._choice.current
        with QSignalBlocker(self._box):
            self._box.setCurrentIndex(choice.index)
        for widget in (self._box, self._card):
            widget.setVisible(bool(choice.models))
        usable = model is not None and model.usable
        self._licence.setText(f"Weights: {model.licence}" if model else "")
        self._scores.setText(_scores_text(model.headline) if model else "")
        self._licence.setVisible(usable)
        self._scores.setVisible(usable and bool(model and model.headline))
        self._terms.setVisible(usable and bool(model and model.noncommercial))
        self._show_fault()

    def _show_fault(self) -> None:
        choice, model = self._choice, self._choice.current
        why = ""
        if model is not None and model.fault is not None:
            why = f"{model.fault.what} {model.fault.hint}"
        elif model is None and choice.models:
            why = f"The chosen model, {choice.chosen}, is not there any more. Choose another one."
        self._fault.setText(breakable(why))
        self._fault_frame.setVisible(bool(why))

    def _show_enabled(self) -> None:
        self._predict.setEnabled(self._predict_action.isEnabled())

    def _tell_choice(self, index: int) -> None:
        self.model_chosen.emit(self._choice.models[index].key)


def _caption() -> QLabel:
    label = QLabel()
    label.setProperty("role", "caption")
    label.setWordWrap(True)
    return label


def _warning_frame(label: QLabel) -> QFrame:
    frame = QFrame()
    frame.setProperty("role", "warning")
    label.setWordWrap(True)
    layout = QVBoxLayout(frame)
    layout.setContentsMargins(8, 6, 8, 6)
    layout.addWidget(label)
    return frame


def _scores_text(headline: str) -> str:
    return f"Unseen patients: {headline}"
