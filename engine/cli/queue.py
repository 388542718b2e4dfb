"""The command that says what to review first: queue."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from engine.cli.console import drive, say, say_json, say_table
from engine.cli.model_option import named_or_active
from engine.cli.patient import DeviceChoice, DeviceOption
from engine.labelmap import LabelMap
from engine.progress import Steps
from engine.study import Stack

if TYPE_CHECKING:
    from engine.clinical.queue import Errors, EstimateErrors, ReviewItem, StudyItem


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(epilog="Example: heartseg queue data/patients --json")(queue)


def queue(
    folder: Annotated[
        Path, typer.Argument(help="Folder of patient folders, or one patient folder.")
    ],
    flips: Annotated[
        bool,
        typer.Option(
            "--flips",
            help="Let the model look at mirrored images where labels carry no doubt; takes seconds "
            "a study.",
        ),
    ] = False,
    model: Annotated[
        str | None, typer.Option("--model", help="Model for --flips: its name or folder.")
    ] = None,
    device: DeviceOption = DeviceChoice.AUTO,
    as_json: Annotated[bool, typer.Option("--json", help="Print data, not prose.")] = False,
) -> None:
    """List studies in the order in which to review them: the largest expected error first.

    The error is the volume that is probably missed or added on the slices of ED and ES that nobody
    has approved, by the doubt that the model stored with its labels.
    """
    from engine.clinical.queue import study_queue

    estimate = _estimator(model, device.value) if flips else None
    items = drive(study_queue(folder, estimate=estimate))
    if as_json:
        say_json([_as_json(item) for item in items])
        return
    _show(items)


def _estimator(model: str | None, device: str) -> "EstimateErrors":
    from engine.learning.checkpoint import load_model
    from engine.learning.flips import flip_errors_ml

    loaded = load_model(named_or_active(model))

    def estimate(stack: Stack, labels: LabelMap, phases: Sequence[int]) -> Steps["Errors"]:
        return flip_errors_ml(loaded, stack.cine, labels, phases, device=device)

    return estimate


def _as_json(item: "StudyItem") -> dict[str, Any]:
    return {
        "folder": str(item.folder),
        "name": item.name,
        "expected_error_ml": item.expected_error_ml,
        "basis": item.basis.value,
        "approved": item.approved,
        "slices_left": item.left,
        "worst": [
            {
                "phase": slice_item.phase,
                "slice": slice_item.slice_index,
                "expected_error_ml": slice_item.expected_error_ml,
                "why": slice_item.why,
            }
            for slice_item in item.worst
        ],
        "problem": item.problem or None,
    }


def _show(items: Sequence["StudyItem"]) -> None:
    table = Table("Study", "Error [ml]", "By", "Left", "Look at first")
    for item in items:
        error = "-" if item.expected_error_ml is None else f"{item.expected_error_ml:.0f}"
        first = "approved" if item.approved else item.problem
        if not first:
            first = "\n".join(_describe(each) for each in item.worst)
        table.add_row(item.name, error, item.basis.value, str(item.left), first)
    say_table(table)
    waiting = sum(not item.approved for item in items)
    say(f"{waiting} of {len(items)} studies wait for approval.")


def _describe(item: "ReviewItem") -> str:
    return f"phase {item.phase + 1}, slice {item.slice_index + 1}: {item.why}"
