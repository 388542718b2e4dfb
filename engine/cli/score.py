"""The command that scores a model again: score."""

from pathlib import Path
from typing import Annotated

import typer

from engine.cli.console import drive, say, say_json, say_note
from engine.cli.learning import labelled_folder
from engine.cli.patient import DeviceChoice, DeviceOption


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(epilog="Example: heartseg score shortaxis-unet --data data/acdc")(score)


def score(
    model: Annotated[str, typer.Argument(help="Name or folder of a model.")],
    data: Annotated[
        list[Path],
        typer.Option("--data", help="Folder the model was trained on; give all of them."),
    ],
    device: DeviceOption = DeviceChoice.AUTO,
    renew: Annotated[
        bool, typer.Option("--renew", help="Write the scores into the model's own card.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print data, not prose.")] = False,
) -> None:
    """Score a model on the patients that its training held out, as its card does."""
    folders = [labelled_folder(folder) for folder in data]

    from engine.datasets.catalogue import read_labelled
    from engine.learning.card import score_chapters
    from engine.learning.models import find_model
    from engine.learning.rescoring import held_out_by, score_again

    entry = find_model(model)
    held_out_by(entry)  # before the data are read, which takes long
    patients = [patient for folder in folders for patient in drive(read_labelled(folder))]
    done = drive(score_again(entry, patients, device=device.value, renew=renew))
    if done.missing:
        say_note(f"Note: not in these folders, so not scored: {', '.join(done.missing)}")
    if as_json:
        say_json(done.scores)
        return
    say("\n\n".join(score_chapters(entry.recipe, done.scores)))
    if renew:
        say(f"\nWritten: {entry.path / 'card.md'}")
