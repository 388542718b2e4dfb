"""Weights: from a model folder to a network that can predict, and back."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load, load_file, save_file
from torch import Tensor, nn

from engine.errors import CannotSaveError, ModelError
from engine.io.atomic_file import part_beside
from engine.learning.checksums import check_content, check_file, unreadable
from engine.learning.models import ONNX_NETWORK, ModelEntry, find_model
from engine.learning.weight_fit import misfit_of
from engine.networks import START_OPTIONS, make_network
from engine.networks.blocks import fold_batch_norm, in_channels_last
from engine.networks.network import Network
from engine.recipe import Recipe
from engine.study import Origin, Provenance

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

    @property
    def provenance(self) -> Provenance:
        """What labels that it predicts say about where they come from."""
        name, licence = self.entry.name, self.entry.licence
        return Provenance(Origin.PREDICTED, name, self.hash, model_licence=licence)


def load_model(name: str | Path | None = None) -> Model:
    """Load a model with its weights.

    Args:
        name: A name from `list_models`, a model folder, or None for the default model.

    Raises:
        ModelError: There is none, its weights are damaged, of another network or not those of its
            checksum, or a network of others does not keep the contract of docs/models.md.
    """
    entry = find_model(name)
    path = entry.network_file
    try:
        content = path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from error
    digest = check_content(content, path)
    if entry.recipe.network.name == ONNX_NETWORK:
        from engine.learning.onnx_network import OnnxNetwork

        return Model(entry, OnnxNetwork(content, entry.recipe, path), digest)
    network = build_network(entry.recipe, start=False)
    put_weights(network, content, path)
    network.eval()
    fold_batch_norm(network)
    network.requires_grad_(False)
    return Model(entry, in_channels_last(network), digest)


def check_model(entry: ModelEntry) -> str:
    """Look whether a model could be loaded, without loading it.

    Returns:
        The SHA-256 of its weights.

    Raises:
        ModelError: It could not; see `load_model`.
    """
    path = entry.network_file
    if entry.recipe.network.name == ONNX_NETWORK:
        load_model(entry.path)  # the contract is only seen by running it
        return check_file(path)
    digest = check_file(path)
    try:
        with safe_open(path, framework="pt") as file:
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118  (it is no mapping)
    except (SafetensorError, OSError, ValueError) as error:
        raise _unusable(path) from error
    with torch.device("meta"):
        network = build_network(entry.recipe, start=False)
    refuse_misfit(network, shapes, path)
    return digest


def build_network(recipe: Recipe, *, start: bool = True) -> Network:
    """The network that a recipe names, with random weights or those it says to start from.

    Args:
        recipe: Its network, classes and channels.
        start: Whether weights that training starts from are looked for.

    Raises:
        ModelError: No network has that name, an option is wrong, its dimensions are not those of
            the recipe's samples, or it is a network of others, which cannot be built.
    """
    if recipe.network.name == ONNX_NETWORK:
        raise ModelError(
            'A network of others (network.name = "onnx") can predict, but not be trained.',
            hint="Name one of `heartseg networks` in the recipe.",
        )
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


def put_weights(network: nn.Module, content: bytes, path: Path) -> None:
    """Put weights into a network.

    Args:
        network: What its recipe says.
        content: A safetensors file.
        path: Where it was read from, for what is said about it.

    Raises:
        ModelError: The content is damaged, was made by another network, or holds NaN.
    """
    try:
        tensors = load(content)
    except (SafetensorError, KeyError, ValueError, RuntimeError) as error:
        raise _unusable(path) from error
    shapes = {name: tuple(value.shape) for name, value in tensors.items()}
    refuse_misfit(network, shapes, path)
    for name, value in tensors.items():
        if not value.isfinite().all():
            raise ModelError(
                f"The weights in {path} cannot be used: {name} holds values that are no numbers.",
                hint="The training went wrong or the file is damaged; train or install it again.",
            )
    network.load_state_dict(tensors)


def refuse_misfit(network: nn.Module, shapes: Mapping[str, tuple[int, ...]], path: Path) -> None:
    """Refuse weights that do not fit a network.

    Args:
        network: What the recipe says; on any device, `meta` included.
        shapes: Of every tensor in the file.
        path: The file.

    Raises:
        ModelError: They do not fit.
    """
    wanted = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    if misfit := misfit_of(wanted, shapes):
        raise ModelError(
            f"The weights in {path} cannot be used: {misfit}.",
            hint="They belong to another recipe than the recipe.toml beside them.",
        )


def _unusable(path: Path) -> ModelError:
    """What is wrong with a file that is no safetensors file, as far as its beginning tells."""
    try:
        with path.open("rb") as file:
            start = file.read(2)
    except OSError:
        start = b""
    if start in (b"PK", b"\x80\x02"):  # a zip archive, or a bare pickle
        why = "it is a PyTorch or pickle file under another name, which is never read"
    else:
        why = "the file is damaged or cut short"
    return ModelError(
        f"The weights in {path} cannot be used: {why}.",
        hint="Copy or install the model again, or train it anew.",
    )


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
    plain = {name: value.contiguous() for name, value in tensors.items()}
    metadata = {} if notes is None else {_NOTES: json.dumps(notes, allow_nan=False)}
    try:
        with part_beside(path) as part:
            part.touch()
            mode = part.stat().st_mode
            save_file(plain, part, metadata or None)
            part.chmod(mode)  # the writer's own is for its user alone
    except (OSError, SafetensorError) as error:
        raise CannotSaveError(
            f"{path.name} could not be written: {_reason(error)}.",
            hint=f"Make room in {path.parent} or choose another folder; what was saved before "
            "is still there.",
        ) from error


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
