"""What a report says besides its results, as rows of text: base, slices, rates, normal ranges."""

from collections.abc import Callable

from engine.clinical.basal import BasalRule
from engine.clinical.basal_overview import RuleResult
from engine.clinical.curves import CurveRates
from engine.clinical.findings import name_phase
from engine.clinical.insertion import UpSource
from engine.clinical.normal_ranges import NormalRange
from engine.clinical.physiology import indexed
from engine.clinical.quantities import SliceRow
from engine.clinical.report import Report
from engine.clinical.segments import WallMap
from engine.study import Origin

Say = Callable[[str], str]
"""Says English words in another language."""

RULES = {
    BasalRule.READER: "reader's choice",
    BasalRule.HALF: "myocardium ≥ 50 %",
    BasalRule.FULL: "myocardium 100 %",
}
"""The basal rules by their names."""

_QUANTITIES = {
    "lv_ef_percent": ("LV EF", "%"),
    "lv_edv_ml": ("LV EDV", "ml"),
    "lv_esv_ml": ("LV ESV", "ml"),
    "lv_mass_index_g_m2": ("LV mass index", "g/m²"),
    "rv_edv_ml": ("RV EDV", "ml"),
    "rv_esv_ml": ("RV ESV", "ml"),
}


def base_rows(report: Report, say: Say = str) -> list[tuple[str, ...]]:
    """Rule, EDV, ESV, SV, EF, mass, slices that count at ED and ES; a row for each basal rule."""
    if report.quantities is None or report.choice.ed is None or report.atrium_alone:
        return []
    return [_rule(each, report, say) for each in report.quantities.basal.rules]


def _rule(result: RuleResult, report: Report, say: Say) -> tuple[str, ...]:
    name, lv = say(RULES[result.rule]), result.lv
    if result.why_not:
        return (name, *["–"] * 6)
    fraction = lv.ejection_fraction
    percent = None if fraction is None else 100 * fraction
    return (
        name,
        _shown(lv.end_diastolic_ml, "ml"),
        _shown(lv.end_systolic_ml, "ml"),
        _shown(lv.stroke_volume_ml, "ml"),
        _shown(percent, "%", report.choices.ef_digits),
        _shown(result.mass_g, "g"),
        f"{result.slices_ed} / {result.slices_es}",
    )


def base_notes(report: Report) -> list[str]:
    """Why a rule cannot be judged, and what a reader left out, a sentence each."""
    if report.quantities is None:
        return []
    by_reason: dict[str, list[str]] = {}
    for each in report.quantities.basal.rules:
        if each.why_not:
            by_reason.setdefault(each.why_not, []).append(RULES[each.rule])
    told = [f"{', '.join(names).capitalize()}: {why}" for why, names in by_reason.items()]
    if report.excluded:
        places = ", ".join(
            f"{name_phase(phase, report.choice)}, slice {z + 1}" for phase, z in report.excluded
        )
        told.append(f"Left out by the reader: {places}.")
    return told


def slice_rows(report: Report) -> list[tuple[str, ...]]:
    """The slices from base to apex: number, then LV, myocardium, RV [ml], border [%] at ED and ES.

    Slices on which nothing is drawn in both phases are left out; a dash stands where nothing is
    drawn or counts.
    """
    found = () if report.quantities is None else report.quantities.slices
    by_slice: dict[int, dict[int, SliceRow]] = {}
    for row in found:
        by_slice.setdefault(row.slice_index, {})[row.phase] = row
    phases = (report.choice.ed, report.choice.es)
    return [
        (str(z + 1), *[cell for phase in phases for cell in _slice_cells(rows.get(phase))])  # type: ignore[arg-type]
        for z, rows in by_slice.items()
        if any(_is_drawn(row) for row in rows.values())
    ]


def _is_drawn(row: SliceRow) -> bool:
    return row.coverage is not None or row.lv_ml + row.myocardium_ml + row.rv_ml > 0


def _slice_cells(row: SliceRow | None) -> tuple[str, str, str, str]:
    if row is None:
        return ("–", "–", "–", "–")
    lv, muscle, rv = (
        f"{ml:.1f}" if ml > 0 else "–" for ml in (row.lv_ml, row.myocardium_ml, row.rv_ml)
    )
    return (lv, muscle, rv, "–" if row.coverage is None else f"{100 * row.coverage:.0f} %")


def rate_rows(report: Report, say: Say = str) -> list[tuple[str, ...]]:
    """Ventricle, PER [ml/s], its time after ED, PFR, its time after ES; none without rates."""
    found = report.quantities
    if found is None:
        return []
    named = (("Left ventricle", found.lv_rates), ("Right ventricle", found.rv_rates))
    return [
        (say(name), *_peak_cells(rates))
        for name, rates in named
        if rates.ejection is not None or rates.filling is not None
    ]


def _peak_cells(rates: CurveRates) -> list[str]:
    cells = []
    for peak in (rates.ejection, rates.filling):
        cells += [
            "–" if peak is None else f"{peak.ml_s:.0f} ml/s",
            "–" if peak is None else f"{peak.after_ms:.0f} ms",
        ]
    return cells


def wall_line(report: Report, say: Say = str) -> str:
    """Mean and largest thickness of the wall and mean thickening; empty where not measured."""
    wall = None if report.quantities is None else report.quantities.wall
    if wall is None or wall.why_not or wall.mean_ed_mm is None or wall.largest_ed_mm is None:
        return ""
    thickest = max(wall.segments, key=lambda each: each.ed_mm or 0.0)
    told = (
        f"{say('Thickness at ED')}: {say('mean')} {wall.mean_ed_mm:.1f} mm, {say('largest')} "
        f"{wall.largest_ed_mm:.1f} mm ({say('Segment')} {thickest.number})"
    )
    gains = [each.thickening for each in wall.segments if each.thickening is not None]
    if gains:
        told += f"; {say('Thickening')}: {say('mean')} {100 * sum(gains) / len(gains):.0f} %"
    return f"{told}."


def insertion_line(wall: WallMap, say: Say = str) -> str:
    """Whose insertion points the segments are counted from; empty where none are known."""
    if wall.source is None:
        return ""
    total, by_reader = len(wall.points or {}), len(wall.by_reader)
    told = f"{say('Insertion points set by the reader')}: {by_reader} / {total} {say('slices')}."
    found = [each.source for each in (wall.points or {}).values()]
    sources = list(dict.fromkeys(say(str(each)) for each in found if each is not UpSource.BY_HAND))
    known = f"{say('Anterior and inferior by')}: {', '.join(sources)}." if sources else ""
    return " ".join([*([told] if by_reader else []), *([known] if known else [])])


def range_rows(report: Report, say: Say = str) -> list[tuple[str, ...]]:
    """Quantity, value, normal range, people, number of the source in `range_sources`."""
    sources = range_sources(report)
    rows: list[tuple[str, ...]] = []
    for key, each in report.ranges.items():
        name, unit = _QUANTITIES[key]
        people = f"{say('men' if each.sex == 'M' else 'women')}, {each.ages[0]}–{each.ages[1]}"
        value = _shown(_value_of(key, report), unit)
        bounds = f"{each.lower:.0f}–{each.upper:.0f} {unit}"
        number = str(sources.index(_source(each)) + 1)
        rows.append((say(name), value, bounds, f"{people} {say('years')}", number))
    return rows


def range_sources(report: Report) -> list[str]:
    """The sources of the ranges, each once."""
    return list(dict.fromkeys(_source(each) for each in report.ranges.values()))


def _source(each: NormalRange) -> str:
    return f"{each.source}, {each.table}, doi:{each.doi}; papillary muscles in the {each.papillary}"


def _value_of(key: str, report: Report) -> float | None:
    lv = report.lv
    fraction = lv.ejection_fraction
    return {
        "lv_ef_percent": None if fraction is None else 100 * fraction,
        "lv_edv_ml": lv.end_diastolic_ml,
        "lv_esv_ml": lv.end_systolic_ml,
        "lv_mass_index_g_m2": indexed(report.mass_g, report.body_surface_m2),
        "rv_edv_ml": report.rv.end_diastolic_ml,
        "rv_esv_ml": report.rv.end_systolic_ml,
    }[key]


def limitations(report: Report) -> list[str]:
    """What the report does not say, and why, a sentence each; English in every language."""
    found = report.quantities
    told = []
    if report.provenance.origin is Origin.PREDICTED:
        told.append("The contours are a network's; no reader has corrected them.")
    if found is not None and not report.atrium_alone and report.choice.ed is not None:
        told += _not_measured(report)
        told.append(
            "The tip of the ventricle (segment 17) is not measured on short axes. Wall motion by "
            "eye, valves, flow and tissue are not assessed."
        )
    missing = [
        name
        for name, value in (
            ("body size (no values per m²)", report.body_surface_m2),
            ("heart rate (no cardiac output)", report.patient.heart_rate_bpm),
        )
        if value is None and not (report.atrium_alone and "heart rate" in name)
    ]
    if missing:
        told.append(f"Not known: {', '.join(missing)}.")
    return told


def _not_measured(report: Report) -> list[str]:
    """Why rates, walls or normal ranges are missing."""
    found = report.quantities
    assert found is not None
    told = []
    reasons = {"LV": found.lv_rates.why_not, "RV": found.rv_rates.why_not}
    if reasons["LV"] and reasons["LV"] == reasons["RV"]:
        reasons = {"LV and RV": reasons["LV"]}
    told += [f"No rates of {name}: {why}" for name, why in reasons.items() if why]
    if found.wall.why_not:
        told.append(f"No walls: {found.wall.why_not}")
    by_reason: dict[str, list[str]] = {}
    for key, why in report.ranges_missing.items():
        by_reason.setdefault(why, []).append(_QUANTITIES[key][0])
    for why, names in by_reason.items():
        told.append(f"No normal range of {', '.join(names)}: {why}")
    return told


def _shown(value: float | None, unit: str, digits: int = 0) -> str:
    return "–" if value is None else f"{value:.{digits}f} {unit}"
