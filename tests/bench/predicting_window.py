"""How quickly the window's event loop answers while a cine is predicted in a job."""

import time
from typing import Any

import numpy as np
from PySide6.QtCore import QEventLoop, Qt, QTimer

from tests.bench.measuring import Measurement, application, summarise
from tests.bench.predicting import patient_folder

_TICK_MS = 2


def measure() -> list[Measurement]:
    """Milliseconds an event waits: at rest, then during the prediction of every phase."""
    from engine.io.study_folder import read_study
    from engine.learning.checkpoint import load_model
    from engine.learning.inference import predict
    from engine.progress import run_to_end
    from heartseg_gui.jobs import JobQueue, Lane

    application()
    model, cine = load_model(), run_to_end(read_study(patient_folder())).stacks[0].cine
    run_to_end(predict(model, cine, phases=[0], device="cpu"))
    jobs = JobQueue()

    def start(loop: QEventLoop) -> None:
        job = jobs.add("bench", predict(model, cine, phases="all", device="cpu"), lane=Lane.COMPUTE)
        job.ended.connect(loop.quit)

    at_rest = _waits(lambda loop: QTimer.singleShot(2000, loop.quit))
    meanwhile = _waits(start)
    jobs.close()
    return [
        summarise("window: an event waits, at rest", "ms", at_rest),
        summarise(
            "window: an event waits, while predicting",
            "ms",
            meanwhile,
            target_median=16.0,
            target_p99=50.0,
        ),
    ]


def _waits(start: Any) -> list[float]:
    """By how much each tick of a timer came late [ms], until the loop that was given ends."""
    loop, timer, ticks = QEventLoop(), QTimer(), []
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(lambda: ticks.append(time.perf_counter()))
    timer.start(_TICK_MS)
    start(loop)
    loop.exec()
    timer.stop()
    return [max(0.0, gap - _TICK_MS) for gap in (1000 * np.diff(ticks)).tolist()]
