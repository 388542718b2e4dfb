"""A recipe: everything that decides what a training run learns, in one TOML file."""

import math
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from engine.errors import ModelError
from engine.spelling import nearest
from engine.tasks import TASKS, Task
from engine.toml_faults import first_fault
from resources import resource_path


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NetworkRecipe(_Part):
    """Which network, and how large."""

    name: str = Field(default="unet", description="A name from `heartseg networks`.")
    classes: int = Field(
        default=4, ge=1, description="Output channels; 1 is one sigmoid, else softmax."
    )
    options: dict[str, Any] = Field(
        default_factory=dict, description="Options of this network, by name."
    )


class DataRecipe(_Part):
    """What one training sample is, and which are left out."""

    task: str = Field(default="short_axis", description="What is to be found.")
    sample: Literal["slice", "volume"] = Field(
        default="slice", description="2-D networks see slices, 3-D networks volumes."
    )
    neighbours: Literal[1, 3, 5] = Field(
        default=1, description="Adjacent slices given as channels; the middle one is labelled."
    )
    edge: Literal["replicate", "zero"] = Field(
        default="replicate", description="What stands beyond the first and the last slice."
    )
    phases: tuple[Literal["ED", "ES"], ...] = Field(
        default=(), description="Only these phases; empty is all that are labelled."
    )
    smallest_foreground: float = Field(
        default=0.0, ge=0, lt=1, description="Least share of labelled pixels, on the original grid."
    )
    drop_empty: bool = Field(default=False, description="Leave out slices without any label.")
    basal: Literal["all", "half", "full"] = Field(
        default="all",
        description="Least share of the LV's edge that has myocardium: all 0, half 0.5, full 0.99.",
    )

    phantoms: int = Field(
        default=0, ge=0, description="Generated hearts to train on besides; short axis only."
    )

    @field_validator("task")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if name not in TASKS:
            raise ValueError(f"there is no task {name!r}{nearest(name, TASKS)}")
        return name


class ImageRecipe(_Part):
    """What the network sees of an image."""

    spacing_mm: float | None = Field(
        default=None, gt=0, description="Pixel size in plane [mm]; left out: as acquired."
    )
    slice_spacing_mm: float | None = Field(
        default=None, gt=0, description="Slice distance of volumes [mm]; left out: as acquired."
    )
    fit: Literal["patch", "crop", "resize"] = Field(
        default="patch",
        description="patch: random cuts for training, whole slices later; crop: the middle, "
        "padded where the image is smaller; resize: the whole image, stretched.",
    )
    size: tuple[int, int] = Field(default=(160, 160), description="Height and width [pixels].")
    depth: int | None = Field(
        default=None, ge=1, description="Slices of a training volume; later any number."
    )
    scale: Literal["percentile", "min_max", "max", "z_score", "byte", "none"] = Field(
        default="percentile", description="How grey values are scaled; byte divides by 255."
    )
    scale_over: Literal["volume", "slice", "patch"] = Field(
        default="volume",
        description="What the scaling is measured on; patch: what the network sees at once, which "
        "no padding and nothing beyond it can change.",
    )
    low_percentile: float = Field(default=1.0, ge=0, lt=50, description="Becomes 0.")
    high_percentile: float = Field(default=99.0, gt=50, le=100, description="Becomes 1.")
    clahe: bool = Field(
        default=False,
        description="Contrast-limited adaptive histogram equalisation of each slice, first.",
    )

    @field_validator("size")
    @classmethod
    def _is_large_enough(cls, size: tuple[int, int]) -> tuple[int, int]:
        if min(size) < 16:
            raise ValueError("an image needs 16 pixels or more a side")
        return size


class AugmentationRecipe(_Part):
    """How far a training sample may be changed, drawn anew each time; everything off at first."""

    any_orientation: bool = Field(
        default=False, description="The eight ways to turn and mirror a slice."
    )
    flip: bool = Field(default=False, description="Mirror left and right, every second time.")
    rotation_degrees: float = Field(default=0.0, ge=0, le=180)
    smallest_scale: float = Field(default=1.0, gt=0)
    largest_scale: float = Field(default=1.0, gt=0)
    shift_mm: float = Field(
        default=0.0, ge=0, description="For `patch` images [mm]; else use shift."
    )
    shift: float = Field(default=0.0, ge=0, lt=1, description="Share of the image's size.")
    shear_degrees: float = Field(default=0.0, ge=0, lt=90)
    elastic: float = Field(
        default=0.0, ge=0, description="Size of smooth random displacements [pixels]."
    )
    grid_distortion: float = Field(
        default=0.0, ge=0, lt=1, description="How far the cells of a coarse grid are squeezed."
    )
    gamma: float = Field(default=0.0, ge=0, description="Exponent within exp(-gamma)..exp(gamma).")
    bias_field: float = Field(default=0.0, ge=0)
    contrast: float = Field(default=0.0, ge=0)
    noise: float = Field(default=0.0, ge=0)
    blur: float = Field(default=0.0, ge=0, le=1, description="Chance of a loss of resolution.")
    blur_pixels: tuple[float, float] = Field(
        default=(0.5, 1.5), description="Sigma of the blur, least and most [pixels]."
    )


class LossRecipe(_Part):
    """What is minimised."""

    sum: str = Field(
        default="1.0 * partial_ce + 1.0 * partial_dice",
        description='Weighted terms, e.g. "1.0 * weighted_ce + 0.2 * pooled_dice".',
    )
    class_weights: (
        Literal["none", "inverse_frequency", "median_frequency", "median_count"] | tuple[float, ...]
    ) = Field(default="none", description="Measured on the training patients, or given.")
    options: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="Options of single terms, by term."
    )


class SplitRecipe(_Part):
    """Who is trained on, who decides when to stop, and who is only ever scored."""

    kind: Literal["folds", "fractions"] = "folds"
    folds: int = Field(default=5, ge=2)
    fold: int = Field(default=0, ge=0, description="The fold that is held out.")
    fractions: tuple[float, float, float] = Field(
        default=(0.8, 0.1, 0.1), description="Training, validation, test; together 1."
    )
    unit: Literal["patient", "slice"] = Field(
        default="patient",
        description="slice leaks patients into the test set; only to repeat a published split.",
    )
    stratify: Literal["group", "dominant_class", "none"] = "group"
    validation: Literal["none", "held_out"] = Field(
        default="none",
        description="With folds: whether the held-out fold also chooses the best epoch, "
        "as many papers do; its scores are then a little too good.",
    )
    seed: int = 1
    leave_out: tuple[str, ...] = Field(
        default=(), description="Patients never trained on, validated or scored."
    )

    @field_validator("fractions")
    @classmethod
    def _are_shares(cls, shares: tuple[float, float, float]) -> tuple[float, float, float]:
        if min(shares) < 0 or shares[0] == 0 or not math.isclose(sum(shares), 1, abs_tol=0.011):
            raise ValueError("shares are 0 or more, add up to 1, and leave somebody to train on")
        return shares


class TrainingRecipe(_Part):
    """How the weights are found."""

    epochs: int = Field(default=60, ge=1)
    batch: int = Field(default=8, ge=1)
    accumulate: int = Field(default=1, ge=1, description="Batches summed before a step.")
    optimiser: Literal["adamw", "adam", "sgd"] = "adamw"
    learning_rate: float = Field(default=2e-3, gt=0)
    momentum: float = Field(default=0.9, ge=0, lt=1, description="Of SGD.")
    epsilon: float = Field(default=1e-8, gt=0, description="Of Adam.")
    weight_decay: float = Field(default=0.0, ge=0)
    clip_gradient: float = Field(default=0.0, ge=0, description="Largest gradient norm; 0 is off.")
    schedule: Literal["cosine", "step", "plateau", "constant"] = "cosine"
    warm_up_steps: int = Field(default=0, ge=0)
    step_epochs: int = Field(default=30, ge=1, description="Of the step schedule.")
    factor: float = Field(default=0.1, gt=0, lt=1, description="Of the step and plateau schedules.")
    patience: int = Field(default=10, ge=1, description="Of the plateau schedule, as in Keras.")
    smallest_change: float = Field(default=1e-4, ge=0, description="That counts as better.")
    smallest_rate: float = Field(default=0.0, ge=0, description="The schedule stops here.")
    early_stopping: int = Field(
        default=0, ge=0, description="Epochs without improvement, as in Keras; 0 is off."
    )
    keep: Literal["last", "best"] = Field(
        default="last", description="Which weights become the model."
    )
    monitor: Literal["val_loss", "val_dice", "val_iou"] = "val_loss"
    average: float = Field(
        default=0.0, ge=0, lt=1, description="Decay of the running mean of weights; 0 is off."
    )
    precision: Literal["auto", "32", "bf16"] = Field(
        default="32", description="auto takes bf16 where the device gains from it."
    )
    seed: int = 1
    start: str = Field(
        default="",
        description="Model whose weights the training starts from: a name or a folder; else "
        "weights are drawn at random.",
    )
    start_hash: str = Field(
        default="", description="SHA-256 of those weights; another file is refused."
    )


class ScoringRecipe(_Part):
    """How the model is judged, and what is done to its labels first."""

    clean_up: Literal["heart", "largest", "none"] = Field(
        default="none", description="heart: one piece around the LV; largest: one piece a class."
    )
    threshold: float = Field(default=0.5, gt=0, lt=1, description="Of a sigmoid network.")
    limits_factor: float = Field(
        default=1.96, gt=0, description="Standard deviations of the limits of agreement."
    )


class Recipe(_Part):
    """One experiment. Equal recipe and equal data give an equal run; round-trips through TOML."""

    title: str
    description: str = ""
    paper: str = Field(default="", description="Row of resources/published.toml to be set beside.")
    licence: str = Field(default="unstated", description="Terms of the trained weights.")
    limits: tuple[str, ...] = Field(
        default=(), description="For the model card: where the model must not be trusted."
    )
    network: NetworkRecipe = NetworkRecipe()
    data: DataRecipe = DataRecipe()
    image: ImageRecipe = ImageRecipe()
    augmentation: AugmentationRecipe = AugmentationRecipe()
    loss: LossRecipe = LossRecipe()
    split: SplitRecipe = SplitRecipe()
    training: TrainingRecipe = TrainingRecipe()
    scoring: ScoringRecipe = ScoringRecipe()

    @property
    def task(self) -> Task:
        """What is to be found."""
        return TASKS[self.data.task]

    @property
    def in_channels(self) -> int:
        """Channels of a sample: neighbouring slices times colours."""
        return self.data.neighbours * self.task.colours

    @model_validator(mode="after")
    def _fits_together(self) -> "Recipe":
        classes = len(self.task.classes)
        if self.network.classes != classes and not (self.network.classes == 1 and classes == 2):
            raise ValueError(
                f"network.classes is {self.network.classes}, but {self.data.task} has "
                f"{classes} classes"
            )
        if self.data.sample == "volume" and self.data.neighbours != 1:
            raise ValueError("data.neighbours must be 1 where samples are volumes")
        if self.split.kind == "folds" and self.split.fold >= self.split.folds:
            raise ValueError(f"split.fold is {self.split.fold}; folds count from 0")
        if self.training.keep == "best" and not self.validates:
            raise ValueError("training.keep is best, but the split has nobody for validation")
        return self

    @property
    def validates(self) -> bool:
        """Whether a validation set is scored after every epoch."""
        if self.split.kind == "folds":
            return self.split.validation != "none"
        return self.split.fractions[1] > 0

    def deciding(self) -> dict[str, Any]:
        """What decides how a training goes and how it is scored: all but the recipe's words."""
        return self.model_dump(
            mode="json", exclude={"title", "description", "paper", "licence", "limits"}
        )

    def to_toml(self) -> str:
        """The recipe as a TOML text that `read_recipe` takes back."""
        return tomli_w.dumps(self.model_dump(mode="json", exclude_none=True))


def list_recipes() -> list[str]:
    """Names of the recipes that came with the program."""
    return sorted(path.stem for path in resource_path("recipes").glob("*.toml"))


def read_recipe(source: str | Path) -> Recipe:
    """Read a recipe from a TOML file, or by name from `resources/recipes`.

    Raises:
        ModelError: No such recipe, it cannot be read, or a field is wrong.
    """
    try:
        path = _find_recipe(source)
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"The recipe {source} cannot be read: {error.strerror or error}.",
            hint="Check the permissions of the file and of the folder that it lies in.",
        ) from error
    try:
        return Recipe.model_validate(tomllib.loads(content.decode("utf-8")))
    except (ValidationError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ModelError(
            f"The recipe {path} is not valid: {first_fault(error, Recipe)}.",
            hint="Mend that field, or start from a recipe in resources/recipes.",
        ) from error


def _find_recipe(source: str | Path) -> Path:
    if Path(source).is_file():
        return Path(source)
    path = resource_path("recipes", f"{source}.toml")
    if not path.is_file():
        known = list_recipes()
        raise ModelError(
            f"There is no recipe {str(source)!r}{nearest(str(source), known)}.",
            hint=f"Give the path of a TOML file, or one of: {', '.join(known)}.",
        )
    return path


def change_recipe(recipe: Recipe, changes: Mapping[str, Any]) -> Recipe:
    """A copy with fields changed, by their dotted names, e.g. `training.batch`, and checked.

    Raises:
        ModelError: There is no such field, or a value does not fit.
    """
    content = recipe.model_dump()
    for name, value in changes.items():
        *sections, last = name.split(".")
        part = content
        for section in sections:
            part = part.setdefault(section, {})
            if not isinstance(part, dict):
                raise ModelError(
                    f"The recipe has no field {name}.", hint=f"{section} has no fields of its own."
                )
        part[last] = value
    try:
        return Recipe.model_validate(content)
    except ValidationError as error:
        raise ModelError(
            f"The recipe cannot be changed so: {first_fault(error, Recipe)}.",
            hint="Name the field as in recipe.toml, with a value of its kind.",
        ) from error
