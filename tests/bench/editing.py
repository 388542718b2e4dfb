"""Editing in the whole window: live volumes, lint and journal on, 512x512x12x30.

The mouse is pressed, moved and released over the picture of a window as `build_window` makes it; a
journal is written beside a study that lies in a temporary folder.
"""

import math
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QEvent, QPointF, QSettings
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from engine.progress import Progress, Steps
from engine.study import Study
from heartseg_gui.app import build_window
from heartseg_gui.documents.tool_state import Tool
from heartseg_gui.program import Window
from heartseg_gui.settings import Settings
from tests.bench.measuring import EVENTS, WARM_UP, Measurement, application, summarise
from tests.bench.scene import round_heart, send_mouse

SHAPE = (30, 12, 512, 512)
_SIZE = "512x512x12x30"
_RADIUS_MM = 8.0
_MOVES_A_STROKE = 12
_SECONDS_TO_OPEN = 60


@contextmanager
def open_window(shape: tuple[int, int, int, int] = SHAPE) -> Iterator[Window]:
    """The program with a labelled study open, brush in hand."""
    application()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)

        def read(path: Path) -> Steps[Study]:
            yield Progress(0, 1, "Reading")
            return replace(round_heart(shape), folder=path)

        (place / "study").mkdir()
        file = QSettings(str(place / "settings.ini"), QSettings.Format.IniFormat)
        window = build_window(Settings(file), read=read)
        window.main.resize(1440, 900)
        window.main.show()
        QTest.qWaitForWindowExposed(window.main)
        window.main.show_picture()
        window.get_ready()
        window.open(place / "study")
        end = time.monotonic() + _SECONDS_TO_OPEN
        while (window.document.study is None or window.jobs.jobs) and time.monotonic() < end:
            QTest.qWait(20)
        window.tools.set_tool(Tool.BRUSH)
        window.tools.set_radius(_RADIUS_MM)
        QTest.qWait(500)
        yield window
        window.leave()
        window.main.deleteLater()
        QApplication.processEvents()


def time_acts(act: Callable[[int], None], *, events: int = EVENTS) -> list[float]:
    """Milliseconds until all that an act causes on the window's thread is done."""
    samples = []
    for number in range(WARM_UP + events):
        QApplication.processEvents()
        start = time.perf_counter()
        act(number)
        QApplication.processEvents()
        samples.append(1000 * (time.perf_counter() - start))
    return samples[WARM_UP:]


class _Hand:
    """Paints strokes round the heart, one after the other."""

    def __init__(self, viewport: QWidget) -> None:
        self._viewport = viewport
        self.releases: list[float] = []

    def at(self, number: int) -> QPointF:
        """The path of the mouse, some ten pixels a step."""
        middle = QPointF(self._viewport.rect().center())
        turn, reach = 0.06 * number, 60 + 0.4 * number
        return middle + QPointF(reach * math.cos(turn), reach * math.sin(turn))

    def move(self, number: int) -> None:
        """One movement with the button down."""
        send_mouse(self._viewport, QEvent.Type.MouseMove, self.at(number))

    def press(self, number: int) -> None:
        """The button goes down."""
        send_mouse(self._viewport, QEvent.Type.MouseButtonPress, self.at(number))

    def release(self, number: int) -> None:
        """The button goes up."""
        send_mouse(self._viewport, QEvent.Type.MouseButtonRelease, self.at(number), pressed=False)


def _time_strokes(window: Window) -> tuple[list[float], list[float]]:
    """Moves, and releases, of as many strokes as give 300 of each."""
    hand = _Hand(window.views.picture.viewport())
    moves: list[float] = []
    releases: list[float] = []
    for stroke in range(WARM_UP + EVENTS):
        first = stroke % 25 * _MOVES_A_STROKE
        window.tools.set_tool(Tool.ERASER if stroke // 25 % 2 else Tool.BRUSH)
        hand.press(first)
        QApplication.processEvents()
        for step in range(1, _MOVES_A_STROKE):
            moves += _timed(hand.move, first + step)
        releases += _timed(hand.release, first + _MOVES_A_STROKE)
    return moves[WARM_UP * _MOVES_A_STROKE :], releases[WARM_UP:]


def _timed(act: Callable[[int], None], number: int) -> list[float]:
    start = time.perf_counter()
    act(number)
    QApplication.processEvents()
    return [1000 * (time.perf_counter() - start)]


def _time_history(window: Window) -> list[float]:
    """Undo and redo in turns, far back in the history."""
    undo, redo = window.actions["undo"], window.actions["redo"]
    return time_acts(lambda number: (redo if number % 2 else undo).trigger())


def _memory_mb(window: Window) -> float:
    """Resident memory of this process above the images of the study [MB]; 0 if it is not told."""
    cine = window.document.cine
    assert cine is not None
    status = Path("/proc/self/status")
    if not status.is_file():
        return 0.0
    lines = status.read_text(encoding="utf-8").splitlines()
    resident = next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))
    return resident - cine.voxels.nbytes / 2**20


def measure() -> list[Measurement]:
    """Brush, release, undo, memory."""
    with open_window() as window:
        moves, releases = _time_strokes(window)
        history = _time_history(window)
        memory = _memory_mb(window)
    return [
        _summary("window: brush move", moves, 1.0, 4.0),
        _summary("window: mouse release", releases, None, 8.0),
        _summary("window: undo, redo", history, None, 8.0),
        summarise(f"window: memory above the images, {_SIZE}", "MB", [memory], target_median=600),
    ]


def _summary(
    name: str, samples: list[float], median_ms: float | None, p99_ms: float | None
) -> Measurement:
    return summarise(f"{name}, {_SIZE}", "ms", samples, target_median=median_ms, target_p99=p99_ms)
