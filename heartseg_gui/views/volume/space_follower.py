"""Keeps the scene in step with document, look and cine, without ever hurrying them."""

from enum import Enum

from PySide6.QtCore import QObject, QTimer

from engine.labelmap import LabelPatch
from heartseg_gui.documents.at_rest import AtRest
from heartseg_gui.documents.display_state import DisplayState
from heartseg_gui.documents.live_measures import LiveMeasures
from heartseg_gui.documents.space_state import LabelSource, SpaceState
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.documents.view_state import ViewState
from heartseg_gui.views.volume.artist import Artist, Picture
from heartseg_gui.views.volume.content_maker import ContentMaker
from heartseg_gui.views.volume.space_basis import BasisMaker
from heartseg_gui.views.volume.space_content import SpaceFacts
from heartseg_gui.views.volume.surface_store import Made, Place, SurfaceStore
from heartseg_gui.views.volume.volume_canvas import VolumeCanvas
from heartseg_gui.views.volume.volume_scene import VolumeScene

_REST_MS = 40  # after the last turn of a wheel
_STROKE_REST_MS = 15  # surfaces and picture take the rest of the fifth of a second
_PLAYING_SHARE = 0.6  # of the time may go into pictures while the cine plays


class Framed(Enum):
    """What the camera has been told to look at."""

    NOTHING = 0
    STACK = 1
    HEART = 2


class SpaceFollower(QObject):
    """Follows the document when the hand has come to rest, and the cine while it plays.

    Surfaces and pictures are made on pool threads. While the cine plays, phases that come too soon
    are left out. No surface is made while a mouse button is down: a stroke would feel it.
    """

    def __init__(
        self,
        document: StudyDocument,
        view: ViewState,
        display: DisplayState,
        space: SpaceState,
        measures: LiveMeasures,
        store: SurfaceStore,
        artist: Artist,
        canvas: VolumeCanvas,
    ) -> None:
        super().__init__(canvas)
        self._document, self._view, self._space = document, view, space
        self._store, self._artist, self._canvas = store, artist, canvas
        self._basis = BasisMaker(document, view, display, space, measures, store)
        self._rest = AtRest(_REST_MS, self)
        self._stroke_rest = AtRest(_STROKE_REST_MS, self)  # never while a button is down
        self._pause = QTimer(self)  # between two pictures while the cine plays
        self._pause.setSingleShot(True)
        self._active = False
        self._stale = True
        self._missed = False  # edits while nobody looked
        self._framed = Framed.NOTHING
        self._patches: list[LabelPatch] = []  # that the store has not heard of
        self._connect(display)

    @property
    def settled(self) -> bool:
        """Whether the artist has heard of everything."""
        return not (self._stale or self._rest.waits or self._stroke_rest.waits)

    def set_active(self, active: bool) -> None:
        """Follow from now on, or do nothing while nobody looks."""
        self._active, self._stale = active, True
        if active:
            if self._missed:
                self._store.forget(LabelSource.LABELS)
                self._missed = False
            self._show_later()
        else:
            self._store.stop()
            self._store.forget_changed(self._take_patches())

    def content_maker(self) -> ContentMaker:
        """How every phase would be shown now; made on the window's thread."""
        cine = self._document.cine
        self._store.forget_changed(self._take_patches())
        return ContentMaker.of(self._basis, self._store, 0 if cine is None else cine.phase_count)

    def _connect(self, display: DisplayState) -> None:
        document, view = self._document, self._view
        document.stack_changed.connect(self._take_stack)
        document.labels_changed.connect(self._take_patch)
        document.predicted.changed.connect(self._take_prediction)
        for resting in (
            document.provenance_changed,
            document.key_phases_changed,
            document.review.changed,
            view.slice_changed,
            display.window_changed,
        ):
            resting.connect(self._show_later)
        for prompt in (
            view.phase_changed,
            view.playing_changed,
            display.overlay_changed,
            self._space.changed,
        ):
            prompt.connect(self._show_soon)
        for rest in (self._rest, self._stroke_rest):
            rest.due.connect(self._show_after_rest)
        self._pause.timeout.connect(self._show_due)
        self._store.made.connect(self._take_made)
        self._artist.drawn.connect(self._take_picture)

    def _take_stack(self) -> None:
        self._framed = Framed.NOTHING
        self._patches.clear()
        self._store.forget()
        self._basis.forget()
        self._show_later()

    def _take_patch(self, patch: LabelPatch) -> None:
        self._stale = True
        if self._active:  # a stroke has no time: only what must be
            self._patches.append(patch)
            if self._store.busy:
                self._store.stop()
            if self._canvas.busy:
                self._canvas.hold()
            self._stroke_rest.wish()
        else:
            self._missed = True

    def _take_prediction(self) -> None:
        self._store.forget(LabelSource.PREDICTION)
        self._show_later()

    def _take_patches(self) -> list[LabelPatch]:
        taken, self._patches = self._patches, []
        return taken

    def _show_later(self) -> None:
        self._stale = True
        if self._active:
            self._rest.wish()

    def _show_soon(self) -> None:
        """Show another phase or look at once; while the cine plays, when a picture may be due."""
        self._stale = True
        if not (self._view.playing and (self._pause.isActive() or self._artist.busy)):
            self._show_due()

    def _show_due(self) -> None:
        if self._stale and self._active and not self._patches:
            self._show_state()

    def _show_after_rest(self) -> None:
        if self._active:
            self._store.forget_changed(self._take_patches())
            self._show_state()

    def _show_state(self) -> None:
        """Show the phase on the screen, and have made what is missing for it and the others."""
        basis = self._basis.make(self._view.phase)
        if basis is None:
            return
        self._canvas.hurried = self._view.playing
        if all(self._store.at(*place) is not None for place in basis.places()):
            self._stale = False
            facts = SpaceFacts(basis, basis.panes(self._at))
            self._artist.show(facts)
            self._frame(Framed.HEART if facts.has_surfaces else Framed.STACK)
            self._canvas.show_soon()
        self._store.want(basis.places(), basis.cine.phase_count)

    def _frame(self, seen: Framed) -> None:
        """Look at all of it; and at the heart, when there is one, unless the reader has turned."""
        if seen.value > self._framed.value:
            if self._framed is Framed.NOTHING or not self._canvas.turned:
                self._artist.move(VolumeScene.look_from_front)
                self._canvas.turned = False
            self._framed = seen

    def _at(self, place: Place) -> Made | None:
        return self._store.at(*place)

    def _take_made(self, phase: int) -> None:
        basis = self._basis.make(self._view.phase) if self._stale else None
        if basis is not None and phase in {needed for _, needed in basis.places()}:
            self._show_due()

    def _take_picture(self, picture: Picture) -> None:
        """While the cine plays, leave the processor to others for a while."""
        if self._view.playing:
            self._pause.start(round(1000 * picture.seconds * (1 / _PLAYING_SHARE - 1)))
