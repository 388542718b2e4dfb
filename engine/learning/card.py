"""The model card: what a model was trained on, under which terms it stands, how well it does."""

from collections.abc import Mapping, Sequence
from typing import Any

from engine.datasets.labelled import LabelledPatient
from engine.learning.recipe import Recipe

_STRUCTURES = ("lv", "myocardium", "rv")


def write_card(
    recipe: Recipe,
    scores: Mapping[str, Any],
    *,
    trained: Sequence[LabelledPatient],
    held_out: Sequence[LabelledPatient],
) -> str:
    """The card of a trained model, Markdown.

    Args:
        recipe: What it was trained by.
        scores: What `score_held_out` found.
        trained: Patients it learned from.
        held_out: Patients it was scored on.
    """
    parts = [
        f"# {recipe.title}",
        recipe.description,
        "Research use only: not a medical device, every contour must be reviewed by a reader.",
        f"**Licence of the weights:** {recipe.licence}",
        "## Data",
        _data(trained, held_out),
        "## Scores on held-out patients",
        _scores(scores["summary"]),
        "No checkpoint was chosen by these scores. "
        "EF errors are prediction minus reference, in percentage points.",
        "## Limits",
        "\n".join(f"- {limit}" for limit in recipe.limits) or "Not stated.",
        "## Repeat it",
        "`heartseg train recipe.toml --data FOLDER --out DIR` with the `recipe.toml` beside this "
        "card and the data named above.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _data(trained: Sequence[LabelledPatient], held_out: Sequence[LabelledPatient]) -> str:
    lines = ["| group | patients trained on | held out |", "|---|--:|--:|"]
    groups = sorted({patient.group for patient in (*trained, *held_out)})
    for group in groups:
        counts = [sum(p.group == group for p in side) for side in (trained, held_out)]
        lines.append(f"| {group or 'no group'} | {counts[0]} | {counts[1]} |")
    lines.append(f"| **all** | {len(trained)} | {len(held_out)} |")
    names = ", ".join(patient.name for patient in held_out)
    return "\n".join(lines) + f"\n\nHeld out: {names}."


def _scores(summary: Mapping[str, Any]) -> str:
    dice: Mapping[str, float] = summary["dice"]
    lines = ["| Dice | LV | myocardium | RV |", "|---|--:|--:|--:|"]
    for phase in sorted({name.rsplit(" ", 1)[0] for name in dice}):
        cells = (dice.get(f"{phase} {structure}") for structure in _STRUCTURES)
        shown = " | ".join("-" if value is None else f"{value:.3f}" for value in cells)
        lines.append(f"| {phase} | {shown} |")
    if summary["mean_foreground_dice"] is not None:
        lines.append(f"\nMean foreground Dice: **{summary['mean_foreground_dice']:.3f}**")
    for ventricle in ("lv", "rv"):
        error = summary.get(f"{ventricle}_ef_error")
        if error:
            lines.append(
                f"\n{ventricle.upper()} EF error: bias {error['bias_points']:+.1f}, "
                f"SD {error['sd_points']:.1f}, mean absolute {error['mean_absolute_points']:.1f} "
                f"points ({error['patients']} patients)"
            )
    return "\n".join(lines)
