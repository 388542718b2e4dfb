"""Grey values as a network gets them: equalised and scaled, on the grid they were acquired on."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.datasets.labelled import LabelledVolume
from engine.errors import ModelError
from engine.recipe import ImageRecipe, Recipe

if TYPE_CHECKING:
    from torch import Tensor

_CLIP_LIMIT = 0.01  # scikit-image's own


@dataclass(frozen=True, slots=True)
class Scale:
    """How grey values are scaled: `low` becomes 0 and `high` becomes 1.

    Attributes:
        low: Grey value.
        high: Grey value; a constant image has high = low and becomes 0.
        clip: Whether what lies beyond is cut off.
    """

    low: float
    high: float
    clip: bool = False

    def apply(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scale an array of any shape."""
        if self.high <= self.low:
            return np.zeros_like(values)
        scaled: NDArray[np.float32] = (values - self.low) / (self.high - self.low)
        return np.clip(scaled, 0, 1) if self.clip else scaled


def measure_scale(values: NDArray[np.generic], recipe: ImageRecipe) -> Scale:
    """Measure how an image is to be scaled; colours are scaled together.

    Args:
        values: Any shape; all of it is measured.
        recipe: `scale` and its percentiles.
    """
    if recipe.scale_over == "patch":
        return Scale(float(values.min()), float(values.max()))
    if recipe.scale == "percentile":
        cuts = (recipe.low_percentile, recipe.high_percentile)
        low, high = (float(v) for v in np.percentile(np.asarray(values, np.float32), cuts))
        return Scale(low, high, clip=True)
    if recipe.scale == "min_max":
        return Scale(float(values.min()), float(values.max()))
    if recipe.scale == "max":
        return Scale(0.0, float(values.max()))
    if recipe.scale == "z_score":
        mean = float(values.mean(dtype=np.float64))
        return Scale(mean, mean + float(values.std(dtype=np.float64)))
    return Scale(0.0, 255.0 if recipe.scale == "byte" else 1.0)


def equalise(image: NDArray[np.generic]) -> NDArray[np.float32]:
    """Contrast-limited adaptive histogram equalisation of each slice (Zuiderveld 1994).

    Args:
        image: (z, y, x), or (z, y, x, 3), whose brightness is equalised.

    Returns:
        The same shape, 0 to 1. A constant slice becomes 0.
    """
    from skimage.exposure import equalize_adapthist

    values = np.asarray(image, np.float32)
    equalised = np.zeros_like(values)
    for plane, result in zip(values, equalised, strict=True):
        low, high = float(plane.min()), float(plane.max())
        if high > low:
            result[:] = equalize_adapthist((plane - low) / (high - low), clip_limit=_CLIP_LIMIT)
    return equalised


def prepare_image(
    image: NDArray[np.generic], recipe: ImageRecipe, *, scale: Scale | None = None
) -> NDArray[np.float32]:
    """Equalise and scale an image on its own grid.

    Args:
        image: (z, y, x) or (z, y, x, 3).
        recipe: How.
        scale: Measured before, where `image` is only a part of a volume; else it is measured.

    Returns:
        The same shape.
    """
    values = equalise(image) if recipe.clahe else np.asarray(image, np.float32)
    if recipe.scale_over == "patch":  # scaled when it is cut; what lies beyond it is 0, the darkest
        return values - (scale or measure_scale(values, recipe)).low
    if recipe.scale_over == "slice":
        return np.stack([measure_scale(plane, recipe).apply(plane) for plane in values])
    return (scale or measure_scale(values, recipe)).apply(values)


def scale_patches(patches: "Tensor", recipe: ImageRecipe) -> "Tensor":
    """Scale each sample by itself where the recipe says `patch`; else they are left as they are.

    Args:
        patches: (n, c, y, x) or (n, c, z, y, x): the channels of a sample are scaled together.
        recipe: `scale_over`, `scale` and its percentiles.

    Returns:
        The same shape; a constant sample becomes 0.
    """
    if recipe.scale_over != "patch":
        return patches
    values = patches.flatten(1).float()
    if recipe.scale == "percentile":
        part = patches[..., ::2, ::2].flatten(1).float()  # a quarter of the pixels tells as well
        count = part.shape[1] - 1
        ordered = part.sort(dim=1).values
        low, high = (
            ordered[:, round(count * share / 100)]
            for share in (recipe.low_percentile, recipe.high_percentile)
        )
    elif recipe.scale == "z_score":
        low, high = values.mean(dim=1), values.mean(dim=1) + values.std(dim=1, correction=0)
    else:
        low, high = values.amin(dim=1), values.amax(dim=1)
    varied = high > low
    width = (high - low).where(varied, high.new_ones(()))
    scaled = (values - low[:, None]) / width[:, None] * varied[:, None]
    scaled = scaled.clamp(0, 1) if recipe.scale == "percentile" else scaled
    return scaled.reshape(patches.shape)


def prepare(volume: LabelledVolume, recipe: Recipe) -> NDArray[np.float32]:
    """Equalise and scale a labelled volume on its own grid; inference does the same.

    Returns:
        (z, y, x), or (z, y, x, 3) in colour.

    Raises:
        ModelError: Some of its voxels are not numbers.
    """
    check_numbers(volume)
    return prepare_image(volume.image, recipe.image)


def check_numbers(volume: LabelledVolume) -> None:
    """Refuse an image with voxels that are not numbers.

    Raises:
        ModelError: It has some.
    """
    if volume.image.dtype.kind == "f" and not np.isfinite(volume.image).all():
        bad = int(np.count_nonzero(~np.isfinite(volume.image)))
        raise ModelError(
            f"{bad} voxels of {volume.name} are not numbers (NaN or infinite).",
            hint="Check the program that wrote the image, or leave this patient out.",
        )
