"""The trainings, one below the other."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QWidget

from heartseg_gui.documents.training_runs import TrainingRun, TrainingRuns
from heartseg_gui.views.training.run_words import state_text

_KEY = Qt.ItemDataRole.UserRole
_NEW = "New training"


class RunList(QListWidget):
    """The plan of a new one first, then all others, the latest first.

    Signals:
        chosen: The key of a run; blank for a new one.
    """

    chosen = Signal(str)

    def __init__(self, runs: TrainingRuns, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._runs = runs
        self.setAccessibleName("Trainings")
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        runs.runs_changed.connect(self.show_state)
        runs.chosen_changed.connect(self._mark)
        runs.run_changed.connect(self._renew)
        self.currentItemChanged.connect(self._tell)
        self.show_state()

    def show_state(self) -> None:
        """List them anew."""
        self.blockSignals(True)
        self.clear()
        for key, text in (("", _NEW), *((r.key, _text(r)) for r in self._runs.runs)):
            item = QListWidgetItem(text)
            item.setData(_KEY, key)
            self.addItem(item)
        self.blockSignals(False)
        self._mark()

    def sizeHint(self) -> QSize:
        """Narrow."""
        return QSize(215, 300)

    def minimumSizeHint(self) -> QSize:
        """Narrower."""
        return QSize(130, 100)

    def texts(self) -> list[str]:
        """What the lines say."""
        return [self.item(number).text() for number in range(self.count())]

    def _mark(self) -> None:
        run = self._runs.chosen
        wanted = "" if run is None else run.key
        self.blockSignals(True)
        for number in range(self.count()):
            if self.item(number).data(_KEY) == wanted:
                self.setCurrentRow(number)
        self.blockSignals(False)

    def _renew(self, key: str) -> None:
        run = self._runs.get(key)
        for number in range(self.count()):
            item = self.item(number)
            if run is not None and item.data(_KEY) == key and item.text() != _text(run):
                item.setText(_text(run))

    def _tell(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self.chosen.emit(str(item.data(_KEY)))


def _text(run: TrainingRun) -> str:
    return f"{run.title}\n{state_text(run)}"
