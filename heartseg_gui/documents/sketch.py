"""What is being drawn on a slice and is not a label yet."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from engine.labelmap import SlicePlace
from engine.structures import Structure

if TYPE_CHECKING:
    from engine.correction.contour import Boundary, Contour
    from engine.correction.prompting import Prompt
    from engine.correction.propagation import Proposal

Points = NDArray[np.float64]
"""(n, 2) as (y, x) in voxels; whole numbers are voxel centres."""


def no_points() -> Points:
    """An empty line."""
    return np.empty((0, 2))


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A line under the mouse.

    Attributes:
        place: Phase and slice.
        points: What is settled, (n, 2).
        tail: From the last point to the mouse, (m, 2).
        corners: Which of the points were set by hand and are shown as such, (k, 2).
        closed: Whether the line will be closed: then its end is joined to its start.
        structure: What it will become; the background where it takes away.
    """

    place: SlicePlace
    points: Points = field(default_factory=no_points, repr=False)
    tail: Points = field(default_factory=no_points, repr=False)
    corners: Points = field(default_factory=no_points, repr=False)
    closed: bool = True
    structure: Structure = Structure.BACKGROUND


@dataclass(frozen=True, slots=True, eq=False)
class Contours:
    """Editable contours of one slice.

    Attributes:
        place: Phase and slice.
        by_boundary: The contours.
        active: The one whose handles are large: that of the active structure.
        hot: The handle under the mouse, or None.
    """

    place: SlicePlace = (0, 0)
    by_boundary: "Mapping[Boundary, Contour]" = field(default_factory=dict)
    active: "Boundary | None" = None
    hot: "tuple[Boundary, int] | None" = None


@dataclass(frozen=True, slots=True)
class Marks:
    """What the reader said is inside and outside.

    Attributes:
        place: Phase and slice.
        prompts: The marks.
        inside: For each whether it says inside.
    """

    place: SlicePlace = (0, 0)
    prompts: "tuple[Prompt, ...]" = ()
    inside: tuple[bool, ...] = ()


class Sketch(QObject):
    """Drawn by views over the labels, changed by controllers alone.

    Signals:
        changed: Anything.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._line: Line | None = None
        self._contours = Contours()
        self._marks = Marks()
        self._proposals: tuple[Proposal, ...] = ()

    @property
    def line(self) -> Line | None:
        """The line that is being drawn."""
        return self._line

    @property
    def contours(self) -> Contours:
        """The contours with their handles."""
        return self._contours

    @property
    def marks(self) -> Marks:
        """Marks of what is inside and outside."""
        return self._marks

    @property
    def proposals(self) -> "tuple[Proposal, ...]":
        """Slices that wait to be accepted or rejected."""
        return self._proposals

    def proposal_at(self, place: SlicePlace) -> "Proposal | None":
        """What is proposed for a slice."""
        found = (proposal for proposal in self._proposals if proposal.place == place)
        return next(found, None)

    def draw(self, line: Line | None) -> None:
        """Show a line; None takes it away."""
        if line is not None or self._line is not None:
            self._line = line
            self.changed.emit()

    def show_contours(self, contours: Contours) -> None:
        """Show contours instead of those before."""
        if contours.by_boundary or self._contours.by_boundary:
            self._contours = contours
            self.changed.emit()

    def point_at(self, hot: "tuple[Boundary, int] | None") -> None:
        """Light up a handle; None lights none."""
        if hot != self._contours.hot:
            self._contours = replace(self._contours, hot=hot)
            self.changed.emit()

    def show_marks(self, marks: Marks) -> None:
        """Show marks instead of those before."""
        if marks.prompts or self._marks.prompts:
            self._marks = marks
            self.changed.emit()

    def propose(self, proposals: "tuple[Proposal, ...]") -> None:
        """Show slices that wait for an answer, instead of those before."""
        if proposals or self._proposals:
            self._proposals = proposals
            self.changed.emit()
