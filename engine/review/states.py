"""What readers say about labels: which slices are right, who approved them, what was set aside."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from math import isfinite
from typing import Any

from engine.errors import NotApprovedError
from engine.labelmap import SlicePlace
from engine.review.landmarks import ChamberView, PairKind, PointPair, with_pair, without_pairs

EDITED_SINCE = "Labels were changed after the approval."
"""Why a study is open again when a person edits it after it was approved."""


class SliceState(StrEnum):
    """How far the labels of one slice of one phase have come."""

    EMPTY = "empty"  # no labels, and no model has looked there
    GIVEN = "given"  # as a file gave them, a reference's too; nobody has changed or approved them
    PREDICTED = "predicted"  # as a model gave them, likewise
    EDITED = "edited"
    PROPAGATED = "propagated"  # carried over from another slice, and accepted
    APPROVED = "approved"


class ReviewKind(StrEnum):
    """What happened to a study."""

    APPROVED = "approved"
    REOPENED = "reopened"
    SECOND_READING = "second_reading"


@dataclass(frozen=True, slots=True)
class ReviewEvent:
    """One thing that happened to a study.

    Attributes:
        kind: What.
        reader: Who did it.
        at: When, ISO 8601 in UTC; empty where unknown.
        note: A remark, or the reason.
    """

    kind: ReviewKind
    reader: str
    at: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Ignored:
    """A finding that a reader set aside.

    Attributes:
        key: Of the finding (`engine.clinical.findings.Finding`).
        reason: Why it is no fault; the report prints it.
        reader: Who said so.
    """

    key: str
    reason: str
    reader: str = ""


@dataclass(frozen=True, slots=True)
class Review:
    """Everything readers have decided about one label map.

    A value: each method gives a new review and changes nothing.

    Attributes:
        approved: Slices that a reader called right.
        propagated: Slices whose labels were carried over from another slice and accepted.
        events: What happened to the study, in order.
        ignored: Findings that were set aside, in order.
        seconds: Time readers have spent on it [s].
        strokes: Edits they have made.
        left_out: Slices at the base that are drawn and do not count (`engine.clinical.basal`).
        points: Insertion points and hinge points that a reader put.
        view: Which chambers a long-axis view cuts, where a reader has said so.
    """

    approved: frozenset[SlicePlace] = frozenset()
    propagated: frozenset[SlicePlace] = frozenset()
    events: tuple[ReviewEvent, ...] = ()
    ignored: tuple[Ignored, ...] = ()
    seconds: float = 0.0
    strokes: int = 0
    left_out: frozenset[SlicePlace] = frozenset()
    points: tuple[PointPair, ...] = ()
    view: ChamberView | None = None

    @property
    def approval(self) -> ReviewEvent | None:
        """The approval of the study that still holds, or None."""
        for event in reversed(self.events):
            if event.kind is ReviewKind.APPROVED:
                return event
            if event.kind is ReviewKind.REOPENED:
                return None
        return None

    @property
    def is_approved(self) -> bool:
        """Whether a reader has approved the study and nobody has reopened or edited it since."""
        return self.approval is not None

    def approve_slices(self, places: Iterable[SlicePlace]) -> "Review":
        """Call slices right."""
        return replace(self, approved=self.approved | frozenset(places))

    def doubt_slices(self, places: Iterable[SlicePlace], *, reader: str, at: str) -> "Review":
        """Take the approval of slices back; a study that was approved is open again."""
        gone = self.approved & frozenset(places)
        return replace(self._reopened_by_edit(gone, reader, at), approved=self.approved - gone)

    def approve(
        self, places: Iterable[SlicePlace] = (), *, reader: str, at: str, note: str = ""
    ) -> "Review":
        """Approve the study.

        A report counts as approved only where every labelled slice that it measures is, too: the
        slices of ED and ES at least should be among `places` or approved before.

        Args:
            places: Slices that were not approved one by one and are now, (phase, slice), 0-based.
            reader: Who approves.
            at: When, ISO 8601 in UTC.
            note: A remark for the report.

        Raises:
            NotApprovedError: The reader has no name.
        """
        if not reader.strip():
            raise NotApprovedError(
                "An approval needs the name of a reader.", hint="Give your name in the settings."
            )
        event = ReviewEvent(ReviewKind.APPROVED, reader.strip(), at, note)
        return replace(self.approve_slices(places), events=(*self.events, event))

    def reopen(self, reason: str, *, reader: str, at: str) -> "Review":
        """Take the approval of the study back; that of its slices stays until they are edited.

        Raises:
            NotApprovedError: No reason is given, or the study is not approved.
        """
        if not self.is_approved:
            raise NotApprovedError(
                "The study is not approved, so it cannot be reopened.", hint="It can be edited."
            )
        if not reason.strip():
            raise NotApprovedError(
                "A study is reopened for a reason.", hint="Say in a few words what is wrong."
            )
        event = ReviewEvent(ReviewKind.REOPENED, reader, at, reason.strip())
        return replace(self, events=(*self.events, event))

    def second_reading(self, *, reader: str, at: str, note: str = "") -> "Review":
        """The review of a second, blinded reading.

        Nothing of the first is carried over: neither approvals nor findings set aside. It belongs
        to labels of its own, see `engine.io.readings`.
        """
        return Review(events=(ReviewEvent(ReviewKind.SECOND_READING, reader, at, note),))

    @property
    def is_second_reading(self) -> bool:
        """Whether this is the review of a second reading."""
        return any(event.kind is ReviewKind.SECOND_READING for event in self.events)

    def propagate(self, places: Iterable[SlicePlace]) -> "Review":
        """Slices were carried over from another one and accepted; their approval is gone."""
        changed = frozenset(places)
        return replace(self.without(changed), propagated=self.propagated | changed)

    def without(self, places: Iterable[SlicePlace], *, reader: str = "", at: str = "") -> "Review":
        """The review after an edit of some slices.

        They are neither approved nor propagated any more, and a study that was approved is open
        again, with the reason `EDITED_SINCE`.

        Args:
            places: The slices that were edited, (phase, slice), 0-based.
            reader: Who edited.
            at: When, ISO 8601 in UTC.
        """
        changed = frozenset(places)
        if not changed:
            return self
        kept = self._reopened_by_edit(changed, reader, at)
        if not (changed & self.approved or changed & self.propagated):
            return kept
        return replace(kept, approved=self.approved - changed, propagated=self.propagated - changed)

    def _reopened_by_edit(self, places: Collection[SlicePlace], reader: str, at: str) -> "Review":
        if not places or not self.is_approved:
            return self
        event = ReviewEvent(ReviewKind.REOPENED, reader, at, EDITED_SINCE)
        return replace(self, events=(*self.events, event))

    def leave_out(self, places: frozenset[SlicePlace], *, reader: str, at: str) -> "Review":
        """Of the drawn slices at the base, let these not count; opens an approved study again."""
        opened = self._reopened_by_edit(places ^ self.left_out, reader, at)
        return replace(opened, left_out=places)

    def put_points(self, pair: PointPair, *, reader: str, at: str) -> "Review":
        """Measure from these points on; opens an approved study again."""
        opened = self._reopened_by_edit((pair.place,), reader, at)
        return replace(opened, points=with_pair(self.points, pair))

    def find_points_again(
        self, kind: PairKind, place: SlicePlace | None = None, *, reader: str, at: str
    ) -> "Review":
        """Forget the points of a kind, on one slice or everywhere; opens an approved study."""
        kept = without_pairs(self.points, kind, place)
        gone = [each.place for each in self.points if each not in kept]
        return replace(self._reopened_by_edit(gone, reader, at), points=kept)

    def pairs_of(self, kind: PairKind) -> tuple[PointPair, ...]:
        """The points of one kind that a reader put."""
        return tuple(each for each in self.points if each.kind is kind)

    def call_view(self, view: ChamberView | None) -> "Review":
        """Say which chambers this long-axis view cuts; None leaves it to its name."""
        return replace(self, view=view)

    def ignore(self, key: str, reason: str, reader: str) -> "Review":
        """Set a finding aside; a later reason takes the place of an earlier one.

        Raises:
            NotApprovedError: No reason is given.
        """
        if not reason.strip():
            raise NotApprovedError(
                "A finding is set aside for a reason.", hint="Say in a few words why it is right."
            )
        others = self.heed(key).ignored
        return replace(self, ignored=(*others, Ignored(key, reason.strip(), reader)))

    def heed(self, key: str) -> "Review":
        """Show a finding again that was set aside."""
        return replace(self, ignored=tuple(each for each in self.ignored if each.key != key))

    def ignores(self, key: str) -> bool:
        """Whether a finding was set aside."""
        return any(each.key == key for each in self.ignored)

    def spend(self, *, seconds: float = 0.0, strokes: int = 0) -> "Review":
        """Count time [s] and edits that a reader has spent on the study."""
        return replace(self, seconds=self.seconds + seconds, strokes=self.strokes + strokes)

    def as_json(self) -> dict[str, Any]:
        """Plain dictionaries and lists."""
        return _as_json(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Review":
        """Read what `as_json` wrote; what is missing is as in `Review()`.

        Raises:
            AttributeError, KeyError, TypeError, ValueError: It is something else.
        """
        return _from_json(content)


def _as_json(review: Review) -> dict[str, Any]:
    return {
        "approved": [list(place) for place in sorted(review.approved)],
        "propagated": [list(place) for place in sorted(review.propagated)],
        "events": [asdict(event) | {"kind": event.kind.value} for event in review.events],
        "ignored": [asdict(each) for each in review.ignored],
        "seconds": float(review.seconds),
        "strokes": int(review.strokes),
        "left_out": [list(place) for place in sorted(review.left_out)],
        "points": [each.as_json() for each in review.points],
        "view": None if review.view is None else review.view.value,
    }


def _from_json(content: Mapping[str, Any]) -> Review:
    events = [
        ReviewEvent(ReviewKind(each["kind"]), *(str(each[key]) for key in _EVENT_TEXTS))
        for each in content.get("events", [])
    ]
    ignored = [
        Ignored(*(str(each[key]) for key in _IGNORED_TEXTS)) for each in content.get("ignored", [])
    ]
    seconds, strokes = float(content.get("seconds", 0.0)), int(content.get("strokes", 0))
    if not isfinite(seconds) or seconds < 0 or strokes < 0:
        raise ValueError("time and strokes are not negative")
    return Review(
        _places(content.get("approved", [])),
        _places(content.get("propagated", [])),
        tuple(events),
        tuple(ignored),
        seconds,
        strokes,
        _places(content.get("left_out", [])),
        tuple(PointPair.from_json(each) for each in content.get("points", [])),
        None if content.get("view") is None else ChamberView(content["view"]),
    )


_EVENT_TEXTS = ("reader", "at", "note")
_IGNORED_TEXTS = ("key", "reason", "reader")


def _places(pairs: Iterable[Any]) -> frozenset[SlicePlace]:
    places = frozenset((int(phase), int(slice_index)) for phase, slice_index in pairs)
    if any(min(place) < 0 for place in places):
        raise ValueError("phases and slices count from 0")
    return places


def state_of(
    place: SlicePlace,
    *,
    review: Review,
    corrected: Collection[SlicePlace],
    predicted_phases: Collection[int],
    labelled: Collection[SlicePlace],
) -> SliceState:
    """The state of one slice.

    Args:
        place: (phase, slice), 0-based.
        review: What readers decided.
        corrected: Slices that a person has changed.
        predicted_phases: Phases that a model has labelled: there an empty slice is an answer, too.
        labelled: Slices with any label.
    """
    if place in review.approved:
        return SliceState.APPROVED
    if place in review.propagated:
        return SliceState.PROPAGATED
    if place in corrected:
        return SliceState.EDITED
    if place[0] in predicted_phases:
        return SliceState.PREDICTED
    return SliceState.GIVEN if place in labelled else SliceState.EMPTY
