"""Scoring a model again on the patients that its training held out."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.datasets.labelled import LabelledPatient
from engine.errors import ModelError
from engine.learning.card import add_scores
from engine.learning.checkpoint import load_model
from engine.learning.models import SPLIT, ModelEntry
from engine.learning.scorecard import score_held_out
from engine.progress import Steps


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
    names: list[str] = []
    try:
        split = json.loads((entry.path / SPLIT).read_text(encoding="utf-8"))
        names = [str(name) for name in split["held_out"]]
    except (OSError, ValueError, TypeError, KeyError):
        rows = entry.scores.get("patients")
        for row in rows if isinstance(rows, list) else []:
            if isinstance(row, dict) and isinstance(row.get("patient"), str):
                names.append(row["patient"])
    if not names:
        raise ModelError(
            f"{entry.name} does not say which patients its training held out.",
            hint="Only models with held-out patients in split.json or scores.json can be scored "
            "again; `heartseg evaluate` compares labels of any patients.",
        )
    return names


def score_again(
    entry: ModelEntry,
    patients: Sequence[LabelledPatient],
    *,
    device: str = "auto",
    renew: bool = False,
) -> Steps[Rescored]:
    """Score a model on the patients that its training held out, with the program as it is now.

    Args:
        entry: The model.
        patients: Held-out ones are picked from these by name; nobody else is looked at.
        device: auto, cpu or cuda.
        renew: Whether the scores and the card of the model are made anew.

    Raises:
        ModelError: It is not known who was held out, or none of them, or for `renew` not all of
            them, are there; or the model is damaged.
        CannotSaveError: The model's folder cannot be written.
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
    if renew and missing:
        raise ModelError(
            f"{len(missing)} of the {len(names)} patients that {entry.name} held out are not in "
            f"these folders: {', '.join(missing[:3])}.",
            hint="A card is made anew from all of them; give every folder it was trained on.",
        )
    chosen = [here[name] for name in names if name in here]
    scores = yield from score_held_out(load_model(entry.path), chosen, device=device)
    if renew:
        add_scores(entry.path, scores)
    return Rescored(scores, missing)
