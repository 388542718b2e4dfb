"""The trainings that the window knows, and how each of them goes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from engine.errors import HeartSegError
from engine.learning.apart.order import TrainingNews, TrainingOrder
from engine.learning.apart.run_list import NotedRun, RunState
from engine.learning.run_folder import Row
from engine.progress import Progress

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.learning.pictures import SamplePictures

_NOTHING = Progress(0, 0, "")


@dataclass(frozen=True, slots=True, eq=False)
class TrainingRun:
    """A training.

    Attributes:
        key: Tells it from every other.
        order: What is trained.
        state: How far it has come.
        progress: What is under way.
        rows: Its log, a row for each epoch.
        signs: Of a collapse, as in warnings.json.
        notes: What was left out and the like.
        fault: Why it failed; None where it did not.
        seconds_left: Until the end, as it goes [s]; None where not known.
    """

    key: str
    order: TrainingOrder
    state: RunState
    progress: Progress = _NOTHING
    rows: tuple[Row, ...] = field(default=(), repr=False)
    signs: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    notes: tuple[str, ...] = ()
    fault: HeartSegError | None = None
    seconds_left: float | None = None

    @property
    def title(self) -> str:
        """What lists call it."""
        return self.order.out.name or self.order.recipe.title

    @property
    def out(self) -> Path:
        """Its folder."""
        return self.order.out

    def noted(self) -> NotedRun:
        """What outlives the window."""
        return NotedRun(self.key, self.order, self.state, self.fault)

    def with_news(self, news: TrainingNews) -> "TrainingRun":
        """The run after its process has told something."""
        state = RunState.PAUSED if news.paused else RunState.RUNNING
        rows, signs, notes = self.rows, self.signs, self.notes
        if news.row is not None:
            epoch = news.row["epoch"] or 0
            rows = (*(row for row in rows if (row["epoch"] or 0) < epoch), news.row)
            signs = (*(sign for sign in signs if sign["epoch"] < epoch), *news.signs)
        if news.note and news.note not in notes:
            notes = (*notes, news.note)
        return replace(
            self,
            state=state,
            rows=rows,
            signs=signs,
            notes=notes,
            progress=Progress(news.done, news.total, news.doing),
            seconds_left=_seconds_left(rows, news) if news.total else self.seconds_left,
        )


def _seconds_left(rows: Sequence[Row], news: TrainingNews) -> float | None:
    """By the last epochs: how much is left is known from the batches done."""
    lasted = [row["seconds"] for row in rows[-3:] if row.get("seconds")]
    epochs = [row["epoch"] for row in rows]
    if not lasted or not news.total or not news.doing.startswith(("Epoch", "Note", "Warning")):
        return None
    done = news.done / news.total
    before = (epochs[-1] or 0) / done if done else 0  # epochs in all
    return sum(filter(None, lasted)) / len(lasted) * before * (1 - done) if before else None


class TrainingRuns(QObject):
    """All of them, the latest first, and the one that is shown.

    Signals:
        runs_changed: One came or went.
        run_changed: How one goes, by its key.
        chosen_changed: Another one is shown, or the plan of a new one.
        watched_changed: Pictures of the shown one's slices came.
    """

    runs_changed = Signal()
    run_changed = Signal(str)
    chosen_changed = Signal()
    watched_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runs: dict[str, TrainingRun] = {}
        self._chosen = ""
        self._watched: tuple[SamplePictures, NDArray[np.uint8], int] | None = None
        self._epochs: tuple[int, ...] = ()

    @property
    def runs(self) -> tuple[TrainingRun, ...]:
        """All, the latest first."""
        return tuple(reversed(self._runs.values()))

    @property
    def chosen(self) -> TrainingRun | None:
        """The one that is shown; None while a new one is planned."""
        return self._runs.get(self._chosen)

    @property
    def active(self) -> tuple[TrainingRun, ...]:
        """Those that a process works on."""
        return tuple(run for run in self._runs.values() if run.state.is_active)

    @property
    def queued(self) -> tuple[TrainingRun, ...]:
        """Those that wait, the first first."""
        return tuple(run for run in self._runs.values() if run.state is RunState.QUEUED)

    @property
    def watched(self) -> "tuple[SamplePictures, NDArray[np.uint8], int] | None":
        """Slices of the shown run, what they were called (n, y, x), and after which epoch."""
        return self._watched

    @property
    def watched_epochs(self) -> tuple[int, ...]:
        """The epochs of which there are such pictures."""
        return self._epochs

    def get(self, key: str) -> TrainingRun | None:
        """A run by its key."""
        return self._runs.get(key)

    def put(self, run: TrainingRun) -> None:
        """Take a run, a new one or one that has changed."""
        is_new = run.key not in self._runs
        self._runs[run.key] = run
        if is_new:
            self.runs_changed.emit()
        else:
            self.run_changed.emit(run.key)

    def to_the_end(self, key: str) -> None:
        """Put a run behind all others, as one that waits again."""
        self._runs[key] = self._runs.pop(key)
        self.runs_changed.emit()

    def drop(self, key: str) -> None:
        """Take a run off the list."""
        if self._runs.pop(key, None) is not None:
            self.runs_changed.emit()
            if key == self._chosen:
                self.choose("")

    def choose(self, key: str) -> None:
        """Show a run; blank for the plan of a new one."""
        if key != self._chosen:
            self._chosen = key
            self._watched, self._epochs = None, ()
            self.chosen_changed.emit()

    def set_watched(
        self,
        epochs: Sequence[int],
        watched: "tuple[SamplePictures, NDArray[np.uint8], int] | None",
    ) -> None:
        """Take pictures of the shown run."""
        self._epochs, self._watched = tuple(epochs), watched
        self.watched_changed.emit()
