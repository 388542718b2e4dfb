"""What is measured of a trained model besides its scores: loss, time, memory, a correction."""

import json
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from engine.datasets.basal import BasalCriterion
from engine.datasets.labelled import LabelledPatient, LabelledVolume
from engine.datasets.selection import usable_slices
from engine.datasets.splits import Split
from engine.io.atomic_file import write_atomically
from engine.learning.checkpoint import Model, load_model
from engine.learning.patient_reading import PatientReader
from engine.learning.reading import reader_of
from engine.learning.runtime import choose_device, peak_memory_mb
from engine.learning.training_data import gather_data
from engine.progress import Progress, Steps
from engine.recipe import Recipe, change_recipe
from engine.scoring.cohort import Case, score_cohort
from engine.scoring.comparison import simulate_correction

_TIMED = 4  # volumes that are timed where not all must be predicted
_FILE = "examined.json"


class Predictor:
    """A model on a device that labels volumes of patients and is timed while it does.

    Attributes:
        model: The model.
        seconds: How long each volume took.
    """

    def __init__(self, model: Model, device: torch.device) -> None:
        self.model = model
        self.seconds: list[float] = []
        self._reader = PatientReader(reader_of(model.network, model.recipe, device))

    def label(self, patient: LabelledPatient, volume: LabelledVolume) -> NDArray[np.uint8]:
        """The class of every voxel of a patient's volume, (z, y, x)."""
        started = time.perf_counter()
        labels = self._reader.read(patient, volume).labels
        self.seconds.append(time.perf_counter() - started)
        return labels

    def case(self, patient: LabelledPatient, volume: LabelledVolume) -> Case:
        """A fully labelled volume and its prediction, on the slices that are scored."""
        labels = self.label(patient, volume)
        kept = usable_slices(volume, self.model.recipe.data)
        return Case(
            patient.name,
            patient.group,
            volume.phase,
            labels[kept],
            volume.labels()[kept],
            volume.spacing_mm,
        )


def scored_volumes(split: Split, recipe: Recipe) -> list[tuple[LabelledPatient, LabelledVolume]]:
    """The volumes of a split's test patients that are scored."""
    return [
        (patient, volume)
        for patient in split.test
        for volume in patient.volumes
        if volume.complete and usable_slices(volume, recipe.data)
    ]


def read_examined(path: Path) -> dict[str, Any] | None:
    """What `examine_run` measured of the training in a folder; None where it has not yet."""
    if not (path / _FILE).is_file():
        return None
    known: dict[str, Any] = json.loads((path / _FILE).read_text(encoding="utf-8"))
    return known


def examine_run(
    path: Path, split: Split, *, device: str, correction: float = 0.0
) -> Steps[dict[str, Any]]:
    """Measure a finished training, or read what was measured before.

    Args:
        path: Folder of the training.
        split: Its patients.
        device: auto, cpu or cuda.
        correction: See `Grid.correction`.

    Returns:
        `{"test_loss", "prediction_seconds", "prediction_memory_mb", "corrected"}`: mean loss
        over the test samples, mean time of a volume and the most memory that it took, and what
        `score_cohort` says of the corrected predictions, with the `note` of the simulation;
        None where it was not asked for. JSON-ready; kept in the folder.
    """
    known = read_examined(path)
    if known is not None:
        return known
    where = choose_device(device)
    predictor = Predictor(load_model(path), where)
    yield Progress(0, 0, "Measuring the test loss")
    loss = mean_test_loss(predictor.model, split, where)
    volumes = scored_volumes(split, predictor.model.recipe)
    forget_peak_memory(where)
    found: dict[str, Any] = {"test_loss": loss, "corrected": None}
    if correction:
        found["corrected"] = yield from _score_corrected(predictor, volumes, below=correction)
    else:
        for number, (patient, volume) in enumerate(volumes[:_TIMED]):
            yield Progress(number, len(volumes[:_TIMED]), "Timing the prediction")
            predictor.label(patient, volume)
    warm = predictor.seconds[1:] or predictor.seconds  # the first call pays for set-up
    found["prediction_seconds"] = float(np.mean(warm)) if warm else None
    found["prediction_memory_mb"] = peak_memory_mb(where)
    write_atomically(path / _FILE, json.dumps(found, indent=1, allow_nan=False).encode())
    return found


@torch.inference_mode()
def mean_test_loss(model: Model, split: Split, device: torch.device) -> float | None:
    """The recipe's loss over the test samples, as its training sees them; None if not finite.

    Class weights are those of the training patients.
    """
    recipe = change_recipe(model.recipe, {"training.batch": 1})
    network = model.network.to(device)
    stride = int(model.network.stride)  # type: ignore[arg-type]
    data = gather_data(Split(split.train, split.test, ()), recipe, stride=stride)
    assert data.validation is not None
    values = []
    with closing(data.validation.batches(epoch=0, augment=False)) as stream:
        for batch in stream:
            logits = network(batch.images.to(device)).float()
            values.append(float(data.loss(logits, batch.possible.to(device))))
    mean = float(np.mean(values)) if values else float("nan")
    return mean if np.isfinite(mean) else None


def _score_corrected(
    predictor: Predictor,
    volumes: list[tuple[LabelledPatient, LabelledVolume]],
    *,
    below: float,
) -> Steps[dict[str, Any]]:
    """Scores after a simulated correction of the basal slices."""
    recipe = predictor.model.recipe
    notes: list[str] = []
    replaced: list[int] = []

    def corrected() -> Iterator[Case]:
        for patient, volume in volumes:
            case = predictor.case(patient, volume)
            change = simulate_correction(
                case.predicted,
                case.reference,
                below=below,
                basal=BasalCriterion(recipe.data.basal),
            )
            notes.append(change.note)
            replaced.append(len(change.slices))
            yield replace(case, predicted=change.labels)

    scores = yield from score_cohort(
        corrected(), classes=recipe.task.classes, limits_factor=recipe.scoring.limits_factor
    )
    scores["note"] = next(iter(notes), "")
    scores["slices_replaced"] = sum(replaced)
    return scores


def forget_peak_memory(device: torch.device) -> None:
    """Count the most memory used anew from now on, where the system allows it."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return
    with suppress(OSError):  # Linux only; elsewhere the peak is that of the process so far
        Path("/proc/self/clear_refs").write_text("5")
