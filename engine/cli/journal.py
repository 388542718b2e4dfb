"""The command that lists who changed which labels and when."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from engine.cli.console import drive, say, say_json, say_table

StudyArgument = Annotated[
    Path, typer.Argument(help="Patient folder or file whose labels were edited in the window.")
]


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(epilog="Example: heartseg journal patient001 --json")(journal)


def journal(
    study: StudyArgument,
    as_json: Annotated[bool, typer.Option("--json", help="Print data, not prose.")] = False,
    replay: Annotated[
        Path | None,
        typer.Option("--replay", help="Write the labels after the last edit to this file."),
    ] = None,
    stack: Annotated[
        int, typer.Option("--stack", min=1, help="Which stack to replay, 1 is the best.")
    ] = 1,
) -> None:
    """List every edit of a study's labels: who, when, what and where.

    With --replay, the labels after the last edit, saved or not, are written to a NIfTI file;
    the journal stays as it is.
    """
    if replay is not None:
        _replay(study, replay, stack)
        return
    from engine.io.journal.audit import read_audit

    journals = read_audit(study)
    if as_json:
        say_json(journals)
        return
    for name, lines in journals.items():
        _show(name, lines)


def _show(name: str, lines: list[dict[str, object]]) -> None:
    from engine.io.journal.audit import describe_line

    table = Table("When (UTC)", "Who", "What", "Structures", "Slice/phase", "Voxels", title=name)
    for line in lines:
        what, structures, where = describe_line(line)
        undone = " (undone)" if line.get("undone") else ""
        when = str(line["at"])[:19].replace("T", " ")
        voxels = str(line.get("voxels", ""))
        table.add_row(when, str(line["by"]), f"{what}{undone}", structures, where, voxels)
    say_table(table)


def _replay(path: Path, out: Path, number: int) -> None:
    from engine.errors import HeartSegError, UnusableJournalError
    from engine.io.journal.audit import replayed_labels
    from engine.io.journal.places import journal_places
    from engine.io.label_store import refuse_foreign
    from engine.io.nifti import write_labels
    from engine.io.study_folder import read_study

    study = drive(read_study(path))
    if number > len(study.stacks):
        raise HeartSegError(
            f"There is no stack {number}; the study has {len(study.stacks)}.",
            hint="`heartseg info` lists them; 1 is the best.",
        )
    places = journal_places(study, number - 1)
    there = [place for place in places if place.is_file()]
    if not there:
        raise UnusableJournalError(
            f"There is no journal for stack {number} of {path}.",
            hint="One is begun with the first edit in the window; check the path.",
        )
    refuse_foreign(out, study, exporting=True)
    stored = [labels for labels in study.labels if labels.stack == number - 1]
    labels = replayed_labels(there[0], study.stacks[number - 1], stored, study=study.folder.name)
    write_labels(out, labels)
    say(f"Wrote {out}")
