"""What a process is asked for, and what it tells: lines of JSON."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from engine import errors
from engine.errors import HeartSegError, ModelError
from engine.learning.run_folder import Row
from engine.progress import Progress
from engine.recipe import Recipe


class Work(Enum):
    """What a process does."""

    TRAIN = "train"
    LOOK = "look"  # at what a training would be, before it starts
    OTHER = "other"  # whatever the engine does step by step


class Word(Enum):
    """What may be said to a process while it works; a closed pipe says stop."""

    PAUSE = "pause"
    GO_ON = "go on"
    STOP = "stop"  # after this batch; what the last whole epoch learned is kept
    KEEP = "keep"  # stop, and make a model of what is best so far


class TrainingEnd(Enum):
    """How a training ended that did not fail."""

    DONE = "done"
    STOPPED = "stopped"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class TrainingOrder:
    """A training that is wanted.

    Attributes:
        recipe: What to train.
        data: Folders of labelled patients.
        out: Folder of the run.
        device: auto, cpu or cuda.
        resume: Go on where an interrupted run in `out` stopped.
        threads: On a CPU; None leaves one core to others. Runs are equal to the last bit with one.
        memory_mb: Most memory that it may take on a CPU [MiB]; None takes what is free.
    """

    recipe: Recipe
    data: tuple[Path, ...]
    out: Path
    device: str = "auto"
    resume: bool = False
    threads: int | None = None
    memory_mb: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain data; see `from_json`."""
        return {
            "recipe": self.recipe.model_dump(mode="json"),
            "data": [str(folder) for folder in self.data],
            "out": str(self.out),
            "device": self.device,
            "resume": self.resume,
            "threads": self.threads,
            "memory_mb": self.memory_mb,
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "TrainingOrder":
        """What `as_json` gave.

        Raises:
            ValueError: It is something else.
        """
        try:
            return cls(
                Recipe.model_validate(content["recipe"]),
                tuple(Path(folder) for folder in content["data"]),
                Path(content["out"]),
                str(content["device"]),
                bool(content["resume"]),
                content["threads"],
                content["memory_mb"],
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"no order of a training: {error}") from error


@dataclass(frozen=True, slots=True)
class TrainingNews(Progress):
    """Progress of a training, with what came to be known.

    Attributes:
        paused: Whether it waits to be told to go on.
        row: Of an epoch that has just ended, as in log.jsonl; None for most.
        signs: Of a collapse in that epoch, as in warnings.json.
        note: Something the reader should know; blank for most.
    """

    paused: bool = False
    row: Row | None = None
    signs: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """Plain data; see `from_json`."""
        content: dict[str, Any] = {"done": self.done, "total": self.total, "doing": self.doing}
        if self.paused:
            content["paused"] = True
        if self.row is not None:
            content |= {"row": self.row, "signs": list(self.signs)}
        if self.note:
            content["note"] = self.note
        return content

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "TrainingNews":
        """What `as_json` gave."""
        return cls(
            content["done"],
            content["total"],
            content["doing"],
            content.get("paused", False),
            content.get("row"),
            tuple(content.get("signs", ())),
            content.get("note", ""),
        )


def fault_as_json(fault: HeartSegError) -> dict[str, str]:
    """A fault as plain data; see `fault_from_json`."""
    return {"class": type(fault).__name__, "what": fault.what, "hint": fault.hint}


def fault_from_json(content: Mapping[str, str]) -> HeartSegError:
    """What `fault_as_json` gave."""
    kind = getattr(errors, content["class"], ModelError)
    fault: HeartSegError = kind(content["what"], hint=content["hint"])
    return fault


def to_line(kind: str, content: Any) -> str:
    """A line that says one thing; never NaN."""
    return json.dumps({kind: content}, allow_nan=False) + "\n"


def from_line(line: str) -> tuple[str, Any]:
    """What a line says.

    Raises:
        ValueError: It is no line of ours.
    """
    content = json.loads(line)
    if not isinstance(content, dict) or len(content) != 1:
        raise ValueError(f"no line of a training: {line[:80]!r}")
    ((kind, said),) = content.items()
    return kind, said
