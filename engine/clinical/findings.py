"""What the checks of labels find, and how a report tells it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from engine.clinical.phases import PhaseChoice
from engine.structures import Structure


class Severity(StrEnum):
    """How sure it is that something is wrong."""

    FAULT = "fault"  # no heart is drawn so on purpose
    DOUBT = "doubt"  # hardly any heart is so
    NOTE = "note"  # many hearts are so; good to know


class FindingKind(StrEnum):
    """What was checked."""

    RING_OPEN = "ring_open"
    LV_TOUCHES_RV = "lv_touches_rv"
    ISLAND = "island"
    HOLE = "hole"
    PICTURE_EDGE = "picture_edge"
    GAP = "gap"
    BEYOND_ED = "beyond_ed"
    SLICES_LOST = "slices_lost"
    STACK_END = "stack_end"
    PHASE_WITHOUT_LV = "phase_without_lv"
    NOT_DRAWN = "not_drawn"
    NO_SYSTOLE = "no_systole"
    EJECTION_FRACTION = "ejection_fraction"
    STROKE_VOLUMES = "stroke_volumes"
    MASS = "mass"
    CURVE_JUMP = "curve_jump"
    CURVE_MINIMA = "curve_minima"
    PATIENT = "patient"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about labels that a reader should look at.

    Attributes:
        key: Names it, and stays the same while its size changes: a reader's reason to set it
            aside belongs to this key (`engine.review.states.Ignored`).
        kind: What was checked.
        severity: How sure it is that something is wrong.
        what: One sentence; the place is not in it where `slice_index` is given.
        phase: Where to look, 0-based; None where it concerns no single phase.
        slice_index: Where to look, 0-based; None where it concerns no single slice.
        hint: What to do about it.
    """

    key: str
    kind: FindingKind
    severity: Severity
    what: str
    phase: int | None
    slice_index: int | None
    hint: str


def make_finding(
    kind: FindingKind,
    severity: Severity,
    what: str,
    hint: str,
    *,
    phase: int | None = None,
    slice_index: int | None = None,
    structure: Structure | None = None,
) -> Finding:
    """A finding whose key is made of its kind, its place and the structure that it concerns."""
    parts = [kind.value]
    parts += [] if phase is None else [f"t{phase}"]
    parts += [] if slice_index is None else [f"z{slice_index}"]
    parts += [] if structure is None else [structure.name.lower()]
    return Finding("/".join(parts), kind, severity, what, phase, slice_index, hint)


def name_phase(phase: int, choice: PhaseChoice) -> str:
    """How a reader calls a phase: ED, ES, or its number from 1."""
    return {choice.ed: "ED", choice.es: "ES"}.get(phase, f"phase {phase + 1}")


def place_of(finding: Finding, choice: PhaseChoice) -> str:
    """Where a finding is, in words: `ED, slice 3`; empty where it concerns the whole study."""
    parts = [] if finding.phase is None else [name_phase(finding.phase, choice)]
    parts += [] if finding.slice_index is None else [f"slice {finding.slice_index + 1}"]
    return ", ".join(parts)


_TOGETHER = {
    FindingKind.RING_OPEN: "the myocardium leaves the cavity's border open.",
    FindingKind.LV_TOUCHES_RV: "the LV cavity touches the RV.",
    FindingKind.ISLAND: "pieces of labels lie apart.",
    FindingKind.HOLE: "there are holes in the labels.",
    FindingKind.PICTURE_EDGE: "the heart touches the edge of the picture and may be cut off.",
    FindingKind.BEYOND_ED: "the LV is drawn at ES, but not at ED.",
}
"""What is said of several slices of one phase at once."""


def sort_findings(findings: Iterable[Finding]) -> list[Finding]:
    """Faults first, then doubts, then notes; otherwise in the order given."""
    order = list(Severity)
    return sorted(findings, key=lambda finding: order.index(finding.severity))


def describe(finding: Finding, choice: PhaseChoice, *, hint: bool = True) -> str:
    """A finding as a sentence that stands by itself, with its place and what to do about it.

    Args:
        finding: What was found.
        choice: Names its phase.
        hint: Whether to say what to do.
    """
    what = finding.what
    if finding.slice_index is not None:
        what = f"At {place_of(finding, choice)}: {_small(what)}"
    return f"{what} {finding.hint}".strip() if hint else what


def describe_all(findings: Sequence[Finding], choice: PhaseChoice) -> list[str]:
    """Findings as a report prints them: slices of one phase with one kind of fault in one line."""
    groups: dict[tuple[FindingKind, int | None, str], list[Finding]] = {}
    for finding in sort_findings(findings):
        together = finding.kind in _TOGETHER and finding.slice_index is not None
        own = "" if together else finding.key
        groups.setdefault((finding.kind, finding.phase, own), []).append(finding)
    return [_describe_group(group, choice) for group in groups.values()]


def _describe_group(group: Sequence[Finding], choice: PhaseChoice) -> str:
    first = group[0]
    slices = sorted({each.slice_index for each in group if each.slice_index is not None})
    if len(group) == 1 or first.phase is None:
        return describe(first, choice)
    listed = ", ".join(str(number + 1) for number in slices)
    where = f"{name_phase(first.phase, choice)}, slice{'s' if len(slices) > 1 else ''} {listed}"
    return f"At {where}: {_TOGETHER[first.kind]} {first.hint}".strip()


def _small(sentence: str) -> str:
    """A sentence that goes on after a colon; LV and RV stay as they are."""
    return sentence if sentence[1:2].isupper() else sentence[:1].lower() + sentence[1:]
