"""A report as an Excel workbook: numbers stay numbers, a sheet for each table."""

from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

from engine.clinical.forms.fields import FIELDS, with_segments
from engine.clinical.own_files import PROGRAM

if TYPE_CHECKING:
    from openpyxl import Workbook

_WIDEST = 60  # characters of a column


def workbook_bytes(facts: Mapping[str, Any]) -> bytes:
    """A report as an .xlsx file.

    Args:
        facts: See `report_facts`.
    """
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.active)
    book.properties.creator = PROGRAM
    known = with_segments(facts)
    rows = [
        (each.section, each.label, each.value(known), each.unit)
        for each in FIELDS
        if each.section != "Wall"
    ]
    _add_sheet(book, "Summary", ("section", "quantity", "value", "unit"), rows)
    _add_table(book, "Slices", facts["slices"])
    _add_table(book, "Curve", facts["curve"])
    _add_table(book, "Wall", facts["wall"]["segments"])
    _add_table(book, "Basal", [_plain(each) for each in facts["basal"]["slices"]])
    _add_table(book, "Basal rules", facts["basal"]["rules"])
    _add_sheet(book, "Conventions", ("key", "text"), list(facts["conventions"].items()))
    _add_sheet(book, "Warnings", ("warning",), [(each,) for each in facts["warnings"]])
    stream = BytesIO()
    book.save(stream)
    return stream.getvalue()


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row whose inner tables became columns of their own."""
    flat: dict[str, Any] = {}
    for key, value in row.items():
        inner = value if isinstance(value, Mapping) else {"": value}
        flat.update({f"{key}_{name}".rstrip("_"): each for name, each in inner.items()})
    return flat


def _add_table(book: "Workbook", title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    head = tuple(dict.fromkeys(key for row in rows for key in row))
    if head:
        _add_sheet(book, title, head, [[row.get(key) for key in head] for row in rows])


def _add_sheet(
    book: "Workbook", title: str, head: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    from openpyxl.styles import Font

    sheet = book.create_sheet(title)
    sheet.append(list(head))
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for number, row in enumerate(rows, start=2):
        for column, value in enumerate(row, start=1):
            cell = sheet.cell(number, column)
            if isinstance(value, str):  # never a formula, whatever it begins with
                cell.value, cell.data_type = _legible(value), "s"
            else:
                cell.value = value
    sheet.freeze_panes = "A2"
    for letter, cells in ((column[0].column_letter, column) for column in sheet.columns):
        longest = max(len(str(cell.value or "")) for cell in cells)
        sheet.column_dimensions[letter].width = min(_WIDEST, longest + 2)


def _legible(text: str) -> str:
    """The text without the control characters that a workbook cannot hold."""
    return "".join(letter for letter in text if letter.isprintable() or letter in "\n\t")
