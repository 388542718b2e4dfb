"""Voxels of each structure on each slice, kept up to date while labels are edited."""

import numpy as np
from numpy.typing import NDArray

from engine.clinical.volumes import VolumeCurve
from engine.labelmap import LabelMap, LabelPatch, SlicePlace
from engine.structures import ALL_STRUCTURES, Structure


class VoxelTally:
    """Counts the voxels of a label map once, then only what patches change.

    A patch costs as much as it has voxels, however large the map is: volumes can be read out while
    a brush moves.

    Args:
        labels: The map as it is now; it is not kept.
    """

    def __init__(self, labels: LabelMap) -> None:
        self._shape = labels.shape
        self._slice_ml = labels.geometry.voxel_ml
        self._counts = np.zeros((*labels.shape[:2], len(Structure)), np.int64)  # (t, z, structure)
        for phase, voxels in enumerate(labels.voxels):
            heart = _cut_out(voxels)
            for structure in ALL_STRUCTURES:
                found = np.count_nonzero(heart == structure, axis=(1, 2))
                self._counts[phase, :, structure] = found

    def take(self, patch: LabelPatch) -> None:
        """Count a patch that was applied to the map."""
        slices = patch.indices // (self._shape[2] * self._shape[3])
        places = slices * len(Structure)
        gained = np.bincount(places + patch.after, minlength=self._counts.size)
        lost = np.bincount(places + patch.before, minlength=self._counts.size)
        self._counts += (gained - lost).reshape(self._counts.shape)
        self._counts[..., Structure.BACKGROUND] = 0

    def __contains__(self, place: SlicePlace) -> bool:
        """Whether the map has this phase and slice, 0-based."""
        return all(0 <= at < count for at, count in zip(place, self._shape, strict=False))

    @property
    def counts(self) -> NDArray[np.int64]:
        """Voxels of each structure on each slice, (t, z, 5), a read-only view; background is 0."""
        view = self._counts.view()
        view.setflags(write=False)
        return view

    def slice_ml(self, phase: int, slice_index: int, structure: Structure) -> float:
        """Volume of a structure on one slice [ml]: area times the distance of slice centres."""
        return float(self._counts[phase, slice_index, structure] * self._slice_ml)

    def slices_ml(self, phase: int, structure: Structure) -> NDArray[np.float64]:
        """The same on each slice of a phase, (z,)."""
        return np.asarray(self._counts[phase, :, structure] * self._slice_ml, np.float64)

    def labelled_phases(self) -> tuple[int, ...]:
        """Phases with at least one voxel of a structure, rising."""
        return tuple(np.flatnonzero(self._counts.any(axis=(1, 2))).tolist())

    def curve(self, structure: Structure) -> VolumeCurve:
        """The volume in every labelled phase, as `engine.clinical.volumes.make_curve` gives it."""
        phases = self.labelled_phases()
        volumes = self._counts[list(phases), :, structure].sum(axis=1) * self._slice_ml
        return VolumeCurve(structure, phases, tuple(float(ml) for ml in volumes))


def _cut_out(voxels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The labelled part of a phase, (z, y, x): counting all of a large picture takes long."""
    seen = np.bitwise_or.reduce(voxels, axis=0)  # (y, x)
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    if rows.size == 0:
        return voxels[:, :0, :0]
    return voxels[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
