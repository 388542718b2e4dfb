"""What a process that trains does from its first line to its last."""

import json
import math
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Protocol

import torch

from engine.datasets.catalogue import read_labelled
from engine.datasets.labelled import LabelledPatient
from engine.errors import ModelError
from engine.learning.apart.memory import limit_memory
from engine.learning.apart.order import TrainingEnd, TrainingNews, TrainingOrder
from engine.learning.apart.places import claim_of_device, claim_of_run, claimed
from engine.learning.keeping import keep_best
from engine.learning.run_folder import Row
from engine.learning.runtime import choose_device, count_cores
from engine.learning.training import train
from engine.learning.training_data import check_recipe
from engine.progress import Progress, Steps

_WAIT_S = 0.5
_PATIENCE_S = 30.0
"""For the folder of a run: the process of a window that crashed may need that long to end."""

_FOLDER_TAKEN = "Waiting: another process trains into this folder"
_DEVICE_TAKEN = "Waiting: another training has this device"


class Listener(Protocol):
    """What may be said from outside."""

    paused: bool
    stopped: bool
    keeping: bool
    news: Any


class Teller(Protocol):
    """Who is told."""

    def tell(self, news: TrainingNews) -> None:
        """Tell news."""


def train_to_end(order: TrainingOrder, mouth: Teller, ears: Listener) -> str:
    """Train, wait where it is asked for, and tell; the end as a text.

    Raises:
        HeartSegError: As `training.train`; or another process trains into the folder.
    """
    device = choose_device(order.device)
    with ExitStack() as stack:
        claims = _Claims(stack, mouth, ears)
        if not claims.take(claim_of_run(order.out), _FOLDER_TAKEN, most_s=_PATIENCE_S):
            if ears.stopped:
                return TrainingEnd.STOPPED.value
            raise ModelError(
                f"Another process is training into {order.out}.",
                hint="Wait for it, or choose another folder.",
            )
        if not claims.take(claim_of_device(device.type), _DEVICE_TAKEN):
            return TrainingEnd.STOPPED.value
        limit_memory(order.memory_mb, device)
        patients: list[LabelledPatient] = []
        end = _drive(_read(order, patients), order.out, mouth, ears, keeps=False)
        if end is TrainingEnd.DONE:
            end = _drive(_train(order, device, patients), order.out, mouth, ears)
        if end is TrainingEnd.KEPT:
            steps = keep_best(patients, order.recipe, order.out, device=device.type)
            end = _drive(steps, order.out, mouth, ears, keeps=False)
            end = TrainingEnd.KEPT if end is TrainingEnd.DONE else end
        return end.value


def usual_threads() -> int:
    """Threads of a training beside a window: one core is left to the window."""
    return max(1, count_cores() - 1)


class _Claims:
    """Claims things for this process as soon as nobody else has them."""

    def __init__(self, stack: ExitStack, mouth: Teller, ears: Listener) -> None:
        self._stack, self._mouth, self._ears = stack, mouth, ears

    def take(self, path: Path, taken: str, *, most_s: float = math.inf) -> bool:
        """Wait for something, telling that it is taken; False where told to stop, or too long."""
        began = time.monotonic()
        while not self._ears.stopped:
            with ExitStack() as attempt:
                if attempt.enter_context(claimed(path)):
                    self._stack.enter_context(attempt.pop_all())
                    return True
            if time.monotonic() - began >= most_s:
                break
            self._mouth.tell(TrainingNews(0, 0, taken))
            self._ears.news.wait(_WAIT_S)
        return False


def _read(order: TrainingOrder, patients: list[LabelledPatient]) -> Steps[Path]:
    """Put the labelled patients of all folders into `patients`."""
    check_recipe(order.recipe)  # before the data are read, which takes long
    for folder in order.data:
        if not folder.is_dir():
            raise ModelError(
                f"There is no folder {folder} any more.", hint="Put it back, or choose another."
            )
        patients += yield from read_labelled(folder)
    return order.out


def _train(
    order: TrainingOrder, device: torch.device, patients: list[LabelledPatient]
) -> Steps[Path]:
    return train(
        patients,
        order.recipe,
        order.out,
        device=device.type,
        resume=order.resume,
        threads=order.threads or usual_threads(),
    )


def _drive(
    steps: Steps[Path], out: Path, mouth: Teller, ears: Listener, *, keeps: bool = True
) -> TrainingEnd:
    """Ask for step after step: to pause is not to ask; `keeps` is whether the word keep ends it."""
    follower = _Follower(out)
    with closing(steps):
        latest = Progress(0, 0, "Starting")
        while True:
            while ears.paused and not (ears.stopped or (keeps and ears.keeping)):
                ears.news.clear()
                mouth.tell(TrainingNews(latest.done, latest.total, latest.doing, paused=True))
                ears.news.wait(_WAIT_S)
            if ears.stopped:
                return TrainingEnd.STOPPED
            if keeps and ears.keeping:
                return TrainingEnd.KEPT
            try:
                latest = next(steps)
            except StopIteration:
                _tell_rows(follower, latest, mouth)
                return TrainingEnd.DONE
            _tell_rows(follower, latest, mouth)
            mouth.tell(TrainingNews(latest.done, latest.total, latest.doing))


def _tell_rows(follower: "_Follower", latest: Progress, mouth: Teller) -> None:
    for row, signs in follower.new_rows():
        mouth.tell(TrainingNews(latest.done, latest.total, latest.doing, row=row, signs=signs))


class _Follower:
    """Finds the epochs that a run has written down since it was last asked."""

    def __init__(self, out: Path) -> None:
        self._log, self._warnings = out / "log.jsonl", out / "warnings.json"
        self._stamp = self._now()
        self._told = len(self._rows()) if self._stamp else 0

    def new_rows(self) -> Iterator[tuple[Row, tuple[dict[str, Any], ...]]]:
        """Rows of the log with the signs of a collapse in their epochs."""
        stamp = self._now()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        rows = self._rows()
        # A run that goes on drops epochs whose state was not written: then the log is shorter.
        first = min(self._told, max(0, len(rows) - 1))
        self._told = len(rows)
        for row in rows[first:]:
            yield row, tuple(sign for sign in self._signs() if sign["epoch"] == row["epoch"])

    def _now(self) -> int:
        try:
            return self._log.stat().st_mtime_ns
        except OSError:
            return 0

    def _rows(self) -> list[Row]:
        lines = self._log.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def _signs(self) -> list[dict[str, Any]]:
        if not self._warnings.is_file():
            return []
        found: list[dict[str, Any]] = json.loads(self._warnings.read_text(encoding="utf-8"))
        return found
