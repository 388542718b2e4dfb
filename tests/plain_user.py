"""Lets tests run as root meet the permissions that every other user meets."""

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import POINTER, Structure, c_int, c_uint32

import pytest

_VERSION_3 = 0x20080522  # linux/capability.h
_READS_AND_WRITES_ALL = 1 << 1 | 1 << 2  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH


class _Head(Structure):
    _fields_ = (("version", c_uint32), ("pid", c_int))


class _Sets(Structure):
    _fields_ = (("effective", c_uint32), ("permitted", c_uint32), ("inheritable", c_uint32))


@contextmanager
def as_plain_user() -> Iterator[None]:
    """Obey file permissions inside the block, as root too; skips where that cannot be had."""
    if os.name != "posix":
        pytest.skip("file permissions as POSIX knows them")
    if os.geteuid() != 0:
        yield
        return
    if sys.platform != "linux":
        pytest.skip("root obeys no permissions here")
    head, sets = _Head(_VERSION_3, 0), (_Sets * 2)()
    _call("capget", head, sets)
    before = sets[0].effective
    sets[0].effective = before & ~_READS_AND_WRITES_ALL
    _call("capset", head, sets)
    try:
        yield
    finally:
        sets[0].effective = before
        _call("capset", head, sets)


def _call(name: str, head: _Head, sets: "ctypes.Array[_Sets]") -> None:
    function = getattr(ctypes.CDLL(None, use_errno=True), name)
    function.argtypes = (POINTER(_Head), POINTER(_Sets))
    if function(ctypes.byref(head), sets) != 0:
        pytest.skip(f"{name} was refused: {os.strerror(ctypes.get_errno())}")
