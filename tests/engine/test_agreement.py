"""Agreement against scipy, published worked figures and formulas done another way."""

from dataclasses import asdict
from math import sqrt

import numpy as np
import pytest
from scipy import stats

from engine.clinical.volumes import mass_g
from engine.errors import UnmeasurableError
from engine.scoring.agreement import Agreement, agreement
from engine.scoring.evaluation import quantities
from engine.structures import Structure

RANDOM = np.random.default_rng(4)
REFERENCE = RANDOM.normal(150, 30, 40)
PREDICTED = 0.9 * REFERENCE + RANDOM.normal(8, 6, 40)


def known(value: float | None) -> float:
    assert value is not None
    return value


def test_r1_13_the_bias_is_the_middle_of_the_limits() -> None:
    ours = agreement(PREDICTED.tolist(), REFERENCE.tolist())

    assert known(ours.bias) == pytest.approx(
        (known(ours.lower_limit) + known(ours.upper_limit)) / 2, abs=1e-12
    )
    assert ours.bias == pytest.approx(np.mean(PREDICTED) - np.mean(REFERENCE))
    assert ours.sd == pytest.approx(sqrt(stats.tvar(PREDICTED - REFERENCE)))


def test_the_sign_is_prediction_minus_reference() -> None:
    assert agreement([12.0, 22.0], [10.0, 20.0]).bias == 2.0


@pytest.mark.parametrize("factor", [1.96, 2.0])
def test_r3_8_limits_lie_the_factor_times_the_sd_from_the_bias(factor: float) -> None:
    ours = agreement(PREDICTED.tolist(), REFERENCE.tolist(), limits_factor=factor)
    difference = PREDICTED - REFERENCE

    assert known(ours.upper_limit) - known(ours.bias) == pytest.approx(
        factor * np.std(difference, ddof=1)
    )
    assert ours.r_squared == pytest.approx(stats.linregress(REFERENCE, PREDICTED).rvalue ** 2)
    assert ours.pearson_r == pytest.approx(stats.pearsonr(PREDICTED, REFERENCE).statistic)


def test_confidence_intervals_are_those_of_bland_and_altman() -> None:
    """Their peak-flow example: 17 differences, mean -2.1 and SD 38.8 l/min, limits -79.7, 75.5.

    Bland and Altman (1986), with factor 2: bias -22.0 to 17.8, lower limit -114.3 to -45.1,
    upper limit 40.9 to 110.1. They take the limit's variance as 3 SD^2 / n; the later formula of
    1999 differs by some per cent.
    """
    shape = np.linspace(-1, 1, 17)
    difference = -2.1 + 38.8 * shape / np.std(shape, ddof=1)
    ours = agreement((450 + difference).tolist(), [450.0] * 17, limits_factor=2)

    assert ours.bias_interval == pytest.approx((-22.0, 17.8), abs=0.1)
    assert (ours.lower_limit, ours.upper_limit) == pytest.approx((-79.7, 75.5), abs=0.1)
    assert ours.lower_limit_interval == pytest.approx((-114.3, -45.1), abs=1.5)
    assert ours.upper_limit_interval == pytest.approx((40.9, 110.1), abs=1.5)


def test_the_interval_of_a_limit_covers_the_true_limit_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    truth, hits = 1.96, 0
    for _ in range(400):
        ours = agreement(random.normal(size=30).tolist(), [0.0] * 30)
        assert ours.upper_limit_interval is not None
        hits += ours.upper_limit_interval[0] <= truth <= ours.upper_limit_interval[1]

    assert 0.91 <= hits / 400 <= 0.99


def test_intraclass_correlations_are_those_of_shrout_and_fleiss() -> None:
    """Their table of six targets, judges 1 and 2, worked with a two-way table by hand."""
    first, second = np.array([9, 6, 8, 7, 10, 6.0]), np.array([2, 1, 4, 1, 5, 2.0])
    everything = np.concatenate([first, second])
    patients = (first + second) / 2
    of_patients = 2 * ((patients - everything.mean()) ** 2).sum() / 5
    of_judges = 6 * sum((judge.mean() - everything.mean()) ** 2 for judge in (first, second))
    total = ((everything - everything.mean()) ** 2).sum()
    error = (total - 5 * of_patients - of_judges) / 5
    ours = agreement(first.tolist(), second.tolist())

    assert ours.icc_3_1 == pytest.approx((of_patients - error) / (of_patients + error))
    assert ours.icc_2_1 == pytest.approx(
        (of_patients - error) / (of_patients + error + 2 * (of_judges - error) / 6)
    )


def test_concordance_is_correlation_times_accuracy_and_falls_with_a_shift() -> None:
    """Lin: CCC = r C, C = 2 / (v + 1/v + u^2), v the ratio of SDs, u the scaled shift."""
    ratio = np.std(PREDICTED) / np.std(REFERENCE)
    shift = (PREDICTED.mean() - REFERENCE.mean()) / sqrt(np.std(PREDICTED) * np.std(REFERENCE))
    r = stats.pearsonr(PREDICTED, REFERENCE).statistic
    ours = agreement(PREDICTED.tolist(), REFERENCE.tolist())
    shifted = agreement((PREDICTED + 20).tolist(), REFERENCE.tolist())

    assert ours.ccc == pytest.approx(r * 2 / (ratio + 1 / ratio + shift**2))
    assert known(shifted.ccc) < known(ours.ccc)
    assert shifted.pearson_r == pytest.approx(known(ours.pearson_r))
    assert shifted.icc_3_1 == pytest.approx(known(ours.icc_3_1))


def test_equal_measurements_agree_perfectly() -> None:
    same = agreement([1.0, 2.0, 4.0], [1.0, 2.0, 4.0])

    assert (same.bias, same.sd, same.lower_limit) == (0.0, 0.0, 0.0)
    assert (same.pearson_r, same.ccc) == pytest.approx((1, 1))
    assert (same.icc_2_1, same.icc_3_1) == pytest.approx((1, 1))


def nones(found: Agreement) -> set[str]:
    return {name for name, value in asdict(found).items() if value is None}


def test_too_few_or_constant_values_give_none_and_never_nan() -> None:
    correlations = {"pearson_r", "r_squared", "ccc", "icc_2_1", "icc_3_1"}
    spread = {"sd", "lower_limit", "upper_limit", "bias_interval"} | {
        "lower_limit_interval",
        "upper_limit_interval",
    }

    assert nones(agreement([], [])) == correlations | spread | {"bias"}
    assert nones(agreement([3.0], [1.0])) == correlations | spread
    assert nones(agreement([3.0, 4.0], [1.0, 5.0])) == correlations
    constant = agreement([0.1 + 0.2] * 4, [1.0, 2.0, 3.0, 4.0])
    assert nones(constant) == {"pearson_r", "r_squared"}
    assert constant.ccc == pytest.approx(0)
    everywhere = agreement([5.0] * 4, [5.0] * 4)
    assert nones(everywhere) == correlations
    for found in (constant, everywhere):
        numbers = [v for v in asdict(found).values() if isinstance(v, float)]
        assert np.isfinite(numbers).all()


def test_pairs_without_a_value_are_left_out_and_counted() -> None:
    ours = agreement([1.0, None, 3.0, 5.0], [1.0, 2.0, None, 4.0])

    assert (ours.count, ours.left_out, ours.bias) == (2, 2, 0.5)
    with pytest.raises(UnmeasurableError):
        agreement([1.0], [1.0, 2.0])
    with pytest.raises(UnmeasurableError):
        agreement([float("nan")], [1.0])


def test_r3_8_the_mass_is_the_volume_times_the_density() -> None:
    """25 x 8 x 2 x 2 mm^3 of muscle are 0.8 ml, so 0.84 g."""
    ed, es = (np.zeros((3, 20, 20), np.uint8) for _ in range(2))
    ed[0, :5, :5] = Structure.MYOCARDIUM
    ed[1, :10, :10], es[1, :5, :10] = Structure.LV, Structure.LV
    ed[2, :4, :10], es[2, :3, :10] = Structure.RV, Structure.RV
    found = quantities(ed, es, (8.0, 2.0, 2.0))

    assert found["mass_ed_g"] == pytest.approx(0.84)
    assert found["mass_ed_g"] == pytest.approx(mass_g(0.8))
    assert found["mass_es_g"] == 0.0
    assert (found["lv_edv_ml"], found["lv_esv_ml"]) == pytest.approx((3.2, 1.6))
    assert (found["lv_ef_percent"], found["rv_ef_percent"]) == pytest.approx((50, 25))
    assert quantities(es * 0, es, (8.0, 2.0, 2.0))["lv_ef_percent"] is None
