"""What the lines of a journal amount to: the steps that can be undone, and what was saved."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from engine.io.journal.entries import Kind
from engine.io.journal.records import Record

Version = tuple[int, int]
"""Number of a step, and of how many lines it consists: the last step may still grow."""


@dataclass(frozen=True, slots=True)
class Point:
    """A state of the labels: the steps there are, and how many of them are done.

    Attributes:
        steps: What they are, the first first; those behind `index` can be redone.
        index: How many are done.
    """

    steps: tuple[Version, ...] = ()
    index: int = 0

    @property
    def done(self) -> tuple[Version, ...]:
        """The steps that are done."""
        return self.steps[: self.index]

    def common_with(self, other: "Point") -> int:
        """How many steps, from the first on, are done in both."""
        pairs = zip(self.done, other.done, strict=False)
        return next((n for n, (a, b) in enumerate(pairs) if a != b), min(self.index, other.index))

    def steps_to(self, other: "Point") -> int:
        """How many steps must be undone and done to come from here to `other`."""
        common = self.common_with(other)
        mine, others = self.done[common:], other.done[common:]
        grown = bool(mine and others) and mine[0][0] == others[0][0]
        return len(mine) + len(others) - int(grown)


@dataclass(frozen=True, slots=True)
class Anchor:
    """Labels as they lie, or may lie, in a file: what steps are counted from.

    Attributes:
        number: The line that says so.
        labels: Their digest.
        point: The steps that led to them.
        confirmed: Whether they are known to have been saved, or were there when a person began.
        place: Name of the file, or empty.
    """

    number: int
    labels: str
    point: Point
    confirmed: bool
    place: str = ""


class History:
    """Takes in the lines of a journal one after the other.

    Attributes:
        records: All lines, the oldest first; those of the past alone included.
        base: The facts of the first `OPENED` line: study, images, labels and who had made them.
        anchors: Labels that were saved, or were there at the beginning; the latest last.
        closed: Whether the last session came to its end.
        last_at: When the last line was written, ISO 8601, or empty.
    """

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self.records: list[Record] = []
        self.base: dict[str, Any] = {}
        self.anchors: list[Anchor] = []
        self.closed = True
        self.last_at = ""
        self._pieces: dict[int, list[Record]] = {}
        self._order: list[Version] = []
        self._index = 0
        self._last_number = 0
        self._last_step = 0
        for record in records:
            self.take(record)

    @property
    def point(self) -> Point:
        """The labels as they are after the last line."""
        return Point(tuple(self._order), self._index)

    @property
    def saved(self) -> Anchor:
        """The labels that were last known to lie in a file.

        Raises:
            ValueError: The journal is empty.
        """
        found = next((a for a in reversed(self.anchors) if a.confirmed), None)
        if found is None:
            raise ValueError("the journal does not say what it began with")
        return found

    @property
    def next_number(self) -> int:
        """Number of the next line."""
        return self._last_number + 1

    @property
    def next_step(self) -> int:
        """Number of the next step."""
        return self._last_step + 1

    @property
    def top(self) -> int | None:
        """The last step that is done, or None."""
        return self._order[self._index - 1][0] if self._index else None

    @property
    def following(self) -> int | None:
        """The step that a redo would do, or None."""
        return self._order[self._index][0] if self._index < len(self._order) else None

    def pieces(self, version: Version) -> Sequence[Record]:
        """The lines that make up a step."""
        step, count = version
        return self._pieces[step][:count]

    def anchor_of(self, labels: str) -> Anchor | None:
        """The latest anchor with a digest, or None."""
        return next((a for a in reversed(self.anchors) if a.labels == labels), None)

    def take(self, record: Record) -> None:
        """Take in the next line.

        Raises:
            AttributeError, IndexError, KeyError, TypeError, ValueError: It does not fit those
                before it.
        """
        handler = _HANDLERS.get(record.kind)
        self._last_number = max(self._last_number, record.number)
        if handler is not None:
            handler(self, record)
        if record.kind != Kind.CHECKPOINT:
            self.records.append(record)
            self.last_at = max(self.last_at, record.at)
        if record.kind not in (Kind.CHECKPOINT, Kind.AUDIT):
            self.closed = record.kind == Kind.CLOSED

    def _take_step(self, record: Record) -> None:
        step = record.step
        self._last_step = max(self._last_step, step)
        if record.facts.get("kept"):  # a checkpoint further on says where it stands
            self._pieces[step] = [record]
        elif record.facts.get("joined"):
            if not self._index or self._order[self._index - 1] != (step, len(self._pieces[step])):
                raise ValueError("a piece of a step that is not the last one")
            self._pieces[step].append(record)
            self._order[self._index - 1 :] = [(step, len(self._pieces[step]))]
        else:
            del self._order[self._index :]
            self._order.append((step, 1))
            self._index += 1
            self._pieces[step] = [record]

    def _take_undo(self, record: Record) -> None:
        self._go_to(self._index - int(record.facts.get("steps", 1)))

    def _take_redo(self, record: Record) -> None:
        self._go_to(self._index + int(record.facts.get("steps", 1)))

    def _go_to(self, index: int) -> None:
        if not 0 <= index <= len(self._order):
            raise ValueError("there is no such step to undo or redo")
        self._index = index

    def _take_opened(self, record: Record) -> None:
        labels = str(record.facts["labels"])
        if not self.base:
            self.base = record.facts
            self.anchors.append(Anchor(record.number, labels, Point(), confirmed=True))
            return
        known = self.anchor_of(labels)
        if known is None:
            raise ValueError("the study was opened with labels that the journal does not know")
        if known is not self.saved:
            self.anchors.append(replace(known, number=record.number, confirmed=True))

    def _take_saving(self, record: Record) -> None:
        labels = str(record.facts["labels"])
        anchor = Anchor(record.number, labels, self.point, confirmed=False)
        self.anchors.append(anchor)

    def _take_saved(self, record: Record) -> None:
        wanted = int(record.facts["saving"])
        for place, anchor in enumerate(self.anchors):
            if anchor.number == wanted:
                name = str(record.facts["file"])
                self.anchors[place] = replace(anchor, confirmed=True, place=name)

    def _take_discarded(self, _record: Record) -> None:
        saved = self.saved
        self._order, self._index = list(saved.point.steps), saved.point.index

    def _take_checkpoint(self, record: Record) -> None:
        facts = record.facts
        self.base = facts["base"]
        self._order = [(int(step), 1) for step in facts["order"]]
        self._index = int(facts["index"])
        self._last_number = max(self._last_number, int(facts["last_number"]))
        self._last_step = max(self._last_step, int(facts["last_step"]))
        self.closed = bool(facts["closed"])
        self.anchors = [self._anchor_from(each) for each in facts["anchors"]]
        missing = {step for step, _ in self._order} - self._pieces.keys()
        if missing or self._index > len(self._order):
            raise ValueError(f"steps {sorted(missing)[:3]} are missing")

    def _anchor_from(self, facts: dict[str, Any]) -> Anchor:
        point = Point(tuple(self._order[: int(facts["length"])]), int(facts["index"]))
        return Anchor(
            int(facts["number"]),
            str(facts["labels"]),
            point,
            confirmed=bool(facts["confirmed"]),
            place=str(facts["file"]),
        )

    def _take_audit(self, record: Record) -> None:
        lines = (int(line["number"]) for line in record.facts["lines"])
        self._last_number = max(self._last_number, *lines)


_HANDLERS: dict[str, Callable[[History, Record], None]] = {
    Kind.OPENED: History._take_opened,
    Kind.EDIT: History._take_step,
    Kind.REPLACED: History._take_step,
    Kind.KEY_PHASES: History._take_step,
    Kind.UNDO: History._take_undo,
    Kind.REDO: History._take_redo,
    Kind.SAVING: History._take_saving,
    Kind.SAVED: History._take_saved,
    Kind.DISCARDED: History._take_discarded,
    Kind.REVIEW: History._take_step,
    Kind.CHECKPOINT: History._take_checkpoint,
    Kind.AUDIT: History._take_audit,
}
"""What to do with each kind of line; others are for people to read."""
