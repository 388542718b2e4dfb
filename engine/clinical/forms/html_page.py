"""A report as one page for a browser: a single file, readable on a screen and on paper."""

from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from engine.clinical.approval import NOT_APPROVED, approval_line
from engine.clinical.forms.wording import Wording
from engine.clinical.own_files import HTML_MARK
from engine.clinical.report import Report
from engine.clinical.result_rows import (
    HEADINGS,
    area_length_rows,
    atrium_rows,
    result_rows,
    with_unit,
)
from engine.clinical.template import Chapter, ReportTemplate
from resources import resource_path

if TYPE_CHECKING:
    from jinja2 import Template

_SEXES = {"M": "male", "F": "female", "O": "other"}
_PICTURES_IN = (7.4, 5.0)
_CURVE_IN = (7.4, 2.6)


def html_page(report: Report, facts: Mapping[str, Any], template: ReportTemplate) -> str:
    """A report as one HTML file; pictures are inside it, and it loads nothing.

    Args:
        report: What was measured.
        facts: Of the report, see `report_facts`.
        template: Language, letterhead, and which chapters are left out.
    """
    say = Wording(template.language)
    shown = {each.value: each not in template.leave_out for each in Chapter}
    ventricles = [] if report.atrium_alone else result_rows(report)
    watermark = say(NOT_APPROVED) if report.approval is None else ""
    page: str = _template().render(
        say=say,
        language=template.language.value,
        mark=HTML_MARK,
        version=report.program_version,
        title=_title(report, say),
        letterhead=template.letterhead,
        logo=_as_source(template.logo),
        state=approval_line(report, say),
        watermark=watermark,
        people=_people(facts, say),
        headings=[say(text) for text in HEADINGS],
        rows=[
            *([say(row[0]), *row[1:]] for row in [*ventricles, *atrium_rows(report)]),
            *area_length_rows(report, say),
        ],
        facts=facts,
        shown=shown,
        images=_picture(report, "images") if shown["images"] and report.images else "",
        curve=_picture(report, "curve") if shown["curve"] and _has_curve(report) else "",
        warnings=report.warnings,
        conventions=[each.text for each in report.conventions],
    )
    return page


@cache
def _template() -> "Template":
    from jinja2 import Environment, StrictUndefined

    source = resource_path("report", "page.html").read_text(encoding="utf-8")
    rules = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    rules.filters["number"] = _number
    return rules.from_string(source)


def _number(value: float | None, digits: int = 0, unit: str = "") -> str:
    return with_unit(value, unit, digits) or "–"


def _title(report: Report, say: Wording) -> str:
    named = "left atrial volume" if report.atrium_alone else "ventricular volumes and function"
    return say(f"Cardiac MR: {named}")


def _people(facts: Mapping[str, Any], say: Wording) -> list[tuple[str, str]]:
    """What is said about the patient and the examination."""
    patient, phases = facts["patient"], facts["phases"]
    scanner = [patient["vendor"], patient["scanner"], _number(patient["field_strength_t"], 1, "T")]
    lines = [
        ("Patient", facts["study"]["name"]),
        ("Sex", say(_SEXES.get(patient["sex"], "unknown"))),
        ("Age", _number(patient["age_years"])),
        ("Height", _number(patient["height_cm"], 0, "cm")),
        ("Weight", _number(patient["weight_kg"], 0, "kg")),
        ("Body surface", _number(facts["bsa_m2"], 2, "m²")),
        ("Heart rate", _number(facts["heart_rate_bpm"], 0, "/min")),
        ("Scanner", ", ".join(part for part in scanner if part and part != "–") or "–"),
        ("End diastole", _phase(phases["ed"], say)),
        ("End systole", _phase(phases["es"], say)),
        ("Made", facts["created"].replace("T", " ")[:16]),
    ]
    return [(say(name), str(value)) for name, value in lines]


def _phase(phase: int | None, say: Wording) -> str:
    return "–" if phase is None else f"{say('phase')} {phase + 1}"


def _has_curve(report: Report) -> bool:
    return len(report.curves[0].phases) > 1


def _picture(report: Report, kind: str) -> str:
    """A figure of the report as a source that is inside the page."""
    from engine.clinical.figures import figure_png, make_curve_figure, make_images_figure

    if kind == "images":
        return _as_source(figure_png(make_images_figure(report, size_in=_PICTURES_IN)))
    return _as_source(figure_png(make_curve_figure(report, size_in=_CURVE_IN)))


def _as_source(picture: bytes) -> str:
    if not picture:
        return ""
    kind = "png" if picture.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{b64encode(picture).decode('ascii')}"
