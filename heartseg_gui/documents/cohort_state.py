"""The studies of a cohort, how far they have come, and what was measured."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from engine.clinical.conventions import Conventions
from engine.cohort.outcome import Naming

if TYPE_CHECKING:
    from engine.cohort.outcome import CohortOutcome, CohortTask

WAITING, DONE, FAILED = "waiting", "done", "failed"


@dataclass(frozen=True, slots=True, eq=False)
class CohortRow:
    """A study of a cohort.

    Attributes:
        folder: Of the study.
        out: Of its results.
        title: What to call it before it is read: its folder's name, or a pseudonym.
        outcome: What came of it; None while it waits.
    """

    folder: Path
    out: Path
    title: str
    outcome: "CohortOutcome | None" = None

    @property
    def name(self) -> str:
        """The study's, or its folder's; the pseudonym where names are hidden."""
        return self.title if self.outcome is None else self.outcome.name

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
        conventions: How studies are measured.
        naming: Whether names stay in what is written.
        key: The file that says whom each pseudonym means; None for no such file.
        scheduler: Address of the Dask cluster that does the work; empty for this computer.
    """

    workers: int = 1
    stored: bool = True
    pdf: bool = False
    conventions: Conventions = field(default_factory=Conventions)
    naming: Naming = Naming.DICOM
    key: Path | None = None
    scheduler: str = ""

    def plans_like(self, other: "CohortOptions") -> bool:
        """Whether the same work is to be done, wherever and by whomever."""
        return self == replace(other, workers=self.workers, key=self.key, scheduler=self.scheduler)


class CohortState(QObject):
    """What a cohort is, and what has come of it so far.

    Signals:
        rows_changed: Other studies.
        row_changed: A study, by its number, is done or has failed.
        place_changed: Other folders.
        options_changed: Studies are to be treated another way.
        running_changed: The work has begun or ended.
    """

    rows_changed = Signal()
    row_changed = Signal(int)
    place_changed = Signal()
    options_changed = Signal()
    running_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._folder: Path | None = None
        self._out: Path | None = None
        self._tasks: tuple[CohortTask, ...] = ()
        self._rows: list[CohortRow] = []
        self._numbers: dict[Path, int] = {}
        self._running = False
        self._options = CohortOptions()

    @property
    def folder(self) -> Path | None:
        """The folder of the studies."""
        return self._folder

    @property
    def out(self) -> Path | None:
        """The folder of the results."""
        return self._out

    @property
    def options(self) -> CohortOptions:
        """How studies are treated."""
        return self._options

    @property
    def places(self) -> dict[str, Path]:
        """Where the studies lie, by the names that the tables call them."""
        return {row.name: row.folder for row in self._rows}

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

    def set_options(self, options: CohortOptions) -> None:
        """Treat studies another way."""
        if options != self._options:
            self._options = options
            self.options_changed.emit()

    def set_tasks(self, tasks: "Sequence[CohortTask]", known: "dict[Path, CohortOutcome]") -> None:
        """Take what is to be done, and what is done already, by the folder of the study."""
        self._tasks = tuple(tasks)
        self._rows = [
            CohortRow(each.folder, each.out, each.name, known.get(each.folder)) for each in tasks
        ]
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
