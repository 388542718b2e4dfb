"""Training: from labelled patients and a recipe to a model folder, resumable at every epoch."""

import copy
import json
import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from engine.datasets.augment import Limits
from engine.datasets.labelled import LabelledPatient
from engine.datasets.slices import TrainingSlice, batches, make_training_slices
from engine.datasets.splits import make_folds
from engine.errors import CannotSaveError, ModelError
from engine.learning.checkpoint import build_network, save_weights
from engine.learning.losses import partial_cross_entropy, partial_dice_loss
from engine.learning.models import WEIGHTS
from engine.learning.recipe import Recipe, read_recipe
from engine.learning.runtime import choose_device
from engine.networks.blocks import in_channels_last
from engine.progress import Progress, Steps

_STATE = "state.safetensors"
_LOG = "log.jsonl"


def split_patients(
    patients: Sequence[LabelledPatient], recipe: Recipe
) -> tuple[list[LabelledPatient], list[LabelledPatient]]:
    """Split into training and held-out patients by the recipe's fold, stratified by group.

    Patients named in `leave_out` are in neither.
    """
    used = [patient for patient in patients if patient.name not in recipe.leave_out]
    training = recipe.training
    folds = make_folds(
        {patient.name: patient.group for patient in used},
        folds=training.folds,
        seed=training.seed,
    )
    held_out = set(folds[training.fold % training.folds])
    return (
        [patient for patient in used if patient.name not in held_out],
        [patient for patient in used if patient.name in held_out],
    )


def train(
    patients: Sequence[LabelledPatient],
    recipe: Recipe,
    out: Path,
    *,
    device: str = "auto",
    resume: bool = False,
) -> Steps[Path]:
    """Train the recipe's network; yields after every batch.

    The weights that are kept are the running mean over the last steps, at the end of the last
    epoch: no checkpoint is chosen by its score on held-out patients, so their score stays honest.

    Args:
        patients: All labelled patients; the recipe's fold of them is held out.
        recipe: What to train.
        out: Folder for the model; made if missing.
        device: auto, cpu or cuda.
        resume: Go on where an interrupted run in `out` stopped.

    Returns:
        `out`, which is then a model folder.

    Raises:
        ModelError: Nothing to train on, or `out` holds another run.
    """
    run = _prepare(recipe, out, resume=resume)
    where = choose_device(device)
    yield Progress(0, 0, "Preparing slices")
    chosen, held_out = split_patients(patients, recipe)
    slices = make_training_slices(
        chosen,
        low_percentile=recipe.image.low_percentile,
        high_percentile=recipe.image.high_percentile,
    )
    if len(slices) < recipe.training.batch:
        raise ModelError(
            f"There are only {len(slices)} labelled slices to train on.",
            hint=f"A batch takes {recipe.training.batch}; give a folder with more patients.",
        )
    torch.manual_seed(recipe.training.seed)
    learner = Learner(recipe, steps_per_epoch=len(slices) // recipe.training.batch, device=where)
    first = learner.load(out / _STATE) if run == "resumed" else 0
    (out / "split.json").write_text(
        json.dumps(
            {"trained": [p.name for p in chosen], "held_out": [p.name for p in held_out]}, indent=1
        )
    )
    for epoch in range(first, recipe.training.epochs):
        started = time.monotonic()
        loss = yield from _run_epoch(learner, slices, recipe, epoch)
        learner.save(out / _STATE, epoch + 1)
        save_weights(learner.average, out / WEIGHTS)
        _log(out, {"epoch": epoch + 1, "loss": loss, "seconds": time.monotonic() - started})
    (out / _STATE).unlink(missing_ok=True)
    return out


def _prepare(recipe: Recipe, out: Path, *, resume: bool) -> str:
    """Make the output folder, or check that it holds this very run."""
    path = out / "recipe.toml"
    if resume and (out / _STATE).is_file():
        if read_recipe(path) != recipe:
            raise ModelError(
                f"{out} holds a run of another recipe.",
                hint="Resume with the recipe.toml in that folder, or choose a new folder.",
            )
        return "resumed"
    if (out / WEIGHTS).exists():
        raise ModelError(
            f"{out} already holds a trained model.",
            hint="Choose a new folder; nothing is overwritten.",
        )
    try:
        out.mkdir(parents=True, exist_ok=True)
        path.write_text(recipe.to_toml(), encoding="utf-8")
    except OSError as error:
        raise CannotSaveError(
            f"{out} cannot be written: {error.strerror}.", hint="Choose another folder."
        ) from error
    (out / _LOG).unlink(missing_ok=True)
    return "new"


def _run_epoch(
    learner: "Learner", slices: Sequence[TrainingSlice], recipe: Recipe, epoch: int
) -> Steps[float]:
    training, steps = recipe.training, learner.steps_per_epoch
    total = 0.0
    stream = batches(
        slices,
        batch=training.batch,
        patch=recipe.image.patch,
        pixel_mm=recipe.image.spacing_mm,
        limits=make_limits(recipe),
        seed=training.seed * 100_003 + epoch,
    )
    for number, (images, possible) in enumerate(stream, start=1):
        total += learner.learn(images, possible)
        yield Progress(
            epoch * steps + number,
            training.epochs * steps,
            f"Epoch {epoch + 1} of {training.epochs}, loss {total / number:.3f}",
        )
    return total / steps


def make_limits(recipe: Recipe) -> Limits:
    """The recipe's augmentation in pixels."""
    values: dict[str, Any] = recipe.augmentation.model_dump()
    values["shift_pixels"] = values.pop("shift_mm") / recipe.image.spacing_mm
    return Limits(**values)


def _log(out: Path, entry: Mapping[str, float]) -> None:
    with (out / _LOG).open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry) + "\n")


class Learner:
    """A network in training: optimiser, learning-rate schedule and running mean of weights."""

    def __init__(self, recipe: Recipe, *, steps_per_epoch: int, device: torch.device) -> None:
        self.recipe = recipe
        self.device = device
        self.steps_per_epoch = steps_per_epoch
        self._step = 0
        network = in_channels_last(build_network(recipe).to(device))
        self.network = network
        self.average = copy.deepcopy(network).eval().requires_grad_(False)
        self._optimiser = torch.optim.AdamW(
            network.parameters(),
            lr=recipe.training.learning_rate,
            weight_decay=recipe.training.weight_decay,
            fused=True,
        )

    def learn(self, images: Tensor, possible: Tensor) -> float:
        """Take one step on a batch, (b, 1, y, x) and bits (b, y, x); returns the loss."""
        self._set_learning_rate()
        images = images.to(self.device, memory_format=torch.channels_last)
        possible = possible.to(self.device)
        training = self.recipe.training
        logits = self.network(images)
        loss = training.cross_entropy_weight * partial_cross_entropy(logits, possible)
        loss = loss + training.dice_weight * partial_dice_loss(logits, possible)
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self._optimiser.step()
        self._step += 1
        self._follow()
        return float(loss.detach())

    def _set_learning_rate(self) -> None:
        """Warm up linearly, then half a cosine down to zero (Loshchilov and Hutter 2017)."""
        training = self.recipe.training
        total = training.epochs * self.steps_per_epoch
        warm = min(1.0, (self._step + 1) / max(1, training.warm_up_steps))
        rate = training.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * self._step / total))
        for group in self._optimiser.param_groups:
            group["lr"] = rate

    @torch.no_grad()
    def _follow(self) -> None:
        """Move the running mean towards the network; early on it follows faster."""
        decay = min(self.recipe.training.average, self._step / (self._step + 10))
        pairs = zip(
            self.average.state_dict().values(), self.network.state_dict().values(), strict=True
        )
        for mean, now in pairs:
            if mean.is_floating_point():
                mean.lerp_(now, 1 - decay)
            else:
                mean.copy_(now)

    def save(self, path: Path, epoch: int) -> None:
        """Write everything needed to go on after `epoch` epochs, replacing the file at once."""
        tensors = {"epoch": torch.tensor(epoch), "step": torch.tensor(self._step)}
        for prefix, network in (("network", self.network), ("average", self.average)):
            for name, value in network.state_dict().items():
                tensors[f"{prefix}.{name}"] = value.contiguous().clone()
        for index, state in self._optimiser.state_dict()["state"].items():
            for name, value in state.items():
                tensors[f"optimiser.{index}.{name}"] = value.contiguous().clone()
        part = path.with_suffix(".part")
        save_file(tensors, part)
        part.replace(path)

    def load(self, path: Path) -> int:
        """Take up a state that `save` wrote; returns the number of epochs done."""
        tensors = load_file(path)
        for prefix, network in (("network", self.network), ("average", self.average)):
            start = f"{prefix}."
            network.load_state_dict(
                {n.removeprefix(start): v for n, v in tensors.items() if n.startswith(start)}
            )
        state: dict[int, dict[str, Tensor]] = {}
        parameters = list(self.network.parameters())
        for name, value in tensors.items():
            if name.startswith("optimiser."):
                _, index, field = name.split(".")
                state.setdefault(int(index), {})[field] = _laid_out_like(
                    parameters[int(index)], value
                )
        groups = self._optimiser.state_dict()["param_groups"]
        self._optimiser.load_state_dict({"state": state, "param_groups": groups})
        self._step = int(tensors["step"])
        return int(tensors["epoch"])


def _laid_out_like(parameter: Tensor, value: Tensor) -> Tensor:
    """The value in the memory layout of its parameter, as the fused optimiser needs it."""
    if value.shape != parameter.shape:
        return value  # the step count
    return torch.empty_like(parameter).copy_(value).detach()
