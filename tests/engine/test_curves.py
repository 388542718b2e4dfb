"""Peak ejection and filling rates on curves whose slopes are known."""

from math import pi

import numpy as np
import pytest

from engine.clinical.curves import FEWEST_PHASES, CurveRates, measure_rates
from engine.clinical.phases import PhaseChoice, PhaseRule
from engine.clinical.volumes import VolumeCurve
from engine.structures import Structure

STROKE_ML, SYSTOLE_MS, BEAT_MS = 80.0, 300.0, 900.0


def beat(
    count: int = 30, *, start: int = 0, first_ms: float = 0.0
) -> tuple[VolumeCurve, PhaseChoice, tuple[float, ...]]:
    """Ejection and filling by half cosines; `start` phases of filling come before the R wave."""
    step = BEAT_MS / count
    times = np.arange(count) * step
    in_beat = (times - start * step) % BEAT_MS
    emptied = np.where(
        in_beat <= SYSTOLE_MS,
        (1 - np.cos(pi * in_beat / SYSTOLE_MS)) / 2,
        (1 + np.cos(pi * (in_beat - SYSTOLE_MS) / (BEAT_MS - SYSTOLE_MS))) / 2,
    )
    volumes = 140 - STROKE_ML * emptied
    curve = VolumeCurve(Structure.LV, tuple(range(count)), tuple(volumes.tolist()))
    choice = PhaseChoice(
        int(volumes.argmax()), int(volumes.argmin()), PhaseRule.LARGEST_AND_SMALLEST
    )
    return curve, choice, tuple((times + first_ms).tolist())


PER = STROKE_ML * pi / 2 / SYSTOLE_MS * 1000
PFR = STROKE_ML * pi / 2 / (BEAT_MS - SYSTOLE_MS) * 1000


@pytest.mark.parametrize("start", [0, 4, 25])
@pytest.mark.parametrize("first_ms", [0.0, 17.0])
def test_half_cosines_have_their_peak_rates_at_half_time(start: int, first_ms: float) -> None:
    """The sampled peak lies below by (step * pi / duration)^2 / 6, 1.8 % in systole here."""
    rates = measure_rates(*beat(start=start, first_ms=first_ms))

    assert rates.ejection is not None
    assert rates.filling is not None
    assert rates.ejection.ml_s == pytest.approx(PER, rel=0.019)
    assert rates.filling.ml_s == pytest.approx(PFR, rel=0.006)
    assert rates.ejection.ml_s <= PER
    assert rates.ejection.after_ms == pytest.approx(SYSTOLE_MS / 2)
    assert rates.filling.after_ms == pytest.approx((BEAT_MS - SYSTOLE_MS) / 2)
    assert rates.ejection.phase == (5 + start) % 30
    assert rates.filling.phase == (20 + start) % 30


def test_more_phases_come_closer_to_the_formula() -> None:
    errors = []
    for count in (15, 30, 60, 120):
        found = measure_rates(*beat(count)).ejection
        assert found is not None
        errors.append(abs(found.ml_s / PER - 1))

    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.002


def test_twice_the_volume_is_twice_the_rate() -> None:
    curve, choice, times = beat()
    double = VolumeCurve(curve.structure, curve.phases, tuple(2 * ml for ml in curve.volumes_ml))
    once, twice = measure_rates(curve, choice, times), measure_rates(double, choice, times)

    assert once.ejection is not None
    assert twice.ejection is not None
    assert twice.ejection.ml_s == pytest.approx(2 * once.ejection.ml_s)


def refused(why: str) -> CurveRates:
    curve, choice, times = beat()
    if why == "times":
        return measure_rates(curve, choice, ())
    if why == "phases":
        few = beat(FEWEST_PHASES - 1)
        return measure_rates(*few)
    if why == "every phase":
        part = VolumeCurve(curve.structure, curve.phases[:-1], curve.volumes_ml[:-1])
        return measure_rates(part, choice, times)
    if why == "missing in a phase":
        gone = VolumeCurve(curve.structure, curve.phases, (*curve.volumes_ml[:-1], 0.0))
        return measure_rates(gone, choice, times)
    if why == "End diastole":
        return measure_rates(curve, PhaseChoice(None, 3, PhaseRule.ONLY_ONE), times)
    return measure_rates(curve, choice, (*times[:-1], times[0]))


@pytest.mark.parametrize(
    "why", ["times", "phases", "every phase", "missing in a phase", "End diastole", "do not rise"]
)
def test_a_curve_that_cannot_have_rates_says_why(why: str) -> None:
    rates = refused(why)

    assert rates.ejection is rates.filling is None
    assert why in rates.why_not


def test_a_curve_that_never_falls_has_no_peak_ejection() -> None:
    curve, choice, times = beat()
    flat = VolumeCurve(curve.structure, curve.phases, (100.0,) * 30)

    assert measure_rates(flat, choice, times).ejection is None
