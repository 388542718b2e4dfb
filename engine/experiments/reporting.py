"""The files of an experiment: results.json, table.md, table.csv and its figures."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import CannotSaveError
from engine.experiments.folder import ExperimentFolder, read_experiment
from engine.experiments.grid import Grid, read_grid
from engine.experiments.patients import Cohort
from engine.experiments.results import CellResult, collect_results
from engine.experiments.tables import list_sides, tidy_table, write_document
from engine.io.atomic_file import write_atomically
from engine.learning.tables import to_csv
from engine.progress import Progress, Steps

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from engine.experiments.pictures import Keepsake

_BULKY = ("volumes",)  # rows of single volumes, which stay in each training's scores.json


def write_report(
    grid: Grid, folder: ExperimentFolder, cohort: Cohort, *, device: str
) -> Steps[Path]:
    """Write results, tables and figures of what is finished in an experiment's folder.

    Args:
        grid: The experiment.
        folder: Where its trainings lie.
        cohort: Its patients, for the panels.
        device: auto, cpu or cuda.

    Returns:
        The file with the tables, Markdown.
    """
    from engine.experiments.pictures import draw_pictures, write_keepsake

    yield Progress(0, 0, "Writing tables")
    results = collect_results(folder, grid.cells(quick=folder.setting.quick))
    write_results(grid, folder, results)
    pictures = yield from draw_pictures(results, cohort, device=device)
    figures = yield from write_figures(grid, folder, results, folder.path, pictures)
    keepsake = yield from write_keepsake(
        results, cohort, folder.path, folder.setting, device=device
    )
    remarks = []
    if keepsake and keepsake.film:
        figures.append(keepsake.film.relative_to(folder.path).as_posix())
    if keepsake and keepsake.meshes:
        remarks.append(_list_meshes(keepsake, folder.path))
    path = folder.path / "table.md"
    return write_tables(grid, folder, results, path, figures=figures, remarks=remarks)


def _list_meshes(keepsake: "Keepsake", folder: Path) -> str:
    links = (f"[{path.name}]({path.relative_to(folder).as_posix()})" for path in keepsake.meshes)
    return f"Surfaces of {keepsake.title}, in mm along the axes of the image: {', '.join(links)}."


def report_text(name: str, runs: Path) -> str:
    """The tables of what is finished in an experiment's folder, Markdown.

    Raises:
        ModelError: No such experiment, or the folder holds none or another one.
    """
    grid, folder, results = _read_again(name, runs)
    return write_document(grid, folder.setting, results)


def report_again(name: str, runs: Path, out: Path) -> Steps[Path]:
    """Write the tables of what is finished to `out`, with CSV and the figures of numbers beside.

    Args:
        name: Of the experiment.
        runs: Its folder.
        out: Markdown file.

    Raises:
        ModelError: No such experiment, or the folder holds none or another one.
        CannotSaveError: `out` cannot be written.
    """
    if out.is_dir() or out.suffix == ".csv":
        raise CannotSaveError(f"{out} is no Markdown file.", hint="Give a name such as table.md.")
    grid, folder, results = _read_again(name, runs)
    figures = yield from write_figures(grid, folder, results, out.parent)
    return write_tables(grid, folder, results, out, figures=figures)


def _read_again(name: str, runs: Path) -> tuple[Grid, ExperimentFolder, list[CellResult]]:
    grid = read_grid(name)
    folder = read_experiment(runs, Path(name).stem)
    return grid, folder, collect_results(folder, grid.cells(quick=folder.setting.quick))


def write_figures(
    grid: Grid,
    folder: ExperimentFolder,
    results: Sequence[CellResult],
    beside: Path,
    further: "Sequence[tuple[str, Figure]]" = (),
) -> Steps[list[str]]:
    """Draw the numbers of an experiment into the folder `figures`, and write further figures.

    Args:
        grid: The experiment.
        folder: Its folder.
        results: Of its cells.
        beside: Folder that gets the folder `figures`.
        further: Figures that are there already, with the names of their files.

    Returns:
        Paths of the figures from `beside`.
    """
    from engine.drawing.canvas import write_figure
    from engine.experiments.figures import draw_numbers, mark

    written: list[str] = []
    for name, figure in (*draw_numbers(grid, folder.setting, results), *further):
        yield Progress(len(written), 0, f"Writing {name}")
        write_figure(mark(figure, folder.setting), beside / "figures" / name)
        written.append(f"figures/{name}")
    return written


def write_tables(
    grid: Grid,
    folder: ExperimentFolder,
    results: Sequence[CellResult],
    path: Path,
    *,
    figures: Sequence[str] = (),
    remarks: Sequence[str] = (),
) -> Path:
    """Write the tables as Markdown to `path` and as CSV beside it; returns `path`."""
    text = write_document(grid, folder.setting, results, figures=figures, remarks=remarks)
    write_atomically(path, text.encode())
    table = tidy_table(grid, folder.setting, list_sides(grid, results))
    write_atomically(path.with_suffix(".csv"), to_csv(table).encode())
    return path


def write_results(grid: Grid, folder: ExperimentFolder, results: Sequence[CellResult]) -> Path:
    """Write results.json: everything about every cell but the rows of single volumes."""
    content = {
        "experiment": asdict(folder.setting),
        "title": grid.title,
        "paper": grid.paper,
        "cells": [_as_json(result, folder) for result in results],
    }
    path = folder.path / "results.json"
    write_atomically(path, (json.dumps(content, indent=1, allow_nan=False) + "\n").encode())
    return path


def _as_json(result: CellResult, folder: ExperimentFolder) -> dict[str, Any]:
    total, trainable = result.full_parameters
    return {
        "name": result.cell.name,
        "label": result.cell.label,
        "row": result.cell.row,
        "recipe": result.recipe,
        "version": result.version,
        "runs": [run.path.relative_to(folder.path).as_posix() for run in result.runs],
        "runs_asked": result.asked,
        "patients": dict(zip(("trained", "validated", "tested"), result.patients, strict=True)),
        "epochs": result.epochs,
        "parameters": {"full": [total, trainable], "run": list(result.parameters)},
        "measured": [
            {name: value for name, value in asdict(one).items() if value not in ("", None)}
            for one in result.measured()
        ],
        "scores": _slim(result.scores),
        "corrected": _slim(result.corrected),
    }


def _slim(scores: dict[str, Any] | None) -> dict[str, Any] | None:
    if scores is None:
        return None
    return {
        key: {k: v for k, v in part.items() if k not in _BULKY} if isinstance(part, dict) else part
        for key, part in scores.items()
    }
