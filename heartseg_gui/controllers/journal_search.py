"""Looks for the journal of a study, as soon as the study is read."""

from collections.abc import Callable
from pathlib import Path

from engine.io.journal.finding import Search, find_journal
from engine.io.journal.opening import Opening, opening_of
from engine.io.journal.places import journal_places
from engine.progress import Progress, Steps
from engine.study import Study
from heartseg_gui.controllers.journal_lock import JournalLock


class JournalSearch:
    """Finds on the reader's own thread what the window will ask for when it shows the study."""

    def __init__(self) -> None:
        self.in_use: tuple[Path, ...] = ()
        """Places of the journal that this window writes: it must be closed before it is read."""
        self._looked_up: tuple[Study, Search, JournalLock] | None = None

    def reading(self, read: Callable[[Path], Steps[Study]]) -> Callable[[Path], Steps[Study]]:
        """A reader of studies that looks for the best stack's journal, too."""

        def read_both(path: Path) -> Steps[Study]:
            study = yield from read(path)
            if study.stacks and has_home(study):
                yield Progress(0, 0, "Looking for edits that were not saved")
                places = journal_places(study, 0)
                if places[0] not in self.in_use:
                    lock = JournalLock()
                    self._keep((study, find_journal(opening_in(study, 0), places, lock), lock))
            return study

        return read_both

    def take(
        self, study: Study, opening: Opening, places: tuple[Path, ...]
    ) -> tuple[Search, JournalLock]:
        """What was found for a stack, or is found now."""
        if self._looked_up is not None and self._looked_up[0] is study and opening.stack == 0:
            _, search, lock = self._looked_up
            self._looked_up = None
            return search, lock
        lock = JournalLock()
        return find_journal(opening, places, lock), lock

    def drop(self) -> None:
        """Give back what was found and never asked for."""
        self._keep(None)

    def _keep(self, looked_up: tuple[Study, Search, JournalLock] | None) -> None:
        before, self._looked_up = self._looked_up, looked_up
        if before is not None:
            before[2].release()


def has_home(study: Study) -> bool:
    """Whether the study lies somewhere where it can be found again."""
    try:
        return study.folder.exists()
    except OSError:
        return False


def opening_in(study: Study, index: int) -> Opening:
    """What a stack of a study is like when it is opened."""
    stored = study.labels_of(index)
    return opening_of(study.views[index], stored, study=study.folder.name, index=index)
