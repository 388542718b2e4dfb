"""The small print of a report: approval, limitations, conventions, provenance."""

from typing import Any
from xml.sax.saxutils import escape

from engine.clinical.detail_rows import limitations
from engine.clinical.pages.parts import Sheet, note, short, space
from engine.clinical.template import Chapter
from engine.study import Origin

_SET_ASIDE_SHOWN = 4
_LIMIT = 900  # letters
_ORIGINS = {
    Origin.REFERENCE: "reference contours",
    Origin.PREDICTED: "predicted, not yet corrected by a reader",
    Origin.CORRECTED: "predicted, then corrected by a reader",
    Origin.UNKNOWN: "unknown",
}


def notes(sheet: Sheet) -> list[Any]:
    """All of it, the parts below each other."""
    rules = " ".join(item.text for item in sheet.report.conventions)
    with_rules = sheet.shows(Chapter.CONVENTIONS)
    return [
        *_approval_note(sheet),
        *_set_aside(sheet),
        *(_headed(sheet, "Conventions", rules) if with_rules else []),
        *_headed(sheet, "Provenance", _provenance(sheet))[:1],
    ]


def limits(sheet: Sheet) -> list[Any]:
    """What the report does not say, and why."""
    told = short(" ".join(limitations(sheet.report)), _LIMIT)
    return _headed(sheet, "Limitations", told) if told else []


def _headed(sheet: Sheet, heading: str, text: str) -> list[Any]:
    return [note(f"<b>{sheet.say(heading)}.</b> {escape(text)}"), space(3)]


def _provenance(sheet: Sheet) -> str:
    made, say = sheet.report.provenance, sheet.say
    parts = [f"{say('Labels')}: {say(_ORIGINS[made.origin])}"]
    if made.model:
        terms = f", {say('licence')} {short(made.model_licence, 80)}" if made.model_licence else ""
        known = made.model_hash[:16] or say("unknown")
        parts.append(f"{say('Model')} {made.model} (SHA-256 {known}{terms})")
    if made.corrected_by or made.corrected_slices:
        who = made.corrected_by or say("an unnamed reader")
        parts.append(f"{say('Corrected by')} {who}{_corrected_slices(sheet)}")
    if made.source:
        parts.append(f"{say('from')} {short(made.source, 100, keep_end=True)}")
    return f"{'; '.join(parts)}."


def _corrected_slices(sheet: Sheet) -> str:
    """E.g. ` (phase 1: slices 2, 3; phase 10: slice 4)`, counted from 1."""
    corrected, say = sheet.report.provenance.corrected_slices, sheet.say
    listed = []
    for phase in sorted({phase for phase, _ in corrected}):
        numbers = [str(number + 1) for at, number in sorted(corrected) if at == phase]
        slices = say("slice") if len(numbers) == 1 else say("slices")
        listed.append(f"{say('phase')} {phase + 1}: {slices} {', '.join(numbers)}")
    return f" ({short('; '.join(listed), 200)})" if listed else ""


def _set_aside(sheet: Sheet) -> list[Any]:
    """Findings that a reader called no fault, with the reasons."""
    found = sheet.report.set_aside
    if not found:
        return []
    told = [
        f"{short(each.what, 130)} — {short(each.reader, 40) or 'A reader'}: "
        f"“{short(each.reason, 130)}”"
        for each in found[:_SET_ASIDE_SHOWN]
    ]
    more = len(found) - len(told)
    told += [f"{more} more stand in report.json and report.csv."] if more else []
    lines = "<br/>".join(f"• {escape(text)}" for text in told)
    heading = sheet.say("Called no fault by the reader")
    return [note(f"<b>{heading}.</b><br/>{lines}"), space(3)]


def _approval_note(sheet: Sheet) -> list[Any]:
    given = sheet.report.approval
    if given is None or not given.note:
        return []
    return _headed(sheet, "Approval", short(given.note, 400))
