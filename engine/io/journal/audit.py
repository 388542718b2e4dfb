"""Who did what and when: the lines of a study's journals, and the labels that they lead to."""

from pathlib import Path
from typing import Any

from engine.errors import UnusableJournalError
from engine.io.journal.entries import STEPS, Kind
from engine.io.journal.finding import examine_journal
from engine.io.journal.image import JournalImage
from engine.io.journal.opening import opening_of
from engine.io.journal.places import journals_of
from engine.io.reading_faults import hint_against, reason_of
from engine.labelmap import LabelMap
from engine.structures import Structure
from engine.study import Stack, StoredLabels

_LEFT_OUT = ("kept", "joined", "images", "labels", "value", "review", "lines")


def read_audit(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """The lines of every journal of a study, the oldest first, by the journal's file name.

    Args:
        folder: The study's folder or file.

    Returns:
        For each journal its lines, as JSON values: `number`, `kind`, `at`, `by` and what the kind
        has to say; `undone` where a step is no longer part of the labels.

    Raises:
        UnusableJournalError: There is none, or one cannot be read.
    """
    paths = journals_of(folder)
    if not paths:
        raise UnusableJournalError(
            f"There is no journal for {folder}.",
            hint="One is begun with the first edit in the window; check the path.",
        )
    return {path.name: audit_lines(path) for path in paths}


def audit_lines(path: Path) -> list[dict[str, Any]]:
    """The lines of one journal, see `read_audit`.

    Raises:
        UnusableJournalError: It cannot be read.
    """
    try:
        image, _ = JournalImage.read(path.read_bytes())
    except OSError as error:
        raise UnusableJournalError(
            f"{path} cannot be read: {reason_of(error)}.",
            hint=hint_against(error, "Check the disk, or copy the file again."),
        ) from error
    history = image.history
    done = {step for step, _ in history.point.done}
    past: list[dict[str, Any]] = []
    for record in history.records:
        past += record.facts["lines"] if record.kind == Kind.AUDIT else [record.as_json()]
    return [_plain(line, done) for line in sorted(past, key=lambda line: int(line["number"]))]


def _plain(line: dict[str, Any], done: set[int]) -> dict[str, Any]:
    made = line.get("provenance")
    plain = {key: value for key, value in line.items() if key not in (*_LEFT_OUT, "provenance")}
    if isinstance(made, dict):
        plain |= {"origin": made.get("origin", ""), "model": made.get("model", "")}
    if plain["kind"] in STEPS:
        plain["undone"] = plain["step"] not in done
    return plain


def describe_line(line: dict[str, Any]) -> tuple[str, str, str]:
    """What happened, to which structures, and where, in a few words each."""
    what = str(line.get("text") or line["kind"])
    if line["kind"] in (Kind.UNDO, Kind.REDO):
        what = f"{line['kind']}: {what}"
    elif line["kind"] == Kind.SAVED:
        what = f"saved as {line.get('file', '')}"
    elif line["kind"] in (Kind.RECOVERED, Kind.DISCARDED):
        what = f"{line['kind']} {line.get('steps', '')} edits"
    background = str(int(Structure.BACKGROUND))
    touched = line.get("structures", {})
    names = [_name_of(number) for number in touched if number != background or len(touched) == 1]
    places = [f"{z + 1}/{t + 1}" for t, z in line.get("places", ())]
    where = ", ".join(places) if len(places) <= 3 else f"{places[0]} ... {places[-1]}"
    if "in_phases" in line:
        where = f"{len(line['in_phases'])} phases"
    return what, ", ".join(names), where


def _name_of(number: str) -> str:
    known = {str(int(structure)): structure.short_title for structure in Structure}
    return known.get(number, number)


def replayed_labels(
    path: Path, stack: Stack, stored: list[StoredLabels], *, study: str = ""
) -> LabelMap:
    """The labels after the last line of a journal, saved or not.

    Args:
        path: The journal.
        stack: The stack that it belongs to.
        stored: The labels that were read with that stack; empty where none were.
        study: Name of the study's folder.

    Raises:
        UnusableJournalError: It is damaged, or was written for other images or labels.
    """
    opening = opening_of(stack, stored, study=study)
    found = examine_journal(path, opening)
    labels = opening.labels.copy()
    labels.apply(found.patch_to_last())
    return labels
