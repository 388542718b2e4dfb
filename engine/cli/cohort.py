"""The command that does many studies: cohort."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.console import INPUT_AT_FAULT, drive, say, say_note
from engine.cli.patient import DeviceChoice, DeviceOption, OutOption, PhasesChoice
from engine.progress import Steps

if TYPE_CHECKING:
    from engine.cohort.outcome import CohortOutcome

_TOLD = 20  # failures that are named; the table has them all


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(epilog="Example: heartseg cohort data/patients --out results --workers 2")(cohort)


def cohort(  # noqa: PLR0913  (options of a command line)
    folder: Annotated[Path, typer.Argument(help="Folder of patient folders.")],
    out: OutOption,
    model: Annotated[str, typer.Option("--model", help="Name of a model, or a model folder.")] = "",
    phases: Annotated[
        PhasesChoice, typer.Option("--phases", help="ED and ES only, or every phase.")
    ] = PhasesChoice.ED_ES,
    device: DeviceOption = DeviceChoice.AUTO,
    workers: Annotated[
        int, typer.Option("--workers", min=1, help="Processes that work at the same time.")
    ] = 1,
    scheduler: Annotated[
        str,
        typer.Option("--scheduler", help="Send the work to this Dask cluster: tcp://HOST:8786."),
    ] = "",
    stored: Annotated[
        bool, typer.Option("--stored", help="Measure labels that lie in a study, if there are any.")
    ] = False,
    pdf: Annotated[bool, typer.Option("--pdf", help="Write report.pdf, too.")] = False,
    redo: Annotated[bool, typer.Option("--redo", help="Do again what is done.")] = False,
) -> None:
    """Predict, measure and report every study of a folder.

    Each study gets a folder with labels.nii.gz, report.json and outcome.json; cohort.csv and
    cohort.json list all of them, failures with their reasons. Run the same command again after an
    interruption: what is done stays done.
    """
    from engine.cohort.cluster import run_on_cluster
    from engine.cohort.outcome import CohortWish, Status
    from engine.cohort.running import TABLE, plan_cohort, run_cohort, run_here
    from engine.io.atomic_file import make_folder

    make_folder(out)  # whatever forbids writing is told before the long work
    wish = CohortWish(model, "", phases.value, device.value, stored=stored, pdf=pdf)
    tasks = drive(plan_cohort(folder, out, wish))
    run = (lambda some: run_on_cluster(some, scheduler)) if scheduler else run_here(workers)
    steps: Steps[list[CohortOutcome]] = run_cohort(tasks, out, run, redo=redo)
    outcomes = drive(steps)
    failed = [each for each in outcomes if each.status is not Status.DONE]
    for each in failed[:_TOLD]:
        say_note(f"Note: {each.name} failed: {each.reason} {each.hint}")
    if len(failed) > _TOLD:
        say_note(f"Note: {len(failed) - _TOLD} more have failed; {TABLE} says why.")
    say(f"{len(outcomes) - len(failed)} of {len(tasks)} studies are done; {out / TABLE}")
    if len(failed) == len(tasks):
        raise typer.Exit(INPUT_AT_FAULT)
