"""The scene in space without its view: turning it, a new phase, a click, opening it.

The targets are those of software rendering at 600 x 600. Each line's name says what draws.
"""

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from engine.datasets.phantom import make_phantom
from engine.mesh.shaping import surface
from engine.structures import HEART_STRUCTURES, Structure
from heartseg_gui.documents.display_state import PALETTES, Palette
from heartseg_gui.views.volume.scene_values import (
    ClipBox,
    DrawnSurface,
    Fog,
    PaneContent,
    Quality,
    SceneContent,
)
from heartseg_gui.views.volume.volume_scene import VolumeScene, import_steps
from tests.bench.measuring import Measurement, summarise

_SIZE = (600, 600)
_FRAMES = 30
_FINE_FRAMES = 5
_LABELS_MS = 1000 / 15
_FOG_MS = 1000 / 7
_PHANTOM_SEED = 7


def measure() -> list[Measurement]:
    """Everything that a reader waits for in a scene."""
    labels, fog, clip = _parts()
    start = time.perf_counter()
    for _ in import_steps():
        pass
    scene = VolumeScene()
    pane = PaneContent(labels())
    scene.show(SceneContent((pane,)))
    scene.look_from_front()
    scene.picture(*_SIZE, Quality.QUICK)
    opened = [1000 * (time.perf_counter() - start)]
    by = scene.drawn_by
    with_fog = replace(pane, fog=fog)
    three = (PaneContent(fog=fog), pane, pane)
    found = [
        summarise(f"3-D: import, check and first picture, {by}", "ms", opened),
        *_turning(scene, "labels", SceneContent((pane,)), Quality.QUICK, _LABELS_MS),
        *_turning(
            scene, "image and labels", SceneContent((with_fog,), clip), Quality.QUICK, _FOG_MS
        ),
        *_turning(scene, "three panes", SceneContent(three, clip), Quality.QUICK),
        *_turning(scene, "labels, at rest", SceneContent((pane,)), Quality.FINE),
        *_turning(
            scene, "image and labels, at rest", SceneContent((with_fog,), clip), Quality.FINE
        ),
        _new_phases(scene, labels),
        _clicks(scene),
    ]
    scene.close()
    return found


def _parts() -> tuple[Callable[[], tuple[DrawnSurface, ...]], Fog, ClipBox]:
    """Surfaces (made anew with each call), image and box of a phantom of 256 x 256."""
    phantom = make_phantom(_PHANTOM_SEED, slices=12, phases=4, shape_yx=(256, 256))
    voxels, grid = phantom.labels.voxels[0], phantom.cine.geometry
    image = phantom.cine.voxels[0]
    low, high = np.percentile(image, (1, 99))
    made = {structure: surface(voxels, grid, structure) for structure in HEART_STRUCTURES}

    def labels() -> tuple[DrawnSurface, ...]:
        return tuple(
            DrawnSurface(
                replace(found),
                PALETTES[Palette.CARDIAC][structure],
                0.4 if structure is Structure.MYOCARDIUM else 1.0,
            )
            for structure, found in made.items()
            if found is not None
        )

    window = (float(low + high) / 2, float(high - low))
    return labels, Fog(image, grid, window, near=voxels), ClipBox.around(voxels, grid)


def _turning(
    scene: VolumeScene,
    what: str,
    content: SceneContent,
    quality: Quality,
    target_ms: float | None = None,
) -> list[Measurement]:
    """Time of a picture of a scene that turns; and what it costs all cores together.

    The second line is what to compare on a machine that others use at the same time.
    """
    scene.show(content)
    scene.look_from_front()
    scene.picture(*_SIZE, quality)
    samples, used = [], []
    for _ in range(_FRAMES if quality is Quality.QUICK else _FINE_FRAMES):
        start, used_before = time.perf_counter(), time.process_time()
        scene.orbit(10, 0)
        scene.picture(*_SIZE, quality)
        samples.append(1000 * (time.perf_counter() - start))
        used.append(1000 * (time.process_time() - used_before))
    name = f"3-D: turn {what}"
    return [
        summarise(name, "ms/picture", samples, target_median=target_ms),
        summarise(f"{name}, all threads", "CPU ms", used),
    ]


def _new_phases(scene: VolumeScene, labels: Callable[[], tuple[DrawnSurface, ...]]) -> Measurement:
    """A beating heart shows other surfaces in every picture."""
    samples = []
    for _ in range(_FRAMES):
        content = SceneContent((PaneContent(labels()),))
        start = time.perf_counter()
        scene.show(content)
        scene.picture(*_SIZE, Quality.QUICK)
        samples.append(1000 * (time.perf_counter() - start))
    return summarise("3-D: a phase of other surfaces", "ms/picture", samples)


def _clicks(scene: VolumeScene) -> Measurement:
    samples = []
    for _ in range(_FRAMES):
        start = time.perf_counter()
        scene.pick(0, 0.5, 0.5)
        samples.append(1000 * (time.perf_counter() - start))
    return summarise("3-D: the place under a click", "ms", samples)
