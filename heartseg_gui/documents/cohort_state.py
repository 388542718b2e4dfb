"""The studies of a cohort, how far they have come, and what was measured."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

if TYPE_CHECKING:
    from engine.cohort.outcome import CohortOutcome, CohortTask

WAITING, DONE, FAILED = "waiting", "done", "failed"


@dataclass(frozen=True, slots=True, eq=False)
class CohortRow:
    """A study of a cohort.

    Attributes:
        folder: Of the study.
        out: Of its results.
        outcome: What came of it; None while it waits.
    """

    folder: Path
    out: Path
    outcome: "CohortOutcome | None" = None

    @property
    def name(self) -> str:
        """The study's, or its folder's."""
        return self.folder.name if self.outcome is None else self.outcome.name

    @property
    def status(self) -> str:
        """Waiting, done or failed."""
        return WAITING if self.outcome is None else str(self.outcome.status)


@dataclass(frozen=True, slots=True)
class CohortOptions:
    """How studies are treated.

    Attributes:
        workers: Processes that work at the same time.
        stored: Whether labels that lie in a study are measured, if there are any.
        pdf: Whether a report to print is written, too.
    """

    workers: int = 1
    stored: bool = True
    pdf: bool = False


class CohortState(QObject):
    """What a cohort is, and what has come of it so far.

    Signals:
        rows_changed: Other studies.
        row_changed: A study, by its number, is done or has failed.
        place_changed: Other folders.
        running_changed: The work has begun or ended.
    """

    rows_changed = Signal()
    row_changed = Signal(int)
    place_changed = Signal()
    running_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._folder: Path | None = None
        self._out: Path | None = None
        self._tasks: tuple[CohortTask, ...] = ()
        self._rows: list[CohortRow] = []
        self._numbers: dict[Path, int] = {}
        self._running = False
        self.options = CohortOptions()

    @property
    def folder(self) -> Path | None:
        """The folder of the studies."""
        return self._folder

    @property
    def out(self) -> Path | None:
        """The folder of the results."""
        return self._out

    @property
    def tasks(self) -> "tuple[CohortTask, ...]":
        """What is to be done."""
        return self._tasks

    @property
    def rows(self) -> Sequence[CohortRow]:
        """The studies in the order of their names."""
        return self._rows

    @property
    def running(self) -> bool:
        """Whether studies are being done."""
        return self._running

    def count(self, status: str) -> int:
        """How many studies are waiting, done or have failed."""
        return sum(row.status == status for row in self._rows)

    def set_place(self, folder: Path, out: Path) -> None:
        """Take the studies of another folder, or other results."""
        self._folder, self._out = folder, out
        self.place_changed.emit()
        self.set_tasks((), {})

    def set_tasks(self, tasks: "Sequence[CohortTask]", known: "dict[Path, CohortOutcome]") -> None:
        """Take what is to be done, and what is done already, by the folder of the study."""
        self._tasks = tuple(tasks)
        self._rows = [CohortRow(each.folder, each.out, known.get(each.folder)) for each in tasks]
        self._numbers = {row.folder: number for number, row in enumerate(self._rows)}
        self.rows_changed.emit()

    def set_outcome(self, outcome: "CohortOutcome") -> None:
        """Take what came of a study."""
        number = self._numbers.get(outcome.folder)
        if number is not None:
            self._rows[number] = replace(self._rows[number], outcome=outcome)
            self.row_changed.emit(number)

    def set_running(self, running: bool) -> None:
        """The work begins or ends."""
        if running != self._running:
            self._running = running
            self.running_changed.emit()
