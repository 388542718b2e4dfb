"""Garbage is collected between tests of the window, on the window's thread, never during one.

The program does the same by `GarbageTimer`: a cycle collector that happens to run on a pool thread
destroys dead widgets there, and Qt ends the process.
"""

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def old_objects_set_aside() -> Iterator[None]:
    """What engine tests and imports have left is not looked at again and again."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def garbage_collected_between_tests(old_objects_set_aside: None) -> Iterator[None]:
    """No collector while the window lives; one afterwards."""
    gc.disable()
    yield
    gc.collect()
    gc.enable()
