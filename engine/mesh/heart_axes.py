"""Where base, apex and the walls of the left ventricle are, told by labels; nothing is guessed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.geometry import Geometry
from engine.structures import Structure

_FEWEST_SLICES = 3
_SMALLEST_SLICE_SHARE = 0.02  # of the largest; a few stray voxels say nothing about an axis
_SURE_TAPER = 0.15  # the apical third is at least this much smaller than the basal one
_SEPTUM_CLEAR_MM = 8.0  # the RV must lie at least this far to one side


@dataclass(frozen=True, slots=True)
class Place:
    """A named place of the heart.

    Attributes:
        name: What a reader calls it.
        point_mm: Patient coordinates (right, anterior, superior).
    """

    name: str
    point_mm: tuple[float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class HeartAxes:
    """Directions of the left ventricle in the patient, unit vectors (3,), as far as they are known.

    Attributes:
        base_mm: Middle of the most basal slice of the ventricle.
        apex_mm: Its end at the apex.
        to_septum: From its middle to the right ventricle, across the long axis; None where there
            is no right ventricle.
        to_anterior: From its middle to the anterior wall, across both; None where unknown.
        radius_mm: Half of the ventricle's width at its middle, walls included.
    """

    base_mm: NDArray[np.float64]
    apex_mm: NDArray[np.float64]
    to_septum: NDArray[np.float64] | None = None
    to_anterior: NDArray[np.float64] | None = None
    radius_mm: float = 0.0

    @property
    def to_apex(self) -> NDArray[np.float64]:
        """From base to apex."""
        way: NDArray[np.float64] = self.apex_mm - self.base_mm
        return way / np.linalg.norm(way)

    def places(self) -> tuple[Place, ...]:
        """Base and apex, and what is known of the walls, a little outside the heart."""
        middle = (self.base_mm + self.apex_mm) / 2
        out_mm = 1.12 * self.radius_mm
        found = [
            ("base", self.base_mm - 0.1 * self.radius_mm * self.to_apex),
            ("apex", self.apex_mm + 0.15 * self.radius_mm * self.to_apex),
        ]
        septum, anterior = self.to_septum, self.to_anterior
        if septum is not None:
            # at the right ventricle's own place the word would hide: it stands for the wall
            found += [("septal", middle + out_mm * septum), ("lateral", middle - out_mm * septum)]
        if anterior is not None:
            found.append(("anterior", middle + out_mm * anterior))
            found.append(("inferior", middle - out_mm * anterior))
        return tuple(Place(name, (float(at[0]), float(at[1]), float(at[2]))) for name, at in found)


def heart_axes(labels: NDArray[np.uint8], geometry: Geometry) -> HeartAxes | None:
    """Find the long axis and the walls of a left ventricle.

    The axis is the line through the middles of the ventricle's slices (least squares, weighted by
    area). Its apical end is the one towards which the ventricle narrows. The septum lies towards
    the right ventricle. Seen from the apex, with the septum on the left, the anterior wall is
    above (Cerqueira et al. 2002, standardized myocardial segmentation); it is named only where
    that direction also rises to the front or the head in the patient, for a mirrored file would
    turn it round.

    Args:
        labels: (z, y, x) of one phase.
        geometry: Their grid.

    Returns:
        None where the left ventricle has too few slices, or does not narrow to one side.
    """
    labels, geometry = _labelled_part(labels, geometry)
    ventricle = (labels == Structure.LV) | (labels == Structure.MYOCARDIUM)
    areas = ventricle.sum(axis=(1, 2)).astype(np.float64)
    slices = np.flatnonzero(areas > _SMALLEST_SLICE_SHARE * areas.max(initial=1.0))
    if slices.size < _FEWEST_SLICES:
        return None
    middles = np.array([_middle_mm(ventricle[z], int(z), geometry) for z in slices])
    sizes = areas[slices]
    third = max(1, slices.size // 3)
    first, last = float(sizes[:third].mean()), float(sizes[-third:].mean())
    if abs(first - last) < _SURE_TAPER * max(first, last):
        return None
    if first < last:
        middles, sizes = middles[::-1], sizes[::-1]
    base, apex = _ends(middles, sizes, geometry)
    to_apex = (apex - base) / np.linalg.norm(apex - base)
    septum = _to_septum(labels, geometry, middles, to_apex)
    anterior = None if septum is None else _to_anterior(to_apex, septum)
    pixel_mm2 = geometry.spacing_mm[1] * geometry.spacing_mm[2]
    radius_mm = float(np.sqrt(np.median(sizes) * pixel_mm2 / np.pi))
    return HeartAxes(base, apex, septum, anterior, radius_mm)


def _labelled_part(
    labels: NDArray[np.uint8], geometry: Geometry
) -> tuple[NDArray[np.uint8], Geometry]:
    """The rows and columns of a stack that are labelled: a tenth of it, and as much time."""
    plane = np.logical_or.reduce(labels != 0, axis=0)
    rows, columns = np.flatnonzero(plane.any(axis=1)), np.flatnonzero(plane.any(axis=0))
    if rows.size == 0:
        return labels, geometry
    part = labels[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    affine = geometry.affine.copy()
    affine[:3, 3] = geometry.position_mm(z=0, y=float(rows[0]), x=float(columns[0]))
    return part, Geometry.from_affine(affine, part.shape)


def _middle_mm(plane: NDArray[np.bool_], z: int, geometry: Geometry) -> NDArray[np.float64]:
    rows, columns = np.nonzero(plane)
    return geometry.position_mm(z=z, y=float(rows.mean()), x=float(columns.mean()))


def _ends(
    middles: NDArray[np.float64], sizes: NDArray[np.float64], geometry: Geometry
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both ends of the axis, half a slice beyond the outer middles; the basal one first."""
    centre = np.average(middles, axis=0, weights=sizes)
    spread = (middles - centre) * np.sqrt(sizes)[:, None]
    way = np.linalg.svd(spread, full_matrices=False)[2][0]
    if way @ (middles[-1] - middles[0]) < 0:
        way = -way
    along = (middles - centre) @ way
    half_mm = geometry.spacing_mm[0] / 2
    return centre + (along[0] - half_mm) * way, centre + (along[-1] + half_mm) * way


def _to_septum(
    labels: NDArray[np.uint8],
    geometry: Geometry,
    middles: NDArray[np.float64],
    to_apex: NDArray[np.float64],
) -> NDArray[np.float64] | None:
    right = np.argwhere(labels == Structure.RV)
    if right.size == 0:
        return None
    z, y, x = right.mean(axis=0)
    way = geometry.position_mm(z=float(z), y=float(y), x=float(x)) - middles.mean(axis=0)
    way = way - (way @ to_apex) * to_apex
    length = float(np.linalg.norm(way))
    return None if length < _SEPTUM_CLEAR_MM else way / length


def _to_anterior(
    to_apex: NDArray[np.float64], septum: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    anterior = np.cross(to_apex, -septum)
    rises = float(anterior[1] + anterior[2]) / np.sqrt(2)
    return anterior if rises > 0.2 else None
