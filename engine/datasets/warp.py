"""Random changes of place and shape: drawn once a sample, then applied in one resampling.

Turning, scaling, shearing, mirroring, shifting, squeezing and bending are put together into one
table of positions before any pixel is read, so that an image is interpolated once only, and image
and labels cannot come apart. MONAI has each as a transform that resamples by itself, at several
times the cost; two of them move pixels even at strength 0: its elastic deformation by 1.5 pixels
(bicubic interpolation of positions ripples), its grid distortion by 1. The formulas are the same,
which the tests check against it.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Generator, Tensor
from torch.nn.functional import grid_sample, interpolate

from engine.recipe import AugmentationRecipe

BEND_PIXELS = 32
"""Distance of the control points of an elastic deformation [pixels]."""

_CELLS = 5  # of a grid distortion, along each axis


@dataclass(frozen=True, slots=True, eq=False)
class Warp:
    """One drawn change.

    Attributes:
        matrix: (2, 3): sample pixels (x, y) from its centre -> source pixels from theirs.
        squeeze: Relative widths of the cells of a grid distortion, (2, cells), x first.
        bend: Offsets (x, y) at control points, (2, n, m) [pixels], `BEND_PIXELS` apart.
    """

    matrix: Tensor
    squeeze: Tensor | None = None
    bend: Tensor | None = None

    @property
    def nothing(self) -> bool:
        """Whether it leaves everything where it is."""
        still = bool(torch.equal(self.matrix, torch.eye(2, 3)))
        return still and self.squeeze is None and self.bend is None


def draw_warp(
    recipe: AugmentationRecipe,
    random: Generator,
    *,
    size: tuple[int, int],
    shift_pixels: tuple[float, float],
) -> Warp:
    """Draw how one sample is changed.

    Args:
        recipe: How far.
        random: Source of chance.
        size: Height and width of the sample [pixels].
        shift_pixels: Largest shift (x, y) [pixels].
    """
    squeeze, bend = None, None
    matrix = torch.zeros(2, 3)
    matrix[:, :2] = _draw_linear(recipe, random)
    if any(shift_pixels):
        matrix[:, 2] = (2 * torch.rand(2, generator=random) - 1) * torch.tensor(shift_pixels)
    if recipe.grid_distortion:
        change = 2 * torch.rand(2, _CELLS, generator=random) - 1
        squeeze = 1 + change * recipe.grid_distortion
    if recipe.elastic:
        points = [2 * math.ceil(side / (2 * BEND_PIXELS)) + 2 for side in size]
        bend = torch.randn(2, *points, generator=random) * recipe.elastic
    return Warp(matrix, squeeze, bend)


def _draw_linear(recipe: AugmentationRecipe, random: Generator) -> Tensor:
    """Turn, scale, shear and mirror, (2, 2); exactly the identity where all are off."""
    angle, mirror = 0.0, 1.0
    if recipe.rotation_degrees:
        angle = math.radians(recipe.rotation_degrees) * _uniform(-1, 1, random)
    if recipe.any_orientation:
        angle += math.pi / 2 * int(torch.randint(4, (1,), generator=random))
    if recipe.any_orientation or recipe.flip:
        mirror = 1.0 - 2.0 * int(torch.randint(2, (1,), generator=random))
    scale = 1.0
    if (recipe.smallest_scale, recipe.largest_scale) != (1.0, 1.0):
        low, high = math.log(recipe.smallest_scale), math.log(recipe.largest_scale)
        scale = math.exp(_uniform(low, high, random))
    cosine, sine = math.cos(angle) / scale, math.sin(angle) / scale
    linear = torch.tensor([[cosine * mirror, -sine], [sine * mirror, cosine]])
    if recipe.shear_degrees:
        slant = math.tan(math.radians(recipe.shear_degrees) * _uniform(-1, 1, random))
        linear = linear @ torch.tensor([[1.0, slant], [0.0, 1.0]])
    return linear


def _uniform(low: float, high: float, random: Generator) -> float:
    return low + (high - low) * float(torch.rand(1, generator=random))


@dataclass(frozen=True, slots=True)
class Window:
    """Where an unchanged sample lies in its source.

    Attributes:
        size: Height and width of the sample [pixels].
        source: Height and width of the source [pixels].
        centre: Middle of the sample (x, y) [pixels of the source].
        pixel: Size of a pixel of the sample (x, y) [pixels of the source].
    """

    size: tuple[int, int]
    source: tuple[int, int]
    centre: tuple[float, float]
    pixel: tuple[float, float] = (1.0, 1.0)


def sampling_grid(warp: Warp, window: Window) -> Tensor:
    """Where each pixel of a sample is read, (1, height, width, 2), as `grid_sample` wants it.

    (x, y), from -1 at the outer border of the first pixel of the source to 1 at the last one's.
    """
    height, width = window.source
    to_grid = torch.tensor([2.0 / width, 2.0 / height])
    pixel = torch.tensor(window.pixel)
    matrix = warp.matrix * (pixel * to_grid)[:, None]
    matrix[:, 2] += (torch.tensor(window.centre) + 0.5) * to_grid - 1
    return (_places(warp, window.size) @ matrix.T)[None]


def _places(warp: Warp, size: tuple[int, int]) -> Tensor:
    """Pixels (x, y, 1) from the centre, squeezed and bent, (height, width, 3)."""
    if warp.squeeze is None:
        places = _middle_outwards(size)
    else:
        y, x = (torch.arange(side) - (side - 1) / 2 for side in size)
        places = _mesh(*map(_squeezed, (x, y), warp.squeeze))
    if warp.bend is not None:
        places = places.clone()
        places[..., :2] += bend_field(warp.bend, size).permute(1, 2, 0)
    return places


@lru_cache(maxsize=16)
def _middle_outwards(size: tuple[int, int]) -> Tensor:
    y, x = (torch.arange(side) - (side - 1) / 2 for side in size)
    return _mesh(x, y)


def _mesh(x: Tensor, y: Tensor) -> Tensor:
    columns, rows = torch.meshgrid(x, y, indexing="xy")
    return torch.stack([columns, rows, torch.ones_like(rows)], dim=-1)


def _squeezed(axis: Tensor, cells: Tensor) -> Tensor:
    """Positions along an axis when its equal cells get these relative widths.

    Both ends stay where they are; in between, the way is linear within each cell.
    """
    reach = len(axis) / 2
    ends = torch.cat([torch.zeros(1), cells.cumsum(0) / cells.sum()]) * 2 * reach - reach
    place = (axis + reach) / (2 * reach) * len(cells)
    cell = place.long().clamp(0, len(cells) - 1)
    return ends[cell] + (place - cell) * (ends[cell + 1] - ends[cell])


def bend_field(bend: Tensor, size: tuple[int, int]) -> Tensor:
    """Smooth offsets of every pixel, (2, height, width), from those at control points.

    The control points are spread by bicubic interpolation; the middle of the field is used.
    """
    down, across = (
        _spreading(points, side) for points, side in zip(bend.shape[1:], size, strict=True)
    )
    return down @ bend @ across.T


@lru_cache(maxsize=16)
def _spreading(points: int, side: int) -> Tensor:
    """Share of each control point in each pixel along one axis, (side, points)."""
    whole = interpolate(
        torch.eye(points)[None, :, :, None],
        scale_factor=(BEND_PIXELS, 1),
        mode="bicubic",
        align_corners=False,
    )[0, :, :, 0]
    start = (whole.shape[1] - side) // 2
    return whole[:, start : start + side].T.contiguous()


def read_at(image: Tensor, grid: Tensor) -> Tensor:
    """Grey values (c, y, x) at a `sampling_grid`, (c, height, width), by linear interpolation.

    Outside lies the least value of each channel.
    """
    low = image.amin(dim=(1, 2), keepdim=True)
    grey = grid_sample((image - low)[None], grid, mode="bilinear", align_corners=False)
    return grey[0] + low


def read_bits_at(possible: Tensor, grid: Tensor) -> Tensor:
    """Bits (d, y, x) uint8 at a `sampling_grid`, (d, height, width), by nearest neighbour.

    Outside lies the background, bit 1.
    """
    raised = possible[None].float() - 1  # so that what lies outside, 0, is bit 1
    bits = grid_sample(raised, grid, mode="nearest", align_corners=False)
    return (bits[0] + 1.5).to(torch.uint8)
