"""95 % confidence intervals of the coefficients of agreement."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import atanh, sqrt, tanh
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.scoring.agreement import agreement, mean_squares, paired

Interval = tuple[float, float]

_LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class CoefficientIntervals:
    """Where the coefficients of `Agreement` lie with a probability of 95 %; None where unknown.

    Attributes:
        pearson_r: By Fisher's z, with a standard error of 1 / sqrt(n - 3).
        ccc: By the same transformation, with the variance of Lin (1989), corrected 2000.
        icc_2_1: By the F distribution (Shrout and Fleiss 1979, McGraw and Wong 1996).
    """

    pearson_r: Interval | None
    ccc: Interval | None
    icc_2_1: Interval | None

    def as_json(self) -> dict[str, Any]:
        """The same for a file; intervals are lists of two."""
        return {
            name: None if value is None else list(value)
            for name, value in (
                ("pearson_r", self.pearson_r),
                ("ccc", self.ccc),
                ("icc_2_1", self.icc_2_1),
            )
        }


def coefficient_intervals(
    first: Sequence[float | None], second: Sequence[float | None]
) -> CoefficientIntervals:
    """Confidence intervals of Pearson's r, of Lin's concordance and of ICC(2,1).

    Args:
        first: One value per patient, None where there is none.
        second: The same patients in the same order.

    Returns:
        Intervals from 4 pairs on, that of the ICC from 3.

    Raises:
        UnmeasurableError: The lists differ in length, or a value is not finite.
    """
    pairs = paired(first, second)
    found = agreement(first, second)
    return CoefficientIntervals(
        pearson_r=_around_r(found.pearson_r, len(pairs)),
        ccc=_around_ccc(found.ccc, found.pearson_r, pairs),
        icc_2_1=icc_interval(pairs) if found.icc_2_1 is not None else None,
    )


def _normal(level: float) -> float:
    from scipy.special import ndtri

    return float(ndtri((1 + level) / 2))


def _around_r(r: float | None, count: int) -> Interval | None:
    if r is None or count < 4:
        return None
    if abs(r) >= 1:
        return (r, r)
    reach = _normal(_LEVEL) / sqrt(count - 3)
    return (tanh(atanh(r) - reach), tanh(atanh(r) + reach))


def _around_ccc(ccc: float | None, r: float | None, pairs: NDArray[np.float64]) -> Interval | None:
    """Lin's interval, on the scale of atanh, with his standard error of n - 2."""
    count = len(pairs)
    if ccc is None or r is None or count < 4 or not r:
        return None
    if abs(ccc) >= 1 - 1e-12:
        return (ccc, ccc)
    deviations = pairs.std(axis=0)
    shift = float(pairs[:, 0].mean() - pairs[:, 1].mean()) / sqrt(float(deviations.prod()))
    u, c, square = shift**2, ccc, ccc**2
    variance = (
        (1 - r * r) * square / ((1 - square) * r * r)
        + 2 * c**3 * (1 - c) * u / (r * (1 - square) ** 2)
        - c**4 * u**2 / (2 * r * r * (1 - square) ** 2)
    ) / (count - 2)
    reach = _normal(_LEVEL) * sqrt(max(0.0, variance))
    return (tanh(atanh(c) - reach), tanh(atanh(c) + reach))


def icc_interval(table: NDArray[np.float64]) -> Interval | None:
    """95 % interval of ICC(2,1) of a table of patients x raters, (n, k).

    McGraw and Wong (1996), table 7, case 2: the degrees of freedom by Satterthwaite.

    Returns:
        None where the mean squares give no finite F.
    """
    from scipy.special import fdtri

    count, raters = table.shape
    between, columns, error = mean_squares(table)
    if count < 3 or error <= 0 or between <= 0:
        return None
    icc = (between - error) / (between + (raters - 1) * error + raters * (columns - error) / count)
    ratio = columns / error
    part = raters * icc * ratio
    rest = count * (1 + (raters - 1) * icc) - raters * icc
    freedom = (count - 1) * (raters - 1) * (part + rest) ** 2 / ((count - 1) * part**2 + rest**2)
    if not np.isfinite(freedom) or freedom <= 0:
        return None
    above = float(fdtri(count - 1, freedom, (1 + _LEVEL) / 2))
    below = float(fdtri(freedom, count - 1, (1 + _LEVEL) / 2))
    shared = raters * columns + (raters * count - raters - count) * error
    low = count * (between - above * error) / (above * shared + count * between)
    high = count * (below * between - error) / (shared + count * below * between)
    return (low, high)
