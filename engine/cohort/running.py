"""A cohort from its folder to its table."""

import csv
import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

from engine import __version__
from engine.clinical.agreement_report import plain_cell
from engine.clinical.conventions import Conventions
from engine.clinical.queue import study_places
from engine.cohort.crew import StudyDone, run_crew
from engine.cohort.outcome import CohortOutcome, CohortTask, CohortWish, Naming, Status
from engine.cohort.pseudonyms import give_pseudonyms
from engine.cohort.study_work import do_study, finished
from engine.errors import CannotSaveError, ModelError, UnreadableStudyError
from engine.io.atomic_file import make_folder, write_atomically
from engine.progress import Progress, Steps, within
from engine.scoring.quantities import in_order

_TABLES_EVERY_S = 2.0  # while studies are done
_TABLES_SHARE = 20.0  # at least this many times as long between tables as one of them took
TABLE, FACTS = "cohort.csv", "cohort.json"
_CONVENTIONS = "conventions"
_HEADINGS = ("study", "reading", "group", "status", "reason", "hint", "approved", "warnings")
_ENDINGS = ("seconds", "folder", "labels", "report")
_PLACES = _ENDINGS[1:]

Runner = Callable[[Sequence[CohortTask]], Steps[list[CohortOutcome]]]
"""Does studies and yields `StudyDone` after each."""


def plan_cohort(folder: Path, out: Path, wish: CohortWish) -> Steps[list[CohortTask]]:
    """The studies of a folder, each with a folder of its own for the results.

    Args:
        folder: Of patient folders, or one patient folder.
        out: Where the results go.
        wish: How every study is treated; the model's hash is filled in. Where names are hidden,
            the folders of the results are called by pseudonyms, too.

    Raises:
        UnreadableStudyError: There is no study.
        CannotSaveError: The results would lie among the images, or no pseudonym can be given.
        ModelError: There is no such model.
    """
    places = yield from study_places(folder)
    if not places:
        raise UnreadableStudyError(
            f"{folder} holds no studies.", hint="Give the folder that holds the patient folders."
        )
    for place in places:
        if out.resolve().is_relative_to(place.resolve()):
            raise CannotSaveError(
                f"{out} lies within the study {place.name}.",
                hint="Choose a folder beside the studies; theirs are not touched.",
            )
    known = replace(wish, model_hash=_hash_of(wish))
    hidden: dict[Path, str] = {}
    if wish.naming is not Naming.KEPT:
        hidden = yield from give_pseudonyms(places, wish.naming)
    names = _names(places) | hidden
    return [
        CohortTask(place, out / names[place], known, __version__, hidden.get(place, ""))
        for place in places
    ]


def _hash_of(wish: CohortWish) -> str:
    """The SHA-256 of the model's file; empty where none is at hand and perhaps none is needed."""
    from engine.learning.models import find_model

    try:
        content = find_model(wish.model or None).network_file.read_bytes()
    except (ModelError, OSError):
        if wish.stored and not wish.model:
            return ""
        raise
    return hashlib.sha256(content).hexdigest()


def _names(places: Sequence[Path]) -> dict[Path, str]:
    """A name for the results of each study."""
    return {place: place.name.removesuffix(".gz").removesuffix(".nii") for place in places}


def run_here(workers: int = 1) -> Runner:
    """A runner on this machine, in several processes, or in this one.

    A bundled program has no interpreter to start others with, and works in one process.
    """

    def run(tasks: Sequence[CohortTask]) -> Steps[list[CohortOutcome]]:
        if workers > 1 and len(tasks) > 1 and not getattr(sys, "frozen", False):
            return run_crew(tasks, workers)
        return _run_alone(tasks)

    return run


def _run_alone(tasks: Sequence[CohortTask]) -> Steps[list[CohortOutcome]]:
    outcomes = []
    for number, task in enumerate(tasks):
        outcome = yield from within(do_study(task), number, len(tasks), task.name)
        outcomes.append(outcome)
        yield StudyDone.of(len(outcomes), len(tasks), outcome)
    return outcomes


def run_cohort(
    tasks: Sequence[CohortTask], out: Path, run: Runner, *, redo: bool = False
) -> Steps[list[CohortOutcome]]:
    """Do all studies that are not done yet, and keep `cohort.csv` and `cohort.json` up to date.

    A study is done where its outcome says so, for the same model, options, version and files;
    whatever failed before is tried again. So an interrupted cohort goes on where it was.

    Args:
        tasks: Of `plan_cohort`.
        out: Where the tables go.
        run: What does the studies.
        redo: Do also what is done.

    Returns:
        The outcomes in the order of the tasks.

    Raises:
        CannotSaveError: The tables cannot be written.
    """
    make_folder(out)
    found: dict[Path, CohortOutcome] = {}
    for number, task in enumerate(tasks):
        yield Progress(number, len(tasks), f"Looking for results of {task.name}")
        earlier = None if redo else finished(task)
        if earlier is not None:
            found[task.folder] = earlier
            yield StudyDone.of(len(found), len(tasks), earlier)
        elif redo:
            (task.out / "outcome.json").unlink(missing_ok=True)
    left = [task for task in tasks if task.folder not in found]
    steps, next_s = run(left), 0.0
    try:
        for progress in steps:
            if isinstance(progress, StudyDone):
                found[progress.outcome.folder] = progress.outcome
                began_s = time.monotonic()
                if began_s > next_s:
                    _write_tables(_in_order(tasks, found), len(tasks), out)
                    took_s = time.monotonic() - began_s
                    next_s = began_s + max(_TABLES_EVERY_S, _TABLES_SHARE * took_s)
                yield StudyDone.of(len(found), len(tasks), progress.outcome)
            else:
                yield Progress(len(found), len(tasks), progress.doing)
    finally:
        steps.close()
        _write_tables(_in_order(tasks, found), len(tasks), out)
    return _in_order(tasks, found)


def _in_order(tasks: Sequence[CohortTask], found: dict[Path, CohortOutcome]) -> list[CohortOutcome]:
    return [found[task.folder] for task in tasks if task.folder in found]


def _write_tables(outcomes: Sequence[CohortOutcome], total: int, out: Path) -> None:
    write_atomically(out / TABLE, cohort_csv(outcomes, out).encode("utf-8-sig"))  # for Excel
    facts = cohort_facts(outcomes, total, out)
    text = json.dumps(facts, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_atomically(out / FACTS, text.encode())


def cohort_facts(outcomes: Sequence[CohortOutcome], total: int, out: Path) -> dict[str, Any]:
    """The table as plain facts.

    Args:
        outcomes: Of the studies that were done.
        total: How many studies there are.
        out: Where the facts will lie.
    """
    states = [each.status for each in outcomes]
    return {
        "program": {"name": "HeartSeg", "version": __version__},
        "studies": total,
        "done": states.count(Status.DONE),
        "failed": states.count(Status.FAILED),
        "outcomes": [each.as_kept(out) for each in outcomes],
    }


def cohort_csv(outcomes: Iterable[CohortOutcome], out: Path) -> str:
    """A line for each study; `heartseg agreement` reads it as it is.

    Args:
        outcomes: Of the studies that were done.
        out: Where the table will lie.
    """
    rows = list(outcomes)
    keys = in_order(dict.fromkeys(key for row in rows for key in row.values))
    stream = StringIO()
    table = csv.writer(stream, lineterminator="\n")
    table.writerow([*_HEADINGS, *keys, _CONVENTIONS, *_ENDINGS])
    for row in rows:
        head = (row.name, row.reading, row.group, row.status, row.reason, row.hint)
        told = ("yes" if row.approved else "no", "; ".join(row.warnings))
        made = Conventions.from_facts(row.conventions).as_text() if row.conventions else ""
        places = row.as_kept(out)
        ends = (made, str(row.seconds), *(places[key] for key in _PLACES))
        cells = [*head, *told, *(row.values.get(key) for key in keys), *ends]
        table.writerow(["" if cell is None else plain_cell(cell) for cell in cells])
    return stream.getvalue()
