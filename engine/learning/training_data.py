"""What a training learns from: samples, validation and the loss measured on them, checked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from engine.datasets.class_weights import ClassCounts, make_class_weights
from engine.datasets.generated import labelled_phantoms
from engine.datasets.labelled import LabelledPatient
from engine.datasets.samples import SampleSource
from engine.datasets.splits import Split
from engine.errors import ModelError
from engine.learning.checkpoint import build_network
from engine.learning.losses import Loss, make_loss, needs_certain_labels
from engine.networks.counting import sketching
from engine.progress import Steps
from engine.recipe import Recipe


@dataclass(frozen=True, slots=True)
class TrainingData:
    """What a training learns from.

    Attributes:
        samples: To learn from.
        validation: Scored after each epoch; None where there is none.
        loss: With the class weights of the training samples.
    """

    samples: SampleSource
    validation: SampleSource | None
    loss: Loss


def gather_data(split: Split, recipe: Recipe, *, stride: int) -> TrainingData:
    """Make the samples of a split and the recipe's loss, and see whether they go together.

    Args:
        split: Who is trained on and who validates.
        recipe: What is trained.
        stride: Of the network.

    Raises:
        ModelError: A batch is larger than the data, or the loss needs labels that are certain.
    """
    samples = SampleSource(split.train, recipe, stride=stride)
    if len(samples) < recipe.training.batch:
        thing = f"{recipe.data.sample}s"
        raise ModelError(
            f"There are only {len(samples)} labelled {thing} to train on.",
            hint=f"A batch takes {recipe.training.batch}; give a folder with more patients, or "
            "make training.batch smaller.",
        )
    validation = None
    if split.validation:
        validation = SampleSource(split.validation, recipe, stride=stride)
    loss = _make_loss(recipe, samples.class_counts)
    if needs_certain_labels(loss.terms):
        for source, part in ((samples, split.train), (validation, split.validation)):
            if source is not None and not source.complete:
                _refuse_open_labels(part, recipe)
    return TrainingData(samples, validation, loss)


def absent_classes(patients: Sequence[LabelledPatient], recipe: Recipe) -> list[str]:
    """Names of the classes of the task that no voxel of these patients certainly has."""
    absent = list(enumerate(recipe.task.classes))[1:]
    for patient in patients:
        for volume in patient.volumes:
            found = set(np.unique(volume.possible).tolist())
            absent = [(number, title) for number, title in absent if 1 << number not in found]
        if not absent:
            break
    return [title for _, title in absent]


def _make_loss(recipe: Recipe, count: Callable[[], ClassCounts]) -> Loss:
    """The recipe's loss, checked against its network; `count` counts the training images."""
    weights = make_class_weights(
        recipe.loss.class_weights, classes=len(recipe.task.classes), count=count
    )
    loss = make_loss(
        recipe.loss.sum,
        class_weights=None if weights is None else torch.from_numpy(weights).float(),
        options=recipe.loss.options,
    )
    loss.check(recipe.network.classes)
    return loss


_FIRST_SEED = 100_000
"""Seeds of phantoms that are trained on begin here; those that models are tried on are smaller."""

_BEATS = 4  # phases of a phantom: the fewest it can have; ED and ES are used


def draw_hearts(recipe: Recipe) -> Steps[list[LabelledPatient]]:
    """The generated hearts that a recipe trains on besides its patients; always the same.

    Raises:
        ModelError: The recipe is not for the short axis.
    """
    count = recipe.data.phantoms
    if count and recipe.data.task != "short_axis":
        raise ModelError(
            f"data.phantoms is {count}, but there are no phantoms for {recipe.data.task}.",
            hint="Set data.phantoms to 0.",
        )
    seeds = range(_FIRST_SEED, _FIRST_SEED + count)
    return (yield from labelled_phantoms(seeds, phases=_BEATS))


def check_recipe(recipe: Recipe, *, processes: int = 1) -> None:
    """Refuse what no data can mend, before any is read.

    Raises:
        ModelError: There is no such network or loss, or they do not go together or with the
            recipe's samples; the recipe watches a validation that it does not have, or its batch
            cannot be shared out evenly.
    """
    with sketching(recipe.network.name):
        build_network(recipe, start=False)
    ones = np.ones(len(recipe.task.classes), np.int64)
    _make_loss(recipe, lambda: ClassCounts(ones, ones))
    training = recipe.training
    watched = {
        "training.schedule is plateau": training.schedule == "plateau",
        "training.early_stopping is set": training.early_stopping > 0,
    }
    for said, needed in watched.items():
        if needed and not recipe.validates:
            raise ModelError(
                f"{said}, but the split has nobody for validation.",
                hint="Set split.validation to held_out, or split.kind to fractions.",
            )
    if training.batch % processes:
        raise ModelError(
            f"A batch of {training.batch} cannot be shared out evenly to {processes} processes.",
            hint="Set training.batch to a multiple of the processes, or start fewer.",
        )


def _refuse_open_labels(patients: tuple[LabelledPatient, ...], recipe: Recipe) -> None:
    open_ones = [p.name for p in patients if not all(v.complete for v in p.volumes)]
    named = ", ".join(open_ones[:3]) + (" and others" if len(open_ones) > 3 else "")
    raise ModelError(
        f"The loss {recipe.loss.sum!r} needs a certain label for every pixel, which "
        f"{len(open_ones)} patients do not have: {named}.",
        hint='Set loss.sum to "1.0 * partial_ce + 1.0 * partial_dice", which learns from open '
        "labels, or leave these patients out.",
    )
