"""Brush and eraser: from movements of the mouse to one step of undo."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.correction.brush import (
    BrushForm,
    Point,
    adaptive_mark,
    ball_mark,
    brush_mark,
    grey_at,
    paint,
    paint_volume,
)
from engine.correction.rules import EditRules
from engine.labelmap import LabelMap, LabelPatch, SlicePlace
from engine.structures import Structure
from heartseg_gui.controllers.edits import Edits
from heartseg_gui.controllers.hand_tool import HandTool
from heartseg_gui.documents.tool_state import BrushTip, Gate, Press, Tool, ToolOptions, ToolState
from heartseg_gui.documents.view_state import CursorPlace


@dataclass(slots=True)
class _Stroke:
    """A stroke under way.

    Attributes:
        number: Its step.
        labels: What it paints on.
        place: Phase and slice where it began.
        structure: What it paints.
        options: What the brush is set to.
        rules: What it may change.
        grey: Grey values of the phase, (z, y, x).
        last: Where the brush was seen last, (y, x) [voxels].
        like: Grey value where it began.
        pushed: Whether it has changed anything.
    """

    number: int
    labels: LabelMap
    place: SlicePlace
    structure: Structure
    options: ToolOptions
    rules: EditRules
    grey: NDArray[np.generic] = field(repr=False)
    last: Point
    like: float
    pushed: bool = False


class BrushTool(HandTool):
    """Paints or erases.

    Every movement pushes a command of its own; Qt merges those of one stroke, so that undo takes
    back the whole of it. A movement that changes nothing pushes nothing.
    """

    def __init__(self, edits: Edits, tools: ToolState) -> None:
        self._edits = edits
        self._tools = tools
        self._stroke: _Stroke | None = None

    def put_down(self) -> None:
        """Lift the brush."""
        self.release()

    def press(self, place: CursorPlace, press: Press) -> None:
        """Put the brush down."""
        labels = self._edits.labels_or_say()
        if labels is None:
            return
        erases = press.erases or self._tools.tool is Tool.ERASER
        structure = Structure.BACKGROUND if erases else self._tools.structure
        grey, at = self._edits.phase_grey(place.phase), (place.y, place.x)
        self._stroke = _Stroke(
            self._edits.new_step(),
            labels,
            (place.phase, place.slice_index),
            structure,
            self._tools.options,
            self._edits.rules(structure),
            grey,
            at,
            like=grey_at(grey[place.slice_index], at),
        )
        self.drag(place.y, place.x)

    def drag(self, y: float, x: float) -> None:
        """Drag the brush on in the same slice."""
        stroke = self._stroke
        if stroke is None:
            return
        if stroke.labels is not self._edits.labels:  # another study came in between
            self._stroke = None
            return
        ball = stroke.options.tip is BrushTip.BALL
        patch = self._ball(stroke, (y, x)) if ball else self._dab(stroke, (y, x))
        stroke.last = (y, x)
        text = "Erase" if stroke.structure is Structure.BACKGROUND else "Paint"
        if self._edits.push(patch, text, step=stroke.number):
            stroke.pushed = True

    def release(self) -> None:
        """Lift the brush."""
        if self._stroke is not None and self._stroke.pushed:
            self._edits.end()
        self._stroke = None

    def _dab(self, stroke: _Stroke, at: Point) -> LabelPatch:
        labels, (phase, slice_index) = stroke.labels, stroke.place
        square = stroke.options.tip is BrushTip.SQUARE
        mark = brush_mark(
            stroke.last,
            at,
            radius_mm=self._tools.radius_mm,
            spacing_mm=self._edits.spacing_mm,
            shape=labels.shape[2:],
            form=BrushForm.SQUARE if square else BrushForm.CIRCLE,
        )
        grey = stroke.grey[slice_index]
        if stroke.options.gate is Gate.ADAPTIVE:
            mark = adaptive_mark(mark, at, grey=grey, like=stroke.like)
        return paint(
            labels,
            mark,
            phase=phase,
            slice_index=slice_index,
            structure=stroke.structure,
            rules=stroke.rules,
            grey=grey,
        )

    def _ball(self, stroke: _Stroke, at: Point) -> LabelPatch:
        labels, (phase, slice_index) = stroke.labels, stroke.place
        mark = ball_mark(
            (slice_index, *stroke.last),
            (slice_index, *at),
            radius_mm=self._tools.radius_mm,
            spacing_mm=labels.geometry.spacing_mm,
            shape=labels.shape[1:],
        )
        return paint_volume(
            labels,
            mark,
            phase=phase,
            structure=stroke.structure,
            rules=stroke.rules,
            grey=stroke.grey,
        )
