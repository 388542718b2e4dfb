"""The heart in space: surfaces of the labels, the slices, the image; one scene or three."""

import logging
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.progress import Steps
from heartseg_gui.actions import Actions
from heartseg_gui.documents.display_state import DisplayState
from heartseg_gui.documents.live_measures import LiveMeasures
from heartseg_gui.documents.space_export import FilmChoice, FilmFrame, PictureChoice
from heartseg_gui.documents.space_state import SpaceState
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.documents.view_state import ViewState
from heartseg_gui.jobs import Job, JobQueue
from heartseg_gui.views.volume.artist import Artist
from heartseg_gui.views.volume.content_maker import ContentMaker
from heartseg_gui.views.volume.filming import filming, picturing
from heartseg_gui.views.volume.scene_values import Viewpoint
from heartseg_gui.views.volume.space_follower import SpaceFollower
from heartseg_gui.views.volume.surface_store import SurfaceStore
from heartseg_gui.views.volume.volume_bar import VolumeBar
from heartseg_gui.views.volume.volume_canvas import VolumeCanvas
from heartseg_gui.views.volume.volume_scene import VolumeScene, import_steps

_log = logging.getLogger(__name__)
T = TypeVar("T")

_UNAVAILABLE = (
    "This computer offers no 3-D graphics to the program. Everything else works without it."
)


class VolumeView(QWidget):
    """The 3-D picture with its buttons; see `SpaceFollower` for what it follows.

    VTK is imported on a pool thread when the view is first shown.

    Signals:
        place_picked: The point that was clicked in space [mm], (right, anterior, superior), or
            None beside everything.
    """

    place_picked = Signal(object)

    def __init__(
        self,
        document: StudyDocument,
        view: ViewState,
        display: DisplayState,
        space: SpaceState,
        jobs: JobQueue,
        actions: Actions,
        *,
        measures: LiveMeasures | None = None,
        make_scene: Callable[[], VolumeScene] = VolumeScene,
    ) -> None:
        super().__init__()
        self._view, self._jobs = view, jobs
        measures = LiveMeasures(document, self) if measures is None else measures
        store = SurfaceStore(document, jobs, self)
        self._artist = Artist(jobs, make_scene, self)
        self._canvas = VolumeCanvas(self._artist)
        self._bar = VolumeBar(document, display, space, actions, store)
        self._follower = SpaceFollower(
            document, view, display, space, measures, store, self._artist, self._canvas
        )
        self._starting = self._imported = False
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._bar)
        layout.addWidget(self._canvas, stretch=1)
        self._artist.picked.connect(self.place_picked)
        self._canvas.clicked.connect(self._artist.pick)
        for worker in (self._artist, store):
            worker.failed.connect(self._show_unavailable)

    @property
    def ready(self) -> bool:
        """Whether a picture of the present state is on the screen."""
        settled = self._follower.settled and not self._canvas.busy
        return settled and not self._canvas.image.isNull()

    @property
    def canvas(self) -> VolumeCanvas:
        """The picture."""
        return self._canvas

    @property
    def bar(self) -> VolumeBar:
        """The buttons above it."""
        return self._bar

    def look_from(self, viewpoint: Viewpoint) -> None:
        """Look at all of it from somewhere."""
        self._canvas.move_camera(partial(VolumeScene.look_from, viewpoint=viewpoint))

    def borrow(self, title: str, work: Callable[[VolumeScene], Steps[T]]) -> Job:
        """Let somebody use the scene on the drawing thread, e.g. for a film; see `Artist`."""
        job = self._artist.borrow(title, work)
        job.ended.connect(self._canvas.show_anew)
        return job

    def content_maker(self) -> ContentMaker:
        """How every phase would be shown now; made here, to be used in what `borrow` is given."""
        return self._follower.content_maker()

    @property
    def has_picture(self) -> bool:
        """Whether there is something to film."""
        return not self._canvas.image.isNull() and not self._canvas.message

    def film(self, choice: FilmChoice, frames: Sequence[FilmFrame], path: Path) -> Job:
        """Write a film, from where the reader looks now."""
        return self.borrow("Filming", filming(self.content_maker(), choice, frames, path))

    def picture(self, choice: PictureChoice, path: Path) -> Job:
        """Write what is seen now as a picture, in the shape it has here."""
        aspect = self._canvas.width() / max(1, self._canvas.height())
        work = picturing(self.content_maker(), choice, self._view.phase, aspect, path)
        return self.borrow("Taking a picture", work)

    def release(self) -> None:
        """Give the graphics memory back for good; only when no job runs any more."""
        self._follower.set_active(False)
        self._artist.close()

    def _start(self) -> None:
        self._starting = True
        self._canvas.set_message("Loading the 3-D view …")
        job = self._jobs.add("Loading the 3-D view", import_steps())
        job.succeeded.connect(self._take_imported)
        job.failed.connect(self._show_unavailable)

    def _take_imported(self) -> None:
        self._imported = True
        self._follower.set_active(self.isVisible())

    def _show_unavailable(self, error: Exception) -> None:
        if not isinstance(error, ImportError | OSError | RuntimeError):
            raise error  # a mistake of ours
        _log.warning("no 3-D view: %s", error)
        self._imported = False
        self._follower.set_active(False)
        self._canvas.set_message(_UNAVAILABLE)

    def showEvent(self, event: QShowEvent) -> None:
        """Load what is needed, the first time; then catch up."""
        super().showEvent(event)
        if not self._starting:
            self._start()
        elif self._imported:
            self._follower.set_active(True)

    def hideEvent(self, event: QHideEvent) -> None:
        """Do nothing while nobody looks."""
        super().hideEvent(event)
        self._follower.set_active(False)
