"""The test patients that an experiment shows: chosen by their scores, predicted only once."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from engine.datasets.labelled import LabelledPatient, LabelledVolume
from engine.datasets.splits import split_patients
from engine.drawing.panels import best_and_worst
from engine.experiments.examining import Predictor
from engine.experiments.patients import Cohort
from engine.experiments.results import CellResult, Run
from engine.io.atomic_file import write_atomically
from engine.learning.checkpoint import load_model
from engine.learning.runtime import choose_device
from engine.progress import Progress, Steps

_CASES = 2  # best ones, and as many worst

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

    @property
    def name(self) -> str:
        """Patient and phase."""
        return f"{self.patient.name} {self.volume.phase}".rstrip()


def predict_examples(
    results: Sequence[CellResult], cohort: Cohort, *, device: str
) -> Steps[list[Shown]]:
    """Choose the best and the worst test patients, and predict them with every cell.

    Patients are ranked by their mean Dice over the cells, the best first. A prediction is kept
    in the folder of its training, so that it is made once.

    Returns:
        None where no patient was tested by all cells.
    """
    finished = [result for result in results if result.runs]
    shown = _choose(finished, cohort)
    for number, result in enumerate(finished if shown else ()):
        yield Progress(number, len(finished), f"Predicting examples: {result.cell.label}")
        for run in result.runs:
            held_out = set(run.split["held_out"])
            own = [one for one in shown if one.patient.name in held_out]
            for one, labels in zip(own, _predict(run, own, device), strict=True):
                one.predictions[result.cell.name] = labels
    return shown


def best_cell(results: Sequence[CellResult]) -> CellResult:
    """The cell with the highest mean Dice over its test patients; one must be finished."""
    return max((result for result in results if result.runs), key=_mean_dice)


def plain_name(text: str) -> str:
    """A text as a part of a file's name."""
    return re.sub(r"[^A-Za-z0-9._]+", "_", text).strip("_.") or "unnamed"


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
    return [
        Shown(why, common[number], _volume_of(common[number]))
        for why, numbers in (("best", best), ("worst", worst))
        for number in numbers
    ]


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


def _predict(run: Run, shown: Sequence[Shown], device: str) -> list[Labels]:
    """What a training makes of volumes; the model is loaded only if one was not predicted yet."""
    predictor: Predictor | None = None
    found = []
    for one in shown:
        path = run.path / "examples" / f"{plain_name(one.name)}.npz"
        labels = _read_prediction(path, one.volume)
        if labels is None:
            predictor = predictor or Predictor(load_model(run.path), choose_device(device))
            labels = predictor.label(one.patient, one.volume)
            stream = BytesIO()
            np.savez_compressed(stream, labels=labels)
            write_atomically(path, stream.getvalue())
        found.append(labels)
    return found


def _read_prediction(path: Path, volume: LabelledVolume) -> Labels | None:
    """A prediction that was kept; None where there is none that fits."""
    try:
        with np.load(path, allow_pickle=False) as kept:
            labels: Labels = kept["labels"]
    except (OSError, ValueError, KeyError, BadZipFile):
        return None
    fits = labels.dtype == np.uint8 and labels.shape == volume.possible.shape
    return labels if fits else None
