"""Folders of finished trainings, written by hand: no training is needed to look at them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.learning.scorecard import summarise_scores
from engine.progress import run_to_end
from engine.recipe import Recipe
from engine.scoring.cohort import Case, score_cohort
from tests.discs import tiny_recipe


def write_run(
    folder: Path,
    *,
    recipe: Recipe | None = None,
    losses: Sequence[float] = (1.0, 0.5),
    patients: Mapping[str, int] | None = None,
    reference: int = 8,
    trained: Sequence[str] = (),
    command: Sequence[str] = ("heartseg", "train"),
    ended: bool = True,
) -> Path:
    """Write the folder of a training.

    Args:
        folder: Where to.
        recipe: What was trained; None takes a tiny one.
        losses: Of the epochs.
        patients: Who was held out, each with the side of the square that the model found [pixels]
            where the reference is one of `reference`.
        reference: See `patients`.
        trained: Who was trained on.
        command: That started it.
        ended: Whether it has ended.
    """
    recipe = recipe or tiny_recipe(training__epochs=max(1, len(losses)))
    folder.mkdir(parents=True)
    held_out = dict(patients or {})
    rows = [_row(number, loss) for number, loss in enumerate(losses, start=1)]
    split = {"trained": list(trained), "validated": [], "held_out": list(held_out)}
    started = {
        "started": "2026-01-02T03:04:05+00:00",
        "heartseg": "1",
        "command": list(command),
        "folder": str(folder.parent),
        "device": "a processor",
    }
    (folder / "recipe.toml").write_text(recipe.to_toml())
    (folder / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "split.json").write_text(json.dumps(split))
    (folder / "environment.json").write_text(json.dumps([started]))
    (folder / ("weights.safetensors" if ended else "state.safetensors")).write_bytes(b"weights")
    if held_out:
        scores = _scores(held_out, reference, recipe.task.classes)
        (folder / "scores.json").write_text(json.dumps(scores))
    if ended:
        (folder / "card.md").write_text("# A card\n")
    return folder


def _row(epoch: int, loss: float) -> dict[str, Any]:
    dice = 1 - loss / 2
    return {
        "epoch": epoch,
        "loss": loss,
        "val_loss": 2 * loss,
        "val_dice": dice,
        "val_dice.lv": dice,
        "learning_rate": 0.01 / epoch,
        "seconds": 60.0,
        "samples_per_second": 5.0,
        "peak_memory_mb": 100.0,
    }


def _scores(patients: Mapping[str, int], reference: int, classes: Sequence[str]) -> dict[str, Any]:
    heart = len(classes) == 4
    cases = [
        _case(name, side, reference, phase, heart=heart)
        for name, side in patients.items()
        for phase in (("ED", "ES") if heart else ("",))
    ]
    cohort = run_to_end(score_cohort(cases, classes=classes))
    block = cohort["as_predicted"]
    rows: dict[str, dict[str, Any]] = {
        name: {"patient": name, "group": "DISC", "phases": {}} for name in patients
    }
    for volume in block["volumes"]:
        rows[volume["patient"]]["phases"][volume["phase"] or "volume 1"] = volume["scores"]
    for measured in block["patients"]:
        both = measured.get("quantities")
        if both:
            pair = [both[side]["lv_ef_percent"] for side in ("predicted", "reference")]
            rows[measured["patient"]]["lv_ef_percent"] = pair
    listed = list(rows.values())
    return {"patients": listed, "summary": summarise_scores(listed), "cohort": cohort}


def _case(name: str, side: int, reference: int, phase: str, *, heart: bool) -> Case:
    """Squares within each other; the cavity is half as large at end systole."""
    cavity = 3 if heart else 1
    smaller = 2 if phase == "ES" else 1
    found, true = (np.zeros((2, 24, 24), np.uint8) for _ in range(2))
    for labels, edge in ((found, side), (true, reference)):
        if heart:
            labels[:, 2:20, 2:20] = 2  # myocardium
            labels[:, 20:23, 2:12] = 1  # RV
        labels[:, 4 : 4 + edge // smaller, 4 : 4 + edge] = cavity
    return Case(name, "DISC", phase, found, true, (10.0, 1.0, 1.0))
