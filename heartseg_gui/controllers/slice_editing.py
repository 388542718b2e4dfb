"""Operations on a whole slice, or on every slice of a phase."""

from collections.abc import Callable
from functools import partial

import numpy as np
from PySide6.QtCore import QObject

from engine.correction.slices import (
    contract,
    exchange,
    expand,
    fill_holes,
    keep_largest,
    on_phase,
    shift,
    smooth,
)
from engine.labelmap import SlicePlace
from engine.structures import Structure
from heartseg_gui.controllers.edits import Edits, Plane, where
from heartseg_gui.controllers.phase_edits import push_phase, tell_change
from heartseg_gui.documents.patient_terms import turned_axes
from heartseg_gui.documents.tool_state import ToolState
from heartseg_gui.documents.view_state import ViewState

_SMOOTHING_VOXELS = 2.5


class SliceEditing(QObject):
    """Answers the menus *Slice* and *Phase*; every answer is one step of undo."""

    def __init__(
        self, edits: Edits, view: ViewState, tools: ToolState, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._edits = edits
        self._view = view
        self._tools = tools

    def fill_holes(self, *, whole: bool = False) -> None:
        """Fill the holes of the active structure."""
        self._work("Fill holes", partial(fill_holes, structure=self._structure), whole)

    def keep_largest(self, *, whole: bool = False) -> None:
        """Remove all pieces of the active structure but the largest, in the slice or in space."""
        labels, text = self._edits.labels, "Keep largest piece"
        if labels is None:
            return
        if whole:
            phase = self._view.phase
            whole_phase = keep_largest(labels.voxels[phase], self._structure)
            push_phase(self._edits, phase, whole_phase, text)
        else:
            self._work(text, partial(keep_largest, structure=self._structure), whole)

    def smooth_edge(self, *, whole: bool = False) -> None:
        """Smooth the border of the active structure."""
        if self._edits.labels is None:
            return
        spacing_mm = self._edits.spacing_mm
        operation = partial(
            smooth,
            structure=self._structure,
            radius_mm=_SMOOTHING_VOXELS * float(np.mean(spacing_mm)),
            spacing_mm=spacing_mm,
        )
        self._work("Smooth", operation, whole)

    def expand(self, *, whole: bool = False) -> None:
        """Grow the active structure by a voxel."""
        self._resize("Expand", expand, whole)

    def contract(self, *, whole: bool = False) -> None:
        """Shrink the active structure by a voxel."""
        self._resize("Contract", contract, whole)

    def shift(self, down: int, right: int, *, whole: bool = False) -> None:
        """Shift all labels by voxels of the screen."""
        labels = self._edits.labels
        if labels is None:
            return
        flip_y, flip_x = turned_axes(labels.geometry)
        by_y, by_x = (-down if flip_y else down), (-right if flip_x else right)
        self._work("Shift", partial(shift, by_y=by_y, by_x=by_x), whole)

    def exchange(self, one: Structure, other: Structure, *, whole: bool = False) -> None:
        """Exchange two structures."""
        text = f"Exchange {one.title.lower()} and {other.title.lower()}"
        self._work(text, lambda plane: exchange(plane, one, other), whole)

    def clear(self, *, whole: bool = False) -> None:
        """Remove every label."""
        text = "Clear phase" if whole else "Clear slice"
        self._work(text, np.zeros_like, whole)

    @property
    def _place(self) -> SlicePlace:
        return self._view.phase, self._view.slice_index

    @property
    def _structure(self) -> Structure:
        return self._tools.structure

    def _resize(self, text: str, operation: Callable[..., Plane], whole: bool) -> None:
        if self._edits.labels is None:
            return
        spacing_mm = self._edits.spacing_mm
        self._work(
            text,
            partial(
                operation,
                structure=self._structure,
                by_mm=max(spacing_mm),
                spacing_mm=spacing_mm,
                rules=self._edits.rules(self._structure, gated=False),
            ),
            whole,
        )

    def _work(self, text: str, operation: Callable[[Plane], Plane], whole: bool) -> None:
        """Do something to the slice on the screen, or to each one of its phase."""
        labels = self._edits.labels
        if labels is None:
            return
        if whole:
            wanted = on_phase(labels.voxels[self._view.phase], operation)
            push_phase(self._edits, self._view.phase, wanted, text)
            return
        wanted = operation(self._edits.plane(self._place))
        patch = self._edits.push_plane(self._place, wanted, text)
        tell_change(self._edits, text, patch, where(self._place))
