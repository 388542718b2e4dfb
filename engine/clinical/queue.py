"""What to review first: slices of a study, studies of a folder, by the error to be expected."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.clinical.findings import Finding, Severity, sort_findings
from engine.clinical.lint import choice_of, lint
from engine.clinical.trust import left_doubt
from engine.errors import HeartSegError, UnreadableStudyError
from engine.labelmap import LabelMap, SlicePlace
from engine.progress import Progress, Steps, within
from engine.review.states import Review
from engine.study import Origin, Provenance, Stack, StoredLabels, Study

Errors = Mapping[int, NDArray[np.float64]]
"""Phase -> error to be expected on each slice, (z,) [ml]."""

EstimateErrors = Callable[[Stack, LabelMap, Sequence[int]], Steps[Errors]]
"""From a stack, its labels and phases to errors, where no doubt is stored with the labels."""

_WORST = 3  # slices of a study that are named


class Basis(StrEnum):
    """What the order of a study rests on."""

    DOUBT = "doubt"  # the model's own, stored with the labels
    FLIPS = "flips"  # how far a model contradicts itself on mirrored images
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """A slice that is left to look at.

    Attributes:
        phase: 0-based.
        slice_index: 0-based.
        expected_error_ml: Volume that is probably missed or added there [ml]; None if unknown.
        why: What makes it worth a look, in words.
    """

    phase: int
    slice_index: int
    expected_error_ml: float | None
    why: str


@dataclass(frozen=True, slots=True)
class StudyItem:
    """A study of a folder.

    Attributes:
        folder: Where it lies.
        name: Its name.
        expected_error_ml: Sum over the slices of ED and ES that nobody has approved [ml]; None if
            unknown.
        basis: What the number rests on.
        approved: Whether a reader has approved the study.
        left: Slices of ED and ES that are not approved.
        worst: The slices to begin with.
        problem: Why it cannot be judged; empty where it can.
    """

    folder: Path
    name: str
    expected_error_ml: float | None
    basis: Basis
    approved: bool
    left: int
    worst: tuple[ReviewItem, ...]
    problem: str = ""


def slice_queue(
    labels: LabelMap,
    provenance: Provenance,
    review: Review,
    *,
    phases: Sequence[int] | None = None,
    errors_ml: Errors | None = None,
    findings: Sequence[Finding] = (),
) -> list[ReviewItem]:
    """The slices that are not approved, those with the largest expected error first.

    Where no error is known, slices with findings come first, then the others as they lie. Slices
    that a person has corrected count as right, but are asked for approval at the end.

    Args:
        labels: The map.
        provenance: Who made it; the doubt in it gives the errors.
        review: What readers decided.
        phases: Which are queued, 0-based; None for all that are labelled.
        errors_ml: Errors of phases without a doubt, e.g. by `engine.learning.flips`.
        findings: Of `lint`; those that were not set aside are named.
    """
    wanted = labels.labelled_phases() if phases is None else phases
    told = _told_of(findings, review)
    items = []
    for phase in wanted:
        errors = _errors_of(labels, provenance, phase, errors_ml or {})
        for z in range(labels.shape[1]):
            drawn = bool(labels.voxels[phase, z].any())
            if (phase, z) in review.approved or (errors is None and not drawn):
                continue
            error = None if errors is None else float(errors[z])
            if not drawn and not error:
                continue
            corrected = (phase, z) in provenance.corrected_slices
            items.append(
                ReviewItem(phase, z, error, _why(error, corrected, told.get((phase, z), [])))
            )
    return sorted(items, key=lambda item: _rank(item, told))


def paired(items: Sequence[ReviewItem], done: Collection[SlicePlace] = ()) -> list[ReviewItem]:
    """The same queue with the phases of a slice one after the other.

    What was begun comes first: slices of which a phase is done, and another one is not. The others
    follow by the sum of their errors over the phases, those without any known error as they were.
    An ejection fraction rests on ED and ES: what is wrong alike in both cancels, until one of them
    alone is corrected.

    Args:
        items: As `slice_queue` orders them.
        done: Slices that a person has corrected or approved, (phase, slice), 0-based.
    """
    begun = {slice_index for _, slice_index in done}
    groups: dict[int, list[ReviewItem]] = {}
    for item in items:
        groups.setdefault(item.slice_index, []).append(item)

    def rank(group: list[ReviewItem]) -> tuple[bool, float]:
        waits = any((item.phase, item.slice_index) not in done for item in group)
        error_ml = sum(item.expected_error_ml or 0.0 for item in group)
        return not (waits and group[0].slice_index in begun), -error_ml

    return [item for group in sorted(groups.values(), key=rank) for item in group]


def _rank(item: ReviewItem, told: Mapping[tuple[int, int], list[Finding]]) -> tuple[float, ...]:
    """Known errors first, the largest of them first; unknown ones by how sure a fault is."""
    found = told.get((item.phase, item.slice_index), [])
    severity = min((list(Severity).index(each.severity) for each in found), default=len(Severity))
    if item.expected_error_ml is None:
        return (1, 0.0, severity, item.phase, item.slice_index)
    return (0, -item.expected_error_ml, severity, item.phase, item.slice_index)


def _told_of(findings: Sequence[Finding], review: Review) -> dict[tuple[int, int], list[Finding]]:
    told: dict[tuple[int, int], list[Finding]] = {}
    for finding in sort_findings(findings):
        if finding.phase is None or finding.slice_index is None or review.ignores(finding.key):
            continue
        told.setdefault((finding.phase, finding.slice_index), []).append(finding)
    return told


def _errors_of(
    labels: LabelMap, provenance: Provenance, phase: int, errors_ml: Errors
) -> NDArray[np.float64] | None:
    doubt = left_doubt(provenance, phase)
    if doubt is not None and len(doubt.expected_error_ml) == labels.shape[1]:
        return doubt.expected_error_ml
    if phase not in errors_ml:
        return None
    corrected = [z for t, z in provenance.corrected_slices if t == phase]
    errors = errors_ml[phase].copy()
    errors[corrected] = 0.0
    return errors


def _why(error_ml: float | None, corrected: bool, found: Sequence[Finding]) -> str:
    parts = []
    if corrected:
        parts.append("corrected, not approved")
    elif error_ml is not None:
        parts.append(f"about {error_ml:.1f} ml in doubt")
    parts += [finding.what.rstrip(".") for finding in found[:2]]
    return "; ".join(parts) or "not approved"


def study_queue(folder: Path, *, estimate: EstimateErrors | None = None) -> Steps[list[StudyItem]]:
    """The studies of a folder, those with the largest expected error first.

    Then come studies about which nothing is known, those that cannot be read or hold no labels,
    and at last the approved ones.

    Args:
        folder: A folder of patient folders, or one patient folder.
        estimate: What finds the errors of labels without a stored doubt; it takes seconds a
            study. Without it they are unknown.
    """
    places = yield from study_places(folder)
    items = []
    for number, place in enumerate(places):
        yield Progress(number, len(places), f"Reading {place.name}")
        steps = _judge_study(place, estimate)
        items.append((yield from within(steps, number, len(places), place.name)))
    return sorted(items, key=_study_rank)


def _study_rank(item: StudyItem) -> tuple[bool, bool, bool, float, str]:
    return (
        item.approved,
        item.expected_error_ml is None,
        bool(item.problem),
        -(item.expected_error_ml or 0.0),
        item.name,
    )


def study_places(folder: Path) -> Steps[list[Path]]:
    """The studies of a folder in order of their names; the folder itself if it is one.

    Raises:
        UnreadableStudyError: There is no such folder.
    """
    from engine.io.study_folder import read_study

    root = folder / "training" if (folder / "training").is_dir() else folder
    below = _folders_in(root)
    if any(_has_store(each) for each in below):
        return below
    try:
        yield from read_study(folder)
    except UnreadableStudyError:
        if not below:
            raise
        return below
    return [folder]


def _folders_in(folder: Path) -> list[Path]:
    if not folder.is_dir() or _has_store(folder):
        return []
    return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))


def _has_store(folder: Path) -> bool:
    """Whether labels were saved beside the images of a folder."""
    from engine.io.label_store import STORE_FOLDER

    return (folder / STORE_FOLDER).is_dir()


def _judge_study(place: Path, estimate: EstimateErrors | None) -> Steps[StudyItem]:
    from engine.io.study_folder import read_study

    def unknown(name: str, problem: str) -> StudyItem:
        return StudyItem(place, name, None, Basis.UNKNOWN, False, 0, (), problem)

    try:
        study = yield from read_study(place)
    except HeartSegError as error:
        return unknown(place.name, error.what)
    stored = labels_to_review(study)
    if stored is None:
        blocked = [problem.what for problem in study.problems if problem.blocking]
        return unknown(study.name, (blocked or ["It holds no labels yet."])[0])
    return (yield from _judge_labels(place, study, stored, estimate))


def labels_to_review(study: Study) -> StoredLabels | None:
    """The labels of the best labelled stack, a reader's or a model's before a reference."""
    own = [each for each in study.labels if each.provenance.origin is not Origin.REFERENCE]
    found = sorted(own or study.labels, key=lambda each: each.stack)
    return next(iter(found), None)


def _judge_labels(
    place: Path, study: Study, stored: StoredLabels, estimate: EstimateErrors | None
) -> Steps[StudyItem]:
    stack, labels, review = study.stacks[stored.stack], stored.labels, stored.review
    choice = choice_of(
        labels,
        ed_phase=stored.ed_phase,
        es_phase=stored.es_phase,
        source=(stack.ed_phase, stack.es_phase),
    )
    measured = [phase for phase in (choice.ed, choice.es) if phase is not None]
    missing = [phase for phase in measured if left_doubt(stored.provenance, phase) is None]
    estimated: Errors = {}
    if missing and estimate is not None and not review.is_approved:
        estimated = yield from estimate(stack, labels, missing)
    findings = lint(labels, choice, phases=measured, size_known=stack.size_known)
    items = slice_queue(
        labels,
        stored.provenance,
        review,
        phases=measured,
        errors_ml=estimated,
        findings=findings,
    )
    known = [item.expected_error_ml for item in items if item.expected_error_ml is not None]
    complete = len(known) == len(items) and bool(measured)
    basis = Basis.FLIPS if estimated else Basis.DOUBT if complete else Basis.UNKNOWN
    return StudyItem(
        place,
        study.name,
        sum(known) if complete else None,
        basis if complete else Basis.UNKNOWN,
        review.is_approved,
        len(items),
        tuple(items[:_WORST]),
    )
