"""Edits of a label map as pure functions: each gives a patch and changes nothing itself."""

import numpy as np
from numpy.typing import NDArray

from engine.labelmap import LabelMap, LabelPatch
from engine.structures import Structure

Point = tuple[float, float]
"""(y, x) in voxels; whole numbers are voxel centres."""


def brush_mark(
    start: Point,
    end: Point,
    *,
    radius_mm: float,
    spacing_mm: tuple[float, float],
    shape: tuple[int, int],
) -> NDArray[np.intp]:
    """Voxels of one slice under a round brush dragged from `start` to `end`.

    The mark is every voxel whose centre lies within `radius_mm` of the segment, so that strokes
    have no gaps however far apart the mouse samples are. The voxel under `end` always belongs
    to it: the smallest brush still paints one voxel.

    Args:
        start: Where the movement began.
        end: Where it ended.
        radius_mm: Brush radius [mm].
        spacing_mm: In-plane voxel distance (y, x) [mm].
        shape: Voxels of the slice (y, x).

    Returns:
        Flat indices in the slice, (n,), rising.
    """
    row_mm, column_mm = spacing_mm
    reach_y, reach_x = radius_mm / row_mm, radius_mm / column_mm
    top = max(0, int(np.floor(min(start[0], end[0]) - reach_y)))
    bottom = min(shape[0], int(np.ceil(max(start[0], end[0]) + reach_y)) + 1)
    left = max(0, int(np.floor(min(start[1], end[1]) - reach_x)))
    right = min(shape[1], int(np.ceil(max(start[1], end[1]) + reach_x)) + 1)
    if top >= bottom or left >= right:
        return np.empty(0, np.intp)

    y_mm = ((np.arange(top, bottom) - start[0]) * row_mm)[:, None]
    x_mm = ((np.arange(left, right) - start[1]) * column_mm)[None, :]
    along_y, along_x = (end[0] - start[0]) * row_mm, (end[1] - start[1]) * column_mm
    length_squared = along_y**2 + along_x**2
    if length_squared > 0:
        part = np.clip((y_mm * along_y + x_mm * along_x) / length_squared, 0, 1)
        distance_squared = (y_mm - part * along_y) ** 2 + (x_mm - part * along_x) ** 2
    else:
        distance_squared = y_mm**2 + x_mm**2
    inside = distance_squared <= radius_mm**2
    under_y, under_x = round(end[0]), round(end[1])
    if top <= under_y < bottom and left <= under_x < right:
        inside[under_y - top, under_x - left] = True
    rows, columns = np.nonzero(inside)
    return (rows + top) * shape[1] + columns + left


def paint(
    labels: LabelMap,
    mark: NDArray[np.intp],
    *,
    phase: int,
    slice_index: int,
    structure: Structure,
    only: Structure | None = None,
) -> LabelPatch:
    """The patch that gives `structure` to a mark in one slice.

    Args:
        labels: The map as it is.
        mark: Flat indices in the slice, as `brush_mark` gives them.
        phase: Phase (t) that is painted.
        slice_index: Slice (z) that is painted.
        structure: What to paint; `Structure.BACKGROUND` erases.
        only: Change voxels of this structure alone, or all where None.
    """
    _, slices, height, width = labels.shape
    indices = mark + (phase * slices + slice_index) * height * width
    if only is not None:
        indices = indices[labels.voxels.reshape(-1)[indices] == only]
    return labels.patch_at(indices, structure)
