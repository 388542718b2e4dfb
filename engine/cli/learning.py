"""Commands about models: train, evaluate, models."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from engine.cli.console import drive, say, say_json, say_note, say_table, write_json
from engine.cli.patient import DeviceChoice, DeviceOption
from engine.errors import UnreadableStudyError

if TYPE_CHECKING:
    from engine.learning.models import ModelEntry


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command(epilog="Example: heartseg train shortaxis-unet --data data/acdc --out run1")(train)
    app.command(epilog="Example: heartseg evaluate predicted reference --out scores.json")(evaluate)
    app.command(epilog="Example: heartseg models --json")(models)


def train(
    recipe: Annotated[str, typer.Argument(help="A recipe's name, or the path of a TOML file.")],
    data: Annotated[
        list[Path],
        typer.Option("--data", help="Folder of labelled patients; may be given more than once."),
    ],
    out: Annotated[Path, typer.Option("--out", help="New folder for the model.")],
    epochs: Annotated[
        int | None, typer.Option("--epochs", min=1, help="Instead of the recipe's number.")
    ] = None,
    device: DeviceOption = DeviceChoice.AUTO,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a stopped run.")] = False,
) -> None:
    """Train a model by a recipe, then score it on the patients it held out."""
    from engine.datasets.catalogue import read_labelled
    from engine.io.atomic_file import write_atomically
    from engine.learning.card import write_card
    from engine.learning.checkpoint import load_model
    from engine.learning.recipe import read_recipe
    from engine.learning.scorecard import score_held_out, write_scores
    from engine.learning.training import split_patients
    from engine.learning.training import train as train_steps

    chosen = read_recipe(recipe)
    if epochs is not None:
        training = chosen.training.model_copy(update={"epochs": epochs})
        chosen = chosen.model_copy(update={"training": training})
    patients = [patient for folder in data for patient in drive(read_labelled(_folder(folder)))]
    drive(train_steps(patients, chosen, out, device=device.value, resume=resume))
    trained, held_out = split_patients(patients, chosen)
    scores = drive(score_held_out(load_model(out), held_out, device=device.value))
    card = write_card(chosen, scores, trained=trained, held_out=held_out)
    write_atomically(out / "card.md", card.encode())
    say(f"Model: {out}")
    say(f"Scores on {len(held_out)} held-out patients: {write_scores(scores, out)}")
    _show_scores(scores["summary"])


def evaluate(
    predicted: Annotated[Path, typer.Argument(help="Label file, or a folder of label files.")],
    reference: Annotated[Path, typer.Argument(help="The same for the reference.")],
    out: Annotated[Path, typer.Option("--out", help="JSON file to write.")],
) -> None:
    """Compare label maps: Dice, Hausdorff distance and volumes, per structure and phase."""
    from engine.cli.pairing import pair_files, read_label_map
    from engine.scoring.evaluation import compare_labels

    pairs, left_over = pair_files(predicted, reference)
    results: dict[str, Any] = {}
    for name, (ours, theirs) in pairs.items():
        reference_map = drive(read_label_map(theirs))
        predicted_map = drive(read_label_map(ours, like=reference_map))
        results[name] = compare_labels(predicted_map, reference_map)
    values = [r["mean_dice"] for r in results.values() if r["mean_dice"] is not None]
    mean = sum(values) / len(values) if values else None
    write_json({"pairs": results, "unpaired": left_over, "mean_dice": mean}, out)
    for name in left_over:
        say_note(f"Note: {name} has no partner and was left out.")
    say(f"Compared {len(results)} label maps, mean Dice {'-' if mean is None else f'{mean:.3f}'}")
    say(f"Wrote {out}")


def models(
    as_json: Annotated[bool, typer.Option("--json", help="Print data, not prose.")] = False,
) -> None:
    """List the models that came with the program, with their licences."""
    from engine.learning.models import list_models

    entries = list_models()
    if as_json:
        say_json([_as_json(entry) for entry in entries])
        return
    table = Table("Name", "Title", "Licence of the weights", "Dice on held-out patients")
    for entry in entries:
        dice = entry.scores.get("summary", {}).get("mean_foreground_dice")
        shown = "-" if dice is None else f"{dice:.3f}"
        table.add_row(entry.name, entry.title, entry.licence, shown)
    say_table(table)


def _as_json(entry: "ModelEntry") -> dict[str, Any]:
    return {
        "name": entry.name,
        "title": entry.title,
        "licence": entry.licence,
        "path": str(entry.path),
        "network": entry.recipe.network.name,
        "scores": entry.scores.get("summary", {}),
    }


def _folder(path: Path) -> Path:
    if not path.is_dir():
        raise UnreadableStudyError(
            f"There is no folder {path}.", hint="Give the folder that holds the patient folders."
        )
    return path


def _show_scores(summary: dict[str, Any]) -> None:
    table = Table("Measure", "Value")
    for name, value in summary["dice"].items():
        table.add_row(f"Dice {name}", f"{value:.3f}")
    if summary["mean_foreground_dice"] is not None:
        table.add_row("Mean foreground Dice", f"{summary['mean_foreground_dice']:.3f}")
    for ventricle in ("lv", "rv"):
        error = summary.get(f"{ventricle}_ef_error")
        if error:
            table.add_row(
                f"{ventricle.upper()} EF error, bias (SD) [points]",
                f"{error['bias_points']:+.1f} ({error['sd_points']:.1f})",
            )
    say_table(table)
