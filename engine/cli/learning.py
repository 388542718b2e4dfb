"""Commands about models: train, models."""

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from engine.cli.console import INPUT_AT_FAULT, drive, say, say_error, say_json, say_table
from engine.cli.patient import DeviceChoice, DeviceOption
from engine.cli.turns import BesideOption, in_turn
from engine.errors import ModelError, UnreadableStudyError
from engine.progress import Cancelled, run_to_end

if TYPE_CHECKING:
    from engine.learning.survey import ListedModel
    from engine.recipe import Recipe

_DEFAULT = "default"


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command(epilog="Example: heartseg train shortaxis-unet --data data/acdc --out run1")(train)
    app.command(epilog="Example: heartseg models --card shortaxis-unet")(models)


def train(  # noqa: PLR0913  (each is an option of the command)
    recipe: Annotated[str, typer.Argument(help="A recipe's name, or the path of a TOML file.")],
    data: Annotated[
        list[Path],
        typer.Option("--data", help="Folder of labelled patients; may be given more than once."),
    ],
    out: Annotated[Path, typer.Option("--out", help="New folder for the model.")],
    epochs: Annotated[
        int | None, typer.Option("--epochs", min=1, help="Instead of the recipe's number.")
    ] = None,
    fold: Annotated[
        int | None, typer.Option("--fold", min=0, help="The fold that is held out, from 0.")
    ] = None,
    changes: Annotated[
        list[str],
        typer.Option("--set", help="section.field=value, instead of the recipe's value."),
    ] = [],  # noqa: B006  (typer copies it)
    device: DeviceOption = DeviceChoice.AUTO,
    devices: Annotated[
        int, typer.Option("--devices", min=1, help="GPUs, or processes that share the CPU.")
    ] = 1,
    nodes: Annotated[
        int,
        typer.Option(
            "--nodes",
            min=1,
            help="Machines. Start the same command on each, with MASTER_ADDR and MASTER_PORT of "
            "the first and NODE_RANK from 0 in its environment, or use torchrun.",
        ),
    ] = 1,
    threads: Annotated[
        int | None,
        typer.Option("--threads", min=1, help="Of each process on a CPU; 1 is exactly repeatable."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a stopped run.")] = False,
    beside: BesideOption = False,
) -> None:
    """Train a model by a recipe, then score it on the patients it held out."""
    from engine.recipe import read_recipe

    chosen = _change(read_recipe(recipe), changes, epochs, fold)
    folders = [labelled_folder(folder) for folder in data]

    from engine.datasets.catalogue import read_labelled
    from engine.learning.processes import FollowerStopped, is_first_process
    from engine.learning.training import train as train_steps
    from engine.learning.training_data import check_recipe

    check_recipe(chosen, processes=devices * nodes)  # before the data are read, which takes long
    show = drive if is_first_process() else run_to_end
    try:
        with in_turn(device, beside=beside):
            patients = [patient for folder in folders for patient in show(read_labelled(folder))]
            steps = train_steps(
                patients,
                chosen,
                out,
                device=device.value,
                resume=resume,
                devices=devices,
                nodes=nodes,
                threads=threads,
            )
            show(steps)
    except FollowerStopped as stopped:
        raise typer.Exit(INPUT_AT_FAULT) from stopped  # the process that failed has told why
    except (KeyboardInterrupt, Cancelled) as stop:
        _say_stopped(out)
        raise typer.Exit(INPUT_AT_FAULT) from stop
    if is_first_process():
        _show_run(out)


def _say_stopped(out: Path) -> None:
    from engine.learning.run_folder import STATE

    if (out / STATE).is_file():
        hint = "Give --resume to go on where the last whole epoch ended."
    else:
        hint = "No epoch was complete; start anew."
    say_error("Stopped.", hint)


def _change(recipe: "Recipe", changes: list[str], epochs: int | None, fold: int | None) -> "Recipe":
    """The recipe with what the command line changes of it."""
    from engine.recipe import change_recipe

    wanted = dict(_read_change(change) for change in changes)
    if epochs is not None:
        wanted["training.epochs"] = epochs
    if fold is not None:
        wanted["split.fold"] = fold
    return change_recipe(recipe, wanted)


def _read_change(text: str) -> tuple[str, Any]:
    """The name and the value of `section.field=value`; a value is written as in TOML."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise ModelError(
            f"{text!r} changes nothing in a recipe.",
            hint="Write --set section.field=value, for example --set training.batch=4.",
        )
    try:
        content: Any = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        content = value.strip()  # a text without quotes
    return name.strip(), content


def _show_run(out: Path) -> None:
    from engine.learning.models import read_entry

    scores = read_entry(out).scores
    say(f"Model: {out}")
    if scores:
        say(f"Scores on {len(scores['patients'])} held-out patients: {out / 'scores.json'}")
        _show_scores(scores["summary"])


def models(
    as_json: Annotated[bool, typer.Option("--json", help="Print data, not prose.")] = False,
    card: Annotated[
        str | None, typer.Option("--card", help="Print the card of this model instead.")
    ] = None,
    use: Annotated[
        str | None,
        typer.Option(
            "--use",
            help="Make this model, a name or a folder, the active one: it predicts where none is "
            f'named, here and in the window. "{_DEFAULT}" is the shipped one.',
        ),
    ] = None,
) -> None:
    """List the models: those that came with the program, then those in your own folder.

    Each is checked; one that cannot be used is listed with the reason. A model of your own is a
    folder with weights.safetensors and recipe.toml; docs/models.md says what belongs there.
    """
    from engine.learning.active_model import set_active_model
    from engine.learning.models import default_place, find_model, user_models_folder
    from engine.learning.survey import survey_models

    if card is not None:
        say(find_model(card).card.rstrip() or "This model came without a card.")
        return
    if use is not None:
        entry = set_active_model(None if use == _DEFAULT else use)
        say(f"The active model is now {entry.name}: {entry.path}")
        return
    listed = drive(survey_models())
    if as_json:
        active = default_place()
        say_json([{**_as_json(model), "active": model.place == active} for model in listed])
        return
    active = default_place()
    for model in listed:
        for line in _describe(model, active=model.place == active):
            say(line)
    say(f"Models of your own go into {user_models_folder()}, a folder each.")


def _describe(model: "ListedModel", *, active: bool) -> list[str]:
    """A model in some lines, the first with its name."""
    lines = [f"{model.name}: {model.title}" if model.title != model.name else model.name]
    lines += ["  ACTIVE   it predicts where no model is named"] if active else []
    if model.entry is not None:
        terms = " - not for commercial use" if model.noncommercial else ""
        lines += [f"  finds    {model.task}", f"  licence  {model.licence}{terms}"]
    if model.headline:
        lines.append(
            f"  scores   {model.headline} (patients not trained on; EF in points, bias ± SD)"
        )
    lines.append(f"  lies in  {model.path}")
    if model.fault is not None:
        lines += [f"  CANNOT BE USED: {model.fault.what}", f"  {model.fault.hint}"]
    return [*lines, ""]


def _as_json(model: "ListedModel") -> dict[str, Any]:
    entry, fault = model.entry, model.fault
    return {
        "name": model.name,
        "title": model.title,
        "licence": None if entry is None else entry.licence,
        "noncommercial": None if entry is None else entry.noncommercial,
        "task": None if entry is None else entry.recipe.data.task,
        "network": None if entry is None else entry.recipe.network.name,
        "path": str(model.path),
        "origin": model.place.origin,
        "usable": model.usable,
        "why_not": None if fault is None else {"what": fault.what, "hint": fault.hint},
        "sha256": model.sha256 or None,
        "scores": {} if entry is None else entry.scores.get("summary", {}),
    }


def labelled_folder(path: Path) -> Path:
    """A folder that is there.

    Raises:
        UnreadableStudyError: It is not.
    """
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
