"""Measurements from somebody's table: one row for each study, or for each study and reading."""

import csv
from collections.abc import Mapping, Sequence
from io import StringIO
from math import isfinite
from pathlib import Path

from engine.clinical.conventions import Conventions
from engine.clinical.measured_readings import Measured
from engine.errors import HeartSegError, UnreadableStudyError
from engine.io.reading_faults import hint_against, reason_of
from engine.scoring.quantities import key_of

TABLE_KINDS = (".csv", ".tsv", ".txt")

_STUDY = ("study", "patient", "patient_id", "subject", "case", "id", "name")
_READING = ("reading", "reader", "source", "observer", "rater", "model", "method")
_GROUP = ("group", "diagnosis", "pathology")
_FOLDER = ("folder", "path", "study_path")
_CONVENTIONS = ("conventions",)
_NO_QUANTITY = frozenset({"seconds", "age", "age_years", "height_cm", "weight_kg", "warnings"})
_NOTHING = frozenset({"", "-", "–", "na", "n/a", "nan", "none", "null", "."})
_LARGEST_BYTES = 50_000_000


def read_table(path: Path, name: str = "") -> list[Measured]:
    """Read a CSV table.

    The first line holds the headings. One column names the study (`study`, `patient`, `case`,
    `id`), one may name who measured (`reading`, `reader`, `model`), one the `group`, one the
    `folder` of the study, one the `conventions` it was measured by, as `heartseg cohort` writes
    them. Every other column that holds numbers is a quantity, e.g.
    `lv_ef_percent`; columns of words are left out. Columns are parted by comma, semicolon or tab;
    after a semicolon or a tab, numbers may have a decimal comma. An empty cell, `NA` or `-` is a
    value that is missing.

    Args:
        path: The table.
        name: Who measured, where no column says so; the file's name if empty.

    Raises:
        UnreadableStudyError: It cannot be read, or is no such table.
    """
    rows, comma = _cells(path)
    if len(rows) < 2:
        raise UnreadableStudyError(
            f"{path.name} holds no table.",
            hint="It needs a line of headings and a line for each study.",
        )
    heads = [cell.strip() for cell in rows[0]]
    places = _places(heads, path)
    quantities = _quantities(heads, rows[1:], set(places.values()), comma)
    if not quantities:
        raise UnreadableStudyError(
            f"{path.name} has no column of numbers.",
            hint="Each quantity is a column, with its name in the first line: lv_ef_percent.",
        )
    found = []
    for line, row in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(heads):
            raise UnreadableStudyError(
                f"Line {line} of {path.name} has {len(row)} cells, the headings are {len(heads)}.",
                hint="Is a comma within a number or a name? Put it into quotes.",
            )
        measured = _measured(row, line, places, quantities, path, name or path.stem)
        if any(value is not None for value in measured.values.values()):
            found.append(measured)
    return found


def _cells(path: Path) -> tuple[list[list[str]], bool]:
    """The cells, and whether numbers may have a decimal comma."""
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise UnreadableStudyError(
                f"{path.name} is too large for a table of measurements.",
                hint="Give one line for each study.",
            )
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        text = path.read_text(encoding="cp1252", errors="replace")  # as Excel saves it
    except OSError as error:
        raise UnreadableStudyError(
            f"{path} cannot be read: {reason_of(error)}.",
            hint=hint_against(error, "Check the path."),
        ) from error
    first = text.split("\n", 1)[0]
    mark = max(",;\t", key=first.count)
    try:
        rows = list(csv.reader(StringIO(text), delimiter=mark, strict=True))
    except csv.Error as error:
        raise UnreadableStudyError(
            f"{path.name} is no table: {error}.", hint="Save it as CSV from the spreadsheet."
        ) from error
    return rows, mark != ","


def _places(heads: Sequence[str], path: Path) -> dict[str, int]:
    """The column of what is no quantity, by what it is."""
    small = [head.lower().replace(" ", "_") for head in heads]
    twice = {head for head in small if head and small.count(head) > 1}
    if twice:
        raise UnreadableStudyError(
            f"{path.name} has two columns {min(twice)}.", hint="Give each column its own name."
        )
    places = {}
    for what, names in (
        ("study", _STUDY),
        ("reading", _READING),
        ("group", _GROUP),
        ("folder", _FOLDER),
        ("conventions", _CONVENTIONS),
    ):
        known = next((name for name in names if name in small), None)
        if known is not None:
            places[what] = small.index(known)
    if "study" not in places:
        raise UnreadableStudyError(
            f"{path.name} has no column that names the study.",
            hint=f"Call it one of {', '.join(_STUDY)}.",
        )
    return places


_Columns = dict[str, list[float | str | None]]
"""The cells of each quantity by its key; a text is what is no number."""


def _quantities(
    heads: Sequence[str], rows: Sequence[Sequence[str]], taken: set[int], comma: bool
) -> _Columns:
    """The columns that hold numbers."""
    found: _Columns = {}
    for column, head in enumerate(heads):
        if column in taken or not head or head.lower() in _NO_QUANTITY:
            continue
        cells = [_number(row[column], comma) if column < len(row) else None for row in rows]
        if any(isinstance(cell, float) for cell in cells):
            found[key_of(head)] = cells
    return found


def _number(cell: str, comma: bool) -> float | str | None:
    text = cell.strip()
    if text.lower() in _NOTHING:
        return None
    try:
        return float(text.replace(",", ".") if comma else text)
    except ValueError:
        return text


def _measured(
    row: Sequence[str],
    line: int,
    places: Mapping[str, int],
    quantities: _Columns,
    path: Path,
    name: str,
) -> Measured:
    values: dict[str, float | None] = {}
    for key, cells in quantities.items():
        value = cells[line - 2]
        if isinstance(value, str) or (value is not None and not isfinite(value)):
            raise UnreadableStudyError(
                f"{key} in line {line} of {path.name} is no number: {value}.",
                hint="Leave the cell empty where there is no value.",
            )
        values[key] = value
    said = {what: row[column].strip() for what, column in places.items()}
    if not said["study"]:
        raise UnreadableStudyError(
            f"Line {line} of {path.name} names no study.", hint="Fill in the first column."
        )
    folder = said.get("folder", "")
    return Measured(
        study=said["study"],
        reading=said.get("reading") or name,
        values=values,
        group=said.get("group", ""),
        folder=path.parent / folder if folder else None,
        conventions=_conventions(said.get("conventions", "")),
    )


def _conventions(cell: str) -> Conventions | None:
    """The choices that a cell names; None where it names none that are known."""
    try:
        return Conventions.from_text(cell) if cell else None
    except HeartSegError:  # somebody else's column of that name
        return None
