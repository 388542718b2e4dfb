"""From voxels to pixels: grey values, label colours and outlines, all in numpy."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QImage

from engine.geometry import Geometry
from engine.structures import ALL_STRUCTURES
from heartseg_gui.documents.display_state import DisplayState
from heartseg_gui.documents.patient_terms import turned_axes

Pixels = NDArray[np.uint32]
"""(y, x) uint32, each 0xAARRGGBB: the memory of a 32-bit QImage."""

Box = tuple[int, int, int, int]
"""(top, bottom, left, right) in voxels, ends excluded."""

_OPAQUE = 0xFF000000
_PATIENT_LETTERS = (("R", "L"), ("A", "P"), ("H", "F"))  # towards +, towards - of RAS
_LEAST_SHARE = 0.3  # of a direction that deserves a second letter


@dataclass(frozen=True, slots=True)
class SlicePlane:
    """How one slice lies on the screen.

    It is turned as `turned_axes` says.

    Attributes:
        height: Number of voxels (y).
        width: Number of voxels (x).
        row_mm: Distance of rows [mm].
        column_mm: Distance of columns [mm].
        flip_y: Whether the last row is shown on top.
        flip_x: Whether the last column is shown on the left.
    """

    height: int
    width: int
    row_mm: float
    column_mm: float
    flip_y: bool = False
    flip_x: bool = False

    @classmethod
    def of(cls, geometry: Geometry) -> "SlicePlane":
        """The plane of every slice of a stack."""
        _, height, width = geometry.shape
        _, row_mm, column_mm = geometry.spacing_mm
        flip_y, flip_x = turned_axes(geometry)
        return cls(height, width, row_mm, column_mm, flip_y, flip_x)

    @property
    def size_mm(self) -> tuple[float, float]:
        """Width and height on the screen [mm]."""
        return self.width * self.column_mm, self.height * self.row_mm

    def turn(self, voxels: NDArray[np.generic]) -> NDArray[np.generic]:
        """A view of (y, x, ...) in the order of the screen."""
        return voxels[:: -1 if self.flip_y else 1, :: -1 if self.flip_x else 1]

    def turn_box(self, box: Box) -> Box:
        """Where a box of voxels lies in the order of the screen; it is its own inverse."""
        top, bottom, left, right = box
        if self.flip_y:
            top, bottom = self.height - bottom, self.height - top
        if self.flip_x:
            left, right = self.width - right, self.width - left
        return top, bottom, left, right

    def to_voxel(self, across_mm: float, down_mm: float) -> tuple[float, float]:
        """The point (y, x) in voxels that lies there on the screen."""
        x, y = across_mm / self.column_mm - 0.5, down_mm / self.row_mm - 0.5
        return (
            self.height - 1 - y if self.flip_y else y,
            self.width - 1 - x if self.flip_x else x,
        )

    def to_mm(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where points (n, 2) of (y, x) voxels lie on the screen, (n, 2) as (across, down) [mm]."""
        y, x = points[:, 0], points[:, 1]
        rows = self.height - 1 - y if self.flip_y else y
        columns = self.width - 1 - x if self.flip_x else x
        return np.stack([(columns + 0.5) * self.column_mm, (rows + 0.5) * self.row_mm], axis=1)


def edge_letters(geometry: Geometry, plane: SlicePlane) -> tuple[str, str, str, str]:
    """The patient's directions at the left, right, upper and lower edge, e.g. `RA`."""
    right = geometry.affine[:3, 0] * (-1 if plane.flip_x else 1)
    down = geometry.affine[:3, 1] * (-1 if plane.flip_y else 1)
    return _letters(-right), _letters(right), _letters(-down), _letters(down)


def _letters(direction: NDArray[np.float64]) -> str:
    shares = direction / np.linalg.norm(direction)
    order = sorted(range(3), key=lambda axis: -abs(shares[axis]))[:2]
    return "".join(
        _PATIENT_LETTERS[axis][int(shares[axis] < 0)]
        for axis in order
        if abs(shares[axis]) >= _LEAST_SHARE
    )


class GreyTable:
    """Voxels to grey of 8 bits for one window; a table for integers of up to 16 bits."""

    def __init__(self, level: float, width: float, dtype: np.dtype[np.generic]) -> None:
        self._low = level - width / 2
        self._scale = 255 / width
        self._table: NDArray[np.uint8] | None = None
        self._index_type: type[np.unsignedinteger] = np.uint8 if dtype.itemsize == 1 else np.uint16
        if dtype.kind in "iu" and dtype.itemsize <= 2:
            count = 1 << (8 * dtype.itemsize)
            values = np.arange(count, dtype=self._index_type).view(dtype)
            self._table = np.empty(count, np.uint8)
            self._compute(values, self._table)

    def draw(self, voxels: NDArray[np.generic], out: NDArray[np.uint8]) -> None:
        """Write the grey values of a slice, both (y, x)."""
        if self._table is None:
            self._compute(voxels, out)
        else:
            # "clip" only spares the check of indices that cannot be out of range
            np.take(self._table, voxels.view(self._index_type), out=out, mode="clip")

    def _compute(self, voxels: NDArray[np.generic], out: NDArray[np.uint8]) -> None:
        grey = (voxels.astype(np.float32) - np.float32(self._low)) * np.float32(self._scale)
        out[...] = np.clip(np.nan_to_num(grey, copy=False), 0, 255)


def to_pixels(grey: NDArray[np.uint8], out: Pixels) -> None:
    """Write the pixels of an image of 8 bits, both (y, x)."""
    np.copyto(out, grey)
    np.multiply(out, np.uint32(0x010101), out=out)
    np.bitwise_or(out, np.uint32(_OPAQUE), out=out)


def draw_colour(colour: NDArray[np.uint8], out: Pixels) -> None:
    """Write the pixels of an image in colour, (y, x, 3) red, green, blue."""
    red, green, blue = (colour[..., channel].astype(np.uint32) for channel in range(3))
    out[...] = _OPAQUE | (red << 16) | (green << 8) | blue


def image_over(pixels: Pixels, pixel_format: QImage.Format) -> QImage:
    """A QImage on the memory of an array, which must outlive it."""
    height, width = pixels.shape
    return QImage(pixels.data, width, height, pixels.strides[0], pixel_format)


def overlay_table(display: DisplayState) -> Pixels:
    """The premultiplied colour of every label number, (256,); 0 where nothing is drawn."""
    table = np.zeros(256, np.uint32)
    shown = display.shown_structures()
    for structure in ALL_STRUCTURES:
        if structure in shown:
            red, green, blue = (round(c * display.opacity) for c in display.colour_of(structure))
            alpha = round(255 * display.opacity)
            table[structure] = alpha << 24 | red << 16 | green << 8 | blue
    return table


def box_of(labels: NDArray[np.uint8]) -> Box | None:
    """The smallest box that holds all labels of a slice (y, x), or None if there are none."""
    rows = np.flatnonzero(labels.any(axis=1))
    if rows.size == 0:
        return None
    columns = np.flatnonzero(labels[rows[0] : rows[-1] + 1].any(axis=0))
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def widened(box: Box | None, height: int, width: int, share: float) -> Box:
    """A box with a margin, inside a slice of so many rows and columns; all of it for None.

    Args:
        box: What is to be seen.
        height: Rows of the slice.
        width: Columns of the slice.
        share: Margin on each side, of the longer side of the box.
    """
    if box is None:
        return 0, height, 0, width
    top, bottom, left, right = box
    room = round(share * max(bottom - top, right - left))
    return (
        max(0, top - room),
        min(height, bottom + room),
        max(0, left - room),
        min(width, right + room),
    )


def fitted(box: Box, plane: SlicePlane, size: QSize) -> QRectF:
    """Where a part of a slice is drawn: as large as it goes, in its true proportions, centred.

    Args:
        box: The part, in the order of the screen.
        plane: How the slice lies.
        size: Of what it is drawn on.
    """
    top, bottom, left, right = box
    wide, high = (right - left) * plane.column_mm, (bottom - top) * plane.row_mm
    scale = min(size.width() / wide, size.height() / high)
    target = QRectF(0, 0, wide * scale, high * scale)
    target.moveCenter(QPointF(size.width() / 2, size.height() / 2))
    return target


def rectangle_of(box: Box) -> QRectF:
    """A box as Qt has it."""
    top, bottom, left, right = box
    return QRectF(left, top, right - left, bottom - top)


def join_boxes(first: Box | None, second: Box | None) -> Box | None:
    """The smallest box that holds both; None holds nothing."""
    if first is None or second is None:
        return first or second
    return (
        min(first[0], second[0]),
        max(first[1], second[1]),
        min(first[2], second[2]),
        max(first[3], second[3]),
    )


def cut_boxes(first: Box, second: Box) -> Box | None:
    """What two boxes share, or None."""
    top, bottom = max(first[0], second[0]), min(first[1], second[1])
    left, right = max(first[2], second[2]), min(first[3], second[3])
    return (top, bottom, left, right) if top < bottom and left < right else None


def outline_runs(
    labels: NDArray[np.uint8] | NDArray[np.bool_],
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The borders in a slice of labels or a mask (y, x), between voxels, as straight runs.

    Returns:
        Horizontal runs (n, 3) as (row corner, from column corner, to column corner) and upright
        runs (m, 3) as (column corner, from row corner, to row corner). Corner 0 lies before
        the first voxel. Outside the array is background.
    """
    padded = np.pad(labels, 1)
    lying = padded[1:, 1:-1] != padded[:-1, 1:-1]  # (y + 1, x)
    upright = padded[1:-1, 1:] != padded[1:-1, :-1]  # (y, x + 1)
    return _runs(lying), _runs(upright.T)


def _runs(edges: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Runs of true along the last axis, (n, 3): line, start, end excluded."""
    steps = np.diff(np.pad(edges, ((0, 0), (1, 1))).view(np.int8), axis=1)
    lines, starts = np.nonzero(steps == 1)
    ends = np.nonzero(steps == -1)[1]
    return np.stack([lines, starts, ends], axis=1)


Corner = tuple[int, int]
"""(row, column) between voxels."""


def outline_paths(labels: NDArray[np.uint8]) -> list[list[Corner]]:
    """All borders in a slice (y, x) as few long paths, each border once, for dashed lines."""
    lying, upright = outline_runs(labels)
    runs = [((row, start), (row, end)) for row, start, end in lying.tolist()]
    runs += [((start, column), (end, column)) for column, start, end in upright.tolist()]
    ahead: dict[Corner, list[Corner]] = defaultdict(list)
    for one, other in runs:
        ahead[one].append(other)
        ahead[other].append(one)
    paths = []
    for corner in list(ahead):
        while ahead[corner]:
            paths.append(_walk(corner, ahead))
    return paths


def _walk(corner: Corner, ahead: dict[Corner, list[Corner]]) -> list[Corner]:
    """Follow runs that were not followed yet for as long as there are any."""
    path = [corner]
    while ahead[corner]:
        following = ahead[corner].pop()
        ahead[following].remove(corner)
        path.append(following)
        corner = following
    return path
