"""Layers between the slices of a stack: how outlines become a body."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engine.mesh.depth import Depths

_MARGIN = 1  # layers beyond either end of a stack
_TABLE_STEPS = 24  # of the smoothing between slices, a slice
_BLUR = 0.3  # standard deviation of the smoothing between slices [slices]
_ROUNDING_MM = 2.0  # of the edge of a flat end
_SHARP_MM = 0.1  # the least rounding
_FLAT_FROM, _ROUND_FROM = 0.6, 0.3  # area of an end, as a part of the largest slice's


@dataclass(frozen=True, slots=True)
class End:
    """How one end of a run of slices is closed.

    Attributes:
        edge: The slice border where it ends: n lies below slice n.
        upper: Whether the run lies below the end.
        reach_mm: How far the rounding of its edge reaches into the outline.
        height_mm: How far it reaches from the end inwards, across the slices.
        flat: Whether a flat part remains that is worth a name: a plane where the labels end.
    """

    edge: int
    upper: bool
    reach_mm: float
    height_mm: float
    flat: bool

    @property
    def outer(self) -> int:
        """The slice that lies at the end."""
        return self.edge - 1 if self.upper else self.edge

    def cut_through(self, thickness_mm: float) -> "End":
        """The same end as a cut through a wall, which no rounding may make thin.

        Args:
            thickness_mm: Of the wall at the end.
        """
        rounding_mm = float(np.clip(thickness_mm / 3, _SHARP_MM, self.height_mm))
        rounding_mm = min(rounding_mm, _ROUNDING_MM)
        return End(self.edge, self.upper, rounding_mm, rounding_mm, flat=True)


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring slices that show one structure.

    Attributes:
        first: The first slice.
        behind: The one behind the last.
    """

    first: int
    behind: int

    def ends(self, areas: NDArray[np.int64], depths: Depths, slice_mm: float) -> list[End]:
        """How it ends: what has tapered off ends as half an ellipsoid, what has not is cut flat.

        Args:
            areas: Of the outlines of all slices, (z,), in any unit.
            depths: Of all slices, (z, y, x) [mm].
            slice_mm: How far slices lie apart.
        """
        largest = float(areas[self.first : self.behind].max())
        ends = []
        for edge, outer, upper in (
            (self.first, self.first, False),
            (self.behind, self.behind - 1, True),
        ):
            size = float(areas[outer]) / largest
            share = float(np.clip((_FLAT_FROM - size) / (_FLAT_FROM - _ROUND_FROM), 0, 1))
            rounding_mm = min(_ROUNDING_MM, slice_mm / 4)
            reach_mm = max(rounding_mm, share * float(depths[outer].max()))
            height_mm = rounding_mm + share * (slice_mm / 2 - rounding_mm)
            ends.append(End(edge, upper, reach_mm, height_mm, share < _ROUND_FROM))
        return ends


@dataclass(frozen=True, slots=True)
class Stack:
    """Slices and the layers that stand for them.

    Attributes:
        slices: How many slices there are.
        layers: How many layers stand for each.
        slice_mm: How far slices lie apart.
    """

    slices: int
    layers: int
    slice_mm: float

    @property
    def at(self) -> NDArray[np.float64]:
        """Where the layers lie [slices], a few of them beyond either end, (z,)."""
        count = self.slices * self.layers
        return (np.arange(-_MARGIN, count + _MARGIN) + 0.5) / self.layers - 0.5

    def between(self, depths: Depths, runs: Iterable[Run], *, elsewhere_mm: float) -> Depths:
        """Depths of layers from depths of slices (z, y, x) [mm], each run by itself.

        Args:
            depths: Of the slices.
            runs: Rows of slices that belong together.
            elsewhere_mm: The depth where no run is.
        """
        weights = np.zeros((len(self.at), self.slices), np.float32)
        for run in runs:
            own = _weights(run.behind - run.first, self.layers)
            weights[self._rows(run), run.first : run.behind] = own
        flat = weights @ depths.reshape(self.slices, -1)
        flat[~weights.any(axis=1)] = elsewhere_mm
        layers: Depths = flat.reshape(-1, *depths.shape[1:])
        return layers

    def close(self, depths: Depths, end: End) -> None:
        """Close an end of a body; its edge becomes a quarter of an ellipse.

        Args:
            depths: Of the layers [mm], beyond the end as at the end; changed.
            end: Which.
        """
        inside_mm = self.inside_mm(end)
        near = (inside_mm < end.height_mm) & (inside_mm > -self.slice_mm / 2)
        for number in np.flatnonzero(near):
            up = 1 - inside_mm[number] / end.height_mm
            across = np.maximum(1 - depths[number] / np.float32(end.reach_mm), 0)
            depths[number] = end.reach_mm * (1 - np.hypot(across, np.float32(up)))

    def inside_mm(self, end: End) -> Depths:
        """How far layers lie inside the plane of an end, (z,) [mm]."""
        beyond = (self.at - (end.edge - 0.5)) * self.slice_mm
        inside: Depths = np.where(end.upper, -beyond, beyond).astype(np.float32)
        return inside

    def where_all(self, slices: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """The layers whose slices on both sides are wanted, (z,)."""
        below = np.floor(self.at).clip(0, self.slices - 1).astype(int)
        above = np.ceil(self.at).clip(0, self.slices - 1).astype(int)
        wanted: NDArray[np.bool_] = slices[below] & slices[above]
        return wanted

    def _rows(self, run: Run) -> slice:
        return slice(run.first * self.layers, run.behind * self.layers + 2 * _MARGIN)


def runs_of(present: NDArray[np.bool_]) -> list[Run]:
    """The rows of neighbouring slices in which something is present, (z,)."""
    changes = np.flatnonzero(np.diff(np.concatenate([[False], present, [False]]).astype(np.int8)))
    return [Run(int(first), int(behind)) for first, behind in changes.reshape(-1, 2)]


@lru_cache(maxsize=64)
def _weights(slices: int, layers: int) -> Depths:
    """What each slice of a run adds to each layer, (layers, slices); rows add up to 1.

    Shape-based interpolation (Raya and Udupa 1990: the distance maps of the outlines are
    interpolated, not the outlines), blurred across the slices by a Gaussian so that no crease
    remains where a slice lies. No weight is negative: where one outline lies inside another on
    every slice, it also does between them.
    """
    at = Stack(slices, layers, 1.0).at.clip(-0.5, slices - 0.5)
    table = np.arange(-2, slices + 1, 1 / _TABLE_STEPS)
    shares = 1 - np.abs(table.clip(0, slices - 1)[:, None] - np.arange(slices))
    bell = np.exp(-0.5 * ((at[:, None] - table) / _BLUR) ** 2)
    bell /= bell.sum(axis=1, keepdims=True)
    weights: Depths = (bell @ shares.clip(min=0)).astype(np.float32)
    weights.setflags(write=False)
    return weights
