"""Published studies that can be run again: which, on what, and how far it has come."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from engine.progress import Progress


@dataclass(frozen=True, slots=True)
class AxisFacts:
    """One thing that a study varies.

    Attributes:
        title: What it is.
        values: Name and label of each value.
    """

    title: str
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class GridFacts:
    """A published study as the page shows it.

    Attributes:
        name: What commands call it.
        title: What it compares.
        cite: Whose it is.
        data: What it needs, in a sentence.
        folds: How many folds it trained.
        axes: What it varies.
    """

    name: str
    title: str
    cite: str
    data: str
    folds: int
    axes: tuple[AxisFacts, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class GridWish:
    """What is to be run.

    Attributes:
        name: Of the study.
        data: Folders of labelled patients.
        out: Folder of the results; a study goes on in its own.
        quick: A few patients, epochs and channels: shows that it works, measures nothing.
        folds: How many folds; 0 takes the study's number.
        only: Names of values; of their axes the others are left out.
    """

    name: str = ""
    data: tuple[Path, ...] = ()
    out: Path | None = None
    quick: bool = False
    folds: int = 0
    only: tuple[str, ...] = ()


class GridState(QObject):
    """The studies that are known, the wish, and how far it has come.

    Signals:
        grids_changed: The studies are known.
        wish_changed: Something else is to be run.
        running_changed: It has begun or ended.
        progressed: It has come further.
    """

    grids_changed = Signal()
    wish_changed = Signal()
    running_changed = Signal()
    progressed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._grids: tuple[GridFacts, ...] = ()
        self._wish = GridWish()
        self._running = False
        self._progress = Progress(0, 0, "")

    @property
    def grids(self) -> tuple[GridFacts, ...]:
        """The studies; none while they are not known."""
        return self._grids

    @property
    def grid(self) -> GridFacts | None:
        """The one that is chosen."""
        return next((one for one in self._grids if one.name == self._wish.name), None)

    @property
    def wish(self) -> GridWish:
        """What is to be run."""
        return self._wish

    @property
    def running(self) -> bool:
        """Whether it is being run."""
        return self._running

    @property
    def progress(self) -> Progress:
        """How far it has come."""
        return self._progress

    @property
    def trainings(self) -> int:
        """How many trainings the wish asks for, without what is finished already."""
        grid = self.grid
        if grid is None:
            return 0
        count = 1
        for axis in grid.axes:
            own = {name for name, _ in axis.values}
            count *= len(own & set(self._wish.only)) or len(own)
        return count * (self._wish.folds or (1 if self._wish.quick else grid.folds))

    @property
    def can_run(self) -> bool:
        """Whether the wish says all that is needed."""
        wish = self._wish
        has_data = bool(wish.data) or wish.quick
        return self.grid is not None and wish.out is not None and has_data and not self._running

    def set_grids(self, grids: Sequence[GridFacts]) -> None:
        """Take the studies, the first one chosen."""
        self._grids = tuple(grids)
        self.grids_changed.emit()
        if self.grid is None and grids:
            self.set_wish(replace(self._wish, name=grids[0].name, only=()))

    def set_wish(self, wish: GridWish) -> None:
        """Run something else; values of another study are forgotten."""
        grid = next((one for one in self._grids if one.name == wish.name), None)
        known = {name for axis in (grid.axes if grid else ()) for name, _ in axis.values}
        most = grid.folds if grid else 0
        kept = replace(
            wish,
            only=tuple(name for name in wish.only if name in known),
            folds=min(wish.folds, most),
        )
        if kept != self._wish:
            self._wish = kept
            self.wish_changed.emit()

    def set_running(self, running: bool) -> None:
        """It begins or ends."""
        if running != self._running:
            self._running = running
            self._progress = Progress(0, 0, "Starting" if running else "")
            self.running_changed.emit()
            self.progressed.emit()

    def set_progress(self, progress: Progress) -> None:
        """It has come further."""
        self._progress = progress
        self.progressed.emit()
