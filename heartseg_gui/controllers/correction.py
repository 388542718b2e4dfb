"""Brush and eraser: from a gesture in the picture to one step of undo."""

from dataclasses import dataclass
from itertools import count

import numpy as np
from PySide6.QtCore import QObject, Signal

from engine.correction import Point, brush_mark, paint
from engine.labelmap import LabelMap, LabelPatch
from engine.structures import Structure
from heartseg_gui.documents.commands import PaintStroke
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.documents.view_state import ToolState, ViewState


@dataclass(slots=True)
class _Stroke:
    """A stroke under way; `last` is where the brush was seen last."""

    number: int
    labels: LabelMap
    phase: int
    slice_index: int
    structure: Structure
    last: Point


class Correction(QObject):
    """Turns strokes into commands.

    Every movement pushes a command of its own; Qt merges those of one stroke, so that undo takes
    back the whole of it. A movement that changes nothing pushes nothing.

    Signals:
        told: A sentence for the status bar.
    """

    told = Signal(str)

    def __init__(
        self,
        document: StudyDocument,
        view: ViewState,
        tools: ToolState,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._view = view
        self._tools = tools
        self._numbers = count(1)
        self._stroke: _Stroke | None = None

    def begin_stroke(self, phase: int, slice_index: int, y: float, x: float, erase: bool) -> None:
        """Put the brush down at a voxel (y, x) of a slice."""
        labels = self._document.labels
        if labels is None:
            self.told.emit("This view cannot be labelled; choose a short-axis stack.")
            return
        structure = Structure.BACKGROUND if erase else self._tools.structure
        self._stroke = _Stroke(next(self._numbers), labels, phase, slice_index, structure, (y, x))
        self.move_stroke(y, x)

    def move_stroke(self, y: float, x: float) -> None:
        """Drag the brush on to a voxel (y, x) of the same slice."""
        stroke = self._stroke
        if stroke is None:
            return
        if stroke.labels is not self._document.labels:  # another study came in between
            self._stroke = None
            return
        _, row_mm, column_mm = stroke.labels.geometry.spacing_mm
        mark = brush_mark(
            stroke.last,
            (y, x),
            radius_mm=self._tools.radius_mm,
            spacing_mm=(row_mm, column_mm),
            shape=stroke.labels.shape[2:],
        )
        stroke.last = (y, x)
        patch = paint(
            stroke.labels,
            mark,
            phase=stroke.phase,
            slice_index=stroke.slice_index,
            structure=stroke.structure,
        )
        self._push(patch, stroke)

    def end_stroke(self) -> None:
        """Lift the brush."""
        self._stroke = None

    def clear_slice(self) -> None:
        """Remove every label of the slice on the screen, as one step."""
        labels = self._document.labels
        if labels is None:
            return
        plane = labels.shape[2] * labels.shape[3]
        start = (self._view.phase * labels.shape[1] + self._view.slice_index) * plane
        patch = labels.patch_at(np.arange(start, start + plane), Structure.BACKGROUND)
        if len(patch):
            number = next(self._numbers)
            stack = self._document.undo_stack
            stack.push(PaintStroke(self._document, number, patch, text="Clear slice"))

    def _push(self, patch: LabelPatch, stroke: _Stroke) -> None:
        if len(patch) == 0:
            return
        text = "Erase" if stroke.structure is Structure.BACKGROUND else "Paint"
        command = PaintStroke(self._document, stroke.number, patch, text=text)
        self._document.undo_stack.push(command)
