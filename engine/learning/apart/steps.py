"""Any work of the engine, done step after step in a process of its own."""

import importlib
import time
from collections.abc import Mapping
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

from engine.learning.apart.order import TrainingNews
from engine.learning.apart.places import claim_of_device, claimed
from engine.progress import Progress, Steps

if TYPE_CHECKING:  # it brings PyTorch
    from engine.learning.apart.training import Listener, Teller

_WAIT_S = 0.5


def steps_to_end(
    target: str, order: Mapping[str, Any], mouth: "Teller", ears: "Listener"
) -> dict[str, Any]:
    """Ask a generator of the engine for step after step, and tell how far it is.

    Args:
        target: `package.module:function`, which takes the order and returns `Steps` of plain data.
        order: Plain data.
        mouth: Who is told.
        ears: To pause is not to ask; to stop is to close the generator.

    Returns:
        What the generator returns; nothing where it was stopped.

    Raises:
        HeartSegError: As the generator.
    """
    module, _, name = target.partition(":")
    assert module.startswith("engine.")
    with closing(getattr(importlib.import_module(module), name)(order)) as steps:
        while not ears.stopped:
            if ears.paused:
                ears.news.wait(_WAIT_S)
                continue
            try:
                progress = next(steps)
            except StopIteration as end:
                return dict(end.value)
            mouth.tell(TrainingNews(progress.done, progress.total, progress.doing))
    return {}


def await_turn(device: str, stack: ExitStack) -> Steps[None]:
    """Claim a device as soon as nobody else trains there.

    Args:
        device: cpu or cuda.
        stack: Lets go of the claim when it closes.

    Raises:
        CannotSaveError: The claim cannot be written down.
    """
    while True:
        with ExitStack() as attempt:
            if attempt.enter_context(claimed(claim_of_device(device))):
                stack.enter_context(attempt.pop_all())
                return
        yield Progress(0, 0, "Waiting: another training has this device")
        time.sleep(_WAIT_S)
