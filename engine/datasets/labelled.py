"""Labelled patients as training sees them."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.tasks import TASKS


@dataclass(frozen=True, slots=True, eq=False)
class LabelledVolume:
    """One phase of one patient, or slices that belong together.

    Attributes:
        name: Patient and phase.
        image: Grey values (z, y, x), or colours (z, y, x, 3).
        possible: Bits of the classes each voxel may be, (z, y, x) uint8: bit c for class c of
            the patient's task; one bit where the label is certain.
        spacing_mm: (z, y, x) [mm]; 1 where the source has no millimetres (photographs).
        phase: `ED`, `ES` or empty.
        adjacent: Whether slices that follow each other here are neighbours in the body.
    """

    name: str
    image: NDArray[np.generic] = field(repr=False)
    possible: NDArray[np.uint8] = field(repr=False)
    spacing_mm: tuple[float, float, float]
    phase: str = ""
    adjacent: bool = True

    @property
    def complete(self) -> bool:
        """Whether every voxel has a certain label, so that the volume can be scored."""
        return all_certain(self.possible)

    def labels(self) -> NDArray[np.uint8]:
        """The class number of every voxel, (z, y, x); for complete volumes."""
        assert self.complete
        return np.log2(self.possible).astype(np.uint8)

    @property
    def colours(self) -> int:
        """Channels of a pixel: 1 grey, 3 colour."""
        return 1 if self.image.ndim == 3 else self.image.shape[3]


@dataclass(frozen=True, slots=True, eq=False)
class LabelledPatient:
    """All labelled volumes of one patient: the unit in which data are split.

    Attributes:
        name: Unlike that of every other patient.
        group: What splits spread evenly, e.g. the diagnosis; may be empty.
        volumes: One or more.
        task: Whose classes the bits name, see `engine.tasks`.
    """

    name: str
    group: str
    volumes: tuple[LabelledVolume, ...]
    task: str = "short_axis"


def bits_of(labels: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Turn certain labels, any shape, into bits of the same shape."""
    return np.left_shift(np.uint8(1), labels.astype(np.uint8)).astype(np.uint8)


def all_certain(possible: NDArray[np.uint8]) -> bool:
    """Whether each of the bits, any shape, names one class and no more."""
    return bool(((possible != 0) & (possible & (possible - np.uint8(1)) == 0)).all())


def everything(task: str) -> int:
    """Bits of a pixel of this task about which nothing is known."""
    return (1 << len(TASKS[task].classes)) - 1


def class_table(task: str) -> NDArray[np.uint8]:
    """Class of each `Structure` number in a task of the heart, (256,) uint8.

    Structures that the task does not look for are background.
    """
    table = np.zeros(256, np.uint8)
    for number, structure in enumerate(TASKS[task].structures):
        table[structure] = number
    return table
