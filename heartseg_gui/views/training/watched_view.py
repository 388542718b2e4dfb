"""The same slices after every epoch: image, reference, and what the network says."""

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QVBoxLayout, QWidget

from heartseg_gui.documents.training_runs import TrainingRuns
from heartseg_gui.settings import Settings
from heartseg_gui.views.training.class_colours import class_colours
from heartseg_gui.views.training.picture_grid import Grid, PictureGrid, picture_of

_ROWS = ("Image", "Reference", "Network")


class WatchedView(QWidget):
    """Pictures, and a slider over the epochs; at its end it follows the training.

    Signals:
        epoch_wanted: Show the slices as they were after an epoch; 0 for always the latest.
    """

    epoch_wanted = Signal(int)

    def __init__(
        self, runs: TrainingRuns, settings: Settings, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._runs, self._settings = runs, settings
        self.grid, self.slider, self._text = (
            PictureGrid(),
            QSlider(Qt.Orientation.Horizontal),
            QLabel(),
        )
        self.slider.setAccessibleName("Epoch of the slices")
        self.slider.setToolTip("Earlier epochs; at the right end the latest is followed")
        self._text.setProperty("role", "caption")
        row = QHBoxLayout()
        row.addWidget(self.slider, stretch=1)
        row.addWidget(self._text)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.grid, stretch=1)
        layout.addLayout(row)
        runs.watched_changed.connect(self.show_state)
        runs.chosen_changed.connect(self.show_state)
        settings.appearance_changed.connect(self.show_state)
        self.slider.valueChanged.connect(self._tell)
        self.show_state()

    def show_state(self) -> None:
        """Show what has been watched of the run that is shown."""
        run, watched, epochs = self._runs.chosen, self._runs.watched, self._runs.watched_epochs
        for widget in (self.slider, self._text):
            widget.setVisible(watched is not None)
        if run is None or watched is None:
            self.grid.show_grid(Grid(), "Slices of the validation, after the first epoch")
            return
        pictures, called, epoch = watched
        blocker = QSignalBlocker(self.slider)
        follows = self.slider.value() == self.slider.maximum()
        self.slider.setRange(0, len(epochs) - 1)
        self.slider.setValue(len(epochs) - 1 if follows else epochs.index(epoch))
        del blocker
        colours = list(class_colours(run.order.recipe.task, self._settings).values())
        images = pictures.images
        rows = [
            [picture_of(image, None, colours) for image in images],
            [
                picture_of(i, labels, colours)
                for i, labels in zip(images, pictures.labels, strict=True)
            ],
            [picture_of(i, labels, colours) for i, labels in zip(images, called, strict=True)],
        ]
        said = f"after epoch {epoch}"
        self._text.setText(said)
        self.grid.show_grid(Grid(rows, _ROWS, pictures.names), f"Slices {said}")

    def _tell(self, place: int) -> None:
        epochs = self._runs.watched_epochs
        if place < len(epochs):
            self.epoch_wanted.emit(0 if place == len(epochs) - 1 else epochs[place])
