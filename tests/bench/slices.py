"""Going through slices and phases with the wheel, 512 x 512, event to painted.

With smoothing a step is painted one doubling coarser at first and sharpened 60 ms after the
last step; the time is that of the first painting. While the cine plays every picture is painted
as smooth as it can be at once: the line "while playing" is the time of that.
"""

from PySide6.QtCore import Qt

from tests.bench.measuring import Measurement, summarise, time_until_painted
from tests.bench.scene import BenchScene, send_wheel

_SHAPE = (30, 12, 512, 512)
_TARGET_MS = 4.0


def measure() -> list[Measurement]:
    """Slice and phase changes, with smoothing between voxels and without."""
    scene = BenchScene.open(_SHAPE)
    viewport = scene.slices.viewport()

    def next_slice(number: int) -> None:
        notches = 1 if number // 5 % 2 else -1  # five down, five up, within the twelve
        send_wheel(viewport, notches, Qt.KeyboardModifier.NoModifier)

    def next_phase(_number: int) -> None:
        send_wheel(viewport, -1, Qt.KeyboardModifier.ShiftModifier)

    found = []
    for smooth in (True, False):
        scene.display.set_smooth(smooth)
        manner = "smooth" if smooth else "plain voxels"
        for what, act in (("slice", next_slice), ("phase", next_phase)):
            samples = time_until_painted(viewport, act)
            name = f"{what} change, 512x512, {manner}"
            found.append(summarise(name, "ms", samples, target_median=_TARGET_MS))
    scene.display.set_smooth(True)
    scene.view.set_playing(True)
    samples = time_until_painted(viewport, next_phase)
    found.append(summarise("phase change, 512x512, while playing", "ms", samples))
    scene.close()
    return found
