"""Whether images can be shown to a network at all; told before anything is computed."""

import numpy as np

from engine.cine import Cine
from engine.errors import ModelError
from engine.recipe import Recipe

_THIN_MM, _MANY_SLICES = 3.0, 30  # short axes are 5 to 12 mm apart, and a dozen
_THICK_MM = 5.0  # volumes of the atria have slices of 0.6 to 3 mm
_LARGEST = 2048  # pixels a side that a network is shown; more than a body, and memory runs out


def refuse_unusable_images(cine: Cine, recipe: Recipe) -> None:
    """Refuse a cine that no labels can be expected of, whatever the network.

    Args:
        cine: The stack.
        recipe: Of the model; it says how large a pixel the network sees.

    Raises:
        ModelError: There is no image, some voxels are not numbers, or slices would be larger for
            the network than its memory allows, as where a wrong pixel size makes them metres wide.
    """
    if not cine.voxels.size:
        raise ModelError(
            f"The stack {cine.name} holds no image.", hint="Open a study that has one."
        )
    if cine.voxels.dtype.kind == "f" and not np.isfinite(cine.voxels).all():
        bad = int(np.count_nonzero(~np.isfinite(cine.voxels)))
        raise ModelError(
            f"{bad} voxels of {cine.name} are not numbers (NaN or infinite), so nothing can be "
            "predicted.",
            hint="Export the images again, or set these voxels to 0 in the program that made them.",
        )
    _refuse_size(cine, recipe)


def warn_of_other_view(cine: Cine, recipe: Recipe) -> tuple[str, ...]:
    """What to tell where a stack is cut unlike those that a model was made for.

    Args:
        cine: The stack.
        recipe: Of the model; its task says what it was made for.
    """
    apart_mm, count = cine.geometry.spacing_mm[0], cine.slice_count
    if recipe.task.name == "short_axis" and apart_mm <= _THIN_MM and count >= _MANY_SLICES:
        return (
            f"{cine.name} has {count} slices {apart_mm:.1f} mm apart, as volumes of the atria "
            "have; this model was made for short axes of the ventricles. Do not trust it here: "
            "choose a model of the left atrium.",
        )
    if recipe.task.name == "left_atrium" and apart_mm >= _THICK_MM:
        return (
            f"The slices of {cine.name} lie {apart_mm:.1f} mm apart, as those of a short axis; "
            "this model was made for volumes of the left atrium. Do not trust it here.",
        )
    return ()


def _refuse_size(cine: Cine, recipe: Recipe) -> None:
    image = recipe.image
    if image.fit == "resize":
        return  # the network sees the recipe's own size
    _, *sizes = cine.geometry.shape
    _, *spacing_mm = cine.geometry.spacing_mm
    shown = [
        round(size * mm / (image.spacing_mm or mm))
        for size, mm in zip(sizes, spacing_mm, strict=True)
    ]
    if max(shown) > _LARGEST:
        high, wide = (size * mm / 10 for size, mm in zip(sizes, spacing_mm, strict=True))
        raise ModelError(
            f"The slices of {cine.name} are {high:.0f} x {wide:.0f} cm large, {shown[0]} x "
            f"{shown[1]} pixels for the model; it can see {_LARGEST} x {_LARGEST}.",
            hint="Check the pixel size that the images give, or cut the images around the heart.",
        )
