"""Correcting tools at 512x512x12x30: dragging contours, marks, interpolation, propagation."""

import time

import numpy as np
from PySide6.QtCore import QEvent, QPointF
from PySide6.QtWidgets import QApplication

from engine.correction.between import interpolate
from engine.correction.contour import Boundary
from engine.correction.prompting import Prompt, resegment
from engine.correction.propagation import propagate
from engine.progress import run_to_end
from engine.structures import HEART_STRUCTURES, Structure
from heartseg_gui.documents.tool_state import Tool
from heartseg_gui.slice_rendering import SlicePlane
from tests.bench.measuring import Measurement, summarise, time_until_painted
from tests.bench.scene import BenchScene, send_mouse

SHAPE = (30, 12, 512, 512)
_SIZE = "512x512x12x30"
_TIMES = 20


def measure() -> list[Measurement]:
    """All of it, on the same study."""
    scene = BenchScene.open(SHAPE)
    try:
        return [
            _contour_drag(scene),
            _marks(scene),
            _interpolation(scene),
            _propagation(scene),
        ]
    finally:
        scene.close()


def _contour_drag(scene: BenchScene) -> Measurement:
    """A handle of the LV's contour, pulled round its place; the mouse is down all the while."""
    scene.tools.set_tool(Tool.CONTOUR)
    while not scene.sketch.contours.by_boundary:
        time.sleep(0.02)
        QApplication.processEvents()
    start = _pixel(scene, scene.sketch.contours.by_boundary[Boundary.ENDO].points[0])
    viewport = scene.slices.viewport()
    send_mouse(viewport, QEvent.Type.MouseButtonPress, start)

    def move(number: int) -> None:
        by = QPointF(15 * np.cos(0.3 * number), 15 * np.sin(0.3 * number))
        send_mouse(viewport, QEvent.Type.MouseMove, start + by)

    samples = time_until_painted(viewport, move)
    send_mouse(viewport, QEvent.Type.MouseButtonRelease, start, pressed=False)
    return summarise(f"contour drag, {_SIZE}", "ms", samples, target_median=4.0)


def _pixel(scene: BenchScene, voxel: np.ndarray) -> QPointF:
    assert scene.document.cine is not None
    plane = SlicePlane.of(scene.document.cine.geometry)
    ((across, down),) = plane.to_mm(voxel[None])
    return QPointF(scene.slices.mapFromScene(QPointF(across, down)))


def _marks(scene: BenchScene) -> Measurement:
    """One click that asks for a shell of the LV's wall, worked out on one thread."""
    assert scene.document.cine is not None
    assert scene.document.labels is not None
    grey = scene.document.cine.voxels[0, 6]
    labels = scene.document.labels.voxels[0, 6]
    prompt = Prompt(256.0, 256.0 + 0.09 * 512, Structure.LV)
    samples = []
    for _ in range(_TIMES):
        start = time.perf_counter()
        resegment(grey, labels, [prompt], pixel_mm=360 / 512)
        samples.append(1000 * (time.perf_counter() - start))
    return summarise("a slice segmented from marks, 512x512", "ms", samples, target_p99=200.0)


def _interpolation(scene: BenchScene) -> Measurement:
    """Three slices between two drawn ones."""
    assert scene.document.labels is not None
    volume = scene.document.labels.voxels[0].copy()
    volume[6] = np.roll(volume[6], 12, axis=1)
    volume[3:6] = 0
    samples = []
    for _ in range(_TIMES):
        start = time.perf_counter()
        interpolate(volume, HEART_STRUCTURES, 2, 6)
        samples.append(1000 * (time.perf_counter() - start))
    return summarise("interpolation of 3 slices, 512x512", "ms", samples, target_p99=300.0)


def _propagation(scene: BenchScene) -> Measurement:
    """One slice to its two neighbours, images registered and all."""
    cine, labels = scene.document.cine, scene.document.labels
    assert cine is not None
    assert labels is not None
    samples = []
    for _ in range(_TIMES // 2):
        start = time.perf_counter()
        run_to_end(propagate(cine, labels, (0, 6), [(0, 5), (0, 7)]))
        samples.append(1000 * (time.perf_counter() - start))
    return summarise("a slice carried to its 2 neighbours, 512x512", "ms", samples, target_p99=1000)
