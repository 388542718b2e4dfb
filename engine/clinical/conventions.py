"""The choices behind the numbers, as every report prints them."""

from dataclasses import dataclass

from engine.clinical.phases import PhaseRule
from engine.structures import MYOCARDIUM_G_PER_ML


@dataclass(frozen=True, slots=True)
class Convention:
    """One choice: a key for programs, a sentence for people."""

    key: str
    text: str


_PHASES = {
    PhaseRule.LARGEST_AND_SMALLEST: "ED and ES are the phases with the largest and the smallest "
    "LV cavity of the whole stack, among the labelled phases.",
    PhaseRule.BY_HAND: "ED and ES were chosen by hand.",
    PhaseRule.SOURCE: "ED and ES are the phases that the source of the images names.",
    PhaseRule.ONLY_ONE: "Only one phase is labelled, so ED and ES were not searched for.",
    PhaseRule.NONE: "Nothing was measured, so there are no ED and ES.",
}


_DOUBT = (
    "Ranges of the ejection fraction: the interval in which the model expects a reader's value in "
    "9 of 10 patients, measured on patients it was not trained on. Slices that a person corrected "
    "count as right, which was not measured."
)


def make_conventions(rule: PhaseRule, *, doubt: bool = False) -> tuple[Convention, ...]:
    """The ledger of a report.

    Args:
        rule: How its phases were chosen.
        doubt: Whether it gives ranges of the ejection fraction.
    """
    return (
        Convention("volume", "Volumes by slice summation: areas x distance between slice centres."),
        Convention(
            "slice_distance",
            "The distance is measured from slice centre to slice centre, gap included; the first "
            "and the last slice count in full.",
        ),
        Convention(
            "papillary_muscles",
            "Papillary muscles and trabeculae belong to the cavity, not to the mass (ACDC).",
        ),
        Convention("phases", _PHASES[rule]),
        Convention("rv_phases", "The RV is measured in the phases of the LV."),
        Convention("mass", f"LV mass at ED, {MYOCARDIUM_G_PER_ML} g/ml."),
        Convention("bsa", "Body surface by Mosteller: sqrt(height [cm] x weight [kg] / 3600)."),
        *([Convention("ef_range", _DOUBT)] if doubt else []),
        Convention("counting", "Files count phases and slices from 0, printed pages from 1."),
    )
