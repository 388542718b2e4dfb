"""A journal as it must lie on the disk, held in memory."""

from engine.errors import UnusableJournalError
from engine.io.journal.frames import MAGIC, first_chain, pack_frame, read_frames
from engine.io.journal.history import History
from engine.io.journal.records import DAMAGED, Record, record_from_bytes


class JournalImage:
    """The bytes of a journal, and what they amount to; it grows at its end alone.

    Attributes:
        content: All bytes.
        history: What they say.
    """

    def __init__(self) -> None:
        self.content = bytearray(MAGIC)
        self.history = History()
        self._chain = first_chain()

    @classmethod
    def read(cls, content: bytes) -> tuple["JournalImage", bool]:
        """The image of a file's bytes up to the first damage.

        Returns:
            The image, and whether more than a torn tail was left out: whole frames may follow.

        Raises:
            UnusableJournalError: The bytes are no journal, one of a later version, or their lines
                do not fit together.
        """
        frames = read_frames(content)
        image = cls()
        try:
            for payload in frames.payloads:
                image.history.take(record_from_bytes(payload))
        except DAMAGED as error:
            raise UnusableJournalError(
                "The journal's lines do not fit together.",
                hint="It is left as it is; a new one is begun.",
            ) from error
        if frames.good:
            image.content[:] = content[: frames.good]
            image._chain = frames.chain
        return image, frames.more_follows

    def append(self, record: Record) -> None:
        """Add a line at the end."""
        self.history.take(record)
        frame, self._chain = pack_frame(record.as_bytes(), self._chain)
        self.content += frame
