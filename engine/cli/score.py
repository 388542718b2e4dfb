"""The command that scores a model again: score."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.console import drive, say, say_json, say_note
from engine.cli.learning import labelled_folder
from engine.cli.patient import DeviceChoice, DeviceOption
from engine.errors import ModelError

if TYPE_CHECKING:
    from engine.datasets.labelled import LabelledPatient
    from engine.learning.models import ModelEntry


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(epilog="Example: heartseg score shortaxis-unet --data data/acdc")(score)


def score(
    model: Annotated[str, typer.Argument(help="Name or folder of a model.")],
    data: Annotated[
        list[Path],
        typer.Option("--data", help="Folder it was trained on: whom it held out there is scored."),
    ] = [],  # noqa: B006  (typer copies it)
    unseen: Annotated[
        list[Path],
        typer.Option("--unseen", help="Folder of patients it never saw, scored by themselves."),
    ] = [],  # noqa: B006
    folds: Annotated[
        list[Path],
        typer.Option(
            "--folds", help="A training of its recipe; give one for each fold, to be pooled."
        ),
    ] = [],  # noqa: B006
    device: DeviceOption = DeviceChoice.AUTO,
    renew: Annotated[
        bool, typer.Option("--renew", help="Write the scores into the model's own card.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print data, not prose.")] = False,
) -> None:
    """Score a model as its card does: on whom it held out, on others, over folds."""
    from engine.learning.card import add_scores, score_chapters
    from engine.learning.models import find_model

    if not (data or unseen or folds):
        raise typer.BadParameter("Give --data, --unseen or --folds.")
    for folder in (*data, *unseen, *folds):
        labelled_folder(folder)
    entry = find_model(model)
    sections = _sections(entry, data, unseen, folds, device=device.value, whole=renew)
    if renew:
        add_scores(entry.path, sections)
    if as_json:
        say_json(sections)
        return
    say("\n\n".join(score_chapters(entry.recipe, {**entry.scores, **sections})))
    if renew:
        say(f"\nWritten: {entry.path / 'card.md'}")


def _sections(
    entry: "ModelEntry",
    data: list[Path],
    unseen: list[Path],
    folds: list[Path],
    *,
    device: str,
    whole: bool,
) -> dict[str, Any]:
    """What is to be put into `scores.json`; `whole` refuses scores of a part of the held-out."""
    from engine.learning.rescoring import (
        held_out_by,
        joined,
        score_again,
        score_folds,
        score_unseen,
    )

    sections: dict[str, Any] = {}
    if data:
        held_out_by(entry)  # before the data are read, which takes long
        done = drive(score_again(entry, _read(*data), device=device))
        if done.missing and whole:
            raise ModelError(
                f"{len(done.missing)} of the patients that {entry.name} held out are not in these "
                f"folders: {', '.join(done.missing[:3])}.",
                hint="A card is made anew from all of them; give every folder it was trained on.",
            )
        if done.missing:
            say_note(f"Note: not in these folders, so not scored: {', '.join(done.missing)}")
        sections |= done.scores
    if unseen:
        scored = [
            drive(
                score_unseen(
                    entry,
                    _read(folder),
                    title=f"Never seen in training: {folder.name}",
                    device=device,
                )
            )
            for folder in unseen
        ]
        sections["other_data"] = joined(entry, scored)
    if folds:
        sections["cross_validation"] = score_folds(entry, folds)
    return sections


def _read(*folders: Path) -> "list[LabelledPatient]":
    from engine.datasets.catalogue import read_labelled

    return [patient for folder in folders for patient in drive(read_labelled(folder))]
