"""Random changes of training slices: parameters are drawn first, then applied.

Everything works on batches of tensors, image and label alike in one grid.
"""

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn.functional import affine_grid, avg_pool2d, grid_sample, interpolate


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a slice may be changed; see `AugmentationRecipe` for each field."""

    any_orientation: bool
    rotation_degrees: float
    smallest_scale: float
    largest_scale: float
    shift_pixels: float
    gamma: float
    bias_field: float
    contrast: float
    noise: float
    blur: float


def _uniform(count: int, low: float, high: float, random: Generator) -> Tensor:
    return low + (high - low) * torch.rand(count, generator=random)


def draw_placement(count: int, limits: Limits, random: Generator) -> Tensor:
    """Draw where and how each patch is cut, (count, 2, 3).

    Returns:
        Matrices that take patch pixels relative to the patch's centre (x, y) to image pixels
        relative to the point of interest (x, y).
    """
    angle = _uniform(count, -1, 1, random) * math.radians(limits.rotation_degrees)
    scale = torch.exp(
        _uniform(count, math.log(limits.smallest_scale), math.log(limits.largest_scale), random)
    )
    mirror = torch.ones(count)
    if limits.any_orientation:
        angle = angle + math.pi / 2 * torch.randint(4, (count,), generator=random)
        mirror = 1.0 - 2.0 * torch.randint(2, (count,), generator=random)
    cosine, sine = angle.cos() / scale, angle.sin() / scale
    shift = _uniform(2 * count, -1, 1, random).reshape(count, 2) * limits.shift_pixels
    matrix = torch.empty(count, 2, 3)
    matrix[:, 0, 0], matrix[:, 0, 1] = cosine * mirror, -sine
    matrix[:, 1, 0], matrix[:, 1, 1] = sine * mirror, cosine
    matrix[:, :, 2] = shift
    return matrix


def cut_patch(image: Tensor, possible: Tensor, matrix: Tensor, *, patch: int) -> Tensor:
    """Cut one patch out of a slice.

    Args:
        image: Grey values, (y, x).
        possible: Bits of the structures that each pixel may be, (y, x), 1 is background alone.
        matrix: (2, 3), patch pixels relative to its centre -> image pixels (x, y), absolute.
        patch: Side of the patch [pixels].

    Returns:
        (2, patch, patch): image by linear interpolation, bits by nearest neighbour. Outside the
        slice both are background: the image's minimum and bit 1.
    """
    height, width = image.shape
    grid = affine_grid(
        torch.eye(2, 3)[None] * (patch / 2), [1, 1, patch, patch], align_corners=False
    )[0]  # (patch, patch, 2), pixels from the patch's centre
    pixels = grid @ matrix[:, :2].T + matrix[:, 2]
    size = torch.tensor([width, height], dtype=torch.float32)
    where = ((pixels + 0.5) * 2 / size - 1)[None]  # grid_sample's -1 ... 1 over the whole slice
    floor = image.min()
    grey = grid_sample((image - floor)[None, None], where, mode="bilinear", align_corners=False)
    bits = grid_sample(possible[None, None].float() - 1, where, mode="nearest", align_corners=False)
    return torch.cat([grey[0] + floor, bits[0] + 1])


def change_intensity(images: Tensor, limits: Limits, random: Generator) -> Tensor:
    """Change contrast, bias field, resolution and noise of a batch.

    Args:
        images: (b, 1, y, x), about 0 to 1.
        limits: How far.
        random: Source of chance.

    Returns:
        The same shape.
    """
    count = images.shape[0]
    column = (count, 1, 1, 1)
    gamma = torch.exp(_uniform(count, -limits.gamma, limits.gamma, random)).reshape(column)
    images = images.clamp(0, 1.5) ** gamma
    coarse = torch.randn(count, 1, 3, 3, generator=random) * limits.bias_field / 2
    field = interpolate(coarse, size=images.shape[2:], mode="bicubic", align_corners=True)
    images = images * torch.exp(field)
    gain = 1 + _uniform(count, -limits.contrast, limits.contrast, random).reshape(column)
    offset = _uniform(count, -limits.contrast, limits.contrast, random).reshape(column) / 2
    images = images * gain + offset
    soft = avg_pool2d(images, 3, stride=1, padding=1, count_include_pad=False)
    chosen = (torch.rand(count, generator=random) < limits.blur).reshape(column)
    images = torch.where(chosen, soft, images)
    strength = _uniform(count, 0, limits.noise, random).reshape(column)
    return images + strength * torch.randn(images.shape, generator=random)
