"""The model card: what a model was trained on, under which terms it stands, how well it does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.datasets.labelled import LabelledPatient
from engine.recipe import Recipe

_STRUCTURES = ("lv", "myocardium", "rv")


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
        f"# {recipe.title}",
        recipe.description,
        "Research use only: not a medical device, every contour must be reviewed by a reader.",
        f"**Licence of the weights:** {recipe.licence}",
        "## Data",
        _data(trained, held_out),
        *([] if training is None else ["## Training", _training(training)]),
        "## Scores on held-out patients",
        *(["Nobody was held out."] if scores is None else _scores(recipe, scores["summary"])),
    ]
    if recipe.limits:
        parts += ["## Limits", "\n".join(f"- {limit}" for limit in recipe.limits)]
    return "\n\n".join(part for part in parts if part) + "\n"


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


def _scores(recipe: Recipe, summary: Mapping[str, Any]) -> list[str]:
    dice: Mapping[str, float] = summary["dice"]
    table = _heart_table(dice) if recipe.data.task == "short_axis" else _class_table(dice)
    parts = ["\n".join(table)]
    if summary["mean_foreground_dice"] is not None:
        parts.append(f"Mean foreground Dice: **{summary['mean_foreground_dice']:.3f}**")
    for ventricle in ("lv", "rv"):
        error = summary.get(f"{ventricle}_ef_error")
        if error:
            parts.append(
                f"{ventricle.upper()} EF error: bias {error['bias_points']:+.1f}, "
                f"SD {error['sd_points']:.1f}, mean absolute {error['mean_absolute_points']:.1f} "
                f"points ({error['patients']} patients)"
            )
    parts.append(_how_honest(recipe))
    if "lv_ef_error" in summary:
        parts[-1] += " EF errors are prediction minus reference, in percentage points."
    return parts


def _heart_table(dice: Mapping[str, float]) -> list[str]:
    """A row for each phase, a column for each structure."""
    lines = ["| Dice | LV | myocardium | RV |", "|---|--:|--:|--:|"]
    for phase in sorted({name.rpartition(" ")[0] for name in dice}):
        cells = (dice.get(f"{phase} {structure}".strip()) for structure in _STRUCTURES)
        shown = " | ".join("-" if value is None else f"{value:.3f}" for value in cells)
        lines.append(f"| {phase or 'all'} | {shown} |")
    return lines


def _class_table(dice: Mapping[str, float]) -> list[str]:
    return [
        "| | Dice |",
        "|---|--:|",
        *(f"| {name.replace('_', ' ')} | {value:.3f} |" for name, value in dice.items()),
    ]


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
