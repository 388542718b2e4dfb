"""Trainings as printed pages: tables and figures, A4 across."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING, Any

from engine import __version__
from engine.drawing.canvas import FAINT, GREY, INK, figure_bytes
from engine.drawing.pdf_fonts import BOLD, FONT, prepare_reportlab
from engine.experiments.run_beside import Beside
from engine.experiments.run_tables import short_table, table_of_figures
from engine.learning.tables import Cell, Table, show_cell

if TYPE_CHECKING:
    from engine.experiments.run_export import Gathered

_MARGIN_PT, _FOOT_PT = 36.0, 16.0
_SIZE_PT, _HEADING_PT = 6.6, 11.0
_DPI = 170
_MOST_COLUMNS = 4  # trainings beside each other in a table of a paper


def runs_pdf(found: "Gathered") -> bytes:
    """Pages with all tables and figures; the same content gives the same bytes."""
    from reportlab.lib.pagesizes import A4, landscape
    from reportlab.platypus import PageBreak, SimpleDocTemplate

    prepare_reportlab()
    stream = BytesIO()
    page = landscape(A4)
    document = SimpleDocTemplate(
        stream, pagesize=page, invariant=1, title="Trainings", author=f"HeartSeg {__version__}",
        leftMargin=_MARGIN_PT, rightMargin=_MARGIN_PT, topMargin=_MARGIN_PT,
        bottomMargin=_MARGIN_PT + _FOOT_PT,
    )  # fmt: skip
    width, height = document.width, document.height
    parts: list[Any] = []
    for number, section in enumerate(_sections(found, width, height)):
        parts += [PageBreak(), *section] if number else section
    document.build(parts, onFirstPage=_draw_foot, onLaterPages=_draw_foot)
    return stream.getvalue()


def _sections(found: "Gathered", width: float, height: float) -> Iterator[list[Any]]:
    """What begins on a page of its own each."""
    table = short_table(found.records)
    yield [
        _heading(table.title),
        *_table_parts(table, width, (3, 2.6, 1.2, 1, 0.8, 1.3, 1.3, 2, 3)),
    ]
    figures = list(found.figures)
    for title, _, figure in (each for each in figures if each[0] == "Curves"):
        yield [_heading(title), _image(figure, width, height)]
    for beside in found.beside:
        for some in _few_runs(beside):
            table = some.as_table()
            shares = (2.4, 2.6, *([1.3] * (len(table.columns) - 2)))
            yield [_heading(table.title), *_table_parts(table, width, shares)]
    if found.side is not None:
        table = table_of_figures(found.side)
        yield [_heading(table.title), *_table_parts(table, width, (3, 1, 2, 2))]
    for title, _, figure in (each for each in figures if each[0] != "Curves"):
        yield [_heading(title), _image(figure, width, height)]


def _few_runs(beside: Beside) -> Iterator[Beside]:
    """The same, with as many trainings beside each other as a page has room for."""
    for first in range(0, len(beside.runs), _MOST_COLUMNS):
        chosen = slice(first, first + _MOST_COLUMNS)
        rows = tuple(
            replace(row, ours=row.ours[chosen], printed=row.printed[chosen]) for row in beside.rows
        )
        yield Beside(beside.cite, beside.runs[chosen], rows, beside.remarks)


def _heading(text: str) -> Any:
    return _paragraph(text, size=_HEADING_PT, bold=True)


def _paragraph(text: str, *, size: float = _SIZE_PT, bold: bool = False, colour: str = INK) -> Any:
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.platypus import Paragraph

    style = ParagraphStyle(
        "runs", fontName=BOLD if bold else FONT, fontSize=size, leading=1.32 * size,
        textColor=colour, splitLongWords=1, spaceAfter=0.5 * size,
    )  # fmt: skip
    return Paragraph(escape(text).replace("\n", "<br/>"), style)


def _table_parts(table: Table, width: float, shares: Sequence[float]) -> list[Any]:
    """A table over the whole width, that goes on on the next page, and its notes."""
    from reportlab.platypus import Table as Drawn

    heads = [_paragraph(column, bold=True) for column in table.columns]
    rows = [[_paragraph(show_cell(cell)) for cell in row] for row in _cells(table)]
    drawn = Drawn(
        [heads, *rows],
        colWidths=[width * share / sum(shares) for share in shares],
        repeatRows=1,
        style=[
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LINEBELOW", (0, 0), (-1, 0), 0.7, GREY),
            ("LINEBELOW", (0, 1), (-1, -1), 0.3, FAINT),
            *((side, (0, 0), (-1, -1), 3) for side in ("LEFTPADDING", "RIGHTPADDING")),
            *((side, (0, 0), (-1, -1), 1.5) for side in ("TOPPADDING", "BOTTOMPADDING")),
        ],
    )
    notes = [
        _paragraph(f"({number}) {note}", colour=GREY) for number, note in enumerate(table.notes, 1)
    ]
    return [drawn, _space(), *notes]


def _cells(table: Table) -> Sequence[Sequence[Cell]]:
    return table.rows or (("", *[None] * (len(table.columns) - 1)),)


def _space() -> Any:
    from reportlab.platypus import Spacer

    return Spacer(1, _SIZE_PT)


def _image(figure: Any, width: float, height: float) -> Any:
    """A figure as large as the page allows below a heading."""
    from reportlab.platypus import Image

    across, down = figure.get_size_inches()
    room = height - 3 * _HEADING_PT
    scale = min(width / across, room / down)
    content = BytesIO(figure_bytes(figure, "png", dpi=_DPI))
    return Image(content, width=across * scale, height=down * scale)


def _draw_foot(canvas: Any, document: Any) -> None:
    canvas.setFont(FONT, _SIZE_PT)
    canvas.setFillColor(GREY)
    canvas.drawString(_MARGIN_PT, _MARGIN_PT, f"HeartSeg {__version__}. Research use only.")
    right = document.pagesize[0] - _MARGIN_PT
    canvas.drawRightString(right, _MARGIN_PT, str(document.page))
