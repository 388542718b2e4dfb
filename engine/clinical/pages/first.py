"""The first page: who and what, the warnings, the results, the pictures, how it was made."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape

from engine.clinical.approval import approval_line
from engine.clinical.pages.notes import limits, notes
from engine.clinical.pages.parts import (
    GOOD_INK,
    INK,
    LINE,
    PALE,
    SHADE,
    WARN_INK,
    WARN_LINE,
    WARN_SHADE,
    Sheet,
    drawing,
    note,
    paragraph,
    short,
    space,
    table,
)
from engine.clinical.pages.surround import letterhead, page_title
from engine.clinical.result_rows import (
    HEADINGS,
    area_length_rows,
    atrium_rows,
    result_rows,
    with_unit,
)
from engine.clinical.template import Chapter

_WARNINGS_SHOWN = 7
_FIGURES_AT_LEAST_PT, _FIGURES_WANTED_PT = 190.0, 330.0
_CURVE_PT = 165.0
_SEXES = {"M": "male", "F": "female", "O": "other"}


def first_page(
    sheet: Sheet, *, with_limits: bool, spare_pt: float = 0.0
) -> tuple[list[Any], list[Any]]:
    """The first page, and what found no room on it.

    The figures take the room that text leaves; where they would get too small, or small while the
    second page has room, the notes on conventions and provenance go there.

    Args:
        sheet: What is printed.
        with_limits: Whether the limitations stand here, since there is no second page for them.
        spare_pt: Height that is free on the second page.

    Raises:
        HeartSegError: The logo of the template cannot be used.
    """
    above = [*letterhead(sheet), *_head(sheet), _results(sheet), space(8)]
    below = [*(limits(sheet) if with_limits else []), *notes(sheet)]
    taken = sheet.taken(below)
    room = sheet.height - sheet.taken(above) - taken - 12
    least = _FIGURES_WANTED_PT if taken < spare_pt else _FIGURES_AT_LEAST_PT
    if room >= least or not _has_figures(sheet):
        return [*above, *_figures(sheet, room), *below], []
    return [*above, *_figures(sheet, room + taken)], below


def _head(sheet: Sheet) -> list[Any]:
    report, say, width = sheet.report, sheet.say, sheet.width
    title = paragraph(page_title(sheet), size=14, bold=True)
    use = say("Research use only — not for clinical decisions")
    state = paragraph(
        escape(short(approval_line(report, say), 110)),
        bold=report.approval is None,
        colour=WARN_INK if report.approval is None else GOOD_INK,
    )
    facts = _facts(sheet)
    half = (len(facts) + 1) // 2
    rows = []
    for left, right in zip(facts[:half], [*facts[half:], ("", "")], strict=False):
        cells = []
        for name, value in (left, right):
            cells += [paragraph(say(name), colour=PALE), paragraph(escape(value))]
        rows.append(cells)
    columns = [0.14 * width, 0.39 * width, 0.14 * width, 0.33 * width]
    lines = [
        ("LINEABOVE", (0, 0), (-1, 0), 0.8, INK),
        ("LINEBELOW", (0, -1), (-1, -1), 0.5, LINE),
    ]
    above = table(
        [[paragraph(use, colour=WARN_INK), state]],
        [0.5 * width, 0.5 * width],
        ("LEFTPADDING", (0, 0), (0, 0), 0),
    )
    parts = [title, space(2), above, space(4), table(rows, columns, *lines), space(6)]
    return [*parts, *_warning_box(sheet)]


def _facts(sheet: Sheet) -> list[tuple[str, str]]:
    report, say = sheet.report, sheet.say
    patient, scan = report.patient, report.acquisition
    phases, slices = report.shape[:2]
    z_mm, y_mm, x_mm = report.spacing_mm
    person = [
        say(_SEXES[patient.sex]) if patient.sex in _SEXES else "",
        with_unit(patient.age_years, say("years"), 0),
        "" if patient.height_cm is None else f"{patient.height_cm:g} cm",
        "" if patient.weight_kg is None else f"{patient.weight_kg:g} kg",
    ]
    scanner = [scan.vendor, scan.scanner, with_unit(scan.field_strength_t, "T", 1), scan.sequence]
    stack = ", ".join(
        f"{count} {say(name if count == 1 else f'{name}s')}"
        for count, name in ((slices, "slice"), (phases, "phase"))
    )
    missing, unknown = say("not stated"), say("unknown")
    return [
        ("Patient", short(report.study_name, 90)),
        ("Facts", ", ".join(part for part in person if part) or missing),
        ("Body surface", with_unit(report.body_surface_m2, "m²", 2) or unknown),
        ("Heart rate", with_unit(patient.heart_rate_bpm, "/min", 0) or unknown),
        ("Study", short(report.study_path, 120, keep_end=True) or "–"),
        ("Stack", f"{short(report.stack_name, 60)}: {stack}"),
        ("Voxels", f"{x_mm:.2f} × {y_mm:.2f} mm; {say('slice distance')} {z_mm:.2f} mm"),
        ("Scanner", short(", ".join(part for part in scanner if part), 90) or missing),
        ("Phases" if report.atrium_alone else "ED, ES", _phases(sheet)),
        ("Made", _date(report.created)),
    ]


def _phases(sheet: Sheet) -> str:
    report, say = sheet.report, sheet.say
    found = []
    for name, phase in (("ED", report.choice.ed), ("ES", report.choice.es)):
        if phase is not None:
            time_ms = report.time_ms(phase)
            when = "" if time_ms is None else f" ({time_ms:.0f} ms)"
            found.append(f"{name} {say('phase')} {phase + 1}{when}")
    if report.atrium_alone and len(found) == 1:
        found[0] = found[0].removeprefix("ED ").removeprefix("ES ")
    return f"{', '.join(found)}; {say(str(report.choice.rule))}"


def _date(created: str) -> str:
    """A time for people; the year alone where no more is told."""
    if created.isdigit():
        return created
    return datetime.fromisoformat(created).strftime("%Y-%m-%d %H:%M UTC")


def _warning_box(sheet: Sheet) -> list[Any]:
    warnings = sheet.report.warnings
    if not warnings:
        return []
    shown = [short(warning, 260) for warning in warnings[:_WARNINGS_SHOWN]]
    more = len(warnings) - len(shown)
    if more:
        shown.append(f"… and {more} more: all of them stand in report.json and report.csv.")
    heading = f"{sheet.say('Warnings')}: {len(warnings)}"
    rows = [[paragraph(heading, colour=WARN_INK, bold=True)]]
    rows += [[paragraph(f"• {escape(text)}", size=7, colour=WARN_INK)] for text in shown]
    box = table(
        rows,
        [sheet.width],
        ("BACKGROUND", (0, 0), (-1, -1), WARN_SHADE),
        ("LINEBEFORE", (0, 0), (0, -1), 2.5, WARN_LINE),
        ("LEFTPADDING", (0, 0), (-1, -1), 8),
        ("TOPPADDING", (0, 0), (-1, -1), 0.8),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 0.8),
    )
    return [box, space(7)]


def _results(sheet: Sheet) -> Any:
    report, say, width = sheet.report, sheet.say, sheet.width
    headings = ("", "Left atrium", "per m²", "", "") if report.atrium_alone else HEADINGS
    rows = [[paragraph(say(text), bold=True, size=8) for text in headings]]
    listed = atrium_rows(report) if report.atrium_alone else result_rows(report)
    for name, *cells in listed:
        bold = name == "Ejection fraction"
        rows.append([paragraph(text, size=8.5, bold=bold) for text in (say(name), *cells)])
    by_length = area_length_rows(report, say) if report.atrium_alone else []
    rows += [[paragraph(text, size=8.5) for text in row] for row in by_length]
    return table(
        rows,
        [0.28 * width] + [0.18 * width] * 4,
        ("BACKGROUND", (0, 0), (-1, 0), SHADE),
        *([] if report.atrium_alone else [("BACKGROUND", (0, 4), (-1, 4), SHADE)]),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE),
        ("TOPPADDING", (0, 0), (-1, -1), 2.2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.6),
    )


def _has_images(sheet: Sheet) -> bool:
    return sheet.shows(Chapter.IMAGES) and bool(sheet.report.images)


def _has_curve(sheet: Sheet) -> bool:
    return sheet.shows(Chapter.CURVE) and len(sheet.report.curves[0].phases) > 1


def _has_figures(sheet: Sheet) -> bool:
    return _has_images(sheet) or _has_curve(sheet)


def _figures(sheet: Sheet, height: float) -> list[Any]:
    """Pictures above the curve, together at most `height` high [pt]."""
    from engine.clinical.figures import make_curve_figure, make_images_figure

    room = max(height - 20, _FIGURES_AT_LEAST_PT - 20)
    parts: list[Any] = []
    if _has_images(sheet):
        images_pt = min(_images_height(sheet), room * (0.62 if _has_curve(sheet) else 1))
        room -= images_pt
        drawn = _figure(make_images_figure, sheet, images_pt)
        parts += [drawn, space(2), note(_legend(sheet)), space(4)]
    if _has_curve(sheet):
        parts += [_figure(make_curve_figure, sheet, min(room, _CURVE_PT)), space(4)]
    return parts


def _legend(sheet: Sheet) -> str:
    """What the colours of the outlines mean."""
    parts = []
    if not sheet.report.atrium_alone:
        parts = ["LV cavity red", "outer border of the myocardium green", "RV yellow"]
    if atrium_rows(sheet.report):
        parts.append("left atrium light blue")
    said = ", ".join(sheet.say(part) for part in parts)
    return f"{said[:1].upper()}{said[1:]}."


def _figure(make: Callable[..., Any], sheet: Sheet, height: float) -> Any:
    figure = make(sheet.report, size_in=(sheet.width / 72, height / 72), say=sheet.say)
    return drawing(figure, sheet.width, height)


def _images_height(sheet: Sheet) -> float:
    """Height of the pictures [pt] at which they fill their boxes."""
    choice, image = sheet.report.choice, sheet.report.images[0]
    rows = sum(phase is not None for phase in (choice.ed, choice.es))
    y_mm, x_mm = image.pixel_mm
    height, width_px = image.grey.shape
    return float(rows * height * y_mm / (width_px * x_mm) * sheet.width / 3)
