"""Which files a report may take the place of: its own kind only."""

import json
import zipfile
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

from engine.errors import CannotSaveError

PROGRAM = "HeartSeg"
CSV_HEADINGS = ("section", "quantity", "phase", "slice", "value")
"""Of report.csv."""
REDCAP_START = ("record_id,study_name,report_created", "Variable / Field Name,Form Name")
"""How a row for REDCap and its data dictionary begin."""
HTML_MARK = f'<meta name="generator" content="{PROGRAM}'
"""In the head of report.html."""

REPORT_FILES = ("report.json", "report.csv", "report.pdf")
"""What a report is usually written to."""

_HEAD = 2000  # bytes


def refuse_foreign_reports(folder: Path, names: Iterable[str] = REPORT_FILES) -> None:
    """Refuse a folder in which a report would take the place of a file that is not ours.

    Args:
        folder: Where the report is to be written; need not exist.
        names: The files that will be written.

    Raises:
        CannotSaveError: One of them is there and was not written by HeartSeg.
    """
    for name in names:
        if not _is_free_or_ours(folder / name):
            raise CannotSaveError(
                f"{folder / name} was not written by HeartSeg.",
                hint="Choose another folder, or move that file away.",
            )


def _is_free_or_ours(path: Path) -> bool:
    try:
        if not path.exists():
            return True
    except OSError:
        return True  # nobody can write there either, and writing says why
    try:
        return _is_ours(path.suffix, path.read_bytes())
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
        return False


def _is_ours(suffix: str, content: bytes) -> bool:
    """Whether a file says of itself that HeartSeg made it."""
    if suffix == ".dcm":
        return content[128:132] == b"DICM" and PROGRAM.encode() in content
    if suffix == ".json":
        facts = json.loads(content)
        return bool(facts["program"]["name"] == PROGRAM and "lv" in facts)
    if suffix == ".html":
        return HTML_MARK.encode() in content[:_HEAD]
    if suffix == ".xlsx":
        with zipfile.ZipFile(BytesIO(content)) as book:
            return PROGRAM.encode() in book.read("docProps/core.xml")
    starts = [",".join(CSV_HEADINGS).encode("utf-8-sig"), *(s.encode() for s in REDCAP_START)]
    return content.startswith(tuple(starts)) or f"/Author ({PROGRAM} ".encode() in content
