"""The commands that hold two readings of a study, or two models, against each other: compare."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from engine.cli.console import drive, say, say_json, say_table
from engine.cli.loop_tables import show_verdict
from engine.cli.patient import DeviceChoice, DeviceOption
from engine.errors import HeartSegError
from engine.structures import Structure
from engine.study import StoredLabels, Study

if TYPE_CHECKING:
    from engine.clinical.reading_comparison import ReadingComparison, SliceDifference


_SHORT = {
    Structure.RV: "RV",
    Structure.MYOCARDIUM: "Myo",
    Structure.LV: "LV",
    Structure.LEFT_ATRIUM: "LA",
}


JsonOption = Annotated[bool, typer.Option("--json", help="Print data, not prose.")]
ModelsData = Annotated[
    list[Path], typer.Option("--data", help="Labelled patients that neither model has seen.")
]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command(epilog='Example: heartseg compare patient001 --first Reference --second "A. R."')(
        compare
    )
    app.command(
        "compare-models",
        epilog="Example: heartseg compare-models shortaxis-unet run1 --data locked",
    )(compare_models)


def compare(
    study: Annotated[
        Path,
        typer.Argument(help="Patient folder with two readings or more; with --data a model."),
    ],
    model: Annotated[
        str | None, typer.Argument(help="With --data: name or folder of the other model.")
    ] = None,
    first: Annotated[
        str | None, typer.Option("--first", help="A reading: its name, or its label file's.")
    ] = None,
    second: Annotated[str | None, typer.Option("--second", help="The other one.")] = None,
    worst: Annotated[int, typer.Option("--worst", min=0, help="How many slices are listed.")] = 10,
    data: ModelsData = [],  # noqa: B006  (typer copies it)
    device: DeviceOption = DeviceChoice.AUTO,
    as_json: JsonOption = False,
) -> None:
    """Compare two readings of a study: a prediction, readers, a reference; or two models.

    Tells Dice, Hausdorff distance and difference in ml for each slice and structure, the slices
    that differ most first. Without names it takes the first two readings of the best stack.
    With --data and two models it does what compare-models does.
    """
    if data and model is not None:
        compare_models(str(study), model, data, device, as_json)
        return
    if data or model is not None:
        lacks = "a second model" if data else "--data with labelled patients"
        raise HeartSegError(
            f"To compare models, {lacks} is missing.",
            hint="heartseg compare MODEL MODEL --data FOLDER; or heartseg compare STUDY.",
        )
    _compare_readings(study, first, second, worst=worst, as_json=as_json)


def compare_models(
    first: Annotated[str, typer.Argument(help="Name or folder of a model, the active one.")],
    second: Annotated[str, typer.Argument(help="Name or folder of another, the candidate.")],
    data: ModelsData,
    device: DeviceOption = DeviceChoice.AUTO,
    as_json: JsonOption = False,
) -> None:
    """Set two models side by side on the same patients, by the rules of a learning loop."""
    from engine.datasets.catalogue import read_labelled
    from engine.learning.checkpoint import load_model
    from engine.loop.gate import decide
    from engine.loop.judging import judge
    from engine.loop.rules import Rules

    models = [load_model(name) for name in (first, second)]
    patients = [patient for folder in data for patient in drive(read_labelled(folder))]
    judged = [drive(judge(model, patients, device=device.value)) for model in models]
    verdict = decide(judged[0], judged[1], Rules())
    if as_json:
        say_json({"models": [each.as_json() for each in judged], **verdict.as_json()})
        return
    show_verdict(verdict, judged[0].model, judged[1].model)


def _compare_readings(
    study: Path, first: str | None, second: str | None, *, worst: int, as_json: bool
) -> None:
    from engine.clinical.reading_comparison import compare_readings, name_reading
    from engine.io.study_folder import read_study

    opened = drive(read_study(study))
    one, other = _choose(opened, first, second)
    found = compare_readings(one.labels, other.labels)
    names = (name_reading(one), name_reading(other))
    if as_json:
        say_json(_as_json(names, found))
    else:
        _show(names, found, worst)


def _choose(
    study: Study, first: str | None, second: str | None
) -> tuple[StoredLabels, StoredLabels]:
    from engine.clinical.reading_comparison import name_reading

    def pick(wanted: str | None, among: Sequence[StoredLabels]) -> StoredLabels:
        for stored in among:
            if wanted is None or wanted in (name_reading(stored), stored.name):
                return stored
        listed = ", ".join(f'"{name_reading(each)}" ({each.name})' for each in study.labels)
        raise HeartSegError(
            f"{study.name} has no {'two readings' if wanted is None else f'reading {wanted}'}.",
            hint=f"It has {listed or 'none'}.",
        )

    one = pick(first, study.labels)
    others = [each for each in study.labels if each is not one and each.stack == one.stack]
    return one, pick(second, others)


def _as_json(names: tuple[str, str], found: "ReadingComparison") -> dict[str, Any]:
    return {
        "first": names[0],
        "second": names[1],
        "phases": list(found.phases),
        "totals": [_row_json(row) for row in found.totals],
        "slices": [_row_json(row) for row in found.slices],
    }


def _row_json(row: "SliceDifference") -> dict[str, Any]:
    return {
        "phase": row.phase,
        "slice": row.slice_index,
        "structure": row.structure.name.lower(),
        "dice": row.dice,
        "hausdorff_mm": row.hausdorff_mm,
        "first_ml": row.first_ml,
        "second_ml": row.second_ml,
        "difference_ml": row.difference_ml,
    }


def _show(names: tuple[str, str], found: "ReadingComparison", worst: int) -> None:
    headings = ("Phase", "Slice", "", "Dice", "HD [mm]", *names, "Apart [ml]")
    table = Table(*headings, title=f"{names[1]} against {names[0]}")
    for row in (*found.totals, *found.worst_first()[:worst]):
        distance = "-" if row.hausdorff_mm is None else f"{row.hausdorff_mm:.1f}"
        table.add_row(
            str(row.phase + 1),
            "all" if row.slice_index is None else str(row.slice_index + 1),
            _SHORT[row.structure],
            f"{row.dice:.3f}",
            distance,
            f"{row.first_ml:.1f}",
            f"{row.second_ml:.1f}",
            f"{row.difference_ml:+.1f}",
        )
    say_table(table)
    left = len(found.slices) - min(worst, len(found.slices))
    if left:
        say(f"{left} more rows with smaller differences: --worst, or --json for all.")
