"""Frames of an append-only file: every damage shows, and what lies before it stays good.

The file begins with `MAGIC`. A frame is the length of its payload (4 bytes), the CRC-32 of the
payload (4 bytes), both little-endian, the payload, and a digest of 16 bytes: BLAKE2b of the digest
of the frame before and the payload. The checksum finds a frame that was cut off; the chain finds
frames that were taken out, put in or exchanged.
"""

import hashlib
import struct
import zlib
from dataclasses import dataclass, field

from engine.errors import UnusableJournalError

MAGIC = b"HeartSeg journal 1\n"
_HEAD = struct.Struct("<II")
_DIGEST = 16


@dataclass(frozen=True, slots=True)
class Frames:
    """What could be read of a journal's bytes.

    Attributes:
        payloads: Of all good frames, in their order.
        good: Number of bytes up to the end of the last good frame, the magic included.
        chain: Digest of the last good frame.
        more_follows: Whether bytes after the last good frame are more than one frame that was cut
            off while it was written: something was damaged, not merely unfinished.
    """

    payloads: tuple[bytes, ...] = field(repr=False)
    good: int
    chain: bytes = field(repr=False)
    more_follows: bool


def first_chain() -> bytes:
    """The digest before the first frame."""
    return _next_chain(b"", MAGIC)


def pack_frame(payload: bytes, chain: bytes) -> tuple[bytes, bytes]:
    """A frame's bytes, and the chain's digest after it."""
    after = _next_chain(chain, payload)
    return _HEAD.pack(len(payload), zlib.crc32(payload)) + payload + after, after


def read_frames(content: bytes) -> Frames:
    """All frames up to the first that is not whole and right.

    Raises:
        UnusableJournalError: These are not the bytes of a journal, or those of a later version.
    """
    if not content.startswith(MAGIC):
        if MAGIC.startswith(content):  # cut off while it was made, or empty
            return Frames((), 0, first_chain(), more_follows=False)
        raise UnusableJournalError(
            "The file is no journal that this version of HeartSeg can read.",
            hint="Use the version that wrote it, or move the file away.",
        )
    payloads: list[bytes] = []
    at, chain = len(MAGIC), first_chain()
    while at < len(content):
        payload = _payload_at(content, at, chain)
        if payload is None:
            break
        payloads.append(payload)
        at += _HEAD.size + len(payload) + _DIGEST
        chain = content[at - _DIGEST : at]
    return Frames(tuple(payloads), at, chain, _is_more_than_torn(content, at))


def _payload_at(content: bytes, at: int, chain: bytes) -> bytes | None:
    """The payload of the frame at a position, None where it is not whole and right."""
    if at + _HEAD.size > len(content):
        return None
    length, checksum = _HEAD.unpack_from(content, at)
    start, end = at + _HEAD.size, at + _HEAD.size + length
    if end + _DIGEST > len(content):
        return None
    payload = content[start:end]
    if zlib.crc32(payload) != checksum:
        return None
    return payload if _next_chain(chain, payload) == content[end : end + _DIGEST] else None


def _is_more_than_torn(content: bytes, at: int) -> bool:
    """Whether whole frames may lie behind a broken one.

    What a power cut leaves is a frame whose announced end lies beyond the file, or zeros.
    """
    rest = content[at:]
    if len(rest) < _HEAD.size or not rest.strip(b"\0"):
        return False
    length, _ = _HEAD.unpack_from(rest)
    return bool(_HEAD.size + length + _DIGEST < len(rest))


def _next_chain(chain: bytes, payload: bytes) -> bytes:
    return hashlib.blake2b(chain + payload, digest_size=_DIGEST).digest()
