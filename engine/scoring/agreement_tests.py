"""Tests of paired measurements: is there a bias, and does it grow with what is measured.

A small p-value says that a difference is there, not that it matters; limits of agreement do.
What cannot be computed is None, never NaN.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import erfc, sqrt

import numpy as np
from numpy.typing import NDArray

from engine.scoring.agreement import paired, varies

_EXACT_PAIRS = 50  # up to so many the exact distribution of the signed ranks is taken
_EXACT_TIED_PAIRS = 13  # the same where ranks are shared


@dataclass(frozen=True, slots=True)
class PairedTests:
    """Two-sided tests of first against second measurements.

    Attributes:
        t: Student's paired t, the mean difference over its standard error.
        t_freedom: Its degrees of freedom, n - 1.
        t_p: Its p-value.
        effect_size: Mean difference over the SD of the differences (Cohen 1988, d_z).
        wilcoxon_w: The smaller of the sums of positive and negative ranks (Wilcoxon 1945);
            pairs without a difference are left out.
        wilcoxon_p: Its p-value; exact up to 50 pairs, or 13 where differences are tied, else by
            the normal approximation with corrections for ties and continuity.
        pearson_p: Of no correlation.
        slope: Of the differences over the means of both (Bland and Altman 1999): by how much the
            bias grows with what is measured.
        slope_p: Of no growth.
    """

    t: float | None
    t_freedom: int | None
    t_p: float | None
    effect_size: float | None
    wilcoxon_w: float | None
    wilcoxon_p: float | None
    pearson_p: float | None
    slope: float | None
    slope_p: float | None

    def as_json(self) -> dict[str, float | int | None]:
        """The same for a file."""
        return asdict(self)


def paired_tests(first: Sequence[float | None], second: Sequence[float | None]) -> PairedTests:
    """Test paired measurements; pairs that lack a value are left out.

    Args:
        first: One value per patient, None where there is none.
        second: The same patients in the same order.

    Returns:
        t from 2 pairs on whose differences differ, Wilcoxon from 1 difference on, correlation
        and slope from 3 pairs on that vary.

    Raises:
        UnmeasurableError: The lists differ in length, or a value is not finite.
    """
    pairs = paired(first, second)
    difference, mean = pairs[:, 0] - pairs[:, 1], pairs.mean(axis=1)
    count = len(pairs)
    t = effect = t_p = None
    if count > 1 and difference.std(ddof=1) > 1e-12 * np.abs(pairs).max():
        effect = float(difference.mean() / difference.std(ddof=1))
        t = effect * sqrt(count)
        t_p = _t_p(t, count - 1)
    rank_sum, rank_p = _wilcoxon(difference)
    slope, slope_p = _slope(mean, difference)
    return PairedTests(
        t=t,
        t_freedom=None if t is None else count - 1,
        t_p=t_p,
        effect_size=effect,
        wilcoxon_w=rank_sum,
        wilcoxon_p=rank_p,
        pearson_p=_slope(pairs[:, 1], pairs[:, 0])[1],  # the same test
        slope=slope,
        slope_p=slope_p,
    )


def _t_p(t: float, freedom: int) -> float:
    """Two-sided p of Student's t."""
    from scipy.special import stdtr

    return 2 * float(stdtr(freedom, -abs(t)))


def _slope(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float | None, float | None]:
    """Slope of y over x by least squares, and the p of no slope; None where x or y is constant."""
    if len(x) < 3 or not varies(x):
        return None, None
    apart = x - x.mean()
    slope = float(apart @ y / (apart @ apart))
    if not varies(y):
        return (0.0, None) if len(y) else (None, None)
    left = y - y.mean() - slope * apart
    spread = float(left @ left) / (len(x) - 2)
    error = sqrt(spread / float(apart @ apart))
    if spread <= 1e-24 * float(y @ y):  # on a line but for rounding
        return slope, 0.0
    return slope, _t_p(slope / error, len(x) - 2)


def _wilcoxon(difference: NDArray[np.float64]) -> tuple[float | None, float | None]:
    """Signed-rank statistic and two-sided p of differences, zeros left out."""
    known = difference[difference != 0]
    count = len(known)
    if count == 0:
        return None, None
    ranks, sizes = _mid_ranks(np.abs(known))
    positive = float(ranks[known > 0].sum())
    smaller = min(positive, count * (count + 1) / 2 - positive)
    tied, zeros = bool((sizes > 1).any()), count < len(difference)
    if count <= (_EXACT_TIED_PAIRS if tied or zeros else _EXACT_PAIRS):
        return smaller, _exact_p(ranks, smaller)
    expected = count * (count + 1) / 4
    variance = count * (count + 1) * (2 * count + 1) / 24 - float((sizes**3 - sizes).sum()) / 48
    z = max(0.0, abs(positive - expected) - 0.5) / sqrt(variance)
    return smaller, min(1.0, erfc(z / sqrt(2)))


def _mid_ranks(sizes: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The rank of each value from 1, shared by equal ones, and how many share each."""
    _, which, counts = np.unique(sizes, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[which], counts.astype(np.int64)


def _exact_p(ranks: NDArray[np.float64], smaller: float) -> float:
    """Share of all ways to give the ranks signs whose smaller sum is not above this one."""
    doubled = np.rint(2 * ranks).astype(np.int64)  # whole numbers, where ranks are shared too
    ways = np.zeros(int(doubled.sum()) + 1)
    ways[0] = 1.0
    for rank in doubled.tolist():
        ways[rank:] += ways[:-rank].copy()
    below = float(ways[: round(2 * smaller) + 1].sum())
    return min(1.0, 2 * below / 2.0 ** len(ranks))
