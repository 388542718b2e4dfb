"""The heart in space: surfaces of the labels, the slice on the screen, the image."""

import logging

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QTimer
from PySide6.QtGui import QGuiApplication, QHideEvent, QShowEvent
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from engine.labelmap import LabelMap
from engine.mesh import Surface, surfaces
from engine.progress import Progress, Steps
from engine.structures import HEART_STRUCTURES, Structure
from heartseg_gui.documents.display_state import DisplayState
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.documents.view_state import ViewState
from heartseg_gui.jobs import Job, JobQueue
from heartseg_gui.views.volume_canvas import VolumeCanvas
from heartseg_gui.views.volume_scene import VolumeScene, import_steps

_log = logging.getLogger(__name__)

_REST_MS = 200
_UNAVAILABLE = (
    "This computer offers no 3-D graphics to the program. Everything else works without it."
)

Surfaces = dict[Structure, Surface]


class VolumeView(QWidget):
    """Follows the document when it has come to rest, while it is on the screen.

    pyvista is imported on a pool thread when the view is first shown, surfaces are made there
    too. Nothing is rendered while a mouse button is down elsewhere: rendering in software takes
    a tenth of a second, which a brush stroke would feel.
    """

    def __init__(
        self,
        document: StudyDocument,
        view: ViewState,
        display: DisplayState,
        jobs: JobQueue,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._view, self._display, self._jobs = document, view, display, jobs
        self._scene: VolumeScene | None = None
        self._starting = False
        self._surfaces_stale = self._camera_stale = True
        self._making: Job | None = None
        self._surfaces: Surfaces = {}
        self._reference: Surfaces = {}
        self._canvas = VolumeCanvas()
        self._slice = QCheckBox("Slice")
        self._references = QCheckBox("Reference")
        self._volume = QCheckBox("Image volume")
        self._reset = QPushButton("Reset view")
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._lay_out()
        self._connect()

    @property
    def ready(self) -> bool:
        """Whether a picture of the present state is on the screen."""
        idle = not self._rest.isActive() and self._making is None
        return self._scene is not None and idle and not self._surfaces_stale

    @property
    def canvas(self) -> VolumeCanvas:
        """The picture."""
        return self._canvas

    def _lay_out(self) -> None:
        self._slice.setChecked(True)
        self._slice.setToolTip("Show the slice on the screen where it lies in the heart")
        self._references.setToolTip("Show the surfaces of the reference labels as a net")
        self._volume.setToolTip("Show the image itself as a fog, dense where it is bright")
        self._reset.setToolTip("Look from the front, head up, at all of it")
        row = QHBoxLayout()
        row.setSpacing(16)
        row.setContentsMargins(8, 4, 8, 4)
        for widget in (self._slice, self._references, self._volume):
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(self._reset)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(row)
        layout.addWidget(self._canvas, stretch=1)

    def _connect(self) -> None:
        document, view, display = self._document, self._view, self._display
        document.stack_changed.connect(self._take_stack)
        for fact in (document.labels_changed, document.labels_replaced, view.phase_changed):
            fact.connect(self._make_surfaces_later)
        for fact in (
            view.slice_changed,
            display.window_changed,
            display.overlay_changed,
            self._slice.toggled,
            self._references.toggled,
            self._volume.toggled,
        ):
            fact.connect(self._show_later)
        self._rest.timeout.connect(self._show_after_rest)
        self._reset.clicked.connect(self._reset_camera)

    def _take_stack(self) -> None:
        self._camera_stale = True
        self._make_surfaces_later()

    def _make_surfaces_later(self) -> None:
        self._surfaces_stale = True
        self._show_later()

    def _show_later(self) -> None:
        if self._scene is not None and self.isVisible():
            self._rest.start()

    def _show_after_rest(self) -> None:
        if QGuiApplication.mouseButtons():  # a stroke pauses: wait for its end
            self._rest.start()
        elif self._surfaces_stale:
            self._make_surfaces()
        else:
            self._show_state()

    def _start(self) -> None:
        self._starting = True
        self._canvas.set_message("Loading the 3-D view …")
        job = self._jobs.add("Loading the 3-D view", import_steps())
        job.succeeded.connect(self._make_scene)
        job.failed.connect(self._show_unavailable)

    def _make_scene(self) -> None:
        try:
            self._scene = VolumeScene()
        except (ImportError, OSError, RuntimeError) as error:
            self._show_unavailable(error)
            return
        self._make_surfaces()

    def _show_unavailable(self, error: Exception) -> None:
        _log.warning("no 3-D view: %s", error)
        self._canvas.set_message(_UNAVAILABLE)

    def _make_surfaces(self) -> None:
        if self._making is not None:
            self._making.cancel()
        cine = self._document.cine
        self._surfaces_stale = False
        if cine is None or self._scene is None:
            return
        phase = min(self._view.phase, cine.phase_count - 1)
        self._making = self._jobs.add(
            "Surfaces",
            _both_surfaces(
                _copy_of(self._document.labels, phase), _copy_of(self._document.reference, phase)
            ),
        )
        self._making.succeeded.connect(self._take_surfaces)
        self._making.ended.connect(self._forget_job)

    def _take_surfaces(self, made: tuple[Surfaces, Surfaces]) -> None:
        if self.sender() is not self._making:
            return
        self._surfaces, self._reference = made
        self._show_state()

    def _forget_job(self) -> None:
        if self.sender() is self._making:
            self._making = None

    def _show_state(self) -> None:
        scene, cine = self._scene, self._document.cine
        if scene is None or cine is None:
            return
        colours = {s: self._display.colour_of(s) for s in self._display.shown_structures()}
        scene.show_surfaces(self._surfaces, colours)
        scene.show_reference(self._reference if self._references.isChecked() else {})
        phase = min(self._view.phase, cine.phase_count - 1)
        z = min(self._view.slice_index, cine.slice_count - 1)
        window = (self._display.level, self._display.width)
        plane = _windowed(cine.voxels[phase, z], *window) if self._slice.isChecked() else None
        scene.show_slice(plane, cine.geometry, z)
        fog = cine.voxels[phase] if self._volume.isChecked() else None
        scene.show_volume(fog, cine.geometry, window)
        if self._camera_stale:
            self._camera_stale = False
            scene.look_from_front()
        self._canvas.set_scene(scene)

    def _reset_camera(self) -> None:
        if self._scene is not None:
            self._scene.look_from_front()
            self._canvas.show_anew()

    def showEvent(self, event: QShowEvent) -> None:
        """Load what is needed, the first time; then catch up."""
        super().showEvent(event)
        if not self._starting:
            self._start()
        elif self._scene is not None:
            self._rest.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Do nothing while nobody looks."""
        super().hideEvent(event)
        self._rest.stop()


def _copy_of(labels: LabelMap | None, phase: int) -> LabelMap | None:
    """One phase of its own, for a job: the document's map may change meanwhile."""
    if labels is None:
        return None
    return LabelMap(labels.voxels[phase : phase + 1], labels.geometry)


def _both_surfaces(
    labels: LabelMap | None, reference: LabelMap | None
) -> Steps[tuple[Surfaces, Surfaces]]:
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
