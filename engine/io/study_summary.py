"""A study as data for `heartseg info --json`, and as lines for a reader."""

import math
from typing import Any

from engine.labelmap import structures_in
from engine.study import Patient, Problem, Stack, StoredLabels, Study


def summarise(study: Study) -> dict[str, Any]:
    """What is in a study, as plain values for JSON; unknown is None, never NaN.

    Lengths are in millimetres, times in milliseconds; phases and slices count from 0.
    """
    summary = {
        "name": study.name,
        "folder": str(study.folder),
        "stacks": [_stack(stack) for stack in study.stacks],
        "other_views": [_stack(stack) for stack in study.other_views],
        "labels": [_labels(stored) for stored in study.labels],
        "view_labels": [
            _labels(stored) | {"stack": None, "view": stored.stack - len(study.stacks)}
            for stored in study.view_labels
        ],
        "patient": _patient(study.patient),
        "problems": [_problem(problem) for problem in study.problems],
        "skipped_files": study.skipped_files,
    }
    plain: dict[str, Any] = _finite(summary)
    return plain


def _stack(stack: Stack) -> dict[str, Any]:
    cine, geometry = stack.cine, stack.cine.geometry
    z_mm, y_mm, x_mm = geometry.spacing_mm
    thickness = stack.acquisition.slice_thickness_mm
    gap_mm = None
    if cine.slice_count > 1 and thickness is not None:
        gap_mm = round(z_mm - thickness, 3)
    return {
        "name": cine.name,
        "slices": cine.slice_count,
        "phases": cine.phase_count,
        "spacing_mm": [_tidy(x_mm), _tidy(y_mm), _tidy(z_mm)],
        "shape": [cine.shape[3], cine.shape[2], cine.shape[1], cine.shape[0]],
        "shape_axes": "x y z t",
        "affine": geometry.affine.tolist(),
        "axis_codes": geometry.axis_codes,
        "file_axes": list(geometry.file_axes),
        "slice_gap_mm": gap_mm,
        "slice_thickness_mm": thickness,
        "phase_times_ms": [_tidy(time) for time in cine.phase_times_ms],
        "phase_names": list(cine.phase_names),
        "ed_phase": stack.ed_phase,
        "es_phase": stack.es_phase,
        "holes": [list(hole) for hole in stack.holes],
        "in_colour": cine.colour is not None,
        "measurable": not any(problem.blocking for problem in stack.problems),
        "acquisition": {
            "vendor": stack.acquisition.vendor,
            "scanner": stack.acquisition.scanner,
            "field_strength_t": stack.acquisition.field_strength_t,
            "sequence": stack.acquisition.sequence,
            "modality": stack.acquisition.modality,
        },
        "files": [str(file) for file in stack.files],
    }


def _labels(stored: StoredLabels) -> dict[str, Any]:
    return {
        "name": stored.name,
        "stack": stored.stack,
        "phases": stored.labels.labelled_phases(),
        "structures": [each.name for each in structures_in(stored.labels.voxels)],
        "origin": stored.provenance.origin.value,
        "files": [str(file) for file in stored.files],
    }


def _patient(patient: Patient) -> dict[str, Any]:
    return {
        "identifier": patient.identifier,
        "sex": patient.sex,
        "age_years": patient.age_years,
        "height_cm": patient.height_cm,
        "weight_kg": patient.weight_kg,
        "heart_rate_bpm": patient.heart_rate_bpm,
        "group": patient.group,
    }


def _problem(problem: Problem) -> dict[str, Any]:
    return {
        "what": problem.what,
        "where": problem.where,
        "hint": problem.hint,
        "blocking": problem.blocking,
    }


def _tidy(value: float) -> float:
    """A number without the noise of float32 headers."""
    return round(float(value), 5)


def _finite(value: Any) -> Any:
    """The same data with None for what is no number."""
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_finite(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def describe(study: Study) -> list[str]:
    """What is in a study, in lines for a reader; blocking problems are marked with `!`."""
    lines = [study.name, *_patient_lines(study.patient)]
    for title, stacks in (("Stack", study.stacks), ("View", study.other_views)):
        lines += [f"{title} {number}: {_line(s)}" for number, s in enumerate(stacks, start=1)]
    for stored in (*study.labels, *study.view_labels):
        number = stored.stack + 1
        of_view = number > len(study.stacks)
        place = f"view {number - len(study.stacks)}" if of_view else f"stack {number}"
        phases = len(stored.labels.labelled_phases())
        held = ", ".join(each.short_title for each in structures_in(stored.labels.voxels))
        lines.append(
            f"Labels: {stored.name} on {place}, {_count(phases, 'phase')}, "
            f"{stored.provenance.origin.value}: {held or 'nothing'}"
        )
    for problem in study.problems:
        mark = "!" if problem.blocking else "-"
        lines.append(f"{mark} {problem.where}: {problem.what} {problem.hint}")
    if study.skipped_files:
        lines.append(f"{_count(study.skipped_files, 'file')} without an image left out")
    return lines


def _line(stack: Stack) -> str:
    z_mm, y_mm, x_mm = stack.cine.geometry.spacing_mm
    size = f"{stack.cine.shape[3]} x {stack.cine.shape[2]}"
    return (
        f"{stack.cine.name}, {_count(stack.cine.slice_count, 'slice')} x "
        f"{_count(stack.cine.phase_count, 'phase')}, {size}, "
        f"{x_mm:.4g} x {y_mm:.4g} x {z_mm:.4g} mm, {stack.cine.geometry.axis_codes}, "
        f"{_count(len(stack.files), 'file')}"
    )


def _patient_lines(patient: Patient) -> list[str]:
    facts = [
        ("sex", patient.sex),
        ("age", _with_unit(patient.age_years, "years")),
        ("height", _with_unit(patient.height_cm, "cm")),
        ("weight", _with_unit(patient.weight_kg, "kg")),
        ("heart rate", _with_unit(patient.heart_rate_bpm, "/min")),
        ("group", patient.group),
    ]
    known = [f"{name} {value}" for name, value in facts if value]
    return ["Patient: " + ", ".join(known)] if known else []


def _with_unit(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:g} {unit}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
