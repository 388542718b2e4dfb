"""What a page says besides its table: the base by all rules, rates, walls, normal ranges."""

from engine.clinical.basal import BasalRule
from engine.clinical.basal_overview import RuleResult
from engine.clinical.curves import CurveRates
from engine.clinical.findings import name_phase
from engine.clinical.quantities import Quantities
from engine.clinical.report import Report
from engine.clinical.segments import WallMap

_RULES = {
    BasalRule.READER: "reader's choice",
    BasalRule.HALF: "myocardium ≥ 50 %",
    BasalRule.FULL: "myocardium 100 %",
}
_QUANTITIES = {
    "lv_ef_percent": ("LV EF", "%"),
    "lv_edv_ml": ("LV EDV", "ml"),
    "lv_esv_ml": ("LV ESV", "ml"),
    "lv_mass_index_g_m2": ("LV mass index", "g/m²"),
}


def further_lines(report: Report) -> list[tuple[str, str]]:
    """Headings and sentences; none where nothing was measured."""
    found = report.quantities
    if found is None or report.choice.ed is None:
        return []
    lines = [
        ("Basal slices", _base(report, found)),
        ("Rates", _rates(found)),
        ("Wall", _wall(found.wall)),
        ("Normal ranges", _ranges(report)),
    ]
    return [(heading, text) for heading, text in lines if text]


def _base(report: Report, found: Quantities) -> str:
    """Both published criteria beside the reader's choice."""
    parts = [_rule(each, report.choices.ef_digits) for each in found.basal.rules]
    told = "; ".join(parts) + "."
    if report.excluded:
        places = ", ".join(
            f"{name_phase(phase, report.choice)}, slice {z + 1}" for phase, z in report.excluded
        )
        told += f" Left out by the reader: {places}."
    return told


def _rule(result: RuleResult, digits: int) -> str:
    if result.why_not:
        return f"{_RULES[result.rule]}: {result.why_not.rstrip('.')}"
    lv, fraction = result.lv, result.lv.ejection_fraction
    percent = None if fraction is None else 100 * fraction
    return (
        f"{_RULES[result.rule]}: EDV {_shown(lv.end_diastolic_ml)} ml, "
        f"ESV {_shown(lv.end_systolic_ml)} ml, EF {_shown(percent, digits)} %, "
        f"mass {_shown(result.mass_g)} g ({result.slices_ed} and {result.slices_es} slices)"
    )


def _rates(found: Quantities) -> str:
    return " ".join(
        told
        for name, rates in (("LV", found.lv_rates), ("RV", found.rv_rates))
        if (told := _rates_of(name, rates))
    )


def _rates_of(name: str, rates: CurveRates) -> str:
    """Nothing where only some phases are labelled: that is usual, and the curve shows it."""
    peaks = [
        f"{what} {peak.ml_s:.0f} ml/s, {peak.after_ms:.0f} ms after {since}"
        for what, peak, since in (("PER", rates.ejection, "ED"), ("PFR", rates.filling, "ES"))
        if peak is not None
    ]
    return f"{name}: {'; '.join(peaks)}." if peaks else ""


def _wall(wall: WallMap) -> str:
    if wall.why_not or wall.mean_ed_mm is None:
        return wall.why_not
    thickest = max(wall.segments, key=lambda each: each.ed_mm or 0.0)
    told = (
        f"At ED {wall.mean_ed_mm:.1f} mm on average, {thickest.ed_mm or 0:.1f} mm in the "
        f"{thickest.name} segment"
    )
    gains = [each.thickening for each in wall.segments if each.thickening is not None]
    return f"{told}; thickening {100 * sum(gains) / len(gains):.0f} %." if gains else f"{told}."


def _ranges(report: Report) -> str:
    """Those that fit, by source; else why there are none."""
    by_source: dict[str, list[str]] = {}
    for key, each in report.ranges.items():
        name, unit = _QUANTITIES[key]
        people = (
            f"{'men' if each.sex == 'M' else 'women'} of {each.ages[0]} to {each.ages[1]} years"
        )
        told = f"{name} {each.lower:.0f} to {each.upper:.0f} {unit}"
        by_source.setdefault(f"{people}, {each.source}", []).append(told)
    if by_source:
        return " ".join(f"{', '.join(told)} ({where})." for where, told in by_source.items())
    reasons = dict.fromkeys(report.ranges_missing.values())
    return f"None fits: {' '.join(reasons)}" if reasons else ""


def _shown(value: float | None, digits: int = 0) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
