"""The file of a journal: made equal to the bytes in memory, whatever has become of it."""

import errno
import os
import threading
from contextlib import suppress
from pathlib import Path

from engine.io.atomic_file import part_beside
from engine.io.journal.frames import MAGIC
from engine.io.journal.places import set_aside

_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


class JournalChangedError(Exception):
    """Another window has begun a journal in this place since this one looked."""


class JournalFile:
    """Appends; what lies there that is not a beginning of ours is set aside, never overwritten.

    All but `sync` is for one thread.

    Attributes:
        path: Where it is.
        strangers: Files that were found in its place and set aside.
    """

    def __init__(self, path: Path, known: int = 0) -> None:
        """Take over where it is.

        Args:
            path: Where it is, or will be.
            known: How many of the bytes in memory were read from there; what follows them there
                is a torn tail.
        """
        self.path = path
        self.strangers: list[Path] = []
        self._good = known  # bytes that lie there for sure
        self._handle: int | None = None
        self._new = False
        self._lock = threading.Lock()

    def bring_up(self, content: bytearray) -> None:
        """Append what is not there yet.

        Raises:
            JournalChangedError: Another window has begun a journal there.
            OSError: It cannot be written; what was there stays as it was.
        """
        if not self._is_in_place():
            self._open(content)
        handle = self._handle
        assert handle is not None
        rest = memoryview(bytes(content[self._good :]))
        os.lseek(handle, self._good, os.SEEK_SET)
        try:
            while rest:
                rest = rest[os.write(handle, rest) :]
        except OSError:
            with suppress(OSError):
                os.ftruncate(handle, self._good)
            raise
        self._good = len(content)

    def replace(self, content: bytearray) -> None:
        """Put other content in its place, all of it or nothing, and make sure of it.

        Raises:
            OSError: It cannot be written; what was there stays as it was.
        """
        self.close()
        with part_beside(self.path) as part:
            part.write_bytes(content)
        self._good = len(content)
        _sync_folder(self.path.parent)

    def sync(self) -> None:
        """Wait until what was written would survive a power cut; for any thread.

        Raises:
            OSError: It may not.
        """
        with self._lock:
            if self._handle is None:
                return
            twin, new, self._new = os.dup(self._handle), self._new, False
        try:
            os.fsync(twin)
        finally:
            os.close(twin)
        if new:
            _sync_folder(self.path.parent)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            if self._handle is not None:
                with suppress(OSError):
                    os.close(self._handle)
            self._handle = None

    def _is_in_place(self) -> bool:
        """Whether the open file is still the one at its path, and as long as we left it."""
        if self._handle is None:
            return False
        try:
            at_path, ours = self.path.stat(), os.fstat(self._handle)
        except OSError:
            return False
        return (at_path.st_ino, at_path.st_size) == (ours.st_ino, self._good)

    def _open(self, content: bytearray) -> None:
        self.close()
        if not self.path.parent.parent.is_dir():  # a drive that is gone is not made anew
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self.path.parent))
        self.path.parent.mkdir(exist_ok=True)
        there = self.path.read_bytes() if self.path.exists() else b""
        same = _common(there, content)
        if not self._good and same < len(there) and there.startswith(MAGIC):
            raise JournalChangedError  # somebody has begun one since this study was opened
        if same < len(there) and not 0 < self._good <= same:
            self.strangers.append(set_aside(self.path))
            there, same = b"", 0
        handle = os.open(self.path, _FLAGS, 0o644)
        good = same if same == len(there) else self._good
        if good < len(there):
            os.ftruncate(handle, good)
        with self._lock:
            self._handle, self._new, self._good = handle, not there, good


def _common(there: bytes, content: bytearray) -> int:
    """How many bytes both begin with."""
    length = min(len(there), len(content))
    if there[:length] == content[:length]:
        return length
    low, high = 0, length  # the first `low` are equal, the first `high` are not
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if there[:middle] == content[:middle] else (low, middle)
    return low


def _sync_folder(folder: Path) -> None:
    """Make a new name in a folder survive a power cut, where the system can."""
    with suppress(OSError):  # not on every system and not on every file system
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
