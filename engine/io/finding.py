"""What one reader found in a folder, and how findings become a study."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from engine.study import Patient, Problem, Stack, StoredLabels, Study


@dataclass(frozen=True, slots=True, eq=False)
class Finding:
    """What one reader found; `StoredLabels.stack` counts the stacks of this finding.

    Attributes:
        patient: Facts about the patient.
        stacks: The best first.
        other_views: Images to look at, never measured.
        labels: Label maps that fit their stack.
        problems: Problems that concern no stack or view.
        skipped_files: Number of files without an image.
    """

    patient: Patient = field(default_factory=Patient)
    stacks: tuple[Stack, ...] = ()
    other_views: tuple[Stack, ...] = ()
    labels: tuple[StoredLabels, ...] = ()
    problems: tuple[Problem, ...] = field(default=(), repr=False)
    skipped_files: int = 0


def merge(findings: Iterable[Finding]) -> Finding:
    """One finding from several, in order."""
    merged = Finding()
    for finding in findings:
        shift = len(merged.stacks)
        merged = Finding(
            merge_patients(merged.patient, finding.patient),
            merged.stacks + finding.stacks,
            merged.other_views + finding.other_views,
            merged.labels
            + tuple(replace(stored, stack=stored.stack + shift) for stored in finding.labels),
            merged.problems + finding.problems,
            merged.skipped_files + finding.skipped_files,
        )
    return merged


def merge_patients(one: Patient, other: Patient) -> Patient:
    """What `one` says, completed by what `other` says."""
    return Patient(
        one.identifier or other.identifier,
        one.sex or other.sex,
        one.age_years or other.age_years,
        one.height_cm or other.height_cm,
        one.weight_kg or other.weight_kg,
        one.heart_rate_bpm or other.heart_rate_bpm,
        one.group or other.group,
    )


def make_study(folder: Path, finding: Finding) -> Study:
    """The study of a folder; its problems are those of the stacks and views, then the rest."""
    of_images = [
        problem for stack in (*finding.stacks, *finding.other_views) for problem in stack.problems
    ]
    return Study(
        folder=folder,
        patient=finding.patient,
        stacks=finding.stacks,
        other_views=finding.other_views,
        labels=finding.labels,
        problems=tuple(dict.fromkeys([*of_images, *finding.problems])),
        skipped_files=finding.skipped_files,
    )
