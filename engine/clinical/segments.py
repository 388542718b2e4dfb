"""The segments of the left ventricle after the American Heart Association, and their walls."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial

import numpy as np
from numpy.typing import NDArray

from engine.clinical.basal import Counted, base_is_first
from engine.clinical.insertion import (
    InsertionPoints,
    UpSource,
    find_points,
    points_of_reader,
)
from engine.clinical.phases import PhaseChoice
from engine.clinical.wall import WallProfile, measure_wall
from engine.datasets.basal import is_enclosed
from engine.labelmap import LabelMap, SlicePlace
from engine.review.landmarks import PointPair
from engine.structures import Structure

SEGMENT_NAMES = (
    "basal anterior", "basal anteroseptal", "basal inferoseptal",
    "basal inferior", "basal inferolateral", "basal anterolateral",
    "mid anterior", "mid anteroseptal", "mid inferoseptal",
    "mid inferior", "mid inferolateral", "mid anterolateral",
    "apical anterior", "apical septal", "apical inferior", "apical lateral",
    "apex",
)  # fmt: skip
"""Segments 1 to 17 (Cerqueira et al., Circulation 2002;105:539). Number 17, the tip, is only seen
on long axes: short-axis slices without a cavity cross it slantwise, so it has no thickness here."""

SEGMENT_COUNT = 16


class Level(StrEnum):
    """Thirds of the ventricle from base to apex."""

    BASAL = "basal"
    MID = "mid"
    APICAL = "apical"


_FIRST = {Level.BASAL: 0, Level.MID: 6, Level.APICAL: 12}


@dataclass(frozen=True, slots=True)
class Segment:
    """The wall of one segment.

    Attributes:
        number: 1 to 16.
        ed_mm: Mean thickness at end diastole, or None where it is not seen.
        es_mm: The same at end systole.
        ed_largest_mm: Largest thickness at end diastole.
        place: (phase, slice) at end diastole, 0-based, to show it; None where it is not seen.
    """

    number: int
    ed_mm: float | None
    es_mm: float | None
    ed_largest_mm: float | None
    place: SlicePlace | None

    @property
    def name(self) -> str:
        """E.g. `basal anterior`."""
        return SEGMENT_NAMES[self.number - 1]

    @property
    def thickening(self) -> float | None:
        """(ES - ED) / ED; None where one of them is unknown."""
        if self.ed_mm is None or self.es_mm is None or self.ed_mm <= 0:
            return None
        return (self.es_mm - self.ed_mm) / self.ed_mm


@dataclass(frozen=True, slots=True)
class WallMap:
    """The wall of the left ventricle by segment.

    Attributes:
        segments: 1 to 16.
        levels: (phase, slice) -> third, for the slices that were measured.
        points: Insertion points of the slices that were measured, found, by hand or borrowed.
        source: How anterior and inferior were told apart.
        why_not: Why nothing was measured; empty where it was.
        unused: (phase, slice) where a reader put insertion points that say nothing now, since no
            LV is drawn there.
    """

    segments: tuple[Segment, ...] = ()
    levels: Mapping[SlicePlace, Level] | None = None
    points: Mapping[SlicePlace, InsertionPoints] | None = None
    source: UpSource | None = None
    why_not: str = ""
    unused: tuple[SlicePlace, ...] = ()

    @property
    def by_reader(self) -> tuple[SlicePlace, ...]:
        """The measured slices whose segments are counted from a reader's points."""
        known = (self.points or {}).items()
        return tuple(place for place, each in known if each.source is UpSource.BY_HAND)

    @property
    def mean_ed_mm(self) -> float | None:
        """Mean of the segments at end diastole [mm]."""
        found = [each.ed_mm for each in self.segments if each.ed_mm is not None]
        return float(np.mean(found)) if found else None

    @property
    def largest_ed_mm(self) -> float | None:
        """Largest mean thickness of a segment at end diastole [mm]."""
        found = [each.ed_mm for each in self.segments if each.ed_mm is not None]
        return max(found) if found else None


def split_levels(slices: list[int]) -> dict[int, Level]:
    """The third in which each slice's middle lies.

    Args:
        slices: With a closed wall, the base first, without gaps.
    """
    thirds = list(Level)
    count = len(slices)
    return {z: thirds[int(3 * (n + 0.5) / count)] for n, z in enumerate(slices)}


def segment_number(angle_deg: float, level: Level, points: InsertionPoints) -> int:
    """The segment of a direction, 1 to 16.

    The septum between the insertion points is halved into anteroseptal and inferoseptal, the free
    wall quartered into inferior, inferolateral, anterolateral and anterior; the apex has four
    quarters, of which the septal one lies about the middle of the septum.

    Args:
        angle_deg: In the picture, see `InsertionPoints`.
        level: Third of the ventricle.
        points: Of the slice.
    """
    return int(segment_numbers(np.array([angle_deg]), level, points)[0])


def segment_numbers(
    angles_deg: NDArray[np.float64], level: Level, points: InsertionPoints
) -> NDArray[np.intp]:
    """`segment_number` of many directions, (n,)."""
    septum = points.septum_deg
    sense = 1.0 if septum >= 0 else -1.0
    width = abs(septum)
    from_anterior = (sense * (angles_deg - points.anterior_deg)) % 360  # through the septum
    if level is Level.APICAL:
        from_start = (from_anterior - (width / 2 - 45)) % 360  # where the septal quarter starts
        # septal, inferior, lateral, anterior, as one goes on
        order = np.array([14, 15, 16, 13])
        return np.asarray(order[np.minimum(from_start // 90, 3).astype(np.intp)], np.intp)
    free = (360 - width) / 4
    place = np.where(
        from_anterior < width,
        from_anterior // (width / 2),
        2 + (from_anterior - width) // free,
    )
    order = np.array([2, 3, 4, 5, 6, 1])
    number = order[np.clip(place, 0, 5).astype(np.intp)]
    return np.asarray(number + _FIRST[level], np.intp)


def segment_borders(level: Level, points: InsertionPoints) -> list[tuple[int, float, float]]:
    """The segments of a slice as sectors: number, start and end [degrees], see `segment_number`.

    Args:
        level: Third of the ventricle.
        points: Of the slice.
    """
    width, sense = abs(points.septum_deg), 1.0 if points.septum_deg >= 0 else -1.0
    if level is Level.APICAL:
        steps: list[float] = [90.0] * 4
        order: tuple[int, ...] = (14, 15, 16, 13)
        start = width / 2 - 45
    else:
        first = _FIRST[level]
        steps = [width / 2] * 2 + [(360 - width) / 4] * 4
        order, start = tuple(first + n for n in (2, 3, 4, 5, 6, 1)), 0.0
    sectors = []
    for number, step in zip(order, steps, strict=True):
        begin = points.anterior_deg + sense * start
        sectors.append((number, begin, begin + sense * step))
        start += step
    return sectors


def measure_walls(
    labels: LabelMap, choice: PhaseChoice, counted: Counted, points: Iterable[PointPair] = ()
) -> WallMap:
    """`measure_segments`, counted from the points that a reader put where there are such.

    Args:
        labels: Of the study.
        choice: End diastole and end systole.
        counted: Which slices count, (t, z).
        points: What readers put, of any kind.
    """
    phases = [phase for phase in (choice.ed, choice.es) if phase is not None]
    put = points_of_reader(labels, points, phases)
    return replace(measure_segments(labels, choice, counted, put.by_place), unused=put.unused)


def measure_segments(
    labels: LabelMap,
    choice: PhaseChoice,
    counted: Counted,
    by_hand: Mapping[SlicePlace, InsertionPoints] | None = None,
) -> WallMap:
    """Wall thickness by segment at end diastole and end systole.

    Only slices count whose myocardium goes all the way round (Cerqueira 2002); the ventricle is
    cut into thirds in each phase for itself, since the base comes down in systole. A slice without
    insertion points takes those of the nearest slice that has them.

    Args:
        labels: Of the study.
        choice: End diastole and end systole.
        counted: Which slices count, (t, z).
        by_hand: Insertion points that a reader put, by (phase, slice); they also serve slices
            that have none.
    """
    if choice.ed is None:
        return WallMap(why_not="There is no end diastole.")
    phases = [phase for phase in (choice.ed, choice.es) if phase is not None]
    lv_counts = np.count_nonzero(labels.voxels[phases] == Structure.LV, axis=(2, 3))
    is_first = base_is_first(lv_counts)
    thickness: dict[int, list[NDArray[np.float64]]] = {}
    levels: dict[SlicePlace, Level] = {}
    points: dict[SlicePlace, InsertionPoints] = {}
    for row, phase in enumerate(phases):
        drawn = np.flatnonzero((lv_counts[row] > 0) & counted[phase]).tolist()
        found = _measure_phase(labels, phase, drawn if is_first else drawn[::-1], by_hand or {})
        if isinstance(found, str):
            if phase == choice.ed:
                return WallMap(why_not=found)
            continue
        thickness[phase] = found.by_segment
        levels.update(found.levels)
        points.update(found.points)
    segments = tuple(
        _make_segment(number, thickness, choice, levels) for number in range(1, SEGMENT_COUNT + 1)
    )
    return WallMap(segments, levels, points, next(iter(points.values())).source)


@dataclass(frozen=True, slots=True)
class _PhaseWall:
    by_segment: list[NDArray[np.float64]]  # thickness [mm], by number - 1
    levels: dict[SlicePlace, Level]
    points: dict[SlicePlace, InsertionPoints]


def _measure_phase(
    labels: LabelMap,
    phase: int,
    slices: list[int],
    by_hand: Mapping[SlicePlace, InsertionPoints],
) -> _PhaseWall | str:
    """The walls of one phase, or why there are none; `slices` have an LV, base first."""
    planes = {z: labels.voxels[phase, z] for z in slices}
    walls: dict[int, WallProfile] = {}
    for z, plane in planes.items():
        closed = is_enclosed(plane == Structure.LV, plane == Structure.MYOCARDIUM)
        wall = measure_wall(plane, labels.geometry.spacing_mm) if closed else None
        if wall is not None:
            walls[z] = wall
    if len(walls) < len(Level):
        return f"Fewer than {len(Level)} slices have a closed wall, so there are no segments."
    known = {z: by_hand.get((phase, z)) or find_points(planes[z], labels.geometry) for z in planes}
    seen = {z: found for z, found in known.items() if found is not None}
    if not seen:
        return "The RV borders on no septum of the LV, so segments cannot be counted."
    levels = split_levels(list(walls))
    by_segment: list[list[NDArray[np.float64]]] = [[] for _ in range(SEGMENT_COUNT)]
    points = {}
    _, y_mm, x_mm = labels.geometry.spacing_mm
    for z, wall in walls.items():
        nearest = min(seen, key=partial(_apart, z))
        middle = (wall.middle_mm[0] / y_mm, wall.middle_mm[1] / x_mm)
        points[phase, z] = replace(seen[nearest], middle=middle)
        numbers = segment_numbers(wall.angles_deg, levels[z], points[phase, z])
        for number in np.unique(numbers).tolist():
            by_segment[number - 1].append(wall.thickness_mm[numbers == number])
    merged = [np.concatenate(each) if each else np.empty(0) for each in by_segment]
    return _PhaseWall(merged, {(phase, z): level for z, level in levels.items()}, points)


def _apart(one: int, other: int) -> int:
    return abs(one - other)


def _make_segment(
    number: int,
    thickness: dict[int, list[NDArray[np.float64]]],
    choice: PhaseChoice,
    levels: dict[SlicePlace, Level],
) -> Segment:
    def values(phase: int | None) -> NDArray[np.float64]:
        return thickness[phase][number - 1] if phase in thickness else np.empty(0)

    ed, es = values(choice.ed), values(choice.es)
    wanted = list(Level)[(number - 1) // 6]
    at = [place for place, level in levels.items() if level is wanted and place[0] == choice.ed]
    return Segment(
        number,
        float(ed.mean()) if ed.size else None,
        float(es.mean()) if es.size else None,
        float(ed.max()) if ed.size else None,
        at[len(at) // 2] if at and ed.size else None,
    )


@dataclass(frozen=True, slots=True)
class Sector:
    """Where a segment lies in a bullseye: the base outside, the anterior wall above.

    Attributes:
        number: 1 to 17.
        inner: Inner radius, 0 to 1.
        outer: Outer radius, 0 to 1.
        start_deg: Where it starts, 0 to the right, 90 above (as in mathematics).
        span_deg: How far it goes, against the clock.
    """

    number: int
    inner: float
    outer: float
    start_deg: float
    span_deg: float


def bullseye(count: int = 16) -> tuple[Sector, ...]:
    """The sectors of a bullseye of 16 or 17 segments, seen from the apex, the septum on the left.

    Cerqueira et al. 2002: rings of six, six and four, the anterior segment on top and the numbers
    running against the clock; with 17 segments the tip fills the middle.
    """
    assert count in (16, 17)
    radii = (1.0, 0.75, 0.5, 0.25) if count == 17 else (1.0, 2 / 3, 1 / 3, 0.0)
    rings = [
        Sector(first + n + 1, radii[ring + 1], radii[ring], start + n * span, span)
        for ring, (first, parts, start, span) in enumerate(
            ((0, 6, 60.0, 60.0), (6, 6, 60.0, 60.0), (12, 4, 45.0, 90.0))
        )
        for n in range(parts)
    ]
    return (*rings, Sector(17, 0.0, 0.25, 0.0, 360.0)) if count == 17 else tuple(rings)
