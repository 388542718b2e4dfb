"""What printed pages are built of: texts, tables, pictures, and the sheet they stand on."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Any

from engine.clinical.forms.wording import Wording
from engine.clinical.report import Report
from engine.clinical.template import Chapter, ReportTemplate
from engine.drawing.pdf_fonts import prepare_reportlab

MARGIN_PT = 36.0
FOOT_PT = 14.0
INK, PALE, LINE, SHADE = "#1f2933", "#616e7c", "#cbd2d9", "#f1f4f7"
WARN_INK, WARN_SHADE, WARN_LINE = "#7a3e00", "#fff4df", "#f0b429"
GOOD_INK = "#1e6b45"
NOTE_PT = 6.8
"""Size of the smallest running text; nothing is shrunk, so nothing gets smaller than that."""


@dataclass(frozen=True)
class Sheet:
    """The paper, and what is printed on it in which way.

    Attributes:
        report: What was measured.
        template: Letterhead, language, chapters to leave out.
        say: Says English words in the template's language.
        width: Between the margins [pt].
        height: Between the margins, above the foot [pt].
    """

    report: Report
    template: ReportTemplate
    say: Wording
    width: float
    height: float

    def shows(self, chapter: Chapter) -> bool:
        """Whether the template wants a chapter."""
        return chapter not in self.template.leave_out

    def taken(self, parts: Sequence[Any]) -> float:
        """Height of some parts below each other [pt]."""
        return float(sum(part.wrap(self.width, self.height)[1] for part in parts))


def make_sheet(report: Report, template: ReportTemplate) -> Sheet:
    """An A4 sheet for a report."""
    from reportlab.lib.pagesizes import A4

    prepare_reportlab()
    size = (A4[0] - 2 * MARGIN_PT, A4[1] - 2 * MARGIN_PT - FOOT_PT)
    return Sheet(report, template, Wording(template.language), *size)


@cache
def paragraph(
    text: str, *, size: float = 7.5, colour: str = INK, bold: bool = False, right: bool = False
) -> Any:
    """A text that is broken into lines; `text` is markup, so names must be escaped."""
    from reportlab.lib.enums import TA_LEFT, TA_RIGHT
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.platypus import Paragraph

    style = ParagraphStyle(
        "report", fontName="Report-Bold" if bold else "Report", fontSize=size,
        leading=size * 1.32, textColor=colour, splitLongWords=1,
        alignment=TA_RIGHT if right else TA_LEFT,
    )  # fmt: skip
    return Paragraph(text, style)


def table(rows: list[list[Any]], widths: list[float], *style: tuple[Any, ...]) -> Any:
    """A table of parts; `widths` of its columns [pt], `style` as reportlab has it."""
    from reportlab.platypus import Table

    plain = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 4),
        ("RIGHTPADDING", (0, 0), (-1, -1), 4),
        ("TOPPADDING", (0, 0), (-1, -1), 1.6),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 1.8),
    ]
    return Table(rows, colWidths=widths, style=[*plain, *style])


def number_table(
    headings: Sequence[str], rows: Sequence[Sequence[str]], widths: list[float]
) -> Any:
    """A plain table of texts: a shaded head, a line below each row, all but the first right.

    Args:
        headings: Of the columns, markup.
        rows: Cells of text, escaped.
        widths: Of the columns [pt].
    """
    style = [
        ("BACKGROUND", (0, 0), (-1, 0), SHADE),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE),
        ("TOPPADDING", (0, 0), (-1, -1), 0.9),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 1.5),
    ]
    head = [paragraph(text, size=7, bold=True, right=n > 0) for n, text in enumerate(headings)]
    body = [
        [paragraph(text, size=7, right=n > 0) for n, text in enumerate(cells)] for cells in rows
    ]
    return table([head, *body], widths, *style)


def chapter_heading(text: str) -> Any:
    """The name of a chapter."""
    return paragraph(text, size=8.5, bold=True)


def note(text: str) -> Any:
    """Small print; `text` is markup."""
    return paragraph(text, size=NOTE_PT, colour=PALE)


def space(points: float) -> Any:
    """Nothing, so high."""
    from reportlab.platypus import Spacer

    return Spacer(1, points)


def picture(content: bytes, width: float, height: float) -> Any:
    """A picture from the bytes of its file, of a size [pt]."""
    from reportlab.platypus import Image

    return Image(BytesIO(content), width, height)


def drawing(figure: Any, width: float, height: float) -> Any:
    """A figure of matplotlib as a picture of a size [pt]; without the detour of packing a PNG."""
    from PIL import Image

    from engine.drawing.canvas import figure_pixels

    stream = BytesIO()
    Image.fromarray(figure_pixels(figure)).save(stream, "PPM")
    return picture(stream.getvalue(), width, height)


def short(text: str, limit: int, *, keep_end: bool = False) -> str:
    """The text, or its beginning (or end) with an ellipsis."""
    text = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    if len(text) <= limit:
        return text
    return f"…{text[-limit + 1 :]}" if keep_end else f"{text[: limit - 1]}…"
