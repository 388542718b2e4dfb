"""What every benchmark shares: results, repeated timing, and a window to time in.

*Event to painted* means: a mouse or wheel event is delivered to the widget as Qt delivers it
(`QApplication.sendEvent`), everything it causes runs (controller, document, undo, overlay), and
the clock stops when the event queue is empty and the viewport's paint events have returned. The
copy to the screen by the X server is included in so far as Qt waits for it.
"""

import os
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QWidget

EVENTS = 300
WARM_UP = 20


@dataclass(frozen=True, slots=True)
class Measurement:
    """One line of the table.

    Attributes:
        name: What was measured.
        unit: Unit of the numbers below.
        median: Middle of all samples.
        p99: 99th percentile of the samples.
        n: Number of samples.
        target_median: The target, or None.
        target_p99: The target, or None.
    """

    name: str
    unit: str
    median: float
    p99: float
    n: int
    target_median: float | None = None
    target_p99: float | None = None

    @property
    def met(self) -> bool:
        """Whether both targets are reached."""
        pairs = ((self.median, self.target_median), (self.p99, self.target_p99))
        return all(target is None or value <= target for value, target in pairs)

    def as_json(self) -> dict[str, object]:
        """As a line of out/bench.json."""
        return asdict(self)


def summarise(
    name: str,
    unit: str,
    samples: list[float],
    *,
    target_median: float | None = None,
    target_p99: float | None = None,
) -> Measurement:
    """Median and 99th percentile of samples."""
    return Measurement(
        name,
        unit,
        round(float(np.median(samples)), 3),
        round(float(np.percentile(samples, 99)), 3),
        len(samples),
        target_median,
        target_p99,
    )


class PaintCounter(QObject):
    """Counts the paint events of a widget, so that no event is timed that painted nothing."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.count = 0
        widget.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Count and pass on."""
        if event.type() == QEvent.Type.Paint:
            self.count += 1
        return False


def time_until_painted(
    widget: QWidget, act: Callable[[int], None], *, events: int = EVENTS
) -> list[float]:
    """Milliseconds from each of `events` acts until `widget` is painted.

    Args:
        widget: The widget (a viewport) that must be painted by every act.
        act: Delivers event number i.
        events: How many are timed, after a few that are not.
    """
    counter = PaintCounter(widget)
    samples = []
    for number in range(WARM_UP + events):
        QApplication.processEvents()
        painted = counter.count
        start = time.perf_counter()
        act(number)
        while counter.count == painted:
            QApplication.processEvents()
        samples.append(1000 * (time.perf_counter() - start))
    widget.removeEventFilter(counter)
    return samples[WARM_UP:]


def application() -> QApplication:
    """The one application of this process."""
    existing = QApplication.instance()
    return existing if isinstance(existing, QApplication) else QApplication(["bench"])


def machine() -> dict[str, object]:
    """What the numbers were measured on."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }


def _processor() -> str:
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
            names = [line.partition(":")[2].strip() for line in lines if "model name" in line]
    except OSError:
        names = []
    return names[0] if names else platform.processor()
