"""Makes lines of entries and keeps the file of a journal up to them, whatever becomes of it."""

import errno
import logging
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

_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


class Scribe:
    """Writes the journal of one session; all of it on one thread.

    What cannot be written stays in memory, and the next call tries it again.

    Attributes:
        file: The journal's file; None before anything was written.
        refused: Whether another window has the journal, so that nothing is written here.
        trouble: Why it could not be written the last time, or None.
    """

    def __init__(
        self, opening: Opening, places: Sequence[Path], lock: Lock, tell: Callable[[Notice], None]
    ) -> None:
        self.file: JournalFile | None = None
        self.refused = False
        self.trouble: OSError | None = None
        self._study, self._places, self._lock, self._tell = opening.study, places, lock, tell
        self._encoder = Encoder(JournalImage(), opening)
        self._found_at: Path | None = None
        self._known = 0

    def go_on_with(self, image: JournalImage, found_at: Path) -> None:
        """Take a journal over that was read from a file."""
        self._encoder.image, self._found_at = image, found_at
        self._known = len(image.content)

    def prepare(self) -> None:
        """Look at images and labels, so that the first lines need not wait for it."""
        self._encoder.prepare()

    def write(self, entries: Sequence[Entry], *, afresh: bool = False) -> None:
        """Add lines for entries, and bring the file up to all lines there are.

        Args:
            entries: What happened; may be none.
            afresh: Write the whole file anew, for nobody knows what the disk has of it.
        """
        if self.refused:
            return
        try:
            self._encoder.take(entries)
            self._bring_up(afresh=afresh)
            if any(entry.kind in (Kind.SAVED, Kind.CLOSED) for entry in entries):
                self._compact()
        except OSError as error:
            self._say_trouble(error)
        except JournalChangedError:
            self._refuse(changed_since(self._study))
        except Exception as error:  # noqa: BLE001  (a mistake of ours must not end the thread)
            _log.exception("the journal of %s", self._study)
            self._say_trouble(OSError(f"{type(error).__name__}: {error}"))
        else:
            if self.trouble is not None:
                self.trouble = None
                self._tell(mended(self._study))

    def _bring_up(self, *, afresh: bool) -> None:
        if self.file is None:
            self.file = self._choose_file()
        if self.file is None:
            return
        content = self._encoder.image.content
        if afresh:
            self.file.replace(content)
        self.file.bring_up(content)
        for stranger in self.file.strangers:
            why = "another file took its place"
            self._tell(was_set_aside(self._study, why, stranger))
        self.file.strangers.clear()

    def _compact(self) -> None:
        smaller = compact(self._encoder.image)
        if smaller is None or self.file is None:
            return
        try:
            self.file.replace(smaller.content)
        except OSError:  # it stays as large as it is
            _log.warning("the journal of %s was not compacted", self._study, exc_info=True)
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
                self._refuse(in_use(self._study))
                return None
            if claim is Claim.OURS:
                if place != self._places[0]:
                    self._tell(elsewhere(self._study, place))
                return JournalFile(place, self._known if place == self._found_at else 0)
        raise forbidden or OSError(errno.EACCES, "Permission denied")

    def _claim(self, place: Path) -> Claim:
        if place == self._places[0]:
            if not place.parent.parent.is_dir():  # a drive that is gone is not made anew
                raise FileNotFoundError(errno.ENOENT, "The folder is gone", str(place.parent))
            place.parent.mkdir(exist_ok=True)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
        return self._lock.take(place)

    def _refuse(self, notice: Notice) -> None:
        """Write nothing from now on."""
        self.refused = True
        self._tell(notice)

    def _say_trouble(self, error: OSError) -> None:
        _log.warning("the journal of %s cannot be written: %s", self._study, error)
        if self.trouble is None or self.trouble.errno != error.errno:
            self._tell(trouble(self._study, error))
        self.trouble = error
