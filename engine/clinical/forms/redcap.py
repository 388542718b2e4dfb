"""One row of a REDCap project, and the data dictionary that makes such a project.

Columns are those of REDCap's import template and of its data dictionary (REDCap, *Data Import
Tool* and *Data Dictionary*); the first is `record_id`. A study without a value has an empty cell,
so that rows of many studies fit under one head.
"""

import csv
from collections.abc import Mapping
from io import StringIO
from typing import Any

from engine.clinical.forms.fields import FIELDS, ReportField, with_segments

_RECORD = "record_id"
_FORM = "heartseg"
_DICTIONARY_HEAD = (
    "Variable / Field Name",
    "Form Name",
    "Section Header",
    "Field Type",
    "Field Label",
    "Choices, Calculations, OR Slider Labels",
    "Field Note",
    "Text Validation Type OR Show Slider Number",
    "Text Validation Min",
    "Text Validation Max",
    "Identifier?",
    "Branching Logic (Show field only if...)",
    "Required Field?",
    "Custom Alignment",
    "Question Number (surveys only)",
    "Matrix Group Name",
    "Matrix Ranking?",
    "Field Annotation",
)
_VALIDATION = {"number": "number", "integer": "integer", "text": "", "yesno": ""}
_IDENTIFIERS = frozenset({"study_name"})


def redcap_csv(facts: Mapping[str, Any]) -> str:
    """A report as one row for REDCap's import, below a head.

    Args:
        facts: See `report_facts`.
    """
    known = with_segments(facts)
    row = [_cell(each, each.value(known)) for each in FIELDS]
    stream = StringIO()
    table = csv.writer(stream, lineterminator="\n")
    table.writerow((_RECORD, *(each.name for each in FIELDS), f"{_FORM}_complete"))
    complete = 2 if facts["approval"]["approved"] else 1  # complete, or unverified
    table.writerow((facts["study"]["name"], *row, complete))
    return stream.getvalue()


def redcap_dictionary() -> str:
    """The data dictionary of a project that takes these rows."""
    stream = StringIO()
    table = csv.writer(stream, lineterminator="\n")
    table.writerow(_DICTIONARY_HEAD)
    table.writerow((_RECORD, _FORM, "", "text", "Record", *[""] * 13))
    section = ""
    for each in FIELDS:
        head = each.section if each.section != section else ""
        section = each.section
        kind = "yesno" if each.kind == "yesno" else "text"
        identifier = "y" if each.name in _IDENTIFIERS else ""
        checked = _VALIDATION[each.kind]
        note = f"in {each.unit}" if each.unit else ""
        table.writerow(
            (each.name, _FORM, head, kind, each.label, "", note, checked, "", "", identifier)
            + ("",) * 7
        )
    return stream.getvalue()


def _cell(field: ReportField, value: Any) -> Any:
    if value is None:
        return ""
    if field.kind == "yesno":
        return int(bool(value))
    if field.kind == "number":
        return round(float(value), 4)
    text = str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else value
