"""A recipe: everything that decides what a training run learns, in one TOML file."""

import tomllib
from pathlib import Path

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine.errors import ModelError
from resources import resource_path


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NetworkRecipe(_Part):
    """Which network, and how large."""

    name: str = "unet"
    widths: tuple[int, ...] = (16, 32, 64, 128, 256)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    classes: int = Field(default=4, ge=2)


class ImageRecipe(_Part):
    """What a slice looks like when the network sees it."""

    spacing_mm: float = Field(default=1.5, gt=0)
    patch: int = Field(default=160, ge=16)
    low_percentile: float = Field(default=1.0, ge=0, lt=50)
    high_percentile: float = Field(default=99.0, gt=50, le=100)


class AugmentationRecipe(_Part):
    """How far a training slice may be changed; each value is drawn anew for every slice."""

    any_orientation: bool = True  # the eight ways to turn and mirror a slice
    rotation_degrees: float = Field(default=30.0, ge=0)
    smallest_scale: float = Field(default=0.75, gt=0)
    largest_scale: float = Field(default=1.35, gt=0)
    shift_mm: float = Field(default=45.0, ge=0)
    gamma: float = Field(default=0.35, ge=0)  # exponent within exp(-gamma) ... exp(gamma)
    bias_field: float = Field(default=0.35, ge=0)
    contrast: float = Field(default=0.25, ge=0)
    noise: float = Field(default=0.06, ge=0)
    blur: float = Field(default=0.3, ge=0, le=1)  # chance of a loss of resolution


class TrainingRecipe(_Part):
    """How the weights are found."""

    epochs: int = Field(default=60, ge=1)
    batch: int = Field(default=8, ge=1)
    learning_rate: float = Field(default=2e-3, gt=0)
    weight_decay: float = Field(default=1e-4, ge=0)
    warm_up_steps: int = Field(default=100, ge=0)
    average: float = Field(default=0.998, ge=0, lt=1)  # decay of the running mean of weights
    seed: int = 1
    folds: int = Field(default=5, ge=2)
    fold: int = Field(default=0, ge=0)
    validate_every: int = Field(default=10, ge=1)
    cross_entropy_weight: float = Field(default=1.0, ge=0)
    dice_weight: float = Field(default=1.0, ge=0)


class Recipe(_Part):
    """One experiment. Equal recipe and equal data give an equal run; round-trips through TOML."""

    title: str
    description: str = ""
    licence: str = "unstated"
    limits: tuple[str, ...] = ()  # for the model card: where the model must not be trusted
    leave_out: tuple[str, ...] = ()  # patients never trained or validated on
    network: NetworkRecipe = NetworkRecipe()
    image: ImageRecipe = ImageRecipe()
    augmentation: AugmentationRecipe = AugmentationRecipe()
    training: TrainingRecipe = TrainingRecipe()

    def to_toml(self) -> str:
        """The recipe as a TOML text that `read_recipe` takes back."""
        return tomli_w.dumps(self.model_dump(mode="json"))


def read_recipe(source: str | Path) -> Recipe:
    """Read a recipe from a TOML file, or by name from `resources/recipes`.

    Raises:
        ModelError: No such recipe, or a field is wrong.
    """
    path = Path(source)
    if not path.is_file():
        path = resource_path("recipes", f"{source}.toml")
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in resource_path("recipes").glob("*.toml")))
        raise ModelError(
            f"There is no recipe {str(source)!r}.",
            hint=f"Give the path of a TOML file, or one of: {known}.",
        )
    try:
        return Recipe.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (ValidationError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ModelError(
            f"The recipe {path} is not valid: {_first_fault(error)}.",
            hint="Mend that field, or start from a recipe in resources/recipes.",
        ) from error


def _first_fault(error: Exception) -> str:
    if isinstance(error, ValidationError):
        fault = error.errors()[0]
        return f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"
    return str(error)
