"""Drawing the slices between two drawn slices.

Each shape goes over into the other by the signed distances from both borders, mixed by the place
between the slices (Raya and Udupa 1990): what lies inside both stays inside, what lies outside
both stays outside. Two things are added. The shapes are laid upon one another before, so that a
ventricle that moves from slice to slice moves in between as well and does not shrink; and the
level of the mixed distances is chosen so that the area goes over evenly, as the slices' volume
does when it is summed, which also keeps the thin tips of an RV.

The muscle goes over as the disc within the epicardium less the LV, so that its ring stays closed.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from engine.correction.areas import level_enclosing
from engine.correction.cropping import window_around
from engine.correction.wall import beside, open_cavity
from engine.structures import ALL_STRUCTURES, HEART_STRUCTURES, Structure

Volume = NDArray[np.uint8]
Plane = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Field = NDArray[np.float64]

_NEARLY = 0.995  # of the greatest overlap: then the shapes' middles decide
_SEAM = 1.5  # [voxels]; what opens between RV and wall is closed where both are this near


def interpolate(
    volume: Volume,
    structures: Iterable[Structure],
    first: int,
    last: int,
    *,
    spacing_mm: tuple[float, float] = (1.0, 1.0),
) -> Volume:
    """Draw some structures in all slices between two that are drawn.

    What these structures held in between is replaced; other structures keep every voxel. A
    structure that is in one of the two slices only runs out towards the other; one that is in
    neither stays as it is.

    Args:
        volume: `Structure` numbers of a phase, (z, y, x).
        structures: What is drawn.
        first: A drawn slice.
        last: Another one.
        spacing_mm: Voxel distance (y, x) [mm]; only its proportions matter.

    Returns:
        A new volume that differs between these two slices alone.
    """
    first, last = min(first, last), max(first, last)
    drawn_ones = np.union1d(volume[first], volume[last])
    chosen = sorted(frozenset(structures) & set(drawn_ones.tolist()) - {Structure.BACKGROUND})
    filled = volume.copy()
    open_to_change = np.isin(np.arange(256), [Structure.BACKGROUND, *chosen])
    window = window_around((volume[first] > 0) | (volume[last] > 0), 2)
    if window is None:
        return filled
    passage = _Passage.between(volume[first][window], volume[last][window], spacing_mm)
    for z in range(first + 1, last):
        free = open_to_change[filled[z]]
        filled[z][free] = Structure.BACKGROUND
        drawn = passage.drawn((z - first) / (last - first))
        drawn[~np.isin(drawn, chosen) | ~free[window]] = Structure.BACKGROUND
        part = filled[z][window]
        part[drawn > 0] = drawn[drawn > 0]
    return filled


def fill_gaps(volume: Volume, *, spacing_mm: tuple[float, float] = (1.0, 1.0)) -> Volume:
    """Draw every structure in the slices where it is missing between slices that have it.

    Nothing that is drawn changes. A myocardium whose LV is missing gets it in its empty middle.

    Args:
        volume: `Structure` numbers of a phase, (z, y, x).
        spacing_mm: Voxel distance (y, x) [mm]; only its proportions matter.

    Returns:
        A new volume.
    """
    filled = volume.copy()
    gaps: dict[tuple[int, int], list[Structure]] = {}
    for structure in ALL_STRUCTURES:
        having = np.flatnonzero((volume == structure).any(axis=(1, 2)))
        for below, above in pairwise(having.tolist()):
            if above - below > 1:
                gaps.setdefault((below, above), []).append(structure)
    # The LV first: where it is missing in a ring, the ring is no disc to go over from.
    for (first, last), wanted in sorted(gaps.items(), key=lambda gap: Structure.LV not in gap[1]):
        filled = interpolate(filled, wanted, first, last, spacing_mm=spacing_mm)
    return filled


@dataclass(frozen=True, slots=True, eq=False)
class _Shape:
    """How one shape goes over into another.

    Attributes:
        lower: Signed distance from the border of the shape below, negative inside, in a window
            around both shapes; None where it is missing.
        upper: The same above.
        areas: Voxels of both.
        way: From the lower to the upper shape (y, x) [voxels].
        corner: Where the window begins, (y, x); it may reach beyond the image.
    """

    lower: Field | None = field(repr=False)
    upper: Field | None = field(repr=False)
    areas: tuple[int, int]
    way: Field
    corner: tuple[int, int]

    @classmethod
    def between(
        cls, masks: tuple[Mask, Mask], spacing: tuple[float, float], way: Field | None
    ) -> "_Shape":
        """The passage from a mask to another; `way` is taken where one of them is empty."""
        areas = int(masks[0].sum()), int(masks[1].sum())
        window = window_around(masks[0] | masks[1], 0) or (slice(0, 0), slice(0, 0))
        lower, upper = masks[0][window], masks[1][window]
        if all(areas):
            way = _way(lower, upper)
        way = np.zeros(2) if way is None else way
        margin = int(np.ceil(np.abs(way).max())) + 3
        return cls(
            _signed_distance(np.pad(lower, margin), spacing) if areas[0] else None,
            _signed_distance(np.pad(upper, margin), spacing) if areas[1] else None,
            areas,
            way,
            (window[0].start - margin, window[1].start - margin),
        )

    def at(self, part: float, shape: tuple[int, ...]) -> tuple[Mask, Field]:
        """The shape at a part of the way up, and its mixed distances.

        A missing shape counts as infinitely small: the other shrinks towards its middle.

        Args:
            part: From 0, below, to 1, above.
            shape: Of the plane, (y, x); both arrays are of that shape.
        """
        inside, distances = np.zeros(shape, np.bool_), np.full(shape, np.inf)
        area = round((1 - part) * self.areas[0] + part * self.areas[1])
        if area == 0:
            return inside, distances
        lower = None if self.lower is None else _moved(self.lower, self.way * part)
        upper = None if self.upper is None else _moved(self.upper, self.way * (part - 1))
        mixed = _mixed(lower, upper, part)
        ranks = mixed
        if lower is not None and upper is not None:  # what both have, and what neither has, is sure
            sure = 1.0 * ((lower > 0) & (upper > 0)) - 1.0 * ((lower <= 0) & (upper <= 0))
            ranks = mixed + float(np.ptp(mixed)) * sure
        found = ranks <= level_enclosing(ranks, area)
        ends = np.minimum(np.add(self.corner, mixed.shape), shape)
        there = tuple(slice(max(0, a), b) for a, b in zip(self.corner, ends, strict=True))
        here = tuple(
            slice(s.start - a, s.stop - a) for s, a in zip(there, self.corner, strict=True)
        )
        inside[there], distances[there] = found[here], mixed[here]
        return inside, distances


@dataclass(frozen=True, slots=True)
class _Passage:
    """How the heart in one slice goes over into that in another.

    Attributes:
        shape: Of the planes, (y, x).
        wall: The disc within the epicardium.
        cavity: The LV.
        right: The RV.
        atrium: The left atrium.
        whole: The ventricles, where the RV lies at the wall in both slices.
        closed: Whether there is no way through the wall around the LV in both slices.
    """

    shape: tuple[int, ...]
    wall: _Shape
    cavity: _Shape
    right: _Shape
    atrium: _Shape
    whole: _Shape | None
    closed: bool

    @classmethod
    def between(cls, lower: Plane, upper: Plane, spacing_mm: tuple[float, float]) -> "_Passage":
        """The passage between two planes of `Structure` numbers, (y, x) each."""
        spacing = (spacing_mm[0] / min(spacing_mm), spacing_mm[1] / min(spacing_mm))
        planes = lower, upper
        cavities = _masks(planes, Structure.LV)
        walls = _masks(planes, Structure.LV, Structure.MYOCARDIUM)
        rights = _masks(planes, Structure.RV)
        wall = _Shape.between(walls, spacing, None)
        touching = all(
            (beside(one) & other).any() for one, other in zip(walls, rights, strict=True)
        )
        return cls(
            lower.shape,
            wall,
            _Shape.between(cavities, spacing, wall.way),
            _Shape.between(rights, spacing, wall.way),
            _Shape.between(_masks(planes, Structure.LEFT_ATRIUM), spacing, wall.way),
            _Shape.between(_masks(planes, *HEART_STRUCTURES), spacing, None) if touching else None,
            not any(open_cavity(plane).any() for plane in planes),
        )

    def drawn(self, part: float) -> Plane:
        """`Structure` numbers at a part of the way up, (y, x)."""
        outer, wall = self.wall.at(part, self.shape)
        beyond, right = self.right.at(part, self.shape)
        inner, _ = self.cavity.at(part, self.shape)
        if self.whole is not None:  # close the seam that rounding opens between the two
            whole, _ = self.whole.at(part, self.shape)
            seam = whole & ~outer & ~beyond & (wall <= _SEAM) & (right <= _SEAM)
            outer |= seam & (wall <= right)
            beyond |= seam
        outer &= ~(beyond & (right < wall))
        if self.closed:
            inner &= outer & ~beside(~outer)
        plane = np.zeros(self.shape, np.uint8)
        plane[self.atrium.at(part, self.shape)[0]] = Structure.LEFT_ATRIUM
        plane[beyond] = Structure.RV
        plane[outer] = Structure.MYOCARDIUM
        plane[inner] = Structure.LV
        return plane


def _mixed(lower: Field | None, upper: Field | None, part: float) -> Field:
    """Both distances mixed by the part of the way, or the one that there is."""
    if lower is None or upper is None:
        only = upper if lower is None else lower
        assert only is not None
        return only
    return (1 - part) * lower + part * upper


def _masks(planes: tuple[Plane, Plane], *structures: Structure) -> tuple[Mask, Mask]:
    """Where each of two planes holds one of some structures."""
    lower, upper = (np.isin(plane, structures) for plane in planes)
    return lower, upper


def _way(lower: Mask, upper: Mask) -> Field:
    """How far a shape has to move to lie on another as much as it can, (y, x) [voxels].

    Where that is not one place, as for a small disc within a large one, or where the middles of
    the shapes are as good, it is the way between their middles. So it is where one of the shapes
    is in pieces: laying a piece on another would take the rest along.
    """
    from scipy.fft import irfft2, next_fast_len, rfft2
    from scipy.ndimage import label

    middles: Field = np.argwhere(upper).mean(axis=0) - np.argwhere(lower).mean(axis=0)
    if any(label(mask, structure=np.ones((3, 3)))[1] > 1 for mask in (upper, lower)):
        return middles
    shape = tuple(next_fast_len(2 * length, real=True) for length in lower.shape)
    above, below = (rfft2(mask.astype(np.float32), shape) for mask in (upper, lower))
    overlap = irfft2(above * below.conj(), shape)
    ways = np.argwhere(overlap >= _NEARLY * overlap.max())
    ways = np.where(ways >= lower.shape, ways - shape, ways)
    apart = ((ways - middles) ** 2).sum(axis=1)
    best = int(apart.argmin())
    return middles if apart[best] <= 0.5 else ways[best].astype(np.float64)


def _signed_distance(mask: Mask, spacing: tuple[float, float]) -> Field:
    """Distance from the border half-way between voxels, negative inside, (y, x) [voxels]."""
    from scipy.ndimage import distance_transform_edt

    distance = distance_transform_edt(~mask, sampling=spacing)
    distance -= distance_transform_edt(mask, sampling=spacing)
    found: Field = distance + np.where(mask, 0.5, -0.5)
    return found


def _moved(distances: Field, by: Field) -> Field:
    """A field moved by (y, x) [voxels], between voxels by linear interpolation."""
    for axis in (0, 1):
        whole = int(np.floor(-by[axis]))
        rest = float(-by[axis]) - whole
        places = np.arange(distances.shape[axis]) + whole
        last = distances.shape[axis] - 1
        near = distances.take(places.clip(0, last), axis=axis)
        if rest > 0:
            far = distances.take((places + 1).clip(0, last), axis=axis)
            near = (1 - rest) * near + rest * far
        distances = near
    return distances
