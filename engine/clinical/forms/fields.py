"""The single numbers and words of a report, each with a name, a label and a unit."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["number", "integer", "text", "yesno"]

_SEGMENTS = 17


@dataclass(frozen=True, slots=True)
class ReportField:
    """One value of a report.

    Attributes:
        name: Unlike every other; small letters, digits and underscores, 26 characters at most, as
            REDCap recommends.
        label: For people.
        unit: Or empty.
        kind: What it is.
        section: Which chapter of a form it belongs to.
        path: Where it stands in the facts of a report.
    """

    name: str
    label: str
    unit: str
    kind: Kind
    section: str
    path: tuple[str, ...]

    def value(self, facts: Mapping[str, Any]) -> Any:
        """Its value in the facts of a report; None where it is unknown.

        Args:
            facts: See `report_facts`.
        """
        found: Any = facts
        for step in self.path:
            found = found.get(step) if isinstance(found, Mapping) else None
        return found


def _study() -> Iterator[ReportField]:
    for name, label, path, kind in (
        ("study_name", "Study", ("study", "name"), "text"),
        ("report_created", "Report made at (UTC)", ("created",), "text"),
        ("program_version", "HeartSeg version", ("program", "version"), "text"),
        ("approved", "Approved by a reader", ("approval", "approved"), "yesno"),
        ("approved_by", "Approved by", ("approval", "reader"), "text"),
        ("approved_at", "Approved at (UTC)", ("approval", "at"), "text"),
        ("sex", "Sex", ("patient", "sex"), "text"),
        ("diagnosis_group", "Group", ("patient", "group"), "text"),
        ("scanner_vendor", "Vendor", ("patient", "vendor"), "text"),
        ("scanner_name", "Scanner", ("patient", "scanner"), "text"),
        ("slices", "Slices", ("study", "slices"), "integer"),
        ("phases", "Phases", ("study", "phases"), "integer"),
        ("ed_phase", "End diastole, phase from 0", ("phases", "ed"), "integer"),
        ("es_phase", "End systole, phase from 0", ("phases", "es"), "integer"),
    ):
        yield ReportField(name, label, "", kind, "Study", path)  # type: ignore[arg-type]
    for name, label, unit, path in (
        ("age_years", "Age", "years", ("patient", "age_years")),
        ("height_cm", "Height", "cm", ("patient", "height_cm")),
        ("weight_kg", "Weight", "kg", ("patient", "weight_kg")),
        ("bsa_m2", "Body surface", "m2", ("bsa_m2",)),
        ("heart_rate_bpm", "Heart rate", "/min", ("heart_rate_bpm",)),
        ("field_strength_t", "Field strength", "T", ("patient", "field_strength_t")),
    ):
        yield ReportField(name, label, unit, "number", "Study", path)


_PUMP = (
    ("edv_ml", "end-diastolic volume", "ml"),
    ("edvi_ml_m2", "end-diastolic volume index", "ml/m2"),
    ("esv_ml", "end-systolic volume", "ml"),
    ("esvi_ml_m2", "end-systolic volume index", "ml/m2"),
    ("sv_ml", "stroke volume", "ml"),
    ("svi_ml_m2", "stroke volume index", "ml/m2"),
    ("ef_percent", "ejection fraction", "%"),
    ("ef_low_percent", "ejection fraction, low end of 90 %", "%"),
    ("ef_high_percent", "ejection fraction, high end of 90 %", "%"),
    ("co_l_min", "cardiac output", "l/min"),
    ("ci_l_min_m2", "cardiac index", "l/min/m2"),
    ("per_ml_s", "peak ejection rate", "ml/s"),
    ("per_after_ed_ms", "peak ejection, time after ED", "ms"),
    ("pfr_ml_s", "peak filling rate", "ml/s"),
    ("pfr_after_es_ms", "peak filling, time after ES", "ms"),
)
_MASS = (
    ("mass_g", "mass", "g"),
    ("mass_index_g_m2", "mass index", "g/m2"),
    ("mass_ed_g", "mass at ED", "g"),
    ("mass_es_g", "mass at ES", "g"),
    ("mass_volume_g_ml", "mass to volume", "g/ml"),
)


def _ventricles() -> Iterator[ReportField]:
    for side in ("lv", "rv"):
        for key, label, unit in (*_PUMP, *(_MASS if side == "lv" else ())):
            title = f"{side.upper()} {label}"
            section = f"{'Left' if side == 'lv' else 'Right'} ventricle"
            yield ReportField(f"{side}_{key}", title, unit, "number", section, (side, key))
    for key, label, unit in (
        ("max_ml", "largest volume", "ml"),
        ("min_ml", "smallest volume", "ml"),
        ("ef_percent", "emptying fraction", "%"),
    ):
        yield ReportField(f"la_{key}", f"LA {label}", unit, "number", "Left atrium", ("la", key))
        name, title = f"la_area_length_{key}", f"LA {label} by area-length"
        path = ("la_area_length", key)
        yield ReportField(name, title, unit, "number", "Left atrium", path)
    method = ("la_area_length", "method")
    yield ReportField("la_area_length_method", "LA views", "", "text", "Left atrium", method)


def _walls() -> Iterator[ReportField]:
    for key, label in (("mean_ed_mm", "mean"), ("largest_ed_mm", "largest")):
        title = f"Wall thickness at ED, {label}"
        yield ReportField(f"wall_{key}", title, "mm", "number", "Wall", ("wall", key))
    for number in range(1, _SEGMENTS + 1):
        for key, label, unit in (
            ("ed_mm", "thickness at ED", "mm"),
            ("es_mm", "thickness at ES", "mm"),
            ("thickening_percent", "thickening", "%"),
        ):
            name, title = f"aha{number}_{key}", f"AHA segment {number}, {label}"
            path = ("segments", str(number), key)
            yield ReportField(name, title, unit, "number", "Wall", path)


def _choices() -> Iterator[ReportField]:
    for key, label in (
        ("papillary", "Papillary muscles count as"),
        ("basal", "Basal rule"),
        ("end_slices", "First and last slice"),
        ("body_surface", "Body surface formula"),
        ("rv_phases", "RV phases"),
        ("mass_phase", "Phase of the mass"),
        ("slice_distance", "Slice distance from"),
        ("phases", "ED and ES by"),
    ):
        yield ReportField(f"rule_{key}", label, "", "text", "Conventions", ("choices", key))
    for key, label in (
        ("origin", "Labels"),
        ("model", "Model"),
        ("model_hash", "Model SHA-256"),
        ("corrected_by", "Corrected by"),
    ):
        name = key if key.startswith(("model", "corrected")) else f"labels_{key}"
        yield ReportField(name, label, "", "text", "Provenance", ("provenance", key))


FIELDS: tuple[ReportField, ...] = (*_study(), *_ventricles(), *_walls(), *_choices())
"""Every single value of a report, the same for every study."""


def with_segments(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a report, with its wall segments by number under `segments`."""
    listed = facts.get("wall", {}).get("segments", [])
    return {**facts, "segments": {str(each["segment"]): each for each in listed}}
