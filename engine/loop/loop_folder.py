"""The folder of a loop: its settings, its locked patients, and everything that was decided.

`loop.toml` holds the settings, `locked.json` the fingerprints of the locked patients,
`history.jsonl` a line for each event, `collection/` what readers have approved, version by version,
and `candidates/` every model that was trained. Which model is active is what the history says.
"""

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine.datasets.labelled import LabelledPatient
from engine.errors import CannotSaveError, ModelError
from engine.io.atomic_file import make_folder, write_atomically
from engine.learning.models import ModelEntry, find_model, read_entry
from engine.loop.locked import LockedSet, lock
from engine.loop.rules import Rules
from engine.progress import Steps
from engine.toml_faults import first_fault

SETTINGS = "loop.toml"
LOCKED = "locked.json"
HISTORY = "history.jsonl"
COLLECTION = "collection"
CANDIDATES = "candidates"
_OF_ROUND = {"round", "candidate", "verdict", "studies"}

WhenDue = Literal["offer", "run"]


class LoopSettings(BaseModel):
    """How a loop learns and decides."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: str = Field(description="Model that the loop begins with: a name or a folder.")
    data: tuple[str, ...] = Field(
        default=(), description="Folders with labelled patients that every round learns from too."
    )
    test: tuple[str, ...] = Field(description="Folders with the patients that are locked away.")
    epochs: int = Field(default=30, ge=1, description="Of each fine-tuning.")
    learning_rate: float = Field(default=1.5e-3, gt=0, description="Of each fine-tuning.")
    batch: int | None = Field(
        default=None, ge=1, description="Samples of a step; as the model was trained, if not given."
    )
    folders: tuple[str, ...] = Field(
        default=(), description="Folders whose approved studies are collected."
    )
    new_studies: int = Field(
        default=10, ge=1, description="New approved studies after which a round is worth while."
    )
    when_due: WhenDue = Field(
        default="offer", description="Whether a round is then offered, or run at once."
    )
    use_adopted: bool = Field(
        default=False, description="Whether the whole program predicts with what is adopted."
    )
    rules: Rules = Field(default_factory=Rules, description="When a candidate is adopted.")


@dataclass(frozen=True, slots=True)
class LoopFolder:
    """A loop on the disk.

    Attributes:
        path: Its folder.
        settings: As `loop.toml` has them.
        locked: Who is locked away.
    """

    path: Path
    settings: LoopSettings
    locked: LockedSet

    @property
    def collection(self) -> Path:
        """Where approved studies are kept, a folder each."""
        return self.path / COLLECTION

    @property
    def history(self) -> list[dict[str, Any]]:
        """What happened, the oldest event first.

        Raises:
            ModelError: The file is damaged.
        """
        path = self.path / HISTORY
        if not path.is_file():
            return []
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
            return [_event_of(json.loads(line)) for line in lines]
        except (OSError, ValueError) as error:
            raise ModelError(
                f"{path} is damaged, so it is not known which model is active.",
                hint="Take out the line that is no JSON; each line is an event of its own.",
            ) from error

    @property
    def active(self) -> ModelEntry:
        """The model that is in use.

        Raises:
            ModelError: It is gone or damaged.
        """
        return self._entry(active_in(self.history) or self.settings.start)

    @property
    def first(self) -> ModelEntry:
        """The model that the loop began with.

        Raises:
            ModelError: It is gone or damaged.
        """
        return self._entry(self.settings.start)

    @property
    def next_round(self) -> int:
        """The number of the round that comes next, from 1."""
        return 1 + max((e["round"] for e in self.history if e["event"] == "round"), default=0)

    def candidate(self, number: int) -> Path:
        """The folder of a round's candidate."""
        return self.path / CANDIDATES / f"round-{number:03d}"

    def append(self, event: str, **facts: Any) -> dict[str, Any]:
        """Write an event down, and return it.

        Raises:
            CannotSaveError: It cannot be written.
        """
        at = datetime.now(UTC).isoformat(timespec="seconds")
        entry = {"event": event, "at": at, **facts}
        lines = [*self.history, entry]
        text = [json.dumps(line, allow_nan=False, ensure_ascii=False) + "\n" for line in lines]
        write_atomically(self.path / HISTORY, "".join(text).encode())
        return entry

    def roll_back(self) -> ModelEntry:
        """Make the model active again that was so before the present one.

        Raises:
            ModelError: There is none, or it is gone.
        """
        earlier = activations_in(self.history)
        if not earlier:
            raise ModelError(
                "There is no earlier model to go back to.",
                hint=f"The loop still uses the model it began with, {self.settings.start}.",
            )
        to = earlier[-2] if len(earlier) > 1 else ""
        entry = self._entry(to or self.settings.start)
        self.append("rolled_back", to=to, model=entry.name)
        return entry

    def _entry(self, name: str) -> ModelEntry:
        """A model by its name, or by its folder in this loop."""
        inside = self.path / name
        return read_entry(inside) if name.startswith(f"{CANDIDATES}/") else find_model(name)


def _event_of(content: Any) -> dict[str, Any]:
    """A line of the history.

    Raises:
        ValueError: It is no event, or one that lacks what the choice of the active model needs.
    """
    if not isinstance(content, dict) or not isinstance(content.get("event"), str):
        raise ValueError("no event")
    if content["event"] == "round" and _OF_ROUND - set(content):
        raise ValueError("a round without a verdict")
    return content


def active_in(history: Sequence[Mapping[str, Any]]) -> str:
    """The candidate that is active by a history, relative to the loop; empty: the first model."""
    active = activations_in(history)
    return active[-1] if active else ""


def activations_in(history: Sequence[Mapping[str, Any]]) -> list[str]:
    """The candidates that were adopted and not rolled back, the oldest first."""
    active: list[str] = []
    for event in history:
        if event["event"] == "round" and event["verdict"]["adopted"]:
            active.append(event["candidate"])
        elif event["event"] == "rolled_back" and active:
            active.pop()
    return active


def make_loop(
    path: Path, settings: LoopSettings, test: Sequence[LabelledPatient]
) -> Steps[LoopFolder]:
    """Begin a loop, and lock its test patients away.

    Args:
        path: New or empty folder.
        settings: Of the loop.
        test: Who is locked away, as read from `settings.test`.

    Raises:
        CannotSaveError: The folder holds something already, or cannot be written.
        ModelError: There is no such model to begin with.
    """
    refuse_used(path)
    entry = find_model(settings.start)
    locked = yield from lock(test)
    make_folder(path)
    content = json.dumps(locked.as_json(), indent=1) + "\n"
    write_atomically(path / LOCKED, content.encode())
    _write_settings(path, settings)
    made = LoopFolder(path, settings, locked)
    made.append("started", model=entry.name, locked=len(locked.patients))
    return made


def refuse_used(path: Path) -> None:
    """Refuse a folder that is not for a new loop, before anything slow is done.

    Raises:
        CannotSaveError: It holds something already.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise CannotSaveError(
            f"{path} holds something already.", hint="Choose a new folder for the loop."
        )


def change_settings(loop: LoopFolder, **changes: Any) -> LoopFolder:
    """Change how a loop learns and decides, and write down what was changed.

    Args:
        loop: The loop.
        changes: Fields of `LoopSettings` but `start` and `test`, which stay what they were.

    Raises:
        ModelError: A field is wrong.
        CannotSaveError: The loop cannot be written.
    """
    assert not {"start", "test"} & set(changes)
    before = loop.settings.model_dump(mode="json")
    try:
        settings = LoopSettings.model_validate({**before, **changes})
    except ValidationError as error:
        raise ModelError(
            f"The settings are wrong: {first_fault(error, LoopSettings)}.",
            hint="Nothing was changed; correct the field.",
        ) from error
    after = settings.model_dump(mode="json")
    changed = {name: [before[name], after[name]] for name in after if before[name] != after[name]}
    if not changed:
        return loop
    _write_settings(loop.path, settings)
    made = LoopFolder(loop.path, settings, loop.locked)
    made.append("settings", changed=changed)
    return made


def _write_settings(path: Path, settings: LoopSettings) -> None:
    content = settings.model_dump(mode="json", exclude_none=True)
    write_atomically(path / SETTINGS, tomli_w.dumps(content).encode())


def open_loop(path: Path) -> LoopFolder:
    """Open the folder of a loop.

    Raises:
        ModelError: It is none, or a file in it is damaged.
    """
    try:
        content = tomllib.loads((path / SETTINGS).read_text(encoding="utf-8"))
        settings = LoopSettings.model_validate(content)
        locked = LockedSet.from_json(json.loads((path / LOCKED).read_text(encoding="utf-8")))
    except ValidationError as error:
        raise ModelError(
            f"{path / SETTINGS} is wrong: {first_fault(error, LoopSettings)}.",
            hint="Correct the field, or take it out: every field but start and test has a default.",
        ) from error
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ModelError(
            f"{path} is no loop: {SETTINGS} or {LOCKED} cannot be read.",
            hint="Begin one with `heartseg finetune begin LOOP`.",
        ) from error
    return LoopFolder(path, settings, locked)
