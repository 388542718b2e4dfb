"""On whom an experiment is run: labelled patients of its task, or generated stand-ins."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.datasets.catalogue import read_labelled
from engine.datasets.labelled import LabelledPatient
from engine.datasets.splits import make_folds
from engine.datasets.stand_in import GROUP, make_stand_ins
from engine.errors import ModelError
from engine.experiments.grid import Grid
from engine.progress import Steps
from engine.tasks import TASKS

_log = logging.getLogger(__name__)

PHANTOM_GROUP = "PHANTOM"  # of the patients that `heartseg phantom` writes

GENERATED = "generated stand-in"
"""What tables call data that were made up; never mistaken for patients."""


@dataclass(frozen=True, slots=True)
class Cohort:
    """The patients of an experiment.

    Attributes:
        patients: All that take part.
        source: Where they are from, for tables.
        generated: Whether any of them was made up.
    """

    patients: tuple[LabelledPatient, ...] = field(repr=False)
    source: str
    generated: bool


def gather_cohort(grid: Grid, folders: Sequence[Path], *, quick: bool) -> Steps[Cohort]:
    """Read the patients of a grid's task, or generate them for a quick run without data.

    A quick run takes a few patients, spread over their groups.

    Raises:
        ModelError: There are no data, none of the task, or some are not fully labelled.
    """
    if not folders:
        if not quick:
            raise ModelError(
                f"{grid.title!r} needs data: {grid.data}.",
                hint="Give the folder with --data, or try --quick, which makes do with generated "
                "images.",
            )
        made = yield from make_stand_ins(grid.task, grid.quick.patients, size=grid.quick.size)
        return Cohort(tuple(made), GENERATED, generated=True)
    found: list[LabelledPatient] = []
    for folder in folders:
        found.extend((yield from read_labelled(folder)))
    fitting = _whole([patient for patient in found if patient.task == grid.task])
    if not fitting:
        raise ModelError(
            f"{grid.title!r} is about {TASKS[grid.task].title.lower()}; none of the "
            f"{len(found)} labelled patients found is fully labelled for that.",
            hint=f"It needs {grid.data}.",
        )
    chosen = _few(fitting, grid.quick.patients) if quick else fitting
    source = ", ".join(folder.absolute().name for folder in folders)
    made_up = sorted(p.name for p in chosen if p.group in (PHANTOM_GROUP, GROUP))
    if made_up:
        source = f"{source} ({len(made_up)} of {len(chosen)} generated)"
    return Cohort(tuple(chosen), source, generated=bool(made_up))


def _whole(patients: list[LabelledPatient]) -> list[LabelledPatient]:
    """The patients without an open label: the papers' losses and scores need certain ones."""
    whole = [p for p in patients if all(volume.complete for volume in p.volumes)]
    if len(whole) < len(patients):
        left_out = len(patients) - len(whole)
        _log.warning("%d patients are left out: they are not fully labelled.", left_out)
    return whole


def _few(patients: list[LabelledPatient], count: int) -> list[LabelledPatient]:
    """So many patients or fewer, spread over the groups."""
    groups = {patient.name: patient.group for patient in patients}
    chosen = make_folds(groups, folds=max(1, len(patients) // count), seed=1)[0][:count]
    return [patient for patient in patients if patient.name in chosen]
