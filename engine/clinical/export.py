"""Writing a report: PDF to read, CSV for a spreadsheet, JSON for a program."""

import csv
import json
from collections.abc import Mapping
from dataclasses import asdict
from io import StringIO
from math import isfinite
from pathlib import Path
from typing import Any

from engine.clinical.approval import approval_facts
from engine.clinical.forms.html_page import html_page
from engine.clinical.forms.redcap import redcap_csv, redcap_dictionary
from engine.clinical.forms.workbook import workbook_bytes
from engine.clinical.own_files import CSV_HEADINGS, PROGRAM, refuse_foreign_reports
from engine.clinical.pdf import make_pdf
from engine.clinical.physiology import indexed
from engine.clinical.quantity_facts import (
    area_length_facts,
    atrium_facts,
    basal_facts,
    mass_volume_ratio,
    range_facts,
    rate_facts,
    rate_places,
    rates_of,
    slice_facts,
    wall_facts,
)
from engine.clinical.report import Report
from engine.clinical.template import Form, ReportTemplate
from engine.clinical.volumes import VentricleFunction
from engine.io.atomic_file import write_atomically
from engine.progress import Progress, Steps
from engine.structures import Structure

FORM_FILES: Mapping[Form, tuple[str, ...]] = {
    Form.JSON: ("report.json",),
    Form.CSV: ("report.csv",),
    Form.PDF: ("report.pdf",),
    Form.HTML: ("report.html",),
    Form.EXCEL: ("report.xlsx",),
    Form.REDCAP: ("redcap.csv", "redcap_dictionary.csv"),
    Form.DICOM: (),  # see `engine.clinical.dicom_export`
}
"""What each form of a report is written to."""


def write_report(
    report: Report, folder: Path, template: ReportTemplate | None = None
) -> Steps[list[Path]]:
    """Write a report into a folder in the forms that a template wants, and return their paths.

    Each file is written beside its place and then moved there, so that a reader never sees half
    a report and an older one survives a failure. The report is written as it is: leaving names
    out is the caller's, see `engine.clinical.anonymous`.

    Args:
        report: What was measured.
        folder: Where to; made if missing.
        template: Forms, language and letterhead; None for the usual ones.

    Raises:
        CannotSaveError: The folder cannot be written to, or one of the files is not ours.
    """
    wanted = template or ReportTemplate()
    names = [name for form in wanted.forms for name in FORM_FILES[form]]
    refuse_foreign_reports(folder, names)
    written = []
    for number, name in enumerate(names):
        yield Progress(number, len(names), f"Writing {name}")
        write_atomically(folder / name, _content_of(name, report, wanted))
        written.append(folder / name)
    yield Progress(len(names), len(names), "Report written")
    return written


def _content_of(name: str, report: Report, template: ReportTemplate) -> bytes:
    """What stands in one of the files of a report."""
    if name == "report.pdf":
        return make_pdf(report, template)
    if name == "report.csv":
        return report_csv(report).encode("utf-8-sig")  # for Excel
    if name == "report.json":
        return report_json(report).encode()
    facts = report_facts(report)
    if name == "report.html":
        return html_page(report, facts, template).encode()
    if name == "report.xlsx":
        return workbook_bytes(facts)
    return (redcap_csv(facts) if name == "redcap.csv" else redcap_dictionary()).encode()


def report_json(report: Report) -> str:
    """The report as JSON text; phases and slices 0-based, unrounded, null where unknown."""
    return json.dumps(report_facts(report), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def report_facts(report: Report) -> dict[str, Any]:
    """The report as plain dictionaries and lists; ejection fractions in per cent."""
    facts = {
        "program": {"name": PROGRAM, "version": report.program_version},
        "created": report.created,
        "research_use_only": True,
        "approval": approval_facts(report),
        "study": _study(report),
        "patient": _patient(report),
        "phases": _phases(report),
        "lv": _left(report),
        "rv": _right(report),
        "la": atrium_facts(report),
        "la_area_length": area_length_facts(report),
        "bsa_m2": report.body_surface_m2,
        "heart_rate_bpm": report.patient.heart_rate_bpm,
        "curve": _curve(report),
        "slices": slice_facts(report),
        "rates": {
            "lv": rate_places(rates_of(report, Structure.LV)),
            "rv": rate_places(rates_of(report, Structure.RV)),
        },
        "wall": wall_facts(report),
        "basal": basal_facts(report),
        "normal_ranges": range_facts(report),
        "choices": report.choices.as_facts(),
        "conventions": {item.key: item.text for item in report.conventions},
        "provenance": _provenance(report),
        "warnings": list(report.warnings),
        "set_aside": [asdict(each) for each in report.set_aside],
    }
    return {key: _finite(value) for key, value in facts.items()}


def _phases(report: Report) -> dict[str, Any]:
    found = report.quantities
    rv_choice = report.choice if found is None else found.volumes.rv_choice
    return {
        "ed": report.choice.ed,
        "es": report.choice.es,
        "ed_ms": report.time_ms(report.choice.ed),
        "es_ms": report.time_ms(report.choice.es),
        "rule": str(report.choice.rule),
        "rv_ed": rv_choice.ed,
        "rv_es": rv_choice.es,
    }


def _left(report: Report) -> dict[str, float | None]:
    bsa = report.body_surface_m2
    return _ventricle(report.lv, bsa, report.lv_ef_range) | {
        "mass_g": report.mass_g,
        "mass_ed_g": report.mass_ed_g,
        "mass_es_g": report.mass_es_g,
        "mass_index_g_m2": indexed(report.mass_g, bsa),
        "mass_volume_g_ml": mass_volume_ratio(report),
        "co_l_min": report.cardiac_output_l_min,
        "ci_l_min_m2": indexed(report.cardiac_output_l_min, bsa),
        **rate_facts(rates_of(report, Structure.LV)),
    }


def _right(report: Report) -> dict[str, float | None]:
    bsa = report.body_surface_m2
    output = None if report.quantities is None else report.quantities.rv_output_l_min
    return _ventricle(report.rv, bsa, report.rv_ef_range) | {
        "co_l_min": output,
        "ci_l_min_m2": indexed(output, bsa),
        **rate_facts(rates_of(report, Structure.RV)),
    }


def _study(report: Report) -> dict[str, Any]:
    z_mm, y_mm, x_mm = report.spacing_mm
    return {
        "name": report.study_name,
        "path": report.study_path,
        "stack": report.stack_name,
        "stack_index": report.stack_index,
        "phases": report.shape[0],
        "slices": report.shape[1],
        "spacing_mm": [x_mm, y_mm, z_mm],
    }


def _ventricle(
    ventricle: VentricleFunction, bsa: float | None, ef_range: tuple[float, float] | None
) -> dict[str, float | None]:
    fraction = ventricle.ejection_fraction
    low, high = ef_range or (None, None)
    return {
        "edv_ml": ventricle.end_diastolic_ml,
        "esv_ml": ventricle.end_systolic_ml,
        "sv_ml": ventricle.stroke_volume_ml,
        "ef_percent": None if fraction is None else 100 * fraction,
        "ef_low_percent": None if low is None else 100 * low,
        "ef_high_percent": None if high is None else 100 * high,
        "edvi_ml_m2": indexed(ventricle.end_diastolic_ml, bsa),
        "esvi_ml_m2": indexed(ventricle.end_systolic_ml, bsa),
        "svi_ml_m2": indexed(ventricle.stroke_volume_ml, bsa),
    }


def _patient(report: Report) -> dict[str, Any]:
    patient, scan = report.patient, report.acquisition
    return {
        "identifier": patient.identifier,
        "sex": patient.sex,
        "age_years": patient.age_years,
        "height_cm": patient.height_cm,
        "weight_kg": patient.weight_kg,
        "group": patient.group,
        "vendor": scan.vendor,
        "scanner": scan.scanner,
        "field_strength_t": scan.field_strength_t,
        "sequence": scan.sequence,
    }


def _curve(report: Report) -> list[dict[str, Any]]:
    rows = []
    for index, phase in enumerate(report.curves[0].phases):
        row: dict[str, Any] = {"phase": phase, "time_ms": report.time_ms(phase)}
        for curve in report.curves:
            row[f"{curve.structure.name.lower()}_ml"] = curve.volumes_ml[index]
        rows.append(row)
    return rows


def _provenance(report: Report) -> dict[str, Any]:
    made = report.provenance
    return {
        "origin": str(made.origin),
        "model": made.model,
        "model_hash": made.model_hash,
        "model_licence": made.model_licence,
        "program_version": report.program_version,
        "corrected_by": made.corrected_by,
        "corrected_slices": [{"phase": phase, "slice": z} for phase, z in made.corrected_slices],
        "source": made.source,
    }


def _finite(value: Any) -> Any:
    """The same with every NaN or infinity, of a damaged header say, as None."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not isfinite(value) else value


_AREA_LENGTH = ("method", "max_ml", "max_index_ml_m2", "min_ml", "ef_percent", "length_rule")


def report_csv(report: Report) -> str:
    """The report as CSV text, one quantity a line; phases and slices 0-based."""
    facts = report_facts(report)
    stream = StringIO()
    table = csv.writer(stream, lineterminator="\n")
    table.writerow(CSV_HEADINGS)
    alone = report.atrium_alone  # then nothing is said of ventricles
    sections = ("la",) if alone else ("lv", "rv", "la")
    for section in ("approval", "study", "patient", "phases", *sections):
        for quantity, value in facts[section].items():
            table.writerow((section, quantity, "", "", _cell(value)))
    for quantity in ("bsa_m2", "heart_rate_bpm"):
        table.writerow(("body", quantity, "", "", _cell(facts[quantity])))
    for section in ("curve", "slices"):
        for row in facts[section]:
            place = (row.pop("phase"), row.pop("slice", ""))
            for quantity, value in row.items():
                table.writerow((section, quantity, *place, _cell(value)))
    for key in _AREA_LENGTH if report.long_axis is not None else ():
        table.writerow(("la_area_length", key, "", "", _cell(facts["la_area_length"][key])))
    for row in () if alone else _further_rows(facts):
        table.writerow(row)
    for quantity, value in facts["provenance"].items():
        table.writerow(("provenance", quantity, "", "", _cell(value)))
    for quantity, value in facts["conventions"].items():
        table.writerow(("conventions", quantity, "", "", value))
    for warning in facts["warnings"]:
        table.writerow(("warnings", "", "", "", warning))
    for number, each in enumerate(facts["set_aside"]):
        for quantity, value in each.items():
            table.writerow(("set_aside", f"{number + 1} {quantity}", "", "", _cell(value)))
    return stream.getvalue()


def _further_rows(facts: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Walls, base, normal ranges and choices as lines of the table."""
    rows: list[tuple[Any, ...]] = []
    for row in facts["wall"]["segments"]:
        place = (_cell(row["phase"]), _cell(row["slice"]))
        for key in ("ed_mm", "es_mm", "thickening_percent"):
            rows.append(("wall", f"segment {row['segment']} {key}", *place, _cell(row[key])))
    for row in facts["wall"]["set_by_reader"]:
        rows.append(("wall", "insertion points set by the reader", row["phase"], row["slice"], ""))
    for row in facts["basal"]["slices"]:
        for key in ("coverage_percent", "meets_half", "meets_full", "counted"):
            rows.append(("basal", key, row["phase"], row["slice"], _cell(row[key])))
    for row in facts["basal"]["rules"]:
        for key in ("edv_ml", "esv_ml", "ef_percent", "mass_g", "why_not"):
            rows.append(("basal", f"{row['rule']} {key}", "", "", _cell(row[key])))
    for key, row in facts["normal_ranges"]["ranges"].items():
        for part in ("lower", "upper", "source"):
            rows.append(("normal_ranges", f"{key} {part}", "", "", _cell(row[part])))
    for key, value in facts["choices"].items():
        rows.append(("choices", key, "", "", _cell(value)))
    return rows


def _cell(value: Any) -> Any:
    """A value for one cell: lists joined, nothing for None, no text that starts a formula."""
    if isinstance(value, list):
        return " ".join(str(item) for item in value)
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@"):
        return f"'{value}"
    return "" if value is None else value
