"""A learning loop in the window: where it stands, what is under way, and one that is begun."""

from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from engine.progress import Progress

if TYPE_CHECKING:  # the engine's loop is imported when it is first needed
    from engine.loop.standing import LoopStanding, RoundRecord


class LoopWork(Enum):
    """What is being done with a loop."""

    LOOKING = "looking"
    BEGINNING = "beginning"
    COLLECTING = "collecting"
    LEARNING = "learning"
    CHANGING = "changing"


@dataclass(frozen=True, slots=True)
class LoopDraft:
    """A loop that is to be begun.

    Attributes:
        place: Its folder; None while none was chosen.
        start: Name or folder of the model to begin with; empty for the one in use.
        test: Folders of the patients to lock away.
        data: Folders of labelled patients that every round learns from too.
    """

    place: Path | None = None
    start: str = ""
    test: tuple[Path, ...] = ()
    data: tuple[Path, ...] = ()

    @property
    def lacks(self) -> str:
        """What is still to be chosen, for a reader; empty when it can be begun."""
        if not self.test:
            return "Choose labelled patients to lock away."
        return "" if self.place is not None else "Choose a new folder for the loop."


class LoopState(QObject):
    """The loop that is open, what is done with it, and the round that is looked at.

    Signals:
        standing_changed: Another loop, or it stands elsewhere now.
        work_changed: Something began or ended.
        progress_changed: What is under way has come further.
        round_chosen: Another round is looked at.
        draft_changed: The loop that is to be begun.
    """

    standing_changed = Signal()
    work_changed = Signal()
    progress_changed = Signal()
    round_chosen = Signal()
    draft_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._standing: LoopStanding | None = None
        self._in_use = False
        self._work: LoopWork | None = None
        self._progress: Progress | None = None
        self._left_out: tuple[str, ...] = ()
        self._round = 0
        self._draft = LoopDraft()

    @property
    def standing(self) -> "LoopStanding | None":
        """Where the loop stands; None while none is open."""
        return self._standing

    @property
    def path(self) -> Path | None:
        """The folder of the loop."""
        return None if self._standing is None else self._standing.loop.path

    @property
    def in_use(self) -> bool:
        """Whether the program predicts with the loop's model."""
        return self._in_use

    @property
    def work(self) -> LoopWork | None:
        """What is under way."""
        return self._work

    @property
    def is_free(self) -> bool:
        """Whether the loop may be changed: it is open, and nothing but looking is under way."""
        return self._standing is not None and self._work in (None, LoopWork.LOOKING)

    @property
    def progress(self) -> Progress | None:
        """How far it has come; None before that is known."""
        return self._progress

    @property
    def left_out(self) -> tuple[str, ...]:
        """Why studies were not collected when this was last tried, a sentence each."""
        return self._left_out

    @property
    def shown_round(self) -> "RoundRecord | None":
        """The round that is looked at: the chosen one, else the last."""
        rounds = () if self._standing is None else self._standing.rounds
        found = (each for each in rounds if each.number == self._round)
        return next(found, rounds[-1] if rounds else None)

    @property
    def draft(self) -> LoopDraft:
        """The loop that is to be begun."""
        return self._draft

    def set_standing(self, standing: "LoopStanding | None", *, in_use: bool = False) -> None:
        """Take where a loop stands; the last round is looked at where there is a new one."""
        before, after = self._standing, standing
        rounds = 0 if before is None else len(before.rounds)
        new_path = before is None or after is None or before.loop.path != after.loop.path
        if new_path:
            self._left_out = ()
        if new_path or (after is not None and len(after.rounds) != rounds):
            self._round = 0
        self._standing, self._in_use = standing, in_use
        self.standing_changed.emit()
        self.round_chosen.emit()

    def set_work(self, work: LoopWork | None) -> None:
        """Something begins, or ends."""
        if work is not self._work:
            self._work, self._progress = work, None
            self.work_changed.emit()

    def set_progress(self, progress: Progress) -> None:
        """What is under way has come further."""
        self._progress = progress
        self.progress_changed.emit()

    def set_left_out(self, left_out: tuple[str, ...]) -> None:
        """Take why studies were not collected; told with the next standing."""
        self._left_out = left_out

    def choose_round(self, number: int) -> None:
        """Look at another round."""
        if number != self._round:
            self._round = number
            self.round_chosen.emit()

    def change_draft(self, **changes: Any) -> None:
        """Change the loop that is to be begun, by the fields of `LoopDraft`."""
        draft = replace(self._draft, **changes)
        if draft != self._draft:
            self._draft = draft
            self.draft_changed.emit()
