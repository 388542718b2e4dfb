"""Writes a journal on threads of its own, so that nobody who edits ever waits for a disk."""

import errno
import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from engine.io.journal.compaction import compact
from engine.io.journal.encoding import Encoder
from engine.io.journal.entries import Entry, Kind
from engine.io.journal.file import JournalChangedError, JournalFile
from engine.io.journal.image import JournalImage
from engine.io.journal.notices import (
    Notice,
    changed_since,
    elsewhere,
    in_use,
    mended,
    trouble,
    was_set_aside,
)
from engine.io.journal.opening import Opening
from engine.io.journal.places import Claim, Lock

_log = logging.getLogger(__name__)

RETRY_S = 2.0
"""How long to wait before a write that failed is tried again [s]."""

_GRACE_S = 0.002
"""Whoever hands over finishes first what it is at: only one thread runs Python at a time [s]."""

_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


class JournalWriter:
    """Takes entries at once and writes them soon.

    One thread makes lines of the entries and appends them, a second one waits for the disk
    (`fsync`), so that an entry is in the file, where the end of the program cannot lose it, long
    before the disk has it. What cannot be written stays in memory and is tried again.
    """

    def __init__(
        self,
        opening: Opening,
        places: Sequence[Path],
        lock: Lock,
        tell: Callable[[Notice], None],
        *,
        image: JournalImage | None = None,
        found_at: Path | None = None,
    ) -> None:
        """Get ready; no file and no thread is made before there is something to write.

        Args:
            opening: What the study was like when it was opened.
            places: Where the journal may lie, the best first.
            lock: Keeps others out.
            tell: Called on the writer's thread with what the reader must hear.
            image: A journal to go on with.
            found_at: The file that it was read from.
        """
        self._opening, self._places, self._lock, self._tell = opening, places, lock, tell
        self._encoder = Encoder(image or JournalImage(), opening)
        self._known = len(self._encoder.image.content) if found_at else 0
        self._found_at = found_at
        self._file: JournalFile | None = None
        self._condition = threading.Condition()
        self._waiting: list[Entry] = []
        self._handed = self._written = 0
        self._refused = self._closing = self._over = False
        self._trouble: OSError | None = None
        self._unsynced: OSError | None = None
        self._threads: tuple[threading.Thread, ...] = ()
        self._dirty = threading.Event()

    @property
    def path(self) -> Path | None:
        """Where the journal lies; None before anything was written."""
        return self._file.path if self._file else None

    @property
    def refused(self) -> bool:
        """Whether another window has the journal, so that nothing is written here."""
        return self._refused

    @property
    def begun(self) -> bool:
        """Whether anything was handed over."""
        return self._handed > 0

    def put(self, entries: Sequence[Entry]) -> None:
        """Hand entries over; takes some microseconds."""
        if not entries:
            return
        with self._condition:
            self._waiting += entries
            self._handed += len(entries)
            self._condition.notify_all()
        if not self._threads:
            self._start()

    def wait_written(self, timeout_s: float, *, patient: bool = False) -> bool:
        """Wait until all that was handed over is in the file; whether it is.

        Args:
            timeout_s: How long at most [s].
            patient: Also while it cannot be written and is tried again and again.
        """

        def over() -> bool:
            stuck = self._trouble is not None and not patient
            return self._written == self._handed or stuck or self._refused

        with self._condition:
            self._condition.wait_for(over, timeout_s)
            return self._written == self._handed

    def close(self, timeout_s: float = 5.0, by: str = "") -> bool:
        """Write what is left, say that the session is over, and end the threads.

        Edits that are not saved count as given up from now on.

        Returns:
            Whether everything was written in time.
        """
        if self._threads:
            self.put([Entry(Kind.CLOSED, by=by)])
        with self._condition:
            self._closing = True
            self._condition.notify_all()
        for thread in self._threads:
            thread.join(timeout_s)
        self._lock.release()
        return self._written == self._handed

    def _start(self) -> None:
        names = {"heartseg-journal": self._run, "heartseg-journal-disk": self._run_disk}
        self._threads = tuple(
            threading.Thread(target=work, name=name, daemon=True) for name, work in names.items()
        )
        for thread in self._threads:
            thread.start()

    def _run(self) -> None:
        """The writing thread."""
        over = False
        while not over:
            with self._condition:
                self._condition.wait_for(self._has_work, RETRY_S if self._trouble else None)
            time.sleep(_GRACE_S)
            with self._condition:
                entries, self._waiting = self._waiting, []
                handed, over = self._handed, self._closing
            self._work(entries)
            with self._condition:
                if self._trouble is None:
                    self._written = handed
                self._condition.notify_all()
        if self._file is not None:
            self._dirty.set()
        self._over = True
        self._dirty.set()

    def _has_work(self) -> bool:
        unsynced = self._unsynced is not None and self._trouble is None
        return bool(self._waiting) or self._closing or unsynced

    def _work(self, entries: Sequence[Entry]) -> None:
        if self._refused:
            return
        try:
            self._encoder.take(entries)
            self._write(compacting=any(e.kind in (Kind.SAVED, Kind.CLOSED) for e in entries))
        except OSError as error:
            self._say_trouble(error)
        except JournalChangedError:
            self._refuse(changed_since(self._opening.study))
        except Exception as error:  # noqa: BLE001  (a mistake of ours must not end the thread)
            _log.exception("the journal of %s", self._opening.study)
            self._say_trouble(OSError(f"{type(error).__name__}: {error}"))
        else:
            if self._trouble is not None:
                self._trouble = None
                self._tell(mended(self._opening.study))

    def _write(self, *, compacting: bool) -> None:
        if self._file is None:
            self._file = self._choose_file()
            if self._file is None:
                return
        image = self._encoder.image
        if self._unsynced is not None:
            self._file.replace(image.content)  # what the disk has of it nobody knows
            self._unsynced = None
        self._file.bring_up(image.content)
        if compacting:
            self._compact(self._file)
        for stranger in self._file.strangers:
            why = "another file took its place"
            self._tell(was_set_aside(self._opening.study, why, stranger))
        self._file.strangers.clear()
        self._dirty.set()

    def _compact(self, file: JournalFile) -> None:
        smaller = compact(self._encoder.image)
        if smaller is None:
            return
        try:
            file.replace(smaller.content)
        except OSError:  # it stays as large as it is
            _log.warning("the journal of %s was not compacted", self._opening.study, exc_info=True)
        else:
            self._encoder.image = smaller

    def _choose_file(self) -> JournalFile | None:
        """The first place that may be written to; None where another window has it."""
        forbidden: OSError | None = None
        for place in self._places:
            try:
                claim = self._claim(place)
            except OSError as error:
                if error.errno not in _FORBIDDEN:
                    raise
                forbidden, claim = error, Claim.FORBIDDEN
            if claim is Claim.OTHERS:
                self._refuse(in_use(self._opening.study))
                return None
            if claim is Claim.OURS:
                if place != self._places[0]:
                    self._tell(elsewhere(self._opening.study, place))
                return JournalFile(place, self._known if place == self._found_at else 0)
        raise forbidden or OSError(errno.EACCES, "Permission denied")

    def _claim(self, place: Path) -> Claim:
        if place == self._places[0]:
            if not place.parent.parent.is_dir():
                raise FileNotFoundError(errno.ENOENT, "The folder is gone", str(place.parent))
            place.parent.mkdir(exist_ok=True)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
        return self._lock.take(place)

    def _refuse(self, notice: Notice) -> None:
        """Write nothing from now on."""
        self._refused = True
        self._tell(notice)

    def _say_trouble(self, error: OSError) -> None:
        _log.warning("the journal of %s cannot be written: %s", self._opening.study, error)
        if self._trouble is None or self._trouble.errno != error.errno:
            self._tell(trouble(self._opening.study, error))
        self._trouble = error

    def _run_disk(self) -> None:
        """The thread that waits for the disk."""
        while True:
            self._dirty.wait()
            over = self._over
            self._dirty.clear()
            try:
                if self._file is not None:
                    self._file.sync()
            except OSError as error:
                with self._condition:
                    self._unsynced = error
                    self._condition.notify_all()
            if over:
                break
        if self._file is not None:
            self._file.close()
