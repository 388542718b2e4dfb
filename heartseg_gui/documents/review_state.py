"""What readers decided about the open labels, and in which colours it is shown."""

from collections.abc import Collection
from datetime import UTC, datetime

from PySide6.QtCore import QObject, Signal

from engine.labelmap import SlicePlace
from engine.review.states import Review, SliceState

STATE_COLOURS: dict[SliceState, tuple[int, int, int]] = {
    SliceState.EMPTY: (120, 128, 140),
    SliceState.GIVEN: (200, 186, 140),
    SliceState.PREDICTED: (90, 156, 248),
    SliceState.EDITED: (240, 160, 48),
    SliceState.PROPAGATED: (190, 120, 240),
    SliceState.APPROVED: (60, 190, 110),
}
"""Red, green, blue, 0 to 255; each is also told by its word and its sign."""

STATE_NAMES: dict[SliceState, str] = {
    SliceState.EMPTY: "Empty",
    SliceState.GIVEN: "From a file",
    SliceState.PREDICTED: "Predicted",
    SliceState.EDITED: "Edited",
    SliceState.PROPAGATED: "Propagated",
    SliceState.APPROVED: "Approved",
}


class ReviewState(QObject):
    """The review of the labels on the screen; a part of the document.

    It changes by commands alone, so that an approval is a step of undo like a stroke.

    Time and strokes are counted beside it, for nobody takes back the time that was spent.

    Signals:
        changed: The review is another one.
        effort_changed: Time, by a second or more, or the number of strokes.
    """

    changed = Signal()
    effort_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._value = Review()
        self._seconds, self._strokes = 0.0, 0  # since these labels were opened
        self.reader = ""
        """Who sits before the screen: named where an edit opens an approved study again."""
        self.now = utc_now
        """The clock; steps that are put back bring the time when they were done."""

    @property
    def value(self) -> Review:
        """What readers decided."""
        return self._value

    @property
    def blinded(self) -> bool:
        """Whether other readings are hidden until this second one is approved."""
        return self._value.is_second_reading and not self._value.is_approved

    @property
    def to_store(self) -> Review:
        """The review with time and strokes, as it goes into files and reports."""
        return self._value.spend(seconds=self._seconds, strokes=self._strokes)

    def open(self, review: Review) -> None:
        """Take the review of other labels; time and strokes begin with what it says."""
        self._seconds, self._strokes = 0.0, 0
        self.set(review)
        self.effort_changed.emit()

    def spend(self, *, seconds: float = 0.0, strokes: int = 0) -> None:
        """Count time [s] and strokes of the reader."""
        before = int(self._seconds)
        self._seconds += seconds
        self._strokes += strokes
        if strokes or int(self._seconds) != before:
            self.effort_changed.emit()

    def set(self, review: Review) -> None:
        """Take another review; for commands only."""
        if review != self._value:
            self._value = review
            self.changed.emit()

    def take_edit(self, places: Collection[SlicePlace]) -> Review:
        """Take back the approval of slices (phase, slice) that are edited; for commands only.

        Returns:
            The review before, which undo gives to `set`.
        """
        before = self._value
        if before.approved or before.propagated or before.events:
            self.set(before.without(places, reader=self.reader, at=self.now()))
        return before


def utc_now() -> str:
    """This moment as ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
