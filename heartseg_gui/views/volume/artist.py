"""Whoever draws the scene, on a thread of its own."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from PySide6.QtCore import QObject, Signal

from engine.progress import Progress, Steps
from heartseg_gui.jobs import Job, JobQueue, Lane
from heartseg_gui.views.volume.scene_values import Quality, SceneContent, ScenePicture
from heartseg_gui.views.volume.space_content import facing
from heartseg_gui.views.volume.volume_scene import VolumeScene

T = TypeVar("T")

Move = Callable[[VolumeScene], None]
"""Something that the camera does."""


class Facts(Protocol):
    """Values that nobody changes, of which the content of the scene is made."""

    def content(self) -> SceneContent:
        """Make it; called on the drawing thread."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A scene as it was drawn.

    Attributes:
        drawn: The pixels, and what they show.
        quality: How much care it got.
        seconds: How long it took [s].
    """

    drawn: ScenePicture
    quality: Quality
    seconds: float


class Artist(QObject):
    """Draws on a thread of its own, which alone touches the scene.

    Rendering in software takes a tenth of a second; neither a stroke nor the cine may feel it.
    What is wished while a picture is being drawn goes into the next one; contents that nobody has
    drawn yet are dropped for newer ones.

    Signals:
        drawn: A `Picture`.
        picked: The point that was asked for [mm], or None where there is nothing.
        failed: Why there is no picture.
    """

    drawn = Signal(Picture)
    picked = Signal(object)
    failed = Signal(Exception)

    def __init__(
        self, jobs: JobQueue, make_scene: Callable[[], VolumeScene], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._make_scene = make_scene
        self._scene: VolumeScene | None = None  # made and used on the drawing thread
        self._shown: SceneContent | None = None  # likewise
        self._facts: Facts | None = None
        self._moves: list[Move] = []
        self._order: tuple[int, int, Quality] | None = None
        self._closed = False
        self._job: Job | None = None

    @property
    def busy(self) -> bool:
        """Whether a picture is being drawn."""
        return self._job is not None

    def show(self, facts: Facts) -> None:
        """Put this into the next picture."""
        self._facts = facts

    def move(self, move: Move) -> None:
        """Move the camera before the next picture."""
        self._moves.append(move)

    def draw(self, width: int, height: int, quality: Quality) -> None:
        """Draw a picture of this size, after the one that is being drawn."""
        if self._closed:
            return
        self._order = (width, height, quality)
        if self._job is None:
            self._start(width, height, quality)

    def pick(self, pane: int, across: float, down: float) -> None:
        """Find what is seen at a place of a pane, in shares from its upper left corner."""
        steps = self._pick_steps(pane, across, down)
        job = self._jobs.add("Looking in 3-D", steps, lane=Lane.DRAWING, quiet=True)
        job.succeeded.connect(self.picked)

    def borrow(self, title: str, work: Callable[[VolumeScene], Steps[T]]) -> Job:
        """Let somebody use the scene on the drawing thread, e.g. for a film.

        Whatever the work does to content and camera, both are put back after it.

        Args:
            title: What the reader sees in the status bar.
            work: What to do; its result is that of the job.
        """
        return self._jobs.add(title, self._lend_steps(title, work), lane=Lane.DRAWING)

    def close(self) -> None:
        """Give the graphics memory back for good; only when nothing is being drawn any more."""
        self._closed, self._order = True, None  # the end of the last job may not have been told
        if self._scene is not None:
            self._scene.close()
        self._scene = self._shown = None

    def _start(self, width: int, height: int, quality: Quality) -> None:
        steps = self._draw_steps(self._facts, self._moves, (width, height), quality)
        self._facts, self._moves, self._order = None, [], None
        self._job = self._jobs.add("Drawing in 3-D", steps, lane=Lane.DRAWING, quiet=True)
        self._job.succeeded.connect(self.drawn)
        self._job.failed.connect(self.failed)
        self._job.ended.connect(self._go_on)

    def _go_on(self) -> None:
        self._job = None
        if self._order is not None:
            self._start(*self._order)

    def _draw_steps(
        self, facts: Facts | None, moves: list[Move], size: tuple[int, int], quality: Quality
    ) -> Steps[Picture]:
        yield Progress(0, 1, "Drawing in 3-D")
        if self._scene is None:
            self._scene = self._make_scene()
        start = time.perf_counter()
        if facts is not None:
            self._shown = facts.content()
            self._scene.show(facing(self._shown, self._scene.camera))
        for move in moves:
            move(self._scene)
        if moves and self._shown is not None and self._shown.cut is not None:
            self._scene.show(facing(self._shown, self._scene.camera))
        drawn = self._scene.picture(*size, quality)
        return Picture(drawn, quality, time.perf_counter() - start)

    def _pick_steps(self, pane: int, across: float, down: float) -> Steps[Any]:
        yield Progress(0, 1, "Looking in 3-D")
        return None if self._scene is None else self._scene.pick(pane, across, down)

    def _lend_steps(self, title: str, work: Callable[[VolumeScene], Steps[T]]) -> Steps[T]:
        yield Progress(0, 0, title)
        if self._scene is None:
            self._scene = self._make_scene()
        scene, pose, size = self._scene, self._scene.camera, self._scene.size
        try:
            return (yield from work(scene))
        finally:
            if self._shown is not None:
                scene.show(facing(self._shown, pose))
            scene.set_camera(pose, size)  # a film has another shape
