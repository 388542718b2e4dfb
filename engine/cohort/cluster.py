"""The same work on a Dask cluster: the only door to dask.distributed, an optional extra.

Dask moves what it is given by pickling. Only text and the name of a function travel here, but
whoever can reach the scheduler can run anything on its workers: keep it in a network of your own.
The studies and the folder for the results must be reachable by the same paths everywhere.
"""

import json
import time
from collections.abc import Callable, Sequence
from typing import Any

from engine.cohort.crew import StudyDone
from engine.cohort.outcome import CohortOutcome, CohortTask
from engine.cohort.study_work import do_task
from engine.errors import HeartSegError
from engine.progress import Progress, Steps

_POLL_S = 0.2
_REACH_S = 15
_LOST = "The workers that did it were lost each time."
_LOOK_THERE = "See the log of the workers; every worker must reach the same folders."


def run_on_cluster(
    tasks: Sequence[CohortTask], address: str, *, work: Callable[[str], str] = do_task
) -> Steps[list[CohortOutcome]]:
    """Do studies on a cluster; yields `StudyDone` after each.

    A study whose worker is lost is done again by another one; one that was done already, but
    whose worker was lost before it could say so, is only read again.

    Args:
        tasks: The studies.
        address: Of the scheduler, e.g. `tcp://10.0.0.1:8786`.
        work: What does a study; for tests.

    Raises:
        HeartSegError: Dask is not installed, or nobody answers at the address.
    """
    client = _connect(address)
    outcomes: list[CohortOutcome] = []
    pending: dict[Any, CohortTask] = {}
    try:
        for task in tasks:
            future = client.submit(work, task.as_text(), key=_key(task), pure=False, retries=2)
            pending[future] = task
        while pending:
            for future in [each for each in pending if each.done()]:
                outcome = _outcome(future, pending.pop(future))
                outcomes.append(outcome)
                yield StudyDone.of(len(outcomes), len(tasks), outcome)
            yield Progress(len(outcomes), len(tasks), f"Working on {address}")
            time.sleep(_POLL_S)
    finally:
        if pending:
            client.cancel(list(pending))
        client.close()
    return outcomes


def _key(task: CohortTask) -> str:
    """What the cluster calls a study: its work is never shared with another cohort's."""
    return f"heartseg-{task.fingerprint}-{time.monotonic_ns()}"


def _connect(address: str) -> Any:
    try:
        # no statement, which would put Dask into a bundle wherever one is built beside it
        distributed: Any = __import__("distributed")
    except ImportError as error:
        raise HeartSegError(
            "Dask is not installed, so no cluster can be used.",
            hint="Install it with `pip install heartseg[cluster]`, or leave out --scheduler.",
        ) from error
    try:
        return distributed.Client(address, timeout=_REACH_S, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise HeartSegError(
            f"No Dask scheduler answers at {address}.",
            hint="Check the address, e.g. tcp://10.0.0.1:8786, and that both sides run the same "
            "version of dask.",
        ) from error


def _outcome(future: Any, task: CohortTask) -> CohortOutcome:
    if future.status == "finished":
        return CohortOutcome.from_json(json.loads(future.result()))
    error = future.exception() if future.status == "error" else None
    reason = _LOST
    if error is not None and "Killed" not in type(error).__name__:
        # what an error says may name the study
        reason = f"A worker failed: {type(error).__name__}." if task.pseudonym else str(error)
    return task.failed(reason, _LOOK_THERE)
