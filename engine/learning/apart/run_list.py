"""The trainings that a window knows, in a small file that outlives it."""

import json
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from engine.errors import HeartSegError, ModelError
from engine.io.atomic_file import write_atomically
from engine.learning.apart.order import TrainingOrder, fault_as_json, fault_from_json

LIST = "trainings.json"
_log = logging.getLogger(__name__)


class RunState(Enum):
    """How far a training has come."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"  # by the reader, or because the program ended; it can go on
    FAILED = "failed"
    DONE = "done"
    KEPT = "kept"  # stopped, and made a model

    @property
    def is_active(self) -> bool:
        """Whether a process works on it."""
        return self in {RunState.RUNNING, RunState.PAUSED}

    @property
    def is_model(self) -> bool:
        """Whether a model came of it."""
        return self in {RunState.DONE, RunState.KEPT}


@dataclass(frozen=True, slots=True)
class NotedRun:
    """A training in the list.

    Attributes:
        key: Tells it from every other.
        order: What is trained.
        state: How far it has come.
        fault: Why it failed; None where it did not.
    """

    key: str
    order: TrainingOrder
    state: RunState
    fault: HeartSegError | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain data; see `from_json`."""
        fault = None if self.fault is None else fault_as_json(self.fault)
        order = self.order.as_json()
        return {"key": self.key, "order": order, "state": self.state.value, "fault": fault}

    @classmethod
    def from_json(cls, content: Any) -> "NotedRun":
        """What `as_json` gave.

        Raises:
            ValueError: It is something else.
        """
        try:
            fault = content["fault"]
            return cls(
                str(content["key"]),
                TrainingOrder.from_json(content["order"]),
                RunState(content["state"]),
                None if fault is None else fault_from_json(fault),
            )
        except (KeyError, TypeError, ValidationError) as error:
            raise ValueError(f"no training: {error}") from error


def read_runs(folder: Path) -> list[NotedRun]:
    """The trainings in a folder's list; what another program wrote there is set aside.

    One that was under way when the program ended is stopped now.

    Raises:
        ModelError: The list is there and cannot be read.
    """
    path = folder / LIST
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        runs = [NotedRun.from_json(each) for each in content]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ModelError(
            f"The list of trainings {path} cannot be read: {error.strerror or error}.",
            hint="Check its permissions; the trainings themselves lie in their own folders.",
        ) from error
    except (ValueError, TypeError) as error:
        _log.warning("%s is no list of trainings and was set aside: %s", path, error)
        with suppress(OSError):
            path.replace(path.with_suffix(".damaged"))
        return []
    return [
        NotedRun(run.key, run.order, RunState.STOPPED, run.fault) if run.state.is_active else run
        for run in runs
    ]


def write_runs(folder: Path, runs: Sequence[NotedRun]) -> None:
    """Write the list, replacing the earlier one at once.

    Raises:
        CannotSaveError: It cannot be written.
    """
    content = json.dumps([run.as_json() for run in runs], indent=1, allow_nan=False)
    write_atomically(folder / LIST, (content + "\n").encode())
