"""One study of a cohort, from its images to its report."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cohort.outcome import (
    CohortOutcome,
    CohortTask,
    Status,
    earlier_outcome,
    write_outcome,
)
from engine.cohort.pseudonyms import hide_in_failure, words_of
from engine.errors import HeartSegError, UnmeasurableError
from engine.labelmap import LabelMap
from engine.progress import Progress, Steps, run_to_end
from engine.study import StoredLabels, Study

if TYPE_CHECKING:
    from engine.clinical.report import Report
    from engine.learning.checkpoint import Model

STAMP = "stamp.png"
"""A small picture of the middle of the heart, for lists."""

_OUR_FAULT = "This is a mistake in the program. Please report it with this line."


def do_task(text: str) -> str:
    """Do a study whose task came as text, and give the outcome as text: for other processes."""
    import json

    return json.dumps(run_to_end(do_study(CohortTask.from_text(text))).as_json())


def finished(task: CohortTask) -> CohortOutcome | None:
    """The outcome of a study that was done before, in the same way, from the same files."""
    earlier = earlier_outcome(task)
    return earlier if earlier is not None and earlier.status is Status.DONE else None


def do_study(task: CohortTask) -> Steps[CohortOutcome]:
    """Predict, measure and report a study, unless that was done before.

    Whatever goes wrong with one study is its outcome: the others go on.
    """
    earlier = finished(task)
    if earlier is not None:
        return earlier
    began, fingerprint = time.perf_counter(), task.fingerprint
    try:
        outcome = yield from _do(task)
    except HeartSegError as error:
        outcome = task.failed(error.what, error.hint)
    except MemoryError:
        hint = "Take fewer workers, or a machine with more memory."
        outcome = task.failed("The memory was full.", hint)
    except Exception as error:  # noqa: BLE001  (one study must not end the others)
        outcome = task.failed(f"{type(error).__name__}: {error}", _OUR_FAULT)
    if task.pseudonym and outcome.status is Status.FAILED:
        outcome = yield from hide_in_failure(outcome, task)
    outcome = replace(
        outcome,
        seconds=round(time.perf_counter() - began, 3),
        written=datetime.now(UTC).isoformat(timespec="microseconds"),
        fingerprint=fingerprint,
    )
    write_outcome(outcome, task.out)
    return outcome


def _do(task: CohortTask) -> Steps[CohortOutcome]:
    from engine.io.study_folder import read_study

    study = yield from read_study(task.folder)
    made = yield from _labels(task, study)
    words = (yield from words_of(task)) if task.pseudonym else ()
    return (yield from _report(task, study, made, words))


@dataclass(frozen=True, slots=True, eq=False)
class _Labels:
    """Labels to measure, and whether they were made now."""

    stored: StoredLabels
    fresh: bool


def _labels(task: CohortTask, study: Study) -> Steps[_Labels]:
    from engine.clinical.queue import labels_to_review

    for problem in study.unusable_labels if task.wish.stored else ():
        raise UnmeasurableError(f"{problem.what} ({problem.where})", hint=problem.hint)
    found = labels_to_review(study) if task.wish.stored else None
    if found is not None:
        return _Labels(found, fresh=False)
    if not study.stacks:
        raise UnmeasurableError(
            f"{study.folder} holds no stack of parallel slices.",
            hint="`heartseg info` lists what it holds; a short-axis stack is needed.",
        )
    for problem in study.stacks[0].problems:
        if problem.blocking:
            raise UnmeasurableError(f"{problem.what} ({problem.where})", hint=problem.hint)
    return _Labels((yield from _predict(task, study)), fresh=True)


@lru_cache(maxsize=1)
def _model(name: str) -> "Model":
    """The model, loaded once in a process."""
    from engine.learning.checkpoint import load_model

    return load_model(name or None)


def _predict(task: CohortTask, study: Study) -> Steps[StoredLabels]:
    from engine.learning.inference import predict

    stack = study.stacks[0]
    prediction = yield from predict(
        _model(task.wish.model),
        stack.cine,
        phases="all" if task.wish.phases == "all" else "ed-es",
        device=task.wish.device,
        key_phases=(stack.ed_phase, stack.es_phase),
    )
    labels = LabelMap(prediction.voxels, stack.cine.geometry)
    return StoredLabels("labels.nii.gz", 0, labels, prediction.provenance)


def _report(
    task: CohortTask, study: Study, made: _Labels, words: Sequence[str]
) -> Steps[CohortOutcome]:
    from engine.clinical.anonymous import identity_as, under_pseudonym
    from engine.clinical.export import report_facts
    from engine.clinical.measured_sources import measured_by_report
    from engine.clinical.reading_comparison import name_reading
    from engine.clinical.report import report_stored

    stored, out = made.stored, task.out
    place = yield from _keep_labels(task, study, made)
    yield Progress(0, 0, "Measuring")
    report = report_stored(
        study, stored, conventions=task.wish.conventions, program_version=task.version
    )
    reading = name_reading(stored)
    if task.pseudonym:
        identity = identity_as(report, task.pseudonym, words)
        report, reading = under_pseudonym(report, identity), identity.hide(reading)
    yield Progress(0, 0, "Writing the report")
    _write_report(report, out, pdf=task.wish.pdf)
    measured = measured_by_report(report_facts(report), reading)
    return CohortOutcome(
        folder=task.folder,
        name=report.study_name,
        status=Status.DONE,
        group=study.patient.group,
        reading=measured.reading,
        values=dict(measured.values),
        warnings=report.warnings,
        approved=report.approval is not None,
        labels=place,
        report=out / "report.json",
        conventions=report.choices.as_facts(),
        pseudonym=task.pseudonym,
    )


def _keep_labels(task: CohortTask, study: Study, made: _Labels) -> Steps[Path | None]:
    """Save labels that were made now; the file that holds them."""
    from engine.clinical.own_files import refuse_foreign_reports
    from engine.io.atomic_file import make_folder
    from engine.io.label_store import refuse_foreign, save_labels

    stored, place = made.stored, task.out / "labels.nii.gz"
    make_folder(task.out)
    refuse_foreign_reports(task.out, ("report.json", "report.pdf"))
    if not made.fresh:
        return next(iter(stored.files), None)
    refuse_foreign(place, study)
    shown = _nameless(study) if task.pseudonym else study
    yield from save_labels(shown, stored.stack, stored.labels, stored.provenance, path=place)
    return place


def _nameless(study: Study) -> Study:
    """A study whose stacks are called by numbers: the note beside labels tells their names."""
    stacks = tuple(
        replace(stack, cine=replace(stack.cine, name=f"stack {number}"), files=())
        for number, stack in enumerate(study.stacks, start=1)
    )
    return replace(study, stacks=stacks)


def _write_report(report: "Report", out: Path, *, pdf: bool) -> None:
    from engine.clinical.export import report_json
    from engine.io.atomic_file import write_atomically

    write_atomically(out / "report.json", report_json(report).encode())
    if pdf:
        from engine.clinical.pdf import make_pdf
        from engine.clinical.template import read_template

        write_atomically(out / "report.pdf", make_pdf(report, read_template()))
    _write_stamp(report, out / STAMP)


def _write_stamp(report: "Report", path: Path) -> None:
    from engine.drawing.stamp import stamp_png
    from engine.io.atomic_file import write_atomically

    middle = [image for image in report.images if "mid" in image.title] or report.images
    for image in middle[:1]:
        write_atomically(path, stamp_png(image.grey, image.labels, image.pixel_mm))
