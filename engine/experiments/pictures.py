"""What an experiment shows of its images: best and worst cases, surfaces in space, a film."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from engine.drawing.animation import make_animation
from engine.drawing.panels import PanelCase, make_panels_figure
from engine.experiments.examples import Labels, Shown, best_cell, plain_name, predict_examples
from engine.experiments.figures import mark
from engine.experiments.folder import Setting
from engine.experiments.patients import Cohort
from engine.experiments.results import CellResult
from engine.experiments.space import (
    SOLID_TASKS,
    draw_in_space,
    mesh_names,
    surfaces_of,
    write_meshes,
)
from engine.io.atomic_file import write_atomically
from engine.learning.models import WEIGHTS
from engine.progress import Progress, Steps
from engine.scoring.overlap import dice

_LONGEST_NAME = 20
_FRAMES, _QUICK_FRAMES = 40, 3  # of a film, at most


def draw_pictures(
    results: Sequence[CellResult], cohort: Cohort, *, device: str
) -> Steps[list[tuple[str, Figure]]]:
    """Draw best and worst test patients with every cell's prediction.

    Patients are ranked by their mean Dice over the cells. Volumes of the heart are also drawn in
    space, with the prediction of the best cell.

    Returns:
        Each figure with the name of its file; none where no patient was tested by all cells.
    """
    shown = yield from predict_examples(results, cohort, device=device)
    if not shown:
        return []
    finished = [result for result in results if result.runs]
    task = finished[0].cell.recipe.task
    cases = [_panel(one, [result.cell.name for result in finished], task.classes) for one in shown]
    titles = [result.cell.label for result in finished]
    figures = [("panels.png", make_panels_figure(cases, titles, classes=task.classes))]
    if task.name in SOLID_TASKS:
        yield Progress(0, 0, "Drawing surfaces")
        best = best_cell(finished)
        labels = {
            "reference": shown[0].volume.labels(),
            best.cell.label: shown[0].predictions[best.cell.name],
        }
        sides = surfaces_of(shown[0].volume, labels, task)
        figures.append(("surfaces.png", draw_in_space(shown[0].volume, sides, task)))
    return figures


@dataclass(frozen=True, slots=True)
class Keepsake:
    """Files of the best test patient, predicted by the best cell.

    Attributes:
        title: Whose they are.
        film: Image, reference and prediction slice by slice, a GIF; None where the volume has
            no slices that follow each other.
        meshes: Surfaces of the reference and of the prediction, PLY and STL; empty for tasks
            that are no solids.
    """

    title: str
    film: Path | None
    meshes: tuple[Path, ...]


def write_keepsake(
    results: Sequence[CellResult],
    cohort: Cohort,
    folder: Path,
    setting: Setting,
    *,
    device: str,
) -> Steps[Keepsake | None]:
    """Write the best test patient as a film and as meshes, unless they are there already.

    Args:
        results: Of the cells.
        cohort: The patients.
        folder: Of the experiment; they lie in `figures` and `meshes`, named by cell and patient.
        setting: What is run in it; a quick run's film has few pictures, which say so.
        device: auto, cpu or cuda.

    Returns:
        None where no patient was tested by all cells.
    """
    shown = yield from predict_examples(results, cohort, device=device)
    if not shown:
        return None
    best, one = best_cell(results), shown[0]
    name = f"{best.cell.name}-{plain_name(one.name)}"
    trained = max((run.path / WEIGHTS).stat().st_mtime for run in best.runs)
    film = None
    if one.volume.adjacent and len(one.volume.image) > 1:
        film = folder / "figures" / f"film-{name}.gif"
        if not _is_made(film, trained):
            content = yield from _draw_film(one, best, setting)
            write_atomically(film, content)
    meshes = yield from _write_meshes(one, best, folder / "meshes" / name, trained)
    return Keepsake(f"{one.name}, {best.cell.label}", film, meshes)


def _is_made(path: Path, trained: float) -> bool:
    """Whether a file is there and not from before the training."""
    return path.is_file() and path.stat().st_mtime >= trained


def _draw_film(shown: Shown, best: CellResult, setting: Setting) -> Steps[bytes]:
    """The slices from the first to the last that shows anything, thinned out if many."""
    volume, reference = shown.volume, shown.volume.labels()
    predicted = shown.predictions[best.cell.name]
    drawn = np.flatnonzero(((reference > 0) | (predicted > 0)).any(axis=(1, 2)))
    first, last = (int(drawn[0]), int(drawn[-1])) if drawn.size else (0, len(reference) - 1)
    most = _QUICK_FRAMES if setting.quick else _FRAMES
    count = min(most, last - first + 1)
    slices = np.linspace(first, last, count).round().astype(int)
    return (
        yield from make_animation(
            volume.image[slices],
            reference[slices],
            predicted[slices],
            classes=best.cell.recipe.task.classes,
            pixel_mm=volume.spacing_mm[1:],
            titles=[f"slice {z + 1}" for z in slices],
            finish=lambda figure: mark(figure, setting),
        )
    )


def _write_meshes(
    shown: Shown, best: CellResult, folder: Path, trained: float
) -> Steps[tuple[Path, ...]]:
    task = best.cell.recipe.task
    if task.name not in SOLID_TASKS:
        return ()
    labels = {
        "reference": shown.volume.labels(),
        "prediction": shown.predictions[best.cell.name],
    }
    paths = [folder / name for name in mesh_names(labels, task)]
    if not all(_is_made(path, trained) for path in paths):
        yield from write_meshes(folder, surfaces_of(shown.volume, labels, task), task)
    return tuple(path for path in paths if path.is_file())


def _panel(shown: Shown, cells: Sequence[str], classes: tuple[str, ...]) -> PanelCase:
    """The slice of a volume that shows most, with every cell's labels."""
    reference = shown.volume.labels()
    z = int(np.count_nonzero(reference, axis=(1, 2)).argmax())
    predictions = [shown.predictions[cell][z] for cell in cells]
    return PanelCase(
        f"{shown.why}, slice {z + 1}\n{_shorten(shown.name, _LONGEST_NAME)}",
        shown.volume.image[z],
        reference[z],
        predictions,
        [_slice_dice(plane, reference[z], len(classes)) for plane in predictions],
        shown.volume.spacing_mm[1:],
    )


def _shorten(text: str, length: int) -> str:
    """The text, or its beginning where it is longer."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _slice_dice(predicted: Labels, reference: Labels, classes: int) -> float | None:
    """Mean Dice of the classes that either side shows."""
    drawn = [n for n in range(1, classes) if (predicted == n).any() or (reference == n).any()]
    if not drawn:
        return None
    return float(np.mean([dice(predicted == n, reference == n) for n in drawn]))
