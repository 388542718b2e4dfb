"""Moving the brush, event to painted, with document, undo and overlay."""

import math

from PySide6.QtCore import QEvent, QPointF
from PySide6.QtGui import QUndoStack
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QSplitter

from heartseg_gui.actions import Actions
from heartseg_gui.documents.space_state import SpaceState
from heartseg_gui.jobs import GarbageTimer, JobQueue
from heartseg_gui.views.volume.volume_view import VolumeView
from tests.bench.measuring import EVENTS, WARM_UP, Measurement, summarise, time_until_painted
from tests.bench.scene import VIEW_SIZE, BenchScene, send_mouse

_SHAPES = {"256x256x12x30": (30, 12, 256, 256), "512x512x12x30": (30, 12, 512, 512)}
_RADIUS_MM = 8.0
_MOVES_A_STROKE = 60


def spiral(number: int) -> QPointF:
    """The path of the mouse: round the heart and outwards, some ten pixels a step."""
    turn, middle = 0.06 * number, VIEW_SIZE / 2
    reach = 100 + 150 * (number / (EVENTS + WARM_UP))
    return QPointF(middle + reach * math.cos(turn), middle + reach * math.sin(turn))


def time_strokes(scene: BenchScene) -> list[float]:
    """Milliseconds of each move of some strokes, one after the other [ms]."""
    viewport = scene.slices.viewport()
    scene.take_brush(_RADIUS_MM)

    def move(number: int) -> None:
        if number % _MOVES_A_STROKE == 0:
            if number:
                send_mouse(viewport, QEvent.Type.MouseButtonRelease, spiral(number), pressed=False)
            send_mouse(viewport, QEvent.Type.MouseButtonPress, spiral(number))
        send_mouse(viewport, QEvent.Type.MouseMove, spiral(number + 1))

    samples = time_until_painted(viewport, move)
    send_mouse(viewport, QEvent.Type.MouseButtonRelease, spiral(0), pressed=False)
    return samples


def measure() -> list[Measurement]:
    """Both sizes of study, with the slice view alone."""
    found = []
    for size, shape in _SHAPES.items():
        scene = BenchScene.open(shape)
        found.append(_summary(f"brush move, {size}", time_strokes(scene)))
        scene.close()
    return found


def measure_beside_3d() -> list[Measurement]:
    """The same while the 3-D view is open beside, in the same window."""
    found = []
    for size, shape in _SHAPES.items():
        scene = BenchScene.open(shape)
        GarbageTimer(scene.slices)  # no pool thread may destroy dead widgets
        jobs = JobQueue()
        space = SpaceState()
        actions = Actions(QUndoStack(space))
        volume = VolumeView(scene.document, scene.view, scene.display, space, jobs, actions)
        window = QSplitter()
        window.addWidget(scene.slices)
        window.addWidget(volume)
        window.resize(VIEW_SIZE + 500, VIEW_SIZE)
        window.setSizes([VIEW_SIZE, 500])
        window.show()
        while not volume.ready or volume.canvas.image.isNull():
            QTest.qWait(20)
        found.append(_summary(f"brush move beside 3-D view, {size}", time_strokes(scene)))
        jobs.close()
        volume.release()
        window.close()
        QApplication.processEvents()
    return found


def _summary(name: str, samples: list[float]) -> Measurement:
    return summarise(name, "ms", samples, target_median=1.0, target_p99=4.0)
