"""Training samples: slices or volumes with their labels, prepared, changed and put into batches."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator as Chance
from torch import Tensor

from engine.datasets.class_weights import ClassCounts, count_classes
from engine.datasets.cutting import Cutter, find_places
from engine.datasets.framing import check_size
from engine.datasets.labelled import LabelledPatient, LabelledVolume, all_certain
from engine.datasets.prefetch import prefetched
from engine.datasets.shelf import VolumeShelf, free_memory_bytes
from engine.errors import ModelError
from engine.recipe import Recipe


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Samples that a network sees at once.

    Attributes:
        images: (b, c, y, x), or (b, c, z, y, x) of volumes; float32.
        possible: Bits of the classes each pixel may be, (b, y, x) or (b, z, y, x); int64.
        indices: Number of each sample in its source.
    """

    images: Tensor
    possible: Tensor
    indices: tuple[int, ...]


class SampleSource:
    """All samples of some patients, in batches for training or validation."""

    def __init__(
        self,
        patients: Sequence[LabelledPatient],
        recipe: Recipe,
        *,
        stride: int,
        memory_bytes: int | None = None,
    ) -> None:
        """Find the samples; images are prepared when they are first needed.

        Args:
            patients: Of the recipe's task.
            recipe: What a sample is.
            stride: Height and width of samples must be multiples of it.
            memory_bytes: For prepared images; left out, half of what is free.

        Raises:
            ModelError: Nothing is left to learn from, images have the wrong number of channels,
                or samples differ in size.
        """
        self._recipe = recipe
        check_size(recipe.image, stride)
        self._volumes = [volume for patient in patients for volume in patient.volumes]
        for volume in self._volumes:
            _check_volume(volume, recipe)
        room = free_memory_bytes() // 2 if memory_bytes is None else memory_bytes
        self._shelf = VolumeShelf(self._volumes, recipe, stride=stride, memory_bytes=room)
        self._cutter = Cutter(self._shelf, recipe)
        self._places = find_places(self._volumes, recipe.data)
        if not self._places:
            raise ModelError(
                f"None of the {len(self._volumes)} labelled volumes has a usable slice.",
                hint="Loosen the recipe's data section (phases, smallest_foreground, drop_empty, "
                "basal), or give other data.",
            )
        self._check_sizes()

    def __len__(self) -> int:
        """Number of samples."""
        return len(self._places)

    def name_of(self, index: int) -> str:
        """What messages call a sample: its volume, and its slice counted from 1."""
        place = self._places[index]
        name = self._volumes[place.volume].name
        return name if self._shelf.whole_volumes else f"{name} slice {place.z + 1}"

    @cached_property
    def complete(self) -> bool:
        """Whether every pixel's label is certain."""
        used = {place.volume for place in self._places}
        return all(all_certain(self._volumes[number].possible) for number in used)

    def steps_per_epoch(self, *, ranks: int = 1) -> int:
        """Batches of a training epoch: all full ones, or the only one there is.

        Every rank takes part in each, so that their number does not depend on `ranks`.
        """
        self._check_ranks(ranks)
        return max(1, len(self) // self._recipe.training.batch)

    def batches(
        self, *, epoch: int, augment: bool, rank: int = 0, ranks: int = 1
    ) -> Generator[Batch, None, None]:
        """One epoch of batches, prepared ahead in a thread that ends when this is closed.

        Args:
            epoch: Decides, with the recipe's seed, the order and each sample's changes.
            augment: Shuffle and change the samples, and leave out an incomplete last batch
                unless it is the only one. Else all samples come as they are, in order.
            rank: Which share of every batch to take, from 0.
            ranks: Number of shares. Together they hold what one alone would hold.

        Raises:
            ModelError: There are more ranks than samples in a batch.
        """
        self._check_ranks(ranks)
        return prefetched(self._prepare(epoch, augment, rank, ranks))

    @torch.no_grad()
    def _prepare(self, epoch: int, augment: bool, rank: int, ranks: int) -> Iterator[Batch]:
        batch = self._recipe.training.batch
        order = list(range(len(self)))
        if augment:
            order = torch.randperm(len(self), generator=self._chance(epoch)).tolist()
        last = len(order) - batch + 1 if augment and len(order) >= batch else len(order)
        for start in range(0, last, batch):
            share = order[start : start + batch][rank::ranks]
            if share:
                samples = [
                    self._cutter.cut(
                        self._places[index], self._chance(epoch, index) if augment else None
                    )
                    for index in share
                ]
                images, possible = (torch.stack(part) for part in zip(*samples, strict=True))
                yield Batch(images, possible.long(), tuple(share))

    @torch.no_grad()
    def sample(self, index: int, *, epoch: int | None = None) -> tuple[Tensor, Tensor]:
        """One sample: as it comes, or as an epoch's chance changes it.

        Returns:
            Image (c, [z,] y, x) float32, bits ([z,] y, x) uint8.
        """
        chance = None if epoch is None else self._chance(epoch, index)
        return self._cutter.cut(self._places[index], chance)

    def bits(self, index: int) -> NDArray[np.uint8]:
        """The bits of an unchanged sample, (n, y, x); no image is prepared for it."""
        return self._cutter.bits(self._places[index])

    def class_counts(self) -> ClassCounts:
        """How often each class occurs in the samples as the network sees them, unchanged."""
        bits = map(self._cutter.bits, self._places)
        return count_classes(bits, classes=len(self._recipe.task.classes), as_bits=True)

    def _check_sizes(self) -> None:
        depths = {self._shelf.framings[place.volume].framed[0] for place in self._places}
        if self._shelf.whole_volumes and len(depths) > 1 and self._recipe.training.batch > 1:
            raise ModelError(
                f"Volumes of {min(depths)} to {max(depths)} slices cannot be put into one batch.",
                hint="Set image.depth to a number of slices, or training.batch to 1.",
            )

    def _check_ranks(self, ranks: int) -> None:
        smallest = min(self._recipe.training.batch, len(self))
        if ranks > smallest:
            raise ModelError(
                f"A batch of {smallest} cannot be shared among {ranks} devices.",
                hint="Use fewer devices, or set training.batch to a multiple of their number.",
            )

    def _chance(self, *key: int) -> Chance:
        """A source of chance for (epoch) or (epoch, sample); far apart for near keys."""
        seed = np.random.SeedSequence((self._recipe.training.seed % 2**32, *key))
        return Chance().manual_seed(int(seed.generate_state(1, np.uint64)[0] >> np.uint64(1)))


def _check_volume(volume: LabelledVolume, recipe: Recipe) -> None:
    if volume.colours != recipe.task.colours or volume.image.shape[:3] != volume.possible.shape:
        seen = " x ".join(map(str, volume.image.shape))
        labels = " x ".join(map(str, volume.possible.shape))
        raise ModelError(
            f"{volume.name} has an image of {seen} and labels of {labels}; {recipe.data.task} "
            f"needs {recipe.task.colours} channels a pixel and labels of the same size.",
            hint="Give data of one kind only, or leave that patient out (split.leave_out).",
        )
