"""Statistics of agreement against pingouin and statsmodels, to 1e-9."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from math import atanh, sqrt, tanh
from typing import Any, TypeVar

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.errors import UnmeasurableError
from engine.scoring.agreement import agreement, intraclass
from engine.scoring.agreement_intervals import coefficient_intervals, icc_interval
from engine.scoring.agreement_tests import paired_tests

T = TypeVar("T")
Pair = tuple[NDArray[np.float64], NDArray[np.float64]]

EXACT = 1e-9


@contextmanager
def their_own_warnings() -> Iterator[None]:
    """What these libraries use of others may be going out of use; that is not our matter."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


with their_own_warnings():
    import pandas
    import pingouin
    import statsmodels.api
    from statsmodels.stats.weightstats import DescrStatsW


def theirs(work: Callable[..., T], *given: Any, **named: Any) -> T:
    with their_own_warnings():
        return work(*given, **named)


@pytest.fixture(autouse=True)
def unrounded() -> Iterator[None]:
    kept = dict(pingouin.options)
    pingouin.options["round"] = None
    pingouin.options["round.column.CI95"] = None
    yield
    pingouin.options.update(kept)


def readings(seed: int, count: int, *, bias: float = 4.0, noise: float = 6.0) -> Any:
    """Volumes of so many patients [ml] by two readers."""
    random = np.random.default_rng(seed)
    truth = random.normal(150, 30, count)
    return 0.95 * truth + bias + random.normal(0, noise, count), truth


CASES = [(1, 40), (2, 7), (3, 120)]


@pytest.fixture(params=CASES, ids=[f"{count} patients" for _, count in CASES])
def pair(request: pytest.FixtureRequest) -> Pair:
    first, second = readings(*request.param)
    return first, second


def exact(value: Any) -> Any:
    return pytest.approx(value, rel=EXACT, abs=EXACT)


def test_bias_spread_and_limits_are_those_of_statsmodels(pair: Pair) -> None:
    first, second = pair
    differences = DescrStatsW(first - second, ddof=1)
    for factor in (1.96, 2.0):
        ours = agreement(first.tolist(), second.tolist(), limits_factor=factor)
        spread = float(differences.std_ddof(1))

        assert ours.bias == exact(float(differences.mean))
        assert ours.sd == exact(spread)
        assert ours.bias_interval == exact(differences.tconfint_mean())
        assert ours.lower_limit == exact(float(differences.mean) - factor * spread)
        assert ours.upper_limit == exact(float(differences.mean) + factor * spread)


def test_correlation_is_that_of_both(pair: Pair) -> None:
    first, second = pair
    ours, tests = agreement(first, second), paired_tests(first, second)
    row = theirs(pingouin.corr, first, second).iloc[0]
    line = theirs(statsmodels.api.OLS(first, statsmodels.api.add_constant(second)).fit)

    assert ours.pearson_r == exact(row["r"])
    assert ours.r_squared == exact(float(line.rsquared))
    assert tests.pearson_p == exact(row["p_val"])
    assert tests.pearson_p == exact(float(line.pvalues[1]))
    low, high = pingouin.compute_esci(
        stat=row["r"], nx=len(first), ny=len(first), eftype="r", decimals=14
    )
    assert coefficient_intervals(first, second).pearson_r == exact((low, high))


def icc_rows(table: NDArray[np.float64]) -> Any:
    patients, raters = table.shape
    long = pandas.DataFrame(
        {
            "patient": np.repeat(np.arange(patients), raters),
            "reader": np.tile(np.arange(raters), patients),
            "ml": table.reshape(-1),
        }
    )
    found = theirs(pingouin.intraclass_corr, long, "patient", "reader", "ml")
    return found.set_index("Type")


def icc_row(rows: Any, ours: str, shrout: str) -> Any:
    """A row of their table, whose names are those of either paper."""
    return rows.loc[ours if ours in rows.index else shrout]


def test_intraclass_correlation_is_that_of_pingouin(pair: Pair) -> None:
    table = np.column_stack(pair)
    rows = icc_rows(table)
    ours = agreement(*pair)
    absolute = icc_row(rows, "ICC(A,1)", "ICC2")

    assert ours.icc_2_1 == exact(absolute["ICC"])
    assert ours.icc_3_1 == exact(icc_row(rows, "ICC(C,1)", "ICC3")["ICC"])
    found = coefficient_intervals(*pair).icc_2_1
    assert found == exact(tuple(absolute["CI95"]))


def test_intraclass_correlation_of_three_readers_is_that_of_pingouin() -> None:
    random = np.random.default_rng(9)
    table = random.normal(60, 10, (18, 1)) + random.normal([0, 2, -1], 3, (18, 3))
    row = icc_row(icc_rows(table), "ICC(A,1)", "ICC2")

    assert intraclass(table, absolute=True) == exact(row["ICC"])
    assert icc_interval(table) == exact(tuple(row["CI95"]))


def test_the_paired_t_test_is_that_of_both(pair: Pair) -> None:
    first, second = pair
    ours = paired_tests(first, second)
    row = theirs(pingouin.ttest, first, second, paired=True).iloc[0]
    t, p, freedom = DescrStatsW(first - second).ttest_mean(0)

    assert (ours.t, ours.t_p, ours.t_freedom) == exact((row["T"], row["p_val"], row["dof"]))
    assert (ours.t, ours.t_p, ours.t_freedom) == exact((float(t), float(p), int(freedom)))
    assert ours.effect_size == exact(float(t) / sqrt(len(first)))


def test_the_signed_rank_test_is_that_of_pingouin(pair: Pair) -> None:
    """Exact for 7 and 40 patients, the normal approximation for 120."""
    first, second = pair
    ours = paired_tests(first, second)
    row = theirs(pingouin.wilcoxon, first, second).iloc[0]

    assert ours.wilcoxon_w == exact(row["W_val"])
    assert ours.wilcoxon_p == exact(row["p_val"])


@pytest.mark.parametrize("count", [9, 30])
def test_shared_ranks_and_no_differences_are_taken_as_pingouin_takes_them(count: int) -> None:
    random = np.random.default_rng(count)
    second = random.integers(50, 60, count).astype(float)
    first = second + random.integers(-3, 6, count)
    first[0] = second[0]
    ours = paired_tests(first.tolist(), second.tolist())
    row = theirs(pingouin.wilcoxon, first, second).iloc[0]

    assert (ours.wilcoxon_w, ours.wilcoxon_p) == exact((row["W_val"], row["p_val"]))


def test_the_growth_of_the_bias_is_that_of_statsmodels(pair: Pair) -> None:
    first, second = pair
    mean = (first + second) / 2
    line = theirs(statsmodels.api.OLS(first - second, statsmodels.api.add_constant(mean)).fit)
    ours = paired_tests(first, second)

    assert (ours.slope, ours.slope_p) == exact((float(line.params[1]), float(line.pvalues[1])))


def test_concordance_is_what_is_left_of_the_squared_distance_from_the_line(pair: Pair) -> None:
    """Lin (1989): CCC = 1 - E[(x - y)^2] / E[(x - y)^2 if they were independent]."""
    first, second = pair
    apart = np.mean((first - second) ** 2)
    independent = np.mean((first[:, None] - second[None, :]) ** 2)

    assert agreement(first, second).ccc == exact(1 - apart / independent)


def test_the_interval_of_the_concordance_covers_it_about_as_often_as_it_says() -> None:
    """20000 pairs show what the true concordance of these readers is."""
    true = agreement(*readings(0, 20000)).ccc
    assert true is not None
    hits = 0
    for seed in range(150):
        interval = coefficient_intervals(*readings(100 + seed, 40)).ccc
        assert interval is not None
        hits += interval[0] <= true <= interval[1]

    assert 0.9 <= hits / 150 <= 0.995


def test_the_interval_of_the_concordance_is_that_of_a_jackknife() -> None:
    """The SD of Lin's z over leave-one-out pseudo-values, an estimate that knows no formula."""
    first, second = readings(11, 150)
    interval = coefficient_intervals(first, second).ccc
    whole = agreement(first, second).ccc
    assert interval is not None
    assert whole is not None
    without = [
        atanh(agreement(np.delete(first, n), np.delete(second, n)).ccc or 0.0) for n in range(150)
    ]
    error = sqrt(149 / 150 * float(np.sum((np.array(without) - np.mean(without)) ** 2)))

    assert interval[0] == pytest.approx(tanh(atanh(whole) - 1.96 * error), abs=0.01)
    assert interval[1] == pytest.approx(tanh(atanh(whole) + 1.96 * error), abs=0.01)


def test_pairs_without_a_value_change_nothing() -> None:
    first, second = readings(5, 20)
    whole = paired_tests(first.tolist(), second.tolist())
    gaps = paired_tests([*first, None, 3.0], [*second, 1.0, None])

    assert gaps == whole
    assert coefficient_intervals([*first, None], [*second, 2.0]) == coefficient_intervals(
        first, second
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([], []),
        ([3.0], [1.0]),
        ([3.0, 4.0], [1.0, 5.0]),
        ([5.0] * 6, [5.0] * 6),
        ([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0]),
        ([2.0, 3.0, 4.0, 5.0], [1.0, 2.0, 3.0, 4.0]),
        ([0.1 + 0.2] * 5, [0.3] * 5),
        ([1e9, 2e9, 4e9], [-1e-9, 0.0, 1e-9]),
        ([None, None], [1.0, None]),
    ],
)
def test_what_cannot_be_told_is_none_and_never_nan(first: list[Any], second: list[Any]) -> None:
    tests, intervals = paired_tests(first, second), coefficient_intervals(first, second)
    numbers = [value for value in asdict(tests).values() if value is not None]
    numbers += [bound for each in asdict(intervals).values() if each for bound in each]

    assert np.isfinite(numbers).all()
    for p in (tests.t_p, tests.wilcoxon_p, tests.pearson_p, tests.slope_p):
        assert p is None or 0 <= p <= 1


def test_what_is_no_number_is_refused() -> None:
    for broken in (float("nan"), float("inf")):
        with pytest.raises(UnmeasurableError):
            paired_tests([1.0, broken], [1.0, 2.0])
    with pytest.raises(UnmeasurableError):
        coefficient_intervals([1.0], [1.0, 2.0])
