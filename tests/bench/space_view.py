"""The 3-D view in the window: opening it, following a stroke, a heartbeat, doing nothing."""

import time

from PySide6.QtCore import QEvent, QEventLoop, QPointF, QTimer
from PySide6.QtGui import QUndoStack
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QSplitter

from heartseg_gui.actions import Actions
from heartseg_gui.documents.space_state import LabelSource, SpaceState
from heartseg_gui.jobs import GarbageTimer, JobQueue
from heartseg_gui.views.volume.surface_store import SurfaceStore
from heartseg_gui.views.volume.volume_view import VolumeView
from tests.bench.measuring import Measurement, summarise
from tests.bench.scene import VIEW_SIZE, BenchScene, send_mouse

_SHAPE = (30, 12, 256, 256)
_STROKES = 5
_IDLE_S = 2.0
_TIMES = 3
_PHASES_A_BEAT = _SHAPE[0]


class SpaceBench:
    """Slices and 3-D view in one window."""

    def __init__(self) -> None:
        self.scene = BenchScene.open(_SHAPE)
        GarbageTimer(self.scene.slices)  # no pool thread may destroy dead widgets
        self.jobs = JobQueue()
        scene, self.space = self.scene, SpaceState()
        self._actions = Actions(QUndoStack(self.space))
        self.window = QSplitter()
        self.window.addWidget(scene.slices)
        self.window.resize(VIEW_SIZE + 600, VIEW_SIZE)
        self.window.show()
        QTest.qWaitForWindowExposed(self.window)

    def open_view(self) -> VolumeView:
        """As the window does when the reader asks for it the first time."""
        scene = self.scene
        view = VolumeView(
            scene.document, scene.view, scene.display, self.space, self.jobs, self._actions
        )
        self.window.addWidget(view)
        self.window.setSizes([VIEW_SIZE, 600])
        return view

    def close(self, view: VolumeView) -> None:
        """Leave nothing behind."""
        self.jobs.close()
        view.release()
        self.window.close()
        QApplication.processEvents()


def measure() -> list[Measurement]:
    """All of it once, in the order of a reader."""
    bench = SpaceBench()
    view, longest_ms = _open(bench)
    beat_s = _whole_beat(bench, view)
    followed = [_follow_stroke(bench, view, number) for number in range(_STROKES)]
    stroke_ms = [ms for ms in followed if ms is not None]
    idle = [_idle_share() for _ in range(_TIMES)]
    bench.close(view)
    return [
        summarise("opening the 3-D view blocks at most", "ms", [longest_ms], target_median=150),
        summarise("surfaces of 30 phases, view open", "s", [beat_s], target_median=3),
        summarise("stroke seen in 3-D after the mouse rests", "ms", stroke_ms, target_median=200),
        summarise("idle, 3-D view open", "% of a core", idle, target_median=1.0),
    ]


def _open(bench: SpaceBench) -> tuple[VolumeView, float]:
    """The view with its first picture, and the longest the window was deaf meanwhile [ms]."""
    start = time.perf_counter()
    view = bench.open_view()
    view.show()
    longest = last = time.perf_counter() - start
    while not view.ready:
        last = time.perf_counter()
        QApplication.processEvents()
        longest = max(longest, time.perf_counter() - last)
        time.sleep(0.001)
    return view, 1000 * longest


def _whole_beat(bench: SpaceBench, view: VolumeView) -> float:
    """Seconds until every phase has its surfaces, after all labels were made new."""
    store = view.findChild(SurfaceStore)
    assert store is not None
    while store.busy:
        _run_events(0.02)
    store.forget()
    view.hide()
    view.show()
    start = time.perf_counter()
    while any(store.at(LabelSource.LABELS, phase) is None for phase in range(_PHASES_A_BEAT)):
        _run_events(0.005)
    return time.perf_counter() - start


def _follow_stroke(bench: SpaceBench, view: VolumeView, number: int) -> float | None:
    """Milliseconds from the release of the button until a picture shows the stroke.

    None where this process had to wait so long before the release that the hand seemed to rest,
    and the stroke was seen before: Qt knows nothing of buttons of events that a program sends.
    """
    store = view.findChild(SurfaceStore)
    assert store is not None
    while store.busy or not view.ready:
        _run_events(0.02)
    viewport, middle = bench.scene.slices.viewport(), VIEW_SIZE / 2
    bench.scene.take_brush(8.0)
    path = [QPointF(middle + 100 + 8 * step, middle + 40 * number - 80) for step in range(10)]
    send_mouse(viewport, QEvent.Type.MouseButtonPress, path[0])
    for at in path[1:]:
        send_mouse(viewport, QEvent.Type.MouseMove, at)
        QApplication.processEvents()
    before = view.canvas.picture
    send_mouse(viewport, QEvent.Type.MouseButtonRelease, path[-1], pressed=False)
    start = time.perf_counter()
    while view.canvas.picture is before:
        if view.ready and not store.busy:
            return None
        _run_events(0.002)
    return 1000 * (time.perf_counter() - start)


def _idle_share() -> float:
    _run_events(0.5)
    start, used = time.perf_counter(), time.process_time()
    _run_events(_IDLE_S)
    return 100 * (time.process_time() - used) / (time.perf_counter() - start)


def _run_events(seconds: float) -> None:
    """Let the event loop run; `QTest.qWait` would keep other threads from Python meanwhile."""
    loop = QEventLoop()
    QTimer.singleShot(round(1000 * seconds), loop.quit)
    loop.exec()
