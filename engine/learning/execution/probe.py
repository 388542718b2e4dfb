"""Images of a generated heart as a network gets them, and what runtimes make of them."""

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from engine.datasets.intensity import prepare_image, scale_patches
from engine.datasets.neighbours import stack_neighbours
from engine.datasets.phantom import make_phantom
from engine.recipe import Recipe

_SEED, _PHASES, _SLICES = 3, 4, 6  # of the phantom; as few as it can have
_DRAWN, _SIDE = 128, 128  # pixels a side: as drawn with 2.9 mm, and shown with 1.45 mm


def heart_images(recipe: Recipe, *, stride: int) -> Tensor:
    """A phantom heart at end-diastole and end-systole, made ready as a recipe says.

    Args:
        recipe: What the network was trained by.
        stride: Of the network.

    Returns:
        (8, c, y, x) for a network of slices, (2, c, 6, y, x) for one of volumes; y = x = 128,
        or the next multiple of the stride. float32.
    """
    phantom = make_phantom(_SEED, phases=_PHASES, slices=_SLICES, shape_yx=(_DRAWN, _DRAWN))
    side = math.ceil(_SIDE / stride) * stride
    shown = []
    for phase in (phantom.ed_phase, phantom.es_phase):
        image = phantom.cine.voxels[phase]
        if recipe.task.colours == 3:
            image = np.repeat(image[..., None], 3, axis=3)
        prepared = prepare_image(image, recipe.image)
        volume = recipe.data.sample == "volume"
        wanted = range(_SLICES) if volume else range(1, _SLICES - 1)
        neighbours = 1 if volume else recipe.data.neighbours
        stacked = stack_neighbours(prepared, wanted, count=neighbours, edge=recipe.data.edge)
        planes = _magnify(torch.from_numpy(stacked), side)  # (n, c, y, x)
        shown.append(planes.transpose(0, 1)[None] if volume else planes)
    return scale_patches(torch.cat(shown), recipe.image).contiguous()


def _magnify(planes: Tensor, side: int) -> Tensor:
    """The middle of slices (n, c, y, x) with twice as many pixels a millimetre."""
    larger = interpolate(planes, scale_factor=2.0, mode="bilinear", align_corners=False)
    first = (larger.shape[-1] - side) // 2
    return larger[..., first : first + side, first : first + side]


def labels_of(logits: Tensor, recipe: Recipe) -> Tensor:
    """The likeliest class of each pixel: (n, k, ...) -> (n, ...), 0 being background."""
    if logits.shape[1] > 1:
        return logits.argmax(dim=1).cpu()
    threshold = recipe.scoring.threshold
    return (logits[:, 0] >= math.log(threshold / (1 - threshold))).long().cpu()


def differing_percent(logits: Tensor, reference: Tensor, recipe: Recipe) -> float:
    """Labels that differ from those of a reference, of 100 of its heart voxels.

    Args:
        logits: (n, k, ...); where one is no number, all labels count as wrong.
        reference: Logits of the same shape.
        recipe: What the network was trained by.
    """
    if not bool(torch.isfinite(logits).all()):
        return 100.0
    labels, wanted = labels_of(logits, recipe), labels_of(reference, recipe)
    wrong = int((labels != wanted).sum())
    return 100 * wrong / max(1, int((wanted > 0).sum()))
