"""A round in a process of its own, so that the window stays quick while it learns."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from engine.errors import ModelError
from engine.learning.apart.steps import await_turn
from engine.loop.loop_folder import open_loop
from engine.loop.rounds import run_round
from engine.progress import Steps

TARGET = "engine.loop.apart:round_to_end"
"""What `engine.learning.apart` is told to run."""


def round_to_end(order: Mapping[str, Any]) -> Steps[Mapping[str, Any]]:
    """Run a round as an order in plain data asks for it; called in the other process.

    Args:
        order: `loop`, its folder; `device`; `threads`, or None to leave one core to others.

    Raises:
        HeartSegError: As `run_round`.
    """
    try:
        place, device, threads = Path(order["loop"]), str(order["device"]), order["threads"]
    except (KeyError, TypeError) as error:
        raise ModelError(
            "The order of a round is damaged.", hint="Start the round again."
        ) from error
    from engine.learning.apart.memory import limit_memory
    from engine.learning.apart.training import usual_threads
    from engine.learning.runtime import choose_device

    where = choose_device(device)
    with ExitStack() as stack:
        yield from await_turn(where.type, stack)
        limit_memory(None, where)
        steps = run_round(open_loop(place), device=where.type, threads=threads or usual_threads())
        done = yield from steps
    return {"round": done.number, "adopted": done.verdict.adopted}
