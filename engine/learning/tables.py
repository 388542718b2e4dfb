"""Tables as Markdown for reading and as CSV for other programs."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass

Cell = str | int | float | None


@dataclass(frozen=True, slots=True)
class Table:
    """A table to be written as Markdown or CSV.

    Attributes:
        columns: Their titles. A column `note` holds numbers of notes, from 1.
        rows: A cell for each column.
        notes: What the numbers stand for.
        title: Blank for none.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    title: str = ""


def to_markdown(table: Table) -> str:
    """The table as Markdown, numbers rounded for reading, the notes below it."""
    numeric = [
        any(isinstance(row[place], int | float) for row in table.rows)
        for place in range(len(table.columns))
    ]
    lines = [
        _markdown_line(table.columns),
        _markdown_line("--:" if number else "---" for number in numeric),
        *(_markdown_line(show_cell(cell) for cell in row) for row in table.rows),
    ]
    parts = [f"**{table.title}**"] if table.title else []
    parts.append("\n".join(lines))
    parts += [f"({number}) {note}" for number, note in enumerate(table.notes, start=1)]
    return "\n\n".join(parts) + "\n"


def _markdown_line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def show_cell(cell: Cell) -> str:
    """A cell for reading: the smaller a number, the more decimals."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell
    size = abs(cell)
    if isinstance(cell, int) or (size >= 1000 and cell == int(cell)):
        return f"{int(cell):,}"
    if 0 < size < 0.05:
        return f"{cell:.3g}"
    return f"{cell:.3f}" if size <= 1 else f"{cell:.2f}" if size < 100 else f"{cell:.1f}"


def to_csv(table: Table) -> str:
    """The table as CSV, numbers in full, with a note's text in place of its number."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(table.columns)
    for row in table.rows:
        writer.writerow(
            table.notes[cell - 1] if column == "note" and isinstance(cell, int) else cell
            for column, cell in zip(table.columns, row, strict=True)
        )
    return stream.getvalue()
