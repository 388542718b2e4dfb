"""Outlines of labels as contour files: Sunnybrook's text, and a table for everything else.

An outline runs halfway between the centres of the pixels inside and outside, so that filling it by
pixel centres gives the very same pixels back.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import StringIO

import numpy as np
from numpy.typing import NDArray

from engine.geometry import Geometry
from engine.labelmap import LabelMap, SlicePlace
from engine.structures import Structure

CSV_HEADINGS = (
    "phase", "slice", "contour", "piece", "point",
    "x_pixel", "y_pixel", "right_mm", "anterior_mm", "superior_mm",
)  # fmt: skip
"""Columns of the table; phases and slices count from 0, pixel 0 is the middle of the first one."""

_STRUCTURES = {
    "endo": (Structure.LV,),
    "epi": (Structure.LV, Structure.MYOCARDIUM),
    "rv": (Structure.RV,),
    "atrium": (Structure.LEFT_ATRIUM,),
}
_KINDS = {"endo": "i", "epi": "o"}  # Sunnybrook has no others


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """One closed outline.

    Attributes:
        phase: 0-based.
        slice_index: 0-based.
        contour: `endo` around the LV cavity, `epi` around LV and myocardium, `rv`, `atrium`.
        piece: From 0, the one with the largest area first; holes are pieces, too.
        points: (n, 2) x and y [pixels]; the last is not the first again.
    """

    phase: int
    slice_index: int
    contour: str
    piece: int
    points: NDArray[np.float64] = field(repr=False)


def outlines_of(labels: LabelMap) -> Iterator[Outline]:
    """Every outline of a label map, by phase, slice and contour.

    `epi` is left out where there is no myocardium.
    """
    for phase in labels.labelled_phases():
        for z in range(labels.shape[1]):
            plane = labels.voxels[phase, z]
            for contour, structures in _STRUCTURES.items():
                if contour == "epi" and not (plane == Structure.MYOCARDIUM).any():
                    continue
                for piece, points in enumerate(outline(np.isin(plane, structures))):
                    yield Outline(phase, z, contour, piece, points)


def outline(mask: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
    """The outlines of a mask, (n, 2) x and y [pixels] each, the largest area first.

    Corners are cut halfway between pixel centres (marching squares); pixels that touch at a corner
    lie in one outline.

    Args:
        mask: (y, x).
    """
    from skimage.measure import find_contours

    if not mask.any():
        return []
    padded = np.pad(mask, 1).astype(np.float64)
    found = find_contours(padded, 0.5, fully_connected="high")  # type: ignore[no-untyped-call]
    loops = [loop[:-1, ::-1] - 1 for loop in found]  # (y, x) to (x, y); without the last = first
    return sorted(loops, key=lambda points: -abs(_area(points)))


def _area(points: NDArray[np.float64]) -> float:
    x, y = points[:, 0], points[:, 1]
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def outlines_csv(labels: LabelMap) -> str:
    """All outlines as CSV text with the columns `CSV_HEADINGS`, a point a line."""
    stream = StringIO()
    table = csv.writer(stream, lineterminator="\n")
    table.writerow(CSV_HEADINGS)
    for each in outlines_of(labels):
        place = (each.phase, each.slice_index, each.contour, each.piece)
        millimetres = _in_patient(each, labels.geometry)
        for number, (pixel, mm) in enumerate(zip(each.points, millimetres, strict=True)):
            values = (*(f"{value:g}" for value in pixel), *(f"{value:.3f}" for value in mm))
            table.writerow((*place, number, *values))
    return stream.getvalue()


def _in_patient(each: Outline, geometry: Geometry) -> NDArray[np.float64]:
    """The points in patient coordinates (right, anterior, superior), (n, 3) [mm]."""
    whole = np.column_stack([each.points, np.full(len(each.points), each.slice_index)])
    placed: NDArray[np.float64] = whole @ geometry.affine[:3, :3].T + geometry.affine[:3, 3]
    return placed


def sunnybrook_files(labels: LabelMap, numbers: Mapping[SlicePlace, int]) -> dict[str, str]:
    """Contours of the LV as the Sunnybrook Cardiac Data have them: name of a file -> its text.

    `IM-0001-NNNN-icontour-manual.txt` is the endocardium of image NNNN, `-ocontour-` the
    epicardium; a point a line, x and y in pixels. A file holds one outline: of several pieces the
    largest.

    Args:
        labels: What is outlined.
        numbers: For each slice the number of its image; others are left out.
    """
    files = {}
    for each in outlines_of(labels):
        number = numbers.get((each.phase, each.slice_index))
        if number is None or each.contour not in _KINDS or each.piece:
            continue
        name = f"IM-0001-{number:04d}-{_KINDS[each.contour]}contour-manual.txt"
        files[name] = "".join(f"{x:.2f} {y:.2f}\n" for x, y in each.points)
    return files
