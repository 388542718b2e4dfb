"""Where the right ventricle meets the left: the two points that segments are counted from."""

from dataclasses import dataclass
from enum import StrEnum
from math import atan2, cos, radians, sin

import numpy as np
from numpy.typing import NDArray

from engine.geometry import Geometry
from engine.structures import Structure

_GAP_DEG = 25.0  # holes of this width in the septum are bridged
_NARROWEST_DEG, _WIDEST_DEG = 30.0, 200.0  # a septum outside these is a fault of the labels


class UpSource(StrEnum):
    """How it is known which of the two points is the anterior one."""

    PATIENT = "position in the patient"
    PICTURE = "picture"
    """The image has no direction in the patient: the picture is taken as seen from the apex,
    the front of the chest above, as short axes are shown."""

    BY_HAND = "by hand"


@dataclass(frozen=True, slots=True)
class InsertionPoints:
    """The two ends of the septum on one slice, as directions from the middle of the LV.

    Angles are in degrees in the picture: 0 is right (rising x), 90 is down (rising y), measured
    in millimetres, so that oblong pixels do not bend them.

    Attributes:
        middle: Of the LV cavity (y, x) [voxels].
        anterior_deg: Direction of the anterior insertion point.
        inferior_deg: Direction of the inferior one.
        source: How the two were told apart.
    """

    middle: tuple[float, float]
    anterior_deg: float
    inferior_deg: float
    source: UpSource

    @property
    def septum_deg(self) -> float:
        """Signed angle from the anterior to the inferior point through the septum.

        Of the two ways round it is the one through the RV, which is the shorter one.
        """
        return (self.inferior_deg - self.anterior_deg + 180) % 360 - 180

    def place(self, angle_deg: float, radius_mm: float, geometry: Geometry) -> tuple[float, float]:
        """The voxel (y, x) at a distance from the middle in a direction."""
        _, y_mm, x_mm = geometry.spacing_mm
        turn = radians(angle_deg)
        return (
            self.middle[0] + radius_mm * sin(turn) / y_mm,
            self.middle[1] + radius_mm * cos(turn) / x_mm,
        )


def points_by_hand(
    middle: tuple[float, float],
    anterior: tuple[float, float],
    inferior: tuple[float, float],
    geometry: Geometry,
) -> InsertionPoints:
    """Insertion points that a reader has put, all (y, x) in voxels."""
    _, y_mm, x_mm = geometry.spacing_mm
    angles = [
        float(np.degrees(atan2((y - middle[0]) * y_mm, (x - middle[1]) * x_mm)))
        for y, x in (anterior, inferior)
    ]
    return InsertionPoints(middle, angles[0] % 360, angles[1] % 360, UpSource.BY_HAND)


def find_points(plane: NDArray[np.uint8], geometry: Geometry) -> InsertionPoints | None:
    """The ends of the septum on one slice: where the RV leaves the outer border of the LV.

    The pixels of the RV that touch the outer border of the LV (cavity and myocardium) are seen
    from the middle of the cavity; the septum is the widest run of their directions, small gaps
    bridged, and its ends are the insertion points.

    Args:
        plane: Labels of one slice, (y, x), `Structure` numbers.
        geometry: Gives the size of a pixel and the directions in the patient.

    Returns:
        None where there is no LV, no RV beside it, or a septum of an impossible width.
    """
    found = _septum(plane, geometry.spacing_mm)
    if found is None:
        return None
    middle, start_deg, end_deg = found
    ends = (start_deg % 360, end_deg % 360)
    centre_deg = (start_deg + end_deg) / 2
    up_deg, source = _anterior_deg(geometry, centre_deg)
    first, second = sorted(ends, key=lambda angle: -cos(radians(angle - up_deg)))
    return InsertionPoints(middle, first, second, source)


def _septum(
    plane: NDArray[np.uint8], spacing_mm: tuple[float, float, float]
) -> tuple[tuple[float, float], float, float] | None:
    """Middle of the cavity (y, x) and both ends of the septum [degrees], the second larger."""
    from scipy.ndimage import binary_dilation, binary_fill_holes

    _, y_mm, x_mm = spacing_mm
    rows, columns = np.flatnonzero(plane.any(axis=1)), np.flatnonzero(plane.any(axis=0))
    if rows.size == 0:
        return None
    top, left_edge = int(rows[0]) - 3, int(columns[0]) - 3
    plane = np.pad(plane[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], 3)
    lv = plane == Structure.LV
    if not lv.any() or not (plane == Structure.RV).any():
        return None
    rows, columns = np.nonzero(binary_fill_holes(lv))
    middle = (float(rows.mean()), float(columns.mean()))
    left = binary_fill_holes(lv | (plane == Structure.MYOCARDIUM))
    reach = binary_dilation(left, np.ones((3, 3), bool), iterations=2)
    y, x = np.nonzero(reach & (plane == Structure.RV))
    if y.size == 0:
        return None
    angles = np.degrees(np.arctan2((y - middle[0]) * y_mm, (x - middle[1]) * x_mm)) % 360
    ends = widest_run_deg(angles)
    if not _NARROWEST_DEG <= ends[1] - ends[0] <= _WIDEST_DEG:
        return None
    return (middle[0] + top, middle[1] + left_edge), *ends


def widest_run_deg(angles: NDArray[np.float64]) -> tuple[float, float]:
    """Both ends of the widest run of directions, gaps up to 25 degrees bridged.

    Args:
        angles: Directions [degrees], at least one, in any order.

    Returns:
        Start and end [degrees], the end at most 360 above the start.
    """
    ordered = np.unique(angles % 360)
    steps = np.diff(np.append(ordered, ordered[0] + 360))
    breaks = np.flatnonzero(steps > _GAP_DEG)
    if breaks.size == 0:
        return 0.0, 360.0
    runs = []
    for number, last in enumerate(breaks.tolist()):
        first = (breaks[number - 1] + 1) % len(ordered)
        start, end = float(ordered[first]), float(ordered[last])
        runs.append((start, end if end >= start else end + 360))
    return max(runs, key=lambda run: run[1] - run[0])


def has_direction(geometry: Geometry) -> bool:
    """Whether an image says how it lies in the patient.

    A short axis is oblique. An affine whose axes run along the patient's own is that of a file
    whose header was lost (ACDC as it is distributed here, a folder of pictures).
    """
    axes = geometry.affine[:3, :3] / np.linalg.norm(geometry.affine[:3, :3], axis=0)
    return bool(np.abs(axes).max(axis=0).min() < 0.999)


def _anterior_deg(geometry: Geometry, septum_deg: float) -> tuple[float, UpSource]:
    """The direction in the picture on whose side the anterior insertion point lies.

    With a position in the patient: the anterior point lies further to the front and to the head,
    the inferior one above the diaphragm. Else: seen from the apex with the front above, the
    septum is on the left, so the front is a quarter turn clockwise from the septum; the other way
    round where the file is mirrored (its signs of left and posterior say so).
    """
    if has_direction(geometry):
        to_front = np.array([0.0, 1.0, 1.0])  # right, anterior, superior
        columns = geometry.affine[:3, :2] / np.linalg.norm(geometry.affine[:3, :2], axis=0)
        x, y = (float(to_front @ columns[:, axis]) for axis in range(2))
        if np.hypot(x, y) > 0.3:
            return float(np.degrees(atan2(y, x))), UpSource.PATIENT
    mirrored = bool(np.linalg.det(geometry.affine[:2, :2]) < 0)
    return septum_deg + (-90.0 if mirrored else 90.0), UpSource.PICTURE


def mean_angle_deg(angles: list[float]) -> float:
    """The mean direction [degrees]; angles are averaged as points on a circle."""
    turns = np.radians(angles)
    return float(np.degrees(atan2(float(np.sin(turns).mean()), float(np.cos(turns).mean())))) % 360
