"""The command that hands corrected studies on: export."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from engine.cli.console import drive, say, say_note


class Layout(StrEnum):
    """What is written."""

    NNUNET = "nnunet"
    HEARTSEG = "heartseg"
    SUNNYBROOK = "sunnybrook"
    CSV = "csv"


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(epilog="Example: heartseg export data/patients --out corrected --layout nnunet")(
        export
    )


def export(
    folders: Annotated[
        list[Path], typer.Argument(help="Patient folders, or folders of patient folders.")
    ],
    out: Annotated[Path, typer.Option("--out", help="New folder to write.")],
    layout: Annotated[
        Layout,
        typer.Option(
            "--layout",
            help="Training set in nnU-Net's folders or in our own; or outlines as Sunnybrook's "
            "text files or as tables.",
        ),
    ] = Layout.HEARTSEG,
    approved: Annotated[
        bool, typer.Option("--approved", help="Only phases that a reader has approved.")
    ] = False,
) -> None:
    """Write corrected studies as a training set, or outlines as contour files.

    A training set holds the phases in which a person has corrected or approved a slice; `heartseg
    train --data` reads both layouts. Outlines are written of all labelled phases.
    """
    from engine.clinical.training_export import (
        gather_studies,
        write_as_nnunet,
        write_as_patients,
        write_contours,
    )
    from engine.io.new_folder import refuse_filled

    refuse_filled(out)
    outlines = layout in (Layout.SUNNYBROOK, Layout.CSV)
    gathered = drive(gather_studies(folders, approved=approved, every_phase=outlines))
    for why in gathered.left_out:
        say_note(f"Note: {why}")
    if outlines:
        drive(write_contours(gathered.studies, out, as_csv=layout is Layout.CSV))
    else:
        write = write_as_nnunet if layout is Layout.NNUNET else write_as_patients
        drive(write(gathered.studies, out))
    phases = sum(len(each.phases) for each in gathered.studies)
    say(f"Wrote {len(gathered.studies)} studies, {phases} phases: {out}")
