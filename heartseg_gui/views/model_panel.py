"""Which model predicts, what it is good for, and the button."""

from typing import Protocol

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)


class ModelFacts(Protocol):
    """What the panel shows of a model."""

    @property
    def name(self) -> str:
        """What settings and reports call it."""

    @property
    def title(self) -> str:
        """What menus call it."""

    @property
    def licence(self) -> str:
        """Terms of the weights."""

    @property
    def card(self) -> str:
        """The model card, Markdown."""


class ModelPanel(QWidget):
    """A choice of models and the wish to predict.

    Signals:
        model_chosen: The name of the model to predict with.
    """

    model_chosen = Signal(str)

    def __init__(self, predict: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._models: list[ModelFacts] = []
        self._predict_action = predict
        self._choice = QComboBox()
        self._choice.setToolTip("The model that predicts")
        self._choice.setAccessibleName("Model")
        self._licence = QLabel()
        self._licence.setProperty("role", "caption")
        self._licence.setWordWrap(True)
        self._card = QPushButton("Card")
        self._card.setToolTip("Data, scores and limits of the model")
        self._predict = QPushButton("Predict ED and ES")
        self._predict.setProperty("primary", "true")
        self._predict.setToolTip(predict.toolTip())
        self._lay_out()
        self._choice.currentIndexChanged.connect(self._tell_choice)
        self._card.clicked.connect(self._show_card)
        self._predict.clicked.connect(predict.trigger)
        predict.enabledChanged.connect(self._show_enabled)
        self._show_enabled()
        self.show_models([], "")

    def show_models(self, models: list[ModelFacts], chosen: str) -> None:
        """Show the models there are, the chosen one selected."""
        self._models = models
        names = [model.name for model in models]
        with QSignalBlocker(self._choice):
            self._choice.clear()
            self._choice.addItems([model.title for model in models])
            if chosen in names:
                self._choice.setCurrentIndex(names.index(chosen))
        self._show_model()

    def _lay_out(self) -> None:
        heading = QLabel("Model")
        heading.setProperty("role", "heading")
        row = QHBoxLayout()
        row.addWidget(self._choice, stretch=1)
        row.addWidget(self._card)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(heading)
        layout.addLayout(row)
        layout.addWidget(self._licence)
        layout.addWidget(self._predict)
        self._choice.setMinimumContentsLength(8)
        for widget in (self._choice, self._card, self._predict):
            widget.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def _current(self) -> ModelFacts | None:
        index = self._choice.currentIndex()
        return self._models[index] if 0 <= index < len(self._models) else None

    def _show_model(self) -> None:
        model = self._current()
        self._choice.setVisible(model is not None)
        self._card.setVisible(model is not None)
        self._licence.setText("" if model is None else f"Weights: {model.licence}")
        self._licence.setVisible(model is not None)

    def _show_enabled(self) -> None:
        self._predict.setEnabled(self._predict_action.isEnabled())

    def _tell_choice(self) -> None:
        model = self._current()
        self._show_model()
        if model is not None:
            self.model_chosen.emit(model.name)

    def _show_card(self) -> None:
        model = self._current()
        if model is None:
            return
        dialog = QDialog(self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle(model.title)
        dialog.resize(620, 560)
        text = QTextBrowser()
        text.setMarkdown(model.card or "This model came without a card.")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(dialog.reject)
        layout = QVBoxLayout(dialog)
        layout.addWidget(text)
        layout.addWidget(buttons)
        dialog.open()
