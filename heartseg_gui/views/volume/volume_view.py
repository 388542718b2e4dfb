"""The heart in space: surfaces of the labels, the slice on the screen, the image."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QHideEvent, QShowEvent
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from engine.geometry import Geometry
from engine.labelmap import LabelMap
from engine.mesh import Surface, surfaces
from engine.progress import Progress, Steps
from engine.structures import HEART_STRUCTURES, Structure
from heartseg_gui.documents.display_state import DisplayState
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.documents.view_state import ViewState
from heartseg_gui.jobs import Job, JobQueue
from heartseg_gui.views.volume.volume_canvas import Artist, VolumeCanvas
from heartseg_gui.views.volume.volume_scene import Colour, VolumeScene, import_steps

_log = logging.getLogger(__name__)

_REST_MS = 200
_PLAYING_MS = 250  # at least between two pictures while the cine plays
_LONGEST_PLAYING_MS = 1000
_PLAYING_SHARE = 0.25  # of the time may go into these pictures
_UNAVAILABLE = (
    "This computer offers no 3-D graphics to the program. Everything else works without it."
)

Surfaces = dict[Structure, Surface]
BothSurfaces = tuple[Surfaces, Surfaces]
"""Those of the labels and those of the reference."""


@dataclass(frozen=True, slots=True, eq=False)
class PhaseInSpace:
    """What stands in space at one phase.

    Attributes:
        surfaces: Of the labels and of the reference.
        colours: Of the structures that are shown.
        plane: Grey values of the slice on the screen (y, x) uint8, or None for no slice.
        fog: Grey values of the phase (z, y, x), or None for no fog.
        geometry: Of the stack.
        slice_index: Which slice `plane` is.
        window: Level and width.
    """

    surfaces: BothSurfaces
    colours: dict[Structure, Colour]
    plane: NDArray[np.uint8] | None
    fog: NDArray[np.generic] | None
    geometry: Geometry
    slice_index: int
    window: tuple[float, float]

    def put_into(self, scene: VolumeScene) -> None:
        """Put it there; called on the drawing thread."""
        labels, reference = self.surfaces
        scene.show_surfaces(labels, self.colours)
        scene.show_reference(reference)
        scene.show_slice(self.plane, self.geometry, self.slice_index)
        scene.show_volume(self.fog, self.geometry, self.window)


class SurfaceMaker(QObject):
    """Makes the surfaces of a phase in a job and keeps them until the labels change.

    Signals:
        made: The phase (0-based), and `BothSurfaces`.
    """

    made = Signal(int, object)

    def __init__(self, document: StudyDocument, jobs: JobQueue, parent: QObject) -> None:
        super().__init__(parent)
        self._document, self._jobs = document, jobs
        self._kept: dict[tuple[int, bool], BothSurfaces] = {}  # by phase, and with the reference
        self._job: Job | None = None
        self._wanted = (0, False)
        self._kept_by_job = self._kept

    @property
    def busy(self) -> bool:
        """Whether surfaces are being made."""
        return self._job is not None

    def forget(self) -> None:
        """Make them all anew when they are next wanted."""
        self._kept = {}  # a job under way keeps its result in the old one

    def make(self, phase: int, *, with_reference: bool, quiet: bool) -> None:
        """Make the surfaces of a phase instead of those that are being made; tell by `made`."""
        if self._job is not None:
            self._job.cancel()
            self._job = None
        self._wanted, self._kept_by_job = (phase, with_reference), self._kept
        if self._wanted in self._kept:
            self.made.emit(phase, self._kept[self._wanted])
            return
        document = self._document
        labels = _copy_of(document.labels, phase)
        reference = _copy_of(document.reference, phase) if with_reference else None
        self._job = self._jobs.add("Surfaces", _both_surfaces(labels, reference), quiet=quiet)
        self._job.succeeded.connect(self._take)
        self._job.ended.connect(self._forget_job)

    def _take(self, surfaces_made: BothSurfaces) -> None:
        if self.sender() is self._job:
            self._kept_by_job[self._wanted] = surfaces_made
            self.made.emit(self._wanted[0], surfaces_made)

    def _forget_job(self) -> None:
        if self.sender() is self._job:
            self._job = None


class VolumeView(QWidget):
    """Follows the document when it has come to rest, and the cine while it plays.

    pyvista is imported on a pool thread when the view is first shown; surfaces and pictures are
    made on pool threads too. While the cine plays, phases that come too soon are left out. Nothing
    is begun while a mouse button is down elsewhere: a brush stroke would feel it.
    """

    def __init__(
        self,
        document: StudyDocument,
        view: ViewState,
        display: DisplayState,
        jobs: JobQueue,
        *,
        make_scene: Callable[[], VolumeScene] = VolumeScene,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._view, self._display, self._jobs = document, view, display, jobs
        self._starting = self._imported = False
        self._surfaces_stale = self._camera_stale = True
        self._phase = 0  # that of the surfaces; the cine may have gone on meanwhile
        self._surfaces: BothSurfaces = ({}, {})
        self._maker = SurfaceMaker(document, jobs, self)
        self._artist = Artist(jobs, make_scene, self)
        self._canvas = VolumeCanvas(self._artist)
        self._slice = QCheckBox("Slice")
        self._references = QCheckBox("Reference")
        self._volume = QCheckBox("Image volume")
        self._reset = QPushButton("Reset view")
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._lay_out()
        self._connect()

    @property
    def ready(self) -> bool:
        """Whether a picture of the present state is on the screen."""
        at_work = self._rest.isActive() or self._maker.busy or self._canvas.busy
        return not (at_work or self._surfaces_stale or self._canvas.image.isNull())

    @property
    def canvas(self) -> VolumeCanvas:
        """The picture."""
        return self._canvas

    def _lay_out(self) -> None:
        self._slice.setChecked(True)
        self._slice.setToolTip("Show the slice on the screen where it lies in the heart")
        self._references.setToolTip("Show the surfaces of the reference labels as a net")
        self._volume.setToolTip("Show the image itself as a fog, dense where it is bright")
        self._reset.setToolTip("Look from the front, head up, at all of it (Home in the picture)")
        row = QHBoxLayout()
        row.setSpacing(10)
        row.setContentsMargins(8, 4, 8, 4)
        for box in (self._slice, self._references, self._volume):
            row.addWidget(box)
            box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        row.addStretch(1)
        row.addWidget(self._reset)
        self._reset.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(row)
        layout.addWidget(self._canvas, stretch=1)

    def _connect(self) -> None:
        document, view, display = self._document, self._view, self._display
        document.stack_changed.connect(self._take_stack)
        document.labels_changed.connect(self._take_labels)
        view.phase_changed.connect(self._make_surfaces_later)
        self._references.toggled.connect(self._make_surfaces_later)
        for fact in (
            view.slice_changed,
            view.playing_changed,
            display.window_changed,
            display.overlay_changed,
            self._slice.toggled,
            self._volume.toggled,
        ):
            fact.connect(self._show_later)
        self._rest.timeout.connect(self._show_after_rest)
        self._reset.clicked.connect(self._reset_camera)
        self._maker.made.connect(self._take_surfaces)
        self._artist.failed.connect(self._show_unavailable)

    def _take_stack(self) -> None:
        self._camera_stale = True
        self._take_labels()

    def _take_labels(self) -> None:
        self._maker.forget()
        self._make_surfaces_later()

    def _make_surfaces_later(self) -> None:
        self._surfaces_stale = True
        self._show_later()

    def _show_later(self) -> None:
        """Wait until nothing changes any more; while the cine plays, only until it is time."""
        if not (self._imported and self.isVisible()):
            return
        if not self._view.playing:
            self._rest.start(_REST_MS)
        elif not (self._rest.isActive() or self._maker.busy or self._canvas.busy):
            spent_ms = round(1000 * self._canvas.seconds / _PLAYING_SHARE)
            self._rest.start(min(max(_PLAYING_MS, spent_ms), _LONGEST_PLAYING_MS))

    def _show_after_rest(self) -> None:
        if QGuiApplication.mouseButtons():  # a stroke pauses: wait for its end
            self._rest.start(_REST_MS)
        elif self._surfaces_stale:
            self._make_surfaces()
        else:
            self._show_state()

    def _start(self) -> None:
        self._starting = True
        self._canvas.set_message("Loading the 3-D view …")
        job = self._jobs.add("Loading the 3-D view", import_steps())
        job.succeeded.connect(self._take_imported)
        job.failed.connect(self._show_unavailable)

    def _take_imported(self) -> None:
        self._imported = True
        self._make_surfaces()

    def _show_unavailable(self, error: Exception) -> None:
        if not isinstance(error, ImportError | OSError | RuntimeError):
            raise error  # a mistake of ours
        _log.warning("no 3-D view: %s", error)
        self._imported = False
        self._canvas.set_message(_UNAVAILABLE)

    def _make_surfaces(self) -> None:
        cine = self._document.cine
        self._surfaces_stale = False
        if cine is not None:
            self._maker.make(
                min(self._view.phase, cine.phase_count - 1),
                with_reference=self._references.isChecked(),
                quiet=self._view.playing,
            )

    def _take_surfaces(self, phase: int, made: BothSurfaces) -> None:
        self._phase, self._surfaces = phase, made
        self._show_state()

    def _show_state(self) -> None:
        cine = self._document.cine
        if cine is None:
            return
        phase = min(self._phase, cine.phase_count - 1)
        z = min(self._view.slice_index, cine.slice_count - 1)
        window = (self._display.level, self._display.width)
        shown = self._display.shown_structures()
        content = PhaseInSpace(
            self._surfaces,
            {structure: self._display.colour_of(structure) for structure in shown},
            _windowed(cine.voxels[phase, z], *window) if self._slice.isChecked() else None,
            cine.voxels[phase] if self._volume.isChecked() else None,
            cine.geometry,
            z,
            window,
        )
        self._artist.show(content)
        if self._camera_stale:
            self._camera_stale = False
            self._artist.move(VolumeScene.look_from_front)
        self._canvas.hurried = self._view.playing
        self._canvas.show_anew()

    def _reset_camera(self) -> None:
        self._canvas.move_camera(VolumeScene.look_from_front)

    def showEvent(self, event: QShowEvent) -> None:
        """Load what is needed, the first time; then catch up."""
        super().showEvent(event)
        if not self._starting:
            self._start()
        else:
            self._show_later()

    def hideEvent(self, event: QHideEvent) -> None:
        """Do nothing while nobody looks."""
        super().hideEvent(event)
        self._rest.stop()
        self._maker.forget()


def _copy_of(labels: LabelMap | None, phase: int) -> LabelMap | None:
    """One phase of its own, for a job: the document's map may change meanwhile."""
    if labels is None:
        return None
    return LabelMap(labels.voxels[phase : phase + 1], labels.geometry)


def _both_surfaces(labels: LabelMap | None, reference: LabelMap | None) -> Steps[BothSurfaces]:
    """The surfaces of the labels and of the reference, each a map of one phase."""
    found: list[Surfaces] = []
    for number, source in enumerate((labels, reference)):
        yield Progress(number, 2, "Surfaces")
        if source is None:
            found.append({})
        else:
            made = yield from surfaces(source.voxels[0], source.geometry, HEART_STRUCTURES)
            found.append(made)
    return found[0], found[1]


def _windowed(voxels: NDArray[np.generic], level: float, width: float) -> NDArray[np.uint8]:
    """Grey of 8 bits of a slice (y, x)."""
    grey = (voxels.astype(np.float32) - (level - width / 2)) * (255 / width)
    clipped: NDArray[np.uint8] = np.clip(grey, 0, 255).astype(np.uint8)
    return clipped
