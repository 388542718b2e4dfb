"""The way of a volume from its own voxels to the grid a network sees, and back."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.errors import ModelError
from engine.recipe import ImageRecipe

if TYPE_CHECKING:
    from torch import Tensor

_CERTAIN = 30.0
"""Logit of the background outside what the network saw: a probability of 1 in float32."""


@dataclass(frozen=True, slots=True)
class Framing:
    """Resampling of a volume, then cutting and padding; every shape is (z, y, x).

    Attributes:
        shape: The volume as acquired.
        spacing_mm: Its voxels [mm].
        resampled: Size after resampling.
        framed: Size the network sees.
        offset: Where the first framed voxel lies among the resampled ones; negative where the
            frame begins in padding.
        pad_low: Whether padding is the least grey value of each slice; else it is 0.
    """

    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    resampled: tuple[int, int, int]
    framed: tuple[int, int, int]
    offset: tuple[int, int, int]
    pad_low: bool

    @property
    def framed_mm(self) -> tuple[float, float, float]:
        """Size of a framed voxel (z, y, x) [mm]."""
        z, y, x = (
            mm * acquired / seen
            for mm, acquired, seen in zip(self.spacing_mm, self.shape, self.resampled, strict=True)
        )
        return (z, y, x)

    def to_network(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """An image (z, y, x) or (z, y, x, c) on the network's grid, interpolated linearly.

        Where it shrinks, it is smoothed first, so that fine detail does not become noise.
        """
        import torch

        grey = image.ndim == 3
        stored = torch.from_numpy(np.ascontiguousarray(image[..., None] if grey else image))
        planes = self.planes_to_network(stored.permute(0, 3, 1, 2))  # (z, c, y, x)
        framed = self._slices_to_network(planes).permute(0, 2, 3, 1).numpy()
        return np.ascontiguousarray(framed[..., 0] if grey else framed)

    def bits_to_network(self, bits: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Bits (z, y, x) on the network's grid, by nearest neighbour; padding is background."""
        framed = np.ones((self.framed[0], *self.framed[1:]), np.uint8)
        source, target = self._overlap(range(3))
        rows = [
            _nearest(old, new)[part]
            for old, new, part in zip(self.shape, self.resampled, source, strict=True)
        ]
        framed[target] = bits[np.ix_(*rows)]
        return framed

    def plane_bits_to_network(self, bits: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Bits of any number of slices, (n, y, x), each slice for itself."""
        if self.shape[1:] == self.resampled[1:] == self.framed[1:]:
            return bits.copy()
        framed = np.ones((bits.shape[0], *self.framed[1:]), np.uint8)
        source, target = self._overlap((1, 2))
        rows, columns = (
            _nearest(self.shape[axis], self.resampled[axis])[part]
            for axis, part in zip((1, 2), source, strict=True)
        )
        framed[(slice(None), *target)] = bits[:, rows[:, None], columns[None]]
        return framed

    def planes_to_network(self, planes: "Tensor") -> "Tensor":
        """Slices (n, c, y, x) on the network's pixels, each slice for itself."""
        from torch.nn.functional import interpolate

        if self.resampled[1:] != self.shape[1:]:
            planes = interpolate(
                planes, self.resampled[1:], mode="bilinear", align_corners=False, antialias=True
            )
        if self.resampled[1:] == self.framed[1:]:
            return planes
        source, target = self._overlap((1, 2))
        low = planes.amin(dim=(2, 3)) if self.pad_low else planes.new_zeros(planes.shape[:2])
        framed = low[:, :, None, None].repeat(1, 1, *self.framed[1:])
        framed[:, :, target[0], target[1]] = planes[:, :, source[0], source[1]]
        return framed

    def _slices_to_network(self, planes: "Tensor") -> "Tensor":
        """Slices (z, c, y, x) on the network's slices: resampled, then cut or padded."""
        from torch.nn.functional import interpolate

        if self.resampled[0] != self.shape[0]:
            depth, channels, height, width = planes.shape
            flat = interpolate(
                planes.reshape(1, 1, depth, -1),
                size=(self.resampled[0], channels * height * width),
                mode="bilinear",
                align_corners=False,
                antialias=True,
            )
            planes = flat.reshape(-1, channels, height, width)
        if self.framed[0] == planes.shape[0]:
            return planes
        (source,), (target,) = self._overlap((0,))
        low = planes.amin(dim=(0, 2, 3)) if self.pad_low else planes.new_zeros(planes.shape[1])
        framed = low[None, :, None, None].repeat(self.framed[0], 1, *planes.shape[2:])
        framed[target] = planes[source]
        return framed

    def to_native(self, scores: "Tensor") -> "Tensor":
        """Logits (z', k, y', x') on the voxels as acquired, (z, k, y, x).

        Outside what the network saw there is certain background: class 0, or none of one class.
        """
        from torch.nn.functional import interpolate

        if self.framed[0] != self.resampled[0]:
            (source,), (target,) = self._overlap((0,))
            whole = _background_like(scores, (self.resampled[0], *scores.shape[1:]))
            whole[source] = scores[target]
            scores = whole
        scores = self.planes_to_native(scores)
        if self.resampled[0] != self.shape[0]:
            scores = interpolate(
                scores.transpose(0, 1)[None], self.shape, mode="trilinear", align_corners=False
            )[0].transpose(0, 1)
        return scores

    def planes_to_native(self, scores: "Tensor") -> "Tensor":
        """Logits of any number of slices, (n, k, y', x'), on the pixels as acquired."""
        from torch.nn.functional import interpolate

        source, target = self._overlap((1, 2))
        seen = scores[:, :, target[0], target[1]]
        if seen.shape[2:] != self.resampled[1:]:
            whole = _background_like(scores, (*scores.shape[:2], *self.resampled[1:]))
            whole[:, :, source[0], source[1]] = seen
            seen = whole
        if self.resampled[1:] != self.shape[1:]:
            seen = interpolate(seen, self.shape[1:], mode="bilinear", align_corners=False)
        return seen

    def _overlap(self, axes: "range | tuple[int, ...]") -> tuple[tuple[slice, ...], ...]:
        """What the frame and the resampled volume share: its place in the one and the other."""
        source, target = [], []
        for axis in axes:
            first = max(0, self.offset[axis])
            last = min(self.resampled[axis], self.offset[axis] + self.framed[axis])
            source.append(slice(first, last))
            target.append(slice(first - self.offset[axis], last - self.offset[axis]))
        return tuple(source), tuple(target)


def _background_like(scores: "Tensor", shape: tuple[int, ...]) -> "Tensor":
    background = scores.new_full(shape, -_CERTAIN)
    if shape[1] > 1:
        background[:, 0] = _CERTAIN
    return background


def _nearest(old: int, new: int) -> NDArray[np.intp]:
    """For each of `new` voxels along an axis, the one of `old` voxels at its middle."""
    return np.minimum(((np.arange(new) + 0.5) * old / new).astype(np.intp), old - 1)


def plan_framing(
    shape_zyx: tuple[int, int, int],
    spacing_mm: tuple[float, float, float],
    recipe: ImageRecipe,
    *,
    stride: int,
    training: bool = False,
) -> Framing:
    """Plan how a volume gets to the network's grid.

    `patch` brings whole slices to the recipe's pixel size and pads their far sides to the
    stride; `crop` cuts or pads the middle to the recipe's size; `resize` stretches the slices.
    Slices stay as they are unless the recipe gives `slice_spacing_mm`, and are as many as they
    are unless `training` asks for `depth`.

    Args:
        shape_zyx: Voxels of the volume.
        spacing_mm: (z, y, x) [mm].
        recipe: `spacing_mm`, `slice_spacing_mm`, `fit`, `size`, `depth`.
        stride: Height and width must be multiples of it.
        training: Whether the number of slices becomes `depth`.

    Raises:
        ModelError: The size is no multiple of the stride.
    """
    wanted = (recipe.slice_spacing_mm, recipe.spacing_mm, recipe.spacing_mm)
    resampled = [
        size if target is None else max(1, round(size * mm / target))
        for size, mm, target in zip(shape_zyx, spacing_mm, wanted, strict=True)
    ]
    if recipe.fit == "resize":
        resampled[1:] = recipe.size
    framed = list(resampled)
    if recipe.fit == "patch":
        framed[1:] = [-(-size // stride) * stride for size in resampled[1:]]
    else:
        check_size(recipe, stride)
        framed[1:] = recipe.size
    if training and recipe.depth is not None:
        framed[0] = recipe.depth
    offset = [(have - need) // 2 for have, need in zip(resampled, framed, strict=True)]
    if recipe.fit == "patch":
        offset[1:] = (0, 0)
    return Framing(
        shape_zyx,
        spacing_mm,
        (resampled[0], resampled[1], resampled[2]),
        (framed[0], framed[1], framed[2]),
        (offset[0], offset[1], offset[2]),
        pad_low=recipe.fit != "patch",
    )


def check_size(recipe: ImageRecipe, stride: int) -> None:
    """Refuse a size that the network cannot take.

    Raises:
        ModelError: Height or width is no multiple of `stride`.
    """
    if any(size % stride for size in recipe.size):
        near = tuple(max(stride, round(size / stride) * stride) for size in recipe.size)
        raise ModelError(
            f"The network takes no images of {recipe.size[0]} x {recipe.size[1]} pixels: "
            f"they must be multiples of {stride}.",
            hint=f"Set image.size to [{near[0]}, {near[1]}], or choose another network.",
        )
