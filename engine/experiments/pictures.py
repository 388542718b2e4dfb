"""The figures of an experiment that show images: best and worst cases, and surfaces in space."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from engine.datasets.labelled import LabelledPatient, LabelledVolume
from engine.datasets.splits import split_patients
from engine.drawing.panels import PanelCase, best_and_worst, make_panels_figure
from engine.experiments.examining import Predictor
from engine.experiments.patients import Cohort
from engine.experiments.results import CellResult
from engine.geometry import Geometry
from engine.learning.checkpoint import load_model
from engine.learning.runtime import choose_device
from engine.progress import Progress, Steps
from engine.scoring.overlap import dice
from engine.structures import Structure

_CASES = 2  # best ones, and as many worst
_LONGEST_NAME = 20
_IN_SPACE = "left_atrium"

Labels = NDArray[np.uint8]


@dataclass(slots=True, eq=False)
class Shown:
    """A volume that is shown, with what each cell made of it.

    Attributes:
        why: It was chosen: best or worst.
        patient: Whose it is.
        volume: The volume.
        predictions: By cell, (z, y, x).
    """

    why: str
    patient: LabelledPatient
    volume: LabelledVolume
    predictions: dict[str, Labels] = field(default_factory=dict)


def draw_pictures(
    results: Sequence[CellResult], cohort: Cohort, *, device: str
) -> Steps[list[tuple[str, Figure]]]:
    """Draw best and worst test patients with every cell's prediction.

    Patients are ranked by their mean Dice over the cells. Volumes of the left atrium are also
    drawn in space, with the prediction of the best cell.

    Returns:
        Each figure with the name of its file; none where no patient was tested by all cells.
    """
    finished = [result for result in results if result.runs]
    shown = _choose(finished, cohort)
    if not shown:
        return []
    for number, result in enumerate(finished):
        yield Progress(number, len(finished), f"Predicting examples: {result.cell.label}")
        _predict(result, shown, device)
    classes = finished[0].cell.recipe.task.classes
    cases = [_panel(one, [result.cell.name for result in finished], classes) for one in shown]
    titles = [result.cell.label for result in finished]
    figures = [("panels.png", make_panels_figure(cases, titles, classes=classes))]
    if finished[0].cell.recipe.data.task == _IN_SPACE:
        yield Progress(0, 0, "Drawing surfaces")
        best = max(finished, key=_mean_dice)
        figures.append(("surfaces.png", _in_space(shown[0], best)))
    return figures


def _choose(finished: Sequence[CellResult], cohort: Cohort) -> list[Shown]:
    """The best and the worst patients that all cells were tested on."""
    scored = [_dice_by_patient(result) for result in finished]
    tested = [
        patient
        for result in finished[:1]  # all cells have one split
        for run in result.runs
        for patient in split_patients(cohort.patients, result.cell.fold(run.fold)).test
    ]
    common = [patient for patient in tested if all(patient.name in one for one in scored)]
    means = [float(np.mean([one[patient.name] for one in scored])) for patient in common]
    best, worst = best_and_worst(means, count=_CASES)
    shown = []
    for why, numbers in (("best", best), ("worst", worst)):
        for patient in (common[number] for number in numbers):
            volume = _volume_of(patient)
            shown.append(Shown(why, patient, volume))
    return shown


def _dice_by_patient(result: CellResult) -> dict[str, float]:
    return {
        row["patient"]: row["mean_dice"]
        for run in result.runs
        for row in run.scores["as_predicted"]["patients"]
    }


def _mean_dice(result: CellResult) -> float:
    return float(np.mean(list(_dice_by_patient(result).values())))


def _volume_of(patient: LabelledPatient) -> LabelledVolume:
    """The volume with most foreground: end diastole, or the frame that shows most."""
    return max(patient.volumes, key=lambda volume: int(np.count_nonzero(volume.labels())))


def _predict(result: CellResult, shown: Sequence[Shown], device: str) -> None:
    for run in result.runs:
        held_out = set(run.split["held_out"])
        own = [one for one in shown if one.patient.name in held_out]
        if own:
            predictor = Predictor(load_model(run.path), choose_device(device))
            for one in own:
                one.predictions[result.cell.name] = predictor.label(one.volume)


def _panel(shown: Shown, cells: Sequence[str], classes: tuple[str, ...]) -> PanelCase:
    """The slice of a volume that shows most, with every cell's labels."""
    reference = shown.volume.labels()
    z = int(np.count_nonzero(reference, axis=(1, 2)).argmax())
    predictions = [shown.predictions[cell][z] for cell in cells]
    name = _shorten(f"{shown.patient.name} {shown.volume.phase}".rstrip(), _LONGEST_NAME)
    return PanelCase(
        f"{shown.why}, slice {z + 1}\n{name}",
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


def _in_space(shown: Shown, best: CellResult) -> Figure:
    """Image, reference and the best cell's prediction as surfaces."""
    from engine.drawing.solids import make_solids_figure
    from engine.mesh import surface

    volume = shown.volume
    z_mm, y_mm, x_mm = volume.spacing_mm
    z, y, x = volume.image.shape
    geometry = Geometry.from_affine(np.diag([x_mm, y_mm, z_mm, 1.0]), (z, y, x))
    name = best.cell.recipe.task.classes[1]
    sides = {"reference": volume.labels(), best.cell.label: shown.predictions[best.cell.name]}
    drawn = {}
    for title, labels in sides.items():
        found = surface(labels, geometry, Structure(1))  # the one class of this task
        drawn[title] = {} if found is None else {name: found}
    return make_solids_figure(volume.image, geometry, drawn, classes=best.cell.recipe.task.classes)
