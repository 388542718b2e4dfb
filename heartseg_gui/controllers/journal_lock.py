"""Keeps two windows from writing one journal."""

import os
import threading
from pathlib import Path

from PySide6.QtCore import QLockFile

from engine.io.journal.places import Claim


class JournalLock:
    """A lock file beside the journal; what a program that was killed left behind does not count.

    It is taken on whichever thread first needs it.
    """

    def __init__(self) -> None:
        self._file: QLockFile | None = None
        self._journal: Path | None = None
        self._busy = threading.Lock()

    def take(self, journal: Path) -> Claim:
        """Ask for a journal; again for the same one is no harm, another one is given back."""
        with self._busy:
            if journal == self._journal:
                return Claim.OURS
            self._drop()
            lock = QLockFile(os.fspath(journal.with_name(f".{journal.name}.lock")))
            lock.setStaleLockTime(0)  # however old: a day of reading is no reason to lose it
            if lock.tryLock(0):
                self._file, self._journal = lock, journal
                return Claim.OURS
            held = lock.error() is QLockFile.LockError.LockFailedError
            return Claim.OTHERS if held else Claim.FORBIDDEN

    def release(self) -> None:
        """Give it back."""
        with self._busy:
            self._drop()

    def _drop(self) -> None:
        if self._file is not None:
            self._file.unlock()
        self._file = self._journal = None
