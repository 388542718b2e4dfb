"""Weights: from a model folder to a network that can predict, and back."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from engine.errors import ModelError
from engine.learning.models import WEIGHTS, ModelEntry, find_model
from engine.learning.recipe import Recipe
from engine.networks import NETWORKS, make_network
from engine.networks.blocks import fold_batch_norm, in_channels_last


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
    network = build_network(entry.recipe)
    load_weights(network, path)
    network.eval()
    fold_batch_norm(network)
    network.requires_grad_(False)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Model(entry, in_channels_last(network), digest)


def build_network(recipe: Recipe) -> nn.Module:
    """The network that a recipe names, with random weights.

    Raises:
        ModelError: No network has that name.
    """
    if recipe.network.name not in NETWORKS:
        raise ModelError(
            f"There is no network {recipe.network.name!r}.",
            hint=f"Networks are: {', '.join(NETWORKS)}.",
        )
    options = recipe.network.model_dump(exclude={"name", "classes"})
    return make_network(
        recipe.network.name, in_channels=1, classes=recipe.network.classes, **options
    )


def load_weights(network: nn.Module, path: Path) -> None:
    """Put the weights of a file into a network.

    Raises:
        ModelError: The file is damaged or was made by another network.
    """
    try:
        network.load_state_dict(load_file(path))
    except (SafetensorError, RuntimeError, OSError) as error:
        raise ModelError(
            f"The weights in {path} cannot be used: {str(error).splitlines()[0]}.",
            hint="The file is damaged or belongs to another recipe; train or install it again.",
        ) from error


def save_weights(network: nn.Module, path: Path) -> None:
    """Write the weights of a network, replacing the file at once."""
    tensors = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    part = path.with_suffix(".part")
    save_file(tensors, part)
    part.replace(path)
