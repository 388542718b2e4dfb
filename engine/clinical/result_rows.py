"""The results of a report as rows of text, for pages."""

from collections.abc import Callable

from engine.clinical.area_length import AreaLength
from engine.clinical.physiology import indexed
from engine.clinical.report import Report

HEADINGS = ("", "Left ventricle", "per m²", "Right ventricle", "per m²")
"""Of the columns of `result_rows`."""

Row = tuple[str, str, str, str, str]


def result_rows(report: Report) -> list[Row]:
    """Name, LV, LV per m^2, RV, RV per m^2; a dash where a number ought to be but is not."""
    lv, rv, bsa = report.lv, report.rv, report.body_surface_m2

    def shown(value: float | None, unit: str, digits: int = 0) -> str:
        return with_unit(value, unit, digits) or "–"

    def volumes(left: float | None, right: float | None) -> tuple[str, str, str, str]:
        return (
            shown(left, "ml"),
            shown(indexed(left, bsa), "ml/m²"),
            shown(right, "ml"),
            shown(indexed(right, bsa), "ml/m²"),
        )

    def percent(fraction: float | None) -> str:
        digits = report.choices.ef_digits
        return shown(None if fraction is None else 100 * fraction, "%", digits)

    mass, output = report.mass_g, report.cardiac_output_l_min
    mass_index, output_index = indexed(mass, bsa), indexed(output, bsa)
    return [
        ("End-diastolic volume", *volumes(lv.end_diastolic_ml, rv.end_diastolic_ml)),
        ("End-systolic volume", *volumes(lv.end_systolic_ml, rv.end_systolic_ml)),
        ("Stroke volume", *volumes(lv.stroke_volume_ml, rv.stroke_volume_ml)),
        (
            "Ejection fraction",
            percent(lv.ejection_fraction),
            _range(report.lv_ef_range),
            percent(rv.ejection_fraction),
            _range(report.rv_ef_range),
        ),
        ("Myocardial mass", shown(mass, "g"), shown(mass_index, "g/m²"), "", ""),
        ("Cardiac output", shown(output, "l/min", 1), shown(output_index, "l/min/m²", 1), "", ""),
    ]


def atrium_rows(report: Report) -> list[Row]:
    """Rows of the left atrium; none where there is none."""
    found = None if report.quantities is None else report.quantities.left_atrium
    if found is None:
        return []
    named = [("Left atrial volume", found.largest_ml)]
    if found.smallest_ml is not None:
        named = [
            ("Left atrium, largest", found.largest_ml),
            ("Left atrium, smallest", found.smallest_ml),
        ]
    bsa, emptied = report.body_surface_m2, found.emptying_fraction
    rows = [
        (name, f"{ml:.0f} ml", with_unit(indexed(ml, bsa), "ml/m²", 0), "", "")
        for name, ml in named
    ]
    share = [] if emptied is None else [("Emptying fraction", f"{100 * emptied:.0f} %", "", "", "")]
    return [*rows, *share]


_METHODS = {
    AreaLength.BIPLANE: "biplane",
    AreaLength.TWO_ALONE: "2-chamber view alone",
    AreaLength.FOUR_ALONE: "4-chamber view alone",
}


def area_length_rows(report: Report, say: Callable[[str], str] = str) -> list[Row]:
    """Rows of the left atrium by area-length; none where no long axis gives a volume."""
    found = report.long_axis
    if found is None or found.method is None:
        return []
    bsa, by = report.body_surface_m2, say(_METHODS[found.method])
    rows: list[Row] = [
        (
            f"{say(name)} ({by})",
            with_unit(ml, "ml", 0),
            with_unit(indexed(ml, bsa), "ml/m²", 0),
            "",
            "",
        )
        for name, ml in (
            ("Left atrium, largest", found.largest_ml),
            ("Left atrium, smallest", found.smallest_ml),
        )
        if ml is not None
    ]
    emptied = found.emptying_fraction
    if emptied is not None:
        rows.append((f"{say('Emptying fraction')} ({by})", f"{100 * emptied:.0f} %", "", "", ""))
    return rows


def area_length_line(report: Report, say: Callable[[str], str] = str) -> str:
    """Phases, areas and lengths that the volumes by area-length stand on; empty without them."""
    found = report.long_axis
    if found is None or found.method is None:
        return ""
    told = []
    for view in found.views:
        planes = [view.largest, view.smallest] if len(view.planes) > 1 else list(view.planes)
        parts = [
            f"{say('phase')} {each.phase + 1} {each.contour.area_mm2 / 100:.1f} cm², "
            f"{each.contour.length_mm:.0f} mm"
            for each in planes
        ]
        if any(each.by_reader for each in planes):
            parts.append(say("mitral annulus set by the reader"))
        told += [f"{view.drawn.chambers}: {'; '.join(parts)}."] if parts else []
    return " ".join(told)


def _range(bounds: tuple[float, float] | None) -> str:
    """An interval of an ejection fraction; empty where there is none."""
    return "" if bounds is None else f"{100 * bounds[0]:.0f}–{100 * bounds[1]:.0f} %"


def with_unit(value: float | None, unit: str, digits: int) -> str:
    """A value with its unit; empty where there is none."""
    return "" if value is None else f"{value:.{digits}f} {unit}".strip()
