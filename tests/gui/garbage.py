"""Garbage is collected between tests of the window, on the window's thread, never during one.

The program does the same by `GarbageTimer`: a cycle collector that happens to run on a pool thread
destroys dead widgets there, and Qt ends the process.
"""

import gc
from collections.abc import Iterator

import pytest
import shiboken6
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication, QWidget


def speakers() -> set[QObject]:
    """States and controllers that live, as far as nobody in Qt owns them."""
    return {
        each
        for each in gc.get_objects()
        # not isinstance, which asks some of PyTorch's objects for what they warn of
        if issubclass(type(each), QObject) and not issubclass(type(each), (QWidget, QApplication))
        if shiboken6.isValid(each) and shiboken6.ownedByPython(each) and each.parent() is None
    }


def end_speakers(but: set[QObject]) -> None:
    """End the states and controllers of a window that was closed.

    Qt keeps who listens to a signal until the speaker's end, and so whole windows, in circles that
    Python cannot see: each test would make every collection after it slower.

    Args:
        but: Those that were there before the window.
    """
    for each in speakers() - but:
        if shiboken6.isValid(each):
            shiboken6.delete(each)


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
