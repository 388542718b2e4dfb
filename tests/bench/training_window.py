"""The window while a network is trained on the processor of the same machine, and the training.

The training runs in a process of its own, as the window starts it; the slice view and the page of
the training are open. Its speed is that of its own log: samples a second of each epoch.
"""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PySide6.QtCore import QEventLoop, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.bench.brush import time_strokes
from tests.bench.measuring import Measurement, application, summarise
from tests.bench.scene import BenchScene
from tests.discs import write_disc_patients

_TICK_MS = 2
_EPOCHS = 4  # whose speed is measured each time
_LOOKED_S = 8.0
_PATIENTS = 6


def measure() -> list[Measurement]:
    """Delays of events and of brush moves beside a training, and the training's speed."""
    application()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HEARTSEG_TRAININGS"] = str(Path(folder) / "trainings")
        try:
            return _measure(Path(folder))
        finally:
            del os.environ["HEARTSEG_TRAININGS"]


def _measure(folder: Path) -> list[Measurement]:
    from engine.learning.apart.order import TrainingOrder
    from engine.recipe import change_recipe, read_recipe
    from heartseg_gui.controllers.training import Training
    from heartseg_gui.controllers.training_record import TrainingRecord
    from heartseg_gui.documents.training_plan import TrainingPlan
    from heartseg_gui.documents.training_runs import TrainingRuns
    from heartseg_gui.jobs import GarbageTimer, JobQueue
    from heartseg_gui.settings import Settings
    from heartseg_gui.views.training.training_dialogs import TrainingDialogs
    from heartseg_gui.views.training.training_page import TrainingPage

    changes = {"training.epochs": 500, "split.folds": 3, "split.leave_out": ()}
    recipe = change_recipe(read_recipe("shortaxis-unet"), changes)
    order = TrainingOrder(
        recipe, (write_disc_patients(folder / "discs", _PATIENTS),), folder / "run", "cpu"
    )
    jobs, runs = JobQueue(), TrainingRuns()
    training = Training(runs, jobs, TrainingDialogs())
    record = TrainingRecord(runs, jobs)
    training.start(order)
    key = runs.runs[0].key

    def rows() -> list[float]:
        run = runs.get(key)
        assert run is not None
        assert run.fault is None, run.fault
        return [float(row["samples_per_second"] or 0) for row in run.rows]

    _until(lambda: len(rows()) >= 2)  # the first is slower
    alone = _speeds(rows)
    scene = BenchScene.open((30, 12, 256, 256))
    GarbageTimer(scene.slices)
    page = TrainingPage(TrainingPlan(), runs, Settings())
    page.resize(1280, 860)
    page.show()
    started, used = time.perf_counter(), time.process_time()
    waits = _waits(_LOOKED_S)
    busy = 100 * (time.process_time() - used) / (time.perf_counter() - started)
    beside = _speeds(rows)
    strokes = time_strokes(scene)
    page.close()
    scene.close()
    alone += _speeds(rows)
    jobs.close()
    del record
    share = float(np.median(beside) / np.median(alone))
    return [
        summarise("beside a training: an event waits", "ms", waits, target_p99=33.0),
        summarise(
            "beside a training: brush move, 256x256x12x30",
            "ms",
            strokes,
            target_median=1.0,
            target_p99=8.0,
        ),
        summarise("beside a training: the window's own work", "% of a core", [busy]),
        summarise("training without a window", "samples/s", alone),
        summarise("training beside a window", "samples/s", beside),
        summarise("speed lost by the window", "", [1 - share], target_median=0.15),
    ]


def _until(is_so: Callable[[], bool]) -> None:
    while not is_so():
        QTest.qWait(50)


def _speeds(rows: Callable[[], list[float]]) -> list[float]:
    """Samples a second of the next epochs; the one that is under way does not count."""
    first = len(rows()) + 1
    _until(lambda: len(rows()) >= first + _EPOCHS)
    return rows()[first : first + _EPOCHS]


def _waits(seconds: float) -> list[float]:
    """By how much each tick of a timer came late [ms]."""
    loop, timer, ticks = QEventLoop(), QTimer(), list[float]()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(lambda: ticks.append(time.perf_counter()))
    timer.start(_TICK_MS)
    QTimer.singleShot(int(1000 * seconds), loop.quit)
    loop.exec()
    timer.stop()
    QApplication.processEvents()
    return [max(0.0, gap - _TICK_MS) for gap in (1000 * np.diff(ticks)).tolist()]
