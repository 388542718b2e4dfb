"""Models on disk: where they lie, what they are called, what they say about themselves.

A model is a folder with `weights.safetensors` (or a `network.onnx` of others) and the
`recipe.toml` that it belongs to; `card.md`, `scores.json` and `SHA256SUMS` may lie beside them.
Those that came with the program lie in `resources/models`, the user's own in `user_models_folder`.
Reading what a model says about itself needs no PyTorch. docs/models.md is for those who make one.
"""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from engine.errors import ModelError
from engine.learning.model_scores import headline, read_scores
from engine.learning.own_models import noted_model
from engine.learning.own_models import user_models_folder as user_models_folder
from engine.recipe import Recipe, read_recipe
from resources import resource_path

WEIGHTS = "weights.safetensors"
RECIPE = "recipe.toml"
SPLIT = "split.json"  # of a run: whom it trained on, validated with and held out
CHECKSUMS = "SHA256SUMS"
ONNX_FILE = "network.onnx"
ONNX_NETWORK = "onnx"
"""`network.name` of a recipe beside an `ONNX_FILE`."""
DEFAULT_MODEL = "shortaxis-unet"
"""The shipped model that predicts where none is named; the first one where it is missing."""
USER_PREFIX = "user/"
"""Before the name of a model in the user's folder, which then never means a shipped one."""

_PICKLED = frozenset({".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".ts", ".torchscript", ".pt2"})
_LONGEST_CARD = 200_000  # bytes; more is no card
_NOT_FOR_COMMERCE = re.compile(r"\bNC\b|non-?commercial|research (use )?only", re.IGNORECASE)

Origin = Literal["shipped", "user", "folder"]


@dataclass(frozen=True)
class ModelEntry:
    """A model that can be chosen, read from its folder without its weights.

    Attributes:
        name: What reports and lists call it.
        path: Its folder.
        recipe: What made it.
    """

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

    @property
    def noncommercial(self) -> bool:
        """Whether the terms of the weights rule out commercial use."""
        return _NOT_FOR_COMMERCE.search(self.licence) is not None

    @property
    def network_file(self) -> Path:
        """The file that holds its weights."""
        onnx = self.recipe.network.name == ONNX_NETWORK
        return self.path / (ONNX_FILE if onnx else WEIGHTS)

    @property
    def stamp(self) -> tuple[tuple[int, int], ...]:
        """Changes when a file changes that decides what the model answers."""
        return tuple(
            (facts.st_mtime_ns, facts.st_size)
            for path in (self.network_file, self.path / RECIPE, self.path / CHECKSUMS)
            if (facts := _facts(path)) is not None
        )

    @cached_property
    def card(self) -> str:
        """The model card, Markdown; empty where there is none."""
        return read_card(self.path)

    @cached_property
    def scores(self) -> dict[str, Any]:
        """Scores on patients it was not trained on; empty where there are none."""
        return read_scores(self.path)

    @property
    def headline(self) -> str:
        """Its scores in one line; empty where there are none."""
        return headline(self.scores)


@dataclass(frozen=True, slots=True)
class ModelPlace:
    """Where a model lies, whatever it is worth.

    Attributes:
        name: What lists call it.
        path: A folder; or a file that was put where a model's folder belongs.
        origin: Whether it came with the program, lies in the user's folder, or elsewhere.
    """

    name: str
    path: Path
    origin: Origin

    @property
    def key(self) -> str:
        """What finds this model and no other, also after others were added."""
        if self.origin == "shipped":
            return self.path.name
        return USER_PREFIX + self.path.name if self.origin == "user" else str(self.path)


def model_places() -> list[ModelPlace]:
    """Every place where a model lies or should lie: shipped, the default first, then the user's.

    A model of the user that has the name of a shipped one is called `user/NAME`, and so is found
    beside it; the plain name always means the shipped one. Where a model was made the active one,
    it is the default and so the first, whether it lies here, elsewhere, or is gone.
    """
    folders = (path for path in resource_path("models").iterdir() if (path / RECIPE).is_file())
    shipped = sorted(folders, key=lambda path: (path.name != DEFAULT_MODEL, path.name))
    places = [ModelPlace(path.name, path, "shipped") for path in shipped]
    taken = {path.name for path in shipped}
    for path in _user_paths():
        name = USER_PREFIX + path.name if path.name in taken else path.name
        places.append(ModelPlace(name, path, "user"))
    noted = noted_model()
    return places if noted is None else _with_first(places, noted)


def _with_first(places: list[ModelPlace], noted: str) -> list[ModelPlace]:
    """The places, that of the active model first; added where it is not among them."""
    known = (place for place in places if noted in (place.name, place.key, str(place.path)))
    active = next(known, None)
    if active is None and noted.startswith(USER_PREFIX):  # it was removed from the user's folder
        active = ModelPlace(noted, user_models_folder() / noted.removeprefix(USER_PREFIX), "user")
    elif active is None:
        path, names = Path(noted), {place.name for place in places}
        active = ModelPlace(noted if path.name in names else path.name, path, "folder")
    return [active, *(place for place in places if place != active)]


def _user_paths() -> Iterator[Path]:
    """What lies in the user's folder; the folder itself where it cannot be looked through."""
    root = user_models_folder()
    try:
        if not root.exists():
            return
        paths = sorted(path for path in root.iterdir() if not path.name.startswith("."))
    except OSError:
        yield root
        return
    for path in paths:
        if path.is_dir() or is_pickled(path) or path.suffix in {".onnx", ".safetensors"}:
            yield path


def default_place() -> ModelPlace | None:
    """Where the model lies that predicts where none is named; None where there is none."""
    return _default_of(model_places())


def _default_of(places: Sequence[ModelPlace]) -> ModelPlace | None:
    """The first place, unless it is of the user and was not made the active one."""
    first = next(iter(places), None)
    return first if first and (first.origin == "shipped" or noted_model()) else None


def list_models() -> list[ModelEntry]:
    """The models that can be chosen, the default one first; their weights are not looked at."""
    entries = []
    for place in model_places():
        try:
            entries.append(read_entry(place.path, place))
        except ModelError:
            continue  # `survey_models` lists it with the reason
    return entries


def read_entry(path: Path, place: ModelPlace | None = None) -> ModelEntry:
    """Read what a model folder says about itself.

    Args:
        path: The folder.
        place: Where it was found, if it was listed.

    Raises:
        ModelError: The folder is no model.
    """
    place = place or ModelPlace(path.name or str(path), path, "folder")
    try:
        _refuse_file(path)
        names = {each.name for each in path.iterdir()}
        _refuse_without_weights(path, names)
        entry = ModelEntry(place.name, path, read_recipe(path / RECIPE))
    except OSError as error:
        raise ModelError(
            f"{path} cannot be read: {error.strerror or error}.",
            hint="Check that it is a folder that you may read.",
        ) from error
    except RecursionError as error:
        raise ModelError(
            f"The recipe {path / RECIPE} is nested too deeply to be one.",
            hint="Put the recipe there that the weights were trained by.",
        ) from error
    _refuse_other_weights(entry, names)
    return entry


def _refuse_file(path: Path) -> None:
    if is_pickled(path):
        refuse_pickled(path)
    if path.is_file():
        raise ModelError(
            f"{path} is a file; a model is a folder.",
            hint=f"Make a folder of the model's name, and put the file and its {RECIPE} there, "
            f"the file as {WEIGHTS} or {ONNX_FILE}.",
        )


def _refuse_without_weights(path: Path, names: set[str]) -> None:
    if not {WEIGHTS, ONNX_FILE} & names:
        for name in sorted(names):
            if is_pickled(Path(name)):
                refuse_pickled(path / name)
        raise ModelError(
            f"{path} is not a model: it holds neither {WEIGHTS} nor {ONNX_FILE}.",
            hint="Choose a folder that `heartseg train` wrote, or a name from `heartseg models`.",
        )
    if RECIPE not in names:
        raise ModelError(
            f"{path} is not a model: it lacks {RECIPE}.",
            hint="Put the recipe there that the weights were trained by; docs/models.md says "
            "what it must hold.",
        )


def _refuse_other_weights(entry: ModelEntry, names: set[str]) -> None:
    wanted = entry.network_file.name
    if wanted in names:
        return
    there = ONNX_FILE if wanted == WEIGHTS else WEIGHTS
    right = f'"{ONNX_NETWORK}"' if there == ONNX_FILE else "the network that was trained"
    raise ModelError(
        f"{entry.path} holds {there}, but its recipe names the network "
        f"{entry.recipe.network.name!r}, whose weights lie in {wanted}.",
        hint=f"Set network.name in {RECIPE} to {right}, or put {wanted} there.",
    )


def is_pickled(path: Path) -> bool:
    """Whether a file's name says that reading it could run code: pickles and TorchScript."""
    return path.suffix.lower() in _PICKLED


def refuse_pickled(path: Path) -> None:
    """Say why such a file is never read, and what to do instead.

    Raises:
        ModelError: Always.
    """
    raise ModelError(
        f"{path} is a pickled or TorchScript file: reading one can run any program that was "
        "hidden in it, so HeartSeg never does.",
        hint=f"Where it was made, write the network with torch.onnx.export as {ONNX_FILE}, or "
        f"its state_dict with safetensors.torch.save_file as {WEIGHTS}; docs/models.md shows how.",
    )


def find_model(name: str | Path | None) -> ModelEntry:
    """Find a model by name or by folder; None is the active one, by default the shipped one.

    A plain name means the shipped model if there is one, else the user's; `user/NAME` always
    means the user's.

    Raises:
        ModelError: There is none, or it cannot be used.
    """
    places = model_places()
    if name is None:
        return _read_active(places)
    wanted = str(name)
    for place in places:
        if wanted in (place.name, place.key):
            return read_entry(place.path, place)
    if Path(name).exists():
        return read_entry(Path(name))
    known = ", ".join(entry.name for entry in list_models()) or "none"
    raise ModelError(
        f"There is no model {wanted!r}.",
        hint=f"Give a folder with a trained model, or one of: {known}.",
    )


def _read_active(places: Sequence[ModelPlace]) -> ModelEntry:
    """The first place: what is noted as active, else the shipped default."""
    first, noted = _default_of(places), noted_model()
    if first is None:
        raise ModelError(
            "No model came with this installation.",
            hint="Install HeartSeg again, or give --model a folder with a trained model.",
        )
    if noted is not None and not first.path.exists():
        raise ModelError(
            f"The active model is gone: {first.path} is not there any more.",
            hint="Put it back, or choose another one: `heartseg models --use NAME`.",
        )
    return read_entry(first.path, first)


def _facts(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def read_card(folder: Path) -> str:
    """The card in a model folder, Markdown; empty where there is none that can be read."""
    try:
        with (folder / "card.md").open("rb") as file:
            return file.read(_LONGEST_CARD).decode("utf-8", errors="replace")
    except OSError:
        return ""
