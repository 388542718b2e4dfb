"""Every score of one class in one volume."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.errors import GridMismatchError
from engine.scoring.distance import (
    SliceDistances,
    SurfaceScores,
    score_surfaces,
    slice_distances,
    union_box,
)

Counts = NDArray[np.int64]
Spacing = tuple[float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class StructureScores:
    """How one class was found in one volume.

    Attributes:
        shared: Pixels of both sides on each slice, (z,).
        predicted: Pixels of the prediction, (z,).
        reference: Pixels of the reference, (z,).
        voxel_count: Voxels of the whole volume.
        voxel_ml: Volume of one of them [ml].
        surfaces: Distances in space; None where a side is empty.
        planes: Distances in the plane, slice by slice.
    """

    shared: Counts = field(repr=False)
    predicted: Counts = field(repr=False)
    reference: Counts = field(repr=False)
    voxel_count: int
    voxel_ml: float
    surfaces: SurfaceScores | None
    planes: SliceDistances

    @property
    def empty(self) -> Literal["both", "predicted", "reference"] | None:
        """Which side has none of the class."""
        if self.predicted.any():
            return None if self.reference.any() else "reference"
        return "predicted" if self.reference.any() else "both"

    @property
    def dice(self) -> float:
        """2|A and B| / (|A| + |B|); 1 where both are empty."""
        size = int(self.predicted.sum() + self.reference.sum())
        return 2 * int(self.shared.sum()) / size if size else 1.0

    def as_json(self, *, both_empty_mm: float | None = 0.0) -> dict[str, float | None]:
        """Scores for a file: overlap 0 to 1, distances in mm, volumes in ml.

        Args:
            both_empty_mm: The distance where both sides are empty. Papers take 0, since the two
                agree; None says that there is nothing to measure.

        Returns:
            `dice` and `iou` are 1 where both sides are empty. `precision`, `recall` and
            `specificity` are None for 0/0. Distances are None where one side alone is empty;
            `hausdorff_2d_mm` is the median over slices and `slices_excluded` counts the slices
            on which one side alone is empty.
        """
        shared, predicted, reference = (
            int(counts.sum()) for counts in (self.shared, self.predicted, self.reference)
        )
        outside = self.voxel_count - reference
        far = both_empty_mm if self.empty == "both" else None
        found = self.surfaces
        return {
            "dice": self.dice,
            "iou": self.dice / (2 - self.dice),
            "precision": shared / predicted if predicted else None,
            "recall": shared / reference if reference else None,
            "specificity": (outside - predicted + shared) / outside if outside else None,
            "hausdorff_mm": found.hausdorff_mm if found else far,
            "hausdorff95_mm": found.hausdorff95_mm if found else far,
            "mean_surface_distance_mm": found.mean_mm if found else far,
            "hausdorff_2d_mm": far if self.empty == "both" else self.planes.median_mm,
            "slices_excluded": self.planes.excluded,
            "volume_ml": predicted * self.voxel_ml,
            "reference_ml": reference * self.voxel_ml,
        }


def score_structures(
    predicted: NDArray[np.uint8],
    reference: NDArray[np.uint8],
    *,
    classes: Sequence[str],
    spacing_mm: Spacing,
    known: Mapping[str, StructureScores] | None = None,
) -> dict[str, StructureScores]:
    """Score every class but the background in one volume.

    Args:
        predicted: Class numbers, (z, y, x).
        reference: The same shape.
        classes: Names by class number, the background first.
        spacing_mm: (z, y, x) of the grid as it was scanned; volumes and distances follow it.
        known: Scores that are taken over, since nothing changed for these classes.

    Raises:
        GridMismatchError: The shapes differ, or are not (z, y, x).
    """
    if predicted.shape != reference.shape or predicted.ndim != 3:
        raise GridMismatchError(
            f"The prediction is {predicted.shape} voxels and the reference {reference.shape}; "
            "both should be of one size (z, y, x).",
            hint="Compare label maps of one image, phase by phase; a picture is (1, y, x).",
        )
    window = _window(union_box(predicted > 0, reference > 0), reference.shape)
    known = known or {}
    scores = {}
    for number, name in enumerate(classes[1:], start=1):
        if name in known:
            scores[name] = known[name]
        else:
            scores[name] = _score_structure(
                predicted[window] == number,
                reference[window] == number,
                voxel_count=reference.size,
                spacing_mm=spacing_mm,
            )
    return scores


def _window(box: tuple[slice, ...] | None, shape: tuple[int, ...]) -> tuple[slice, ...]:
    """All slices, and of each only what a box holds, with a pixel around where there is one.

    The pixel keeps an axis from shrinking to one voxel, which would stand for a flat picture.
    """
    if box is None:
        return (slice(None), slice(0, 0), slice(0, 0))
    rows, columns = (
        slice(max(0, part.start - 1), min(length, part.stop + 1))
        for part, length in zip(box[1:], shape[1:], strict=True)
    )
    return (slice(None), rows, columns)


def _score_structure(
    predicted: NDArray[np.bool_],
    reference: NDArray[np.bool_],
    *,
    voxel_count: int,
    spacing_mm: Spacing,
) -> StructureScores:
    return StructureScores(
        shared=_per_slice(predicted & reference),
        predicted=_per_slice(predicted),
        reference=_per_slice(reference),
        voxel_count=voxel_count,
        voxel_ml=float(np.prod(spacing_mm)) / 1000,
        surfaces=score_surfaces(predicted, reference, spacing_mm=spacing_mm),
        planes=slice_distances(predicted, reference, spacing_mm=spacing_mm),
    )


def _per_slice(mask: NDArray[np.bool_]) -> Counts:
    return np.asarray(np.count_nonzero(mask, axis=(1, 2)), np.int64)
