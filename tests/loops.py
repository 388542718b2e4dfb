"""Learning loops of discs, and judgements out of thin air."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from engine.datasets.catalogue import read_labelled
from engine.io.label_store import save_labels
from engine.io.study_folder import read_study
from engine.labelmap import LabelMap
from engine.learning.checksums import write_checksums
from engine.learning.learner import start_network
from engine.learning.models import WEIGHTS
from engine.loop.collection import collect
from engine.loop.gate import decide
from engine.loop.judging import JudgedPatient, Judgement
from engine.loop.loop_folder import LoopFolder, LoopSettings, make_loop
from engine.progress import Progress, Steps, run_to_end
from engine.recipe import Recipe
from engine.review.states import Review
from engine.structures import HEART_STRUCTURES, Structure
from engine.study import Origin, Provenance
from tests.discs import tiny_recipe, write_disc_patients

AT = "2026-11-21T15:00:00+00:00"


def judged(name: str, *, dice: float, error_ml: float = 5.0, ef: float = 0.0) -> Judgement:
    """Six patients around these figures; `ef` is the bias of the ejection fractions [points]."""
    patients = []
    for number in range(6):
        jitter = 0.002 * (number - 2.5)
        fraction = dict.fromkeys((Structure.LV, Structure.RV), (60 + ef + number % 2, 60.0))
        patients.append(
            JudgedPatient(
                f"p{number}",
                dict.fromkeys(HEART_STRUCTURES, dice + jitter),
                dict.fromkeys(HEART_STRUCTURES, error_ml),
                fraction,
                dice - 0.1 + jitter,
                20,
                4,
            )
        )
    return Judgement(name, "ab" * 32, tuple(patients))


def with_errors(judgement: Judgement, errors_ml: list[float]) -> Judgement:
    """The same judgement with other volume errors of the LV, a value for each patient."""
    patients = tuple(
        replace(p, error_ml={**p.error_ml, Structure.LV: error})
        for p, error in zip(judgement.patients, errors_ml, strict=True)
    )
    return replace(judgement, patients=patients)


def approve(folder: Path, *, shift: int = 0, changed: int | None = None) -> None:
    """Save a study's reference labels, moved by some columns, as a reader's approved reading.

    `changed` slices count as the reader's, all of them where it is not given.
    """
    study = run_to_end(read_study(folder))
    stored = next(each for each in study.labels if each.provenance.origin is Origin.REFERENCE)
    labels = LabelMap(np.roll(stored.labels.voxels, shift, axis=3), stored.labels.geometry)
    places = [(t, z) for t in range(labels.shape[0]) for z in range(labels.shape[1])]
    made = Provenance(Origin.CORRECTED, "m", "ab" * 32, "A. Reader", tuple(places[:changed]))
    review = Review().approve(places, reader="A. Reader", at=AT)
    run_to_end(save_labels(study, 0, labels, made, review=review))


Change = Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]
"""From the weights of the active model to those of the candidate."""


def untrained_model(out: Path) -> Path:
    """A model folder whose tiny network has learned nothing; made at once.

    Its weights are others than its recipe would draw.
    """
    drawn = start_network(tiny_recipe(training__seed=77)).state_dict()
    _write_model(out, tiny_recipe(), drawn)
    return out


def unchanged(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return weights


def spoilt(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Noise."""
    random = torch.Generator().manual_seed(1)
    return {
        name: torch.randn(value.shape, generator=random) if value.is_floating_point() else value
        for name, value in weights.items()
    }


def training_that(change: Change, seen: list[list[str]] | None = None) -> Callable[..., Any]:
    """What takes the place of `training.train`: the weights to start from, changed, at once.

    Args:
        change: Of the weights.
        seen: Takes the names of the patients of each training.
    """

    def train(
        patients: Sequence[Any], recipe: Recipe, out: Path, **_options: object
    ) -> Steps[Path]:
        yield Progress(0, 1, "Epoch 1 of 1")
        if seen is not None:
            seen.append(sorted(patient.name for patient in patients))
        weights = load_file(Path(recipe.training.start) / "weights.safetensors")
        _write_model(out, recipe, change(weights))
        return out

    return train


def _write_model(out: Path, recipe: Recipe, weights: dict[str, torch.Tensor]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    save_file({name: value.contiguous() for name, value in weights.items()}, out / WEIGHTS)
    (out / "recipe.toml").write_text(recipe.to_toml())
    (out / "card.md").write_text("# Made for a test\n")
    write_checksums(out)


def write_readings(root: Path) -> Path:
    """Eight patients of discs; p0 to p3 in `test`, p4 to p7 in `read` are approved."""
    for number, place in enumerate(sorted(write_disc_patients(root / "all", 8).iterdir())):
        target = root / ("test" if number < 4 else "read") / place.name
        target.parent.mkdir(exist_ok=True)
        shutil.move(place, target)
        if number >= 4:
            approve(target, changed=2)
    return root


def begun_loop(root: Path, start: Path, **options: Any) -> LoopFolder:
    """A loop at `root/loop` with the patients of `write_readings`, from a model."""
    settings = LoopSettings(start=str(start), test=(str(root / "test"),), **options)
    test = run_to_end(read_labelled(root / "test"))
    return run_to_end(make_loop(root / "loop", settings, test))


def take(loop: LoopFolder, *folders: Path) -> list[str]:
    """Collect from folders; the names of what is new."""
    found = run_to_end(collect(loop.collection, loop.locked, folders))
    return [study.name for study in found.studies if study.is_new]


def write_round(
    loop: LoopFolder, before: Judgement, after: Judgement, studies: Sequence[dict[str, object]] = ()
) -> None:
    """Write a round into the history, with a candidate that is a model."""
    number = loop.next_round
    shutil.copytree(loop.settings.start, loop.candidate(number))
    loop.append(
        "round",
        round=number,
        candidate=f"candidates/{loop.candidate(number).name}",
        active=before.as_json(),
        judged=after.as_json(),
        verdict=decide(before, after, loop.settings.rules).as_json(),
        studies=list(studies),
    )


def study_facts(name: str, *, slices: int, corrected: int) -> dict[str, object]:
    """A study as a round in the history names it."""
    return {
        "name": name,
        "version": 1,
        "key": name,
        "approved_by": "A. Reader",
        "slices": slices,
        "corrected": corrected,
    }
