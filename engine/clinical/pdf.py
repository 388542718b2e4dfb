"""The report as one printed page."""

from collections.abc import Callable
from datetime import datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from engine.clinical.approval import NOT_APPROVED, approval_line
from engine.clinical.further_lines import further_lines
from engine.clinical.report import Report
from engine.clinical.result_rows import HEADINGS, atrium_rows, result_rows, with_unit
from engine.study import Origin

_MARGIN_PT = 36.0
_INK, _PALE, _LINE, _SHADE = "#1f2933", "#616e7c", "#cbd2d9", "#f1f4f7"
_WARN_INK, _WARN_SHADE, _WARN_LINE = "#7a3e00", "#fff4df", "#f0b429"
_GOOD_INK = "#1e6b45"
_WATERMARK, _WATERMARK_ALPHA = "#b42318", 0.13
_WARNINGS_SHOWN = 7
_SET_ASIDE_SHOWN = 4
_FIGURES_AT_LEAST_PT = 200.0
_ORIGINS = {
    Origin.REFERENCE: "reference contours",
    Origin.PREDICTED: "predicted, not yet corrected by a reader",
    Origin.CORRECTED: "predicted, then corrected by a reader",
    Origin.UNKNOWN: "unknown",
}


def make_pdf(report: Report) -> bytes:
    """One A4 page with everything a reader needs; the figures take the room that text leaves."""
    from reportlab.lib.pagesizes import A4
    from reportlab.pdfgen.canvas import Canvas
    from reportlab.platypus import Frame, KeepInFrame

    _register_fonts()
    width, height = A4[0] - 2 * _MARGIN_PT, A4[1] - 2 * _MARGIN_PT - 14
    stream = BytesIO()
    page = Canvas(stream, pagesize=A4, invariant=1)
    page.setTitle(f"Cardiac MR report: {_short(report.study_name, 80)}")
    page.setAuthor(f"HeartSeg {report.program_version}")
    above = [*_head(report, width), _results(report, width), _space(8)]
    below = _foot(report)
    taken = sum(part.wrap(width, height)[1] for part in (*above, *below))
    story = [*above, *_figures(report, width, height - taken - 12), *below]
    whole = KeepInFrame(width, height, story, mode="shrink")
    frame = Frame(
        _MARGIN_PT, _MARGIN_PT + 14, width, height,
        leftPadding=0, rightPadding=0, topPadding=0, bottomPadding=0,
    )  # fmt: skip
    frame.addFromList([whole], page)
    _draw_footer(page, report, A4[0])
    if report.approval is None:
        _draw_watermark(page, A4)
    page.showPage()
    page.save()
    return stream.getvalue()


@cache
def _register_fonts() -> None:
    """DejaVu, which comes with matplotlib, knows the letters that names are written in."""
    import matplotlib as mpl
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    folder = Path(mpl.get_data_path()) / "fonts" / "ttf"
    pdfmetrics.registerFont(TTFont("Report", folder / "DejaVuSans.ttf"))
    pdfmetrics.registerFont(TTFont("Report-Bold", folder / "DejaVuSans-Bold.ttf"))
    pdfmetrics.registerFontFamily(
        "Report", normal="Report", bold="Report-Bold", italic="Report", boldItalic="Report-Bold"
    )


def _paragraph(text: str, *, size: float = 7.5, colour: str = _INK, bold: bool = False) -> Any:
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.platypus import Paragraph

    style = ParagraphStyle(
        "report", fontName="Report-Bold" if bold else "Report", fontSize=size,
        leading=size * 1.32, textColor=colour, splitLongWords=1,
    )  # fmt: skip
    return Paragraph(text, style)


def _table(rows: list[list[Any]], widths: list[float], *style: tuple[Any, ...]) -> Any:
    from reportlab.platypus import Table

    plain = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 4),
        ("RIGHTPADDING", (0, 0), (-1, -1), 4),
        ("TOPPADDING", (0, 0), (-1, -1), 1.6),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 1.8),
    ]
    return Table(rows, colWidths=widths, style=[*plain, *style])


def _space(points: float) -> Any:
    from reportlab.platypus import Spacer

    return Spacer(1, points)


def _head(report: Report, width: float) -> list[Any]:
    named = "left atrial volume" if report.atrium_alone else "ventricular volumes and function"
    title = _paragraph(f"Cardiac MR: {named}", size=14, bold=True)
    use = _paragraph("Research use only — not for clinical decisions", size=7.5, colour=_WARN_INK)
    state = _paragraph(
        escape(_short(approval_line(report), 110)),
        size=7.5,
        bold=report.approval is None,
        colour=_WARN_INK if report.approval is None else _GOOD_INK,
    )
    facts = _facts(report)
    half = (len(facts) + 1) // 2
    rows = []
    for left, right in zip(facts[:half], [*facts[half:], ("", "")], strict=False):
        cells = []
        for name, value in (left, right):
            cells += [_paragraph(name, colour=_PALE), _paragraph(escape(value))]
        rows.append(cells)
    columns = [0.11 * width, 0.42 * width, 0.12 * width, 0.35 * width]
    lines = [
        ("LINEABOVE", (0, 0), (-1, 0), 0.8, _INK),
        ("LINEBELOW", (0, -1), (-1, -1), 0.5, _LINE),
    ]
    above = _table([[use, state]], [0.53 * width, 0.47 * width], ("LEFTPADDING", (0, 0), (0, 0), 0))
    parts = [title, _space(2), above, _space(4), _table(rows, columns, *lines), _space(6)]
    return [*parts, *_warning_box(report, width)]


def _facts(report: Report) -> list[tuple[str, str]]:
    patient, scan = report.patient, report.acquisition
    phases, slices = report.shape[:2]
    z_mm, y_mm, x_mm = report.spacing_mm
    person = [
        {"M": "male", "F": "female", "O": "other"}.get(patient.sex, ""),
        with_unit(patient.age_years, "years", 0),
        "" if patient.height_cm is None else f"{patient.height_cm:g} cm",
        "" if patient.weight_kg is None else f"{patient.weight_kg:g} kg",
    ]
    scanner = [scan.vendor, scan.scanner, with_unit(scan.field_strength_t, "T", 1), scan.sequence]
    return [
        ("Patient", _short(report.study_name, 90)),
        ("Facts", ", ".join(part for part in person if part) or "not stated"),
        ("Body surface", with_unit(report.body_surface_m2, "m²", 2) or "unknown"),
        ("Heart rate", with_unit(patient.heart_rate_bpm, "/min", 0) or "unknown"),
        ("Study", _short(report.study_path, 120, keep_end=True)),
        ("Stack", f"{_short(report.stack_name, 60)}: {slices} slices, {phases} phases"),
        ("Voxels", f"{x_mm:.2f} × {y_mm:.2f} mm, slices {z_mm:.2f} mm apart"),
        ("Scanner", _short(", ".join(part for part in scanner if part), 90) or "not stated"),
        ("Phases" if report.atrium_alone else "ED, ES", _phases(report)),
        ("Date", _date(report.created)),
    ]


def _phases(report: Report) -> str:
    found = []
    for name, phase in (("ED", report.choice.ed), ("ES", report.choice.es)):
        if phase is not None:
            time_ms = report.time_ms(phase)
            when = "" if time_ms is None else f" ({time_ms:.0f} ms)"
            found.append(f"{name} phase {phase + 1}{when}")
    if report.atrium_alone and len(found) == 1:
        found[0] = found[0].removeprefix("ED ").removeprefix("ES ")
    return f"{', '.join(found)}; {report.choice.rule}"


def _date(created: str) -> str:
    """A time for people; the year alone where no more is told."""
    if created.isdigit():
        return created
    return datetime.fromisoformat(created).strftime("%Y-%m-%d %H:%M UTC")


def _warning_box(report: Report, width: float) -> list[Any]:
    if not report.warnings:
        return []
    shown = [_short(warning, 260) for warning in report.warnings[:_WARNINGS_SHOWN]]
    more = len(report.warnings) - len(shown)
    if more:
        shown.append(f"… and {more} more: all of them stand in report.json and report.csv.")
    count = len(report.warnings)
    heading = "1 warning" if count == 1 else f"{count} warnings"
    rows = [[_paragraph(heading, colour=_WARN_INK, bold=True)]]
    rows += [[_paragraph(f"• {escape(text)}", size=7, colour=_WARN_INK)] for text in shown]
    box = _table(
        rows,
        [width],
        ("BACKGROUND", (0, 0), (-1, -1), _WARN_SHADE),
        ("LINEBEFORE", (0, 0), (0, -1), 2.5, _WARN_LINE),
        ("LEFTPADDING", (0, 0), (-1, -1), 8),
        ("TOPPADDING", (0, 0), (-1, -1), 0.8),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 0.8),
    )
    return [box, _space(7)]


def _figures(report: Report, width: float, height: float) -> list[Any]:
    """Pictures above the curve, together at most `height` high [pt]."""
    from engine.clinical.figures import make_curve_figure, make_images_figure

    legend = _paragraph(_legend(report), size=6.5, colour=_PALE)
    has_curve = len(report.curves[0].phases) > 1
    room = max(height - 20, _FIGURES_AT_LEAST_PT)
    images_pt = min(_images_height(report, width), room * (0.62 if has_curve else 1))
    parts = [_figure(make_images_figure, report, width, images_pt), _space(2), legend, _space(4)]
    if has_curve:
        curve_pt = min(room - images_pt, 165.0)
        parts += [_figure(make_curve_figure, report, width, curve_pt), _space(4)]
    return parts


def _legend(report: Report) -> str:
    """What the colours of the outlines mean."""
    parts = []
    if not report.atrium_alone:
        parts = ["LV cavity red", "outer border of the myocardium green", "RV yellow"]
    if atrium_rows(report):
        parts.append("left atrium light blue")
    said = ", ".join(parts)
    return f"{said[:1].upper()}{said[1:]}."


def _figure(make: Callable[..., Any], report: Report, width: float, height: float) -> Any:
    from reportlab.platypus import Image

    from engine.clinical.figures import figure_png

    figure = make(report, size_in=(width / 72, height / 72))
    return Image(BytesIO(figure_png(figure)), width, height)


def _images_height(report: Report, width: float) -> float:
    """Height of the pictures [pt] at which they fill their boxes."""
    rows = sum(phase is not None for phase in (report.choice.ed, report.choice.es))
    image = report.images[0]
    y_mm, x_mm = image.pixel_mm
    height, width_px = image.grey.shape
    return float(rows * height * y_mm / (width_px * x_mm) * width / 3)


def _results(report: Report, width: float) -> Any:
    headings = ("", "Left atrium", "per m²", "", "") if report.atrium_alone else HEADINGS
    rows = [[_paragraph(text, bold=True, size=8) for text in headings]]
    ventricles = [] if report.atrium_alone else result_rows(report)
    for name, *cells in [*ventricles, *atrium_rows(report)]:
        bold = name == "Ejection fraction"
        rows.append([_paragraph(text, size=8.5, bold=bold) for text in (name, *cells)])
    return _table(
        rows,
        [0.28 * width] + [0.18 * width] * 4,
        ("BACKGROUND", (0, 0), (-1, 0), _SHADE),
        *([("BACKGROUND", (0, 4), (-1, 4), _SHADE)] if ventricles else []),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, _LINE),
        ("TOPPADDING", (0, 0), (-1, -1), 2.2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.6),
    )


def _foot(report: Report) -> list[Any]:
    made = report.provenance
    parts = [f"Labels: {_ORIGINS[made.origin]}"]
    if made.model:
        terms = f", licence {_short(made.model_licence, 80)}" if made.model_licence else ""
        parts.append(f"model {made.model} (SHA-256 {made.model_hash[:16] or 'unknown'}{terms})")
    if made.corrected_by or made.corrected_slices:
        who = made.corrected_by or "an unnamed reader"
        parts.append(f"corrected by {who}{_corrected_slices(made.corrected_slices)}")
    if made.source:
        parts.append(f"from {_short(made.source, 100, keep_end=True)}")
    rules = " ".join(item.text for item in report.conventions)
    return [
        *_approval_note(report),
        *_set_aside(report),
        *_further(report),
        _paragraph(f"<b>Conventions.</b> {escape(rules)}", size=6.8, colour=_PALE),
        _space(3),
        _paragraph(f"<b>Provenance.</b> {escape('; '.join(parts))}.", size=6.8, colour=_PALE),
    ]


def _further(report: Report) -> list[Any]:
    """The base by all rules, rates, walls, normal ranges: a sentence each."""
    told = " ".join(f"<b>{name}.</b> {escape(text)}" for name, text in further_lines(report))
    return [_paragraph(told, size=6.8, colour=_PALE), _space(3)] if told else []


def _set_aside(report: Report) -> list[Any]:
    """Findings that a reader called no fault, with the reasons."""
    if not report.set_aside:
        return []
    told = [
        f"{_short(each.what, 130)} — {each.reader or 'A reader'}: “{_short(each.reason, 130)}”"
        for each in report.set_aside[:_SET_ASIDE_SHOWN]
    ]
    more = len(report.set_aside) - len(told)
    told += [f"{more} more stand in report.json and report.csv."] if more else []
    lines = "<br/>".join(f"• {escape(text)}" for text in told)
    text = f"<b>Called no fault by the reader.</b><br/>{lines}"
    return [_paragraph(text, size=6.8, colour=_PALE), _space(3)]


def _approval_note(report: Report) -> list[Any]:
    given = report.approval
    if given is None or not given.note:
        return []
    text = f"<b>Approval.</b> {escape(_short(given.note, 400))}"
    return [_paragraph(text, size=6.8, colour=_PALE), _space(3)]


def _corrected_slices(corrected: tuple[tuple[int, int], ...]) -> str:
    """E.g. ` (phase 1: slices 2, 3; phase 10: slice 4)`, counted from 1."""
    phases = sorted({phase for phase, _ in corrected})
    listed = []
    for phase in phases:
        numbers = [str(number + 1) for at, number in sorted(corrected) if at == phase]
        slices = "slice" if len(numbers) == 1 else "slices"
        listed.append(f"phase {phase + 1}: {slices} {', '.join(numbers)}")
    return f" ({_short('; '.join(listed), 200)})" if listed else ""


def _draw_footer(page: Any, report: Report, page_width: float) -> None:
    page.setStrokeColor(_LINE)
    page.setLineWidth(0.5)
    page.line(_MARGIN_PT, _MARGIN_PT + 9, page_width - _MARGIN_PT, _MARGIN_PT + 9)
    page.setFillColor(_PALE)
    page.setFont("Report", 6.5)
    page.drawString(
        _MARGIN_PT, _MARGIN_PT, f"HeartSeg {report.program_version} · Research use only"
    )
    given = report.approval
    signed = "Read and signed by: ______________"
    if given is not None:
        signed = f"Read and approved by {_short(given.reader, 60)}"
    page.drawRightString(page_width - _MARGIN_PT, _MARGIN_PT, signed)


def _draw_watermark(page: Any, size: tuple[float, float]) -> None:
    """Across the page, pale enough to read what lies under it."""
    width, height = size
    page.saveState()
    page.setFillColor(_WATERMARK)
    page.setFillAlpha(_WATERMARK_ALPHA)
    page.setFont("Report-Bold", 74)
    page.translate(width / 2, height / 2)
    page.rotate(52)
    page.drawCentredString(0, -26, NOT_APPROVED)
    page.restoreState()


def _short(text: str, limit: int, *, keep_end: bool = False) -> str:
    """The text, or its beginning (or end) with an ellipsis."""
    text = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    if len(text) <= limit:
        return text
    return f"…{text[-limit + 1 :]}" if keep_end else f"{text[: limit - 1]}…"
