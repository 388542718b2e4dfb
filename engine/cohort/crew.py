"""Several worker processes on this machine; one that ends is replaced, and its study done again."""

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from engine.cohort.outcome import CohortOutcome, CohortTask, write_outcome
from engine.errors import HeartSegError
from engine.progress import Progress, Steps

_TRIES = 3
_POLL_S = 0.2
_ENDED = "The process that worked on it ended each time."
_ENDED_HINT = "Its memory may have been full: take fewer workers, or do this study alone."


@dataclass(frozen=True, slots=True, eq=False)
class StudyDone(Progress):
    """Progress that brings the outcome of a study."""

    outcome: CohortOutcome = field(repr=False)

    @classmethod
    def of(cls, done: int, total: int, outcome: CohortOutcome) -> "StudyDone":
        """So many studies of all are done, this one the latest."""
        return cls(done, total, f"{outcome.name}: {outcome.status}", outcome)


def run_crew(tasks: Sequence[CohortTask], workers: int) -> Steps[list[CohortOutcome]]:
    """Do studies in several processes; yields `StudyDone` after each.

    Args:
        tasks: The studies.
        workers: How many processes; at least 1.

    Returns:
        The outcomes in the order in which they came.
    """
    waiting: queue.SimpleQueue[CohortTask] = queue.SimpleQueue()
    for task in tasks:
        waiting.put(task)
    results: queue.SimpleQueue[CohortOutcome | BaseException] = queue.SimpleQueue()
    count = max(1, min(workers, len(tasks)))
    crew = [_Member(waiting, results, count) for _ in range(count)]
    outcomes: list[CohortOutcome] = []
    try:
        for member in crew:
            member.start()
        while len(outcomes) < len(tasks):
            try:
                result = results.get(timeout=_POLL_S)
            except queue.Empty:
                yield Progress(len(outcomes), len(tasks), "Working on the studies")
                continue
            if isinstance(result, BaseException):
                raise result
            outcomes.append(result)
            yield StudyDone.of(len(outcomes), len(tasks), result)
    finally:
        for member in crew:
            member.dismiss()
        for member in crew:
            member.join()
    return outcomes


class _Member(threading.Thread):
    """Hands tasks to a process of its own, and takes what comes back."""

    def __init__(
        self,
        waiting: "queue.SimpleQueue[CohortTask]",
        results: "queue.SimpleQueue[CohortOutcome | BaseException]",
        count: int,
    ) -> None:
        super().__init__(daemon=True)
        self._waiting, self._results, self._count = waiting, results, count
        self._process: subprocess.Popen[str] | None = None
        self._dismissed = threading.Event()
        self._lock = threading.Lock()

    def run(self) -> None:
        """Do tasks until there are no more."""
        try:
            while not self._dismissed.is_set():
                try:
                    task = self._waiting.get_nowait()
                except queue.Empty:
                    break
                outcome = self._do(task)
                if outcome is not None:
                    self._results.put(outcome)
        except (OSError, HeartSegError) as error:  # no process can be started, no result written
            self._results.put(error)
        finally:
            self._end()

    def dismiss(self) -> None:
        """Stop at once, whatever is under way."""
        self._dismissed.set()
        self._end()

    def _do(self, task: CohortTask) -> CohortOutcome | None:
        """The outcome of a task, None when dismissed; a process that ends is tried again."""
        for _ in range(_TRIES):
            process = self._running()
            if process is None:
                return None
            answer = _ask(process, task)
            if answer is not None:
                return CohortOutcome.from_json(json.loads(answer))
            self._end()  # it closed its pipe, but may need a moment to be gone
        if self._dismissed.is_set():
            return None
        failed = task.failed(_ENDED, _ENDED_HINT)
        write_outcome(failed, task.out)
        return failed

    def _running(self) -> "subprocess.Popen[str] | None":
        """The process, a new one where there is none any more; None when dismissed."""
        with self._lock:
            if self._dismissed.is_set():
                return None
            if self._process is None:
                self._process = _start(self._count)
            return self._process

    def _end(self) -> None:
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                self._process.kill()
            _close(self._process)
            self._process = None


def _start(count: int) -> "subprocess.Popen[str]":
    """A worker that shares the cores with the others."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    threads = str(max(1, (cores or 1) // count))
    environment = {"OMP_NUM_THREADS": threads} | os.environ
    return subprocess.Popen(
        [sys.executable, "-m", "engine.cohort.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        encoding="utf-8",
    )


def _ask(process: "subprocess.Popen[str]", task: CohortTask) -> str | None:
    """The line that a process answers; None where it has ended."""
    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(OSError, ValueError):  # ended, or closed by a dismissal
        process.stdin.write(task.as_text() + "\n")
        process.stdin.flush()
        return process.stdout.readline().strip() or None
    return None


def _close(process: "subprocess.Popen[str] | None") -> None:
    """Let go of a process that has ended."""
    if process is None:
        return
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()
