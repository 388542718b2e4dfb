"""What readers decided, as a report tells it: approved or not, and what they set aside."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from engine.clinical.findings import Finding, describe, name_phase
from engine.clinical.phases import PhaseChoice
from engine.errors import NotApprovedError
from engine.labelmap import SlicePlace
from engine.review.states import Review, ReviewKind

if TYPE_CHECKING:
    from engine.clinical.report import Report

NOT_APPROVED = "NOT APPROVED"
"""Stands across every page of a report, and in its files, until a reader has approved the study."""


@dataclass(frozen=True, slots=True)
class SetAside:
    """A finding that a reader called no fault.

    Attributes:
        what: The finding, one sentence.
        reason: Why it is no fault.
        reader: Who said so; may be empty.
    """

    what: str
    reason: str
    reader: str


def set_aside(
    findings: Iterable[Finding], choice: PhaseChoice, review: Review
) -> tuple[SetAside, ...]:
    """The findings that a reader set aside, in their order; those that are gone are left out."""
    reasons = {each.key: each for each in review.ignored}
    return tuple(
        SetAside(
            describe(finding, choice, hint=False),
            reasons[finding.key].reason,
            reasons[finding.key].reader,
        )
        for finding in findings
        if finding.key in reasons
    )


def refuse_unapproved(report: "Report") -> None:
    """Refuse to call a report final whose labels no reader stands for.

    Raises:
        NotApprovedError: The study is not approved, was reopened or edited since, or slices that
            were measured are not approved.
    """
    if report.approval is not None:
        return
    raise NotApprovedError(
        _why_not(report),
        hint="Approve it in the window and save, or leave out --final: the report is then marked "
        f'"{NOT_APPROVED}".',
    )


def _why_not(report: "Report") -> str:
    name, review = report.study_name, report.review
    last = review.events[-1] if review.events else None
    if review.is_approved and not report.unapproved and report.long_axis is not None:
        views = " and ".join(report.long_axis.unapproved)
        return f"{name} is approved, but not the left atrium on the {views} view."
    if review.is_approved:
        phase, z = report.unapproved[0]
        return (
            f"{name} is approved, but not all slices that are measured here, the first of them "
            f"slice {z + 1} at {name_phase(phase, report.choice)}."
        )
    if last is not None and last.kind is ReviewKind.REOPENED:
        by = f" by {last.reader}" if last.reader else ""
        return f"The approval of {name} was taken back{by}: {last.note}"
    return f"No reader has approved the labels of {name}."


def approval_line(report: "Report", say: Callable[[str], str] = str) -> str:
    """One line for the head of a page: who approved and when, or that nobody has.

    Args:
        report: What was measured.
        say: Says English words in another language.
    """
    given = report.approval
    if given is None:
        return say("Not approved by a reader: the numbers may change")
    return f"{say('Approved by')} {given.reader}, {_date(given.at)}"


def _date(at: str) -> str:
    """A time for people; as it is where it is none."""
    try:
        return datetime.fromisoformat(at).strftime("%Y-%m-%d %H:%M UTC")
    except ValueError:
        return at or "at an unknown time"


def approval_facts(report: "Report") -> dict[str, Any]:
    """What readers decided, for files: `watermark` is None once the study is approved."""
    given, review = report.approval, report.review
    return {
        "approved": given is not None,
        "watermark": None if given is not None else NOT_APPROVED,
        "reader": None if given is None else given.reader,
        "at": None if given is None else given.at,
        "note": None if given is None else given.note,
        "second_reading": review.is_second_reading,
        "slices_not_approved": _as_facts(report.unapproved),
        "slices_propagated": _as_facts(sorted(review.propagated)),
        "seconds": review.seconds,
        "strokes": review.strokes,
        "events": [asdict(event) | {"kind": event.kind.value} for event in review.events],
    }


def _as_facts(places: Iterable[SlicePlace]) -> list[dict[str, int]]:
    return [{"phase": phase, "slice": z} for phase, z in places]
