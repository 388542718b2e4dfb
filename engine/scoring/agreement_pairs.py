"""Pairs of measurements of the same quantity in the same studies."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class PairedPoint:
    """A quantity of one study, measured twice."""

    study: str
    group: str
    folder: Path | None
    first: float
    second: float

    @property
    def mean(self) -> float:
        """Of the two."""
        return (self.first + self.second) / 2

    @property
    def difference(self) -> float:
        """First minus second."""
        return self.first - self.second


@dataclass(frozen=True, slots=True)
class MeasuredPairs:
    """One quantity in all studies that two readings have measured.

    Attributes:
        first: Name of the reading that is judged.
        second: Name of the one it is held against.
        quantity: Its key.
        points: In the order of the studies' names.
        left_out: Studies that lack one of the values.
    """

    first: str
    second: str
    quantity: str
    points: tuple[PairedPoint, ...]
    left_out: tuple[str, ...]

    @property
    def groups(self) -> tuple[str, ...]:
        """Groups of the points, in alphabetical order; without the empty one."""
        return tuple(sorted({point.group for point in self.points if point.group}))

    def of_group(self, group: str) -> "MeasuredPairs":
        """The same with the points of one group alone; "" for all."""
        if not group:
            return self
        chosen = tuple(point for point in self.points if point.group == group)
        return MeasuredPairs(self.first, self.second, self.quantity, chosen, ())

    @property
    def values(self) -> tuple[list[float], list[float]]:
        """The values of the first reading, and of the second."""
        return [each.first for each in self.points], [each.second for each in self.points]
