"""Moving the brush, event to painted, with document, undo and overlay."""

import math

from PySide6.QtCore import QEvent, QPointF

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
    """Both sizes of study."""
    found = []
    for size, shape in _SHAPES.items():
        scene = BenchScene.open(shape)
        samples = time_strokes(scene)
        found.append(
            summarise(f"brush move, {size}", "ms", samples, target_median=1.0, target_p99=4.0)
        )
        scene.close()
    return found
