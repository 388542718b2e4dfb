"""All that is said about the agreement of two readings, for everybody and for each group."""

from dataclasses import dataclass
from typing import Any

from engine.scoring.agreement import Agreement, agreement
from engine.scoring.agreement_intervals import CoefficientIntervals, coefficient_intervals
from engine.scoring.agreement_pairs import MeasuredPairs
from engine.scoring.agreement_tests import PairedTests, paired_tests

FACTORS = (1.96, 2.0)
"""SDs from the bias to a limit that papers use."""

_LIMITS = ("lower_limit", "upper_limit", "lower_limit_interval", "upper_limit_interval")


@dataclass(frozen=True, slots=True)
class AgreementSummary:
    """How two readings agree in one quantity.

    Attributes:
        group: Of patients; "" for all.
        agreement: Bias, limits and coefficients.
        other_limits: The same with the other factor of `FACTORS`.
        intervals: Of the coefficients.
        tests: Of a difference.
    """

    group: str
    agreement: Agreement
    other_limits: Agreement
    intervals: CoefficientIntervals
    tests: PairedTests

    def as_json(self) -> dict[str, Any]:
        """The same for a file; limits by the factor, "1.96" and "2"."""
        facts = self.agreement.as_json()
        limits = {
            f"{each.limits_factor:g}": {name: each.as_json()[name] for name in _LIMITS}
            for each in sorted(
                (self.agreement, self.other_limits), key=lambda found: found.limits_factor
            )
        }
        kept = {name: facts[name] for name in facts if name not in (*_LIMITS, "limits_factor")}
        return kept | {
            "limits": limits,
            "intervals": self.intervals.as_json(),
            "tests": self.tests.as_json(),
        }


def summarise_agreement(
    pairs: MeasuredPairs, *, limits_factor: float = 1.96
) -> tuple[AgreementSummary, ...]:
    """Summarise all pairs first, then each group.

    Args:
        pairs: Of two readings.
        limits_factor: SDs from the bias to the limits that come first, 1.96 or 2.
    """
    groups = pairs.groups
    chosen = ("", *groups) if len(groups) > 1 else ("",)
    other = next(factor for factor in FACTORS if factor != limits_factor)
    found = []
    for group in chosen:
        first, second = pairs.of_group(group).values
        found.append(
            AgreementSummary(
                group,
                agreement(first, second, limits_factor=limits_factor),
                agreement(first, second, limits_factor=other),
                coefficient_intervals(first, second),
                paired_tests(first, second),
            )
        )
    return tuple(found)
