"""What a training learns from: samples, validation and the loss measured on them, checked."""

from dataclasses import dataclass

import torch

from engine.datasets.class_weights import make_class_weights
from engine.datasets.labelled import LabelledPatient
from engine.datasets.samples import SampleSource
from engine.datasets.splits import Split
from engine.errors import ModelError
from engine.learning.losses import Loss, make_loss, needs_certain_labels
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
    weights = make_class_weights(
        recipe.loss.class_weights, classes=len(recipe.task.classes), count=samples.class_counts
    )
    loss = make_loss(
        recipe.loss.sum,
        class_weights=None if weights is None else torch.from_numpy(weights).float(),
        options=recipe.loss.options,
    )
    loss.check(recipe.network.classes)
    if needs_certain_labels(loss.terms):
        for source, part in ((samples, split.train), (validation, split.validation)):
            if source is not None and not source.complete:
                _refuse_open_labels(part, recipe)
    return TrainingData(samples, validation, loss)


def check_recipe(recipe: Recipe, *, processes: int = 1) -> None:
    """Refuse what no data can mend, before any is read.

    Raises:
        ModelError: The recipe watches a validation that it does not have, or its batch cannot
            be shared out evenly.
    """
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
