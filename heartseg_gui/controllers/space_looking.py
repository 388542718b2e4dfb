"""How the heart is looked at in space, and places that are marked in space and slices alike."""

import math

import numpy as np
from PySide6.QtCore import QObject, Signal

from engine.geometry import Geometry
from heartseg_gui.actions import Actions
from heartseg_gui.documents.at_rest import AtRest
from heartseg_gui.documents.space_state import Colouring, Panes, PointMm, SpaceLook, SpaceState
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.documents.view_state import CursorPlace, ViewState
from heartseg_gui.settings import Settings

_NEARLY_AS_NEAR = 0.7  # of the distance of slices
_REST_MS = 120  # of the mouse in the slice, before space follows
_PANES = {Panes.ONE: "one_pane", Panes.THREE: "three_panes"}
_COLOURINGS = {each: f"colour_{each.value}" for each in Colouring}
_SWITCHES = {
    "space_fog": "fog",
    "space_slice": "slice_shown",
    "space_long_axes": "long_axes",
    "space_net": "net",
    "space_focus": "focus",
    "space_cut": "cut",
}


class SpaceLooking(QObject):
    """Answers the actions of the 3-D view, and keeps what was chosen.

    Signals:
        told: A sentence for the status bar.
        wanted: Something of the 3-D view was chosen: it should be seen.
    """

    told = Signal(str)
    wanted = Signal()

    def __init__(
        self,
        document: StudyDocument,
        view: ViewState,
        space: SpaceState,
        actions: Actions,
        settings: Settings,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._view, self._space = document, view, space
        self._actions, self._settings = actions, settings
        self._pointed: CursorPlace | None = None
        self._rest = AtRest(_REST_MS, self)
        self._rest.due.connect(self._mark_pointed)
        space.take(SpaceLook.from_json(settings.space))
        space.changed.connect(self.show_pressed)
        document.stack_changed.connect(space.forget_places)
        for name in (*_PANES.values(), *_COLOURINGS.values(), *_SWITCHES):
            actions[name].triggered.connect(self._answer)
        self.show_pressed()

    def keep(self) -> None:
        """Remember how the reader looked."""
        self._settings.set_space(self._space.look.to_json())

    def show_pressed(self) -> None:
        """Press what is in force; `triggered` is silent, so nothing comes back."""
        look = self._space.look
        self._actions.press_one_of("panes", _PANES[look.panes])
        self._actions.press_one_of("colouring", _COLOURINGS[look.colouring])
        for name, attribute in _SWITCHES.items():
            self._actions[name].setChecked(getattr(look, attribute))

    def take_picked(self, point_mm: PointMm | None) -> None:
        """Go to a point that was clicked in space, slice and mark; the phase stays."""
        cine = self._document.cine
        if point_mm is None or cine is None:
            self._space.set_picked(None)
            return
        z, y, x = _voxel_at(point_mm, cine.geometry)
        if not all(
            -1 <= at <= count for at, count in zip((z, y, x), cine.geometry.shape, strict=True)
        ):
            self._space.set_picked(None)
            self.told.emit("That point lies outside the slices of this stack.")
            return
        slice_index = self._slice_near(z)
        self._space.set_picked(point_mm, (slice_index, y, x))
        self._view.set_slice(slice_index)

    def point_at(self, place: CursorPlace | None) -> None:
        """Mark in space where the mouse rests in the slice; None when it has left."""
        self._pointed = place
        self._rest.wish()

    def forget_picked(self) -> None:
        """The reader goes on in the slices: the mark has done its work."""
        self._space.set_picked(None)

    def _slice_near(self, z: float) -> int:
        """The slice at a height; of two nearly as near the labelled one: surfaces end between."""
        labels, last = self._document.stack_labels, self._view.slice_count - 1
        near = sorted((math.floor(z), math.ceil(z)), key=lambda each: abs(each - z))
        near = [each for each in near if 0 <= each <= last] or [min(max(near[0], 0), last)]
        if labels is not None and abs(near[-1] - z) <= _NEARLY_AS_NEAR:
            labelled = labels.voxels[self._view.phase]
            near.sort(key=lambda each: not labelled[each].any())
        return near[0]

    def _answer(self) -> None:
        name = self.sender().objectName()
        for panes, action in _PANES.items():
            if name == action:
                self._space.change(panes=panes)
        for colouring, action in _COLOURINGS.items():
            if name == action:
                self._space.change(colouring=colouring)
        if name in _SWITCHES:
            on = self._actions[name].isChecked()
            self._space.change(**{_SWITCHES[name]: on})
        self.show_pressed()
        self.wanted.emit()

    def _mark_pointed(self) -> None:
        place, cine = self._pointed, self._document.cine
        if place is None or cine is None:
            self._space.set_pointed(None)
            return
        at = cine.geometry.position_mm(z=place.slice_index, y=place.y, x=place.x)
        self._space.set_pointed((float(at[0]), float(at[1]), float(at[2])))


def _voxel_at(point_mm: PointMm, geometry: Geometry) -> tuple[float, float, float]:
    """The voxel index (z, y, x) of a point in the patient; whole numbers are voxel centres."""
    x, y, z, _ = np.linalg.solve(geometry.affine, (*point_mm, 1.0))
    return float(z), float(y), float(x)
