"""What to read next: asking a model which unread studies would teach it most."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from engine.progress import Progress, Steps
from heartseg_gui.documents.learning_loop import LoopState
from heartseg_gui.documents.prompts import Prompts
from heartseg_gui.documents.reading_list import ReadingList
from heartseg_gui.jobs import Job, JobQueue, Lane
from heartseg_gui.settings import Settings

if TYPE_CHECKING:  # slow to import: it is done on a pool thread
    from engine.loop.loop_folder import LoopFolder
    from engine.loop.selection import Selection

Chosen = tuple["Selection", str]
SelectSteps = Callable[[tuple[Path, ...], int, "LoopFolder | None", str], Steps[Chosen]]
"""From folders, a number, the open loop and a device to studies and the model that was asked."""


def select_steps(
    folders: tuple[Path, ...], count: int, loop: "LoopFolder | None", device: str
) -> Steps[Chosen]:
    """Ask the loop's model, or the one in use where no loop is open."""
    yield Progress(0, 0, "Loading the model")
    from engine.learning.checkpoint import load_model
    from engine.loop.selection import select_studies

    model = load_model(None if loop is None else loop.active.path)
    locked = None if loop is None else loop.locked
    found = yield from select_studies(folders, model, count=count, device=device, locked=locked)
    return found, model.entry.name


class Selecting(QObject):
    """Answers the list of what to read next.

    Attributes:
        select: How studies are chosen.

    Signals:
        open_wanted: The folder of a study to open.
        told: A sentence for the status bar.
        failed: Why nothing was found.
    """

    open_wanted = Signal(Path)
    told = Signal(str)
    failed = Signal(Exception)

    def __init__(
        self,
        reading: ReadingList,
        loop: LoopState,
        jobs: JobQueue,
        settings: Settings,
        prompts: Prompts,
        *,
        select: SelectSteps = select_steps,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._reading, self._loop = reading, loop
        self._jobs, self._settings, self._prompts = jobs, settings, prompts
        self.select = select
        self._job: Job | None = None
        reading.set_wish(settings.unread_folders, reading.count)

    def add_folder(self) -> None:
        """Ask for a folder of unread studies."""
        folder = self._prompts.ask_folder("Unread studies", self._settings.last_folder)
        if folder is not None and folder not in self._reading.folders:
            self._set_folders((*self._reading.folders, folder))

    def drop_folder(self, folder: Path) -> None:
        """Look there no more."""
        self._set_folders(tuple(each for each in self._reading.folders if each != folder))

    def set_count(self, count: int) -> None:
        """Look for so many studies."""
        self._reading.set_wish(self._reading.folders, count)

    def look(self) -> None:
        """Ask the model; a newer question stops the older one."""
        if not self._reading.folders:
            return
        self.stop()
        standing = self._loop.standing
        loop = None if standing is None else standing.loop
        steps = self.select(self._reading.folders, self._reading.count, loop, self._settings.device)
        self._job = job = self._jobs.add("What to read next", steps, lane=Lane.COMPUTE)
        job.progressed.connect(self._take_progress)
        job.succeeded.connect(self._take_found)
        job.failed.connect(self.failed)
        job.ended.connect(self._end)
        self._reading.set_running(True)

    def stop(self) -> None:
        """Stop looking; the list before stays."""
        if self._job is not None:
            self._job.cancel()

    def open_study(self, folder: Path) -> None:
        """Open a study of the list."""
        self._reading.note_opened(folder)
        self.open_wanted.emit(folder)

    def _set_folders(self, folders: tuple[Path, ...]) -> None:
        self._reading.set_wish(folders, self._reading.count)
        self._settings.set_unread_folders(folders)

    def _take_progress(self, progress: Progress) -> None:
        if self.sender() is self._job:
            self._reading.set_progress(progress)

    def _take_found(self, chosen: "Chosen") -> None:
        if self.sender() is self._job:
            found, model = chosen
            self._reading.set_found(found, model)
            count = len(found.suggestions)
            self.told.emit(f"{count} {'study' if count == 1 else 'studies'} to read next.")

    def _end(self) -> None:
        if self.sender() is self._job:
            self._job = None
            self._reading.set_running(False)
