"""Label maps and the patches that change them."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.errors import GridMismatchError
from engine.geometry import Geometry
from engine.structures import ALL_STRUCTURES, Structure, classes_of

Indices = NDArray[np.intp]

SlicePlace = tuple[int, int]
"""(phase, slice), both 0-based."""


def slice_start(shape: tuple[int, int, int, int], phase: int, slice_index: int) -> int:
    """The flat position of the first voxel of a slice in a map of `shape` (t, z, y, x)."""
    return (phase * shape[1] + slice_index) * shape[2] * shape[3]


def structures_in(voxels: NDArray[np.uint8]) -> tuple[Structure, ...]:
    """The structures that labels of any shape hold, in numeric order, the background left out."""
    return tuple(each for each in ALL_STRUCTURES if bool((voxels == each).any()))


def keep_others(before: NDArray[np.uint8], predicted: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A prediction beside what it knows nothing of.

    A model of the ventricles leaves the left atrium where it is and the other way round: such
    voxels stay where the prediction has nothing. What it knows is told by what it found.

    Args:
        before: Labels as they are, any shape.
        predicted: The same shape.
    """
    if max(before.max(initial=0), predicted.max(initial=0)) < Structure.LEFT_ATRIUM:
        return predicted  # ventricles everywhere, as nearly always: quickly told
    known = np.zeros(256, bool)
    known[list(classes_of(structures_in(predicted)))] = True
    others = ~known[before]
    return np.where(others & (predicted == 0), before, predicted) if others.any() else predicted


@dataclass(frozen=True, slots=True, eq=False)
class LabelPatch:
    """A change of some voxels of a label map, in both directions.

    Attributes:
        indices: Flat positions in the (t, z, y, x) array, (n,), unique.
        before: `Structure` number of each voxel before the change, (n,) uint8.
        after: The same after the change, (n,) uint8.
    """

    indices: Indices = field(repr=False)
    before: NDArray[np.uint8] = field(repr=False)
    after: NDArray[np.uint8] = field(repr=False)

    def __post_init__(self) -> None:
        assert self.indices.shape == self.before.shape == self.after.shape

    def __len__(self) -> int:
        return int(self.indices.size)

    def inverse(self) -> "LabelPatch":
        """The patch that takes this one back."""
        return LabelPatch(self.indices, self.after, self.before)

    def then(self, later: "LabelPatch") -> "LabelPatch":
        """One patch that does this one and then `later`."""
        indices, first = np.unique(np.concatenate([self.indices, later.indices]), return_index=True)
        before = np.concatenate([self.before, later.before])[first]
        after = np.concatenate([self.after, later.after])[first]
        after[np.searchsorted(indices, later.indices)] = later.after
        changed = before != after
        return LabelPatch(indices[changed], before[changed], after[changed])

    def slices(self, shape: tuple[int, int, int, int]) -> set[tuple[int, int]]:
        """The (phase, slice) pairs in which a map of `shape` (t, z, y, x) changes."""
        plane = shape[2] * shape[3]
        numbers = np.unique(self.indices // plane)
        return {divmod(int(number), shape[1]) for number in numbers}

    def box_in(
        self, phase: int, slice_index: int, shape: tuple[int, int, int, int]
    ) -> tuple[int, int, int, int] | None:
        """The part of one slice that changes, as (top, bottom, left, right), ends excluded.

        None where that slice does not change.
        """
        plane = shape[2] * shape[3]
        start = slice_start(shape, phase, slice_index)
        inside = self.indices[(self.indices >= start) & (self.indices < start + plane)] - start
        if inside.size == 0:
            return None
        rows, columns = inside // shape[3], inside % shape[3]
        return (
            int(rows.min()),
            int(rows.max()) + 1,
            int(columns.min()),
            int(columns.max()) + 1,
        )


class LabelMap:
    """The structure of every voxel of a cine, (t, z, y, x) uint8.

    It changes by `apply` alone; `voxels` is a read-only view.
    """

    def __init__(self, voxels: NDArray[np.uint8], geometry: Geometry) -> None:
        if voxels.ndim != 4 or voxels.shape[1:] != geometry.shape:
            raise GridMismatchError(
                f"The label map is {voxels.shape} voxels, but the cine is "
                f"(t, *{geometry.shape}) (t, z, y, x).",
                hint="It was probably drawn on another series. Open it together with that one.",
            )
        self._voxels = np.array(voxels, dtype=np.uint8, order="C")  # a copy of our own
        self.geometry = geometry

    @classmethod
    def empty(cls, phase_count: int, geometry: Geometry) -> "LabelMap":
        """A map of background on `phase_count` phases."""
        return cls(np.zeros((phase_count, *geometry.shape), np.uint8), geometry)

    @property
    def voxels(self) -> NDArray[np.uint8]:
        """(t, z, y, x) uint8, a read-only view."""
        view = self._voxels.view()
        view.setflags(write=False)
        return view

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Number of voxels (t, z, y, x)."""
        t, z, y, x = self._voxels.shape
        return (t, z, y, x)

    def apply(self, patch: LabelPatch) -> None:
        """Change the voxels that `patch` names."""
        self._voxels.reshape(-1)[patch.indices] = patch.after

    def patch_to(self, wanted: NDArray[np.uint8]) -> LabelPatch:
        """The patch that turns this map into `wanted`, (t, z, y, x)."""
        assert wanted.shape == self._voxels.shape
        before, after = self._voxels.reshape(-1), wanted.reshape(-1)
        indices = np.flatnonzero(before != after)
        return LabelPatch(indices, before[indices], after[indices].astype(np.uint8))

    def patch_phase(self, phase: int, wanted: NDArray[np.uint8]) -> LabelPatch:
        """The patch that turns one phase of this map into `wanted`, (z, y, x)."""
        before, after = self._voxels[phase].reshape(-1), wanted.reshape(-1)
        assert before.shape == after.shape
        places = np.flatnonzero(before != after)
        indices = places + phase * before.size
        return LabelPatch(indices, before[places], after[places].astype(np.uint8))

    def patch_slice(self, phase: int, slice_index: int, wanted: NDArray[np.uint8]) -> LabelPatch:
        """The patch that turns one slice of this map into `wanted`, (y, x)."""
        before, after = self._voxels[phase, slice_index].reshape(-1), wanted.reshape(-1)
        assert wanted.shape == self._voxels.shape[2:]
        places = np.flatnonzero(before != after)
        indices = places + slice_start(self.shape, phase, slice_index)
        return LabelPatch(indices, before[places], after[places].astype(np.uint8))

    def patch_at(self, indices: Indices, structure: int) -> LabelPatch:
        """The patch that gives `structure` to the voxels at flat `indices`."""
        before = self._voxels.reshape(-1)[indices]
        changed = before != structure
        indices, before = indices[changed], before[changed]
        return LabelPatch(indices, before, np.full_like(before, structure))

    def labelled_phases(self) -> list[int]:
        """Phases in which at least one voxel is not background."""
        return [t for t in range(self.shape[0]) if self._voxels[t].any()]

    def copy(self) -> "LabelMap":
        """A map of its own with the same content."""
        return LabelMap(self._voxels, self.geometry)
