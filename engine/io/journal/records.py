"""The lines of a journal and their bytes: plain values, and the patch of an edit."""

import json
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from engine.io.journal.entries import STEPS

DAMAGED = (AttributeError, IndexError, KeyError, TypeError, ValueError, zlib.error)
"""What is raised by a line that is not as it was written."""

_RAW = -15
"""No header and no checksum of zlib's own: the frame has one."""

_LARGEST = 1 << 29
"""Bytes a payload may become; more is no journal of ours."""

_WORDS = (
    b'{"number":1,"kind":"edit","at":"2026-01-01T00:00:00.000Z","by":"","step":1,"text":"Paint",'
    b'"text":"Erase","source":"human","voxels":100,"structures":{"2":[10,0],"3":'
    b'[0,10]},"places":[[0,5]],"box":[100,150,100,150]}\n'
)
"""What most lines look like: compression begins with it. A part of the format; never change it."""


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """One line of a journal.

    Attributes:
        number: Position among all lines ever written, from 1.
        kind: What it says; a word of a later version where no `Kind` has it.
        at: When, ISO 8601 in UTC.
        by: Name of the reader; may be empty.
        facts: The rest, as JSON values.
        patch: Bytes of the patch of an edit, see `engine.io.journal.patches`, else empty.
    """

    number: int
    kind: str
    at: str
    by: str
    facts: dict[str, Any]
    patch: bytes = field(default=b"", repr=False)

    @property
    def is_step(self) -> bool:
        """Whether it is a step, or a piece of one, that can be undone."""
        return self.kind in STEPS

    @property
    def step(self) -> int:
        """Number of the step that it is a piece of."""
        return int(self.facts["step"])

    def as_json(self) -> dict[str, Any]:
        """The line without its patch."""
        line = {"number": self.number, "kind": str(self.kind), "at": self.at, "by": self.by}
        return line | self.facts

    def as_bytes(self) -> bytes:
        """What a frame holds: compressed JSON, a line feed, and the patch."""
        text = json.dumps(self.as_json(), ensure_ascii=False, separators=(",", ":"))
        squeeze = zlib.compressobj(6, zlib.DEFLATED, _RAW, zdict=_WORDS)
        return squeeze.compress(text.encode() + b"\n" + self.patch) + squeeze.flush()


def record_from_json(line: dict[str, Any], patch: bytes = b"") -> Record:
    """The record of a line.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: It is damaged.
    """
    rest = dict(line)
    number, kind = int(rest.pop("number")), str(rest.pop("kind"))
    return Record(number, kind, str(rest.pop("at")), str(rest.pop("by")), rest, patch)


def record_from_bytes(payload: bytes) -> Record:
    """The record in a frame's payload.

    Raises:
        AttributeError, KeyError, TypeError, ValueError, zlib.error: It is damaged.
    """
    expand = zlib.decompressobj(_RAW, zdict=_WORDS)
    content = expand.decompress(payload, _LARGEST)
    if not expand.eof:
        raise ValueError("a line of the journal is incomplete or far too large")
    text, _, patch = content.partition(b"\n")
    return record_from_json(json.loads(text), patch)


def utc_text(seconds: float) -> str:
    """A moment, given in seconds since 1970, as ISO 8601 with milliseconds in UTC."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
