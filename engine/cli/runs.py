"""Commands about trainings that are on disk: runs list, note, compare, export."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from engine.cli.console import drive, say, say_json, say_note, say_table
from engine.cli.patient import DeviceChoice, DeviceOption

if TYPE_CHECKING:
    from engine.experiments.run_record import RunRecord
    from engine.experiments.side_by_side import SideBySide

FoldersArgument = Annotated[
    list[Path], typer.Argument(help="Folders of trainings, looked through at any depth.")
]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    runs = typer.Typer(
        help="List, tag, compare and export trainings.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    runs.command("list", epilog="Example: heartseg runs list out --tag best")(list_them)
    runs.command(epilog='Example: heartseg runs note out/run1 --tag best --text "Wider, slower."')(
        note
    )
    runs.command(epilog="Example: heartseg runs compare out/run1 shortaxis-unet --data held-out")(
        compare
    )
    runs.command(epilog="Example: heartseg runs export out --out runs.pdf")(export)
    app.add_typer(runs, name="runs")


def list_them(
    folders: FoldersArgument,
    tag: Annotated[str | None, typer.Option("--tag", help="Only trainings with this tag.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print data, not prose.")] = False,
) -> None:
    """List trainings with their scores, tags and notes; what cannot be read is listed, too."""
    from engine.experiments.run_tables import short_table, table_of_records

    records = _find(folders, tag)
    if as_json:
        whole = table_of_records(records)
        say_json([dict(zip(whole.columns, row, strict=True)) for row in whole.rows])
        return
    short = short_table(records)
    kept = [n for n, title in enumerate(short.columns) if title != "Recipe"]  # for a narrow screen
    shown = Table()
    for number in kept:
        shown.add_column(short.columns[number], no_wrap=number == 0)
    for row in short.rows:
        shown.add_row(*(str(row[number]) for number in kept))
    say_table(shown)


def note(
    run: Annotated[Path, typer.Argument(help="Folder of a training.")],
    tags: Annotated[
        list[str] | None,
        typer.Option("--tag", help="In place of the tags so far; may be given more than once."),
    ] = None,
    text: Annotated[str | None, typer.Option("--text", help="In place of the note so far.")] = None,
) -> None:
    """Keep tags and a note with a training; without options, print them."""
    from engine.experiments.run_notes import RunNotes, clean_tags, read_notes, write_notes

    notes = read_notes(run)
    if tags is not None or text is not None:
        kept = notes.tags if tags is None else clean_tags(tags)
        notes = RunNotes(kept, notes.note if text is None else text)
        write_notes(run, notes)
    say(f"Tags: {', '.join(notes.tags) or '-'}")
    say(notes.note or "No note.")


def compare(
    first: Annotated[str, typer.Argument(help="Name or folder of a model.")],
    second: Annotated[str, typer.Argument(help="Name or folder of another.")],
    data: Annotated[
        list[Path] | None,
        typer.Option(
            "--data",
            help="Labelled patients, whom both label now; may be given more than once. Without "
            "it the scores of patients that both held out are compared.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="New folder for points, Bland-Altman and panels.")
    ] = None,
    device: DeviceOption = DeviceChoice.AUTO,
    as_json: Annotated[bool, typer.Option("--json", help="Print data, not prose.")] = False,
) -> None:
    """Set two models side by side on the same patients: figures, Bland-Altman, worst cases."""
    side = _side_by_side(first, second, data or [], device.value)
    if out is not None:
        _write_side(side, out)
    if as_json:
        rows: list[dict[str, Any]] = [
            {"measure": row.title, "unit": row.unit, "values": list(row.values)}
            for row in side.rows
        ]
        patients = [patient.name for patient in side.patients]
        say_json({"models": list(side.names), "patients": patients, "figures": rows})
        return
    _show_side(side)


def export(
    folders: FoldersArgument,
    out: Annotated[
        Path,
        typer.Option("--out", help="New folder, or the name of a PDF, to write everything to."),
    ],
    tag: Annotated[str | None, typer.Option("--tag", help="Only trainings with this tag.")] = None,
) -> None:
    """Write tables, curves and numbers beside the papers' as a folder or as one PDF."""
    from engine.errors import ModelError
    from engine.experiments.run_export import export_folder, export_pdf

    records = _find(folders, tag)
    if not records:
        raise ModelError(
            "There is no training to export.",
            hint="Give a folder that `heartseg train` or `heartseg experiment run` wrote.",
        )
    pdf = out.suffix.lower() == ".pdf"
    say(f"Written: {drive(export_pdf(records, out) if pdf else export_folder(records, out))}")


def _find(folders: list[Path], tag: str | None) -> "list[RunRecord]":
    from engine.experiments.run_list import list_runs

    records = drive(list_runs(folders))
    return [record for record in records if tag is None or tag in record.notes.tags]


def _side_by_side(first: str, second: str, data: list[Path], device: str) -> "SideBySide":
    from engine.learning.models import find_model

    if not data:
        from engine.experiments.side_by_side import compare_scores

        entries = [find_model(name) for name in (first, second)]
        names = (entries[0].name, entries[1].name)
        return compare_scores(entries[0].path, entries[1].path, names=names)
    from engine.datasets.catalogue import read_labelled
    from engine.loop.both_models import compare_on

    patients = [patient for folder in data for patient in drive(read_labelled(folder))]
    return drive(compare_on(first, second, patients, device=device))


def _write_side(side: "SideBySide", out: Path) -> None:
    from engine.drawing.canvas import write_figure
    from engine.errors import CannotSaveError
    from engine.experiments.run_export import side_figures
    from engine.experiments.run_tables import table_of_figures, table_of_points
    from engine.io.atomic_file import write_atomically
    from engine.learning.tables import to_csv

    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise CannotSaveError(
            f"{out} holds something already.", hint="Choose a new or empty folder."
        )
    for name, table in (("figures", table_of_figures(side)), ("points", table_of_points(side))):
        write_atomically(out / f"{name}.csv", to_csv(table).encode("utf-8-sig"))
    for _, name, figure in side_figures(side):
        write_figure(figure, out / f"{name}.png")
    say_note(f"Written to {out}.")


def _show_side(side: "SideBySide") -> None:
    count = len(side.patients)
    table = Table("", *side.names, title="1 patient" if count == 1 else f"{count} patients")
    for row in side.rows:
        title = f"{row.title} [{row.unit}]" if row.unit else row.title
        cells = ["-" if value is None else f"{value:.3f}" for value in row.values]
        if row.winner is not None:
            cells[row.winner] += " *"
        table.add_row(title, *cells)
    say_table(table)
    say("* the better of the two")
    for caution in side.cautions:
        say_note(f"Note: {caution}")
