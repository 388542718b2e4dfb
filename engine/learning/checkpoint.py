"""Weights: from a model folder to a network that can predict, and back."""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from engine.errors import CannotSaveError, ModelError
from engine.learning.models import WEIGHTS, ModelEntry, find_model
from engine.networks import START_OPTIONS, make_network
from engine.networks.blocks import fold_batch_norm, in_channels_last
from engine.networks.network import Network
from engine.recipe import Recipe

_NOTES = "heartseg"


@dataclass(frozen=True, eq=False)
class Model:
    """A network with its weights, ready to predict.

    Attributes:
        entry: Where it came from.
        network: In evaluation mode, on the CPU, normalisation folded.
        hash: SHA-256 of the weight file.
    """

    entry: ModelEntry
    network: nn.Module = field(repr=False)
    hash: str

    @property
    def recipe(self) -> Recipe:
        """The recipe that made it."""
        return self.entry.recipe


def load_model(name: str | Path | None = None) -> Model:
    """Load a model with its weights.

    Raises:
        ModelError: There is none, or its weights are damaged or of another network.
    """
    entry = find_model(name)
    path = entry.path / WEIGHTS
    network = build_network(entry.recipe, start=False)
    load_weights(network, path)
    network.eval()
    fold_batch_norm(network)
    network.requires_grad_(False)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Model(entry, in_channels_last(network), digest)


def build_network(recipe: Recipe, *, start: bool = True) -> Network:
    """The network that a recipe names, with random weights or those it says to start from.

    Args:
        recipe: Its network, classes and channels.
        start: Whether weights that training starts from are looked for.

    Raises:
        ModelError: No network has that name, an option is wrong, or its dimensions are not
            those of the recipe's samples.
    """
    options = {
        name: value
        for name, value in recipe.network.options.items()
        if start or name not in START_OPTIONS
    }
    network = make_network(
        recipe.network.name,
        in_channels=recipe.in_channels,
        classes=recipe.network.classes,
        **options,
    )
    wanted = 3 if recipe.data.sample == "volume" else 2
    if network.dimensions != wanted:
        raise ModelError(
            f"The network {recipe.network.name!r} sees {network.dimensions} dimensions, but a "
            f"sample is a {recipe.data.sample}.",
            hint="Set data.sample to slice for 2-D networks and to volume for 3-D networks.",
        )
    return network


def load_weights(network: nn.Module, path: Path) -> None:
    """Put the weights of a file into a network.

    Raises:
        ModelError: The file is damaged or was made by another network.
    """
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise ModelError(
            f"The weights in {path} cannot be used: {str(error).splitlines()[0]}.",
            hint="The file is damaged; train or install the model again.",
        ) from error
    if misfit := _first_misfit(network, tensors):
        raise ModelError(
            f"The weights in {path} cannot be used: {misfit}.",
            hint="They belong to another recipe than the recipe.toml beside them.",
        )
    network.load_state_dict(tensors)


def _first_misfit(network: nn.Module, tensors: Mapping[str, Tensor]) -> str:
    """The first difference between a network and tensors, in words; empty where they fit."""
    wanted = network.state_dict()
    for name, value in wanted.items():
        if name not in tensors:
            return f"{name} is missing"
        if tensors[name].shape != value.shape:
            shapes = f"{tuple(tensors[name].shape)}, not {tuple(value.shape)}"
            return f"{name} has the shape {shapes}"
    extra = next((name for name in tensors if name not in wanted), None)
    return f"the network has no {extra}" if extra else ""


def save_weights(network: nn.Module, path: Path) -> None:
    """Write the weights of a network, replacing the file at once.

    Raises:
        CannotSaveError: They cannot be written; what was there before is untouched.
    """
    save_tensors(network.state_dict(), path)


def save_tensors(
    tensors: Mapping[str, Tensor], path: Path, notes: Mapping[str, Any] | None = None
) -> None:
    """Write tensors, and notes as JSON in the same file, replacing the file at once.

    Raises:
        CannotSaveError: They cannot be written; what was there before is untouched.
    """
    part = path.with_name(f".{path.name}.{uuid4().hex[:8]}.part")
    plain = {name: value.contiguous() for name, value in tensors.items()}
    metadata = {} if notes is None else {_NOTES: json.dumps(notes, allow_nan=False)}
    try:
        part.touch()
        mode = part.stat().st_mode
        save_file(plain, part, metadata or None)
        part.chmod(mode)  # the writer's own is for its user alone
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(path)
    except (OSError, SafetensorError) as error:
        raise CannotSaveError(
            f"{path.name} could not be written: {_reason(error)}.",
            hint=f"Make room in {path.parent} or choose another folder; what was saved before "
            "is still there.",
        ) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if number := re.search(r"os error (\d+)", str(error)):  # the writer is not Python
        return os.strerror(int(number.group(1)))
    return str(error).splitlines()[0]


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what `save_tensors` wrote: the tensors and the notes.

    Raises:
        ModelError: The file is damaged.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
        notes: dict[str, Any] = json.loads(metadata[_NOTES])
        return load_file(path), notes
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise ModelError(
            f"{path} is damaged and cannot be read.",
            hint="Delete it and start the training again in another folder.",
        ) from error
