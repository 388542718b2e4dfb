"""Outlines that become labels when they are closed: polygon, lasso, magnetic line, cut."""

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from engine.correction.outline import cut, lasso_mask, polygon_mask, thinned
from engine.labelmap import SlicePlace
from engine.structures import ALL_STRUCTURES, Structure
from heartseg_gui.controllers.edits import Edits, where
from heartseg_gui.controllers.hand_tool import HandTool
from heartseg_gui.documents.sketch import Line, Points, Sketch, no_points
from heartseg_gui.documents.tool_state import Press, ToolState
from heartseg_gui.documents.view_state import CursorPlace, ViewState

if TYPE_CHECKING:
    from engine.correction.magnetic import EdgeMap

_LEAST_CORNERS = 3


class ClickedOutline(HandTool):
    """An outline drawn click by click.

    A click on the first point, the right button, a double click or Return closes it; Backspace
    takes the last point away, Esc all of them. Ctrl with the first click draws an outline that
    takes labels away.
    """

    def __init__(self, edits: Edits, sketch: Sketch, tools: ToolState, view: ViewState) -> None:
        self._edits = edits
        self._sketch = sketch
        self._tools = tools
        self._view = view
        self._place: SlicePlace | None = None
        self._erases = False
        self._ways: list[Points] = []  # each ends at its corner, which the next one begins at
        self._mouse: CursorPlace | None = None

    @property
    def busy(self) -> bool:
        """Whether there is a point."""
        return bool(self._ways)

    @property
    def structure(self) -> Structure:
        """What the area will become."""
        return Structure.BACKGROUND if self._erases else self._tools.structure

    def put_down(self) -> None:
        """Forget the points."""
        self.give_up()

    def press(self, place: CursorPlace, press: Press) -> None:
        """Add a point, or close the outline."""
        if self._edits.labels_or_say() is None:
            return
        here = (place.phase, place.slice_index)
        if here != self._place:
            self.give_up()
        if press.other or press.double or self._closes(place):
            self.finish()
            return
        if not self.busy:
            self._place, self._erases = here, press.control
            self.begin(here)
        at = np.array([[place.y, place.x]])
        self._ways.append(np.vstack([self.way(self._ways[-1][-1:], at), at]) if self.busy else at)
        self._mouse = place
        self._show()

    def hover(self, place: CursorPlace | None) -> None:
        """Draw on to the mouse."""
        self._mouse = place
        if self.busy:
            self._show()

    def finish(self) -> None:
        """Close the outline and make labels of it; elsewhere, go where it is first."""
        if not self.busy or self._place is None:
            return
        if self._place != (self._view.phase, self._view.slice_index):
            self._view.set_phase(self._place[0])
            self._view.set_slice(self._place[1])
            self._edits.say("Here is what you began; Return closes it, Esc gives it up.")
            return
        if len(self._ways) < _LEAST_CORNERS:
            self._edits.say("An outline needs at least three points; Esc gives it up.")
            return
        ways = [*self._ways, self.way(self._ways[-1][-1:], self._ways[0][:1])]
        place, points = self._place, np.vstack(ways)
        self.give_up()
        self.take(place, points)

    def step_back(self) -> None:
        """Take the last point away."""
        if self.busy:
            self._ways.pop()
            self._show()

    def give_up(self) -> None:
        """Forget the points."""
        self._sketch.draw(None)
        self._ways, self._place = [], None

    def _closes(self, place: CursorPlace) -> bool:
        """Whether a click there is one on the first point of an outline that can be closed."""
        if len(self._ways) < _LEAST_CORNERS:
            return False
        away = (self._ways[0][0] - (place.y, place.x)) * self._edits.spacing_mm
        return float(np.hypot(*away)) <= place.reach_mm

    def begin(self, place: SlicePlace) -> None:
        """The first point is about to be set."""

    def way(self, start: Points, end: Points) -> Points:  # noqa: ARG002  (a straight line)
        """What lies between two points (1, 2) that were clicked, without them, (n, 2)."""
        return no_points()

    def line(self, points: Points, tail: Points) -> Line:
        """How the settled points and the way to the mouse are shown."""
        assert self._place is not None
        return Line(self._place, points, tail, self._corners(), structure=self.structure)

    def take(self, place: SlicePlace, points: Points) -> None:
        """Make labels of a closed outline."""
        raise NotImplementedError

    def _corners(self) -> Points:
        return np.vstack([way[-1] for way in self._ways])

    def _show(self) -> None:
        if self._place is None:
            return
        if not self.busy:
            self._sketch.draw(None)
            return
        tail, mouse = no_points(), self._mouse
        if mouse is not None and (mouse.phase, mouse.slice_index) == self._place:
            at = np.array([[mouse.y, mouse.x]])
            tail = np.vstack([self.way(self._ways[-1][-1:], at), at])
        self._sketch.draw(self.line(np.vstack(self._ways), tail))


class PolygonTool(ClickedOutline):
    """Straight lines between clicks."""

    def take(self, place: SlicePlace, points: Points) -> None:
        """Fill the polygon."""
        mask = polygon_mask(points, self._edits.plane(place).shape)
        _fill(self._edits, place, mask, self.structure, "Polygon")


class MagneticTool(ClickedOutline):
    """Lines that cling to edges of the image between clicks."""

    def __init__(self, edits: Edits, sketch: Sketch, tools: ToolState, view: ViewState) -> None:
        super().__init__(edits, sketch, tools, view)
        self._edges: EdgeMap | None = None

    def begin(self, place: SlicePlace) -> None:
        """Find the edges of the slice."""
        from engine.correction.magnetic import EdgeMap

        self._edges = EdgeMap(self._edits.grey(place), self._edits.spacing_mm)

    def way(self, start: Points, end: Points) -> Points:
        """Along the edges."""
        if self._edges is None:
            return no_points()
        path: Points = self._edges.path(tuple(start[0].tolist()), tuple(end[0].tolist()))
        return path[1:-1]

    def take(self, place: SlicePlace, points: Points) -> None:
        """Fill what the line goes round; round the myocardium that is its ring alone."""
        plane = self._edits.plane(place)
        mask = lasso_mask(points, (plane.shape[0], plane.shape[1]))
        if self.structure is Structure.MYOCARDIUM:
            mask &= plane != Structure.LV
        _fill(self._edits, place, mask, self.structure, "Magnetic outline")


class LassoTool(HandTool):
    """A line drawn freehand; the right button or Ctrl takes labels away."""

    def __init__(self, edits: Edits, sketch: Sketch, tools: ToolState) -> None:
        self._edits = edits
        self._sketch = sketch
        self._tools = tools
        self._place: SlicePlace | None = None
        self._points: list[tuple[float, float]] = []
        self._structure = Structure.BACKGROUND

    @property
    def busy(self) -> bool:
        """Whether the button is down."""
        return self._place is not None

    def put_down(self) -> None:
        """Forget the line."""
        self.give_up()

    def press(self, place: CursorPlace, press: Press) -> None:
        """Begin the line."""
        if self._edits.labels_or_say() is None:
            return
        self._place = (place.phase, place.slice_index)
        self._structure = Structure.BACKGROUND if press.erases else self._tools.structure
        self._points = []
        self.drag(place.y, place.x)

    def drag(self, y: float, x: float) -> None:
        """Draw on."""
        if self._place is None:
            return
        self._points.append((y, x))
        points = np.array(self._points)
        line = Line(self._place, points, closed=self.closed, structure=self.colour)
        self._sketch.draw(line)

    def release(self) -> None:
        """Close the line and make labels of it."""
        if self._place is None:
            return
        place, points = self._place, thinned(np.array(self._points))
        self.give_up()
        if self._edits.labels is not None:
            self.take(place, points)

    def give_up(self) -> None:
        """Forget the line."""
        self._sketch.draw(None)
        self._place = None

    @property
    def closed(self) -> bool:
        """Whether the line goes round an area."""
        return True

    @property
    def colour(self) -> Structure:
        """The structure in whose colour the line is drawn."""
        return self._structure

    def take(self, place: SlicePlace, points: Points) -> None:
        """Fill what the line goes round."""
        mask = lasso_mask(points, self._edits.plane(place).shape)
        _fill(self._edits, place, mask, self._structure, "Lasso")


class CutTool(LassoTool):
    """A line that cuts a structure in two; the smaller part goes.

    It cuts the active structure where it crosses that, else the one that it crosses most.
    """

    @property
    def closed(self) -> bool:
        """A cut is open."""
        return False

    @property
    def colour(self) -> Structure:
        """A cut takes away."""
        return Structure.BACKGROUND

    def take(self, place: SlicePlace, points: Points) -> None:
        """Cut along the line."""
        structure = self._crossed(place, points)
        if structure is None:
            self._edits.say("The cut crosses no structure.")
            return
        name = structure.title.lower()
        wanted = cut(self._edits.plane(place), points, structure=structure)
        patch = self._edits.push_plane(place, wanted, "Cut")
        amount = self._edits.amount(len(patch))
        told = f"Cut {amount} off the {name} in {where(place)}."
        self._edits.say(told if len(patch) else f"The line does not divide the {name}.")

    def _crossed(self, place: SlicePlace, points: Points) -> Structure | None:
        plane = self._edits.plane(place)
        under = _voxels_under(points, plane.shape)
        counts = np.bincount(plane[under], minlength=len(Structure))
        if counts[self._tools.structure]:
            return self._tools.structure
        best = max(ALL_STRUCTURES, key=lambda structure: counts[structure])
        return best if counts[best] else None


def _voxels_under(points: Points, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the voxels that a line runs over, each once."""
    pieces = [points[:1]]
    for start, end in pairwise(points):
        steps = max(1, int(np.ceil(2 * np.abs(end - start).max())))
        pieces.append(start + (end - start) * np.arange(1, steps + 1)[:, None] / steps)
    voxels = np.unique(np.rint(np.vstack(pieces)).astype(np.intp), axis=0)
    inside = ((voxels >= 0) & (voxels < shape)).all(axis=1)
    rows, columns = voxels[inside].T
    return rows, columns


def _fill(
    edits: Edits, place: SlicePlace, mask: np.ndarray, structure: Structure, tool: str
) -> None:
    """Push an area and say how much it has changed."""
    patch = edits.push_area(place, mask, structure, tool)
    if len(patch) == 0:
        edits.say(f"{tool}: nothing changes there.")
        return
    what = "cleared" if structure is Structure.BACKGROUND else f"became {structure.title.lower()}"
    edits.say(f"{tool}: {edits.amount(len(patch))} {what} in {where(place)}.")
