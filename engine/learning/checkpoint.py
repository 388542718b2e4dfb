"""Models on disk: a folder with `weights.safetensors`, `recipe.toml`, `card.md`, `scores.json`."""

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from engine.errors import ModelError
from engine.learning.recipe import Recipe, read_recipe
from engine.networks import NETWORKS, make_network
from engine.networks.blocks import fold_batch_norm, in_channels_last
from resources import resource_path

WEIGHTS = "weights.safetensors"


@dataclass(frozen=True)
class ModelEntry:
    """A model that can be chosen, read from its folder without its weights."""

    name: str
    path: Path
    recipe: Recipe = field(repr=False)

    @property
    def title(self) -> str:
        """What the model is called in menus."""
        return self.recipe.title

    @property
    def licence(self) -> str:
        """Terms of the weights."""
        return self.recipe.licence

    @cached_property
    def card(self) -> str:
        """The model card, Markdown; empty where there is none."""
        path = self.path / "card.md"
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    @cached_property
    def scores(self) -> dict[str, Any]:
        """Scores on held-out patients; empty where there are none."""
        path = self.path / "scores.json"
        if not path.is_file():
            return {}
        scores: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return scores


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


def list_models() -> list[ModelEntry]:
    """The models that came with the program, the default one first."""
    folders = sorted(path.parent for path in resource_path("models").glob(f"*/{WEIGHTS}"))
    return [read_entry(folder) for folder in folders]


def read_entry(folder: Path) -> ModelEntry:
    """Read what a model folder says about itself.

    Raises:
        ModelError: The folder is no model.
    """
    if not (folder / WEIGHTS).is_file() or not (folder / "recipe.toml").is_file():
        raise ModelError(
            f"{folder} is not a model: it lacks {WEIGHTS} or recipe.toml.",
            hint="Choose a folder that `heartseg train` wrote, or a name from `heartseg models`.",
        )
    return ModelEntry(folder.name, folder, read_recipe(folder / "recipe.toml"))


def find_model(name: str | Path | None) -> ModelEntry:
    """Find a model by shipped name or by folder; None is the default one.

    Raises:
        ModelError: There is none.
    """
    models = list_models()
    if name is None:
        if not models:
            raise ModelError(
                "No model came with this installation.",
                hint="Install HeartSeg again, or give --model a folder with a trained model.",
            )
        return models[0]
    for entry in models:
        if entry.name == str(name):
            return entry
    if Path(name).is_dir():
        return read_entry(Path(name))
    known = ", ".join(entry.name for entry in models) or "none"
    raise ModelError(
        f"There is no model {str(name)!r}.",
        hint=f"Give a folder with a trained model, or one of: {known}.",
    )


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
