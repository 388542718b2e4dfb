"""What stands around the content of every page: letterhead, heading, foot, watermark."""

from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape

from engine.clinical.approval import NOT_APPROVED
from engine.clinical.pages.parts import (
    INK,
    LINE,
    MARGIN_PT,
    NOTE_PT,
    PALE,
    Sheet,
    paragraph,
    picture,
    short,
    space,
    table,
)
from engine.errors import HeartSegError

_WATERMARK, _WATERMARK_ALPHA = "#b42318", 0.13
_WATERMARK_PT = 74.0
_LOGO_PT = (150.0, 40.0)  # at most
_LOGO_PIXELS = (1250, 340)  # more would not be seen


def page_title(sheet: Sheet) -> str:
    """What the report is about, in the template's language."""
    alone = sheet.report.atrium_alone
    named = "left atrial volume" if alone else "ventricular volumes and function"
    return sheet.say(f"Cardiac MR: {named}")


def letterhead(sheet: Sheet) -> list[Any]:
    """Hospital, department and address, the logo on the right; nothing where all are empty.

    Raises:
        HeartSegError: The logo is missing or damaged.
    """
    given, logo = sheet.template.letterhead, sheet.template.logo
    words = [
        paragraph(escape(short(text, 120)), size=size, bold=bold, colour=colour)
        for text, size, bold, colour in (
            (given.hospital, 9.5, True, INK),
            (given.department, 7.5, False, INK),
            (given.address, 7.5, False, PALE),
        )
        if text.strip()
    ]
    if not words and not logo:
        return []
    sign = _logo(logo) if logo else ""
    right = _LOGO_PT[0] if logo else 0.0
    row = table(
        [[words, sign]],
        [sheet.width - right, right],
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), 0),
        ("ALIGN", (1, 0), (1, 0), "RIGHT"),
        ("LINEBELOW", (0, 0), (-1, -1), 0.5, LINE),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 5),
    )
    return [row, space(7)]


def _logo(content: bytes) -> Any:
    """The logo, within its box and without more pixels than can be seen."""
    from PIL import Image

    try:
        with Image.open(BytesIO(content)) as opened:
            opened.thumbnail(_LOGO_PIXELS)
            small = opened.convert("RGBA")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise HeartSegError(
            f"The logo of the report template is damaged: {error}.",
            hint="Give another PNG or JPEG, or take `logo` out of the template.",
        ) from error
    stream = BytesIO()
    small.save(stream, "PNG")
    part = min(_LOGO_PT[0] / small.width, _LOGO_PT[1] / small.height)
    return picture(stream.getvalue(), small.width * part, small.height * part)


def running_head(sheet: Sheet) -> list[Any]:
    """Whose page it is, for those after the first."""
    report = sheet.report
    name = paragraph(escape(short(report.study_name, 90)), size=9.5, bold=True)
    told = f"{page_title(sheet)} · {escape(short(report.stack_name, 50))}"
    style = (
        ("LEFTPADDING", (0, 0), (0, 0), 0),
        ("RIGHTPADDING", (1, 0), (1, 0), 0),
        ("VALIGN", (0, 0), (-1, -1), "BOTTOM"),
        ("LINEBELOW", (0, 0), (-1, -1), 0.8, INK),
    )
    columns = [0.45 * sheet.width, 0.55 * sheet.width]
    return [
        table([[name, paragraph(told, colour=PALE, right=True)]], columns, *style),
        space(8),
    ]


def draw_foot(canvas: Any, sheet: Sheet, number: int, count: int) -> None:
    """Program, page number and signature below the content.

    Args:
        canvas: Of reportlab.
        sheet: What is printed.
        number: Of this page, from 1.
        count: Of pages.
    """
    say, report = sheet.say, sheet.report
    right = MARGIN_PT + sheet.width
    canvas.setStrokeColor(LINE)
    canvas.setLineWidth(0.5)
    canvas.line(MARGIN_PT, MARGIN_PT + 9, right, MARGIN_PT + 9)
    canvas.setFillColor(PALE)
    canvas.setFont("Report", NOTE_PT)
    use = say("Research use only")
    canvas.drawString(MARGIN_PT, MARGIN_PT, f"HeartSeg {report.program_version} · {use}")
    canvas.drawCentredString(
        MARGIN_PT + sheet.width / 2, MARGIN_PT, f"{say('Page')} {number} / {count}"
    )
    given = report.approval
    signed = f"{say('Read and signed by')}: ______________"
    if given is not None:
        signed = f"{say('Read and approved by')} {short(given.reader, 36)}"
    canvas.drawRightString(right, MARGIN_PT, signed)


def draw_watermark(canvas: Any, sheet: Sheet, size: tuple[float, float]) -> None:
    """Across the page, pale enough to read what lies under it.

    Args:
        canvas: Of reportlab.
        sheet: What is printed.
        size: Width and height of the paper [pt].
    """
    from reportlab.pdfbase.pdfmetrics import stringWidth

    text = sheet.say(NOT_APPROVED)
    longest = stringWidth(NOT_APPROVED, "Report-Bold", _WATERMARK_PT)
    points = _WATERMARK_PT * min(1.0, longest / stringWidth(text, "Report-Bold", _WATERMARK_PT))
    width, height = size
    canvas.saveState()
    canvas.setFillColor(_WATERMARK)
    canvas.setFillAlpha(_WATERMARK_ALPHA)
    canvas.setFont("Report-Bold", points)
    canvas.translate(width / 2, height / 2)
    canvas.rotate(52)
    canvas.drawCentredString(0, -0.35 * points, text)
    canvas.restoreState()
