"""How far a model contradicts itself when it sees the heart mirrored: a stand-in for its doubt."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from engine.cine import Cine
from engine.labelmap import LabelMap
from engine.learning.checkpoint import Model
from engine.learning.inference import predict
from engine.progress import Steps, within
from engine.structures import ALL_STRUCTURES

MIRRORED: tuple[tuple[int, ...], ...] = ((-1,), (-2,), (-2, -1))
"""Axes along which the images are mirrored: x, y, both."""

_TRUE_SHARE = 2.5
"""True error over the mean disagreement of the mirrored views with the plain one, 2.45 in the 320
slices of the 16 ACDC patients that the shipped model was not trained on. Spearman correlation with
the true error 0.80, that of its doubt 0.88; the first 20 % of the slices hold 35 % of the error, by
the doubt 37 %, at best 39 %."""


def flip_errors_ml(
    model: Model,
    cine: Cine,
    labels: LabelMap,
    phases: Sequence[int],
    *,
    device: str = "auto",
) -> Steps[Mapping[int, NDArray[np.float64]]]:
    """The error that is to be expected on each slice, for labels without a stored doubt.

    The model labels the phases as they are and mirrored along x, along y and along both. Its own
    error on a slice is taken to be the mean volume in which the mirrored views differ from the
    plain one, missed and added, summed over the structures, times what the shipped model's errors
    are to that. Where the labels differ from the plain view by more, they are not its own, and
    that difference counts. It is the same quantity as `PhaseDoubt.expected_error_ml`; for other
    models it only ranks slices.

    Args:
        model: That made the labels, or another one for the short axis. It should have been trained
            on mirrored hearts.
        cine: The images.
        labels: What is doubted.
        phases: Which are looked at, 0-based.
        device: auto, cpu or cuda.

    Returns:
        Phase -> (z,) [ml].

    Raises:
        ModelError: The device is not usable, or the model was made for something else.
    """
    views: tuple[tuple[int, ...], ...] = ((), *MIRRORED)
    found: list[NDArray[np.uint8]] = []
    for number, axes in enumerate(views):
        voxels = np.ascontiguousarray(np.flip(cine.voxels, axes))
        steps = predict(
            model, replace(cine, voxels=voxels), phases=list(phases), device=device, judge=False
        )
        seen = yield from within(steps, number, len(views), "Looking at mirrored images")
        found.append(np.flip(seen.voxels, axes))
    plain, *mirrored = found
    voxel_ml = cine.geometry.voxel_ml
    errors = {}
    for phase in phases:
        apart = np.mean([_differing(view[phase], plain[phase]) for view in mirrored], axis=0)
        others = _differing(labels.voxels[phase], plain[phase])
        errors[phase] = voxel_ml * np.maximum(_TRUE_SHARE * apart, others)
    return errors


def _differing(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Voxels of each slice that one has and the other has not, over all structures, (z,)."""
    planes = tuple(
        np.count_nonzero((first == structure) != (second == structure), axis=(1, 2))
        for structure in ALL_STRUCTURES
    )
    return np.asarray(np.sum(planes, axis=0), np.int64)
