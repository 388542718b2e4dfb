"""Starting a process that works apart, following it, and holding its reins."""

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from engine.errors import HeartSegError, ModelError
from engine.learning.apart import HIDDEN_COMMAND
from engine.learning.apart.order import (
    TrainingEnd,
    TrainingNews,
    TrainingOrder,
    Word,
    Work,
    fault_from_json,
    from_line,
)
from engine.progress import Steps

_POLL_S = 0.2
_GRACE_S = 3.0  # then with force: whatever is written is written whole, or not at all
_KILLED = -9  # by the system, which does so when memory is full
_WORKER = "engine.learning.apart.worker"


class Reins:
    """Says words to a process that works, from any thread; none is lost that is said early."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: _Process | None = None
        self._early: list[Word] = []

    @property
    def process_id(self) -> int | None:
        """The system's number of the process; None before there is one."""
        with self._lock:
            return None if self._process is None else self._process.number

    def pause(self) -> None:
        """Wait after this batch."""
        self._say(Word.PAUSE)

    def go_on(self) -> None:
        """Wait no longer."""
        self._say(Word.GO_ON)

    def stop(self) -> None:
        """Stop after this batch; the last whole epoch can be gone on from."""
        self._say(Word.STOP)

    def keep(self) -> None:
        """Stop after this batch, and make a model of what is best so far."""
        self._say(Word.KEEP)

    def take(self, process: "_Process") -> None:
        """Speak to this process from now on."""
        with self._lock:
            self._process = process
            for word in self._early:
                process.say(word.value)

    def _say(self, word: Word) -> None:
        with self._lock:
            if self._process is None:
                self._early.append(word)
            else:
                self._process.say(word.value)


def train_apart(order: TrainingOrder, reins: Reins | None = None) -> Steps[TrainingEnd]:
    """Train in a process of its own; yields `TrainingNews` a few times a second.

    A generator that is closed stops the process: after its batch, or with force where that takes
    too long. So does the end of this process, however it ends.

    Args:
        order: What to train.
        reins: Says words to it.

    Raises:
        HeartSegError: As `training.train`; or the process ended, as when memory is full.
    """
    said = yield from _follow(Work.TRAIN, order, reins)
    return TrainingEnd(said)


def look_apart(order: TrainingOrder) -> Steps[Mapping[str, Any]]:
    """Look at what a training would be, in a process of its own; see `outlook.read_outlook`.

    Raises:
        HeartSegError: The data cannot be read, or do not fit the recipe.
    """
    found: Mapping[str, Any] = yield from _follow(Work.LOOK, order, None)
    return found


def run_apart(target: str, order: Mapping[str, Any]) -> Steps[dict[str, Any]]:
    """Do any work of the engine in a process of its own; see `steps.steps_to_end`.

    A generator that is closed stops the process, as in `train_apart`.

    Args:
        target: `package.module:function`, which takes the order and returns `Steps` of plain data.
        order: Plain data.

    Raises:
        HeartSegError: As the work; or the process ended, as when memory is full.
    """
    task = {"work": Work.OTHER.value, "target": target, "order": dict(order)}
    said: dict[str, Any] = yield from _follow_task(task, None, None)
    return said


def _follow(work: Work, order: TrainingOrder, reins: Reins | None) -> Steps[Any]:
    return (yield from _follow_task({"work": work.value, **order.as_json()}, order, reins))


def _follow_task(
    task: Mapping[str, Any], order: TrainingOrder | None, reins: Reins | None
) -> Steps[Any]:
    process = _Process(task)
    latest = TrainingNews(0, 0, "Starting")
    try:
        if reins is not None:
            reins.take(process)
        while True:
            line = process.next_line()
            if line is None:  # so that whoever drives can stop
                yield replace(latest, row=None, signs=(), note="")
                continue
            if not line.endswith("\n"):  # no more, or half of what it wanted to say
                raise process.lost(order)
            kind, said = from_line(line)
            if kind == "done":
                return said
            if kind == "fault":
                raise fault_from_json(said)
            latest = TrainingNews.from_json(said)
            yield latest
    finally:
        process.dismiss()


class _Process:
    """A process that works, and the thread that reads what it tells."""

    def __init__(self, task: Mapping[str, Any]) -> None:
        self._complaints: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  (closed below)
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._lock = threading.Lock()
        try:
            self._process = subprocess.Popen(
                _command(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._complaints,
                env=_environment(),
                encoding="utf-8",
                **_manners(),
            )
        except OSError as error:
            self._complaints.close()
            raise ModelError(
                f"No process could be started for the training: {error.strerror or error}.",
                hint="Close other programs, or train with `heartseg train`.",
            ) from error
        self._reader = threading.Thread(target=self._read, name="heartseg-apart", daemon=True)
        self._reader.start()
        self.say(json.dumps(task))

    @property
    def number(self) -> int:
        """The system's number of it."""
        return self._process.pid

    def say(self, line: str) -> None:
        """Write a line to the process; nothing where it has ended."""
        with self._lock, suppress(OSError, ValueError):
            assert self._process.stdin is not None
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()

    def next_line(self) -> str | None:
        """The next line; None where there is none yet, blank where none will come."""
        try:
            return self._lines.get(timeout=_POLL_S)
        except queue.Empty:
            return None

    def lost(self, order: TrainingOrder | None) -> HeartSegError:
        """Why a process said no more."""
        code = self._process.wait()
        said = self._last_complaint()
        if code == _KILLED:
            smaller = "Make the batch smaller"
            if order is not None:
                batch = order.recipe.training.batch
                smaller = f"Make training.batch {max(1, batch // 2)} (it is {batch})"
            return ModelError(
                "The system ended the training, most likely because memory was full.",
                hint=f"{smaller}, or close other programs. What the last whole epoch learned is "
                "kept.",
            )
        return ModelError(
            f"The process of the training ended (code {code}){': ' + said if said else ''}.",
            hint="Go on from the last whole epoch; should it happen again, please report it.",
        )

    def dismiss(self) -> None:
        """See to it that the process ends, and wait for it."""
        self.say(Word.STOP.value)
        with self._lock, suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        try:
            self._process.wait(timeout=_GRACE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._complaints.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with suppress(OSError, ValueError):
            for line in self._process.stdout:
                self._lines.put(line)
        self._lines.put("")

    def _last_complaint(self) -> str:
        """The last line that it wrote where errors go."""
        self._complaints.seek(0)
        lines = self._complaints.read().decode(errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else ""


def _command() -> list[str]:
    if getattr(sys, "frozen", False):  # a bundle's command line lies beside its window
        suffix = ".exe" if os.name == "nt" else ""
        return [str(Path(sys.executable).with_name(f"heartseg{suffix}")), HIDDEN_COMMAND]
    return [sys.executable, "-m", _WORKER]


def _environment() -> dict[str, str]:
    """Idle threads sleep: spinning ones would take the window's core (OMP_WAIT_POLICY)."""
    return os.environ | {"OMP_WAIT_POLICY": "passive"}


def _manners() -> dict[str, Any]:
    """A process of the lower priority on Windows; elsewhere it lowers its own."""
    if os.name == "nt":
        lower = subprocess.BELOW_NORMAL_PRIORITY_CLASS | subprocess.CREATE_NO_WINDOW  # type: ignore[attr-defined,unused-ignore]
        return {"creationflags": lower}
    return {}
