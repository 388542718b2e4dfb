"""Writes down every step as it is made, and brings back what was not saved."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from engine.errors import CannotSaveError, UnusableJournalError
from engine.io.journal.entries import Entry, Kind
from engine.io.journal.finding import FoundJournal
from engine.io.journal.notices import Matter, Notice
from engine.io.journal.opening import Opening
from engine.io.journal.places import journal_places
from engine.io.journal.writing import JournalWriter
from engine.progress import Steps
from engine.study import StoredLabels, Study
from heartseg_gui.controllers.journal_search import JournalSearch, has_home, opening_in
from heartseg_gui.controllers.refilling import refill
from heartseg_gui.controllers.save_guard import SaveGuard
from heartseg_gui.documents.prompts import Lost, Prompts
from heartseg_gui.documents.snapshot import Snapshot
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.settings import Settings

_AT_LEAST_EVERY_MS = 300
"""A stroke that takes longer is written down in pieces."""

_READY_AFTER_MS = 1000

_WAIT_S = 0.05
"""How long a new step waits for the one before to be in the file; hardly ever at all [s]."""

_SAVING_WAITS_S = 10.0


class Journaling(QObject):
    """Keeps the journal of the stack on the screen.

    Signals:
        told: A sentence for the status bar.
        failed: What the reader must know of the journal, with what to do.
        settled: The journal of another stack was looked up, and its steps can be undone.
    """

    told = Signal(str)
    failed = Signal(Exception)
    settled = Signal()
    _noticed = Signal(object)  # on the writer's thread

    def __init__(
        self,
        document: StudyDocument,
        settings: Settings,
        prompts: Prompts,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._settings = settings
        self._prompts = prompts
        self._writer: JournalWriter | None = None
        self._opening: Opening | None = None
        self._journals, self._guard = JournalSearch(), SaveGuard()
        self._lost: FoundJournal | None = None
        self._taken = False
        self._saving = 0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_AT_LEAST_EVERY_MS)
        self._timer.timeout.connect(self.write)
        self._noticed.connect(self._tell, Qt.ConnectionType.QueuedConnection)
        self._quiet = QTimer(self)  # until the study that was opened is drawn
        self._quiet.setSingleShot(True)
        self._quiet.setInterval(_READY_AFTER_MS)
        self._quiet.timeout.connect(self._prepare)
        document.steps.keep()
        document.steps.began.connect(self._begin_step)
        document.steps.ended.connect(self.write)
        document.leaving.connect(self.close)

    @property
    def path(self) -> Path | None:
        """Where the journal lies; None as long as there is none."""
        return self._writer.path if self._writer else None

    @property
    def writer(self) -> JournalWriter | None:
        """What writes the journal of the stack on the screen."""
        return self._writer

    def reading(self, read: Callable[[Path], Steps[Study]]) -> Callable[[Path], Steps[Study]]:
        """A reader of studies that looks for the best stack's journal, too, on its own thread."""
        return self._journals.reading(read)

    def take_stack(self) -> None:
        """Begin with the stack that has come on the screen."""
        document = self._document
        study, index = document.study, document.stack_index
        if study is None or document.labels is None or not has_home(study):
            return
        self._opening, places = opening_in(study, index), journal_places(study, index)
        self._guard.open(study, index)
        search, lock = self._journals.take(study, self._opening, places)
        self._journals.in_use = places
        found = search.found
        if not search.taken:
            self._writer = JournalWriter(
                self._opening,
                places,
                lock,
                self._noticed.emit,
                image=found.image if found else None,
                found_at=found.path if found else None,
            )
            self._quiet.start()
        self._taken = search.taken
        if search.notice is not None:
            self._tell(search.notice)
        if found is not None and found.lost:
            self._lost = found
            self._refill(found, keep=False, write=False)
            QTimer.singleShot(0, self.ask_about_lost)  # whoever shows the study asks before that
        elif found is not None:
            self._refill(found, keep=True)
        self.settled.emit()

    def ask_about_lost(self) -> None:
        """Ask whether to keep edits that were never saved, where there are such."""
        found, self._lost = self._lost, None
        if found is None or self._opening is None:
            return
        study, count = self._opening.study, found.lost
        edits = f"{count} edit{'' if count == 1 else 's'}"
        last_at = _local_time(found.last_at)
        keep = self._prompts.ask_lost(study, count, last_at) is Lost.KEEP
        self._refill(found, keep=keep)
        if keep:
            self.told.emit(f"Recovered {edits} of {study}, last at {last_at}.")
        else:
            self.told.emit(f"{edits} of {study} {'was' if count == 1 else 'were'} discarded.")

    def write(self) -> None:
        """Hand everything that happened to the writer."""
        self._timer.stop()
        entries = self._document.steps.take()
        if not entries:
            return
        if self._writer is not None:
            self._put(entries)

    def note_saving(self, snapshot: Snapshot) -> None:
        """The labels as they are now are being saved."""
        self.write()
        self._saving += 1
        self._put([Entry(Kind.SAVING, labels=snapshot.labels, saving=self._saving)])

    def note_saved(self, stored: StoredLabels) -> None:
        """Labels are in their file."""
        self.write()
        if stored.files:
            self._guard.take_saved(stored.files[0])
        self._put([Entry(Kind.SAVED, stored=stored, saving=self._saving)])

    def guard_saving(self, snapshot: Snapshot, path: Path | None) -> Steps[None]:
        """See to it that saving replaces nothing that this window does not know.

        Raises:
            CannotSaveError: Another window has the study open for editing, or has saved.
        """
        writer = self._writer
        taken = self._taken or (writer is not None and writer.refused)
        yield from self._guard.look(snapshot, path, taken=taken)
        if writer is not None:
            writer.wait_written(_SAVING_WAITS_S)

    def close(self) -> None:
        """End the session; edits that are not saved count as given up."""
        self.write()
        self._quiet.stop()
        if self._writer is not None:
            self._writer.close(by=self._settings.reader)
        self._writer = self._opening = self._lost = None
        self._journals.in_use, self._taken = (), False
        self._guard.forget()

    def shut_down(self) -> None:
        """The program ends."""
        self.close()
        self._journals.drop()

    def _refill(self, found: FoundJournal, *, keep: bool, write: bool = True) -> None:
        try:
            restoration = found.restoration(keep=keep)
        except UnusableJournalError as error:
            self.failed.emit(error)
            return
        refill(self._document, restoration)
        if write and restoration.entry is not None:
            self._put([restoration.entry])

    def _prepare(self) -> None:
        if self._writer is not None:
            self._writer.prepare()

    def _begin_step(self) -> None:
        if self._writer is not None:
            self._writer.wait_written(_WAIT_S)
        self._timer.start()

    def _put(self, entries: Sequence[Entry]) -> None:
        if self._writer is not None:
            reader = self._settings.reader
            for entry in entries:
                entry.by = reader
            self._writer.put(entries)

    @Slot(object)
    def _tell(self, notice: Notice) -> None:
        if notice.matter in (Matter.MENDED, Matter.ELSEWHERE):
            self.told.emit(notice.text)
        else:
            self.failed.emit(CannotSaveError(notice.what, hint=notice.hint))


def _local_time(at: str) -> str:
    """A moment as the reader's clock shows it; with the date where it was not today."""
    try:
        moment = datetime.fromisoformat(at).astimezone()
    except ValueError:
        return "an unknown time"
    today = moment.date() == datetime.now().astimezone().date()
    return moment.strftime("%H:%M" if today else "%Y-%m-%d %H:%M")
