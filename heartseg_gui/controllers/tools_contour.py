"""Contours that are dragged, nudged, copied, or drawn afresh."""

from dataclasses import dataclass

import numpy as np

from engine.correction.contour import Boundary, Contour, drawn_anew, redraw
from engine.correction.rules import EditRules
from engine.labelmap import LabelPatch, SlicePlace
from heartseg_gui.controllers.contour_tracing import ContourTracing, Traced
from heartseg_gui.controllers.edits import Edits, where
from heartseg_gui.controllers.hand_tool import HandTool
from heartseg_gui.controllers.tools_outline import ClickedOutline
from heartseg_gui.documents.sketch import Contours, Line, Points, Sketch
from heartseg_gui.documents.tool_state import DrawOver, Press, ToolState
from heartseg_gui.documents.view_state import CursorPlace, ViewState
from heartseg_gui.jobs import JobQueue

_Handle = tuple[Boundary, int]
_BOUNDARIES = {boundary.fills: boundary for boundary in Boundary}


@dataclass(frozen=True, slots=True)
class _Grip:
    """What the mouse holds: a handle, or the line near `at`.

    Attributes:
        boundary: Whose contour it is.
        start: The contour as it was pressed.
        at: Where it was pressed, (y, x) [voxels].
        handle: The handle's number, or None for the line.
    """

    boundary: Boundary
    start: Contour
    at: tuple[float, float]
    handle: int | None


class ContourTool(HandTool):
    """Shows the contours of the slice on the screen, and makes labels of what is done to them."""

    def __init__(
        self, edits: Edits, sketch: Sketch, tools: ToolState, view: ViewState, jobs: JobQueue
    ) -> None:
        self._edits = edits
        self._sketch = sketch
        self._tools = tools
        self._view = view
        self._fresh = FreshContour(edits, sketch, tools, view)
        self._traced = ContourTracing(edits, jobs)
        self._grip: _Grip | None = None

    @property
    def busy(self) -> bool:
        """Whether a fresh contour was begun."""
        return self._fresh.busy

    def take_up(self) -> None:
        """Show the contours of the slice on the screen, as soon as they are traced."""
        place = (self._view.phase, self._view.slice_index)
        if self._edits.labels is None or self._view.playing:
            self._forget()
        elif self._traced.knows(place):
            self._show()
        else:
            self._forget()
            self._traced.trace_beside(place, self._show)

    def put_down(self) -> None:
        """Take the contours away."""
        self._fresh.put_down()
        self._forget()

    def press(self, place: CursorPlace, press: Press) -> None:
        """Take hold of a handle or the line, add or remove a point, or begin a fresh contour."""
        if self._edits.labels_or_say() is None:
            return
        if self._fresh.busy:
            self._fresh.press(place, press)
            return
        self._traced.trace((place.phase, place.slice_index))
        at = (place.y, place.x)
        handle, line = self._handle_at(place), self._line_at(place, widely=not press.double)
        if press.other:
            self._remove(handle)
        elif handle is not None:
            self._hold(_Grip(handle[0], self._traced.contours[handle[0]], at, handle[1]))
        elif line is not None and press.double:
            self._change(line, self._traced.contours[line].with_point(at), "Add point")
        elif line is not None:
            self._hold(_Grip(line, self._traced.contours[line], at, None))
        else:
            self._fresh.press(place, press)

    def drag(self, y: float, x: float) -> None:
        """Pull what the mouse holds."""
        grip = self._grip
        if grip is None:
            return
        if grip.handle is not None:
            pulled = grip.start.moved(grip.handle, (y, x))
        else:
            radius = self._tools.radius_mm / self._voxel_mm
            pulled = grip.start.nudged(grip.at, (y - grip.at[0], x - grip.at[1]), radius)
        self._traced.change(grip.boundary, pulled)
        self._show(hot=None if grip.handle is None else (grip.boundary, grip.handle))

    def release(self) -> None:
        """Make labels of the contour as it was pulled."""
        grip, self._grip = self._grip, None
        if grip is None or self._edits.labels is None:
            return
        pulled = self._traced.contours[grip.boundary]
        if pulled is not grip.start:
            self._traced.change(grip.boundary, grip.start)
            self._change(grip.boundary, pulled, "Move contour")

    def hover(self, place: CursorPlace | None) -> None:
        """Light up the handle under the mouse."""
        if self._fresh.busy:
            self._fresh.hover(place)
        elif place is None or (place.phase, place.slice_index) != self._traced.place:
            self._sketch.point_at(None)
        else:
            self._sketch.point_at(self._handle_at(place))

    def finish(self) -> None:
        """Close a fresh contour."""
        self._fresh.finish()

    def step_back(self) -> None:
        """Take the last point of a fresh contour away, or the point under the mouse."""
        if self._fresh.busy:
            self._fresh.step_back()
        elif self._sketch.contours.hot is not None:
            self._remove(self._sketch.contours.hot)

    def give_up(self) -> None:
        """Forget a fresh contour, or put what the mouse holds back."""
        self._fresh.give_up()
        if self._grip is not None:
            self._traced.change(self._grip.boundary, self._grip.start)
            self._grip = None
            self._show()

    def copy_to(self, phase: int, slice_index: int) -> None:
        """Draw the active contour of the slice on the screen on another one, and go there."""
        labels = self._edits.labels_or_say()
        if labels is None:
            return
        if not (0 <= phase < labels.shape[0] and 0 <= slice_index < labels.shape[1]):
            self._edits.say("There is no slice or phase to copy the contour to.")
            return
        boundary = _BOUNDARIES[self._tools.structure]
        here, target = (self._view.phase, self._view.slice_index), (phase, slice_index)
        contour = self._traced.of(here).get(boundary)
        if contour is None:
            self._edits.say("This slice has no contour of the active structure.")
            return
        before = self._edits.plane(target)
        wanted = drawn_anew(before, boundary, contour, _rules(self._edits, self._tools, boundary))
        self._edits.push_plane(target, wanted, "Copy contour")
        self._view.set_phase(phase)
        self._view.set_slice(slice_index)
        name = boundary.fills.title.lower()
        self._edits.say(f"Copied the contour of the {name} from {where(here)} to {where(target)}.")

    @property
    def _voxel_mm(self) -> float:
        return float(np.mean(self._edits.spacing_mm))

    def _forget(self) -> None:
        self._traced.forget()
        self._grip = None
        self._sketch.show_contours(Contours())

    def _hold(self, grip: _Grip) -> None:
        self._tools.set_structure(grip.boundary.fills)
        self._grip = grip
        self._show(hot=None if grip.handle is None else (grip.boundary, grip.handle))

    def _remove(self, handle: _Handle | None) -> None:
        if handle is not None:
            boundary, number = handle
            self._change(
                boundary, self._traced.contours[boundary].without_point(number), "Remove point"
            )

    def _change(self, boundary: Boundary, contour: Contour, text: str) -> None:
        """Draw a contour otherwise; a change too small for any voxel is no step."""
        place, contours = self._traced.place, self._traced.contours
        assert place is not None
        plane = self._edits.plane(place)
        rules = _rules(self._edits, self._tools, boundary)
        wanted = redraw(plane, boundary, contour, rules, before=contours[boundary])
        self._traced.keep(place, contours | {boundary: contour}, wanted)  # in a moment it is so
        patch = self._edits.push_plane(place, wanted, text)
        self._show()
        if len(patch):
            _say_change(self._edits, patch, boundary, place)

    def _show(self, *, hot: _Handle | None = None) -> None:
        if self._traced.place is not None:
            active = _BOUNDARIES[self._tools.structure]
            contours = Contours(self._traced.place, self._traced.contours, active, hot)
            self._sketch.show_contours(contours)

    def _handle_at(self, place: CursorPlace) -> _Handle | None:
        """The handle under the mouse."""
        active = _BOUNDARIES[self._tools.structure]
        reach = place.reach_mm / self._voxel_mm
        return _nearest_handle(self._traced.contours, active, (place.y, place.x), reach)

    def _line_at(self, place: CursorPlace, *, widely: bool) -> Boundary | None:
        """The line under the mouse, or within the radius of the brush from it."""
        active = _BOUNDARIES[self._tools.structure]
        touched = place.reach_mm / self._voxel_mm
        reach = self._tools.radius_mm / self._voxel_mm if widely else touched
        return _nearest_line(
            self._traced.contours, active, (place.y, place.x), min(touched, reach), reach
        )


def _nearest_handle(
    contours: Traced, active: Boundary, at: tuple[float, float], reach: float
) -> _Handle | None:
    """The nearest handle within reach [voxels], that of the active contour before others."""
    found: list[tuple[bool, float, _Handle]] = []
    for boundary, contour in contours.items():
        number, apart = contour.nearest(at)
        if apart <= reach:
            found.append((boundary is not active, apart, (boundary, number)))
    return min(found, key=lambda each: each[:2])[2] if found else None


def _nearest_line(
    contours: Traced, active: Boundary, at: tuple[float, float], touched: float, reach: float
) -> Boundary | None:
    """The active contour where its line is touched, else the one that is nearest within reach.

    None where the active structure has no contour yet: then one is drawn.

    Args:
        contours: Of the slice.
        active: The contour of the active structure.
        at: Where the mouse is, (y, x) [voxels].
        touched: How near a line counts as under the mouse [voxels].
        reach: How near a line can be pulled at all [voxels].
    """
    apart = {boundary: contour.distance(at) for boundary, contour in contours.items()}
    if active not in apart:
        return None
    if apart[active] <= touched:
        return active
    near = [boundary for boundary in apart if apart[boundary] <= reach]
    return min(near, key=apart.__getitem__) if near else None


class FreshContour(ClickedOutline):
    """A contour drawn point by point, smooth from the third on."""

    def take(self, place: SlicePlace, points: Points) -> None:
        """Make it the border of the active structure, which loses what lies outside."""
        boundary = _BOUNDARIES[self._tools.structure]
        before = self._edits.plane(place)
        rules = _rules(self._edits, self._tools, boundary)
        wanted = drawn_anew(before, boundary, Contour(points), rules)
        patch = self._edits.push_plane(place, wanted, "Draw contour")
        _say_change(self._edits, patch, boundary, place)

    def line(self, points: Points, tail: Points) -> Line:
        """The closed curve through the points and the mouse."""
        through = np.vstack([points, tail])
        apart = np.r_[True, np.abs(np.diff(through, axis=0)).sum(axis=1) > 0]
        through = through[apart]
        if len(through) < 3:
            return super().line(points, tail)
        curve = Contour(through).curve()
        around = np.vstack([curve, curve[:1]])
        assert self._place is not None
        return Line(self._place, around, corners=points, closed=False, structure=self.structure)


def _rules(edits: Edits, tools: ToolState, boundary: Boundary) -> EditRules | None:
    """The rules in force; None for the usual ones of a contour."""
    return None if tools.options.over is DrawOver.ALL else edits.rules(boundary.fills, gated=False)


def _say_change(edits: Edits, patch: LabelPatch, boundary: Boundary, place: SlicePlace) -> None:
    name = boundary.fills.title.lower()
    gained = int((patch.after == boundary.fills).sum()) - int(
        (patch.before == boundary.fills).sum()
    )
    edits.say(f"{name.capitalize()}: {edits.amount(gained, '+')} in {where(place)}.")
