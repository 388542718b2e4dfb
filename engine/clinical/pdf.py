"""The report as one or two printed pages."""

from io import BytesIO
from typing import Any

from engine.clinical.pages.first import first_page
from engine.clinical.pages.parts import FOOT_PT, MARGIN_PT, Sheet, make_sheet, short
from engine.clinical.pages.second import has_details, second_page, spare_pt
from engine.clinical.pages.surround import draw_foot, draw_watermark, page_title
from engine.clinical.report import Report
from engine.clinical.template import ReportTemplate


def make_pdf(report: Report, template: ReportTemplate | None = None) -> bytes:
    """One or two A4 pages with everything a reader needs; the same report gives the same bytes.

    The first page holds the results, the pictures, the conventions; the second walls, base,
    slices, rates, left atrium, normal ranges and limitations, where there are any.

    Args:
        report: What was measured.
        template: Letterhead, language, chapters to leave out; None for the usual ones.

    Raises:
        HeartSegError: The logo of the template is missing or damaged.
    """
    from reportlab.lib.pagesizes import A4
    from reportlab.pdfgen.canvas import Canvas

    sheet = make_sheet(report, template or ReportTemplate())
    first, left_over = first_page(
        sheet, with_limits=not has_details(sheet), spare_pt=spare_pt(sheet)
    )
    pages = [page for page in (first, second_page(sheet, left_over)) if page]
    stream = BytesIO()
    canvas = Canvas(stream, pagesize=A4, invariant=1, lang=sheet.template.language.value)
    canvas.setTitle(f"{page_title(sheet)}: {short(report.study_name, 80)}")
    canvas.setAuthor(f"HeartSeg {report.program_version}")
    for number, parts in enumerate(pages, start=1):
        _fill(canvas, sheet, parts)
        draw_foot(canvas, sheet, number, len(pages))
        if report.approval is None:
            draw_watermark(canvas, sheet, A4)
        canvas.showPage()
    canvas.save()
    return stream.getvalue()


def _fill(canvas: Any, sheet: Sheet, parts: list[Any]) -> None:
    """Put parts on the page; they were measured to fit, shrinking is only the last resort."""
    from reportlab.platypus import Frame, KeepInFrame

    whole = KeepInFrame(sheet.width, sheet.height, parts, mode="shrink")
    frame = Frame(
        MARGIN_PT, MARGIN_PT + FOOT_PT, sheet.width, sheet.height,
        leftPadding=0, rightPadding=0, topPadding=0, bottomPadding=0,
    )  # fmt: skip
    frame.addFromList([whole], canvas)
