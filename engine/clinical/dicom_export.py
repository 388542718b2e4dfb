"""A report as DICOM objects, for studies that came as DICOM: `seg.dcm` and `sr.dcm`."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.clinical.anonymous import identity_of, salt_of_this_computer, without_identity
from engine.clinical.export import write_report
from engine.clinical.own_files import refuse_foreign_reports
from engine.clinical.physiology import indexed
from engine.clinical.profile import Profile
from engine.clinical.report import Report
from engine.clinical.template import Form, ReportTemplate
from engine.clinical.volumes import VentricleFunction
from engine.drawing.colours import CLASS_COLOURS, rgb_of
from engine.errors import UnreadableStudyError
from engine.io.atomic_file import replacing
from engine.labelmap import LabelMap
from engine.progress import Progress, Steps
from engine.structures import Structure
from engine.study import Stack

if TYPE_CHECKING:
    from pydicom import Dataset

    from engine.io.dicom_results.quantities import Quantity
    from engine.io.dicom_results.segmentation import Segment
    from engine.io.dicom_results.structured_report import MeasuredGroup, Statement

    Rows = tuple[tuple[Quantity, float], ...]

_LEFT_OUT = (
    "Names and dates of the patient are left out; the report is of {}. A hospital's template "
    '(profile = "hospital") keeps them.'
)
DICOM_FILES = ("seg.dcm", "sr.dcm")
"""What is written beside a report of a study that came as DICOM."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written of a report.

    Attributes:
        files: In the order of writing.
        note: What the reader should know: that names were left out, or why there are no DICOM
            results of DICOM images; else empty.
    """

    files: tuple[Path, ...]
    note: str = ""


def export_report(
    report: Report,
    stack: Stack,
    labels: LabelMap,
    folder: Path,
    template: ReportTemplate | None = None,
) -> Steps[Exported]:
    """Write a report as a place wants it, and beside it DICOM results of DICOM images.

    Unless the template is a hospital's, what names the patient of DICOM images is left out of all
    files; see `engine.clinical.anonymous`.

    Args:
        report: What was measured.
        stack: The images.
        labels: What was drawn on them.
        folder: Where to write; made if missing.
        template: Forms, language, letterhead, profile; None for the usual ones.

    Raises:
        CannotSaveError: The folder cannot be written to, or one of the files is not ours.
        HeartSegError: The template's logo cannot be used.
    """
    wanted = template or ReportTemplate()
    with_dicom = bool(stack.sources) and Form.DICOM in wanted.forms
    if with_dicom:
        refuse_foreign_reports(folder, DICOM_FILES)
    pseudonym, note = "", ""
    if stack.sources and wanted.profile is Profile.RESEARCH:
        salt = salt_of_this_computer()
        identity = identity_of(report, salt)
        if identity is not None:
            report, pseudonym = without_identity(report, salt), identity.pseudonym
            note = _LEFT_OUT.format(pseudonym)
    files = yield from write_report(report, folder, wanted)
    if not with_dicom:
        return Exported(tuple(files), note)
    try:
        results = yield from write_dicom_results(report, stack, labels, folder, pseudonym=pseudonym)
    except UnreadableStudyError as error:
        why = f"There is no {' and no '.join(DICOM_FILES)}: {error.what} {error.hint}"
        return Exported(tuple(files), f"{why} {note}".strip())
    return Exported((*files, *results), note)


def write_dicom_results(
    report: Report, stack: Stack, labels: LabelMap, folder: Path, *, pseudonym: str = ""
) -> Steps[list[Path]]:
    """Write the labels of the measured phases as DICOM SEG and the measurements as DICOM SR.

    Both name the images they speak of, and carry the patient and the examination of those images:
    they belong into the archive that the images came from.

    Args:
        report: What was measured.
        stack: The images.
        labels: What was drawn on them.
        folder: Where to write; made if missing.
        pseudonym: In place of what names the patient; empty: it stays.

    Returns:
        The files; empty where the study did not come as DICOM or nothing is drawn.

    Raises:
        CannotSaveError: The folder cannot be written to, or one of the files is not ours.
        UnreadableStudyError: The images are gone or lack what DICOM results must name.
    """
    moments = _moments(report)
    if not stack.sources or not moments:
        return []
    from engine.io.dicom_results.segmentation import list_segments, make_segmentation
    from engine.io.dicom_results.sources import read_sources
    from engine.io.dicom_results.structured_report import make_structured_report

    refuse_foreign_reports(folder, DICOM_FILES)
    sources = yield from read_sources(stack, set(moments.values()))
    if pseudonym:
        sources = sources.without_identity(pseudonym)
    segments = list_segments(labels, moments, _colours())
    if not segments:
        return []
    yield Progress(0, 2, "Writing seg.dcm")
    segmentation = make_segmentation(
        sources, labels, segments, report.provenance, program_version=report.program_version
    )
    yield Progress(1, 2, "Writing sr.dcm")
    groups = [*_region_groups(report, segments), *_heartbeat_groups(report)]
    measured = make_structured_report(sources, segmentation, groups, _statement(report))
    paths = [folder / name for name in DICOM_FILES]
    for path, made in zip(paths, (segmentation, measured), strict=True):
        _write(made, path)
    return paths


def _write(made: "Dataset", path: Path) -> None:
    from engine.io.dicom_results.sources import values_as_they_are

    with replacing(path) as file, values_as_they_are():
        made.save_as(file, enforce_file_format=True)


def _moments(report: Report) -> dict[str, int]:
    """The measured phases by name; one name where ED and ES are the same phase."""
    found = {"ED": report.choice.ed, "ES": report.choice.es}
    known = {name: phase for name, phase in found.items() if phase is not None}
    if known.get("ES") == known.get("ED"):
        known.pop("ES", None)
    return known


def _colours() -> dict[Structure, tuple[int, int, int]]:
    colours = {}
    for structure in Structure:
        text = CLASS_COLOURS.get(structure.name.lower(), "#808080")
        colours[structure] = rgb_of(text)
    return colours


def _region_groups(report: Report, segments: "Iterable[Segment]") -> "list[MeasuredGroup]":
    """What was measured in each segment: its volume, and of the wall at ED the mass."""
    from engine.io.dicom_results.quantities import Quantity
    from engine.io.dicom_results.structured_report import MeasuredGroup

    names = {
        (Structure.LV, "ED"): Quantity.LV_EDV,
        (Structure.LV, "ES"): Quantity.LV_ESV,
        (Structure.RV, "ED"): Quantity.RV_EDV,
        (Structure.RV, "ES"): Quantity.RV_ESV,
    }
    volumes = {curve.structure: curve for curve in report.curves}
    groups = []
    for segment in segments:
        curve = volumes.get(segment.structure)
        quantity = names.get((segment.structure, segment.moment), Quantity.VOLUME)
        rows: list[tuple[Quantity, float | None]] = [
            (quantity, None if curve is None else curve.at_ml(segment.phase))
        ]
        if segment.structure is Structure.MYOCARDIUM and segment.moment == "ED":
            rows.append((Quantity.LV_MASS, report.mass_ed_g))
            index = indexed(report.mass_ed_g, report.body_surface_m2)
            rows.append((Quantity.LV_MASS_INDEX, index))
        known = _known(rows)
        if known:
            groups.append(MeasuredGroup(segment.title, segment.structure, known, segment))
    return groups


def _heartbeat_groups(report: Report) -> "list[MeasuredGroup]":
    """Stroke volume, ejection fraction and what follows from them, of each ventricle."""
    from engine.io.dicom_results.quantities import Quantity
    from engine.io.dicom_results.structured_report import MeasuredGroup

    surface_m2 = report.body_surface_m2
    lv = [
        *_pump_rows(report.lv, Quantity.LV_EF, surface_m2),
        (Quantity.CARDIAC_OUTPUT, report.cardiac_output_l_min),
        (Quantity.CARDIAC_INDEX, indexed(report.cardiac_output_l_min, surface_m2)),
        (Quantity.BODY_SURFACE, surface_m2),
        (Quantity.HEART_RATE, report.patient.heart_rate_bpm),
    ]
    rv = _pump_rows(report.rv, Quantity.RV_EF, surface_m2)
    return [
        MeasuredGroup(f"{structure.title}, heartbeat", structure, rows)
        for structure, rows in ((Structure.LV, _known(lv)), (Structure.RV, _known(rv)))
        if rows
    ]


def _pump_rows(
    ventricle: VentricleFunction, fraction: "Quantity", surface_m2: float | None
) -> "list[tuple[Quantity, float | None]]":
    from engine.io.dicom_results.quantities import Quantity

    share = ventricle.ejection_fraction
    return [
        (Quantity.STROKE_VOLUME, ventricle.stroke_volume_ml),
        (fraction, None if share is None else 100 * share),
        (Quantity.STROKE_INDEX, indexed(ventricle.stroke_volume_ml, surface_m2)),
        (Quantity.EDV_INDEX, indexed(ventricle.end_diastolic_ml, surface_m2)),
        (Quantity.ESV_INDEX, indexed(ventricle.end_systolic_ml, surface_m2)),
    ]


def _known(rows: "Iterable[tuple[Quantity, float | None]]") -> "Rows":
    return tuple((quantity, float(value)) for quantity, value in rows if value is not None)


def _statement(report: Report) -> "Statement":
    from engine.io.dicom_results.structured_report import Statement

    return Statement(
        tuple(convention.text for convention in report.conventions),
        report.provenance,
        None if report.approval is None else report.approval.reader,
        report.program_version,
    )
