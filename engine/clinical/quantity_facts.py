"""Rates, walls, base, atrium and normal ranges of a report as plain dictionaries and lists."""

from typing import Any

from engine.clinical.basal import BasalRule
from engine.clinical.basal_overview import BasalOverview, BasalSlice, RuleResult
from engine.clinical.curves import CurveRates
from engine.clinical.long_axis import AtriumPlane
from engine.clinical.physiology import indexed
from engine.clinical.report import Report
from engine.clinical.segments import Segment
from engine.clinical.volumes import VentricleFunction
from engine.structures import Structure


def percent(fraction: float | None) -> float | None:
    """A part of 1 in per cent; None stays None."""
    return None if fraction is None else 100 * fraction


def rate_facts(rates: CurveRates | None) -> dict[str, float | None]:
    """Peak ejection and filling rate [ml/s] and their times [ms] after ED and after ES."""
    ejection = None if rates is None else rates.ejection
    filling = None if rates is None else rates.filling
    return {
        "per_ml_s": None if ejection is None else ejection.ml_s,
        "per_after_ed_ms": None if ejection is None else ejection.after_ms,
        "pfr_ml_s": None if filling is None else filling.ml_s,
        "pfr_after_es_ms": None if filling is None else filling.after_ms,
    }


def rate_places(rates: CurveRates | None) -> dict[str, int | str | None]:
    """The phases of the peak rates, 0-based, or why there are none."""
    ejection = None if rates is None else rates.ejection
    filling = None if rates is None else rates.filling
    return {
        "per_phase": None if ejection is None else ejection.phase,
        "pfr_phase": None if filling is None else filling.phase,
        "why_not": "Nothing was measured." if rates is None else rates.why_not or None,
    }


def atrium_facts(report: Report) -> dict[str, float | None]:
    """Volume of the left atrium from its label."""
    found = None if report.quantities is None else report.quantities.left_atrium
    return {
        "max_ml": None if found is None else found.largest_ml,
        "min_ml": None if found is None else found.smallest_ml,
        "ef_percent": None if found is None else percent(found.emptying_fraction),
    }


def area_length_facts(report: Report) -> dict[str, Any]:
    """The left atrium by area-length: volumes, method, and area and length of each view."""
    found, bsa = report.long_axis, report.body_surface_m2
    if found is None:
        return {"method": None, "max_ml": None, "min_ml": None, "ef_percent": None, "views": []}
    return {
        "method": None if found.method is None else str(found.method),
        "max_ml": found.largest_ml,
        "max_index_ml_m2": indexed(found.largest_ml, bsa),
        "min_ml": found.smallest_ml,
        "ef_percent": percent(found.emptying_fraction),
        "length_rule": str(found.rule),
        "views": [
            {
                "view": str(view.drawn.chambers),
                "called_by_reader": view.drawn.review.view is not None,
                "view_index": view.drawn.index,
                "why_not": view.why_not or None,
                "phases": [_atrium_plane(plane) for plane in view.planes],
            }
            for view in found.views
        ],
        "notes": list(found.notes),
    }


def _atrium_plane(plane: AtriumPlane) -> dict[str, Any]:
    return {
        "phase": plane.phase,
        "area_mm2": plane.contour.area_mm2,
        "length_mm": plane.contour.length_mm,
        "annulus_voxels_yx": [list(point) for point in plane.annulus],
        "annulus_known_by": "set by the reader" if plane.by_reader else "place of the ventricle",
    }


_NONE_SET: dict[str, list[Any]] = {"set_by_reader": [], "set_and_unused": []}


def wall_facts(report: Report) -> dict[str, Any]:
    """Wall thickness and thickening by segment, and where the segments are counted from."""
    found = None if report.quantities is None else report.quantities.wall
    if found is None:
        empty: dict[str, Any] = {"segments": [], "insertion_points": []}
        return {"why_not": "Nothing was measured.", **empty, **_NONE_SET}
    return {
        "why_not": found.why_not or None,
        "mean_ed_mm": found.mean_ed_mm,
        "largest_ed_mm": found.largest_ed_mm,
        "anterior_known_by": None if found.source is None else str(found.source),
        "segments": [_segment(each) for each in found.segments],
        "insertion_points": [
            {
                "phase": phase,
                "slice": z,
                "anterior_deg": points.anterior_deg,
                "inferior_deg": points.inferior_deg,
                "known_by": str(points.source),
            }
            for (phase, z), points in (found.points or {}).items()
        ],
        "set_by_reader": [{"phase": phase, "slice": z} for phase, z in found.by_reader],
        "set_and_unused": [{"phase": phase, "slice": z} for phase, z in found.unused],
    }


def _segment(segment: Segment) -> dict[str, Any]:
    phase, z = segment.place or (None, None)
    return {
        "segment": segment.number,
        "name": segment.name,
        "ed_mm": segment.ed_mm,
        "es_mm": segment.es_mm,
        "largest_ed_mm": segment.ed_largest_mm,
        "thickening_percent": percent(segment.thickening),
        "phase": phase,
        "slice": z,
    }


def basal_facts(report: Report) -> dict[str, Any]:
    """The base at ED and ES, and the numbers by the reader's choice and by both criteria."""
    found = BasalOverview() if report.quantities is None else report.quantities.basal
    return {
        "rule": str(report.choices.basal),
        "left_out": [{"phase": phase, "slice": z} for phase, z in report.excluded],
        "slices": [_basal_slice(each) for each in (*found.ed, *found.es)],
        "rules": [_rule(each) for each in found.rules],
    }


def _basal_slice(each: BasalSlice) -> dict[str, Any]:
    judged = each.base.coverage is not None
    return {
        "phase": each.base.phase,
        "slice": each.base.slice_index,
        "coverage_percent": percent(each.base.coverage),
        "enclosed": each.base.is_enclosed if judged else None,
        "meets_half": each.base.meets(BasalRule.HALF) if judged else None,
        "meets_full": each.base.meets(BasalRule.FULL) if judged else None,
        "counted": each.counted,
        "lv_ml": each.lv_ml,
        "otherwise": function_facts(each.otherwise),
    }


def _rule(result: RuleResult) -> dict[str, Any]:
    return {
        "rule": str(result.rule),
        **function_facts(result.lv),
        "mass_g": result.mass_g,
        "slices_ed": result.slices_ed,
        "slices_es": result.slices_es,
        "why_not": result.why_not or None,
    }


def function_facts(function: VentricleFunction) -> dict[str, float | None]:
    """Volumes [ml] and ejection fraction [%] of one ventricle."""
    return {
        "edv_ml": function.end_diastolic_ml,
        "esv_ml": function.end_systolic_ml,
        "sv_ml": function.stroke_volume_ml,
        "ef_percent": percent(function.ejection_fraction),
    }


def range_facts(report: Report) -> dict[str, Any]:
    """The normal ranges that fit, with their sources, and why others do not."""
    return {
        "ranges": {
            key: {
                "lower": each.lower,
                "upper": each.upper,
                "sex": each.sex,
                "ages": list(each.ages),
                "papillary": str(each.papillary),
                "source": each.source,
                "doi": each.doi,
                "table": each.table,
            }
            for key, each in report.ranges.items()
        },
        "missing": dict(report.ranges_missing),
    }


def slice_facts(report: Report) -> list[dict[str, Any]]:
    """The slices of ED and ES: areas, volumes that count, coverage, third of the ventricle."""
    rows = () if report.quantities is None else report.quantities.slices
    known = {(row.phase, row.slice_index): row for row in rows}
    facts: list[dict[str, Any]] = []
    with_atrium = report.quantities is not None and report.quantities.left_atrium is not None
    for area in report.slices:
        place = {"phase": area.phase, "slice": area.slice_index}
        atrium = {"left_atrium_mm2": area.left_atrium_mm2} if with_atrium else {}
        if report.atrium_alone:
            facts.append({**place, **atrium, "expected_error_ml": area.expected_error_ml})
            continue
        row = known.get((area.phase, area.slice_index))
        facts.append(
            {
                **place,
                "lv_mm2": area.lv_mm2,
                "myocardium_mm2": area.myocardium_mm2,
                "rv_mm2": area.rv_mm2,
                **atrium,
                "expected_error_ml": area.expected_error_ml,
                "from_base": None if row is None else row.from_base,
                "lv_ml": None if row is None else row.lv_ml,
                "myocardium_ml": None if row is None else row.myocardium_ml,
                "rv_ml": None if row is None else row.rv_ml,
                "coverage_percent": None if row is None else percent(row.coverage),
                "counted": None if row is None else row.counted,
                "third": None if row is None or row.level is None else str(row.level),
            }
        )
    return facts


def mass_volume_ratio(report: Report) -> float | None:
    """LV mass over end-diastolic volume [g/ml]."""
    volume_ml = report.lv.end_diastolic_ml
    return report.mass_g / volume_ml if report.mass_g is not None and volume_ml else None


def rates_of(report: Report, structure: Structure) -> CurveRates | None:
    """The rates of a ventricle; None where nothing was measured."""
    if report.quantities is None:
        return None
    found = report.quantities
    return found.lv_rates if structure is Structure.LV else found.rv_rates
