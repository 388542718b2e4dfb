"""Making a model of a training that was stopped before its last epoch."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from engine.datasets.labelled import LabelledPatient
from engine.datasets.splits import split_patients
from engine.errors import ModelError
from engine.learning.checkpoint import build_network, load_tensors, save_weights
from engine.learning.finishing import finish_run
from engine.learning.models import WEIGHTS
from engine.learning.run_folder import STATE, open_run
from engine.learning.runtime import describe_device
from engine.learning.schedule import Course
from engine.learning.training_data import draw_hearts
from engine.progress import Progress, Steps
from engine.recipe import Recipe


def keep_best(
    patients: Sequence[LabelledPatient], recipe: Recipe, out: Path, *, device: str = "auto"
) -> Steps[Path]:
    """Make a stopped training a model: its best epoch, or its last where the recipe keeps that.

    The recipe stays as it is, so that it still says how many epochs were meant; the card tells
    how many there were.

    Args:
        patients: All that the training was given.
        recipe: What was trained.
        out: Folder of the run.
        device: auto, cpu or cuda; where the held-out patients are scored.

    Returns:
        `out`, which is then a model folder.

    Raises:
        ModelError: No epoch was complete, or `out` holds something else.
        CannotSaveError: `out` cannot be written.
    """
    if not (out / STATE).is_file():
        raise ModelError(
            f"No epoch of the training in {out} was complete, so there is nothing to keep.",
            hint="Let it train for an epoch at least.",
        )
    yield Progress(0, 0, "Keeping the best epoch")
    drawn = yield from draw_hearts(recipe)
    folder = open_run(out, recipe, resume=True)
    tensors, notes = load_tensors(out / STATE)
    course = Course(recipe, steps_per_epoch=1)
    course.restore(notes["course"])
    folder.forget_after(course.epoch)
    if course.chosen_epoch == course.epoch:  # else the weights of the best one lie there already
        network = build_network(recipe, start=False)
        kind = "average." if recipe.training.average else "network."
        network.load_state_dict(
            {name.removeprefix(kind): t for name, t in tensors.items() if name.startswith(kind)}
        )
        save_weights(network, out / WEIGHTS)
    del tensors
    folder.write_environment(
        {
            "kept_after_epoch": course.epoch,
            "device": describe_device(torch.device("cpu" if device == "auto" else device)),
        }
    )
    split = split_patients(patients, recipe)
    split = replace(split, train=(*split.train, *drawn))
    yield from finish_run(folder, recipe, split, chosen_epoch=course.chosen_epoch, device=device)
    return out
