"""Turns label files into label maps on the grid of a stack, or says why they do not fit."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import HeartSegError
from engine.io.geometry_guard import check_label_grid, has_blocking
from engine.io.label_values import meaning_of
from engine.io.nifti import NiftiImage, read_labels
from engine.labelmap import LabelMap
from engine.progress import Steps
from engine.study import Origin, Problem, Provenance, Stack, StoredLabels

_REFERENCE_WORDS = ("gt", "manual", "labelstr", "label", "labels", "groundtruth", "laendo")


@dataclass(frozen=True, slots=True, eq=False)
class FittedLabels:
    """Label maps that fit, and the problems of those that do not."""

    labels: tuple[StoredLabels, ...] = ()
    problems: tuple[Problem, ...] = field(default=())


def fit_labels(
    stack: Stack, number: int, files: Sequence[tuple[Path, int | None]]
) -> Steps[FittedLabels]:
    """Read label files of one stack into one label map.

    A file that does not fit is left out and becomes a blocking problem; the image stays open.

    Args:
        stack: The stack that the labels belong to.
        number: Its index.
        files: Each file with the phase it labels; None if it holds all phases of the stack.
    """
    geometry = stack.cine.geometry
    voxels = np.zeros(stack.cine.shape, np.uint8)
    problems: list[Problem] = []
    used: list[Path] = []
    for file, phase in files:
        try:
            image = yield from read_labels(file, geometry)
        except HeartSegError as error:
            problems.append(Problem(error.what, str(file), error.hint, blocking=True))
            continue
        expected = stack.cine.phase_count if phase is None else 1
        found = check_place(image, stack, phases=expected)
        if not found:
            meaning = meaning_of(file, distinct(image.voxels), where=str(file))
            found = list(meaning.problems)
        problems.extend(found)
        if has_blocking(found):
            continue
        used.append(file)
        place = slice(None) if phase is None else slice(phase, phase + 1)
        voxels[place] = meaning.structures(image.voxels)
    if not used:
        return FittedLabels((), tuple(problems))
    name = used[0].name if len(used) == 1 else f"{used[0].name} and {len(used) - 1} more"
    provenance = Provenance(origin=origin_of(used[0]), source=", ".join(map(str, used)))
    stored = StoredLabels(name, number, LabelMap(voxels, geometry), provenance, tuple(used))
    return FittedLabels((stored,), tuple(problems))


def check_place(image: NiftiImage, stack: Stack, *, phases: int) -> list[Problem]:
    """Whether a label file has the grid and the phases of labels on a stack."""
    where = str(image.file)
    problems = check_label_grid(image.geometry, stack.cine.geometry, where=where)
    if problems:
        return problems
    if image.voxels.shape[0] == phases:
        return []
    return [
        Problem(
            f"The labels have {image.voxels.shape[0]} phases, the image {phases}.",
            where,
            "Give a label file with as many phases as the image; it is not used.",
            blocking=True,
        )
    ]


def distinct(voxels: NDArray[np.generic]) -> NDArray[np.generic]:
    """The values that occur, sorted; by counting where they fit a byte, which is faster."""
    if voxels.dtype.kind in "iu" and bool(voxels.min() >= 0) and bool(voxels.max() < 256):
        return np.flatnonzero(np.bincount(voxels.astype(np.uint8).reshape(-1), minlength=256))
    return np.unique(voxels)


def origin_of(file: Path) -> Origin:
    """What the name of a label file says about who made it."""
    words = [*file.name.lower().replace(".", "_").split("_"), file.parent.name.lower()]
    return Origin.REFERENCE if set(words) & set(_REFERENCE_WORDS) else Origin.UNKNOWN
