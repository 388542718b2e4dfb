"""Models on disk: a folder with `weights.safetensors`, `recipe.toml`, `card.md`, `scores.json`.

Reading what a model says about itself needs no PyTorch.
"""

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from engine.errors import ModelError
from engine.recipe import Recipe, read_recipe
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
