"""Writing a report: PDF to read, CSV for a spreadsheet, JSON for a program."""

import csv
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from io import StringIO
from math import isfinite
from pathlib import Path
from typing import Any

from engine.clinical.approval import approval_facts
from engine.clinical.pdf import make_pdf
from engine.clinical.physiology import indexed
from engine.clinical.report import Report
from engine.clinical.volumes import VentricleFunction
from engine.errors import CannotSaveError
from engine.io.atomic_file import write_atomically
from engine.progress import Progress, Steps

_PROGRAM = "HeartSeg"
_CSV_HEADINGS = ("section", "quantity", "phase", "slice", "value")
REPORT_FILES = ("report.json", "report.csv", "report.pdf")
"""What a report is written to."""


def write_report(report: Report, folder: Path) -> Steps[list[Path]]:
    """Write `report.json`, `report.csv` and `report.pdf` into a folder, and return their paths.

    Each file is written beside its place and then moved there, so that a reader never sees half
    a report and an older one survives a failure.

    Raises:
        CannotSaveError: The folder cannot be written to, or one of the files is not ours.
    """
    refuse_foreign_reports(folder)
    makers: dict[str, Callable[[Report], bytes]] = {
        "report.json": lambda report: report_json(report).encode(),
        "report.csv": lambda report: report_csv(report).encode("utf-8-sig"),  # for Excel
        "report.pdf": make_pdf,
    }
    written = []
    for number, (name, make) in enumerate(makers.items()):
        yield Progress(number, len(makers), f"Writing {name}")
        write_atomically(folder / name, make(report))
        written.append(folder / name)
    yield Progress(len(makers), len(makers), "Report written")
    return written


def refuse_foreign_reports(folder: Path, names: Iterable[str] = REPORT_FILES) -> None:
    """Refuse a folder in which a report would take the place of a file that is not ours.

    Args:
        folder: Where the report is to be written; need not exist.
        names: The files that will be written.

    Raises:
        CannotSaveError: One of them is there and was not written by HeartSeg.
    """
    for name in names:
        if not _is_free_or_ours(folder / name):
            raise CannotSaveError(
                f"{folder / name} was not written by HeartSeg.",
                hint="Choose another folder, or move that file away.",
            )


def _is_free_or_ours(path: Path) -> bool:
    try:
        if not path.exists():
            return True
    except OSError:
        return True  # nobody can write there either, and writing says why
    try:
        content = path.read_bytes()
        if path.suffix == ".dcm":
            return content[128:132] == b"DICM" and _PROGRAM.encode() in content
        if path.suffix == ".json":
            facts = json.loads(content)
            return bool(facts["program"]["name"] == _PROGRAM and "lv" in facts)
    except (OSError, ValueError, KeyError, TypeError):
        return False
    start = ",".join(_CSV_HEADINGS).encode("utf-8-sig")
    return content.startswith(start) or f"/Author ({_PROGRAM} ".encode() in content


def report_json(report: Report) -> str:
    """The report as JSON text; phases and slices 0-based, unrounded, null where unknown."""
    return json.dumps(report_facts(report), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def report_facts(report: Report) -> dict[str, Any]:
    """The report as plain dictionaries and lists; ejection fractions in per cent."""
    bsa = report.body_surface_m2
    lv = _ventricle(report.lv, bsa, report.lv_ef_range) | {
        "mass_g": report.mass_ed_g,
        "mass_es_g": report.mass_es_g,
        "mass_index_g_m2": indexed(report.mass_ed_g, bsa),
        "co_l_min": report.cardiac_output_l_min,
        "ci_l_min_m2": indexed(report.cardiac_output_l_min, bsa),
    }
    facts = {
        "program": {"name": _PROGRAM, "version": report.program_version},
        "created": report.created,
        "research_use_only": True,
        "approval": approval_facts(report),
        "study": _study(report),
        "patient": _patient(report),
        "phases": {
            "ed": report.choice.ed,
            "es": report.choice.es,
            "ed_ms": report.time_ms(report.choice.ed),
            "es_ms": report.time_ms(report.choice.es),
            "rule": str(report.choice.rule),
        },
        "lv": lv,
        "rv": _ventricle(report.rv, bsa, report.rv_ef_range),
        "bsa_m2": bsa,
        "heart_rate_bpm": report.patient.heart_rate_bpm,
        "curve": _curve(report),
        "slices": _slices(report),
        "conventions": {item.key: item.text for item in report.conventions},
        "provenance": _provenance(report),
        "warnings": list(report.warnings),
        "set_aside": [asdict(each) for each in report.set_aside],
    }
    return {key: _finite(value) for key, value in facts.items()}


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


def _slices(report: Report) -> list[dict[str, Any]]:
    return [
        {
            "phase": row.phase,
            "slice": row.slice_index,
            "lv_mm2": row.lv_mm2,
            "myocardium_mm2": row.myocardium_mm2,
            "rv_mm2": row.rv_mm2,
            "expected_error_ml": row.expected_error_ml,
        }
        for row in report.slices
    ]


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


def report_csv(report: Report) -> str:
    """The report as CSV text, one quantity a line; phases and slices 0-based."""
    facts = report_facts(report)
    stream = StringIO()
    table = csv.writer(stream, lineterminator="\n")
    table.writerow(_CSV_HEADINGS)
    for section in ("approval", "study", "patient", "phases", "lv", "rv"):
        for quantity, value in facts[section].items():
            table.writerow((section, quantity, "", "", _cell(value)))
    for quantity in ("bsa_m2", "heart_rate_bpm"):
        table.writerow(("body", quantity, "", "", _cell(facts[quantity])))
    for section in ("curve", "slices"):
        for row in facts[section]:
            place = (row.pop("phase"), row.pop("slice", ""))
            for quantity, value in row.items():
                table.writerow((section, quantity, *place, _cell(value)))
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


def _cell(value: Any) -> Any:
    """A value for one cell: lists joined, nothing for None, no text that starts a formula."""
    if isinstance(value, list):
        return " ".join(str(item) for item in value)
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@"):
        return f"'{value}"
    return "" if value is None else value
