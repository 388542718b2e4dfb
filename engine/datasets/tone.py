"""Random changes of grey values: gamma, uneven illumination, contrast, blur and noise.

MONAI's gamma (`AdjustContrast`) is the same formula where the range is the image's own; its blur
(`GaussianSmooth`) has the same kernel, but darkens the rim by taking 0 for what lies outside.
"""

import math
from functools import lru_cache

import torch
from torch import Generator, Tensor
from torch.nn.functional import conv2d, interpolate, pad

from engine.recipe import AugmentationRecipe

_WIDEST = 4.0  # standard deviations to each side of a blur's kernel
_BRIGHTEST = 1.5  # gamma is not applied beyond this share of the range


def changes_tone(recipe: AugmentationRecipe) -> bool:
    """Whether any grey value would be changed."""
    return any((recipe.gamma, recipe.bias_field, recipe.contrast, recipe.blur, recipe.noise))


def change_tone(
    image: Tensor,
    recipe: AugmentationRecipe,
    random: Generator,
    *,
    grey_range: tuple[float, float] | None,
) -> Tensor:
    """Change the grey values of one sample; everything off changes nothing.

    Args:
        image: (c, y, x): all channels are changed alike, but for the noise.
        recipe: How far.
        random: Source of chance.
        grey_range: What counts as black and as white; None for the image's own extremes.

    Returns:
        The same shape.
    """
    if not changes_tone(recipe):
        return image
    black, white = grey_range or (float(image.min()), float(image.max()))
    if white <= black:
        return image
    share = (image - black) / (white - black)
    if recipe.gamma:
        share = share.clamp(0, _BRIGHTEST) ** math.exp(_around(0, recipe.gamma, random))
    if recipe.bias_field:
        share = share * _draw_bias_field(recipe.bias_field, image.shape[1:], random)
    if recipe.contrast:
        gain = _around(1, recipe.contrast, random)
        share = share * gain + _around(0, recipe.contrast / 2, random)
    if recipe.blur and float(torch.rand(1, generator=random)) < recipe.blur:
        low, high = recipe.blur_pixels
        share = blurred(share, _around((low + high) / 2, (high - low) / 2, random))
    if recipe.noise:
        strength = recipe.noise * float(torch.rand(1, generator=random))
        share = share + strength * torch.randn(image.shape, generator=random)
    return share * (white - black) + black


def _around(middle: float, reach: float, random: Generator) -> float:
    """A number drawn evenly from middle - reach to middle + reach."""
    return middle + reach * (2 * float(torch.rand(1, generator=random)) - 1)


def _draw_bias_field(strength: float, size: torch.Size, random: Generator) -> Tensor:
    """A smooth positive factor around 1, (1, y, x)."""
    coarse = torch.randn(3, 3, generator=random) * strength / 2
    down, across = (_spreading(side) for side in size)
    return (down @ coarse @ across.T).exp()[None]


@lru_cache(maxsize=16)
def _spreading(side: int) -> Tensor:
    """Share of each of three points in each pixel along an axis, (side, 3), bicubic."""
    whole = interpolate(
        torch.eye(3)[None, :, :, None], size=(side, 1), mode="bicubic", align_corners=True
    )
    return whole[0, :, :, 0].T.contiguous()


def blurred(image: Tensor, sigma: float) -> Tensor:
    """Blur each channel of (c, y, x) by a Gaussian of `sigma` pixels; the rim is repeated."""
    kernel = _gaussian(round(sigma, 3))
    reach = len(kernel) // 2
    planes = pad(image[:, None], (reach,) * 4, mode="replicate")
    return conv2d(conv2d(planes, kernel[None, None, None]), kernel[None, None, :, None])[:, 0]


@lru_cache(maxsize=256)
def _gaussian(sigma: float) -> Tensor:
    """The share of a Gaussian that falls on each pixel, adding up to 1, (2 n + 1,)."""
    reach = max(1, round(_WIDEST * sigma))
    borders = torch.arange(-reach, reach + 2) - 0.5
    cumulated = torch.special.ndtr(borders / max(sigma, 1e-3))
    kernel: Tensor = cumulated.diff()
    return kernel / kernel.sum()
