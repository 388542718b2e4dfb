"""The command that teaches a model where it may be wrong: calibrate."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from engine.cli.console import drive, say, say_json, say_table
from engine.cli.patient import DeviceChoice, DeviceOption
from engine.errors import UnreadableStudyError

if TYPE_CHECKING:
    from engine.datasets.labelled import LabelledPatient


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(
        epilog="Example: heartseg calibrate fold_0 fold_1 --data data/acdc --out fold_0",
    )(calibrate)


def calibrate(
    runs: Annotated[
        list[Path],
        typer.Argument(help="Folders of trained models, each with other patients held out."),
    ],
    data: Annotated[
        list[Path],
        typer.Option("--data", help="Folder the models were trained on; give all of them."),
    ],
    out: Annotated[Path, typer.Option("--out", help="Model folder that is given the files.")],
    others: Annotated[
        list[Path],
        typer.Option("--others", help="Folder of studies that are no short-axis cine, to try."),
    ] = [],  # noqa: B006  (typer copies it)
    device: DeviceOption = DeviceChoice.AUTO,
    as_json: Annotated[bool, typer.Option("--json", help="Print data, not prose.")] = False,
) -> None:
    """Learn from held-out patients where a model may be wrong, and measure how well it knows."""
    folders = [_folder(path) for path in (*runs, *data, *others)]

    from engine.datasets.catalogue import read_labelled
    from engine.learning.doubt.calibrating import calibrate as calibrate_steps
    from engine.learning.doubt.strangers import made_up, read_strangers

    patients: list[tuple[str, LabelledPatient]] = []
    for folder in data:
        patients += [(folder.name, patient) for patient in drive(read_labelled(folder))]
    strangers = list(made_up())
    for folder in others:
        strangers += drive(read_strangers(folder))
    figures = drive(
        calibrate_steps(
            folders[: len(runs)],
            patients,
            out,
            strangers=strangers,
            device=device.value,
        )
    )
    if as_json:
        say_json(figures)
        return
    _show(figures)
    say(f"Written: {out / 'doubt.json'}")


def _folder(path: Path) -> Path:
    if not path.is_dir():
        raise UnreadableStudyError(f"There is no folder {path}.", hint="Check the path.")
    return path


def _show(figures: dict[str, Any]) -> None:
    table = Table("Doubt, on patients it was not fitted to", "Value")
    table.add_row("Patients", str(figures["patients"]))
    titles = {
        "missed": "Volume missed",
        "lost": "Heart called background",
        "wrong": "Volume missed and added",
        "gross": "Volume missed where Dice < 0.8",
    }
    for name, title in titles.items():
        share = figures["first_fifth"][name]
        table.add_row(
            f"{title}: share in the first 20 % of slices by error / by Dice (at best)",
            f"{share['by_error']:.2f} / {share['by_dice']:.2f} ({share['ceiling']:.2f})",
        )
    auroc = figures["auroc_dice_below_80"]
    table.add_row("AUROC for slice Dice < 0.8", "-" if auroc is None else f"{auroc:.3f}")
    table.add_row("Error of the expected Dice", f"{figures['expected_dice_error']:.3f}")
    table.add_row("Error of the expected error, in ml", f"{figures['expected_error_ml_error']:.2f}")
    for name in ("lv", "rv"):
        interval = figures[f"{name}_ef"]
        table.add_row(
            f"{name.upper()} EF, 90 % interval: patients inside, mean width in points",
            f"{100 * interval['coverage']:.0f} % of {interval['patients']}, "
            f"{interval['mean_width_points']:.1f}",
        )
    for title in ("held_out", "others"):
        for name, values in figures[f"unfamiliarity_of_{title}"].items():
            flagged = sum(value > 1 for value in values)
            table.add_row(f"Flagged, {title.replace('_', ' ')}: {name}", f"{flagged}/{len(values)}")
    say_table(table)
