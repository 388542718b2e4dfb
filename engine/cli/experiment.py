"""Commands that run the published studies again: experiment list, run, table."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from engine.cli.console import drive, say, say_json, say_table
from engine.cli.patient import DeviceChoice, DeviceOption
from engine.cli.turns import BesideOption, in_turn
from engine.errors import UnreadableStudyError

_NameArgument = Annotated[str, typer.Argument(help="A name from `heartseg experiment list`.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    experiment = typer.Typer(
        help="Run published studies again and set the results beside theirs.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    experiment.command("list", epilog="Example: heartseg experiment list --names")(list_all)
    experiment.command(
        epilog="Example: heartseg experiment run patravali --data data/acdc --out patravali"
    )(run)
    experiment.command(
        epilog="Example: heartseg experiment table patravali --runs patravali --out table.md"
    )(table)
    app.add_typer(experiment, name="experiment")


def list_all(
    names: Annotated[bool, typer.Option("--names", help="Names only, one a line.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print data, not prose.")] = False,
) -> None:
    """List the experiments: whose they are, what they compare and on which data."""
    from engine.experiments.grid import list_experiments, read_grid
    from engine.learning.published import published_papers

    known = list_experiments()
    if names:
        for name in known:
            say(name)
        return
    grids = {name: read_grid(name) for name in known}
    if as_json:
        say_json(
            [
                {
                    "name": name,
                    "title": grid.title,
                    "paper": grid.paper,
                    "task": grid.task,
                    "data": grid.data,
                    "folds": grid.folds,
                    "cells": [cell.name for cell in grid.cells()],
                }
                for name, grid in grids.items()
            ]
        )
        return
    papers = published_papers()
    shown = Table()
    shown.add_column("Name", no_wrap=True)  # it has to be typed
    for heading in ("Paper", "Compares", "Trainings", "Data"):
        shown.add_column(heading)
    for name, grid in grids.items():
        trainings = str(len(grid.cells()) * grid.folds)
        shown.add_row(name, papers[grid.paper].cite, grid.title, trainings, grid.data)
    say_table(shown)


def run(
    name: _NameArgument,
    out: Annotated[Path, typer.Option("--out", help="Its folder; goes on where it stopped.")],
    data: Annotated[
        list[Path] | None,
        typer.Option("--data", help="Folder of labelled patients; may be given more than once."),
    ] = None,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Minutes on a laptop: shows that it works, measures nothing."),
    ] = False,
    folds: Annotated[
        int | None, typer.Option("--folds", min=1, help="Train only so many folds.")
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", help="Only this value of an axis, such as a network or a loss."),
    ] = None,
    device: DeviceOption = DeviceChoice.AUTO,
    beside: BesideOption = False,
) -> None:
    """Train every cell of an experiment, score it, and write tables and figures."""
    from engine.experiments.running import run_experiment

    for folder in data or ():
        if not folder.is_dir():
            raise UnreadableStudyError(
                f"There is no folder {folder}.",
                hint="Give the folder that holds the labelled patients.",
            )
    steps = run_experiment(
        name,
        out,
        quick=quick,
        data=data or (),
        device=device.value,
        folds=folds,
        only=only or (),
    )
    with in_turn(device, beside=beside):
        table_path = drive(steps)
    say(f"Table: {table_path}")
    say(f"Figures: {out / 'figures'}")


def table(
    name: _NameArgument,
    runs: Annotated[Path, typer.Option("--runs", help="Folder that `experiment run` wrote.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Markdown file to write, with a CSV file and figures beside."),
    ] = None,
) -> None:
    """Set what is finished beside the published values; without --out, print the tables."""
    from engine.experiments.reporting import report_again, report_text

    if out is None:
        say(report_text(name, runs))
        return
    say(f"Table: {drive(report_again(name, runs, out))}")
