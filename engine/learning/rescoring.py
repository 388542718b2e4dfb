"""Scoring a model again: on whom its training held out, on patients it never saw, over folds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.datasets.labelled import LabelledPatient
from engine.errors import ModelError
from engine.learning.checkpoint import load_model
from engine.learning.model_scores import Section, pool_runs, summarise_rows
from engine.learning.models import RECIPE, ModelEntry
from engine.learning.scorecard import score_held_out
from engine.learning.split_record import named_in_split, seen_in_training
from engine.progress import Steps
from engine.recipe import Recipe, read_recipe


@dataclass(frozen=True, slots=True)
class Rescored:
    """What a model scores now.

    Attributes:
        scores: As `score_held_out` gives them.
        missing: Names of held-out patients that were not there.
    """

    scores: dict[str, Any] = field(repr=False)
    missing: tuple[str, ...]


def held_out_by(entry: ModelEntry) -> list[str]:
    """Names of the patients that a model's training held out.

    They stand in `split.json` of a run, and in the scores of a model that came without one.

    Raises:
        ModelError: Neither says so.
    """
    names = named_in_split(entry.path, "held_out")
    if names is None:
        rows = entry.scores.get("patients")
        given = rows if isinstance(rows, list) else []
        names = [str(row["patient"]) for row in given if isinstance(row, dict) and "patient" in row]
    if not names:
        raise ModelError(
            f"{entry.name} does not say which patients its training held out.",
            hint="Only models with held-out patients in split.json or scores.json can be scored "
            "on them; --unseen scores it on patients of whom you know that it never saw them.",
        )
    return names


def score_again(
    entry: ModelEntry, patients: Sequence[LabelledPatient], *, device: str = "auto"
) -> Steps[Rescored]:
    """Score a model on the patients that its training held out, with the program as it is now.

    Args:
        entry: The model.
        patients: Held-out ones are picked from these by name; nobody else is looked at.
        device: auto, cpu or cuda.

    Raises:
        ModelError: It is not known who was held out, none of them is there, or the model is
            damaged.
    """
    names = held_out_by(entry)
    here = {patient.name: patient for patient in patients}
    missing = tuple(name for name in names if name not in here)
    if len(missing) == len(names):
        raise ModelError(
            f"None of the {len(names)} patients that {entry.name} held out is in these folders.",
            hint=f"Give the folders it was trained on; it held out {', '.join(names[:3])}, for "
            "example.",
        )
    chosen = [here[name] for name in names if name in here]
    scores = yield from score_held_out(load_model(entry.path), chosen, device=device)
    return Rescored(scores, missing)


def score_unseen(
    entry: ModelEntry, patients: Sequence[LabelledPatient], *, title: str, device: str = "auto"
) -> Steps[dict[str, Any]]:
    """Score a model on patients that its training never saw.

    Args:
        entry: The model.
        patients: All of them are scored.
        title: What the card calls them.
        device: auto, cpu or cuda.

    Returns:
        A section of `scores.json`, see `engine.learning.model_scores`.

    Raises:
        ModelError: The training saw a patient of such a name, nobody is there, or the model is
            damaged.
    """
    overlap = sorted(seen_in_training(entry.path) & {patient.name for patient in patients})
    if overlap:
        raise ModelError(
            f"{entry.name} has learned from {len(overlap)} of these patients: "
            f"{', '.join(overlap[:3])}.",
            hint="Scores on them would be too good. Give patients that its training never saw.",
        )
    if not patients:
        raise ModelError(f"There are no labelled patients in {title}.", hint="Give another folder.")
    scores = yield from score_held_out(load_model(entry.path), patients, device=device)
    return summarise_rows(scores["patients"], title=title)


def score_folds(entry: ModelEntry, runs: Sequence[Path]) -> dict[str, Any]:
    """What a model's recipe scores in a cross-validation.

    Args:
        entry: The model.
        runs: Trainings of its recipe, each with another fold held out.

    Returns:
        The section `cross_validation` of `scores.json`, see `engine.learning.model_scores`.

    Raises:
        ModelError: A run has another recipe or no scores, or a patient was held out twice.
    """
    recipes = [read_recipe(run / RECIPE) for run in runs]
    for run, recipe in zip(runs, recipes, strict=True):
        unlike = _unlike(recipe, entry.recipe)
        if unlike:
            raise ModelError(
                f"{run} was trained by another recipe than {entry.name}: {', '.join(unlike[:3])}.",
                hint="Pool trainings of the model's own recipe, with nothing but split.fold set.",
            )
    folds = " ".join(f"--folds fold_{recipe.split.fold}" for recipe in recipes)
    return pool_runs(
        runs,
        commands=[
            "heartseg train recipe.toml --data FOLDER --fold K --out fold_K",
            f"heartseg score {entry.name} {folds}",
        ],
    )


def _unlike(recipe: Recipe, other: Recipe) -> list[str]:
    """Which fields of two recipes differ, dotted, but for the fold that is held out."""
    parts = zip(recipe.deciding().items(), other.deciding().values(), strict=True)
    fields = [
        f"{part}.{field}"
        for (part, values), others in parts
        for field in values
        if values[field] != others[field]
    ]
    return [field for field in fields if field != "split.fold"]


def joined(entry: ModelEntry, unseen: Sequence[Section]) -> list[Section]:
    """The sections of unseen patients that a model has, those of the same titles replaced."""
    known = entry.scores.get("other_data")
    titles = {section["title"] for section in unseen}
    kept = [
        section
        for section in (known if isinstance(known, list) else [])
        if isinstance(section, Mapping) and section.get("title") not in titles
    ]
    return [*kept, *unseen]
