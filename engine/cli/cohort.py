"""The command that does many studies: cohort."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.console import INPUT_AT_FAULT, drive, say, say_note
from engine.cli.model_option import named_or_active
from engine.cli.patient import (
    ConventionOption,
    DeviceChoice,
    DeviceOption,
    OutOption,
    PhasesChoice,
    ProfileOption,
)
from engine.clinical.conventions import Conventions
from engine.progress import Steps

if TYPE_CHECKING:
    from engine.cohort.outcome import CohortOutcome, CohortTask

_NAMED = 3  # folders of an earlier run that are named
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
    convention: ConventionOption = None,
    profile: ProfileOption = None,
    pseudonyms: Annotated[
        bool,
        typer.Option("--pseudonyms", help="Give every study a pseudonym, research folders, too."),
    ] = False,
    key: Annotated[
        Path | None,
        typer.Option(
            "--key", help="Write here, apart from the results, whom each pseudonym means."
        ),
    ] = None,
    redo: Annotated[bool, typer.Option("--redo", help="Do again what is done.")] = False,
) -> None:
    """Predict, measure and report every study of a folder.

    Each study gets a folder with labels.nii.gz, report.json and outcome.json; cohort.csv and
    cohort.json list all of them, failures with their reasons. Run the same command again after an
    interruption: what is done stays done.

    Unless the profile is a hospital's, studies that came as DICOM get pseudonyms: in the tables,
    in the reports and as names of their folders. Only --key writes down whom they mean.

    Conventions: see `heartseg report --help`; the tables say which.
    """
    from engine.clinical.template import read_template
    from engine.cohort.cluster import run_on_cluster
    from engine.cohort.outcome import CohortWish, Status
    from engine.cohort.pseudonyms import naming_by
    from engine.cohort.running import TABLE, plan_cohort, run_cohort, run_here
    from engine.io.atomic_file import make_folder

    make_folder(out)  # whatever forbids writing is told before the long work
    named = "" if stored and not model else named_or_active(model or None) or ""
    wish = CohortWish(
        named,
        phases=phases.value,
        device=device.value,
        stored=stored,
        pdf=pdf,
        conventions=Conventions.parse(convention or ()),
        naming=naming_by(profile or read_template().profile, everywhere=pseudonyms),
    )
    tasks = drive(plan_cohort(folder, out, wish))
    _tell_names(tasks, out, key)
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


def _tell_names(tasks: "Sequence[CohortTask]", out: Path, key: Path | None) -> None:
    """Write the key where one is wanted; say which names are hidden and which still lie there."""
    from engine.cohort.pseudonyms import named_left_overs, write_key

    hidden = sum(bool(task.pseudonym) for task in tasks)
    if key is not None:
        say(f"Key of {drive(write_key(tasks, key, out))} pseudonyms: {key}")
    elif hidden:
        say_note(f"Note: {hidden} studies get pseudonyms; --key FILE would say whom they mean.")
    left = named_left_overs(tasks, out)
    if left:
        more = "" if len(left) <= _NAMED else f" and {len(left) - _NAMED} more"
        say_note(
            f"Note: {out} still holds results of an earlier run under other names "
            f"({', '.join(left[:_NAMED])}{more}): remove them before it leaves your hands."
        )
