"""Batches of augmented training slices."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.datasets.augment import Limits, change_intensity, cut_patch, draw_placement
from engine.datasets.labelled import LabelledPatient
from engine.datasets.preprocess import scale_intensity

_ANYWHERE = 0.15  # share of patches cut far from the heart: what is not a heart is learned there


@dataclass(frozen=True, slots=True, eq=False)
class TrainingSlice:
    """One slice, ready to be cut.

    Attributes:
        image: Scaled grey values, (y, x) float32.
        possible: Bits, (y, x) uint8.
        spacing_mm: (y, x) [mm].
        centre: Middle of the heart (y, x) [pixels].
    """

    image: Tensor
    possible: Tensor
    spacing_mm: tuple[float, float]
    centre: tuple[float, float]


def make_training_slices(
    patients: Sequence[LabelledPatient], *, low_percentile: float, high_percentile: float
) -> list[TrainingSlice]:
    """Scale every volume and take it apart into slices."""
    slices = []
    for patient in patients:
        for volume in patient.volumes:
            image = scale_intensity(
                volume.image, low_percentile=low_percentile, high_percentile=high_percentile
            )
            whole = _centre_of(volume.possible)
            for z in range(image.shape[0]):
                slices.append(
                    TrainingSlice(
                        torch.from_numpy(np.ascontiguousarray(image[z])),
                        torch.from_numpy(np.ascontiguousarray(volume.possible[z])),
                        volume.spacing_mm[1:],
                        _centre_of(volume.possible[z : z + 1]) or whole or _middle(image[z].shape),
                    )
                )
    return slices


def _centre_of(possible: NDArray[np.uint8]) -> tuple[float, float] | None:
    """Mean position (y, x) of what is certainly heart, in a (z, y, x) array; None if nothing."""
    _, rows, columns = np.nonzero((possible & 1) == 0)
    return (float(rows.mean()), float(columns.mean())) if rows.size else None


def _middle(shape: tuple[int, ...]) -> tuple[float, float]:
    return (shape[0] - 1) / 2, (shape[1] - 1) / 2


def batches(
    slices: Sequence[TrainingSlice],
    *,
    batch: int,
    patch: int,
    pixel_mm: float,
    limits: Limits,
    seed: int,
) -> Iterator[tuple[Tensor, Tensor]]:
    """One epoch of augmented batches, each slice once, in an order drawn from `seed`.

    Yields:
        Images (b, 1, patch, patch) float32 and bits (b, patch, patch) int64.
    """
    random = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(slices), generator=random).tolist()
    for start in range(0, len(order) - batch + 1, batch):
        chosen = [slices[index] for index in order[start : start + batch]]
        placements = draw_placement(len(chosen), limits, random)
        cut = torch.stack(
            [
                _cut(one, placement, patch, pixel_mm, random)
                for one, placement in zip(chosen, placements, strict=True)
            ]
        )
        images = change_intensity(cut[:, :1], limits, random)
        yield images, cut[:, 1].round().long()


def _cut(
    one: TrainingSlice,
    placement: Tensor,
    patch: int,
    pixel_mm: float,
    random: torch.Generator,
) -> Tensor:
    row_mm, column_mm = one.spacing_mm
    scale = torch.tensor([[pixel_mm / column_mm], [pixel_mm / row_mm]])  # x first
    matrix = placement * scale
    y, x = one.centre
    if torch.rand(1, generator=random).item() < _ANYWHERE:
        height, width = one.image.shape
        y, x = (torch.rand(2, generator=random) * torch.tensor([height, width])).tolist()
    matrix[:, 2] += torch.tensor([x, y])
    return cut_patch(one.image, one.possible, matrix, patch=patch)
