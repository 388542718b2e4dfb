"""The model card: what a model was trained on, under which terms it stands, how well it does."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.datasets.labelled import LabelledPatient
from engine.io.atomic_file import write_atomically
from engine.learning.card_tables import doubt_parts, score_parts
from engine.learning.checksums import write_checksums
from engine.learning.model_scores import held_out_section, number_of, section_of
from engine.learning.models import read_entry
from engine.recipe import Recipe

_BEFORE_SCORES = ("## Data", "## Training")
_AFTER_SCORES = ("## Limits", "## Repeat it")
_REPEAT = (
    "`heartseg train recipe.toml --data FOLDER --out DIR` with the `recipe.toml` beside this card "
    "and the data named above; then `heartseg score DIR --data FOLDER` measures the scores again."
)


@dataclass(frozen=True, slots=True)
class TrainingSummary:
    """How a training went.

    Attributes:
        epochs: Epochs trained.
        chosen_epoch: The one whose weights are the model, from 1.
        seconds: How long they took together.
        warnings: Signs of a collapse that were seen on the way.
    """

    epochs: int
    chosen_epoch: int
    seconds: float
    warnings: int = 0


def write_card(
    recipe: Recipe,
    scores: Mapping[str, Any] | None,
    *,
    trained: Sequence[LabelledPatient],
    held_out: Sequence[LabelledPatient],
    training: TrainingSummary | None = None,
) -> str:
    """The card of a trained model, Markdown.

    Args:
        recipe: What it was trained by.
        scores: What `score_held_out` found; None where nobody was held out.
        trained: Patients it learned from.
        held_out: Patients it was scored on.
        training: How its training went, where that is known.
    """
    parts = [
        *_beginning(recipe),
        "## Data",
        _data(trained, held_out),
        *([] if training is None else ["## Training", _training(training)]),
        *score_chapters(recipe, scores or {}),
        *_end(recipe),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def score_chapters(recipe: Recipe, scores: Mapping[str, Any]) -> list[str]:
    """The chapters of a card that hold numbers, as far as `scores.json` has them, Markdown.

    Args:
        recipe: What the model was trained by.
        scores: See `engine.learning.model_scores`.
    """
    chapters = []
    if crossed := section_of(scores, "cross_validation"):
        folds, patients = number_of(crossed, "folds"), number_of(crossed, "patients")
        said = "Every patient was predicted by the model that had not seen it"
        if folds and patients:
            said += f": {folds:.0f} folds, {patients:.0f} patients"
        chapters += ["## Cross-validation", f"{said}.", *score_parts(crossed)]
    chapters.append("## Scores on held-out patients")
    if held_out := held_out_section(scores):
        chapters += [*score_parts(held_out), _how_honest(recipe)]
        if any(name.endswith("_ef_error") for name in held_out):
            chapters[-1] += " EF errors are prediction minus reference, in percentage points."
    else:
        chapters.append("Nobody was held out.")
    others = scores.get("other_data")
    for section in others if isinstance(others, list) else []:
        if isinstance(section, Mapping):
            title = str(section.get("title", "Other data"))
            chapters += [f"## {title}", *score_parts(section)]
    if doubt := section_of(scores, "doubt"):
        chapters += ["## Doubt", *doubt_parts(doubt)]
    return chapters


def renew_card(card: str, recipe: Recipe, scores: Mapping[str, Any]) -> str:
    """A card with its numbers made anew, after sections were added to `scores.json`.

    What stands before them (data, training) and after them (limits, how to repeat it) stays.

    Args:
        card: As `write_card` wrote it.
        recipe: What the model was trained by.
        scores: The content of `scores.json`.
    """
    before: list[str] = []
    after: list[str] = []
    for chapter in re.split(r"\n(?=## )", card.strip()):
        head = chapter.split("\n", 1)[0]
        if after or head in _AFTER_SCORES:
            after.append(chapter.strip())
        elif head in _BEFORE_SCORES or not before:
            before.append(chapter.strip())
    return "\n\n".join([*before, *score_chapters(recipe, scores), *after]) + "\n"


def add_scores(folder: Path, sections: Mapping[str, Any]) -> None:
    """Put sections into `scores.json` of a model folder, then make card and checksums anew.

    Args:
        folder: A model folder; its recipe gives the card's beginning where there is no card yet.
        sections: By name, see `engine.learning.model_scores`; those of the same name are replaced.

    Raises:
        ModelError: The folder is no model.
        CannotSaveError: It cannot be written.
    """
    entry = read_entry(folder)
    scores = {**entry.scores, **sections}
    content = json.dumps(scores, indent=1, allow_nan=False) + "\n"
    card = entry.card or "\n\n".join([*_beginning(entry.recipe), *_end(entry.recipe)])
    write_atomically(folder / "scores.json", content.encode())
    write_atomically(folder / "card.md", renew_card(card, entry.recipe, scores).encode())
    write_checksums(folder)


def _beginning(recipe: Recipe) -> list[str]:
    return [
        f"# {recipe.title}",
        *([recipe.description] if recipe.description else []),
        "Research use only: not a medical device, every contour must be reviewed by a reader.",
        f"**Licence of the weights:** {recipe.licence}",
    ]


def _end(recipe: Recipe) -> list[str]:
    limits = "\n".join(f"- {limit}" for limit in recipe.limits)
    return [*(["## Limits", limits] if limits else []), "## Repeat it", _REPEAT]


def _data(trained: Sequence[LabelledPatient], held_out: Sequence[LabelledPatient]) -> str:
    lines = ["| group | patients trained on | held out |", "|---|--:|--:|"]
    groups = sorted({patient.group for patient in (*trained, *held_out)})
    for group in groups:
        counts = [sum(p.group == group for p in side) for side in (trained, held_out)]
        lines.append(f"| {group or 'no group'} | {counts[0]} | {counts[1]} |")
    lines.append(f"| **all** | {len(trained)} | {len(held_out)} |")
    names = ", ".join(patient.name for patient in held_out)
    return "\n".join(lines) + (f"\n\nHeld out: {names}." if names else "")


def _training(training: TrainingSummary) -> str:
    minutes, seconds = divmod(round(training.seconds), 60)
    said = (
        f"{training.epochs} epochs in {minutes}:{seconds:02d} minutes; the weights are those of "
        f"epoch {training.chosen_epoch}."
    )
    if training.warnings:
        said += f" {training.warnings} signs of a collapse were seen on the way, see warnings.json."
    return said


def _how_honest(recipe: Recipe) -> str:
    """Whether anything was chosen by the patients that the scores are on."""
    if recipe.split.unit == "slice":
        return (
            "The split was by slice: slices of one patient were both trained on and scored, so "
            "these scores are too good."
        )
    chosen = recipe.training.keep == "best" or recipe.training.early_stopping
    watched = recipe.split.kind == "folds" and recipe.split.validation == "held_out"
    if watched and chosen:
        return "The epoch was chosen by these very patients, so the scores are a little too good."
    return "No checkpoint was chosen by these scores."
