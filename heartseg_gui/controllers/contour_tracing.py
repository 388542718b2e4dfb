"""The contours of the slice on the screen, traced beside the window and kept while they hold."""

from collections.abc import Callable
from functools import partial

import numpy as np

from engine.correction.contour import Boundary, Contour, contours_of
from engine.labelmap import SlicePlace
from engine.progress import Progress, Steps
from heartseg_gui.controllers.edits import Edits, Plane
from heartseg_gui.jobs import Job, JobQueue

Traced = dict[Boundary, Contour]
"""The contours of one slice."""


class ContourTracing:
    """Contours stay as they were drawn, point by point, until somebody else changes their slice.

    Then they are traced anew, beside the window: that takes longer than going to the next slice
    may. Whoever cannot wait traces at once.
    """

    def __init__(self, edits: Edits, jobs: JobQueue) -> None:
        self._edits = edits
        self._jobs = jobs
        self._plane: Plane | None = None  # what the contours belong to
        self._job: Job | None = None
        self._wanted: tuple[SlicePlace, Callable[[], None]] | None = None
        self.place: SlicePlace | None = None
        self.contours: Traced = {}

    def knows(self, place: SlicePlace) -> bool:
        """Whether the contours are those of a slice as it is now."""
        plane = self._plane if place == self.place else None
        return plane is not None and np.array_equal(self._edits.plane(place), plane)

    def of(self, place: SlicePlace) -> Traced:
        """The contours of any slice, traced at once where they are not known."""
        return self.contours if self.knows(place) else contours_of(self._edits.plane(place))

    def trace(self, place: SlicePlace) -> None:
        """Take over the contours of a slice, at once."""
        self.keep(place, self.of(place), self._edits.plane(place))

    def trace_beside(self, place: SlicePlace, then: Callable[[], None]) -> None:
        """Take over the contours of a slice as soon as they are traced, unless it changes again.

        Args:
            place: The slice; one that was wanted before and is not traced yet is forgotten.
            then: Called when the contours are there.
        """
        if self._job is not None:
            self._wanted = (place, then)
            return
        plane = self._edits.plane(place).copy()
        self._job = self._jobs.add("Trace contours", _steps(plane), quiet=True)
        self._job.succeeded.connect(partial(self._take, place, plane, then))
        self._job.ended.connect(self._end)
        self._wanted = (place, then)

    def keep(self, place: SlicePlace, contours: Traced, plane: Plane) -> None:
        """These are the contours of a slice, as long as its labels are `plane`."""
        self.place, self.contours, self._plane = place, contours, plane.copy()

    def change(self, boundary: Boundary, contour: Contour) -> None:
        """Draw one contour otherwise, whatever the labels say."""
        self.contours = self.contours | {boundary: contour}

    def forget(self) -> None:
        """Know nothing any more, and wait for nothing."""
        self.place, self.contours, self._plane, self._wanted = None, {}, None, None

    def _take(
        self, place: SlicePlace, plane: Plane, then: Callable[[], None], contours: Traced
    ) -> None:
        wanted = self._wanted is not None and self._wanted[0] == place
        if not wanted or self._edits.labels is None:
            return
        if np.array_equal(self._edits.plane(place), plane):
            self._wanted = None
            self.keep(place, contours, plane)
            then()

    def _end(self) -> None:
        self._job = None
        if self._wanted is not None and self._edits.labels is not None:
            self.trace_beside(*self._wanted)


def _steps(plane: Plane) -> Steps[Traced]:
    """The contours of a slice (y, x)."""
    yield Progress(0, 1, "Tracing contours")
    return contours_of(plane)
