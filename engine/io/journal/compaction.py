"""A journal made smaller: nothing that can be undone or redone is lost, nor any line about it."""

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import Any

from engine.io.journal.description import describe_patch
from engine.io.journal.entries import Kind
from engine.io.journal.history import Anchor, History, Version
from engine.io.journal.image import JournalImage
from engine.io.journal.patches import decode_patch, encode_patch, join_patches
from engine.io.journal.records import Record

_LONG = ("provenance", "review", "value", "joined", "kept")
"""Facts that the lines of the past leave out: each has a summary, or stands elsewhere."""


def compact(image: JournalImage) -> JournalImage | None:
    """The same journal without the patches of what was undone for good, a step in one line each.

    None where it must stay as it is: labels that are saved came about by steps that were undone
    since, and whoever opens them needs those.
    """
    history = image.history
    point = history.point
    if not history.anchors or not _leads_to(history.saved, point.steps):
        return None
    smaller, kept = JournalImage(), {step for step, _ in point.steps}
    past = [line for record in history.records for line in _lines_of(record, kept)]
    number = history.next_number
    if past:
        smaller.append(Record(number, Kind.AUDIT, history.last_at, "", {"lines": past}))
    shape = tuple(int(length) for length in history.base["shape"])
    for step in point.steps:
        smaller.append(_in_one_line(history.pieces(step), shape))
    smaller.append(_checkpoint(history, number + 1))
    return smaller


def _leads_to(anchor: Anchor, steps: Sequence[Version]) -> bool:
    """Whether the labels of an anchor can be told by the first of some steps."""
    return anchor.point.steps == tuple(steps[: len(anchor.point.steps)])


def _lines_of(record: Record, kept: set[int]) -> list[dict[str, Any]]:
    """What stays of a line from which nothing is replayed; nothing of lines that stay whole."""
    if record.kind == Kind.AUDIT:
        return list(record.facts["lines"])
    if record.is_step and record.step in kept:
        return []
    line = {key: value for key, value in record.as_json().items() if key not in _LONG}
    made = record.facts.get("provenance")
    if made:
        line |= {"origin": made["origin"], "model": made["model"]}
    decided = record.facts.get("value")
    if isinstance(decided, dict):
        line |= {"approved": len(decided.get("approved", ()))}
        line |= {"events": list(decided.get("events", ()))[-1:]}
    return [line]


def _in_one_line(pieces: Sequence[Record], shape: tuple[int, ...]) -> Record:
    """A step in one line, marked as one whose place a checkpoint tells."""
    first, last = pieces[0], pieces[-1]
    facts, patch = first.facts | {"kept": True}, first.patch
    if len(pieces) > 1:
        changes = [decode_patch(piece.patch, prod(shape)) for piece in pieces]
        whole = join_patches(changes)
        t, z, y, x = shape
        later = {key: value for key, value in last.facts.items() if key != "joined"}
        facts = facts | later | describe_patch(whole, (t, z, y, x))
        if first.kind == Kind.REPLACED:
            facts["phases"] = sorted({n for piece in pieces for n in piece.facts["phases"]})
            slices = {tuple(place) for piece in pieces for place in piece.facts["slices"]}
            facts["slices"] = sorted(slices)
        patch = encode_patch(whole)
    return replace(first, facts=facts, patch=patch)


def _checkpoint(history: History, number: int) -> Record:
    point = history.point
    facts = {
        "base": history.base,
        "order": [step for step, _ in point.steps],
        "index": point.index,
        "anchors": [_facts_of(each) for each in history.anchors if _leads_to(each, point.steps)],
        "closed": history.closed,
        "last_number": number,
        "last_step": history.next_step - 1,
    }
    return Record(number, Kind.CHECKPOINT, history.last_at, "", facts)


def _facts_of(anchor: Anchor) -> dict[str, Any]:
    return {
        "number": anchor.number,
        "labels": anchor.labels,
        "length": len(anchor.point.steps),
        "index": anchor.point.index,
        "confirmed": anchor.confirmed,
        "file": anchor.place,
    }
