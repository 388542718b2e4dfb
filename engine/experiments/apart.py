"""An experiment in a process of its own, so that the window stays quick while it trains."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from engine.errors import ModelError
from engine.experiments.grid import read_grid
from engine.progress import Steps

TARGET = "engine.experiments.apart:grid_to_end"
"""What `engine.learning.apart` is told to run."""


def grid_to_end(order: Mapping[str, Any]) -> Steps[Mapping[str, Any]]:
    """Run an experiment as an order in plain data asks for it; called in the other process.

    It waits until nobody else trains on the device.

    Args:
        order: `name`, `out`, `data`, `quick`, `device`, `only`, and `folds` or None, see
            `run_experiment`.

    Returns:
        `{"table": ...}`, the file with the table.

    Raises:
        HeartSegError: As `run_experiment`.
    """
    try:
        name, out, device = str(order["name"]), Path(order["out"]), str(order["device"])
        data = [Path(folder) for folder in order["data"]]
        only, quick, folds = tuple(order["only"]), bool(order["quick"]), order["folds"]
    except (KeyError, TypeError) as error:
        raise ModelError(
            "The order of an experiment is damaged.", hint="Start the experiment again."
        ) from error
    read_grid(name).cells(quick=quick, only=only)  # what is wrong there is told at once

    from engine.experiments.running import run_experiment
    from engine.learning.apart.memory import limit_memory
    from engine.learning.apart.steps import await_turn
    from engine.learning.apart.training import usual_threads
    from engine.learning.runtime import choose_device

    where = choose_device(device)
    with ExitStack() as stack:
        yield from await_turn(where.type, stack)
        limit_memory(None, where)
        table = yield from run_experiment(
            name,
            out,
            quick=quick,
            data=data,
            device=device,
            folds=folds,
            only=only,
            threads=usual_threads(),
        )
    return {"table": str(table)}
