"""Volumes prepared for training, kept in memory as far as it is allowed."""

import sys
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from engine.datasets.framing import Framing, plan_framing
from engine.datasets.intensity import (
    Scale,
    check_numbers,
    equalise,
    measure_scale,
    prepare_image,
)
from engine.datasets.labelled import LabelledVolume
from engine.recipe import Recipe

_FALLBACK_BYTES = 2 << 30  # where the system does not tell its free memory


class VolumeShelf:
    """Images and bits of volumes on the grid that samples are cut from.

    With `patch` that is the acquired grid in plane, since patches are cut from it directly; else
    it is the network's. A prepared image stays in memory while there is room; of the others only
    the slices that are asked for are prepared, each time again.
    """

    def __init__(
        self,
        volumes: Sequence[LabelledVolume],
        recipe: Recipe,
        *,
        stride: int,
        memory_bytes: int,
    ) -> None:
        self.volumes = volumes
        self._recipe = recipe
        self._room = memory_bytes
        self._images: dict[int, NDArray[np.float32]] = {}
        self._scales: dict[int, Scale] = {}
        self.framings = [_plan(volume, recipe, stride) for volume in volumes]

    @property
    def whole_volumes(self) -> bool:
        """Whether samples are volumes, so that slices may be made anew between slices."""
        return self._recipe.data.sample == "volume"

    def image(self, number: int, first: int, last: int) -> NDArray[np.float32]:
        """Slices `first` to `last` (excluded) of a volume, (z, y, x) or (z, y, x, 3)."""
        known = self._images.get(number)
        if known is None:
            framing, volume = self.framings[number], self.volumes[number]
            size = 4 * int(np.prod((*framing.framed, volume.colours)))
            if size > self._room and not self.whole_volumes:
                return self._prepared_slices(number, first, last)
            check_numbers(volume)
            known = self._framed(number, prepare_image(volume.image, self._recipe.image))
            if size <= self._room:
                self._room -= size
                self._images[number] = known
        return known[first:last]

    def bits(self, number: int, first: int, last: int) -> NDArray[np.uint8]:
        """The bits of the same slices, (z, y, x)."""
        framing, possible = self.framings[number], self.volumes[number].possible
        if self.whole_volumes:
            return framing.bits_to_network(possible)[first:last]
        return framing.plane_bits_to_network(possible[first:last])

    def _prepared_slices(self, number: int, first: int, last: int) -> NDArray[np.float32]:
        volume, recipe = self.volumes[number], self._recipe.image
        if number not in self._scales:
            check_numbers(volume)
            values = equalise(volume.image) if recipe.clahe else volume.image
            self._scales[number] = measure_scale(values, recipe)
        part = prepare_image(volume.image[first:last], recipe, scale=self._scales[number])
        return self._framed(number, part)

    def _framed(self, number: int, image: NDArray[np.float32]) -> NDArray[np.float32]:
        framing = self.framings[number]
        if self.whole_volumes:
            return framing.to_network(image)
        if framing.framed == framing.shape:
            return image
        planes = image[:, None] if image.ndim == 3 else image.transpose(0, 3, 1, 2)
        framed = framing.planes_to_network(torch.from_numpy(np.ascontiguousarray(planes))).numpy()
        return (
            framed[:, 0] if image.ndim == 3 else np.ascontiguousarray(framed.transpose(0, 2, 3, 1))
        )


def _plan(volume: LabelledVolume, recipe: Recipe, stride: int) -> Framing:
    z, y, x = volume.possible.shape
    image = recipe.image
    if recipe.data.sample == "slice":  # slices stay as they were acquired
        image = image.model_copy(update={"slice_spacing_mm": None, "depth": None})
    framing = plan_framing((z, y, x), volume.spacing_mm, image, stride=stride, training=True)
    if image.fit != "patch":
        return framing
    return replace(
        framing,
        resampled=(framing.resampled[0], y, x),
        framed=(framing.framed[0], y, x),
        offset=(framing.offset[0], 0, 0),
    )


def free_memory_bytes() -> int:
    """Memory that programs may still take [bytes], as far as the system tells."""
    if sys.platform == "linux":
        with open("/proc/meminfo", encoding="ascii") as file:  # noqa: PTH123  (no real file)
            for line in file:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    return _FALLBACK_BYTES
