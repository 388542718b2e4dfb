"""Measurements from whatever holds them: tables, reports, studies with their labels, label files.

What comes from labels is measured as a report measures it, so that a number here is the number
that the report prints.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from engine import __version__
from engine.cine import Cine
from engine.clinical.conventions import Conventions, mismatches
from engine.clinical.export import report_facts
from engine.clinical.measured_readings import Measured, MeasuredReadings
from engine.clinical.measured_tables import TABLE_KINDS, read_table
from engine.clinical.queue import study_places
from engine.clinical.reading_comparison import name_reading
from engine.clinical.report import report_stored
from engine.errors import HeartSegError, UnreadableStudyError
from engine.io.journal.places import journal_places
from engine.io.journal.prediction import before_correction
from engine.io.nifti import is_nifti, read_nifti
from engine.io.reading_faults import hint_against, reason_of
from engine.io.study_folder import read_study
from engine.labelmap import LabelMap
from engine.progress import Progress, Steps, within
from engine.structures import Structure
from engine.study import Origin, Patient, Provenance, Stack, StoredLabels, Study

BEFORE = "Before correction"
"""What the prediction is called that a person corrected, where the journal tells it."""

_REPORT = "report.json"
_SECTIONS = ("lv", "rv", "la")
_NOT_MEASURED = ("ef_low_percent", "ef_high_percent")  # how sure the model is, no measurement
_SUFFIX = re.compile(r"[._-](?:gt|seg|labels?|manual|mask|pred)$", re.IGNORECASE)
_PHASE = re.compile(r"^(?P<study>.+?)[._-](?:frame)?(?P<phase>\d+|ed|es)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Source:
    """Where measurements come from.

    Attributes:
        path: A table, a report, or a folder.
        name: Who measured; empty to take it from what lies there.
    """

    path: Path
    name: str = ""

    @classmethod
    def parse(cls, text: str) -> "Source":
        """From `PATH` or `NAME=PATH`; a path that is there is never taken apart."""
        name, equals, path = text.partition("=")
        if not equals or Path(text).exists():
            return cls(Path(text).expanduser())
        return cls(Path(path).expanduser(), name.strip())


@dataclass(frozen=True, slots=True)
class Gathered:
    """All measurements of some sources.

    Attributes:
        readings: Who measured what.
        problems: What could not be measured, a sentence each.
        troubled: Folders of the studies that the problems speak of, where they are known.
    """

    readings: MeasuredReadings
    problems: tuple[str, ...]
    troubled: tuple[Path, ...] = field(default=(), repr=False)

    @property
    def names_patients(self) -> bool:
        """Whether there may be patients of DICOM images in it."""
        return bool(self.troubled) or any(row.from_dicom for row in self.readings.rows)


def gather(sources: Sequence[Source], *, conventions: Conventions | None = None) -> Steps[Gathered]:
    """Read measurements from several sources.

    A source is a CSV table, a `report.json`, a folder of reports, a folder of studies with their
    labels, or a folder of label files (`patient01_ED.nii.gz`, or all phases in one file). Studies
    are the same where their names are. A study that cannot be measured is told and left out.
    Where labels were corrected in the window, their journal gives the prediction before it, too.
    A reading that an earlier source has by the same name gets the name of its folder besides.

    Args:
        sources: With the names of the readings where they do not say them.
        conventions: How labels are measured; None for the usual ones. Tables and reports hold
            what was measured before; where that was done in another way, a problem says so.

    Raises:
        UnreadableStudyError: A source is not there or holds nothing.
        UnmeasurableError: A reading measured a study twice.
    """
    rows: list[Measured] = []
    problems: list[str] = []
    troubled: list[Path] = []
    for number, source in enumerate(sources):
        steps = _read(source, conventions)
        read = yield from within(steps, number, len(sources), source.path.name)
        found, told = read.rows, read.problems
        if not found:
            reason = told[0] if told else "There is no table, report, study or label file in it."
            raise UnreadableStudyError(
                f"{source.path} holds no measurements.",
                hint=f"{reason} Give a CSV table, a folder of reports, of studies, or of labels.",
            )
        rows += _told_apart(found, rows, source)
        problems += told
        troubled += read.troubled
        problems += _measured_otherwise(found, source, conventions)
    return Gathered(MeasuredReadings(rows), tuple(problems), tuple(troubled))


def _told_apart(
    found: Sequence[Measured], earlier: Sequence[Measured], source: Source
) -> list[Measured]:
    """Rows under other names where an earlier source has measured the same study by that name.

    Two folders of predictions may both call theirs by the model, or hold a reference each.
    """
    taken = {(row.reading, row.study) for row in earlier}
    twice = {row.reading for row in found if (row.reading, row.study) in taken}
    if source.name:  # a person has chosen it, and is told
        twice = set()
    where = source.path.resolve()
    beside = where.stem if where.is_file() else where.name
    used = {row.reading for row in earlier}
    names = {}
    for name in twice:
        places = (beside, where.parent.name, f"{where.parent.name}/{beside}")
        free = [f"{name} ({place})" for place in places if place != name]
        names[name] = next((each for each in free if each not in used), free[-1])
    return [replace(row, reading=names.get(row.reading, row.reading)) for row in found]


@dataclass(frozen=True, slots=True)
class _Found:
    """What a source holds; see `Gathered`."""

    rows: list[Measured]
    problems: list[str] = field(default_factory=list)
    troubled: list[Path] = field(default_factory=list)


def _measured_otherwise(
    found: Sequence[Measured], source: Source, conventions: Conventions | None
) -> list[str]:
    """That a source was measured before, by other conventions than those that are wanted."""
    if conventions is None:
        return []
    known = [row.conventions for row in found if row.conventions is not None]
    differ = dict.fromkeys(
        each.told_of_second for one in known for each in mismatches(conventions, one)
    )
    where = source.path.name
    told = [f"{where}: It was measured before and stays so ({text})." for text in differ]
    if len(known) < len(found):
        told.append(f"{where}: It does not say by which conventions it was measured.")
    return told


def _read(source: Source, conventions: Conventions | None) -> Steps[_Found]:
    path = source.path
    if not path.exists():
        raise UnreadableStudyError(f"{path} is not there.", hint="Check the path.")
    if path.is_file() and path.suffix.lower() in TABLE_KINDS:
        return _Found(read_table(path, source.name))
    if path.is_file() and path.suffix.lower() == ".json":
        return _Found([_read_report(path, source.name)])
    reports = sorted(path.rglob(_REPORT)) if path.is_dir() else []
    if reports:
        return _read_reports(reports, source)
    labels = (yield from _label_files(path)) if path.is_dir() else {}
    if labels:
        return (yield from _measure_files(labels, source.name or path.name, conventions))
    return (yield from _measure_studies(source, conventions))


def _read_reports(paths: Sequence[Path], source: Source) -> _Found:
    rows: list[Measured] = []
    problems: list[str] = []
    for path in paths:
        try:
            rows.append(_read_report(path, source.name or source.path.name))
        except HeartSegError as error:
            problems.append(f"{path}: {error.what}")
    return _Found(rows, problems)


def _read_report(path: Path, name: str) -> Measured:
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        return measured_by_report(facts, name or _who(facts["provenance"]))
    except OSError as error:
        raise UnreadableStudyError(
            f"{path} cannot be read: {reason_of(error)}.",
            hint=hint_against(error, "Check the path."),
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnreadableStudyError(
            f"{path} is no report of HeartSeg.", hint="`heartseg report` writes report.json."
        ) from error


def _who(made: dict[str, Any]) -> str:
    """Who made the labels of a report."""
    if made.get("corrected_by"):
        return str(made["corrected_by"])
    if made.get("model"):
        return f"Prediction ({made['model']})"
    return "Reference" if made.get("origin") == Origin.REFERENCE else "Report"


def measured_by_report(facts: dict[str, Any], reading: str) -> Measured:
    """The measurements of a report, as `engine.clinical.export.report_facts` gives them.

    Args:
        facts: Of the report.
        reading: Who measured.

    Raises:
        KeyError: They are no facts of a report.
    """
    values = {
        f"{section}_{key}": float(value)
        for section in _SECTIONS
        for key, value in (facts.get(section) or {}).items()
        if _is_number(value) and key not in _NOT_MEASURED
    }
    study = facts["study"]
    return Measured(
        study=str(study["name"]),
        reading=reading,
        values=values,
        group=str(facts["patient"].get("group") or ""),
        folder=Path(study["path"]),
        conventions=_conventions(facts),
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _conventions(facts: dict[str, Any]) -> Conventions | None:
    """The choices behind a report; None where it is older than these."""
    choices = facts.get("choices")
    return Conventions.from_facts(choices) if isinstance(choices, dict) else None


def _measure_studies(source: Source, conventions: Conventions | None) -> Steps[_Found]:
    places = yield from study_places(source.path)
    rows: list[Measured] = []
    problems: list[str] = []
    troubled: list[Path] = []
    told = 0
    for number, place in enumerate(places):
        try:
            steps = read_study(place)
            study = yield from within(steps, number, len(places), place.name)
            rows += _measure_readings(study, source.name, problems, conventions)
        except HeartSegError as error:
            problems.append(f"{place.name}: {error.what}")
        if len(problems) > told:
            troubled.append(place)
            told = len(problems)
        yield Progress(number + 1, len(places), f"Measured {place.name}")
    return _Found(rows, problems, troubled)


def _measure_readings(
    study: Study, name: str, problems: list[str], conventions: Conventions | None
) -> list[Measured]:
    """A row for each reading of a study; with a name, of what lies first alone."""
    rows: dict[str, Measured] = {}
    best = min((each.stack for each in study.labels), default=0)
    stored = [each for each in study.labels if each.stack == best]
    if not stored:
        problems.append(f"{study.name}: It holds no labels.")
    readings = stored[:1] if name else [*stored, *_before_correction(study, best, stored, problems)]
    for each in readings:
        who = name or (BEFORE if each.name == BEFORE else name_reading(each))
        if who in rows:  # what was saved last comes first
            problems.append(f"{study.name}: {each.name} is another reading by {who}, left out.")
            continue
        try:
            rows[who] = measure_labels(study, each, who, conventions)
        except HeartSegError as error:
            problems.append(f"{study.name}, {who}: {error.what}")
    return list(rows.values())


def _before_correction(
    study: Study, stack: int, stored: Sequence[StoredLabels], problems: list[str]
) -> list[StoredLabels]:
    """The prediction that was corrected into the first labels, if the journal tells it."""
    journals = [place for place in journal_places(study, stack) if place.is_file()]
    if not journals or not any(each.provenance.origin is Origin.CORRECTED for each in stored):
        return []
    try:
        found = before_correction(journals[0], study.stacks[stack], stored, study=study.folder.name)
    except HeartSegError as error:
        problems.append(f"{study.name}, before its correction: {error.what}")
        return []
    return [] if found is None else [StoredLabels(BEFORE, stack, found.labels, found.provenance)]


def measure_labels(
    study: Study, stored: StoredLabels, reading: str, conventions: Conventions | None = None
) -> Measured:
    """Measure labels of a study as a report does.

    Args:
        study: With its images.
        stored: The labels.
        reading: Who drew them.
        conventions: How to measure; None for the usual ones.

    Raises:
        UnmeasurableError: They allow no measurement, or not by these conventions.
        GridMismatchError: They do not lie on the images.
    """
    report = report_stored(study, stored, conventions=conventions, program_version=__version__)
    measured = measured_by_report(report_facts(report), reading)
    return replace(measured, from_dicom=bool(study.stacks[stored.stack].sources))


_Files = dict[str, list[Path]]


def _label_files(folder: Path) -> Steps[_Files]:
    """Label files of a folder by study, if it holds nothing else; by what the first one holds."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and is_nifti(path))
    if not files:
        return {}
    image = yield from read_nifti(files[0])
    voxels = image.voxels
    if not np.issubdtype(voxels.dtype, np.integer) or voxels.max() > max(Structure):
        return {}
    found: _Files = {}
    for path in files:
        found.setdefault(_study_of(path), []).append(path)
    return found


def _study_of(path: Path) -> str:
    stem = re.sub(r"\.nii(\.gz)?$", "", path.name, flags=re.IGNORECASE)
    stem = _SUFFIX.sub("", stem)
    phase = _PHASE.match(stem)
    return phase["study"] if phase else stem


def _measure_files(files: _Files, reading: str, conventions: Conventions | None) -> Steps[_Found]:
    rows: list[Measured] = []
    problems: list[str] = []
    for number, (name, paths) in enumerate(files.items()):
        yield Progress(number, len(files), f"Measuring {name}")
        try:
            study = yield from _study_of_labels(name, paths)
            rows.append(measure_labels(study, study.labels[0], reading, conventions))
        except HeartSegError as error:
            problems.append(f"{name}: {error.what}")
    return _Found(rows, problems)


def _study_of_labels(name: str, paths: Sequence[Path]) -> Steps[Study]:
    """Label files as a study whose images are empty: a report needs no grey values to measure."""
    maps = []
    for path in paths:
        image = yield from read_nifti(path)
        voxels = image.voxels.astype(np.uint8)
        if (voxels != image.voxels).any() or voxels.max() > max(Structure):
            raise UnreadableStudyError(
                f"{path.name} holds other numbers than those of labels.",
                hint="Keep images and labels in folders of their own.",
            )
        maps.append(LabelMap(voxels, image.geometry))
    first = maps[0]
    if any(not each.geometry.matches(first.geometry) for each in maps):
        raise UnreadableStudyError(
            f"The phases of {name} lie on different grids.", hint="Keep one study in one grid."
        )
    labels = LabelMap(np.concatenate([each.voxels for each in maps]), first.geometry)
    empty = Cine(name, np.zeros(labels.shape, np.uint8), first.geometry)
    stored = StoredLabels(name, 0, labels, Provenance(Origin.UNKNOWN, source=str(paths[0])))
    return Study(paths[0].parent, Patient(identifier=name), (Stack(empty),), labels=(stored,))
