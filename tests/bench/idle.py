"""What the program costs while nobody does anything."""

import time

from PySide6.QtTest import QTest

from tests.bench.measuring import Measurement, summarise
from tests.bench.scene import BenchScene

_SECONDS = 2.0
_TIMES = 3


def measure() -> list[Measurement]:
    """Processor time of this process while a study is shown and untouched."""
    scene = BenchScene.open((30, 12, 256, 256))
    QTest.qWait(500)  # what opening left to do
    samples = []
    for _ in range(_TIMES):
        start, used = time.perf_counter(), time.process_time()
        QTest.qWait(int(1000 * _SECONDS))
        samples.append(100 * (time.process_time() - used) / (time.perf_counter() - start))
    scene.close()
    return [summarise("idle, slice view open", "% of a core", samples, target_median=1.0)]
