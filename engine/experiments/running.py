"""Running an experiment: every cell of its grid trained and measured, then tables and figures."""

from collections.abc import Sequence
from pathlib import Path

from engine.datasets.splits import split_patients
from engine.errors import ModelError
from engine.experiments.examining import examine_run, forget_peak_memory
from engine.experiments.folder import ExperimentFolder, Setting, is_finished, open_experiment
from engine.experiments.grid import Cell, Grid, read_grid
from engine.experiments.patients import Cohort, gather_cohort
from engine.experiments.reporting import write_report
from engine.learning.run_folder import STATE
from engine.learning.runtime import choose_device
from engine.learning.training import train
from engine.learning.training_data import check_recipe
from engine.progress import Steps, within


def run_experiment(
    name: str,
    out: Path,
    *,
    quick: bool = False,
    data: Sequence[Path] = (),
    device: str = "auto",
    folds: int | None = None,
    only: Sequence[str] = (),
    threads: int | None = None,
) -> Steps[Path]:
    """Train and measure every cell of an experiment, then write its tables and figures.

    What is finished in `out` is not trained again, and what was interrupted goes on where it
    stopped; so the cells may be trained in several calls, e.g. with `only`.

    Args:
        name: Of the experiment, or the path of its file.
        out: Its folder; made if missing.
        quick: A few patients, epochs and channels: shows that everything works.
        data: Folders of labelled patients; none is generated stand-ins in a quick run.
        device: auto, cpu or cuda.
        folds: Train only so many folds; None takes the experiment's number.
        only: Names of values; the others of their axes are left out.
        threads: Of the trainings on a CPU; None takes all cores.

    Returns:
        The file with the table, Markdown.

    Raises:
        ModelError: No such experiment, fold or value, no fitting data, or `out` holds another
            experiment.
        CannotSaveError: `out` cannot be written.
    """
    grid = read_grid(name)
    cells = grid.cells(quick=quick, only=tuple(only))
    count = _count_folds(grid, cells, quick=quick, wanted=folds)
    for cell in cells:  # or the last would be found wrong when all others are trained
        check_recipe(cell.recipe)
    cohort = yield from gather_cohort(grid, data, quick=quick)
    setting = Setting.of(Path(name).stem, cohort, quick=quick, folds=count, data=data)
    folder = open_experiment(out, setting)
    runs = [(cell, fold) for cell in cells for fold in range(min(count, cell.folds))]
    for number, (cell, fold) in enumerate(runs):
        steps = _run_one(grid, folder, cell, fold, cohort, device, threads)
        told = f"{cell.label}, fold {fold + 1} of {count}" if cell.folds > 1 else cell.label
        yield from within(steps, number, len(runs), told)
    return (yield from write_report(grid, folder, cohort, device=device))


def _run_one(
    grid: Grid,
    folder: ExperimentFolder,
    cell: Cell,
    fold: int,
    cohort: Cohort,
    device: str,
    threads: int | None,
) -> Steps[None]:
    """Train and measure one fold of a cell, as far as that is not done."""
    recipe, path = cell.fold(fold), folder.run_path(cell, fold)
    split = split_patients(cohort.patients, recipe)
    if not is_finished(path, recipe):
        resume = (path / STATE).is_file()
        if not resume:
            folder.note_start(path)
        forget_peak_memory(choose_device(device))
        yield from train(
            cohort.patients, recipe, path, device=device, resume=resume, threads=threads
        )
    yield from examine_run(path, split, device=device, correction=grid.correction)


def _count_folds(grid: Grid, cells: Sequence[Cell], *, quick: bool, wanted: int | None) -> int:
    most = cells[0].folds
    if wanted is not None and not 1 <= wanted <= most:
        raise ModelError(
            f"{grid.title!r} has {most} {'folds' if most > 1 else 'split only'}; {wanted} cannot "
            "be trained.",
            hint=f"Give --folds a number from 1 to {most}, or leave it out.",
        )
    return wanted or min(most, grid.quick.folds if quick else grid.folds)
