"""Volume of the left atrium from long-axis contours: the area-length method."""

from dataclasses import dataclass, field
from enum import StrEnum
from math import pi

import numpy as np
from numpy.typing import NDArray

from engine.errors import UnmeasurableError


class LengthRule(StrEnum):
    """Which length of the two views divides the areas."""

    MEAN = "mean"
    """The mean of both (UK Biobank)."""

    SHORTER = "shorter"
    """The shorter one."""


@dataclass(frozen=True, slots=True, eq=False)
class AtriumContour:
    """The left atrium on one long-axis view.

    Attributes:
        points_mm: Its border without the appendage and the veins, (n, 2) [mm], in order.
        annulus_mm: Both hinge points of the mitral valve, two times (2,) [mm].
    """

    points_mm: NDArray[np.float64] = field(repr=False)
    annulus_mm: tuple[tuple[float, float], tuple[float, float]]

    def __post_init__(self) -> None:
        points = np.asarray(self.points_mm, np.float64)
        if points.ndim != 2 or points.shape[1] != 2 or len(points) < 3:
            raise UnmeasurableError(
                "A contour of the left atrium needs at least three points.",
                hint="Draw it again, from one hinge point of the mitral valve to the other.",
            )
        if not np.isfinite(points).all() or not np.isfinite(self.annulus_mm).all():
            raise UnmeasurableError(
                "A contour of the left atrium has a point that is no number.",
                hint="Draw it again.",
            )
        if np.linalg.norm(np.subtract(*self.annulus_mm)) <= 0:
            raise UnmeasurableError(
                "Both hinge points of the mitral valve lie at one place.",
                hint="Put one at each end of the annulus.",
            )

    @property
    def area_mm2(self) -> float:
        """The enclosed area by the shoelace formula [mm^2]."""
        y, x = np.asarray(self.points_mm, np.float64).T
        return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)

    @property
    def length_mm(self) -> float:
        """From the plane of the annulus, at right angles to it, to the far wall [mm]."""
        start, end = (np.array(point, np.float64) for point in self.annulus_mm)
        along = (end - start) / np.linalg.norm(end - start)
        away = np.asarray(self.points_mm, np.float64) - start
        return float(np.abs(away[:, 0] * along[1] - away[:, 1] * along[0]).max())


def area_length_ml(first_mm2: float, second_mm2: float, length_mm: float) -> float:
    """Biplane area-length volume [ml]: 8 A1 A2 / (3 pi L) / 1000.

    It is exact for an ellipsoid cut through two of its axes. With one view alone, the same area is
    given twice.

    Args:
        first_mm2: Area in the two-chamber view.
        second_mm2: Area in the four-chamber view.
        length_mm: From the annulus to the far wall.

    Raises:
        UnmeasurableError: One of them is not positive.
    """
    values = (first_mm2, second_mm2, length_mm)
    if not all(np.isfinite(value) and value > 0 for value in values):
        raise UnmeasurableError(
            "An area or the length of the left atrium is zero.",
            hint="Draw the atrium in both long-axis views.",
        )
    return 8 * first_mm2 * second_mm2 / (3 * pi * length_mm) / 1000


def biplane_ml(
    two_chamber: AtriumContour, four_chamber: AtriumContour, rule: LengthRule = LengthRule.MEAN
) -> float:
    """Volume of the left atrium from the two- and the four-chamber view [ml].

    Args:
        two_chamber: Of one phase.
        four_chamber: Of the same phase.
        rule: Which length is taken; the UK Biobank's code takes the mean, other programs the
            shorter one.
    """
    lengths = (two_chamber.length_mm, four_chamber.length_mm)
    length_mm = min(lengths) if rule is LengthRule.SHORTER else sum(lengths) / 2
    return area_length_ml(two_chamber.area_mm2, four_chamber.area_mm2, length_mm)


def single_plane_ml(view: AtriumContour) -> float:
    """Volume of the left atrium from one view alone [ml]: 8 A^2 / (3 pi L) / 1000."""
    return area_length_ml(view.area_mm2, view.area_mm2, view.length_mm)


def emptying_fraction(largest_ml: float | None, smallest_ml: float | None) -> float | None:
    """(LAV max - LAV min) / LAV max, 0 to 1; None where it cannot be said."""
    if not largest_ml or smallest_ml is None or smallest_ml > largest_ml:
        return None
    return (largest_ml - smallest_ml) / largest_ml
