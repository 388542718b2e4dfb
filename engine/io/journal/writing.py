"""Writes a journal on threads of its own, so that nobody who edits ever waits for a disk."""

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from engine.io.journal.entries import Entry, Kind
from engine.io.journal.image import JournalImage
from engine.io.journal.notices import Notice
from engine.io.journal.opening import Opening
from engine.io.journal.places import Lock
from engine.io.journal.scribe import Scribe

RETRY_S = 2.0
"""How long to wait before a write that failed is tried again [s]."""

_GRACE_S = 0.002
"""Whoever hands over finishes first what it is at: only one thread runs Python at a time [s]."""


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
        self._lock = lock
        self._scribe = Scribe(opening, places, lock, tell)
        if image is not None and found_at is not None:
            self._scribe.go_on_with(image, found_at)
        self._condition = threading.Condition()
        self._waiting: list[Entry] = []
        self._handed = self._written = 0
        self._closing = self._preparing = self._over = self._unsynced = False
        self._threads: tuple[threading.Thread, ...] = ()
        self._dirty = threading.Event()

    @property
    def path(self) -> Path | None:
        """Where the journal lies; None before anything was written."""
        return self._scribe.file.path if self._scribe.file else None

    @property
    def refused(self) -> bool:
        """Whether another window has the journal, so that nothing is written here."""
        return self._scribe.refused

    def put(self, entries: Sequence[Entry]) -> None:
        """Hand entries over; takes some microseconds."""
        if not entries:
            return
        with self._condition:
            self._waiting += entries
            self._handed += len(entries)
            self._condition.notify_all()
        self._start()

    def prepare(self) -> None:
        """Get ready for the first entry, on the writer's thread; no file is made."""
        with self._condition:
            self._preparing = True
            self._condition.notify_all()
        self._start()

    def wait_written(self, timeout_s: float, *, patient: bool = False) -> bool:
        """Wait until all that was handed over is in the file; whether it is.

        Args:
            timeout_s: How long at most [s].
            patient: Also while it cannot be written and is tried again and again.
        """

        def over() -> bool:
            stuck = self._scribe.trouble is not None and not patient
            return self._written == self._handed or stuck or self.refused

        with self._condition:
            self._condition.wait_for(over, timeout_s)
            return self._written == self._handed

    def close(self, timeout_s: float = 5.0, by: str = "") -> bool:
        """Write what is left, say that the session is over, and end the threads.

        Edits that are not saved count as given up from now on.

        Returns:
            Whether everything was written in time.
        """
        if self._handed:
            self.put([Entry(Kind.CLOSED, by=by)])
        with self._condition:
            self._closing = True
            self._condition.notify_all()
        for thread in self._threads:
            thread.join(timeout_s)
        self._lock.release()
        return self._written == self._handed

    def _start(self) -> None:
        if self._threads:
            return
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
                retry_s = RETRY_S if self._scribe.trouble else None
                self._condition.wait_for(self._has_work, retry_s)
            time.sleep(_GRACE_S)
            with self._condition:
                entries, self._waiting = self._waiting, []
                handed, over = self._handed, self._closing
                preparing, self._preparing = self._preparing, False
                unsynced, self._unsynced = self._unsynced, False
            if preparing and not handed:
                self._scribe.prepare()
            if handed:
                self._scribe.write(entries, afresh=unsynced)
                self._dirty.set()
            with self._condition:
                if self._scribe.trouble is None:
                    self._written = handed
                else:
                    self._unsynced |= unsynced
                self._condition.notify_all()
        self._over = True
        self._dirty.set()

    def _has_work(self) -> bool:
        unsynced = self._unsynced and self._scribe.trouble is None
        return bool(self._waiting) or self._closing or self._preparing or unsynced

    def _run_disk(self) -> None:
        """The thread that waits for the disk."""
        over = False
        while not over:
            self._dirty.wait()
            over = self._over
            self._dirty.clear()
            try:
                if self._scribe.file is not None:
                    self._scribe.file.sync()
            except OSError:  # what the disk has of it nobody knows
                with self._condition:
                    self._unsynced = True
                    self._condition.notify_all()
        if self._scribe.file is not None:
            self._scribe.file.close()
