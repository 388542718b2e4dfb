"""How well a measured quantity agrees with its reference over a group of patients.

Differences are prediction minus reference throughout. What cannot be computed, from too few
pairs or from data that do not vary, is None, never NaN.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import UnmeasurableError

_LEVEL = 0.95
_Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement of paired measurements, in their own unit.

    Attributes:
        count: Pairs.
        left_out: Pairs that lack a value on either side.
        bias: Mean difference, prediction minus reference.
        sd: Standard deviation of the differences (divisor n - 1).
        limits_factor: SDs from the bias to a limit, 1.96 or 2.
        lower_limit: bias - factor x SD (Bland and Altman 1986).
        upper_limit: bias + factor x SD.
        bias_interval: 95 % confidence interval of the bias, +- t SD / sqrt(n).
        lower_limit_interval: The same of the limit, +- t SD sqrt(1/n + factor^2 / (2 (n - 1)))
            (Bland and Altman 1999); t has n - 1 degrees of freedom.
        upper_limit_interval: The same of the upper limit.
        pearson_r: Pearson's correlation.
        r_squared: Its square; not the share of variance explained by y = x.
        ccc: Concordance correlation (Lin 1989), with divisor n.
        icc_2_1: Intraclass correlation, two-way random, single measure, absolute agreement
            (Shrout and Fleiss 1979).
        icc_3_1: The same for fixed raters: consistency.
    """

    count: int
    left_out: int
    bias: float | None
    sd: float | None
    limits_factor: float
    lower_limit: float | None
    upper_limit: float | None
    bias_interval: _Interval | None
    lower_limit_interval: _Interval | None
    upper_limit_interval: _Interval | None
    pearson_r: float | None
    r_squared: float | None
    ccc: float | None
    icc_2_1: float | None
    icc_3_1: float | None

    def as_json(self) -> dict[str, Any]:
        """The same for a file; intervals are lists of two."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }


def agreement(
    predicted: Sequence[float | None],
    reference: Sequence[float | None],
    *,
    limits_factor: float = 1.96,
) -> Agreement:
    """Bland-Altman limits and correlations of paired measurements.

    Args:
        predicted: One value per patient; None where it could not be measured.
        reference: The same patients in the same order.
        limits_factor: SDs from the bias to a limit; papers use 1.96 or 2.

    Returns:
        The bias from 1 pair on, SD, limits and their intervals from 2, correlations from 3.

    Raises:
        UnmeasurableError: The lists differ in length, or a value is not finite.
    """
    pairs = paired(predicted, reference)
    first, second = pairs[:, 0], pairs[:, 1]
    difference = first - second
    count = len(pairs)
    bias = float(difference.mean()) if count else None
    sd = float(difference.std(ddof=1)) if count > 1 else None
    lower, upper, around_bias, around_lower, around_upper = _limits(bias, sd, count, limits_factor)
    r = _pearson(first, second) if count > 2 else None
    return Agreement(
        count=count,
        left_out=len(predicted) - count,
        bias=bias,
        sd=sd,
        limits_factor=limits_factor,
        lower_limit=lower,
        upper_limit=upper,
        bias_interval=around_bias,
        lower_limit_interval=around_lower,
        upper_limit_interval=around_upper,
        pearson_r=r,
        r_squared=None if r is None else r * r,
        ccc=_concordance(first, second) if count > 2 else None,
        icc_2_1=intraclass(pairs, absolute=True),
        icc_3_1=intraclass(pairs, absolute=False),
    )


def paired(
    predicted: Sequence[float | None], reference: Sequence[float | None]
) -> NDArray[np.float64]:
    """The complete pairs, (n, 2): one value of each per patient, None where there is none.

    Raises:
        UnmeasurableError: The lists differ in length, or a value is not finite.
    """
    if len(predicted) != len(reference):
        raise UnmeasurableError(
            f"There are {len(predicted)} predicted and {len(reference)} reference values.",
            hint="Give one value of each per patient, None where there is none.",
        )
    known = [
        (ours, theirs)
        for ours, theirs in zip(predicted, reference, strict=True)
        if ours is not None and theirs is not None
    ]
    pairs = np.array(known, np.float64).reshape(-1, 2)
    if not np.isfinite(pairs).all():
        raise UnmeasurableError(
            "A value is infinite or not a number.", hint="Give None where there is no value."
        )
    return pairs


def _limits(
    bias: float | None, sd: float | None, count: int, factor: float
) -> tuple[float, float, _Interval, _Interval, _Interval] | tuple[None, None, None, None, None]:
    """Lower and upper limit, then the confidence intervals of bias, lower and upper limit."""
    if bias is None or sd is None:
        return (None, None, None, None, None)
    from scipy.special import stdtrit

    t = float(stdtrit(count - 1, (1 + _LEVEL) / 2))
    of_bias = t * sd / sqrt(count)
    of_limit = t * sd * sqrt(1 / count + factor**2 / (2 * (count - 1)))
    lower, upper = bias - factor * sd, bias + factor * sd
    return (
        lower,
        upper,
        (bias - of_bias, bias + of_bias),
        (lower - of_limit, lower + of_limit),
        (upper - of_limit, upper + of_limit),
    )


def varies(values: NDArray[np.float64]) -> bool:
    """Whether values differ by more than their rounding."""
    return bool(np.ptp(values) > 1e-12 * np.abs(values).max())


def _pearson(first: NDArray[np.float64], second: NDArray[np.float64]) -> float | None:
    if not varies(first) or not varies(second):
        return None
    return float(np.clip(np.corrcoef(first, second)[0, 1], -1, 1))


def _concordance(first: NDArray[np.float64], second: NDArray[np.float64]) -> float | None:
    """2 s_xy / (s_x^2 + s_y^2 + (mean x - mean y)^2); None where every value is the same."""
    if not varies(np.concatenate([first, second])):
        return None
    shared = float(np.mean((first - first.mean()) * (second - second.mean())))
    apart = float(first.mean() - second.mean())
    return 2 * shared / (float(first.var() + second.var()) + apart**2)


def mean_squares(table: NDArray[np.float64]) -> tuple[float, float, float]:
    """Mean squares of a two-way table of patients x raters (n, k): patients, raters, what is left.

    Shrout and Fleiss (1979): BMS, JMS and EMS.
    """
    count, raters = table.shape
    patients, columns = table.mean(axis=1), table.mean(axis=0)
    left = table - patients[:, None] - columns + table.mean()
    between = raters * float(patients.var(ddof=1))
    raters_square = count * float(columns.var(ddof=1))
    return between, raters_square, float((left**2).sum()) / ((count - 1) * (raters - 1))


def intraclass(table: NDArray[np.float64], *, absolute: bool) -> float | None:
    """ICC(2,1), or ICC(3,1), of two raters or more (Shrout and Fleiss 1979).

    Args:
        table: Patients x raters (n, k), without gaps.
        absolute: ICC(2,1), absolute agreement; else ICC(3,1), consistency.

    Returns:
        None where every value is the same, or there are fewer than 3 patients.
    """
    if len(table) < 3 or not varies(table):
        return None
    count, raters = table.shape
    between, raters_square, error = mean_squares(table)
    whole = between + (raters - 1) * error
    if absolute:
        whole += raters * (raters_square - error) / count
    # Rounding leaves a whole near 0 where every patient is rated as the others are.
    return (between - error) / whole if whole > 1e-12 * float((table**2).max()) else None
