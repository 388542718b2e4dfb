"""All checks of labels: what the window lists while a reader edits, and what a report warns of."""

from collections.abc import Iterator, Sequence

import numpy as np

from engine.clinical.body import plausible_height, plausible_weight
from engine.clinical.findings import Finding, FindingKind, Severity, make_finding
from engine.clinical.phases import PhaseChoice, PhaseRule, choose_phases
from engine.clinical.physiology import plausible_heart_rate
from engine.clinical.slice_lint import lint_slice
from engine.clinical.study_lint import lint_counts
from engine.clinical.tally import VoxelTally
from engine.clinical.volumes import make_curve
from engine.errors import UnmeasurableError
from engine.labelmap import LabelMap
from engine.structures import Structure
from engine.study import Patient


def lint(
    labels: LabelMap,
    choice: PhaseChoice,
    *,
    phases: Sequence[int] | None = None,
    size_known: bool = True,
) -> list[Finding]:
    """Check labels: first what concerns the whole study, then slice by slice.

    Args:
        labels: What to check.
        choice: End diastole and end systole, see `choice_of`.
        phases: Whose slices are checked one by one; None for all that are labelled. What needs
            several phases is checked over all of them.
        size_known: Whether the size of a voxel is known, so that findings may name millilitres.
    """
    counts = VoxelTally(labels).counts
    voxel_ml = labels.geometry.voxel_ml if size_known else None
    found = lint_counts(counts, choice, voxel_ml=voxel_ml)
    _, y_mm, x_mm = labels.geometry.spacing_mm
    for phase in labels.labelled_phases() if phases is None else phases:
        for z in np.flatnonzero(counts[phase, :, 1:].any(axis=1)).tolist():
            plane = labels.voxels[phase, z]
            found += lint_slice(plane, spacing_mm=(y_mm, x_mm), phase=phase, slice_index=z)
    return found


def choice_of(
    labels: LabelMap,
    *,
    ed_phase: int | None = None,
    es_phase: int | None = None,
    source: tuple[int | None, int | None] = (None, None),
) -> PhaseChoice:
    """End diastole and end systole for the checks; neither where nothing can be measured.

    See `choose_phases` for the arguments.
    """
    lv, atrium = (make_curve(labels, each) for each in (Structure.LV, Structure.LEFT_ATRIUM))
    try:
        return choose_phases(lv, atrium=atrium, ed_phase=ed_phase, es_phase=es_phase, source=source)
    except UnmeasurableError:
        return PhaseChoice(None, None, PhaseRule.NONE)


def lint_patient(patient: Patient) -> Iterator[Finding]:
    """Facts that cannot be a person's and were therefore not used."""
    told = []
    if patient.height_cm is not None and not plausible_height(patient.height_cm):
        metres = 1.0 <= patient.height_cm <= 2.3
        doubt = " (is it in metres?)" if metres else ""
        told.append(f"A height of {patient.height_cm:g} cm cannot be right{doubt};")
    if patient.weight_kg is not None and not plausible_weight(patient.weight_kg):
        told.append(f"A weight of {patient.weight_kg:g} kg cannot be right;")
    told = [f"{text} nothing is indexed by it." for text in told]
    rate = patient.heart_rate_bpm
    if rate is not None and not plausible_heart_rate(rate):
        told.append(f"A heart rate of {rate:g} /min cannot be right; there is no cardiac output.")
    for number, what in enumerate(told):
        finding = make_finding(FindingKind.PATIENT, Severity.FAULT, what, "", phase=None)
        yield Finding(
            f"{finding.key}/{number}", finding.kind, finding.severity, what, None, None, ""
        )
