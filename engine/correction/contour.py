"""Editable smooth contours on top of the labels of one slice."""

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.correction.outline import Mask, Part, Plane, Points, as_points, polygon_part
from engine.correction.rules import EditRules
from engine.correction.spline import closed_curve, nearest_on
from engine.correction.tracing import largest_piece, trace
from engine.structures import HEART_STRUCTURES, Structure

Place = tuple[float, float]
"""(y, x) in voxels; whole numbers are voxel centres."""

_FEWEST = 3  # points of a closed curve
_PER_SPAN = 8
_ROOM = 3
_CLOSE_ENOUGH = 0.6  # a nudge wants a point at least every 0.6 radii

LEAST_CHANGE: Final = 0.01
"""Share of a structure's voxels that tracing it may change."""


class Boundary(Enum):
    """A border that readers draw."""

    ENDO = "endo"
    EPI = "epi"
    RV = "rv"
    ATRIUM = "atrium"

    @property
    def inner(self) -> frozenset[Structure]:
        """The structures that lie inside it."""
        return _INNER[self]

    @property
    def fills(self) -> Structure:
        """What the voxels become that it takes in."""
        return _FILLS[self]


_INNER = {
    Boundary.ENDO: frozenset({Structure.LV}),
    Boundary.EPI: frozenset({Structure.LV, Structure.MYOCARDIUM}),
    Boundary.RV: frozenset({Structure.RV}),
    Boundary.ATRIUM: frozenset({Structure.LEFT_ATRIUM}),
}
_FILLS = {
    Boundary.ENDO: Structure.LV,
    Boundary.EPI: Structure.MYOCARDIUM,
    Boundary.RV: Structure.RV,
    Boundary.ATRIUM: Structure.LEFT_ATRIUM,
}


@dataclass(frozen=True, slots=True, eq=False)
class Contour:
    """A closed curve through points; see `engine.correction.spline` for its formula.

    Attributes:
        points: (n, 2) of (y, x) [voxels], n >= 3, read-only.
        left_out: Voxels of the structure that the contour was traced from which lie in other,
            smaller pieces and thus outside it; 0 for drawn contours.
    """

    points: Points = field(repr=False)
    left_out: int = 0

    def __post_init__(self) -> None:
        points = np.array(self.points, np.float64)
        assert points.ndim == 2, points.shape
        assert points.shape[0] >= _FEWEST, points.shape
        assert points.shape[1] == 2, points.shape
        assert np.isfinite(points).all()
        points.setflags(write=False)
        object.__setattr__(self, "points", points)

    def __len__(self) -> int:
        return len(self.points)

    def curve(self, per_span: int = _PER_SPAN) -> Points:
        """The curve as a polygon, (n * per_span, 2); its corners include the points."""
        return closed_curve(self.points, per_span)

    def part(self, shape: tuple[int, int]) -> Part:
        """The voxels inside, in their bounding box."""
        return polygon_part(self.curve(), shape)

    def mask(self, shape: tuple[int, int]) -> Mask:
        """The voxels whose centre lies inside, on a slice of `shape` (y, x)."""
        return self.part(shape).whole(shape)

    def nearest(self, at: Place) -> tuple[int, float]:
        """The point nearest to a place, and how far away it is [voxels]."""
        apart = np.hypot(*(self.points - at).T)
        index = int(apart.argmin())
        return index, float(apart[index])

    def distance(self, at: Place) -> float:
        """How far the curve itself is from a place [voxels]."""
        return float(nearest_on(self.curve(), as_points([at]))[1][0])

    def moved(self, index: int, to: Place) -> "Contour":
        """One point put elsewhere; the curve changes in the four spans around it alone."""
        points = self.points.copy()
        points[index] = to
        return replace(self, points=points)

    def shifted(self, by: Place) -> "Contour":
        """All of it moved by (y, x) [voxels]."""
        return replace(self, points=self.points + by)

    def nudged(self, at: Place, by: Place, radius: float) -> "Contour":
        """Pushed at a place, less and less towards `radius`, where it stays.

        The weight falls as (1 - d^2 / r^2)^2. Where points are too far apart to follow,
        new ones are set on the curve first.

        Args:
            at: Where it is pushed [voxels].
            by: How far, (y, x) [voxels].
            radius: Of the part that moves [voxels].
        """
        dense = self._dense_near(at, radius)
        apart = ((dense.points - at) ** 2).sum(axis=1) / radius**2
        weight = np.maximum(1 - apart, 0) ** 2
        return replace(dense, points=dense.points + weight[:, None] * np.asarray(by, np.float64))

    def with_point(self, at: Place) -> "Contour":
        """One point more, set on the curve where it is nearest to a place."""
        where = float(nearest_on(self.curve(), as_points([at]))[0][0])
        span, along = divmod(where, _PER_SPAN)
        corner = int(along)
        curve = self.curve()
        start = curve[int(span) * _PER_SPAN + corner]
        end = curve[(int(span) * _PER_SPAN + corner + 1) % len(curve)]
        point = start + (along - corner) * (end - start)
        return replace(self, points=np.insert(self.points, int(span) + 1, point, axis=0))

    def without_point(self, index: int) -> "Contour":
        """One point less; a contour of three points stays as it is."""
        if len(self) <= _FEWEST:
            return self
        return replace(self, points=np.delete(self.points, index, axis=0))

    def _dense_near(self, at: Place, radius: float) -> "Contour":
        """The same with points close enough to each other within `radius` of a place."""
        curve = self.curve()
        spans = curve.reshape(len(self), _PER_SPAN, 2)
        sides = np.hypot(*(np.roll(curve, -1, axis=0) - curve).T)
        length = sides.reshape(len(self), _PER_SPAN).sum(axis=1)
        near = (np.hypot(*np.moveaxis(spans - np.asarray(at), 2, 0)) < radius).any(axis=1)
        wanted = np.where(near, np.ceil(length / (_CLOSE_ENOUGH * radius)), 1).astype(int)
        if (wanted <= 1).all():
            return self
        points: list[Points] = []
        for index, count in enumerate(np.clip(wanted, 1, _PER_SPAN)):
            steps = np.unique(np.round(np.arange(count) * _PER_SPAN / count).astype(int))
            points.append(spans[index][steps])
        return replace(self, points=np.vstack(points))


def contour_of(mask: Mask, *, tolerance: float = LEAST_CHANGE) -> Contour | None:
    """The smooth contour around a mask, with as few points as keep its voxels.

    Of several pieces (eight neighbours) the largest is taken, and `Contour.left_out` says how
    many voxels the others hold. Holes are inside. A mask at the slice's border is followed
    half a voxel beyond it.

    Args:
        mask: Voxels of one slice, (y, x).
        tolerance: Largest share of the piece's voxels that the contour's own mask may differ in.

    Returns:
        The contour, or None for an empty mask.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if rows.size == 0:
        return None
    top, left = int(rows[0]), int(columns[0])
    piece, left_out = largest_piece(mask[top : rows[-1] + 1, left : columns[-1] + 1])
    # Room around it, so that a curve that swings out of the box is seen to do so.
    points = trace(np.pad(piece, _ROOM), tolerance=tolerance)
    return Contour(points + np.array([top - _ROOM, left - _ROOM]), left_out)


def contours_of(plane: Plane, *, tolerance: float = LEAST_CHANGE) -> dict[Boundary, Contour]:
    """The contours of a slice: around LV, around LV and myocardium, around RV.

    There is an epicardial contour only where there is myocardium; a cavity with nothing around
    it has an endocardial one alone.
    """
    contours = {}
    for boundary in Boundary:
        if boundary.fills in plane:
            contour = contour_of(_inside(plane, boundary), tolerance=tolerance)
            assert contour is not None
            contours[boundary] = contour
    return contours


def redraw(
    plane: Plane,
    boundary: Boundary,
    contour: Contour,
    rules: EditRules | None = None,
    *,
    before: Contour | None = None,
    grey: NDArray[np.generic] | None = None,
) -> Plane:
    """The slice after a contour was changed.

    A contour is where two structures meet. What it takes in becomes LV (endo), myocardium (epi)
    or RV; what it lets go becomes what lies beyond it there, background or a neighbour, save
    that the cavity is never handed to the RV: the wall between them grows. Pieces that the
    contour did not go round stay as they are.

    Args:
        plane: The slice as it was when the contour was `before`.
        boundary: Which border it is.
        contour: As it is now.
        rules: What may be replaced. None: all, save that the RV takes no LV and no myocardium.
        before: As it was. Given, only voxels that lie between the two change, so that no voxel
            far from a dragged point flips. Without it, the largest piece of the structure stands
            for it.
        grey: Grey values of the slice, for rules that look at them.

    Returns:
        A new slice.
    """
    shape = (plane.shape[0], plane.shape[1])
    was = before.part(shape) if before is not None else _main_piece(_inside(plane, boundary))
    return _exchanged(plane, boundary, was, contour.part(shape), rules, grey)


def drawn_anew(
    plane: Plane,
    boundary: Boundary,
    contour: Contour,
    rules: EditRules | None = None,
    *,
    grey: NDArray[np.generic] | None = None,
) -> Plane:
    """The slice with a structure that is what a fresh contour goes round, and nothing else.

    As `redraw`, but all pieces of the structure outside the contour go.
    """
    was = Part(0, 0, _inside(plane, boundary))
    contour_part = contour.part((plane.shape[0], plane.shape[1]))
    return _exchanged(plane, boundary, was, contour_part, rules, grey)


def _inside(plane: Plane, boundary: Boundary) -> Mask:
    inner = np.zeros(len(Structure), bool)
    inner[list(boundary.inner)] = True
    return np.asarray(inner[plane])


def _main_piece(mask: Mask) -> Part:
    """The largest piece of a mask, its holes filled."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if rows.size == 0:
        return Part(0, 0, np.zeros((0, 0), bool))
    top, left = int(rows[0]), int(columns[0])
    piece, _ = largest_piece(mask[top : rows[-1] + 1, left : columns[-1] + 1])
    return Part(top, left, piece)


def _exchanged(
    plane: Plane,
    boundary: Boundary,
    was: Part,
    now: Part,
    rules: EditRules | None,
    grey: NDArray[np.generic] | None,
) -> Plane:
    """The slice in which a border has gone from one part to another."""
    window = _around(was, now, (plane.shape[0], plane.shape[1]))
    here = plane[window]
    inner_was, inner_now = _in_window(was, window), _in_window(now, window)
    wanted = here.copy()
    inner = _inside(here, boundary)
    lost = inner_was & ~inner_now & inner
    if lost.any():
        wanted[lost] = _beyond(here, boundary, inner | inner_now)[lost]
    gained = inner_now & ~inner_was & ~(inner & (here != boundary.fills) & _keeps(boundary))
    wanted[gained] = boundary.fills
    seen = None if grey is None else grey[window]
    after = plane.copy()
    after[window] = (rules or _usual_rules(boundary)).kept(here, wanted, seen)
    return after


def _keeps(boundary: Boundary) -> bool:
    """Whether the inner structures other than the one it fills stay: the cavity in the epi."""
    return boundary is Boundary.EPI


def _usual_rules(boundary: Boundary) -> EditRules:
    if boundary in (Boundary.RV, Boundary.ATRIUM):  # they take nothing from the LV and its wall
        return EditRules(over=frozenset({Structure.BACKGROUND, boundary.fills}))
    return EditRules(over=frozenset({Structure.BACKGROUND, *HEART_STRUCTURES}))


def _beyond(here: Plane, boundary: Boundary, inner: Mask) -> Plane:
    """For each voxel the label of the nearest voxel outside `inner`."""
    from scipy.ndimage import distance_transform_edt

    if inner.all():
        return np.zeros_like(here)
    rows, columns = distance_transform_edt(inner, return_distances=False, return_indices=True)
    beyond = here[rows, columns]
    if boundary is Boundary.ENDO:
        beyond[beyond == Structure.RV] = Structure.MYOCARDIUM
    return np.asarray(beyond)


def _around(was: Part, now: Part, shape: tuple[int, int]) -> tuple[slice, slice]:
    """The window in which two parts lie, with a margin of two voxels."""
    parts = [part for part in (was, now) if part.inside.size]
    if not parts:
        return slice(0, 0), slice(0, 0)
    first = np.min([(part.top, part.left) for part in parts], axis=0) - 2
    last = np.max([[side.stop for side in part.window] for part in parts], axis=0) + 2
    first, last = np.clip(first, 0, shape), np.clip(last, 0, shape)
    return slice(int(first[0]), int(last[0])), slice(int(first[1]), int(last[1]))


def _in_window(part: Part, window: tuple[slice, slice]) -> Mask:
    """A part's mask on a window that holds it."""
    mask = np.zeros([side.stop - side.start for side in window], bool)
    rows, columns = part.inside.shape
    top, left = part.top - window[0].start, part.left - window[1].start
    mask[top : top + rows, left : left + columns] = part.inside
    return mask
