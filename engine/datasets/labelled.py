"""Labelled patients as training sees them."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.structures import Structure

EVERYTHING = sum(1 << structure for structure in Structure)
"""Bits of a pixel about which nothing is known."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelledVolume:
    """One phase of one patient, or slices that belong together.

    Attributes:
        name: Patient and phase.
        image: Grey values (z, y, x).
        possible: Bits of the structures each voxel may be, (z, y, x) uint8; one bit where the
            label is certain.
        spacing_mm: (z, y, x) [mm].
        phase: `ED`, `ES` or empty.
    """

    name: str
    image: NDArray[np.generic] = field(repr=False)
    possible: NDArray[np.uint8] = field(repr=False)
    spacing_mm: tuple[float, float, float]
    phase: str = ""

    @property
    def complete(self) -> bool:
        """Whether every voxel has a certain label, so that the volume can be scored."""
        return bool(np.isin(self.possible, [1 << s for s in Structure]).all())

    def labels(self) -> NDArray[np.uint8]:
        """The `Structure` number of every voxel, (z, y, x); for complete volumes."""
        assert self.complete
        return np.log2(self.possible).astype(np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class LabelledPatient:
    """All labelled volumes of one patient: the unit in which data are split."""

    name: str
    group: str
    volumes: tuple[LabelledVolume, ...]


def bits_of(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Turn certain labels, any shape, into bits of the same shape."""
    return np.left_shift(np.uint8(1), labels.astype(np.uint8)).astype(np.uint8)
