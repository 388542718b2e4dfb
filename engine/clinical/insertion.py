"""Where the right ventricle meets the left: the two points that segments are counted from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import atan2, cos, radians, sin

import numpy as np
from numpy.typing import NDArray

from engine.datasets.basal import widened, without_holes
from engine.geometry import Geometry
from engine.labelmap import LabelMap, SlicePlace
from engine.review.landmarks import PairKind, PointPair
from engine.structures import Structure

_GAP_DEG = 25.0  # holes of this width in the septum are bridged
_NARROWEST_DEG, _WIDEST_DEG = 30.0, 200.0  # a septum outside these is a fault of the labels
NARROWEST_BY_HAND_DEG = 10.0
"""A reader's two points must be so far apart, seen from the middle of the cavity [degrees]."""


class UpSource(StrEnum):
    """How it is known which of the two points is the anterior one."""

    PATIENT = "position in the patient"
    PICTURE = "picture"
    """The image has no direction in the patient: the picture is taken as seen from the apex,
    the front of the chest above, as short axes are shown."""

    BY_HAND = "set by the reader"


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


@dataclass(frozen=True, slots=True)
class ReadersPoints:
    """What a reader's points come to on the labels as they are.

    Attributes:
        by_place: Insertion points of the slices on which they hold, by (phase, slice).
        unused: Where points were put that say nothing now: no LV is drawn there, or both lie in
            one direction.
    """

    by_place: dict[SlicePlace, InsertionPoints]
    unused: tuple[SlicePlace, ...] = ()


def points_of_reader(
    labels: LabelMap, pairs: Iterable[PointPair], phases: Sequence[int]
) -> ReadersPoints:
    """The insertion points that a reader put, on the slices of some phases.

    Points that hold for the whole stack give their directions to every slice with an LV; points
    on a slice of their own go before them.

    Args:
        labels: As they are now.
        pairs: What the reader put; other kinds of points are passed over.
        phases: The phases that are asked about, 0-based.
    """
    found: dict[SlicePlace, InsertionPoints] = {}
    unused = []
    ordered = [each for each in pairs if each.kind is PairKind.INSERTION]
    for pair in sorted(ordered, key=lambda each: not each.whole_stack):
        points = _points_of_pair(labels, pair)
        if points is None:
            unused.append(pair.place)
        elif pair.whole_stack:
            drawn = np.argwhere((labels.voxels[list(phases)] == Structure.LV).any(axis=(2, 3)))
            for row, z in drawn.tolist():
                middle = cavity_middle(labels.voxels[phases[row], z])
                assert middle is not None
                found[phases[row], z] = replace(points, middle=middle)
        else:
            found[pair.place] = points
    return ReadersPoints(found, tuple(unused))


def points_on_slice(
    labels: LabelMap, pairs: Iterable[PointPair], phase: int, slice_index: int
) -> InsertionPoints | None:
    """The insertion points that hold on one slice: the reader's, those found, or borrowed ones.

    Args:
        labels: As they are now.
        pairs: What the reader put.
        phase: 0-based.
        slice_index: 0-based.

    Returns:
        None where the slice has no LV, or no slice of the phase has points.
    """
    middle = cavity_middle(labels.voxels[phase, slice_index])
    if middle is None:
        return None
    put = [each for each in pairs if each.kind is PairKind.INSERTION]
    own = {each.place: each for each in put if not each.whole_stack}
    whole = [each for each in put if each.whole_stack]
    for z in sorted(range(labels.shape[1]), key=lambda z: abs(z - slice_index)):
        wanted = [*([own[phase, z]] if (phase, z) in own else []), *whole]
        known = (_points_of_pair(labels, each) for each in wanted)
        points = next((each for each in known if each is not None), None)
        points = points or find_points(labels.voxels[phase, z], labels.geometry)
        if points is not None:
            return replace(points, middle=middle)
    return None


def _points_of_pair(labels: LabelMap, pair: PointPair) -> InsertionPoints | None:
    if not pair.fits(labels.shape):
        return None
    middle = cavity_middle(labels.voxels[pair.place])
    if middle is None:
        return None
    points = points_by_hand(middle, pair.first, pair.second, labels.geometry)
    return points if abs(points.septum_deg) >= NARROWEST_BY_HAND_DEG else None


def warn_about_unused(places: Iterable[SlicePlace]) -> list[str]:
    """What to tell of points that a reader put and that say nothing now."""
    told = ", ".join(f"slice {z + 1}, phase {phase + 1}" for phase, z in places)
    if not told:
        return []
    return [
        f"RV insertion points that the reader set are not used ({told}): no LV is drawn there, or "
        "both lie in one direction."
    ]


def cavity_middle(plane: NDArray[np.uint8]) -> tuple[float, float] | None:
    """The centroid (y, x) of the LV cavity of a slice, holes filled; None without LV."""
    from scipy.ndimage import binary_fill_holes

    lv = plane == Structure.LV
    rows, columns = np.flatnonzero(lv.any(axis=1)), np.flatnonzero(lv.any(axis=0))
    if rows.size == 0:
        return None
    cut = binary_fill_holes(lv[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    y, x = np.nonzero(cut)
    return float(y.mean()) + int(rows[0]), float(x.mean()) + int(columns[0])


def border_point(
    plane: NDArray[np.uint8], points: InsertionPoints, angle_deg: float, geometry: Geometry
) -> tuple[float, float]:
    """Where a ray from the middle leaves the LV and its wall for the last time, (y, x) voxels.

    Args:
        plane: Labels of the slice, (y, x).
        points: Give the middle.
        angle_deg: Direction of the ray, see `InsertionPoints`.
        geometry: Gives the size of a pixel.
    """
    _, y_mm, x_mm = geometry.spacing_mm
    step_mm = min(y_mm, x_mm) / 2
    reach_mm = float(np.hypot(plane.shape[0] * y_mm, plane.shape[1] * x_mm))
    away_mm = np.arange(0, reach_mm, step_mm)
    turn = radians(angle_deg)
    rows = points.middle[0] + away_mm * sin(turn) / y_mm
    columns = points.middle[1] + away_mm * cos(turn) / x_mm
    y, x = np.rint(rows).astype(int), np.rint(columns).astype(int)
    inside = (y >= 0) & (y < plane.shape[0]) & (x >= 0) & (x < plane.shape[1])
    here = plane[y[inside], x[inside]]
    heart = np.flatnonzero((here == Structure.LV) | (here == Structure.MYOCARDIUM))
    last = int(heart[-1]) if heart.size else 0
    return float(rows[last]), float(columns[last])


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
    _, y_mm, x_mm = spacing_mm
    rows, columns = np.flatnonzero(plane.any(axis=1)), np.flatnonzero(plane.any(axis=0))
    if rows.size == 0:
        return None
    top, left_edge = int(rows[0]) - 3, int(columns[0]) - 3
    plane = np.pad(plane[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], 3)
    lv = plane == Structure.LV
    if not lv.any() or not (plane == Structure.RV).any():
        return None
    rows, columns = np.nonzero(without_holes(lv))
    middle = (float(rows.mean()), float(columns.mean()))
    left = without_holes(lv | (plane == Structure.MYOCARDIUM))
    reach = widened(widened(left))
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
