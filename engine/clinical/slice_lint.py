"""Checks of the labels of one slice: quick enough to be made anew after every stroke."""

import numpy as np
from numpy.typing import NDArray

from engine.clinical.findings import Finding, FindingKind, Severity, make_finding
from engine.correction.wall import beside
from engine.structures import HEART_STRUCTURES, Structure

OPEN_SHARE = 0.05
"""Part of the cavity's border that may lie on background."""

OPEN_AT_LEAST_MM = 5.0
"""Length of an opening that is told."""

TOUCH_MM = 2.5
"""Length over which LV and RV may touch: the corner of a pixel."""

ISLAND_MM2 = 5.0
"""Area of a piece that is told; one or two stray pixels are not."""

CLEFT_MM2 = 30.0
"""Area of background that RV and myocardium may enclose between them: a cleft, not a hole."""

# Measured with `python -m tests.lint_faults` on the ACDC references, see docs/review.md.

_EIGHT = np.ones((3, 3), np.uint8)

_NAMES = {structure: structure.title.lower() for structure in Structure}


def lint_slice(
    plane: NDArray[np.uint8],
    *,
    spacing_mm: tuple[float, float],
    phase: int,
    slice_index: int,
) -> list[Finding]:
    """Check one slice: open ring, LV touching RV, pieces apart, holes, edge of the picture.

    Args:
        plane: `Structure` numbers, (y, x).
        spacing_mm: (y, x) [mm].
        phase: Of the findings, 0-based.
        slice_index: Of the findings, 0-based.
    """
    columns = np.flatnonzero(np.bitwise_or.reduce(plane, axis=0))
    if columns.size == 0:
        return []
    band = plane[:, columns[0] : columns[-1] + 1]
    rows = np.flatnonzero(band.any(axis=1))
    heart = np.pad(band[rows[0] : rows[-1] + 1], 1)
    shut_in = _shut_in(heart)
    found: list[_Told] = [
        *_borders(heart, shut_in, spacing_mm),
        *_islands(heart, spacing_mm),
        *_holes(heart, shut_in, spacing_mm),
    ]
    if (
        rows[0] == 0
        or columns[0] == 0
        or rows[-1] == plane.shape[0] - 1
        or columns[-1] == plane.shape[1] - 1
    ):
        what = "The heart touches the edge of the picture and may be cut off."
        found.append((FindingKind.PICTURE_EDGE, Severity.NOTE, what, "", None))
    return [
        make_finding(
            kind, severity, what, hint, phase=phase, slice_index=slice_index, structure=structure
        )
        for kind, severity, what, hint, structure in found
    ]


_Told = tuple[FindingKind, Severity, str, str, Structure | None]


def _borders(
    heart: NDArray[np.uint8], shut_in: list[NDArray[np.bool_]], spacing_mm: tuple[float, float]
) -> list[_Told]:
    """What the LV cavity borders on: it should be myocardium all around.

    Holes in the LV do not count; a gap in the septum that the RV shuts in does.
    """
    whole = heart.copy() if shut_in else heart
    for hole in shut_in:
        if _owner(heart, hole) is not None:
            whole[hole] = Structure.MYOCARDIUM
    lengths = _border_mm(whole, spacing_mm)
    lv = Structure.LV
    around_mm = float(lengths[lv].sum() - lengths[lv, lv])
    open_mm, touch_mm = float(lengths[lv, 0]), float(lengths[lv, Structure.RV])
    told: list[_Told] = []
    if open_mm > max(OPEN_SHARE * around_mm, OPEN_AT_LEAST_MM):
        what = (
            f"The myocardium leaves {100 * open_mm / around_mm:.0f} % of the cavity's border open."
        )
        hint = "Draw the missing wall, unless this is the outflow tract."
        told.append((FindingKind.RING_OPEN, Severity.DOUBT, what, hint, None))
    if touch_mm > TOUCH_MM:
        what = f"The LV cavity touches the RV over {touch_mm:.0f} mm."
        told.append(
            (FindingKind.LV_TOUCHES_RV, Severity.FAULT, what, "Draw the septum between them.", None)
        )
    return told


def _border_mm(heart: NDArray[np.uint8], spacing_mm: tuple[float, float]) -> NDArray[np.float64]:
    """How long each pair of structures borders on each other [mm], symmetric (5, 5)."""
    count = len(Structure)
    y_mm, x_mm = spacing_mm
    lengths = np.zeros((count, count))
    for first, second, edge_mm in (
        (heart[:-1], heart[1:], x_mm),  # one above the other: their edge runs along x
        (heart[:, :-1], heart[:, 1:], y_mm),
    ):
        codes = first * np.uint8(count) + second
        pairs = np.bincount(codes.reshape(-1), minlength=count**2).reshape(count, count)
        lengths += edge_mm * (pairs + pairs.T)
    return lengths


def _islands(heart: NDArray[np.uint8], spacing_mm: tuple[float, float]) -> list[_Told]:
    """Pieces of a structure beside its largest one; pixels that touch at a corner hang together."""
    from scipy.ndimage import find_objects, label

    pixel_mm2 = spacing_mm[0] * spacing_mm[1]
    told: list[_Told] = []
    boxes = find_objects(heart, max_label=max(Structure))
    for structure in HEART_STRUCTURES:
        box = boxes[structure - 1]
        if box is None:
            continue
        pieces, count = label(heart[box] == structure, _EIGHT)
        if count < 2:
            continue
        areas = np.sort(np.bincount(pieces.reshape(-1))[1:])[:-1] * pixel_mm2
        told_of = areas[areas > ISLAND_MM2]
        if told_of.size:
            count_of = "A piece" if told_of.size == 1 else f"{told_of.size} pieces"
            lies = "lies" if told_of.size == 1 else "lie"
            what = (
                f"{count_of} of the {_NAMES[structure]} {lies} apart from the rest "
                f"({told_of.sum():.0f} mm²)."
            )
            hint = "Remove what does not belong to it, or join it."
            told.append((FindingKind.ISLAND, Severity.FAULT, what, hint, structure))
    return told


def _shut_in(heart: NDArray[np.uint8]) -> list[NDArray[np.bool_]]:
    """Pieces of background that do not hang together with the outside, (y, x) each."""
    from scipy.ndimage import label

    parts, count = label(heart == 0)  # the rim around the heart makes the outside one part
    numbers = set(range(1, count + 1)) - {int(parts[0, 0])}
    return [parts == number for number in sorted(numbers)]


def _holes(
    heart: NDArray[np.uint8], shut_in: list[NDArray[np.bool_]], spacing_mm: tuple[float, float]
) -> list[_Told]:
    """Background that is shut in: in one ventricle at any size, between the two where it is big."""
    pixel_mm2 = spacing_mm[0] * spacing_mm[1]
    areas_mm2: dict[Structure | None, float] = {}
    for inside in shut_in:
        owner = _owner(heart, inside)
        area_mm2 = float(np.count_nonzero(inside)) * pixel_mm2
        if owner is not None or area_mm2 > CLEFT_MM2:
            areas_mm2[owner] = areas_mm2.get(owner, 0.0) + area_mm2
    hint = "Fill it."
    return [
        (
            FindingKind.HOLE,
            Severity.FAULT,
            f"There is a hole of {area:.0f} mm² "
            + ("between the ventricles." if owner is None else f"in the {_NAMES[owner]}."),
            hint,
            owner,
        )
        for owner, area in areas_mm2.items()
    ]


def _owner(heart: NDArray[np.uint8], inside: NDArray[np.bool_]) -> Structure | None:
    """What a hole lies in: the RV, the LV, the myocardium (or at its inner border); else None."""
    touching = set(np.unique(heart[beside(inside) & ~inside]).tolist())
    if len(touching) == 1:
        return Structure(touching.pop())
    return Structure.MYOCARDIUM if Structure.RV not in touching else None
