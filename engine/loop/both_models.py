"""Two models label the same patients, and are held against each other and the reference."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.datasets.labelled import LabelledPatient, LabelledVolume
from engine.drawing.panels import PanelCase
from engine.errors import ModelError
from engine.experiments.examining import Predictor
from engine.experiments.side_by_side import SideBySide, SideRow, join_blocks
from engine.learning.checkpoint import Model, load_model
from engine.learning.models import find_model
from engine.learning.runtime import choose_device
from engine.learning.split_record import seen_in_training
from engine.loop.judging import Judgement, judge_patient
from engine.progress import Steps, within
from engine.scoring.cohort import Case, score_cohort
from engine.scoring.overlap import dice
from engine.tasks import Task

_SHOWN = 2  # worst patients of either model

Labels = NDArray[np.uint8]
_Labelled = dict[int, Labels]  # by the number of the volume


def compare_on(
    first: str | Path,
    second: str | Path,
    patients: Sequence[LabelledPatient],
    *,
    names: tuple[str, str] | None = None,
    folders: Mapping[str, Path] | None = None,
    device: str = "auto",
) -> Steps[SideBySide]:
    """Label patients with two models, and compare.

    Args:
        first: Name or folder of a model.
        second: Of another one.
        patients: Those of the models' task that are fully labelled take part.
        names: What the models are called; None for their own names.
        folders: Of the studies, by patient.
        device: auto, cpu or cuda.

    Raises:
        ModelError: A model is missing or damaged, they find other things, or nobody of the
            patients is fully labelled for that.
    """
    entries = [find_model(each) for each in (first, second)]
    task = entries[0].recipe.task
    if entries[1].recipe.task != task:
        raise ModelError(
            f"{entries[0].name} and {entries[1].name} find other things.",
            hint="Compare two models of one task.",
        )
    volumes = _volumes_of(patients, task.name)
    called = names or (entries[0].name, entries[1].name)
    blocks, found, judged = [], [], []
    for number, entry in enumerate(entries):
        model = load_model(entry.path)
        labels: _Labelled = {}
        cases = _Cases(model, volumes, device, labels)
        steps = score_cohort(cases, classes=task.classes)
        scores = yield from within(steps, number, 2, called[number])
        blocks.append(scores["as_predicted"])
        found.append(labels)
        judged.append(_judge(model, volumes, labels))
    joined = join_blocks(
        called,
        (blocks[0], blocks[1]),
        source="Labelled by both models now.",
        folders=folders,
        classes=task.classes,
    )
    return replace(
        joined,
        rows=(*joined.rows, *_judged_rows(judged)),
        cautions=(*joined.cautions, *_seen_before([e.path for e in entries], called, joined)),
        panels=tuple(_panels(joined, volumes, found, task)),
    )


class _Cases:
    """The volumes with what a model makes of them, one by one; its labels are kept."""

    def __init__(
        self,
        model: Model,
        volumes: Sequence[tuple[LabelledPatient, LabelledVolume]],
        device: str,
        labels: _Labelled,
    ) -> None:
        self._predictor = Predictor(model, choose_device(device))
        self._volumes, self._labels = volumes, labels

    def __len__(self) -> int:
        return len(self._volumes)

    def __iter__(self) -> Iterator[Case]:
        for number, (patient, volume) in enumerate(self._volumes):
            labels = self._labels[number] = self._predictor.label(patient, volume)
            yield Case(
                patient.name, patient.group, volume.phase, labels, volume.labels(),
                volume.spacing_mm,
            )  # fmt: skip


def _volumes_of(
    patients: Sequence[LabelledPatient], task: str
) -> list[tuple[LabelledPatient, LabelledVolume]]:
    """The fully labelled volumes of a task, each phase of a patient once."""
    found: dict[tuple[str, str], tuple[LabelledPatient, LabelledVolume]] = {}
    for patient in patients:
        for number, volume in enumerate(patient.volumes):
            if patient.task == task and volume.complete:
                key = (patient.name, volume.phase or str(number))
                found.setdefault(key, (patient, volume))
    if not found:
        raise ModelError(
            f"Nobody of the {len(patients)} labelled patients is fully labelled for what these "
            "models find.",
            hint="Choose a folder with labels of all structures that the models find.",
        )
    return list(found.values())


def _judge(
    model: Model, volumes: Sequence[tuple[LabelledPatient, LabelledVolume]], labels: _Labelled
) -> Judgement | None:
    """What a round of a learning loop would say; None for other tasks than the short axis."""
    if model.recipe.task.name != "short_axis":
        return None
    pairs: dict[str, list[tuple[LabelledVolume, Labels]]] = {}
    for number, (patient, volume) in enumerate(volumes):
        pairs.setdefault(patient.name, []).append((volume, labels[number]))
    judged = tuple(judge_patient(name, of_patient) for name, of_patient in pairs.items())
    return Judgement(model.entry.name, model.hash, judged)


def _judged_rows(judged: Sequence[Judgement | None]) -> Iterator[SideRow]:
    first, second = judged
    if first is None or second is None:
        return
    yield SideRow("Dice at the base", "", (first.mean("basal_dice"), second.mean("basal_dice")))
    corrections = (first.corrections_per_100, second.corrections_per_100)
    yield SideRow("Slices to correct of 100", "", corrections, "lower")


def _seen_before(
    folders: Sequence[Path], names: Sequence[str], joined: SideBySide
) -> Iterator[str]:
    """Who of the patients a model has trained or was chosen by, as far as its folder tells."""
    compared = {patient.name for patient in joined.patients}
    for folder, name in zip(folders, names, strict=True):
        if seen := compared & seen_in_training(folder):
            yield (
                f"{name} has seen {len(seen)} of these {len(compared)} patients in its training: "
                "its figures are better than on new ones."
            )


def _panels(
    joined: SideBySide,
    volumes: Sequence[tuple[LabelledPatient, LabelledVolume]],
    found: Sequence[_Labelled],
    task: Task,
) -> Iterator[PanelCase]:
    """The worst patients of either model, at the slice where that model is furthest off."""
    shown: set[str] = set()
    for model in (0, 1):
        worst = sorted(joined.patients, key=lambda patient: patient.dice[model])
        for patient in [one for one in worst if one.name not in shown][:_SHOWN]:
            shown.add(patient.name)
            numbers = [n for n, (owner, _) in enumerate(volumes) if owner.name == patient.name]
            yield _panel(f"worst of {joined.names[model]}", model, numbers, volumes, found, task)


def _panel(
    why: str,
    model: int,
    numbers: Sequence[int],
    volumes: Sequence[tuple[LabelledPatient, LabelledVolume]],
    found: Sequence[_Labelled],
    task: Task,
) -> PanelCase:
    scored = []
    for number in numbers:
        reference = volumes[number][1].labels()
        for z in range(len(reference)):
            score = _slice_dice(found[model][number][z], reference[z], task)
            if score is not None:
                scored.append((score, number, z))
    _, number, z = min(scored, default=(0.0, numbers[0], 0))
    patient, volume = volumes[number]
    reference = volume.labels()[z]
    planes = [labels[number][z] for labels in found]
    title = f"{patient.name} {volume.phase}".rstrip()
    return PanelCase(
        f"{title}, slice {z + 1}\n{why}",
        volume.image[z],
        reference,
        planes,
        [_slice_dice(plane, reference, task) for plane in planes],
        volume.spacing_mm[1:],
    )


def _slice_dice(plane: Labels, reference: Labels, task: Task) -> float | None:
    """Mean Dice of the classes that either side shows; None where both show none."""
    values = [
        dice(plane == number, reference == number)
        for number in range(1, len(task.classes))
        if (plane == number).any() or (reference == number).any()
    ]
    return float(np.mean(values)) if values else None
