"""Tells a DICOM object without preamble from other files by its first bytes."""

import struct

_LONGEST_FIRST_VALUE = 1024


def looks_like_dicom(start: bytes) -> bool:
    """Whether bytes begin like a data set: group 2 or 8, a low element, then a likely length.

    Args:
        start: At least the first 16 bytes of the file.
    """
    if len(start) < 16 or start[:2] not in (b"\x02\x00", b"\x08\x00"):
        return False
    if start[3] != 0:  # the first elements of both groups have small numbers
        return False
    if start[4:6].isalpha() and start[4:6].isupper():
        return True
    (length,) = struct.unpack("<I", start[4:8])
    return bool(length <= _LONGEST_FIRST_VALUE)
