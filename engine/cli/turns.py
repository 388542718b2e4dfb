"""Trainings of the command line take turns on a device, with each other and with the window's."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Annotated

import typer

from engine.cli.console import drive, say_note
from engine.cli.patient import DeviceChoice

BesideOption = Annotated[
    bool, typer.Option("--beside", help="Do not wait for another training on this device.")
]


@contextmanager
def in_turn(device: DeviceChoice, *, beside: bool) -> Iterator[None]:
    """Train while no other process of this user does so on the same device.

    Two trainings on one device are slower than one after the other, and may be one too many for
    its memory. Of a training in several processes, the first one waits; the others wait for it.

    Args:
        device: Where to compute.
        beside: Do not wait, and let nobody wait.

    Raises:
        CannotSaveError: The turn cannot be claimed.
    """
    from engine.learning.apart.steps import await_turn
    from engine.learning.processes import is_first_process
    from engine.learning.runtime import choose_device

    with ExitStack() as stack:
        if not beside and is_first_process():
            waiting = await_turn(choose_device(device.value).type, stack)
            if next(waiting, None) is not None:
                say_note("Another training has this device; waiting for it (not with --beside).")
                drive(waiting)
        yield
