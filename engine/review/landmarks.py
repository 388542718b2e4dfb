"""Points that a reader puts on slices: where the RV meets the LV, and the mitral annulus."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite
from typing import Any

from engine.labelmap import SlicePlace

Point = tuple[float, float]
"""(y, x) in voxels; whole numbers are voxel centres."""


class PairKind(StrEnum):
    """What two points on a slice mark."""

    INSERTION = "RV insertion"
    """The anterior and the inferior insertion point of the right ventricle on a short axis."""

    ANNULUS = "mitral annulus"
    """Both hinge points of the mitral valve on a long axis."""


class ChamberView(StrEnum):
    """Which chambers a long-axis view cuts."""

    TWO = "2-chamber"
    FOUR = "4-chamber"
    OTHER = "another view"


@dataclass(frozen=True, slots=True)
class PointPair:
    """Two points that a reader put on one slice.

    They stay where they were put in the picture; directions are taken from the labels as they are
    when something is measured.

    Attributes:
        kind: What they mark.
        place: (phase, slice), 0-based.
        first: The anterior insertion point, or one hinge point.
        second: The inferior insertion point, or the other hinge point.
        whole_stack: Whether their directions hold on every slice and phase.
    """

    kind: PairKind
    place: SlicePlace
    first: Point
    second: Point
    whole_stack: bool = False

    def __post_init__(self) -> None:
        if min(self.place) < 0 or not all(map(isfinite, (*self.first, *self.second))):
            raise ValueError("points lie on a slice, and have a place there")

    def moved(self, which: int, point: Point) -> "PointPair":
        """The pair with its first (0) or second (1) point somewhere else."""
        ends = (point, self.second) if which == 0 else (self.first, point)
        return PointPair(self.kind, self.place, *ends, self.whole_stack)

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether it lies on a stack of so many voxels (t, z, y, x)."""
        phases, slices, rows, columns = shape
        inside = all(
            -0.5 <= y <= rows - 0.5 and -0.5 <= x <= columns - 0.5
            for y, x in (self.first, self.second)
        )
        return self.place[0] < phases and self.place[1] < slices and inside

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "kind": self.kind.value,
            "place": list(self.place),
            "first": list(self.first),
            "second": list(self.second),
            "whole_stack": self.whole_stack,
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "PointPair":
        """Read what `as_json` gave.

        Raises:
            AttributeError, KeyError, TypeError, ValueError: It is something else.
        """
        phase, slice_index = content["place"]
        first, second = ((float(y), float(x)) for y, x in (content["first"], content["second"]))
        place = (int(phase), int(slice_index))
        return cls(PairKind(content["kind"]), place, first, second, bool(content["whole_stack"]))


def with_pair(pairs: Iterable[PointPair], pair: PointPair) -> tuple[PointPair, ...]:
    """The pairs with another one.

    It takes the place of one on its slice; one for the whole stack takes that of all of its kind.
    """
    kept = [
        each
        for each in pairs
        if each.kind is not pair.kind
        or not (pair.whole_stack or (each.place == pair.place and not each.whole_stack))
    ]
    return (*kept, pair)


def without_pairs(
    pairs: Iterable[PointPair], kind: PairKind, place: SlicePlace | None = None
) -> tuple[PointPair, ...]:
    """The pairs without those of a kind: on one slice, or, for None, anywhere."""
    return tuple(
        each
        for each in pairs
        if each.kind is not kind or (place is not None and each.place != place)
    )
