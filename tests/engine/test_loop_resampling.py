"""Intervals of changes of EF bias and limits: known answers, and what must hold of any."""

import numpy as np
import pytest

from engine.loop.resampling import change_intervals, limits_known_to


def pairs(errors: list[float]) -> list[tuple[float, float]]:
    return [(50.0 + error, 50.0) for error in errors]


def test_the_same_model_changes_nothing() -> None:
    errors = pairs([-3.0, 1.0, 4.0, 0.5, -2.0, 6.0])
    assert change_intervals(errors, errors, 1.96) == {"bias": (0.0, 0.0), "limits": (0.0, 0.0)}


def test_a_bias_that_is_taken_away_changes_by_its_size_and_leaves_the_limits() -> None:
    before = [5.0, 6.0, 4.0, 5.5, 4.5, 5.0, 6.5]
    after = pairs([error - 2.0 for error in before])
    found = change_intervals(pairs(before), after, 1.96)

    assert found["bias"] == pytest.approx((-2.0, -2.0))
    assert found["limits"] == pytest.approx((0.0, 0.0), abs=1e-9)


def test_limits_twice_as_wide_are_seen_and_chance_is_not() -> None:
    rng = np.random.default_rng(3)
    errors = rng.normal(0, 4, 20)
    wider = change_intervals(pairs(list(errors)), pairs(list(2 * errors)), 1.96)["limits"]
    chance = change_intervals(pairs(list(errors)), pairs(list(rng.normal(0, 4, 20))), 1.96)[
        "limits"
    ]

    assert wider is not None
    assert wider[0] > 0
    assert chance is not None
    assert chance[0] < 0 < chance[1]


def test_the_interval_covers_the_true_change_about_as_often_as_it_says() -> None:
    """Limits 1.96 x 3 to 1.96 x 4 points on 40 patients: 95 % less what the bootstrap lacks."""
    rng = np.random.default_rng(5)
    hits = 0
    for _ in range(60):
        shared = rng.normal(0, 1, 40)
        before, after = (
            sd * (0.7 * shared + np.sqrt(1 - 0.49) * rng.normal(0, 1, 40)) for sd in (3, 4)
        )
        low_high = change_intervals(pairs(list(before)), pairs(list(after)), 1.96)["limits"]
        assert low_high is not None
        hits += low_high[0] <= 1.96 <= low_high[1]
    assert hits >= 50


@pytest.mark.parametrize("patients", [10, 20, 40])
def test_limits_are_known_as_well_as_is_said(patients: int) -> None:
    """Of many draws of normal errors, 95 % have limits within that share of the true ones."""
    share = limits_known_to(patients)
    assert share is not None
    sds = np.random.default_rng(2).normal(0, 3, (20_000, patients)).std(axis=1, ddof=1)
    assert (np.abs(sds / 3 - 1) <= share).mean() == pytest.approx(0.95, abs=0.01)
    assert limits_known_to(4) is None


def test_four_patients_tell_nothing() -> None:
    few = pairs([1.0, 2.0, 3.0, 4.0])
    assert change_intervals(few, few, 1.96) == {"bias": None, "limits": None}
