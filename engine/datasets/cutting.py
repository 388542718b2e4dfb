"""Single samples: a slice or a volume from the shelf, cut, changed and turned into tensors."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator as Chance
from torch import Tensor

from engine.datasets.intensity import scale_patches
from engine.datasets.labelled import LabelledVolume
from engine.datasets.neighbours import stack_neighbours
from engine.datasets.selection import usable_slices
from engine.datasets.shelf import VolumeShelf
from engine.datasets.tone import change_tone
from engine.datasets.warp import (
    Warp,
    Window,
    draw_warp,
    read_at,
    read_bits_at,
    sampling_grid,
)
from engine.recipe import DataRecipe, Recipe

_ANYWHERE = 0.15  # share of patches cut far from the heart: what is not a heart is learned there
_STILL = Warp(torch.eye(2, 3))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sample lies.

    Attributes:
        volume: Number of its volume.
        z: Its slice; 0 for a whole volume.
        centre: Middle of the heart (x, y) [pixels of the shelf].
    """

    volume: int
    z: int
    centre: tuple[float, float]


def find_places(volumes: Sequence[LabelledVolume], recipe: DataRecipe) -> list[Place]:
    """The usable slices of all volumes, or the volumes that have any."""
    places = []
    for number, volume in enumerate(volumes):
        slices = usable_slices(volume, recipe)
        whole = _centre_of(volume.possible) or _middle(volume.possible)
        if recipe.sample == "volume":
            places.extend([Place(number, 0, whole)] if slices else [])
            continue
        places.extend(
            Place(number, z, _centre_of(volume.possible[z : z + 1]) or whole) for z in slices
        )
    return places


class Cutter:
    """Cuts samples from the volumes of a shelf."""

    def __init__(self, shelf: VolumeShelf, recipe: Recipe) -> None:
        self._shelf = shelf
        self._recipe = recipe

    def cut(self, place: Place, random: Chance | None) -> tuple[Tensor, Tensor]:
        """One sample, changed at random, or as it is without a source of chance.

        Returns:
            Image (c, y, x) or (c, z, y, x) float32, bits (y, x) or (z, y, x) uint8.
        """
        image, bits = self._load(place)
        if (
            random is not None
            and self._may_turn_over
            and bool(torch.rand((), generator=random) < 0.5)
        ):
            count = self._recipe.data.neighbours
            image = image.reshape(count, -1, *image.shape[1:]).flip(0).reshape(image.shape)
        outer, slices = image.shape[:-2], bits.shape[:-2]
        planes, masks = image.reshape(-1, *image.shape[-2:]), bits.reshape(-1, *bits.shape[-2:])
        warp, window = _STILL, self._window(place)
        if random is not None:
            if self._is_patch and float(torch.rand(1, generator=random)) < _ANYWHERE:
                window = replace(window, centre=_somewhere(window.source, random))
            warp = self._draw_warp(place, window, random)
        if self._is_patch or not warp.nothing:
            grid = sampling_grid(warp, window)
            planes, masks = read_at(planes, grid), read_bits_at(masks, grid)
        planes = scale_patches(planes[None], self._recipe.image)[0]
        if random is not None:
            planes = change_tone(
                planes, self._recipe.augmentation, random, grey_range=self._grey_range
            )
        size = planes.shape[-2:]
        return planes.reshape(*outer, *size), masks.reshape(*slices, *size)

    def bits(self, place: Place) -> NDArray[np.uint8]:
        """The bits of an unchanged sample, (n, y, x); no image is prepared for it."""
        depth = self._shelf.framings[place.volume].framed[0]
        part = (0, depth) if self._shelf.whole_volumes else (place.z, place.z + 1)
        bits = self._shelf.bits(place.volume, *part)
        if not self._is_patch:
            return bits
        grid = sampling_grid(_STILL, self._window(place))
        return read_bits_at(torch.from_numpy(bits), grid).numpy()

    def _load(self, place: Place) -> tuple[Tensor, Tensor]:
        """A sample as it lies on the shelf."""
        depth = self._shelf.framings[place.volume].framed[0]
        if self._shelf.whole_volumes:
            image = torch.from_numpy(self._shelf.image(place.volume, 0, depth))
            bits = torch.from_numpy(self._shelf.bits(place.volume, 0, depth))
            return (image[None] if image.ndim == 3 else image.movedim(3, 0)), bits
        data = self._recipe.data
        reach = data.neighbours // 2
        first, last = max(0, place.z - reach), min(depth, place.z + reach + 1)
        stacked = stack_neighbours(
            self._shelf.image(place.volume, first, last),
            [place.z - first],
            count=data.neighbours,
            edge=data.edge,
            adjacent=self._shelf.volumes[place.volume].adjacent,
        )
        bits = torch.from_numpy(self._shelf.bits(place.volume, place.z, place.z + 1))
        return torch.from_numpy(stacked[0]), bits[0]

    @property
    def _may_turn_over(self) -> bool:
        """Whether the slices beside one may change sides: stacks begin at the base or the apex."""
        recipe = self._recipe
        return recipe.augmentation.any_orientation and recipe.data.neighbours > 1

    @property
    def _is_patch(self) -> bool:
        return self._recipe.image.fit == "patch"

    @property
    def _grey_range(self) -> tuple[float, float] | None:
        """Black and white of prepared images, where every image has the same."""
        own = self._recipe.image.scale in ("z_score", "none")
        return None if own else (0.0, 1.0)

    def _pixel_mm(self, place: Place) -> tuple[float, float]:
        """Size of a sample's pixel (x, y) [mm]."""
        _, y_mm, x_mm = self._shelf.framings[place.volume].framed_mm
        wanted = self._recipe.image.spacing_mm
        return (wanted, wanted) if self._is_patch and wanted else (x_mm, y_mm)

    def _draw_warp(self, place: Place, window: Window, random: Chance) -> Warp:
        recipe, (height, width) = self._recipe.augmentation, window.size
        x_mm, y_mm = self._pixel_mm(place)
        x_shift = recipe.shift_mm / x_mm + recipe.shift * width
        y_shift = recipe.shift_mm / y_mm + recipe.shift * height
        return draw_warp(recipe, random, size=window.size, shift_pixels=(x_shift, y_shift))

    def _window(self, place: Place) -> Window:
        """Where a sample lies on the shelf: a patch around a point, or all of the frame."""
        framing = self._shelf.framings[place.volume]
        _, height, width = framing.framed
        if not self._is_patch:
            return Window((height, width), (height, width), ((width - 1) / 2, (height - 1) / 2))
        _, y_mm, x_mm = framing.framed_mm
        wide, high = self._pixel_mm(place)
        pixel = (wide / x_mm, high / y_mm)
        return Window(self._recipe.image.size, (height, width), place.centre, pixel)


def _centre_of(possible: NDArray[np.uint8]) -> tuple[float, float] | None:
    """Mean position (x, y) of what is certainly foreground in (z, y, x); None if nothing is."""
    _, rows, columns = np.nonzero((possible & 1) == 0)
    return (float(columns.mean()), float(rows.mean())) if rows.size else None


def _middle(possible: NDArray[np.uint8]) -> tuple[float, float]:
    return (possible.shape[2] - 1) / 2, (possible.shape[1] - 1) / 2


def _somewhere(size: tuple[int, int], random: Chance) -> tuple[float, float]:
    """A point (x, y) drawn evenly from an image of height and width `size`."""
    y, x = (side * float(torch.rand(1, generator=random)) for side in size)
    return x, y
