"""Reading what a training has written into its folder: log, warnings, watched slices."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject

from engine.errors import ModelError
from engine.progress import Progress, Steps
from heartseg_gui.documents.training_runs import TrainingRuns
from heartseg_gui.jobs import Job, JobQueue

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.learning.pictures import SamplePictures

    Watched = tuple[SamplePictures, NDArray[np.uint8], int]


class TrainingRecord(QObject):
    """Reads the record of the run that is shown, whenever there may be more in it."""

    def __init__(self, runs: TrainingRuns, jobs: JobQueue, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runs, self._jobs = runs, jobs
        self._job: Job | None = None
        self._wanted = 0  # epoch whose slices are shown; 0 for the latest
        self._rows = -1
        runs.chosen_changed.connect(self._begin)
        runs.run_changed.connect(self._look_again)

    def show_epoch(self, epoch: int) -> None:
        """Show the slices as they were called after an epoch; 0 for the latest."""
        self._wanted = epoch
        self._read()

    def _begin(self) -> None:
        self._wanted, self._rows = 0, -1
        if self._runs.chosen is not None:
            self._read()

    def _look_again(self, key: str) -> None:
        run = self._runs.chosen
        if run is not None and run.key == key and len(run.rows) != self._rows:
            self._read()

    def _read(self) -> None:
        run = self._runs.chosen
        if run is None:
            return
        self._rows = len(run.rows)
        steps = _read_record(run.key, run.out, self._wanted)
        self._job = self._jobs.add("Reading the record", steps, quiet=True)
        self._job.succeeded.connect(self._take)

    def _take(self, found: "tuple[str, list[Any], list[Any], list[int], Watched | None]") -> None:
        if self.sender() is not self._job:
            return
        key, rows, signs, epochs, watched = found
        run = self._runs.chosen
        if run is None or run.key != key:
            return
        if len(rows) > len(run.rows):  # of earlier days
            self._rows = len(rows)
            self._runs.put(replace(run, rows=tuple(rows), signs=tuple(signs)))
        self._runs.set_watched(epochs, watched)


def _read_record(
    key: str, out: Path, wanted: int
) -> "Steps[tuple[str, list[Any], list[Any], list[int], Watched | None]]":
    yield Progress(0, 1, "Reading the record")
    from engine.learning.watched import read_watched, watched_epochs

    rows = _json_of(out / "log.jsonl", lines=True)
    signs = _json_of(out / "warnings.json")
    last = max((row["epoch"] for row in rows), default=0)
    epochs = [epoch for epoch in watched_epochs(out) if epoch <= last]
    epoch = wanted if wanted in epochs else max(epochs, default=0)
    watched: Watched | None = None
    if epoch:
        try:
            watched = (*read_watched(out, epoch), epoch)
        except ModelError:
            epochs = []  # a picture less; the training does not need it
    return key, rows, signs, epochs, watched


def _json_of(path: Path, *, lines: bool = False) -> list[Any]:
    """The list in a file; empty where there is none, or something else."""
    try:
        text = path.read_text(encoding="utf-8")
        found = [json.loads(line) for line in text.splitlines()] if lines else json.loads(text)
    except (OSError, ValueError):
        return []
    return found if isinstance(found, list) else []
