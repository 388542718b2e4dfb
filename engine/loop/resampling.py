"""How far a change of an ejection fraction's bias or limits may be chance: patients drawn again."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Pair = tuple[float, float]
"""Found and true ejection fraction of a patient [%]."""

_DRAWS, _SEED = 2000, 1
_FEWEST = 5  # patients; of fewer, what is drawn says nothing


def change_intervals(
    before: Sequence[Pair], after: Sequence[Pair], limits_factor: float
) -> dict[str, Pair | None]:
    """95 % intervals of the changes of |bias| and of the half width of the limits of agreement.

    Percentile bootstrap over patients (Efron and Tibshirani 1993, chapter 13): both models keep
    their errors on the same drawn patients, so that a patient who is hard for both counts for both.

    Args:
        before: Of the active model, by patient.
        after: Of the candidate, the same patients in the same order.
        limits_factor: Half width of the limits in standard deviations.

    Returns:
        Lower and upper end [points] under `bias` and `limits`; None for fewer than five patients.
    """
    if len(before) < _FEWEST:
        return {"bias": None, "limits": None}
    drawn = np.random.default_rng(_SEED).integers(len(before), size=(_DRAWS, len(before)))
    old, new = (_sizes(_errors(pairs)[drawn], limits_factor) for pairs in (before, after))
    return {name: _middle(new[name] - old[name]) for name in ("bias", "limits")}


def limits_known_to(patients: int) -> float | None:
    """How far limits of agreement may lie from the true ones, as a share of their width, 95 %.

    The standard error of the SD of n normal errors is SD / sqrt(2 (n - 1)) (Altman, Practical
    Statistics for Medical Research, 1991); the width of the limits goes with the SD.

    Returns:
        E.g. 0.22 of 40 patients; None for fewer than five, of whom nothing can be said.
    """
    if patients < _FEWEST:
        return None
    return float(1.96 / np.sqrt(2 * (patients - 1)))


def _errors(pairs: Sequence[Pair]) -> NDArray[np.float64]:
    return np.array([found - true for found, true in pairs])


def _sizes(errors: NDArray[np.float64], limits_factor: float) -> dict[str, NDArray[np.float64]]:
    """Of errors (draws, patients): a value for each draw."""
    return {
        "bias": np.abs(errors.mean(axis=1)),
        "limits": limits_factor * errors.std(axis=1, ddof=1),
    }


def _middle(values: NDArray[np.float64]) -> Pair:
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)
